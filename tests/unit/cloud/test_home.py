"""State files are whole and private, and messages name the remedy."""

from __future__ import annotations

import stat

import pytest

from uriai_cloud import home, state
from uriai_cloud.errors import CloudError, CloudNotRunning, ToolMissing
from uriai_cloud.home import Home


def test_a_state_file_is_readable_by_its_owner_only(tmp_path):
    path = tmp_path / "cloud.json"
    home.write_json(path, {"password": "x"})
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_failed_write_leaves_the_old_file_and_no_other(tmp_path):
    path = tmp_path / "cloud.json"
    home.write_json(path, {"version": 1})
    with pytest.raises(TypeError):
        home.write_json(path, {"version": object()})
    assert home.read_json(path) == {"version": 1}
    assert [entry.name for entry in tmp_path.iterdir()] == ["cloud.json"]


def test_a_file_that_is_no_object_is_named(tmp_path):
    (tmp_path / "ports.json").write_text("[1]")
    with pytest.raises(CloudError, match=r"ports\.json"):
        home.read_json(tmp_path / "ports.json")


def test_the_environment_says_where_a_cloud_lives(tmp_path, monkeypatch):
    monkeypatch.setenv("URIAI_HOME", str(tmp_path / "elsewhere"))
    found = Home.from_environment()
    assert found.path == tmp_path / "elsewhere"
    assert stat.S_IMODE(found.path.stat().st_mode) == 0o700


def test_without_a_cloud_the_remedy_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("URIAI_HOME", str(tmp_path))
    with pytest.raises(CloudNotRunning, match="run `uriai up`"):
        state.load()


def test_a_missing_program_names_its_package():
    with pytest.raises(ToolMissing, match="apt-get install no-such-package"):
        home.system_tool("no-such-program-anywhere", "no-such-package")
