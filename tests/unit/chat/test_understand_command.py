"""`uriai understand`."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner, Result

from uriai_cli.main import cli

NOW = ["--now", "2026-07-22T14:20:00+09:00"]


def run(*arguments: str, stdin: bytes | None = None) -> Result:
    return CliRunner().invoke(cli, ["understand", *arguments], input=stdin)


def test_one_text_is_one_json_object() -> None:
    result = run("어제 오후 2시부터 4시 사이 3번 카메라 신체학대 샛별어린이집", *NOW, "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout) == {
        "text": "어제 오후 2시부터 4시 사이 3번 카메라 신체학대 샛별어린이집",
        "intent": "summary",
        "range": {"start": "2026-07-21T14:00:00+09:00", "end": "2026-07-21T16:00:00+09:00"},
        "centre": "샛별어린이집",
        "cameras": [3],
        "kinds": ["physical"],
        "number": None,
    }


def test_a_dash_reads_one_text_a_line_and_answers_one_a_line() -> None:
    lines = "today\n\n12번 사건 상태\r\n".encode() + b"\xff\xfe\n" + "어제".encode()
    result = run("-", *NOW, "--json", stdin=lines)
    assert result.exit_code == 0
    made = [json.loads(line) for line in result.stdout.splitlines()]
    assert [one["intent"] for one in made] == ["summary", "unknown", "status", "unknown", "summary"]
    assert made[2] | {"text": ""} == {
        "text": "", "intent": "status", "range": None, "centre": None, "cameras": [], "kinds": [], "number": 12,
    }  # fmt: skip


def test_dates_are_meant_in_the_zone_that_is_given() -> None:
    result = run("today", "--now", "2026-07-22T02:00:00Z", "--tz", "America/New_York", "--json")
    assert json.loads(result.stdout)["range"]["start"] == "2026-07-21T00:00:00-04:00"
    result = run("today", "--now", "2026-07-22T00:30", "--tz", "America/New_York", "--json")
    assert json.loads(result.stdout)["range"]["start"] == "2026-07-22T00:00:00-04:00"


def test_for_people_it_says_what_it_did_not_understand() -> None:
    assert "not understood: no_such_date" in run("2월 30일 사건", *NOW).stdout


@pytest.mark.parametrize(
    "arguments",
    [["--now", "soon"], ["--now", "0001-01-01"], ["--tz", "Mars/Olympus"], ["--tz", "../etc"], ["--tz", ""]],
)
def test_a_wrong_option_is_wrong_usage(arguments: list[str]) -> None:
    assert run("today", *arguments).exit_code == 2
