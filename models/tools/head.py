"""ONNX nodes for a reader of tokens, put behind the graph whose tokens it reads."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from onnx import NodeProto, TensorProto, compose, helper, numpy_helper

from models.tools.ridge import Linear
from models.tools.tally import ToolError
from models.tools.watching import LEAST

_LEAST_OPSET, _AXES_ARE_INPUTS = 13, 18


def opset_of(model: onnx.ModelProto) -> int:
    """The version of ONNX's own operators. Raises ``ToolError`` for one too old to build upon."""
    found = next((o.version for o in model.opset_import if o.domain in ("", "ai.onnx")), 0)
    if found < _LEAST_OPSET:
        raise ToolError(f"the model uses ONNX operators of version {found}; at least {_LEAST_OPSET} is needed")
    return int(found)


class Nodes:
    """Builds nodes one after the other; each call gives the name of what the node answers."""

    def __init__(self, opset: int, prefix: str) -> None:
        self._opset, self._prefix = opset, prefix
        self.nodes: list[NodeProto] = []
        self.constants: list[TensorProto] = []

    def __call__(self, op: str, *inputs: str, out: str = "", **attributes: Any) -> str:
        """Add a node of one output, named ``out`` or by itself."""
        name = out or f"{self._prefix}{op.lower()}_{len(self.nodes)}"
        label = f"{self._prefix}{len(self.nodes)}_{op}"
        self.nodes.append(helper.make_node(op, list(inputs), [name], name=label, **attributes))
        return name

    def constant(self, value: object, kind: type = np.float32) -> str:
        """An initializer."""
        name = f"{self._prefix}constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(value, kind), name))
        return name

    def reduce(self, op: str, value: str, axis: int, keep: bool = False) -> str:
        """ReduceMean or ReduceMax along one axis."""
        if self._opset >= _AXES_ARE_INPUTS:
            return self(op, value, self.constant([axis], np.int64), keepdims=int(keep))
        return self(op, value, axes=[axis], keepdims=int(keep))

    def part(self, value: str, start: int, end: int, axis: int) -> str:
        """A slice along one axis."""
        return self("Slice", value, *(self.constant([n], np.int64) for n in (start, end, axis)))

    def summary(self, tokens: str) -> str:
        """What ``watching.summarise`` computes, of tokens [n, T, K]: [n, 4K]."""
        mean = self.reduce("ReduceMean", tokens, 1, keep=True)
        away = self("Sub", tokens, mean)
        deviation = self("Sqrt", self.reduce("ReduceMean", self("Mul", away, away), 1))
        last = np.iinfo(np.int64).max
        change = self("Abs", self("Sub", self.part(tokens, 1, last, 1), self.part(tokens, 0, -1, 1)))
        parts = (
            self.reduce("ReduceMean", tokens, 1),
            deviation,
            self.reduce("ReduceMax", tokens, 1),
            self.reduce("ReduceMean", change, 1),
        )
        return self("Concat", *parts, axis=1)

    def log_odds(self, probability: str) -> str:
        """What ``watching.log_odds`` computes."""
        p = self("Clip", probability, self.constant(LEAST), self.constant(1 - LEAST))
        return self("Log", self("Div", p, self("Sub", self.constant(1.0), p)))


def with_reader(content: bytes, reader: Linear) -> bytes:
    """The graph with ``reader``'s probability in place of its own; inputs and tokens stay as they are.

    Raises ``ToolError`` when what comes out is no valid graph.
    """
    base = onnx.load_from_string(content)
    opset = opset_of(base)
    tokens = next(value for value in base.graph.output if value.name == "tokens")
    probability = helper.make_tensor_value_info("probability", TensorProto.FLOAT, ["n"])
    model = compose.add_prefix(base, "base_", rename_inputs=False)
    build = Nodes(opset, "reader_")
    build("Identity", "base_tokens", out="tokens")
    summary = build.summary(build("Concat", "before", "base_tokens", axis=1))
    score = build("MatMul", summary, build.constant(reader.weights[:, None]))
    score = build("Add", build("Squeeze", score, build.constant([1], np.int64)), build.constant(reader.offset))
    if reader.share:
        score = build("Add", score, build("Mul", build.log_odds("base_probability"), build.constant(reader.share)))
    build("Sigmoid", score, out="probability")
    return finished(model, build, [probability, tokens])


def finished(model: onnx.ModelProto, build: Nodes, outputs: list[onnx.ValueInfoProto]) -> bytes:
    """The model with the built nodes and other outputs, without what nothing needs any more, checked."""
    graph = model.graph
    graph.node.extend(build.nodes)
    graph.initializer.extend(build.constants)
    del graph.output[:]
    graph.output.extend(outputs)
    _drop_unused(graph)
    try:
        onnx.checker.check_model(model)
    except onnx.checker.ValidationError as error:
        raise ToolError(f"the graphs do not fit together: {str(error).splitlines()[0]}") from error
    return bytes(model.SerializeToString())


def _drop_unused(graph: onnx.GraphProto) -> None:
    """Take away nodes and weights that lead to no output; a graph inside a node may read any name outside."""
    needed = {value.name for value in graph.output}
    kept = []
    for node in reversed(graph.node):
        if needed & set(node.output):
            kept.append(node)
            needed |= _reads(node)
    nodes, weights = kept[::-1], [tensor for tensor in graph.initializer if tensor.name in needed]
    del graph.node[:]
    graph.node.extend(nodes)
    del graph.initializer[:]
    graph.initializer.extend(weights)
    del graph.value_info[:]


def _reads(node: NodeProto) -> set[str]:
    found = set(node.input)
    for attribute in node.attribute:
        for inner in (*([attribute.g] if attribute.HasField("g") else []), *attribute.graphs):
            for child in inner.node:
                found |= _reads(child)
            found |= {value.name for value in inner.output}
    return found
