"""The emotion a face shows: seven FER2013 classes from 48 x 48 gray pixels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from uriai.adapters.vision.registry import Model
from uriai.domain.analysis import EMOTIONS, Box

SIDE_PX = 48
LEAST_PX = 20
"""A face with a shorter side than this shows no emotion that could be told from noise."""
_BATCH = 32

Crop = NDArray[np.uint8]
"""A face, gray uint8 [48, 48]."""


class EmotionClassifier:
    """Tells probabilities, not truth: a face is a hint."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._output = [tensor.name for tensor in model.outputs].index("probabilities")

    def classify(self, crops: Sequence[Crop]) -> tuple[Mapping[str, float], ...]:
        """One mapping of `EMOTIONS` to probabilities (0..1, sum 1) for each crop."""
        results: list[Mapping[str, float]] = []
        for first in range(0, len(crops), _BATCH):
            batch = np.stack(crops[first : first + _BATCH]).astype(np.float32)[:, None]
            rows = self._model.run(faces=batch)[self._output]
            results.extend({name: float(value) for name, value in zip(EMOTIONS, row, strict=True)} for row in rows)
        return tuple(results)


def crop(image: NDArray[np.uint8], box: Box) -> Crop:
    """The square around a face of a BGR frame [H, W, 3], as long as its longer side; beyond the frame its border is
    repeated.
    """
    height, width = image.shape[:2]
    side = max(round(max(box.w, box.h)), 1)
    left, top = round(box.x + box.w / 2 - side / 2), round(box.y + box.h / 2 - side / 2)
    inside = image[max(top, 0) : min(top + side, height), max(left, 0) : min(left + side, width)]
    gray: Any = cv2.cvtColor(inside, cv2.COLOR_BGR2GRAY)
    outside = (max(-top, 0), max(top + side - height, 0), max(-left, 0), max(left + side - width, 0))
    if any(outside):
        gray = cv2.copyMakeBorder(gray, *outside, borderType=cv2.BORDER_REPLICATE)
    return fit(gray)


def fit(gray: NDArray[np.uint8]) -> Crop:
    """A gray picture uint8 [H, W] of any size as 48 x 48; one that has that size stays untouched."""
    if gray.shape == (SIDE_PX, SIDE_PX):
        return gray
    how = cv2.INTER_AREA if min(gray.shape) >= SIDE_PX else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(gray, (SIDE_PX, SIDE_PX), interpolation=how), np.uint8)
