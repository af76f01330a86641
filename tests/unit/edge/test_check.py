"""`check` names what is wrong outside the configuration file, and what to do."""

from __future__ import annotations

import re
import socket

import pytest

from tests.integration.edge.object_store import object_store
from uriai_edge.check import Outcome, check_all
from uriai_edge.keys import make_key


@pytest.fixture
def written(tmp_path, monkeypatch):
    """Writes a configuration; no credentials but those a test gives."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    make_key(tmp_path / "device.key")

    def write(endpoint: str, more: str = ""):
        path = tmp_path / "gateway.yaml"
        path.write_text(
            f"gateway: g\nkey_file: {tmp_path}/device.key\ncameras: [{{number: 1, source: {tmp_path}/none.mp4}}]\n"
            f"spool: {{dir: {tmp_path}/spool}}\n"
            f"upload: {{bucket: clips-test, endpoint_url: '{endpoint}', connect_timeout_s: 1{more}}}\n"
        )
        return {check.what: check for check in check_all(path)}

    return write


def test_credentials_that_are_not_there_are_told_apart_from_a_bucket_that_is_not(written, monkeypatch):
    with object_store() as store:
        found = written(store.url)
        assert found["credentials"].outcome is Outcome.FAIL and "AWS_ACCESS_KEY_ID" in found["credentials"].remedy
        assert found["clock"].outcome is Outcome.OK, "S3 tells its time to anybody"
        found = written(store.url, ", profile: nobody")
        assert "nobody" in found["credentials"].found
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "y")
        assert written(store.url)["credentials"].found == "found (env)"


@pytest.mark.parametrize(("ahead_s", "word"), [(3600, "behind"), (-3600, "ahead of")])
def test_a_clock_that_is_off_is_told_with_its_remedy(written, monkeypatch, ahead_s, word):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "y")
    with object_store() as store:
        store.ahead_s = ahead_s
        clock = written(store.url)["clock"]
    assert (
        clock.outcome is Outcome.FAIL
        and re.match(rf"3[56]\d\d s {word} S3", clock.found)
        and "timedatectl" in clock.remedy
    )


def test_a_network_that_is_away_is_told(written, monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "y")
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        found = written(f"http://127.0.0.1:{closed.getsockname()[1]}")
    assert found["bucket"].outcome is Outcome.FAIL and "check network" in found["bucket"].remedy
    assert found["clock"].outcome is Outcome.WARN
