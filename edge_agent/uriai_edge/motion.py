"""Tells movement from noise and from light, on small gray pictures a few times a second.

A picture is compared with the one before and with the one a second ago, as the logarithm of brightness with the
neighbourhood's mean taken off: a lamp multiplies the brightness of a whole neighbourhood, so it cancels; a person does
not. Something that changes once and stays (a lamp's shadow, a door) differs from the picture before it only once, so
movement has to be seen repeatedly. What a pixel does when nothing moves is learnt and must be exceeded.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from uriai_edge.config import Motion

Picture = NDArray[np.float32]
"""(H, W) float32; logarithm of gray + _DARK."""

ANALYSIS_WIDTH = 160
"""Pictures are reduced by a whole factor to about this width: noise averages out, a child stays some pixels wide."""

_DARK = 16.0  # keeps the noise of black areas from looking like large relative changes; gray levels
_NOISE_FACTOR = 4.0  # a change must exceed so many times what the pixel usually does
_NOISE_CAP = 4.0  # … but never be asked to exceed so many times the set contrast
_NOISE_MEMORY_S = 60.0
_SLOW_LAG_S = 1.0
_SETTLE_S = 0.8  # after a switched light, exposure and compression settle; nothing counts until then
_REST_S = 1.0  # so long without a moving sample, and the movement is over


@dataclass(frozen=True, slots=True)
class Movement:
    """Movement that goes on: since when, last seen when (stream seconds), its largest share of the picture."""

    began_s: float
    last_s: float
    score: float


@dataclass(frozen=True, slots=True)
class Sample:
    """What one picture showed: moving share of the picture (0..1), whether the light was switched, movement by now."""

    time_s: float
    score: float
    light_switch: bool
    movement: Movement | None


class MotionAnalyser:
    """Judges one camera's pictures in the order of their times."""

    def __init__(self, settings: Motion) -> None:
        """Begin without any knowledge of the camera."""
        self._settings = settings
        self._recent: deque[tuple[float, Picture]] = deque()
        self._noise: Picture | None = None
        self._settles_until_s = -math.inf
        self._fast: deque[float] = deque()  # times of samples that moved against the one before
        self._slow: list[float] = []  # unbroken run of samples that moved against the one a second ago
        self._movement: Movement | None = None

    def feed(self, picture: Picture, time_s: float) -> Sample:
        """Judge the next ``picture``, shown at ``time_s`` (later than all before)."""
        if not self._recent or self._recent[-1][1].shape != picture.shape:
            self._restart(picture, time_s)
            return Sample(time_s, 0.0, False, None)
        before_s, before = self._recent[-1]
        change = picture - before
        if self._is_light_switch(change):
            self._recent.clear()
            self._recent.append((time_s, picture))
            self._slow.clear()
            self._settles_until_s = time_s + _SETTLE_S
            return Sample(time_s, 0.0, True, None)
        self._recent.append((time_s, picture))
        while len(self._recent) > 2 and self._recent[1][0] <= time_s - _SLOW_LAG_S:
            self._recent.popleft()
        score = self._judge(_without_neighbourhood(change), time_s, before_s)
        moves = self._movement is not None and self._movement.last_s == time_s
        return Sample(time_s, score, False, self._movement if moves else None)

    def differs(self, picture: Picture) -> bool:
        """Whether ``picture`` is suspicious against the last one: light counts too, half the least area is enough.

        Looks only; `feed` is for pictures that follow one another closely.
        """
        if not self._recent or self._recent[-1][1].shape != picture.shape:
            return True
        change = picture - self._recent[-1][1]
        if self._is_light_switch(change):
            return True
        return self._moving_share(_without_neighbourhood(change)) >= self._settings.min_area / 2

    def replace_last(self, picture: Picture, time_s: float) -> None:
        """Let ``picture`` be what the next one is compared with, nothing having moved."""
        if self._recent and self._recent[-1][1].shape == picture.shape:
            self._learn(_without_neighbourhood(picture - self._recent[-1][1]), time_s - self._recent[-1][0])
        self._recent.clear()
        self._recent.append((time_s, picture))
        self._slow.clear()

    def _restart(self, picture: Picture, time_s: float) -> None:
        self._recent.clear()
        self._recent.append((time_s, picture))
        self._noise = None
        self._fast.clear()
        self._slow.clear()

    def _is_light_switch(self, change: Picture) -> bool:
        return float(np.mean(np.abs(change) > self._settings.contrast)) >= self._settings.light_switch_area

    def _judge(self, change: Picture, time_s: float, before_s: float) -> float:
        """Score the sample and update the state of movement."""
        fast = self._moving_share(change)
        slow = 0.0
        oldest_s, oldest = self._recent[0]
        if time_s - oldest_s >= _SLOW_LAG_S * 0.8:
            slow = self._moving_share(_without_neighbourhood(self._recent[-1][1] - oldest))
        self._learn(change, time_s - before_s)
        if time_s < self._settles_until_s:
            return max(fast, slow)
        least = self._settings.min_area
        if fast >= least:
            self._fast.append(time_s)
        while self._fast and self._fast[0] < time_s - max(_REST_S, self._settings.min_duration_s):
            self._fast.popleft()
        self._slow = [*self._slow, time_s] if slow >= least else []
        self._update(time_s, time_s - before_s, fast if fast >= least else 0.0, slow)
        return max(fast, slow)

    def _update(self, time_s: float, interval_s: float, fast: float, slow: float) -> None:
        going_on = self._movement is not None and time_s - self._movement.last_s <= _REST_S
        # Once is a step, not a movement; a step also shows for a whole lag against the picture a second ago.
        by_fast = len(self._fast) >= 2 and time_s - self._fast[0] + interval_s >= self._settings.min_duration_s
        by_slow = bool(self._slow) and time_s - self._slow[0] > _SLOW_LAG_S + self._settings.min_duration_s + interval_s
        if not (by_slow or (fast > 0 and (by_fast or going_on))):
            return
        score = max(fast, slow if by_slow else 0.0)
        if going_on and self._movement is not None:
            self._movement = Movement(self._movement.began_s, time_s, max(score, self._movement.score))
        else:
            began_s = min([*self._slow[:1], *list(self._fast)[:1], time_s]) - interval_s
            self._movement = Movement(began_s, time_s, score)

    def _moving_share(self, change: Picture) -> float:
        """Largest connected share of the picture whose ``change`` exceeds contrast and usual noise."""
        least = self._settings.contrast
        limit: Picture | float = least
        if self._noise is not None:
            limit = np.clip(self._noise * _NOISE_FACTOR, least, least * _NOISE_CAP)
        moving = np.abs(change) > limit
        if np.count_nonzero(moving) < self._settings.min_area / 2 * moving.size:
            return 0.0
        return _largest_blob(_neighbours(moving) >= 5) / moving.size

    def _learn(self, change: Picture, interval_s: float) -> None:
        size = np.abs(change)
        if self._noise is None:
            self._noise = np.full_like(size, np.median(size))
            return
        share = min(0.05, interval_s / _NOISE_MEMORY_S)
        self._noise += np.float32(share) * (size - self._noise)


def prepare(gray: NDArray[np.uint8]) -> Picture:
    """Make a `Picture` of an (H, W) gray picture, 0..255."""
    picture: Picture = np.log(gray.astype(np.float32) + np.float32(_DARK))
    return picture


def analysis_size(width: int, height: int) -> tuple[int, int]:
    """Size of the small picture: ``width`` and ``height`` divided by one whole number, at least 1 x 1."""
    factor = max(1, round(width / ANALYSIS_WIDTH))
    return max(1, width // factor), max(1, height // factor)


def _without_neighbourhood(change: Picture) -> Picture:
    """Take off the mean over a square of a quarter of the picture's width: what light does to a whole neighbourhood."""
    radius = max(2, change.shape[1] // 8)
    without: Picture = change - _box_mean(change, radius)
    return without


def _box_mean(values: Picture, radius: int) -> Picture:
    """Mean over the square of ``2 radius + 1`` around each pixel, cut at the edges."""
    height, width = values.shape
    total = np.zeros((height + 1, width + 1), np.float64)
    np.cumsum(np.cumsum(values, axis=0, dtype=np.float64), axis=1, out=total[1:, 1:])
    top, bottom = np.clip(np.arange(height) - radius, 0, None), np.clip(np.arange(height) + radius + 1, None, height)
    left, right = np.clip(np.arange(width) - radius, 0, None), np.clip(np.arange(width) + radius + 1, None, width)
    sums = total[bottom][:, right] - total[top][:, right] - total[bottom][:, left] + total[top][:, left]
    counts = np.outer(bottom - top, right - left)
    return (sums / counts).astype(np.float32)


def _neighbours(moving: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """How many of a pixel and its eight neighbours are set."""
    padded = np.pad(moving.astype(np.uint8), 1)
    rows = padded[:-2] + padded[1:-1] + padded[2:]
    result: NDArray[np.uint8] = rows[:, :-2] + rows[:, 1:-1] + rows[:, 2:]
    return result


def _largest_blob(mask: NDArray[np.bool_]) -> int:
    """Pixels of the largest group of set pixels that touch, corners included."""
    width = mask.shape[1] + 2  # a border of unset pixels, so that neighbours never wrap around
    left = set(np.flatnonzero(np.pad(mask, 1)).tolist())
    steps = (-width - 1, -width, -width + 1, -1, 1, width - 1, width, width + 1)
    largest = 0
    while left:
        todo = [left.pop()]
        size = 0
        while todo:
            at = todo.pop()
            size += 1
            for step in steps:
                if at + step in left:
                    left.remove(at + step)
                    todo.append(at + step)
        largest = max(largest, size)
    return largest
