"""How small a face may be: ``python -m models.face.measure`` measures anew and writes manifest and card.

Needs the violence clips (URIAI_DATA); nothing of them is kept. Faces that the detector is sure of in 720p frames are
made smaller together with their frame, so that they keep head, body and surroundings: a crop pasted without them is
hardly ever found, whatever its size, and would say nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from models.common import deployed, remeasure
from models.common.boxes import Corners, iou
from models.common.paths import data_root
from uriai.adapters.vision.faces import DetectedFace, merged
from uriai.adapters.vision.heads import find_in_heads

HERE = Path(__file__).parent
SIZES_PX = (12, 16, 20, 24, 32, 48)
WIDTH, HEIGHT = 1280, 720
LEAST_PX, SURE, MATCH = 36, 0.6, 0.4
Picture = NDArray[np.uint8]


def measured() -> dict[str, Any]:
    """Recall by the size of the face in a 720p frame, for three ways to search it."""
    faces, people = deployed.faces(), deployed.people()

    def analyser(picture: Picture) -> Sequence[DetectedFace]:
        boxes = [person.box for person in people.find(picture)]
        return merged([*faces.find(picture), *find_in_heads(faces, picture, boxes)])

    ways: dict[str, Callable[[Picture], Sequence[DetectedFace]]] = {
        "frame at 640": faces.find,
        "analyser": analyser,
        "frame at 1280": lambda picture: faces.find(picture, long_side_px=WIDTH),
    }
    frames = _frames()
    sure = [
        (number, _corners(face))
        for number, frame in enumerate(frames)
        for face in faces.find(frame, SURE, long_side_px=WIDTH)
        if math.sqrt(face.box.w * face.box.h) >= LEAST_PX
    ]
    rows = []
    for size in SIZES_PX:
        hits, count = dict.fromkeys(ways, 0), 0
        for turn, (number, box) in enumerate(sure):
            by = size / math.sqrt(box[2] * box[3])
            if by > 1:
                continue
            count += 1
            backdrop = frames[(number * 37 + 11) % len(frames)]
            picture, where = _reduced(frames[number], box, by, backdrop, np.random.default_rng([turn, size]))
            for name, find in ways.items():
                hits[name] += any(iou(where, _corners(face)) >= MATCH for face in find(picture))
        rows.append({"face in px": size, "faces": count, **{name: hits[name] / count for name in ways}})
    return {"recall_by_size": {"faces": len(sure), "least_px": LEAST_PX, "table": rows}}


def _frames() -> list[Picture]:
    """Two frames of each clip of 1280x720."""
    folder = data_root() / "violence" / "clips"
    frames = []
    for path in sorted(folder.glob("*.mp4")):
        capture = cv2.VideoCapture(str(path))
        if (capture.get(cv2.CAP_PROP_FRAME_WIDTH), capture.get(cv2.CAP_PROP_FRAME_HEIGHT)) != (WIDTH, HEIGHT):
            continue
        pictures = []
        while True:
            ok, picture = capture.read()
            if not ok:
                break
            pictures.append(np.asarray(picture, np.uint8))
        frames += [pictures[len(pictures) // 4], pictures[3 * len(pictures) // 4]]
    if not frames:
        raise SystemExit(f"no clips of {WIDTH}x{HEIGHT} in {folder}: point URIAI_DATA at the folder with violence/")
    return frames


def _reduced(
    frame: Picture, box: Corners, by: float, backdrop: Picture, generator: np.random.Generator
) -> tuple[Picture, Corners]:
    """The frame made smaller, somewhere on a blurred backdrop, and where the face is then."""
    width, height = round(WIDTH * by), round(HEIGHT * by)
    left, top = int(generator.integers(0, WIDTH - width + 1)), int(generator.integers(0, HEIGHT - height + 1))
    picture = np.asarray(cv2.blur(backdrop, (9, 9)), np.uint8)
    picture[top : top + height, left : left + width] = cv2.resize(frame, (width, height), interpolation=cv2.INTER_AREA)
    return picture, (left + box[0] * by, top + box[1] * by, box[2] * by, box[3] * by)


def _corners(face: DetectedFace) -> Corners:
    return face.box.x, face.box.y, face.box.w, face.box.h


def main() -> None:
    """Measure the committed file; nothing but the metrics changes."""
    remeasure.enter(HERE, measured())


if __name__ == "__main__":
    main()
