"""How much of a face a masked copy still shows, told from the pixels of original and copy alone."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

LEAKED = 0.25
"""A face of which more of the detail than this is in the copy can be seen there."""
_FINE = 4
"""Detail is what differs from the mean over a square of a quarter of the face's width."""


def detail_left(original: Any, copy: Any, box: tuple[float, float, float, float]) -> float:
    """The share (0..1, a little less or more) of the detail inside a box that is in the copy as it was.

    ``original`` and ``copy`` are BGR uint8 [H, W, 3]; ``box`` is left, top, width, height in pixels. It is the slope of
    the copy's detail over the original's: 1 where nothing was done, 0 where nothing of it is left.
    """
    height, width = original.shape[:2]
    left, top = max(0, int(box[0])), max(0, int(box[1]))
    right, bottom = min(width, int(box[0] + box[2]) + 1), min(height, int(box[1] + box[3]) + 1)
    if right - left < 4 or bottom - top < 4:
        return 0.0
    size = max(3, round(box[2] / _FINE)) | 1
    details = []
    for picture in (original, copy):
        gray = cv2.cvtColor(picture[top:bottom, left:right], cv2.COLOR_BGR2GRAY).astype(np.float32)
        details.append(gray - cv2.blur(gray, (size, size)))
    energy = float((details[0] ** 2).sum())
    return float((details[0] * details[1]).sum()) / energy if energy > 0 else 0.0
