"""The `uriai` command: lazy, helpful, and one line for what goes wrong."""

from __future__ import annotations

import subprocess
import sys

import pytest
from click.testing import CliRunner

from uriai_cli.main import cli, command_names


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.setenv("URIAI_HOME", str(tmp_path))
    return lambda *arguments: CliRunner().invoke(cli, list(arguments), prog_name="uriai")


@pytest.mark.parametrize("name", command_names())
def test_every_command_has_help(run, name):
    answer = run(name, "--help")
    assert answer.exit_code == 0, answer.output
    assert answer.output.startswith("Usage: uriai")


def test_the_list_of_commands_has_a_line_for_each(run):
    listed = run("--help").output
    for name in command_names():
        line = next(line for line in listed.splitlines() if line.strip().startswith(f"{name} "))
        assert len(line.split()) > 2, f"{name} does not say what it does"


def test_the_version_is_the_packages(run):
    assert run("--version").output == "uriai 0.1.0\n"


def test_help_imports_nothing_heavy():
    code = "import sys; from uriai_cli.main import cli; cli(['--help'], standalone_mode=False); \
print(sorted({'boto3', 'numpy', 'cv2', 'onnxruntime', 'pymysql'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_an_unknown_command_is_wrong_usage(run):
    assert run("dance").exit_code == 2


@pytest.mark.parametrize("arguments", [["logs"], ["invoke", "migrate", "FILE"]])
def test_what_needs_the_cloud_says_so_in_one_line(run, tmp_path, arguments):
    event = tmp_path / "event.json"
    event.write_text("{}")
    answer = run(*(str(event) if part == "FILE" else part for part in arguments))
    assert answer.exit_code == 1
    assert answer.stderr == "uriai: the local cloud is not running: run `uriai up`\n"


def test_status_of_a_cloud_that_is_down_is_a_failure(run):
    answer = run("status")
    assert answer.exit_code == 1
    assert "run `uriai up`" in answer.output


def test_down_without_a_cloud_is_no_failure(run):
    answer = run("down")
    assert answer.exit_code == 0
    assert answer.stdout == "Nothing was running.\n"
