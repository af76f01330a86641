"""Zones as maps over the small picture: what counts where, and how much of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from uriai_edge.config import Motion


@dataclass(frozen=True, slots=True)
class Part:
    """Pixels with common settings: ``mask`` (H, W) bool, ``least`` moving pixels, ``duration_s`` at least."""

    name: str | None
    mask: NDArray[np.bool_]
    least: float
    duration_s: float


@dataclass(frozen=True, slots=True)
class Layout:
    """All zones of one camera: ``counts`` (H, W) bool is false where nothing counts, ``contrast`` (H, W) float32."""

    counts: NDArray[np.bool_]
    contrast: NDArray[np.float32]
    parts: tuple[Part, ...]

    @property
    def least(self) -> float:
        """The smallest number of pixels that can be a movement anywhere."""
        return min((part.least for part in self.parts), default=float("inf"))


def lay_out(settings: Motion, shape: tuple[int, int]) -> Layout:
    """Draw the zones of ``settings`` over a picture of ``shape`` (H, W); later zones lie over earlier ones."""
    owner = np.zeros(shape, np.int8)
    contrast = np.full(shape, settings.contrast, np.float32)
    counts = np.ones(shape, np.bool_)
    for number, zone in enumerate(settings.zones, 1):
        inside = polygon_mask(zone.polygon, shape)
        owner[inside] = number
        counts[inside] = not zone.ignore
        contrast[inside] = settings.contrast if zone.contrast is None else zone.contrast
    parts = []
    for number, own in enumerate([None, *settings.zones]):
        mask = (owner == number) & counts
        if mask.any():
            area = settings.min_area if own is None or own.min_area is None else own.min_area
            lasts = settings.min_duration_s if own is None or own.min_duration_s is None else own.min_duration_s
            parts.append(Part(own.name if own else None, mask, max(1.0, area * mask.size), lasts))
    return Layout(counts, contrast, tuple(parts))


def polygon_mask(polygon: Sequence[tuple[float, float]], shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Pixels of a picture of ``shape`` (H, W) whose centres lie inside ``polygon`` (shares of width and height)."""
    y, x = (np.arange(shape[0])[:, None] + 0.5) / shape[0], (np.arange(shape[1])[None, :] + 0.5) / shape[1]
    inside = np.zeros(shape, np.bool_)
    for (x1, y1), (x2, y2) in zip(polygon, [*polygon[1:], polygon[0]], strict=True):
        if y1 != y2:  # a ray to the right crosses this side
            inside ^= ((y1 > y) != (y2 > y)) & (x < (x2 - x1) * (y - y1) / (y2 - y1) + x1)
    return inside
