"""Comparing boxes that were found with boxes that are there. A box is left, top, width, height."""

from __future__ import annotations

from collections.abc import Sequence

Corners = tuple[float, float, float, float]


def iou(one: Corners, other: Corners) -> float:
    """Intersection over union, 0..1."""
    width = min(one[0] + one[2], other[0] + other[2]) - max(one[0], other[0])
    height = min(one[1] + one[3], other[1] + other[3]) - max(one[1], other[1])
    if width <= 0 or height <= 0:
        return 0.0
    return width * height / (one[2] * one[3] + other[2] * other[3] - width * height)


def matches(truth: Sequence[Corners], found: Sequence[Corners], least: float) -> dict[int, int]:
    """Index of the truth -> index of what was found, each once, the best overlaps first."""
    pairs = sorted(((iou(t, f), i, j) for i, t in enumerate(truth) for j, f in enumerate(found)), reverse=True)
    chosen: dict[int, int] = {}
    for overlap, i, j in pairs:
        if overlap >= least and i not in chosen and j not in chosen.values():
            chosen[i] = j
    return chosen
