"""Small faces: the heads of the people found, cut from the full frame and searched together as one picture.

At the working size of the face detector a face of 24 px of a 720p frame has 12 px, and is missed. Searching the whole
frame at full size costs five times as much; the heads are a small part of it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from uriai.adapters.vision.faces import DetectedFace, FaceDetector
from uriai.adapters.vision.video import Image
from uriai.domain.analysis import Box

_CELL_PX = 96
_GAP_PX = 16
"""Between two heads: a face cut by a crop's edge must not go on in its neighbour."""
_MOST_ENLARGED = 2.0
_MOST_HEADS = 20
_GRAY = 114
_HEAD_HEIGHT = 0.45
"""The share of a person's box, from its top, in which the head is: people in a nursery sit and bend."""
_MARGIN = 0.08


@dataclass(frozen=True, slots=True)
class _Cell:
    """Where a head lies: in the frame, in the sheet, and how many sheet pixels a frame pixel is."""

    frame_x: int
    frame_y: int
    sheet_x: int
    sheet_y: int
    zoom: float


def find_in_heads(
    detector: FaceDetector, image: Image, people: Sequence[Box], least_score: float = 0.5
) -> tuple[DetectedFace, ...]:
    """Faces in the upper part of each of ``people`` (the largest twenty), in frame pixels.

    ``image`` is the whole frame, BGR uint8 [H, W, 3].
    """
    largest = sorted(people, key=lambda box: -box.w * box.h)[:_MOST_HEADS]
    if not largest:
        return ()
    across = math.ceil(math.sqrt(len(largest)))
    step = _CELL_PX + _GAP_PX
    sheet = np.full((math.ceil(len(largest) / across) * step, across * step, 3), _GRAY, np.uint8)
    cells = []
    for number, box in enumerate(largest):
        cells.append(_place(image, box, sheet, number % across * step, number // across * step))
    found = []
    for face in detector.find(sheet, least_score, long_side_px=max(sheet.shape)):
        column, row = int(face.box.x + face.box.w / 2) // step, int(face.box.y + face.box.h / 2) // step
        if row * across + column < len(cells):
            found.append(_on_frame(face, cells[row * across + column]))
    return tuple(found)


def _place(image: Image, person: Box, sheet: Image, x: int, y: int) -> _Cell:
    """Copy a person's head into the sheet at (x, y)."""
    height, width = image.shape[:2]
    side = max(_HEAD_HEIGHT * person.h, min(person.w, 0.7 * person.h))
    left = int(max(person.x + person.w / 2 - side / 2, 0))
    top = int(max(person.y - _MARGIN * person.h, 0))
    right, bottom = min(math.ceil(left + side), width), min(math.ceil(top + side), height)
    part = image[top:bottom, left:right]
    zoom = min(_CELL_PX / max(part.shape[:2]), _MOST_ENLARGED)
    columns, rows = max(1, int(part.shape[1] * zoom)), max(1, int(part.shape[0] * zoom))
    how = cv2.INTER_AREA if zoom < 1 else cv2.INTER_LINEAR
    sheet[y : y + rows, x : x + columns] = cv2.resize(part, (columns, rows), interpolation=how)
    return _Cell(left, top, x, y, zoom)


def _on_frame(face: DetectedFace, cell: _Cell) -> DetectedFace:
    def point(x: float, y: float) -> tuple[float, float]:
        return (x - cell.sheet_x) / cell.zoom + cell.frame_x, (y - cell.sheet_y) / cell.zoom + cell.frame_y

    x, y = point(face.box.x, face.box.y)
    x, y = max(x, 0.0), max(y, 0.0)
    box = Box(x, y, face.box.w / cell.zoom, face.box.h / cell.zoom)
    return DetectedFace(box, face.score, tuple(point(*mark) for mark in face.landmarks))
