"""People on a frame, by NanoDet (github.com/RangiLyu/nanodet): class scores and distances to the four sides on grids of
8, 16 and 32 px cells; each distance is the expectation over eleven bins (generalised focal loss, arXiv:2006.04388).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from uriai.adapters.vision.faces import clipped, suppress, to_multiple
from uriai.adapters.vision.registry import Model
from uriai.adapters.vision.scaling import Image, shrink
from uriai.domain.analysis import Box, iou

_STRIDES_PX = (8, 16, 32)
_BINS = np.arange(11, dtype=np.float32)
_PERSON = 0
SURE = 0.4
_WAS_THERE = 0.3
"""Intersection over union with a box of the look before."""
_NMS_IOU = 0.5
_MEAN = np.array([103.53, 116.28, 123.675], np.float32)
_STD = np.array([57.375, 57.12, 58.395], np.float32)


@dataclass(frozen=True, slots=True)
class DetectedPerson:
    """A person in the pixels of the frame it was found on, inside its bounds; ``score`` 0..1."""

    box: Box
    score: float


class PersonDetector:
    """Finds people from about 30 px of height in the picture it works on.

    Parameters
    ----------
    model:
        Role ``person``.
    long_side_px:
        The frame is brought to about as many pixels on its longer side; smaller frames stay as they are.
    """

    def __init__(self, model: Model, long_side_px: int = 512) -> None:
        self._model = model
        self._names = [tensor.name for tensor in model.outputs]
        self._long_side_px = long_side_px

    def find(
        self, image: Image, least_score: float = 0.3, long_side_px: int | None = None
    ) -> tuple[DetectedPerson, ...]:
        """People with at least that score, strongest first.

        ``image`` is BGR uint8 [H, W, 3]; ``long_side_px`` overrides the working size of this call.
        """
        height, width = image.shape[:2]
        reduction = min(1.0, (long_side_px or self._long_side_px) / max(height, width))
        rows, columns = to_multiple(height * reduction), to_multiple(width * reduction)
        small = (shrink(image, columns, rows).astype(np.float32) - _MEAN) / _STD
        tensor = np.ascontiguousarray(small.transpose(2, 0, 1)[None])
        outputs = dict(zip(self._names, self._model.run(image=tensor), strict=True))
        parts = [
            decode(
                outputs[f"scores_{px}"][0, :, _PERSON], outputs[f"distances_{px}"][0], columns // px, px, least_score
            )
            for px in _STRIDES_PX
        ]
        boxes, scores = (np.concatenate(values) for values in zip(*parts, strict=True))
        to_frame = np.array([width / columns, height / rows] * 2)
        found = []
        for index in suppress(boxes, scores, _NMS_IOU):
            box = clipped(boxes[index] * to_frame, width, height)
            if box is not None:
                found.append(DetectedPerson(box, float(scores[index])))
        return tuple(found)


def steady(found: Sequence[DetectedPerson], before: Sequence[Box]) -> tuple[DetectedPerson, ...]:
    """Those who are sure, and the others only where somebody was at the look ``before``: a score wavers from look to
    look, a person who sits does not come and go.
    """
    return tuple(
        person for person in found if person.score >= SURE or any(iou(person.box, box) >= _WAS_THERE for box in before)
    )


def decode(
    scores: NDArray[np.float32], distances: NDArray[np.float32], columns: int, stride_px: int, least_score: float
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Boxes float32 [K, 4] as left, top, right, bottom in input pixels, and scores float32 [K].

    ``scores`` [cells] 0..1, the cells in rows of ``columns``; ``distances`` [cells, 44]: eleven logits for each of
    left, top, right and bottom, counted in strides from the cell's middle.
    """
    cells = np.nonzero(scores >= least_score)[0]
    logits = distances[cells].reshape(-1, 4, len(_BINS))
    weights = np.exp(logits - logits.max(axis=2, keepdims=True))
    sides = (weights / weights.sum(axis=2, keepdims=True)) @ _BINS * stride_px
    middle_x, middle_y = (cells % columns + 0.5) * stride_px, (cells // columns + 0.5) * stride_px
    boxes = np.stack(
        [middle_x - sides[:, 0], middle_y - sides[:, 1], middle_x + sides[:, 2], middle_y + sides[:, 3]], axis=1
    )
    return boxes.astype(np.float32), scores[cells].astype(np.float32)
