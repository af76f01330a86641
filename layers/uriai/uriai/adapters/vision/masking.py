"""Mosaics over faces. What is made here may be shown outside, so a face too many is covered rather than one too few.

A face that the detector misses on one frame is usually found on the frames beside it; so what is covered is the union
of what was found, at a low score, on the frame and its neighbours, each box enlarged. `covers` does that for a film.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from uriai.adapters.vision.scaling import Image
from uriai.domain.analysis import Box

LOW_SCORE = 0.2
"""Detections from here on are covered; the analysis itself counts a face from 0.5 on."""
ENLARGED = 1.5
"""A covered box is this many times as wide and as high as the face: hair, ears and half a step of movement."""
_CELLS_ACROSS = 5
"""Cells across a face: too coarse for anybody to be known by it."""
_LEAST_CELL_PX = 6
_LEVELS = 16
"""A cell of a film has one of so many values: what is left of the face below falls together."""
_HELD_FRAMES = 12
"""A film's cells keep their colours for so many frames. Each frame's own would show the moving face through a grid that
moves over it, and a sharper face can be computed from many such pictures.
"""

Plane = NDArray[np.uint8]
"""Uint8 [H, W]."""


def enlarge(box: Box, width: int, height: int, by: float = ENLARGED) -> tuple[int, int, int, int]:
    """Left, top, right, bottom in whole pixels within a frame of that size."""
    extra_x, extra_y = box.w * (by - 1) / 2, box.h * (by - 1) / 2
    left, top = int(max(box.x - extra_x, 0)), int(max(box.y - extra_y, 0))
    right = int(min(np.ceil(box.x + box.w + extra_x), width))
    bottom = int(min(np.ceil(box.y + box.h + extra_y), height))
    return left, top, right, bottom


def mask(image: Image, boxes: Iterable[Box]) -> Image:
    """A copy of a BGR frame with a mosaic over every enlarged box; the pixels below are gone, not hidden."""
    masked = image.copy()
    height, width = image.shape[:2]
    for box in boxes:
        left, top, right, bottom = enlarge(box, width, height)
        if right <= left or bottom <= top:
            continue
        cell = max(_LEAST_CELL_PX, round(max(box.w, box.h) / _CELLS_ACROSS))
        down, across = max(1, (bottom - top) // cell), max(1, (right - left) // cell)
        part = masked[top:bottom, left:right]
        masked[top:bottom, left:right] = _spread(_cells(part, down, across), bottom - top, right - left)
    return masked


@dataclass(frozen=True, slots=True)
class Cover:
    """A place of one frame that is covered: ``box`` in whole even pixels inside the frame; ``line`` says whose it is
    and stays from frame to frame.
    """

    line: int
    box: tuple[int, int, int, int]


class Mosaics:
    """Covers places of a film's frames; feed it the frames in order."""

    def __init__(self) -> None:
        self._held: dict[int, tuple[int, tuple[Plane, ...]]] = {}

    def cover(self, planes: Iterable[Plane], covers: Iterable[Cover], frame: int) -> None:
        """Cover places of frame number ``frame`` in its planes: brightness, and two of half the size for colour."""
        parts = tuple(planes)
        for cover in covers:
            left, top, right, bottom = cover.box
            regions = [
                plane[top // by : bottom // by, left // by : right // by]
                for plane, by in zip(parts, (1, 2, 2), strict=True)
            ]
            cells = self._cells_of(cover.line, regions, frame)
            for region, of_region in zip(regions, cells, strict=True):
                region[:] = _blended(of_region, *region.shape)

    def _cells_of(self, line: int, regions: list[Plane], frame: int) -> tuple[Plane, ...]:
        since, cells = self._held.get(line, (frame, ()))
        if not cells or not 0 <= frame - since < _HELD_FRAMES:
            height, width = regions[0].shape
            # the enlarged box is half as large again as the face, so the face itself has as many cells as on a picture
            cell = max(_LEAST_CELL_PX, max(height, width) / (_CELLS_ACROSS * ENLARGED))
            down, across = max(1, int(height / cell)), max(1, int(width / cell))
            cells = tuple(_few_levels(_cells(region, down, across)) for region in regions)
            self._held[line] = (frame, cells)
        return cells


def _cells(part: NDArray[np.uint8], down: int, across: int) -> NDArray[np.uint8]:
    """The mean of each of ``down`` x ``across`` cells of a part uint8 [H, W] or [H, W, 3]."""
    height, width = part.shape[:2]
    rows = np.linspace(0, height, min(down, height) + 1).astype(int)
    columns = np.linspace(0, width, min(across, width) + 1).astype(int)
    sums = np.add.reduceat(np.add.reduceat(part.astype(np.int64), rows[:-1], axis=0), columns[:-1], axis=1)
    areas = np.diff(rows)[:, None] * np.diff(columns)
    return np.asarray(sums // (areas if part.ndim == 2 else areas[..., None]), np.uint8)


def _spread(cells: NDArray[np.uint8], height: int, width: int) -> NDArray[np.uint8]:
    """Every cell over its share of ``height`` x ``width`` pixels."""
    rows = np.arange(height) * cells.shape[0] // height
    columns = np.arange(width) * cells.shape[1] // width
    return np.asarray(cells[rows][:, columns], np.uint8)


def _few_levels(cells: Plane) -> Plane:
    step = 256 // _LEVELS
    # 128, which is no colour at all in the colour planes, stays what it is
    return np.asarray(np.minimum((cells.astype(np.int64) + step // 2) // step * step, 255), np.uint8)


def _blended(cells: Plane, height: int, width: int) -> Plane:
    """The cells over ``height`` x ``width`` pixels, each passing evenly into the next: no edge shows where one ends."""
    blended = _shares(height, cells.shape[0]) @ cells.astype(np.float32) @ _shares(width, cells.shape[1]).T
    return np.asarray(blended + 0.5, np.uint8)


def _shares(pixels: int, cells: int) -> NDArray[np.float32]:
    """Float32 [pixels, cells]: how much of each cell is in each pixel, by its distance from their middles."""
    at = np.clip((np.arange(pixels) + 0.5) * cells / pixels - 0.5, 0, cells - 1)
    low = at.astype(int)
    shares = np.zeros((pixels, cells), np.float32)
    shares[np.arange(pixels), low] = 1 - (at - low)
    shares[np.arange(pixels), np.minimum(low + 1, cells - 1)] += at - low
    return shares
