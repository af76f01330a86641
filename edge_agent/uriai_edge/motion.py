"""Tells movement from noise, light, rain and what sways in its place, on small gray pictures a few times a second.

A picture is the logarithm of brightness with the neighbourhood's mean taken off: a lamp multiplies the brightness of a
whole neighbourhood, so it cancels; a person does not. It is compared with the one before and with the one a second ago.

- What differs must also be new: outside what the place, or one within two pixels of it, looked like lately. A swaying
  curtain and a trembling camera show nothing new.
- It must be there in two pictures running, a solid thing in both: a streak of rain is gone in the next one, and where
  another one fell it is too thin.
- What changes once and stays (a lamp's shadow, a door) differs from the picture before it only once, so movement has to
  be seen repeatedly.
- If the whole view moved, pictures are laid over one another before they are compared.
- What a pixel does when nothing moves is learnt and must be exceeded.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from uriai_edge.config import Motion
from uriai_edge.pixels import (
    ANALYSIS_WIDTH,
    Picture,
    analysis_size,
    camera_shift,
    largest_blob,
    largest_within,
    prepare,
    shifted,
    smallest_within,
    solid,
    without_neighbourhood,
)
from uriai_edge.zones import Part, lay_out

__all__ = ["ANALYSIS_WIDTH", "MotionAnalyser", "Movement", "Picture", "Sample", "analysis_size", "prepare"]

_NOISE_FACTOR = 4.0  # a change must exceed so many times what the pixel usually does
_NOISE_CAP = 4.0  # … but never be asked to exceed so many times the set contrast
_NOISE_MEMORY_S = 60.0
_SIGMAS = 4.5  # … and so many standard deviations of this very picture's noise, which follows a changed gain at once
_TO_SIGMA = 1.4826
_SLOW_LAG_S = 1.0
_SETTLE_S = 0.8  # after a switched light, exposure and compression settle; nothing counts until then
_REST_S = 1.0  # so long without a moving sample, and the movement is over
_VIEWS = 6  # pictures of the place as it looked lately
_VIEW_EVERY_S = 1.0
_SWAY = 2  # pixels around, whose looks count as the place's own
_ROUNDING_S = 1e-3  # times are sums and differences of fractions: 0.2 + 0.2 may miss 0.4
_FOLLOW = 2  # pixels that something moves between two samples, at least: its two places then still touch


@dataclass(frozen=True, slots=True)
class Movement:
    """Movement that goes on: since when, last seen when (stream seconds), its largest share of the picture."""

    began_s: float
    last_s: float
    score: float


@dataclass(frozen=True, slots=True)
class Sample:
    """What one picture showed: moving share of the picture (0..1), whether the light was switched, movement by now.

    ``shaken``: the whole view had moved. ``mask`` (H, W): what moves, where it is asked for.
    """

    time_s: float
    score: float
    light_switch: bool
    movement: Movement | None
    shaken: bool = False
    mask: NDArray[np.bool_] | None = None


class MotionAnalyser:
    """Judges one camera's pictures in the order of their times."""

    def __init__(self, settings: Motion, *, masks: bool = False) -> None:
        """Begin without any knowledge of the camera; ``masks`` puts what moves into the samples."""
        self._settings = settings
        self._masks = masks
        self._layout = lay_out(settings, (1, 1))
        self._runs: list[_Run] = []
        self._recent: deque[tuple[float, Picture, Picture]] = deque()  # time, picture, without its neighbourhood
        self._noise: Picture | None = None
        self._known = _Known()
        self._fresh: NDArray[np.bool_] | None = (
            None  # solid things that moved in the last picture, and two pixels around
        )
        self._lasting: NDArray[np.bool_] | None = None  # the same against the picture a second ago
        self._settles_until_s = -math.inf
        self._movement: Movement | None = None
        self._shaken = False

    def feed(self, picture: Picture, time_s: float) -> Sample:
        """Judge the next ``picture``, shown at ``time_s`` (later than all before)."""
        if not self._recent or self._recent[-1][1].shape != picture.shape:
            self._restart(picture, time_s)
            return Sample(time_s, 0.0, False, None)
        before_s, before, _ = self._recent[-1]
        if self._is_light_switch(picture, before) and self._aligned(picture, before) is None:
            self._begin_with(picture, time_s)
            self._settles_until_s = time_s + _SETTLE_S
            return Sample(time_s, 0.0, True, None)
        self._recent.append((time_s, picture, without_neighbourhood(picture)))
        while len(self._recent) > 2 and self._recent[1][0] <= time_s - _SLOW_LAG_S:
            self._recent.popleft()
        self._shaken = False
        score, mask = self._judge(time_s, before_s)
        moves = self._movement is not None and self._movement.last_s == time_s
        movement = self._movement if moves else None
        return Sample(time_s, score, False, movement, self._shaken, mask if self._masks else None)

    def differs(self, picture: Picture) -> bool:
        """Whether ``picture`` is suspicious against the last one: light counts too, half the least area is enough.

        Looks only; `feed` is for pictures that follow one another closely.
        """
        if not self._recent or self._recent[-1][1].shape != picture.shape:
            return True
        if self._is_light_switch(picture, self._recent[-1][1]):
            return True
        flat = without_neighbourhood(picture)
        changed = self._changed(flat, self._recent[-1][2]) & self._known.is_new(flat, self._layout.contrast)
        if np.count_nonzero(changed) < self._layout.least / 2:
            return False
        return any(largest_blob(solid(changed) & part.mask) >= part.least / 2 for part in self._layout.parts)

    def replace_last(self, picture: Picture, time_s: float) -> None:
        """Let ``picture`` be what the next one is compared with, nothing having moved."""
        flat = without_neighbourhood(picture)
        if self._recent and self._recent[-1][1].shape == picture.shape:
            self._learn(flat - self._recent[-1][2], time_s - self._recent[-1][0], None)
        self._recent.clear()
        self._recent.append((time_s, picture, flat))
        self._known.look(flat, time_s, None)
        self._fresh = self._lasting = None
        for run in self._runs:
            run.slow.clear()

    def _restart(self, picture: Picture, time_s: float) -> None:
        self._layout = lay_out(self._settings, (picture.shape[0], picture.shape[1]))
        self._runs = [_Run(part) for part in self._layout.parts]
        self._noise = None
        self._begin_with(picture, time_s)

    def _begin_with(self, picture: Picture, time_s: float) -> None:
        flat = without_neighbourhood(picture)
        self._recent.clear()
        self._recent.append((time_s, picture, flat))
        self._known = _Known()
        self._known.look(flat, time_s, None)
        self._fresh = self._lasting = None
        for run in self._runs:
            run.slow.clear()

    def _is_light_switch(self, picture: Picture, before: Picture) -> bool:
        return float(np.mean(np.abs(picture - before) > self._settings.contrast)) >= self._settings.light_switch_area

    @staticmethod
    def _aligned(picture: Picture, before: Picture) -> Picture | None:
        shift = camera_shift(picture, before)
        return None if shift is None else shifted(before, *shift)

    def _judge(self, time_s: float, before_s: float) -> tuple[float, NDArray[np.bool_] | None]:
        """Score the sample and update the state of movement."""
        flat, before = self._recent[-1][2], self._recent[-2][2]
        change = flat - before
        new = self._known.is_new(flat, self._layout.contrast)
        fast = self._moving(flat, before, new)
        fresh, self._fresh = self._fresh, None
        if fast is not None:
            self._fresh = largest_within(solid(fast), _FOLLOW)
            fast = fast & fresh if fresh is not None else None
        oldest_s, _, oldest = self._recent[0]
        slow = self._moving(flat, oldest, new) if time_s - oldest_s >= _SLOW_LAG_S * 0.8 else None
        lasting, self._lasting = self._lasting, None
        if slow is not None:
            self._lasting = largest_within(solid(slow), _FOLLOW)
            slow = slow & lasting if lasting is not None else None
        counts = time_s >= self._settles_until_s
        score = 0.0
        for run in self._runs:
            sizes = [0 if mask is None else largest_blob(solid(mask) & run.part.mask) for mask in (fast, slow)]
            score = max(score, max(sizes) / flat.size)
            if counts:
                self._update(run, time_s, time_s - before_s, sizes[0], sizes[1])
        busy = self._fresh if slow is None else slow if self._fresh is None else self._fresh | slow
        self._learn(change, time_s - before_s, busy)
        self._known.look(flat, time_s, busy)
        return score, fast if fast is not None else slow

    def _update(self, run: _Run, time_s: float, interval_s: float, fast: int, slow: int) -> None:
        run.note(time_s, fast, slow)
        part = run.part
        going_on = self._movement is not None and time_s - self._movement.last_s <= _REST_S
        # Once is a step, not a movement; a step also shows for a whole lag against the picture a second ago.
        by_fast = len(run.fast) >= 2 and time_s - run.fast[0] + interval_s >= part.duration_s - _ROUNDING_S
        by_slow = bool(run.slow) and time_s - run.slow[0] > _SLOW_LAG_S + part.duration_s + interval_s
        if not (by_slow or (fast >= part.least and (by_fast or going_on))):
            return
        score = max(fast, slow if by_slow else 0) / part.mask.size
        if going_on and self._movement is not None:
            self._movement = Movement(self._movement.began_s, time_s, max(score, self._movement.score))
        else:
            began_s = min([*run.slow[:1], *list(run.fast)[:1], time_s]) - 2 * interval_s
            self._movement = Movement(began_s, time_s, score)

    def _moving(self, flat: Picture, before: Picture, new: NDArray[np.bool_]) -> NDArray[np.bool_] | None:
        """(H, W) what changed from ``before`` and is, or was, new there; None if it is too little to count."""
        changed = self._changed(flat, before)
        if np.count_nonzero(changed) < self._layout.least / 2:
            return None
        unknown = new | self._known.is_new(before, self._layout.contrast)
        moving = changed & unknown
        if np.count_nonzero(moving) < self._layout.least / 2:
            return None
        aligned = self._aligned(flat, before)
        if aligned is not None:
            self._shaken = True
            moving &= self._changed(flat, aligned)
        return moving

    def _changed(self, flat: Picture, before: Picture) -> NDArray[np.bool_]:
        size = np.abs(flat - before)
        least = np.maximum(self._layout.contrast, np.float32(np.median(size[::3, ::3]) * _TO_SIGMA * _SIGMAS))
        if self._noise is not None:
            least = np.maximum(least, np.minimum(self._noise * _NOISE_FACTOR, self._layout.contrast * _NOISE_CAP))
        changed: NDArray[np.bool_] = (size > least) & self._layout.counts
        return changed

    def _learn(self, change: Picture, interval_s: float, busy: NDArray[np.bool_] | None) -> None:
        size = np.abs(change)
        if self._noise is None:
            self._noise = np.full_like(size, np.median(size))
            return
        share = np.float32(min(0.05, interval_s / _NOISE_MEMORY_S))
        step = share * (size - self._noise)
        self._noise += step if busy is None else np.where(busy, np.float32(0), step)


class _Run:
    """How long something has been moving in one part of the picture."""

    def __init__(self, part: Part) -> None:
        self.part = part
        self.fast: deque[float] = deque()  # times of samples that moved against the one before
        self.slow: list[float] = []  # unbroken run of samples that moved against the one a second ago

    def note(self, time_s: float, fast: int, slow: int) -> None:
        if fast >= self.part.least:
            self.fast.append(time_s)
        while self.fast and self.fast[0] < time_s - max(_REST_S, self.part.duration_s):
            self.fast.popleft()
        self.slow = [*self.slow, time_s] if slow >= self.part.least else []


class _Known:
    """How the place looked lately, where nothing moved: the least and largest value around each pixel."""

    def __init__(self) -> None:
        self._views: deque[Picture] = deque(maxlen=_VIEWS)
        self._bounds: tuple[Picture, Picture] | None = None
        self._next_s = -math.inf

    def look(self, flat: Picture, time_s: float, busy: NDArray[np.bool_] | None) -> None:
        """Learn from a picture, except where ``busy`` says that something moves: that stays as it was known."""
        if time_s < self._next_s:
            return
        self._next_s = time_s + _VIEW_EVERY_S
        if busy is not None and self._views:
            flat = np.where(largest_within(busy, 2 * _SWAY), self._views[-1], flat)
        self._views.append(flat)
        low, high = np.minimum.reduce(list(self._views)), np.maximum.reduce(list(self._views))
        self._bounds = smallest_within(low, _SWAY), largest_within(high, _SWAY)

    def is_new(self, flat: Picture, contrast: Picture) -> NDArray[np.bool_]:
        """(H, W) where a value lies outside what was known by more than half of ``contrast``."""
        if self._bounds is None:
            return np.ones(flat.shape, np.bool_)
        low, high = self._bounds
        new: NDArray[np.bool_] = (flat < low - contrast / 2) | (flat > high + contrast / 2)
        return new
