"""Arithmetic on small gray pictures: neighbourhoods, blobs, shifts. All arrays are (H, W)."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.float32]
"""(H, W) float32; logarithm of gray + _DARK."""

Array = TypeVar("Array", NDArray[np.float32], NDArray[np.bool_])

ANALYSIS_WIDTH = 160
"""Pictures are reduced by a whole factor to about this width: noise averages out, a child stays some pixels wide."""

_DARK = 16.0  # keeps the noise of black areas from looking like large relative changes; gray levels
_LARGEST_SHIFT = 6.0  # pixels; a camera that shakes more does not see anything either
_ROUNDS = 3
_CLIP = 0.25  # somebody who moves must not pull the estimate of the camera's own shift


def analysis_size(width: int, height: int) -> tuple[int, int]:
    """Size of the small picture: ``width`` and ``height`` divided by one whole number, at least 1 x 1."""
    factor = max(1, round(width / ANALYSIS_WIDTH))
    return max(1, width // factor), max(1, height // factor)


def prepare(gray: NDArray[np.uint8]) -> Picture:
    """Make a `Picture` of an (H, W) gray picture, 0..255."""
    picture: Picture = np.log(gray.astype(np.float32) + np.float32(_DARK))
    return picture


def without_neighbourhood(picture: Picture) -> Picture:
    """Take off the mean over a square of a quarter of the picture's width: what light does to a whole neighbourhood."""
    radius = max(2, picture.shape[1] // 8)
    without: Picture = picture - box_mean(picture, radius)
    return without


def box_mean(values: Picture, radius: int) -> Picture:
    """Mean over the square of ``2 radius + 1`` around each pixel, cut at the edges."""
    height, width = values.shape
    total = np.zeros((height + 1, width + 1), np.float64)
    np.cumsum(np.cumsum(values, axis=0, dtype=np.float64), axis=1, out=total[1:, 1:])
    top, bottom = np.clip(np.arange(height) - radius, 0, None), np.clip(np.arange(height) + radius + 1, None, height)
    left, right = np.clip(np.arange(width) - radius, 0, None), np.clip(np.arange(width) + radius + 1, None, width)
    rows = total[bottom] - total[top]
    sums = rows[:, right] - rows[:, left]
    counts = np.outer(bottom - top, right - left)
    mean: Picture = (sums / counts).astype(np.float32)
    return mean


def largest_within(values: Array, radius: int) -> Array:
    """Maximum over the square of ``2 radius + 1`` around each pixel."""
    return _running(_running(values, radius, 0), radius, 1)


def smallest_within(values: Picture, radius: int) -> Picture:
    """Minimum over the square of ``2 radius + 1`` around each pixel."""
    return -largest_within(-values, radius)


def _running(values: Array, radius: int, axis: int) -> Array:
    result = values.copy()
    size = values.shape[axis]
    for step in range(1, min(radius, size - 1) + 1):
        ahead = [slice(None)] * 2
        behind = [slice(None)] * 2
        ahead[axis], behind[axis] = slice(step, None), slice(None, -step)
        np.maximum(result[tuple(behind)], values[tuple(ahead)], out=result[tuple(behind)])
        np.maximum(result[tuple(ahead)], values[tuple(behind)], out=result[tuple(ahead)])
    return result


def solid(moving: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Pixels of which, with their eight neighbours, at least five of nine are set: specks and lines fall away."""
    padded = np.pad(moving.astype(np.uint8), 1)
    rows = padded[:-2] + padded[1:-1] + padded[2:]
    result: NDArray[np.bool_] = (rows[:, :-2] + rows[:, 1:-1] + rows[:, 2:]) >= 5
    return result


def largest_blob(mask: NDArray[np.bool_]) -> int:
    """Pixels of the largest group of set pixels that touch; cells of two by two pixels stand for their pixels."""
    if not mask.any():
        return 0
    height, width = mask.shape
    even = np.pad(mask, ((0, height % 2), (0, width % 2)))
    cells = even.reshape(even.shape[0] // 2, 2, even.shape[1] // 2, 2).sum(axis=(1, 3))
    row = cells.shape[1] + 2  # a border of unset cells, so that neighbours never wrap around
    weights = np.pad(cells, 1).ravel()
    left = dict.fromkeys(np.flatnonzero(weights).tolist())
    counts = weights.tolist()
    steps = (-row - 1, -row, -row + 1, -1, 1, row - 1, row, row + 1)
    largest = 0
    while left:
        todo = [left.popitem()[0]]
        size = 0
        while todo:
            at = todo.pop()
            size += counts[at]
            for step in steps:
                if at + step in left:
                    del left[at + step]
                    todo.append(at + step)
        largest = max(largest, size)
    return largest


def camera_shift(picture: Picture, before: Picture) -> tuple[float, float] | None:
    """How far the whole view moved from ``before`` to ``picture``, (x, y) in pixels; None: not as a whole.

    Least squares on the gradients (Lucas and Kanade 1981), repeated. A shift counts only if most parts of the picture
    that have structure fit better with it: people do not move all of a room.
    """
    dx = dy = 0.0
    moved = before
    for _ in range(_ROUNDS):
        gx, gy = np.gradient(moved, axis=1), np.gradient(moved, axis=0)
        error = np.clip(picture - moved, -_CLIP, _CLIP)
        xx, yy, xy = float((gx * gx).sum()), float((gy * gy).sum()), float((gx * gy).sum())
        bx, by = float((gx * error).sum()), float((gy * error).sum())
        fixed = xx * yy - xy * xy
        if fixed < 1e-6:
            return None
        dx -= (yy * bx - xy * by) / fixed
        dy -= (xx * by - xy * bx) / fixed
        if max(abs(dx), abs(dy)) > _LARGEST_SHIFT:
            return None
        moved = shifted(before, dx, dy)
    if not _fits_widely(np.abs(picture - before), np.abs(picture - moved)):
        return None
    return dx, dy


def _fits_widely(before: Picture, after: Picture) -> bool:
    rows, columns = 4, 6
    height, width = before.shape[0] // rows, before.shape[1] // columns
    if not height or not width:
        return False
    tiles = [
        values[: rows * height, : columns * width].reshape(rows, height, columns, width).mean(axis=(1, 3))
        for values in (before, after)
    ]
    textured = tiles[0] > 0.5 * np.median(tiles[0])
    return bool(np.mean(tiles[1][textured] < 0.8 * tiles[0][textured]) >= 0.6)


def shifted(picture: Picture, dx: float, dy: float) -> Picture:
    """``picture`` moved right by ``dx`` and down by ``dy`` pixels, between pixels by straight lines."""
    return _along(_along(picture, dx, 1), dy, 0)


def _along(picture: Picture, by: float, axis: int) -> Picture:
    positions = np.clip(np.arange(picture.shape[axis]) - by, 0, picture.shape[axis] - 1)
    low = np.floor(positions).astype(np.intp)
    high = np.minimum(low + 1, picture.shape[axis] - 1)
    share = (positions - low).astype(np.float32)
    share = share[None, :] if axis == 1 else share[:, None]
    moved: Picture = picture.take(low, axis) * (1 - share) + picture.take(high, axis) * share
    return moved
