"""Mosaics over faces. What is made here may be shown outside, so a face too many is covered rather than one too few.

A face that the detector misses on one frame is usually found on the frames beside it; so what is covered is the union
of what was found, at a low score, on the frame and its neighbours, each box enlarged.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import cv2
import numpy as np

from uriai.adapters.vision.video import Image
from uriai.domain.analysis import Box

LOW_SCORE = 0.2
"""Detections from here on are covered; the analysis itself counts a face from 0.5 on."""
ENLARGED = 1.5
"""A covered box is this many times as wide and as high as the face: hair, ears and half a step of movement."""
_CELLS_ACROSS = 5
"""Cells across a face: too coarse for anybody to be known by it."""
_LEAST_CELL_PX = 6


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
        part = masked[top:bottom, left:right]
        cell = max(_LEAST_CELL_PX, round(max(box.w, box.h) / _CELLS_ACROSS))
        size = (max(1, (right - left) // cell), max(1, (bottom - top) // cell))
        cells: Any = cv2.resize(part, size, interpolation=cv2.INTER_AREA)
        masked[top:bottom, left:right] = cv2.resize(
            cells, (right - left, bottom - top), interpolation=cv2.INTER_NEAREST
        )
    return masked
