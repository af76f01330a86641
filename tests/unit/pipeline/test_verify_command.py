"""`uriai verify` on copies of the bucket, without a cloud."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from uriai_cli.commands.verify import command

VECTORS = Path(__file__).resolve().parents[2] / "vectors"
EXPECTED = json.loads((VECTORS / "expected.json").read_text(encoding="utf-8"))


def verify(case: str, *options: str):
    return CliRunner().invoke(command, [str(VECTORS / case), "--key", EXPECTED["public_key"], *options])


@pytest.mark.parametrize("case", sorted(EXPECTED["cases"]))
def test_the_exit_code_says_whether_the_evidence_stands(case):
    broken = EXPECTED["cases"][case]["first_break"]
    result = verify(case)
    assert result.exit_code == (1 if broken else 0)
    assert broken is None or broken["status"] in result.output


def test_all_records_are_printed_as_json_lines_when_asked():
    lines = [json.loads(line) for line in verify("clip_altered", "--all", "--json").output.splitlines()]
    assert {line["seq"]: line["status"] for line in lines}[2] == "altered"
    assert len(lines) == 5


def test_two_keys_of_one_gateway_may_both_have_signed():
    result = verify("other_key", "--key", EXPECTED["other_public_key"])
    assert result.exit_code == 0


def test_a_gateway_that_is_not_there_is_told():
    result = verify("valid", "--gateway", "nobody")
    assert result.exit_code == 1
    assert "there is no record of gateway nobody" in result.output


def test_an_empty_folder_is_no_evidence(tmp_path):
    result = CliRunner().invoke(command, [str(tmp_path), "--key", EXPECTED["public_key"]])
    assert "There is no evidence here." in result.output
