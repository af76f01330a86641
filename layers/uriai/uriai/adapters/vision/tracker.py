"""Numbers for faces or people within one clip: each keeps one from detection to detection. Nobody is recognised."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count

import numpy as np
from numpy.typing import NDArray

from uriai.domain.analysis import Box, iou

_REACH = 1.0
_CLOTHES_WEIGHT = 4.0
_OTHER_CLOTHES = 0.75
"""Clothes that share less than a quarter of their colours are somebody else's."""
_SAME_PLACE = 0.5
"""Two boxes that overlap by more are one person whatever the colours: the light may have been switched."""

Clothes = NDArray[np.float32]
"""A histogram of colours, its sum 1; see `clothes.clothes`."""


@dataclass(frozen=True, slots=True)
class Habits:
    """How what is tracked behaves between two looks.

    ``reach_per_s``: how far a box may be from where it was expected, in sizes of it, for each second that passed;
    ``most_growth``: two boxes whose sizes differ by a greater factor are not one; ``forget_s``: who is unseen for
    longer gets a new number.
    """

    reach_per_s: float
    most_growth: float
    forget_s: float


FACES = Habits(reach_per_s=3.0, most_growth=1.8, forget_s=3.0)
PEOPLE = Habits(reach_per_s=3.0, most_growth=3.0, forget_s=5.0)
"""People are hidden by half by others, so their boxes change more; their clothes tell them apart."""


@dataclass(slots=True)
class _Track:
    number: int
    box: Box
    t_s: float
    clothes: Clothes | None = None
    speed_x: float = 0.0
    speed_y: float = 0.0


class Tracker:
    """Greedy: the pair that fits best is joined first. Feed it in order of time.

    Parameters
    ----------
    numbers:
        Where new numbers come from; trackers that share it never give the same one. From 1 on without it.
    habits:
        `FACES` or `PEOPLE`.
    """

    def __init__(self, numbers: Iterator[int] | None = None, habits: Habits = FACES) -> None:
        self._tracks: list[_Track] = []
        self._numbers = numbers if numbers is not None else count(1)
        self._habits = habits

    def update(self, t_s: float, boxes: Sequence[Box], clothes: Sequence[Clothes] = ()) -> tuple[int, ...]:
        """The track number of each box seen at ``t_s``; numbers are never reused. ``clothes``: of each box, or none."""
        worn: Sequence[Clothes | None] = clothes or [None] * len(boxes)
        self._tracks = [track for track in self._tracks if t_s - track.t_s <= self._habits.forget_s]
        pairs = []
        for row, track in enumerate(self._tracks):
            for column, (box, colours) in enumerate(zip(boxes, worn, strict=True)):
                distance = _distance(track, box, t_s, self._habits)
                unlike = _unlike(track, box, colours)
                if distance is not None and unlike is not None:
                    pairs.append((distance + _CLOTHES_WEIGHT * unlike, row, column))
        numbers = [0] * len(boxes)
        taken: set[int] = set()
        for _, row, column in sorted(pairs):
            if row in taken or numbers[column]:
                continue
            taken.add(row)
            numbers[column] = self._tracks[row].number
            _move(self._tracks[row], boxes[column], t_s, worn[column])
        for column, (box, colours) in enumerate(zip(boxes, worn, strict=True)):
            if not numbers[column]:
                numbers[column] = next(self._numbers)
                self._tracks.append(_Track(numbers[column], box, t_s, colours))
        return tuple(numbers)


def _distance(track: _Track, box: Box, t_s: float, habits: Habits) -> float | None:
    """How badly a box fits a track, None where it cannot be the same one."""
    passed_s = t_s - track.t_s
    size = math.sqrt(track.box.w * track.box.h)
    growth = math.sqrt(box.w * box.h) / size
    if not 1 / habits.most_growth <= growth <= habits.most_growth:
        return None
    expected_x = track.box.x + track.box.w / 2 + track.speed_x * passed_s
    expected_y = track.box.y + track.box.h / 2 + track.speed_y * passed_s
    away = math.hypot(box.x + box.w / 2 - expected_x, box.y + box.h / 2 - expected_y) / size
    if away > _REACH + habits.reach_per_s * passed_s:
        return None
    return away + abs(math.log(growth)) - iou(track.box, box)


def _unlike(track: _Track, box: Box, colours: Clothes | None) -> float | None:
    """0..1: how little the clothes are alike, 0 where they are not known; None where they are somebody else's."""
    if track.clothes is None or colours is None:
        return 0.0
    unlike = 1.0 - float(np.minimum(track.clothes, colours).sum())
    if unlike > _OTHER_CLOTHES and iou(track.box, box) < _SAME_PLACE:
        return None
    return unlike


def _move(track: _Track, box: Box, t_s: float, colours: Clothes | None) -> None:
    passed_s = t_s - track.t_s
    if passed_s > 0:
        # half of the new speed: one jitter of the detector must not throw the expectation off the face
        track.speed_x = (track.speed_x + (box.x + box.w / 2 - track.box.x - track.box.w / 2) / passed_s) / 2
        track.speed_y = (track.speed_y + (box.y + box.h / 2 - track.box.y - track.box.h / 2) / passed_s) / 2
    if colours is not None:
        track.clothes = colours if track.clothes is None else np.asarray((track.clothes + colours) / 2, np.float32)
    track.box, track.t_s = box, t_s
