"""Numbers for faces within one clip: a person keeps a number from detection to detection. Nobody is recognised."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from uriai.domain.analysis import Box

_FORGET_S = 3.0
"""A face unseen for longer gets a new number."""
_REACH = 1.0
_REACH_PER_S = 3.0
"""How far a face may be from where it was expected, in face sizes: at once, and more for each second that passed."""
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
    """Greedy: the pair that fits best is joined first. Feed it in order of time."""

    def __init__(self) -> None:
        self._tracks: list[_Track] = []
        self._next = 1

    def update(self, t_s: float, boxes: Sequence[Box]) -> tuple[int, ...]:
        """The track number of each box seen at ``t_s``, from 1 on; numbers are never reused."""
        self._tracks = [track for track in self._tracks if t_s - track.t_s <= _FORGET_S]
        pairs = []
        for row, track in enumerate(self._tracks):
            for column, box in enumerate(boxes):
                distance = _distance(track, box, t_s)
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
                numbers[column] = self._next
                self._tracks.append(_Track(self._next, box, t_s))
                self._next += 1
        return tuple(numbers)


def iou(one: Box, other: Box) -> float:
    """Intersection over union, 0..1."""
    width = min(one.x + one.w, other.x + other.w) - max(one.x, other.x)
    height = min(one.y + one.h, other.y + other.h) - max(one.y, other.y)
    if width <= 0 or height <= 0:
        return 0.0
    shared = width * height
    return shared / (one.w * one.h + other.w * other.h - shared)


def _distance(track: _Track, box: Box, t_s: float) -> float | None:
    """How badly a box fits a track, None where it cannot be the same face."""
    passed_s = t_s - track.t_s
    size = math.sqrt(track.box.w * track.box.h)
    growth = math.sqrt(box.w * box.h) / size
    if not 1 / _MOST_GROWTH <= growth <= _MOST_GROWTH:
        return None
    expected_x = track.box.x + track.box.w / 2 + track.speed_x * passed_s
    expected_y = track.box.y + track.box.h / 2 + track.speed_y * passed_s
    away = math.hypot(box.x + box.w / 2 - expected_x, box.y + box.h / 2 - expected_y) / size
    if away > _REACH + _REACH_PER_S * passed_s:
        return None
    return away + abs(math.log(growth)) - iou(track.box, box)


def _move(track: _Track, box: Box, t_s: float) -> None:
    passed_s = t_s - track.t_s
    if passed_s > 0:
        # half of the new speed: one jitter of the detector must not throw the expectation off the face
        track.speed_x = (track.speed_x + (box.x + box.w / 2 - track.box.x - track.box.w / 2) / passed_s) / 2
        track.speed_y = (track.speed_y + (box.y + box.h / 2 - track.box.y - track.box.h / 2) / passed_s) / 2
    track.box, track.t_s = box, t_s
