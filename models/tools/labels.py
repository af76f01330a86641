"""Labelled pictures as labelImg writes them: YOLO text with ``classes.txt``, or Pascal VOC XML.

Rules (documented in docs/own-detectors.md): a label file that cannot be read whole is refused with its picture, because
a picture of which one object is missing teaches that nothing is there. Boxes that reach out of the picture are clipped
(or refused, by option), boxes under a pixel and repeated ones are skipped. All of it is named and counted.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from models.tools import voc
from models.tools.geometry import LEAST_SIDE_PX, Box, Image
from models.tools.tally import Tally, ToolError

PICTURES = (".jpg", ".jpeg", ".png", ".bmp")
SUFFIX = {"yolo": ".txt", "voc": ".xml"}
CLASSES = "classes.txt"
_SLACK = 1e-6
"""A YOLO box written with six decimals may end that far outside of 0..1 without being wrong."""


class LabelFileError(ValueError):
    """A label file says something that means nothing; ``reason`` is what it is counted under."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
        self.detail = detail


@dataclass(frozen=True)
class Rules:
    """What is done with the doubtful: ``outside`` is ``clip`` or ``refuse``, ``empty`` ``skip`` or ``background``."""

    outside: str = "clip"
    empty: str = "skip"


@dataclass(frozen=True)
class Picture:
    """A picture whose labels are sound: BGR pixels uint8 [H, W, 3] and the boxes, all inside of it."""

    path: Path
    image: Image
    boxes: tuple[Box, ...]

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.image.shape[1], self.image.shape[0]


def read_classes(path: Path) -> list[str]:
    """The names in ``classes.txt``, one a line, in the order of their numbers. Raises ``ToolError``."""
    try:
        names = [line.strip() for line in path.read_text(encoding="utf-8-sig").splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        raise ToolError(
            f"{path} cannot be read ({error}): labelImg writes it beside the labels; or name one with --classes"
        ) from error
    while names and not names[-1]:
        names.pop()
    if not names or not all(names):
        raise ToolError(f"{path}: one class name a line is needed, none of them empty")
    if len(set(names)) != len(names):
        raise ToolError(
            f"{path}: a class is listed twice: {', '.join(sorted({n for n in names if names.count(n) > 1}))}"
        )
    return names


def pictures(
    folder: Path, labels: Path, kind: str, classes: Sequence[str] | None, rules: Rules, tally: Tally
) -> Iterator[Picture]:
    """Every picture of ``folder`` with its labels in ``labels``, in order of name; what is not sound goes to ``tally``.

    Raises ``ToolError`` for a folder that holds neither pictures nor labels.
    """
    images: defaultdict[str, list[Path]] = defaultdict(list)
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() in PICTURES:
            images[path.stem].append(path)
    files = {p.stem: p for p in sorted(labels.iterdir()) if p.suffix.lower() == SUFFIX[kind] and p.name != CLASSES}
    if not images and not files:
        raise ToolError(f"{folder} holds no pictures ({', '.join(PICTURES)}) and {labels} no {SUFFIX[kind]} files")
    for stem in sorted(set(images) | set(files)):
        if stem not in images:
            tally.refuse(files[stem], "label without picture")
        elif len(images[stem]) > 1:
            tally.refuse(stem, "two pictures of one name", ", ".join(p.name for p in images[stem]))
        elif stem not in files:
            tally.skip(images[stem][0], "picture without label")
        else:
            yield from _picture(images[stem][0], files[stem], classes, rules, tally)


def _picture(path: Path, file: Path, classes: Sequence[str] | None, rules: Rules, tally: Tally) -> Iterator[Picture]:
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if image is None:
        tally.refuse(path, "picture cannot be read")
        return
    height, width = image.shape[:2]
    try:
        given = read_boxes(file, (width, height), classes)
        boxes = _sound(given, file, (width, height), rules, tally)
    except LabelFileError as error:
        tally.refuse(file, error.reason, error.detail)
        return
    if not boxes and not (rules.empty == "background" and not given):
        # a file whose every box was left out is no background either: something is there
        tally.skip(file, "empty label file" if not given else "no box left")
        return
    tally.use("pictures")
    tally.use("boxes", len(boxes))
    yield Picture(path, np.asarray(image, np.uint8), boxes)


def read_boxes(file: Path, size: tuple[int, int], classes: Sequence[str] | None) -> list[Box]:
    """The boxes of one label file, unchecked against the picture's edges. Raises ``LabelFileError``."""
    content = file.read_bytes()
    if file.suffix.lower() == SUFFIX["voc"]:
        if not content.strip():
            return []
        try:
            annotation = voc.parse(content)
        except voc.VocError as error:
            raise LabelFileError("corrupt label file", str(error)) from error
        if annotation.size not in (None, size):
            raise LabelFileError("label of a picture of another size", f"{annotation.size}, the picture has {size}")
        boxes = list(annotation.boxes)
    else:
        boxes = _yolo(content, size, classes or ())
    unknown = sorted({box.name for box in boxes} - set(classes)) if classes is not None else []
    if unknown:
        raise LabelFileError("unknown class", ", ".join(unknown))
    return boxes


def _yolo(content: bytes, size: tuple[int, int], classes: Sequence[str]) -> list[Box]:
    try:
        lines = content.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise LabelFileError("corrupt label file", "it is no text") from error
    boxes = []
    for number, line in enumerate(lines, start=1):
        parts = line.split()
        if not parts:
            continue
        if len(parts) != 5:
            raise LabelFileError("corrupt label file", f"line {number} has {len(parts)} values, not 5")
        try:
            index, (x, y, w, h) = int(parts[0]), (float(part) for part in parts[1:])
        except ValueError as error:
            raise LabelFileError("corrupt label file", f"line {number}: {error}") from error
        if not all(math.isfinite(value) for value in (x, y, w, h)):
            raise LabelFileError("corrupt label file", f"line {number} holds a value that is no number")
        if not 0 <= index < len(classes):
            raise LabelFileError("unknown class", f"line {number}: number {index}, there are {len(classes)} classes")
        left, top = (x - w / 2) * size[0], (y - h / 2) * size[1]
        boxes.append(Box(classes[index], left, top, left + w * size[0], top + h * size[1]))
    return boxes


def _sound(boxes: Sequence[Box], file: Path, size: tuple[int, int], rules: Rules, tally: Tally) -> tuple[Box, ...]:
    """The boxes inside the picture. Raises ``LabelFileError`` for one that means nothing."""
    kept: list[Box] = []
    width, height = size
    for number, box in enumerate(boxes, start=1):
        inside = box.clipped(width, height)
        edges = ("left", "top", "right", "bottom")
        beyond = max(abs(getattr(box, edge) - getattr(inside, edge)) for edge in edges)
        if box.area > 0 and inside.area == 0:
            raise LabelFileError("box outside the picture", f"box {number}, {box.name}")
        if box.width < LEAST_SIDE_PX or box.height < LEAST_SIDE_PX or min(inside.width, inside.height) < LEAST_SIDE_PX:
            tally.skip(f"{file} box {number}", "box under one pixel")
            continue
        if beyond > _SLACK * max(size) + 1e-9:
            if rules.outside == "refuse":
                raise LabelFileError("box reaches out of the picture", f"box {number}, {box.name}")
            tally.change(f"{file} box {number}", "box clipped at the edge", f"{beyond:.1f} px outside")
        if inside in kept:
            tally.skip(f"{file} box {number}", "the same box twice")
            continue
        kept.append(inside)
    return tuple(kept)


def yolo_text(boxes: Sequence[Box], size: tuple[int, int], classes: Sequence[str]) -> str:
    """The boxes as labelImg's YOLO lines: class number, middle and size as shares of the picture."""
    lines = []
    for box in boxes:
        middle = (box.left + box.right) / 2 / size[0], (box.top + box.bottom) / 2 / size[1]
        shares = (*middle, box.width / size[0], box.height / size[1])
        lines.append(f"{classes.index(box.name)} " + " ".join(f"{share:.6f}" for share in shares))
    return "".join(line + "\n" for line in lines)


def write(folder: Path, stem: str, kind: str, picture: Picture, classes: Sequence[str]) -> Path:
    """Write one label file for ``picture`` and return its path."""
    path = folder / f"{stem}{SUFFIX[kind]}"
    if kind == "yolo":
        path.write_text(yolo_text(picture.boxes, picture.size, classes), encoding="utf-8")
    else:
        path.write_bytes(voc.document(picture.path, picture.size, picture.boxes))
    return path


def write_classes(folder: Path, classes: Sequence[str]) -> None:
    """``classes.txt`` as labelImg has it."""
    (folder / CLASSES).write_text("".join(name + "\n" for name in classes), encoding="utf-8")
