"""What is not needed any more is given back: freed pictures, and packets older than a movement can be noticed."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from fractions import Fraction

import pytest

from uriai_edge.clips import PacketRing
from uriai_edge.packets import VideoPacket

PICTURES_AND_PACKETS = """
import resource, sys
from pathlib import Path
from uriai_edge.memory import keep_small
if sys.argv[1] == "small":
    keep_small()
for _ in range(8):
    bytearray(3_000_000)
kept, pictures = [], []
for _ in range(40):
    pictures.append(bytearray(b"x") * 3_000_000)
    kept.append(bytearray(b"x") * 100_000)
pictures.clear()
print(int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize())
"""


def held(mode: str) -> int:
    command = [sys.executable, "-c", PICTURES_AND_PACKETS, mode]
    return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def test_freed_pictures_between_packets_that_stay_go_back_to_the_system():
    assert held("usual") - held("small") > 80_000_000  # of 120 MB of pictures


@pytest.mark.parametrize(("gop", "reserve_s"), [(15, 1), (60, 4), (600, 12)])  # 40 s apart: no more than 12 s for it
def test_the_ring_keeps_what_a_movement_may_need_and_no_group_more(gop, reserve_s):
    ring = PacketRing(keep_s=10.0)
    at = datetime(2026, 1, 1, tzinfo=UTC)
    reach_s = []
    for number in range(100 * 15):
        ring.push(VideoPacket(b"x", number, number, 1, number % gop == 0, Fraction(1, 15), at, number / 15))
        reach_s.append(number / 15 - ring.since(0.0, -1)[0].time_s)
    after = reach_s[1000:]
    assert min(after) >= 10 + reserve_s
    assert max(after) <= 10 + reserve_s + gop / 15
