"""Which frames a model looks at: instants on an even grid over the clip, shared by overlapping windows.

Windows of 2 s begin every second; one more ends with the clip, its start rounded up to the grid so that it shares
frames with the others. A clip that is no longer than a window (give or take `SHORT_BY_S`) is one window of instants
stretched over it. An instant shows the frame nearest in time.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

T = TypeVar("T")
"""What a detector makes of a frame's picture and keeps."""


class Timed(Protocol):
    """What has a time: seconds from the clip's start, and half of the step to the frame before."""

    t_s: float
    half_step_s: float


WINDOW_S = 2.0
STRIDE_S = 1.0
SHORT_BY_S = 0.05
"""A rest shorter than this, about a frame, gets no window of its own."""


@dataclass(frozen=True, slots=True)
class Cut(Generic[T]):
    """One window: its span in seconds from the clip's start and its images, as many as the model wants."""

    start_s: float
    end_s: float
    images: tuple[T, ...]


class Every:
    """Says yes to the frame nearest each multiple of ``step_s``."""

    def __init__(self, step_s: float) -> None:
        self._step_s = step_s
        self._next = 0

    def due(self, frame: Timed) -> range:
        """The multiples whose nearest frame this is: none or one, several where frames are rarer than instants."""
        first = self._next
        reach_s = frame.t_s + frame.half_step_s
        self._next = max(first, math.floor(reach_s / self._step_s + 1e-9) + 1)
        return range(first, self._next)


class WindowSampler(Generic[T]):
    """Collects the images of windows while a clip streams by; holds those of one window and a stride at most.

    Parameters
    ----------
    instants:
        Images a window, odd, at least 3: 17 make a grid of 8 a second.
    declared_s:
        The clip's stated playing time or None; of a clip that may be short every image is kept, and the last image of
        any.
    """

    def __init__(self, instants: int, declared_s: float | None) -> None:
        if instants < 3 or instants % 2 == 0:
            raise ValueError(
                f"a window of {instants} images cannot be strided by half: an odd number from 3 on is needed"
            )
        self._instants = instants
        self._step_s = WINDOW_S / (instants - 1)
        self._stride = round(STRIDE_S / self._step_s)
        self._grid = Every(self._step_s)
        self._declared_s = declared_s
        self._images: dict[int, T] = {}
        self._short: list[tuple[float, T]] | None = [] if (declared_s or 0.0) < WINDOW_S + 0.2 else None
        self._last: T | None = None
        self._next_start = 0

    def wants(self, frame: Timed) -> range | None:
        """The grid instants this frame stands for (maybe none, when it is kept for another reason), None if it is not
        needed.
        """
        due = self._grid.due(frame)
        return due if due or self._short is not None or self._is_near_end(frame) else None

    def add(self, frame: Timed, due: range, image: T) -> list[Cut[T]]:
        """Take the image of a wanted frame; returns the windows it completes."""
        self._last = image
        for index in due:
            self._images[index] = image
        if self._short is not None:
            self._short.append((frame.t_s, image))
            if frame.t_s > WINDOW_S + 0.5:
                self._short = None
        cuts = []
        while self._next_start + self._instants - 1 in self._images:
            cuts.append(self._cut(self._next_start, None))
            # the window that ends with the clip may begin at any instant after this one
            for index in [index for index in self._images if index <= self._next_start]:
                del self._images[index]
            self._next_start += self._stride
        return cuts

    def finish(self, duration_s: float) -> list[Cut[T]]:
        """The window that ends with the clip, if those given so far leave a rest."""
        rest_s = duration_s - WINDOW_S
        if rest_s <= SHORT_BY_S and self._next_start == 0:
            return [self._stretched(duration_s)] if self._last is not None else []
        before = self._next_start - self._stride
        start = max(math.ceil((rest_s - SHORT_BY_S) / self._step_s - 1e-6), 0)
        if start <= before:
            return []
        return [self._cut(start, duration_s)]

    def _is_near_end(self, frame: Timed) -> bool:
        return self._declared_s is not None and frame.t_s + 3 * frame.half_step_s >= self._declared_s

    def _cut(self, start: int, duration_s: float | None) -> Cut[T]:
        images = []
        for index in range(start, start + self._instants):
            image = self._images.get(index, self._last)
            if image is not None:
                images.append(image)
        start_s = start * self._step_s
        end_s = start_s + WINDOW_S
        return Cut(start_s, end_s if duration_s is None else min(end_s, duration_s), tuple(images))

    def _stretched(self, duration_s: float) -> Cut[T]:
        kept: Sequence[tuple[float, T]] = self._short or [
            (index * self._step_s, image) for index, image in sorted(self._images.items())
        ]
        last_s = kept[-1][0]
        images = []
        for number in range(self._instants):
            instant_s = min(WINDOW_S, last_s) * number / (self._instants - 1)
            images.append(min(kept, key=lambda entry: abs(entry[0] - instant_s))[1])
        return Cut(0.0, duration_s, tuple(images))
