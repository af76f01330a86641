"""How old a face looks: the chance that it is a grown person's, from 64 x 64 px turned upright."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from uriai.adapters.vision.faces import DetectedFace
from uriai.adapters.vision.registry import Model
from uriai.adapters.vision.scaling import Image

SIDE_PX = 64
LEAST_PX = 32
"""A face with a shorter side than this is not asked for its age: the answers turn into chance (the model's card)."""
ADULT_FROM = 13
"""Years. Children of a daycare centre are six at most and its staff are grown up: the cut lies far from both."""
_MEAN = np.array([122.782, 117.001, 104.298], np.float32)
_PADDING = 0.2
_MEAN_FACE = np.array([[0.2273, 0.2214], [0.7528, 0.2212], [0.4901, 0.5156], [0.2541, 0.7802], [0.7261, 0.7802]])
"""Eyes, nose tip, mouth corners of dlib's mean face (face_chip_details), in sides of the unpadded chip."""

Chip = NDArray[np.uint8]
"""A face turned upright, RGB uint8 [64, 64, 3]."""


class AgeModel:
    """Tells probabilities, not truth; it has not been tried on children."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._output = [tensor.name for tensor in model.outputs].index("probabilities")

    def probabilities(self, chips: Sequence[Chip]) -> NDArray[np.float32]:
        """Float32 [N, 81]: of each age in years, 0 to 80."""
        if not chips:
            return np.zeros((0, 81), np.float32)
        batch = (np.stack(chips).astype(np.float32) - _MEAN) / 256.0
        return np.asarray(self._model.run(faces=np.ascontiguousarray(batch.transpose(0, 3, 1, 2)))[self._output])

    def adult(self, chips: Sequence[Chip]) -> tuple[float, ...]:
        """P(at least `ADULT_FROM` years) of each face, 0..1, as the model has it."""
        return tuple(min(float(row[ADULT_FROM:].sum()), 1.0) for row in self.probabilities(chips))


def chip(image: Image, face: DetectedFace) -> Chip:
    """The face of a BGR frame turned upright, as the model was trained: five points moved onto dlib's mean face by
    rotation, scale and shift with the least squared error; without landmarks, the square around the box.
    """
    target = (_PADDING + _MEAN_FACE) / (1 + 2 * _PADDING) * SIDE_PX
    if len(face.landmarks) == len(target):
        source = np.array(face.landmarks)
    else:
        middle = np.array([face.box.x + face.box.w / 2, face.box.y + face.box.h / 2])
        target = np.array([[0.0, 0.0], [SIDE_PX, 0.0], [0.0, SIDE_PX]])
        source = middle + (target / SIDE_PX - 0.5) * max(face.box.w, face.box.h) * 1.2
    matrix = similarity(source, target)
    size = (SIDE_PX, SIDE_PX)
    turned: Any = cv2.warpAffine(image, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(cv2.cvtColor(turned, cv2.COLOR_BGR2RGB), np.uint8)


def similarity(source: NDArray[np.float64], target: NDArray[np.float64]) -> NDArray[np.float64]:
    """The 2 x 3 matrix of rotation, scale and shift that moves ``source`` [N, 2] onto ``target`` with the least squared
    error.
    """
    rows, values = [], []
    for (x, y), (u, v) in zip(source, target, strict=True):
        rows += [[x, -y, 1.0, 0.0], [y, x, 0.0, 1.0]]
        values += [u, v]
    (a, b, shift_x, shift_y), *_ = np.linalg.lstsq(np.array(rows), np.array(values), rcond=None)
    return np.array([[a, -b, shift_x], [b, a, shift_y]])
