"""Labelled pictures turned, with boxes that fit the turned picture."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import cv2

from models.tools import labels
from models.tools.geometry import LEAST_SIDE_PX, Rotation, angle_tag
from models.tools.labels import Picture
from models.tools.tally import Tally, ToolError


def rotate(
    pictures: Iterable[Picture],
    out: Path,
    angles: Sequence[float],
    tally: Tally,
    *,
    kind: str,
    classes: Sequence[str],
    expanded: bool,
    least_visible: float,
    fill: str,
) -> None:
    """Write each picture turned by each angle, with its labels, to ``out``: ``NAME__a010.jpg``.

    A box of which less than ``least_visible`` (0..1) stays on the canvas is dropped and counted; a picture that loses
    all its boxes that way is skipped. An angle of 0 copies the picture.
    """
    out.mkdir(parents=True, exist_ok=True)
    for picture in pictures:
        for angle in angles:
            turned = _turned(picture, angle, expanded, least_visible, fill, tally)
            if picture.boxes and not turned.boxes:
                tally.skip(picture.path, "no box left after turning", f"by {angle:g} degrees")
                continue
            stem = f"{picture.path.stem}__{angle_tag(angle)}"
            if not cv2.imwrite(str(out / f"{stem}{picture.path.suffix}"), turned.image):
                raise ToolError(f"{out / stem} cannot be written")
            labels.write(out, stem, kind, turned, classes)
            tally.use("turned pictures")


def _turned(picture: Picture, angle: float, expanded: bool, least: float, fill: str, tally: Tally) -> Picture:
    rotation = Rotation(*picture.size, angle, expanded)
    boxes = []
    for number, box in enumerate(picture.boxes, start=1):
        found, share = rotation.box(box)
        if share < least or min(found.width, found.height) < LEAST_SIDE_PX:
            name = f"{picture.path} box {number}"
            tally.skip(name, "box turned out of the picture", f"{100 * share:.0f} % of it left at {angle:g} degrees")
            continue
        boxes.append(found)
    path = picture.path.with_stem(f"{picture.path.stem}__{angle_tag(angle)}")
    return Picture(path, rotation.image(picture.image, fill), tuple(boxes))
