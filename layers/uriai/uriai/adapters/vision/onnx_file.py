"""What an ONNX file asks of its reader, found by reading it field by field (onnx.proto), before onnxruntime sees it.

A model from outside may name other files for its weights, or operators of a library that would have to be loaded:
neither is ever followed. The walk costs milliseconds: it steps over the weights themselves.
"""

from __future__ import annotations

from collections.abc import Iterator

from uriai.adapters.vision.manifests import ModelRefused

_KNOWN_DOMAINS = frozenset({"", "ai.onnx", "ai.onnx.ml", "com.microsoft", "com.microsoft.nchwc"})
"""ONNX's own operators and those built into onnxruntime; none of them loads code."""
_DEEPEST = 16
_MODEL_GRAPH, _MODEL_FUNCTION = 7, 25
_GRAPH_NODE, _GRAPH_TENSOR, _GRAPH_SPARSE = 1, 5, 15
_NODE_KIND, _NODE_ATTRIBUTE, _NODE_DOMAIN = 4, 5, 7
_ATTRIBUTE_TENSOR, _ATTRIBUTE_GRAPH, _ATTRIBUTE_TENSORS, _ATTRIBUTE_GRAPHS = 5, 6, 10, 11
_ATTRIBUTE_SPARSE, _ATTRIBUTE_SPARSES = 22, 23
_TENSOR_NAME, _TENSOR_EXTERNAL, _TENSOR_LOCATION = 8, 13, 14
_FUNCTION_NODE, _FUNCTION_DOMAIN = 7, 10

Field = tuple[int, "memoryview | int"]


def check_onnx(content: bytes, what: str) -> None:
    """Refuse a file that is no ONNX model, or asks for anything beyond its own bytes.

    Raises
    ------
    ModelRefused
        With the one reason; ``what`` names the model in it.
    """
    if not content:
        raise ModelRefused(f"{what}: the file is empty: restore it")
    if content[4:8] == b"ORTM":
        raise ModelRefused(f"{what}: this is onnxruntime's own format: export it as ONNX")
    try:
        _check_model(memoryview(content), what)
    except _MalformedError as error:
        raise ModelRefused(
            f"{what}: this is no whole ONNX file ({error}): it was cut off, damaged, or is something else"
        ) from error


class _MalformedError(Exception):
    """The bytes are no protobuf message."""


def _check_model(model: memoryview, what: str) -> None:
    graphs, own = [], set()
    for number, value in _fields(model):
        if isinstance(value, int):
            continue
        if number == _MODEL_GRAPH:
            graphs.append(value)
        elif number == _MODEL_FUNCTION:
            own |= {_text(entry) for key, entry in _fields(value) if key == _FUNCTION_DOMAIN}
            for key, entry in _fields(value):
                if key == _FUNCTION_NODE and not isinstance(entry, int):
                    graphs.append(_as_graph(entry))
    if not graphs:
        raise _MalformedError("it holds no graph")
    for graph in graphs:
        _check_graph(graph, what, own, 0)


def _as_graph(node: memoryview) -> memoryview:
    """A graph of one node, so that a function's nodes are looked at like a graph's."""
    size, length = bytearray(), len(node)
    while length > 127:
        size.append(length & 127 | 128)
        length >>= 7
    size.append(length)
    return memoryview(b"\x0a" + bytes(size) + bytes(node))


def _check_graph(graph: memoryview, what: str, own: set[str], depth: int) -> None:
    if depth > _DEEPEST:
        raise _MalformedError("its graphs lie in each other too deeply")
    for number, value in _fields(graph):
        if isinstance(value, int):
            continue
        if number == _GRAPH_NODE:
            _check_node(value, what, own, depth)
        elif number == _GRAPH_TENSOR:
            _check_tensor(value, what)
        elif number == _GRAPH_SPARSE:
            _check_sparse(value, what)


def _check_node(node: memoryview, what: str, own: set[str], depth: int) -> None:
    kind, domain, attributes = "", "", []
    for number, value in _fields(node):
        if number == _NODE_KIND:
            kind = _text(value)
        elif number == _NODE_DOMAIN:
            domain = _text(value)
        elif number == _NODE_ATTRIBUTE and not isinstance(value, int):
            attributes.append(value)
    if domain not in _KNOWN_DOMAINS and domain not in own:
        raise ModelRefused(
            f"{what}: operator {kind!r} is of {domain!r}, which is neither ONNX's nor onnxruntime's own: nothing is "
            "loaded for it; export the model without it"
        )
    for attribute in attributes:
        for number, value in _fields(attribute):
            if isinstance(value, int):
                continue
            if number in (_ATTRIBUTE_TENSOR, _ATTRIBUTE_TENSORS):
                _check_tensor(value, what)
            elif number in (_ATTRIBUTE_GRAPH, _ATTRIBUTE_GRAPHS):
                _check_graph(value, what, own, depth + 1)
            elif number in (_ATTRIBUTE_SPARSE, _ATTRIBUTE_SPARSES):
                _check_sparse(value, what)


def _check_sparse(sparse: memoryview, what: str) -> None:
    for number, value in _fields(sparse):
        if number in (1, 2) and not isinstance(value, int):
            _check_tensor(value, what)


def _check_tensor(tensor: memoryview, what: str) -> None:
    name, outside = "", False
    for number, value in _fields(tensor):
        if number == _TENSOR_NAME:
            name = _text(value)
        outside = outside or number == _TENSOR_EXTERNAL or (number == _TENSOR_LOCATION and value != 0)
    if outside:
        raise ModelRefused(
            f"{what}: the weights {name!r} lie in another file, which no hash covers: save the model as one file"
        )


def _text(value: memoryview | int) -> str:
    return "" if isinstance(value, int) else bytes(value[:_LONGEST_NAME]).decode("utf-8", errors="replace")


_LONGEST_NAME = 200


def _fields(message: memoryview) -> Iterator[Field]:
    """Number and value of each field; a value is an int, or the bytes of a text, a message or packed numbers."""
    at, end = 0, len(message)
    while at < end:
        key, at = _varint(message, at)
        number, kind = key >> 3, key & 7
        if number == 0:
            raise _MalformedError("a field without a number")
        if kind == 0:
            value, at = _varint(message, at)
            yield number, value
        elif kind == 2:
            length, at = _varint(message, at)
            if at + length > end:
                raise _MalformedError("it ends early")
            yield number, message[at : at + length]
            at += length
        elif kind in (1, 5):
            at += 8 if kind == 1 else 4
            if at > end:
                raise _MalformedError("it ends early")
        else:
            raise _MalformedError("a field of no known kind")


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        if at >= len(message) or shift > 63:
            raise _MalformedError("it ends early" if at >= len(message) else "a number without an end")
        byte = message[at]
        at += 1
        number |= (byte & 127) << shift
        if byte < 128:
            return number, at
        shift += 7
