"""Small ONNX graphs for tests, written field by field after onnx.proto, so that tests need no model converter."""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

FLOAT, UINT8, INT64, FLOAT16 = 1, 2, 7, 10
NAMES = {FLOAT: "float32", UINT8: "uint8"}


@dataclass(frozen=True)
class Value:
    name: str
    dtype: int
    shape: tuple[int | str, ...]


@dataclass(frozen=True)
class Node:
    kind: str
    inputs: tuple[str, ...]
    output: str
    numbers: Mapping[str, int] | None = None
    domain: str = ""
    raw: bytes = b""
    """Further fields of the node, already encoded."""


def graph(
    nodes: Sequence[Node], inputs: Sequence[Value], outputs: Sequence[Value], constants: Mapping[str, object]
) -> bytes:
    body = b"".join(_field(1, _node(node)) for node in nodes) + _field(2, b"test")
    body += b"".join(_field(5, _constant(name, value)) for name, value in constants.items())
    body += b"".join(_field(11, _value(value)) for value in inputs)
    body += b"".join(_field(12, _value(value)) for value in outputs)
    return _number(1, 9) + _field(7, body) + _field(8, _field(1, b"") + _number(2, 18))


def with_metadata(model: bytes, entries: Mapping[str, str]) -> bytes:
    """What an exporter leaves in the file."""
    pairs = [_field(1, key.encode()) + _field(2, value.encode()) for key, value in entries.items()]
    return model + b"".join(_field(14, pair) for pair in pairs)


def motion_model(instants: int = 17, side: int = 64, gain: float = 0.5, offset: float = 3.0) -> bytes:
    """Role violence: sigmoid of the mean absolute difference of neighbouring images; still 0.05, moving near 1."""
    nodes = [
        Node("Cast", ("frames",), "float", {"to": FLOAT}),
        Node("Slice", ("float", "from_0", "to_last", "time"), "before"),
        Node("Slice", ("float", "from_1", "to_end", "time"), "after"),
        Node("Sub", ("after", "before"), "difference"),
        Node("Abs", ("difference",), "size"),
        Node("ReduceMean", ("size", "all"), "mean", {"keepdims": 0}),
        Node("Mul", ("mean", "gain"), "scaled"),
        Node("Sub", ("scaled", "offset"), "logit"),
        Node("Sigmoid", ("logit",), "probability"),
    ]
    constants = {"from_0": [0], "to_last": [instants - 1], "from_1": [1], "to_end": [instants], "time": [1]}
    return graph(
        nodes,
        [Value("frames", UINT8, ("n", instants, side, side, 3))],
        [Value("probability", FLOAT, ("n",))],
        {**constants, "all": [1, 2, 3, 4], "gain": gain, "offset": offset},
    )


def half_motion_model(side: int = 64, gain: float = 0.5, offset: float = 3.0) -> bytes:
    """The same measure, told from half a window and the tokens (mean absolute differences) of the half before it."""
    nodes = [
        Node("Cast", ("frames",), "float", {"to": FLOAT}),
        Node("Slice", ("float", "from_0", "to_last", "time"), "earlier"),
        Node("Slice", ("float", "from_1", "to_end", "time"), "later"),
        Node("Sub", ("later", "earlier"), "difference"),
        Node("Abs", ("difference",), "size"),
        Node("ReduceMean", ("size", "picture"), "each", {"keepdims": 0}),
        Node("Unsqueeze", ("each", "last"), "tokens"),
        Node("Concat", ("before", "tokens"), "window", {"axis": 1}),
        Node("ReduceMean", ("window", "all"), "mean", {"keepdims": 0}),
        Node("Mul", ("mean", "gain"), "scaled"),
        Node("Sub", ("scaled", "offset"), "logit"),
        Node("Sigmoid", ("logit",), "probability"),
    ]
    constants = {"from_0": [0], "to_last": [8], "from_1": [1], "to_end": [9], "time": [1], "picture": [2, 3, 4]}
    frames, before = Value("frames", UINT8, ("n", 9, side, side, 3)), Value("before", FLOAT, ("n", 8, 1))
    outputs = [Value("probability", FLOAT, ("n",)), Value("tokens", FLOAT, ("n", 8, 1))]
    return graph(
        nodes, [frames, before], outputs, {**constants, "last": [2], "all": [1, 2], "gain": gain, "offset": offset}
    )


def broken_model() -> bytes:
    """Role violence by its contract, but answers not-a-number."""
    nodes = [
        Node("Cast", ("frames",), "float", {"to": FLOAT}),
        Node("ReduceMean", ("float", "all"), "mean", {"keepdims": 0}),
        Node("Sub", ("mean", "mean"), "zero"),
        Node("Div", ("zero", "zero"), "probability"),
    ]
    value = Value("frames", UINT8, ("n", 17, 64, 64, 3))
    return graph(nodes, [value], [Value("probability", FLOAT, ("n",))], {"all": [1, 2, 3, 4]})


def outside_model(where: str) -> bytes:
    """The weights ``gain`` lie in ``secret.bin``: as a weight, as a constant's value, or inside a branch of an If."""
    entry = _field(1, b"location") + _field(2, b"secret.bin")
    tensor = _number(1, 1) + _number(2, FLOAT) + _field(8, b"gain") + _field(13, entry) + _number(14, 1)
    value = Value("frames", UINT8, ("n", 17, 64, 64, 3))
    if where == "weights":
        return graph([], [value], [Value("gain", FLOAT, (1,))], {"gain": tensor})
    attribute = _field(5, _field(1, b"value") + _field(5, tensor) + _number(20, 4))
    constant = Node("Constant", (), "probability", raw=attribute)
    if where == "subgraph":
        branch = _field(5, _field(1, b"then_branch") + _field(6, _field(1, _node(constant))) + _number(20, 5))
        constant = Node("If", ("frames",), "probability", raw=branch)
    return graph([constant], [value], [Value("probability", FLOAT, (1,))], {})


def write_model(folder: Path, role: str, content: bytes, inputs: Sequence[Value], outputs: Sequence[Value]) -> None:
    """``model.onnx`` and ``manifest.json`` as the repository's models have them."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.onnx").write_bytes(content)
    manifest = {
        "name": f"test-{role}",
        "version": "1.2.3",
        "role": role,
        "file": "model.onnx",
        "sha256": hashlib.sha256(content).hexdigest(),
        "licence": {"spdx": "Apache-2.0"},
        "inputs": [{"name": v.name, "dtype": NAMES[v.dtype], "shape": list(v.shape)} for v in inputs],
        "outputs": [{"name": v.name, "dtype": NAMES[v.dtype], "shape": list(v.shape)} for v in outputs],
    }
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")


def write_violence(folder: Path, content: bytes, side: int = 64) -> None:
    frames = Value("frames", UINT8, ("n", 17, side, side, 3))
    write_model(folder, "violence", content, [frames], [Value("probability", FLOAT, ("n",))])


def _node(node: Node) -> bytes:
    body = b"".join(_field(1, name.encode()) for name in node.inputs) + _field(2, node.output.encode())
    body += _field(4, node.kind.encode())
    for name, number in (node.numbers or {}).items():
        body += _field(5, _field(1, name.encode()) + _number(3, number) + _number(20, 2))
    return body + _field(7, node.domain.encode()) + node.raw


def _constant(name: str, value: object) -> bytes:
    if isinstance(value, bytes):
        return value
    if isinstance(value, list):
        return (
            _number(1, len(value))
            + _number(2, INT64)
            + _field(8, name.encode())
            + _field(9, struct.pack(f"<{len(value)}q", *value))
        )
    return _number(2, FLOAT) + _field(8, name.encode()) + _field(9, struct.pack("<f", value))


def _value(value: Value) -> bytes:
    sizes = b"".join(
        _field(1, _number(1, size) if isinstance(size, int) else _field(2, size.encode())) for size in value.shape
    )
    return _field(1, value.name.encode()) + _field(2, _field(1, _number(1, value.dtype) + _field(2, sizes)))


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)
    return bytes(out)


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _field(field: int, content: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(content)) + content
