"""The systemd unit: it parses, is hardened, and names commands that exist."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from uriai_edge.cli import _parser

UNIT = Path(__file__).resolve().parents[3] / "edge_agent" / "systemd" / "uriai-edge.service"


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
def test_the_unit_exposes_little():
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=yes", "--threshold=15", str(UNIT)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-300:] + done.stderr
    assert float(re.search(r"exposure level for \S+: ([\d.]+)", done.stdout)[1]) < 1.5


def test_the_unit_starts_a_command_that_there_is():
    (start,) = re.findall(r"^ExecStart=\S+/uriai-edge (.+)$", UNIT.read_text(), re.MULTILINE)
    assert _parser().parse_args(start.split()).config == Path("/etc/uriai-edge/gateway.yaml")
