"""Faces on a frame, by CenterFace (arXiv:1911.03599): a heat map of centres, log sizes and offsets on a grid of 4 x 4
px cells.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from uriai.adapters.vision.registry import Model
from uriai.adapters.vision.scaling import Image, shrink
from uriai.domain.analysis import Box

_CELL_PX = 4
_MULTIPLE_PX = 32
_NMS_IOU = 0.3


@dataclass(frozen=True, slots=True)
class DetectedFace:
    """A face in the pixels of the frame it was found on, inside its bounds; ``score`` 0..1.

    ``landmarks``: eyes, nose tip, mouth corners as (x, y), the picture's left first; empty where the model has none.
    """

    box: Box
    score: float
    landmarks: tuple[tuple[float, float], ...] = ()


class FaceDetector:
    """Finds faces from about 10 px of the picture it works on.

    Parameters
    ----------
    model:
        Role ``face``.
    long_side_px:
        The frame is reduced so that its longer side has about as many pixels; smaller frames stay as they are.
    """

    def __init__(self, model: Model, long_side_px: int = 640) -> None:
        self._model = model
        self._names = [tensor.name for tensor in model.outputs]
        self._long_side_px = long_side_px

    def find(self, image: Image, least_score: float = 0.5, long_side_px: int | None = None) -> tuple[DetectedFace, ...]:
        """Faces with at least that score, strongest first.

        ``image`` is BGR uint8 [H, W, 3]; ``long_side_px`` overrides the working size of this call.
        """
        height, width = image.shape[:2]
        reduction = min(1.0, (long_side_px or self._long_side_px) / max(height, width))
        rows, columns = to_multiple(height * reduction), to_multiple(width * reduction)
        rgb = shrink(image, columns, rows)[:, :, ::-1]
        tensor = np.ascontiguousarray(rgb.transpose(2, 0, 1)[None], dtype=np.float32)
        outputs = dict(zip(self._names, self._model.run(image=tensor), strict=True))
        heatmap = outputs["heatmap"][0, 0]
        boxes, scores = decode(heatmap, outputs["scale"][0], outputs["offset"][0], least_score)
        marks = _landmarks(outputs["landmarks"][0], heatmap, boxes, least_score) if "landmarks" in outputs else None
        to_frame = np.array([width / columns, height / rows] * 2)
        found = []
        for index in suppress(boxes, scores, _NMS_IOU):
            box = clipped(boxes[index] * to_frame, width, height)
            if box is not None:
                points = () if marks is None else tuple((float(x), float(y)) for x, y in marks[index] * to_frame[:2])
                found.append(DetectedFace(box, float(scores[index]), points))
        return tuple(found)


def decode(
    heatmap: NDArray[np.float32], scale: NDArray[np.float32], offset: NDArray[np.float32], least_score: float
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Boxes float32 [K, 4] as left, top, right, bottom in input pixels, and scores float32 [K].

    ``heatmap`` [rows, columns] 0..1; ``scale`` [2, rows, columns]: natural logarithm of height and width in cells;
    ``offset`` [2, rows, columns]: y and x of the centre within its cell, whose middle is 0.
    """
    rows, columns = np.nonzero(heatmap >= least_score)
    heights = np.exp(scale[0, rows, columns]) * _CELL_PX
    widths = np.exp(scale[1, rows, columns]) * _CELL_PX
    middle_y = (rows + offset[0, rows, columns] + 0.5) * _CELL_PX
    middle_x = (columns + offset[1, rows, columns] + 0.5) * _CELL_PX
    boxes = np.stack(
        [middle_x - widths / 2, middle_y - heights / 2, middle_x + widths / 2, middle_y + heights / 2], axis=1
    )
    return boxes.astype(np.float32), heatmap[rows, columns].astype(np.float32)


def _landmarks(
    values: NDArray[np.float32], heatmap: NDArray[np.float32], boxes: NDArray[np.float32], least_score: float
) -> NDArray[np.float32]:
    """Float32 [K, 5, 2] as x, y in input pixels of the boxes that `decode` gave, from ``values`` [10, rows, columns]:
    y and x of each point in heights and widths of its box, from the box's top left corner.
    """
    rows, columns = np.nonzero(heatmap >= least_score)
    shares = values[:, rows, columns].T.reshape(-1, 5, 2)[:, :, ::-1]
    sizes = (boxes[:, 2:] - boxes[:, :2])[:, None]
    return np.asarray(boxes[:, None, :2] + shares * sizes, np.float32)


def merged(found: Sequence[DetectedFace], most_iou: float = _NMS_IOU) -> tuple[DetectedFace, ...]:
    """What several searches of one frame found, each face once, strongest first."""
    if not found:
        return ()
    corners = np.array([[f.box.x, f.box.y, f.box.x + f.box.w, f.box.y + f.box.h] for f in found], np.float32)
    return tuple(found[index] for index in suppress(corners, np.array([f.score for f in found]), most_iou))


def suppress(boxes: NDArray[np.float32], scores: NDArray[np.float32], most_iou: float) -> list[int]:
    """Indices of the boxes to keep, strongest first: of two that overlap by more than ``most_iou`` the weaker goes."""
    order = np.argsort(-scores, kind="stable")
    areas = np.prod(np.maximum(boxes[:, 2:] - boxes[:, :2], 0), axis=1)
    kept: list[int] = []
    while order.size:
        first, rest = order[0], order[1:]
        kept.append(int(first))
        overlap = np.minimum(boxes[first, 2:], boxes[rest, 2:]) - np.maximum(boxes[first, :2], boxes[rest, :2])
        shared = np.prod(np.maximum(overlap, 0), axis=1)
        union = np.maximum(areas[first] + areas[rest] - shared, 1e-9)
        order = rest[shared / union <= most_iou]
    return kept


def to_multiple(pixels: float) -> int:
    """The nearest multiple of 32 px that is not nothing."""
    return max(_MULTIPLE_PX, round(pixels / _MULTIPLE_PX) * _MULTIPLE_PX)


def clipped(corners: Any, width: int, height: int) -> Box | None:
    """The part of the box on the frame, None where hardly anything is left of it."""
    left, top = max(float(corners[0]), 0.0), max(float(corners[1]), 0.0)
    right, bottom = min(float(corners[2]), float(width)), min(float(corners[3]), float(height))
    if right - left < 2 or bottom - top < 2:
        return None
    return Box(left, top, right - left, bottom - top)
