"""Pascal VOC XML as labelImg writes it: read without entities, written back.

labelImg's numbers are edges in pixels from 0 (the original VOC counted pixels from 1); whole numbers, as its older
versions read no others.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn
from xml.etree import ElementTree as Xml
from xml.parsers import expat

from models.tools.geometry import Box

LARGEST_BYTES = 4_000_000
_DEEPEST = 16


class VocError(ValueError):
    """The bytes are no annotation, or carry what an annotation never needs (a document type, entities)."""


@dataclass(frozen=True)
class Annotation:
    """The boxes of one picture; ``size`` is (width, height), None where the file does not state it."""

    size: tuple[int, int] | None
    boxes: tuple[Box, ...]


def parse(content: bytes) -> Annotation:
    """Read an annotation. Raises ``VocError``; never resolves, fetches or expands anything."""
    root = _tree(content)
    if root.tag != "annotation":
        raise VocError(f"the outermost element is <{root.tag}>, not <annotation>")
    boxes = []
    for number, thing in enumerate(root.findall("object"), start=1):
        name = (thing.findtext("name") or "").strip()
        edges = thing.find("bndbox")
        if not name or edges is None:
            raise VocError(f"object {number} has no name or no bndbox")
        left, top, right, bottom = (_number(edges, key, number) for key in ("xmin", "ymin", "xmax", "ymax"))
        boxes.append(Box(name, left, top, right, bottom))
    return Annotation(_size(root), tuple(boxes))


def _size(root: Xml.Element) -> tuple[int, int] | None:
    width, height = (root.findtext(f"size/{key}") or "" for key in ("width", "height"))
    if width.strip().isdigit() and height.strip().isdigit() and int(width) and int(height):
        return int(width), int(height)
    return None


def _number(edges: Xml.Element, key: str, number: int) -> float:
    text = edges.findtext(key) or ""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise VocError(f"object {number}: {key} is {text!r}, no number")
    return value


def _tree(content: bytes) -> Xml.Element:
    if len(content) > LARGEST_BYTES:
        raise VocError(f"{len(content)} bytes; an annotation has at most {LARGEST_BYTES}")
    builder = Xml.TreeBuilder()
    parser = expat.ParserCreate()
    depth = 0

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > _DEEPEST:
            raise VocError(f"elements lie more than {_DEEPEST} deep in one another")
        builder.start(tag, attributes)

    def end(tag: str) -> None:
        nonlocal depth
        depth -= 1
        builder.end(tag)

    def doctype(*_: object) -> NoReturn:
        # without a document type there are no entities: no bombs, no files or addresses read
        raise VocError("it declares a document type (DOCTYPE), which labels never need and attacks do")

    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler = builder.data
    parser.StartDoctypeDeclHandler = doctype
    try:
        parser.Parse(content, True)
        return builder.close()
    except (expat.ExpatError, AssertionError) as error:
        raise VocError(f"it is no XML: {error}") from error


def document(picture: Path, size: tuple[int, int], boxes: Sequence[Box]) -> bytes:
    """An annotation of ``picture``, edges rounded to whole pixels; a box of a pixel or more keeps at least one."""
    root = Xml.Element("annotation")
    for key, text in (("folder", picture.parent.name), ("filename", picture.name), ("path", picture.name)):
        Xml.SubElement(root, key).text = text
    Xml.SubElement(Xml.SubElement(root, "source"), "database").text = "Unknown"
    stated = Xml.SubElement(root, "size")
    for key, value in (("width", size[0]), ("height", size[1]), ("depth", 3)):
        Xml.SubElement(stated, key).text = str(value)
    Xml.SubElement(root, "segmented").text = "0"
    for box in boxes:
        thing = Xml.SubElement(root, "object")
        on_edge = box.left <= 0 or box.top <= 0 or box.right >= size[0] or box.bottom >= size[1]
        for key, text in (
            ("name", box.name),
            ("pose", "Unspecified"),
            ("truncated", str(int(on_edge))),
            ("difficult", "0"),
        ):
            Xml.SubElement(thing, key).text = text
        edges = Xml.SubElement(thing, "bndbox")
        for key, edge in (("xmin", box.left), ("ymin", box.top), ("xmax", box.right), ("ymax", box.bottom)):
            Xml.SubElement(edges, key).text = str(math.floor(edge + 0.5))
    Xml.indent(root, "\t")
    content: bytes = Xml.tostring(root, encoding="utf-8")
    return content + b"\n"
