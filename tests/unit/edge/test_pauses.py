"""Packets gather while nothing is due, and never so many, nor so long, that one could be lost."""

from __future__ import annotations

import pytest

from uriai_edge.pauses import Pauses


class Wire:
    """A camera that sends a packet every fifteenth of a second, and a kernel that keeps what is not read yet."""

    def __init__(self, *, size: int = 7000, key: int = 200_000, gop: int = 30, work_s: float = 0.0005) -> None:
        self.size, self.key, self.gop, self.work_s = size, key, gop, work_s
        self.now_s, self.pauses, self.waits = 100.0, Pauses(), 0
        self.most_kept = 0
        self.wrong_s: list[float] = []
        self.late_s: list[float] = []

    def run(self, packets: int) -> Wire:
        for number in range(packets):
            came_s = 100.0 + number / 15
            asked_s = self.now_s
            self.waits += came_s > self.now_s
            self.now_s = max(self.now_s, came_s) + 1e-4
            is_key = number % self.gop == 0
            size = self.key if is_key else self.size
            told_s = self.pauses.note(size, is_key=is_key, stamp_s=number / 15, asked_s=asked_s, now_s=self.now_s)
            self.wrong_s.append(abs(told_s - came_s))
            self.late_s.append(self.now_s - came_s)
            self.now_s += self.work_s
            pause_s = self.pauses.length_s(self.now_s)
            before = self.now_s
            self.now_s += pause_s
            kept = [n for n in range(number + 1, number + 60) if before < 100.0 + n / 15 <= self.now_s]
            self.most_kept = max(self.most_kept, sum(self.key if n % self.gop == 0 else self.size for n in kept))
        return self


def test_packets_are_read_together_and_the_key_frame_is_awaited():
    wire = Wire().run(600)
    assert wire.waits < 600 / 2.5
    assert max(wire.late_s) < 0.3
    assert 0 < wire.most_kept <= 48 * 1024  # never a key frame


def test_packets_that_were_kept_are_told_when_they_came():
    wire = Wire().run(600)
    assert sum(late > 0.05 for late in wire.late_s) > 200
    assert max(wire.wrong_s) < 0.02


def test_a_fast_stream_is_left_alone_for_shorter():
    wire = Wire(size=40_000).run(600)  # 4.8 Mbit/s
    assert wire.most_kept <= 48 * 1024


def test_who_is_too_slow_makes_no_pause():
    wire = Wire(work_s=0.06).run(600)
    assert max(wire.late_s) < 0.7
    slow = Wire(work_s=0.08).run(600)  # slower than the camera
    assert slow.most_kept == 0 or max(slow.late_s[-50:]) == pytest.approx(600 * (0.08 - 1 / 15), rel=0.2)


def test_nothing_is_left_alone_before_a_group_is_known_nor_without_timestamps():
    pauses = Pauses()
    for number in range(29):
        now_s = number / 15
        pauses.note(5000, is_key=number == 0, stamp_s=now_s, asked_s=now_s - 0.06, now_s=now_s)
        assert pauses.length_s(now_s) == 0
    for number in range(29, 90):
        now_s = number / 15
        pauses.note(5000, is_key=number % 30 == 0, stamp_s=None, asked_s=now_s - 0.06, now_s=now_s)
        assert pauses.length_s(now_s) == 0
