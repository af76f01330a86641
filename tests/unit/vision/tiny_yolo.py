"""YOLOv5-shaped graphs whose answers are computed from the picture: what is red is an assault, what is blue a person.

Each class has two overlapping candidates, so that an NMS has something to do. They answer in the pixels of their input,
as real exports do, so that letterbox and the way back have to be right.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from tests.unit.vision.tiny_onnx import FLOAT, FLOAT16, INT64, UINT8, Node, Value, graph, with_metadata

OBJECTNESS, SURE, UNSURE = 0.98, 0.97, 0.02
CONFIDENCE = OBJECTNESS * SURE


def yolo(
    layout: str = "raw",
    size: tuple[int, int] | None = (640, 640),
    dtype: int = FLOAT,
    names: str = "{0: 'person', 1: 'assault'}",
    objectness: float = OBJECTNESS,
) -> bytes:
    """``size`` is (width, height), None leaves both free."""
    nodes = [Node("Cast", ("images",), "cast", {"to": FLOAT}), Node("Div", ("cast", "full"), "x")]
    nodes.append(Node("Gather", ("x", "green"), "g", {"axis": 1}))
    for label, channel in (("person", "blue"), ("assault", "red")):
        nodes += _candidates(label, channel)
    rows = ("person_row", "person_again", "assault_row", "assault_again")
    nodes += [Node("Concat", rows, "found", {"axis": 1})]
    constants: dict[str, object] = {
        "full": 255.0 if dtype == UINT8 else 1.0, "red": [0], "green": [1], "blue": [2], "half": 0.5, "one": 1.0,
        "two": 2.0, "zero": 0.0, "objectness": objectness, "sure": SURE, "unsure": UNSURE, "weaker": 0.9,
        "axis_0": [0], "axis_1": [1], "axis_2": [2], "across": [1, 2], "along": [1, 3], "i01": [0, 1], "i23": [2, 3],
        "i4": [4], "i5": [5], "i6": [6], "i56": [5, 6], "most": [10], "overlap": 0.45, "least": 0.25,
    }  # fmt: skip
    outputs = _outputs(layout, nodes, FLOAT16 if dtype == FLOAT16 else FLOAT)
    width, height = size or ("width", "height")
    content = graph(nodes, [Value("images", dtype, (1, 3, height, width))], outputs, constants)
    return with_metadata(content, {"stride": "32", **({"names": names} if names else {})})


def _candidates(label: str, channel: str) -> list[Node]:
    def name(part: str) -> str:
        return f"{label}_{part}"

    nodes = [
        Node("Gather", ("x", channel), name("channel"), {"axis": 1}),
        Node("Sub", (name("channel"), "g"), name("hue")),
        Node("Greater", (name("hue"), "half"), name("is")),
        Node("Cast", (name("is"),), name("mask"), {"to": FLOAT}),
    ]
    for axes, place, side in (("across", "cx", "w"), ("along", "cy", "h")):
        nodes += [
            Node("ReduceMax", (name("mask"), axes), name(side + "_on"), {"keepdims": 0}),
            Node("ReduceSum", (name(side + "_on"), "axis_1"), name(side), {"keepdims": 1}),
            Node("Mul", (name(side + "_on"), "zero"), name(side + "_zeros")),
            Node("Add", (name(side + "_zeros"), "one"), name(side + "_ones")),
            Node("CumSum", (name(side + "_ones"), "axis_1"), name(side + "_ends")),
            Node("Sub", (name(side + "_ends"), "half"), name(side + "_at")),
            Node("Mul", (name(side + "_at"), name(side + "_on")), name(side + "_sums")),
            Node("ReduceSum", (name(side + "_sums"), "axis_1"), name(side + "_sum"), {"keepdims": 1}),
            Node("Max", (name(side), "one"), name(side + "_count")),
            Node("Div", (name(side + "_sum"), name(side + "_count")), name(place)),
        ]
    person, assault = ("sure", "unsure") if label == "person" else ("unsure", "sure")
    return [
        *nodes,
        Node("Min", (name("w"), "one"), name("there")),
        Node("Mul", (name("there"), "objectness"), name("objectness")),
        Node("Mul", (name("objectness"), "weaker"), name("less")),
        Node("Add", (name("cx"), "two"), name("beside")),
        Node("Mul", (name("there"), person), name("p")),
        Node("Mul", (name("there"), assault), name("a")),
        Node("Concat", tuple(map(name, ("cx", "cy", "w", "h", "objectness", "p", "a"))), name("flat"), {"axis": 1}),
        Node("Concat", tuple(map(name, ("beside", "cy", "w", "h", "less", "p", "a"))), name("flat2"), {"axis": 1}),
        Node("Unsqueeze", (name("flat"), "axis_1"), name("row")),
        Node("Unsqueeze", (name("flat2"), "axis_1"), name("again")),
    ]


def _outputs(layout: str, nodes: list[Node], dtype: int) -> list[Value]:
    if layout == "raw":
        nodes.append(Node("Cast", ("found",), "output0", {"to": dtype}))
        return [Value("output0", dtype, (1, "anchors", 7))]
    nodes += [
        Node("Gather", ("found", "i01"), "xy", {"axis": 2}),
        Node("Gather", ("found", "i23"), "wh", {"axis": 2}),
        Node("Mul", ("wh", "half"), "reach"),
        Node("Sub", ("xy", "reach"), "first"),
        Node("Add", ("xy", "reach"), "last"),
        Node("Concat", ("first", "last"), "corners", {"axis": 2}),
        Node("Gather", ("found", "i4"), "object", {"axis": 2}),
        Node("Gather", ("found", "i5"), "of_person", {"axis": 2}),
        Node("Gather", ("found", "i6"), "of_assault", {"axis": 2}),
    ]
    for label in ("person", "assault"):
        nodes += [
            Node("Mul", (f"of_{label}", "object"), f"{label}_table"),
            Node("Squeeze", (f"{label}_table", "axis_2"), f"{label}_line"),
            Node("Unsqueeze", (f"{label}_line", "axis_1"), f"{label}_scores"),
        ]
    nodes += [
        Node("Concat", ("person_scores", "assault_scores"), "all_scores", {"axis": 1}),
        Node("NonMaxSuppression", ("corners", "all_scores", "most", "overlap", "least"), "kept"),
        Node("Gather", ("kept", "axis_0"), "kept_batch", {"axis": 1}),
        Node("Gather", ("kept", "axis_1"), "kept_class", {"axis": 1}),
        Node("Gather", ("kept", "axis_2"), "kept_index", {"axis": 1}),
        Node("Squeeze", ("kept_index", "axis_1"), "index"),
        Node("Squeeze", ("corners", "axis_0"), "corner_rows"),
        Node("Gather", ("corner_rows", "index"), "kept_boxes", {"axis": 0}),
        Node("GatherND", ("all_scores", "kept"), "kept_scores"),
        Node("Unsqueeze", ("kept_scores", "axis_1"), "score_column"),
        Node("Cast", ("kept_batch",), "batch_column", {"to": FLOAT}),
        Node("Cast", ("kept_class",), "class_column", {"to": FLOAT}),
    ]
    if layout == "rows7":
        nodes.append(
            Node("Concat", ("batch_column", "kept_boxes", "class_column", "score_column"), "output", {"axis": 1})
        )
        return [Value("output", FLOAT, ("n", 7))]
    if layout == "rows6":
        nodes.append(Node("Concat", ("kept_boxes", "score_column", "class_column"), "table", {"axis": 1}))
        nodes.append(Node("Unsqueeze", ("table", "axis_0"), "output0"))
        return [Value("output0", FLOAT, (1, "k", 6))]
    nodes.append(Node("Squeeze", ("kept_class", "axis_1"), "labels"))
    if layout == "lists":
        nodes += [
            Node("Mul", ("kept_boxes", "one"), "boxes"),
            Node("Mul", ("kept_scores", "one"), "scores"),
        ]
        return [Value("boxes", FLOAT, ("k", 4)), Value("scores", FLOAT, ("k",)), Value("labels", INT64, ("k",))]
    nodes += [
        Node("Shape", ("index",), "count"),
        Node("Unsqueeze", ("count", "axis_0"), "num_dets"),
        Node("Unsqueeze", ("kept_boxes", "axis_0"), "det_boxes"),
        Node("Unsqueeze", ("kept_scores", "axis_0"), "det_scores"),
        Node("Unsqueeze", ("labels", "axis_0"), "det_classes"),
    ]
    return [
        Value("num_dets", INT64, (1, 1)), Value("det_boxes", FLOAT, (1, "k", 4)), Value("det_scores", FLOAT, (1, "k")),
        Value("det_classes", INT64, (1, "k")),
    ]  # fmt: skip


def write_yolo(folder: Path, content: bytes, classes: object = ("person", "assault"), **detector: object) -> Path:
    """A folder as a user makes it by hand: the exported file, and the manifest of docs/yolo-detector.md."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.onnx").write_bytes(content)
    manifest = {
        "name": "our-yolov5s", "version": "2.0.0", "role": "violence",
        "sha256": hashlib.sha256(content).hexdigest(), "licence": {"spdx": "AGPL-3.0-only"},
        "classes": list(classes), "detector": {"type": "yolov5", **detector},
    }  # fmt: skip
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    return folder
