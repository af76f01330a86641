"""The worked examples of docs/own-detectors.md, as they stand there."""

import re
import shlex
from pathlib import Path

from click.testing import CliRunner

from models.tools.__main__ import main
from models.violence import data

ROOT = Path(__file__).resolve().parents[3]
PAGE = ROOT / "docs" / "own-detectors.md"
PREFIX = "    .venv/bin/python -m models.tools "


def test_the_examples_run_as_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    lines = [line.removeprefix(PREFIX) for line in PAGE.read_text("utf-8").splitlines() if line.startswith(PREFIX)]
    assert len(lines) >= 15
    for line in lines:
        words = [str(ROOT / w) if w == "models/emotion" else w for w in shlex.split(re.sub(r"\s{2,}#.*", "", line))]
        done = CliRunner().invoke(main, words)
        assert done.exit_code == 0, (line, done.output)
        assert "used  " in done.stdout, line
    assert {c.fold for c in data.read_labels(tmp_path / "practice" / "table" / "labels.csv")} == {0, 1, 2, 3}
    assert len(list((tmp_path / "practice" / "turned").glob("*.png"))) >= 150
    assert len(list((tmp_path / "practice" / "ready").glob("*__a345.mp4"))) == 16
