"""Small faces: the heads of the people found, cut from the full frame and searched together as one picture.

At the working size of the face detector a face of 24 px of a 720p frame has 12 px, and is missed. Searching the whole
frame at full size costs five times as much; the heads are a small part of it. The same way a face is looked for where
it was a moment before.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from uriai.adapters.vision.faces import DetectedFace, FaceDetector
from uriai.adapters.vision.scaling import Image, resize
from uriai.domain.analysis import Box

_CELL_PX = 96
_GAP_PX = 16
"""Between two parts: a face cut by a crop's edge must not go on in its neighbour."""
_MOST_ENLARGED = 2.0
_MOST_PARTS = 20
_GRAY = 114
_HEAD_HEIGHT = 0.45
"""The share of a person's box, from its top, in which the head is: people in a nursery sit and bend."""
_MARGIN = 0.08


@dataclass(frozen=True, slots=True)
class _Cell:
    """Where a part lies: in the frame, in the sheet, and how many sheet pixels a frame pixel is."""

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
    return find_in_parts(detector, image, [head_of(box) for box in people], least_score)


def find_in_parts(
    detector: FaceDetector, image: Image, parts: Sequence[Box], least_score: float = 0.5
) -> tuple[DetectedFace, ...]:
    """Faces in each of ``parts`` (the largest twenty), in frame pixels; parts may reach beyond the frame.

    ``image`` is the whole frame, BGR uint8 [H, W, 3].
    """
    height, width = image.shape[:2]
    visible = [box for part in parts if (box := _on_picture(part, width, height)) is not None]
    largest = sorted(visible, key=lambda box: -box[2] * box[3])[:_MOST_PARTS]
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


def head_of(person: Box) -> Box:
    """The square in which the head of a person is; it may reach beyond the frame."""
    side = max(_HEAD_HEIGHT * person.h, min(person.w, 0.7 * person.h))
    return Box(person.x + person.w / 2 - side / 2, person.y - _MARGIN * person.h, side, side)


def _on_picture(part: Box, width: int, height: int) -> tuple[int, int, int, int] | None:
    """Left, top, width and height in whole pixels of the part inside the picture."""
    left, top = int(max(part.x, 0)), int(max(part.y, 0))
    right, bottom = min(math.ceil(left + part.w), width), min(math.ceil(top + part.h), height)
    return (left, top, right - left, bottom - top) if right > left and bottom > top else None


def _place(image: Image, part: tuple[int, int, int, int], sheet: Image, x: int, y: int) -> _Cell:
    """Copy a part of the frame into the sheet at (x, y)."""
    left, top, width, height = part
    zoom = min(_CELL_PX / max(width, height), _MOST_ENLARGED)
    columns, rows = max(1, int(width * zoom)), max(1, int(height * zoom))
    sheet[y : y + rows, x : x + columns] = resize(image[top : top + height, left : left + width], columns, rows)
    return _Cell(left, top, x, y, zoom)


def _on_frame(face: DetectedFace, cell: _Cell) -> DetectedFace:
    def point(x: float, y: float) -> tuple[float, float]:
        return (x - cell.sheet_x) / cell.zoom + cell.frame_x, (y - cell.sheet_y) / cell.zoom + cell.frame_y

    x, y = point(face.box.x, face.box.y)
    x, y = max(x, 0.0), max(y, 0.0)
    box = Box(x, y, face.box.w / cell.zoom, face.box.h / cell.zoom)
    return DetectedFace(box, face.score, tuple(point(*mark) for mark in face.landmarks))
