"""Numbers for faces or people within one clip: each keeps one from detection to detection. Nobody is recognised."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count

from uriai.domain.analysis import Box

_FORGET_S = 3.0
"""Who is unseen for longer gets a new number."""
_REACH = 1.0
_REACH_PER_S = 3.0
"""How far a box may be from where it was expected, in sizes of it: at once, and more for each second that passed."""
_MOST_GROWTH = 1.8
"""Two boxes whose sizes differ by a greater factor are not one person within a second."""


@dataclass(slots=True)
class _Track:
    number: int
    box: Box
    t_s: float
    speed_x: float = 0.0
    speed_y: float = 0.0


class Tracker:
    """Greedy: the pair that fits best is joined first. Feed it in order of time.

    Parameters
    ----------
    numbers:
        Where new numbers come from; trackers that share it never give the same one. From 1 on without it.
    reach_per_s:
        How far one may have moved a second, in sizes of the box.
    """

    def __init__(self, numbers: Iterator[int] | None = None, reach_per_s: float = _REACH_PER_S) -> None:
        self._tracks: list[_Track] = []
        self._numbers = numbers if numbers is not None else count(1)
        self._reach_per_s = reach_per_s

    def update(self, t_s: float, boxes: Sequence[Box]) -> tuple[int, ...]:
        """The track number of each box seen at ``t_s``; numbers are never reused."""
        self._tracks = [track for track in self._tracks if t_s - track.t_s <= _FORGET_S]
        pairs = []
        for row, track in enumerate(self._tracks):
            for column, box in enumerate(boxes):
                distance = _distance(track, box, t_s, self._reach_per_s)
                if distance is not None:
                    pairs.append((distance, row, column))
        numbers = [0] * len(boxes)
        taken: set[int] = set()
        for _, row, column in sorted(pairs):
            if row in taken or numbers[column]:
                continue
            taken.add(row)
            numbers[column] = self._tracks[row].number
            _move(self._tracks[row], boxes[column], t_s)
        for column, box in enumerate(boxes):
            if not numbers[column]:
                numbers[column] = next(self._numbers)
                self._tracks.append(_Track(numbers[column], box, t_s))
        return tuple(numbers)


def iou(one: Box, other: Box) -> float:
    """Intersection over union, 0..1."""
    width = min(one.x + one.w, other.x + other.w) - max(one.x, other.x)
    height = min(one.y + one.h, other.y + other.h) - max(one.y, other.y)
    if width <= 0 or height <= 0:
        return 0.0
    shared = width * height
    return shared / (one.w * one.h + other.w * other.h - shared)


def _distance(track: _Track, box: Box, t_s: float, reach_per_s: float) -> float | None:
    """How badly a box fits a track, None where it cannot be the same one."""
    passed_s = t_s - track.t_s
    size = math.sqrt(track.box.w * track.box.h)
    growth = math.sqrt(box.w * box.h) / size
    if not 1 / _MOST_GROWTH <= growth <= _MOST_GROWTH:
        return None
    expected_x = track.box.x + track.box.w / 2 + track.speed_x * passed_s
    expected_y = track.box.y + track.box.h / 2 + track.speed_y * passed_s
    away = math.hypot(box.x + box.w / 2 - expected_x, box.y + box.h / 2 - expected_y) / size
    if away > _REACH + reach_per_s * passed_s:
        return None
    return away + abs(math.log(growth)) - iou(track.box, box)


def _move(track: _Track, box: Box, t_s: float) -> None:
    passed_s = t_s - track.t_s
    if passed_s > 0:
        # half of the new speed: one jitter of the detector must not throw the expectation off the face
        track.speed_x = (track.speed_x + (box.x + box.w / 2 - track.box.x - track.box.w / 2) / passed_s) / 2
        track.speed_y = (track.speed_y + (box.y + box.h / 2 - track.box.y - track.box.h / 2) / passed_s) / 2
    track.box, track.t_s = box, t_s
