"""Two violence models as one graph: what both compute alike is computed once."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import onnx
from onnx import NodeProto, TensorProto, compose, helper, numpy_helper, version_converter

from models.tools.head import Nodes, finished, opset_of
from models.tools.tally import ToolError

Sizes = tuple[int | str, ...]
PREFIXES = ("first_", "second_")


@dataclass(frozen=True)
class Merged:
    """The graph of a stack; ``shared`` is the share of the second model's nodes that the first computes as well."""

    content: bytes
    shared: float


def check(first: bytes, second: bytes) -> None:
    """Raises ``ToolError`` when two graphs cannot be stacked, before anything costly begins."""
    _check((onnx.load_from_string(first), onnx.load_from_string(second)))


def stacked(first: bytes, second: bytes, weights: tuple[float, float], offset: float) -> Merged:
    """Probability = sigmoid(weights . both log odds + offset), in the contract of a violence model.

    ``tokens`` and ``before`` are those of both models, one behind the other; where both make the same, they are there
    once. Raises ``ToolError`` for models that do not look at the same pictures.
    """
    models = _same_opset(onnx.load_from_string(first), onnx.load_from_string(second))
    halves = _check(models)
    joined = _Joined(models, halves)
    if halves and joined.tokens[0] != joined.tokens[1]:
        joined = _Joined(models, halves, apart=True)
    build, outputs = joined.build, []
    odds = [build.log_odds(name) for name in joined.probabilities]
    terms = [build("Mul", name, build.constant(weight)) for name, weight in zip(odds, weights, strict=True)]
    build("Sigmoid", build("Add", build("Add", *terms), build.constant(offset)), out="probability")
    outputs.append(helper.make_tensor_value_info("probability", TensorProto.FLOAT, ["n"]))
    if halves:
        if joined.apart:
            build("Concat", *joined.tokens, out="tokens", axis=2)
        else:
            build("Identity", joined.tokens[0], out="tokens")
        outputs.append(helper.make_tensor_value_info("tokens", TensorProto.FLOAT, joined.sizes))
    return Merged(finished(joined.model, build, outputs), joined.shared)


class _Joined:
    """Nodes of both models behind the same inputs. ``apart``: each has its own part of ``before``."""

    def __init__(self, models: tuple[onnx.ModelProto, onnx.ModelProto], halves: bool, apart: bool = False) -> None:
        self.apart = apart
        self.build = Nodes(opset_of(models[0]), "stack_")
        named = [compose.add_prefix(m, p, rename_inputs=False) for m, p in zip(models, PREFIXES, strict=True)]
        widths = [_sizes(_of(m.graph.input, "before"))[2] for m in models] if halves else [0, 0]
        same = {} if any(_has_inner(m.graph) for m in named) else _alike(named, apart)
        self.shared = sum(n.output[0] in same for n in named[1].graph.node) / max(1, len(named[1].graph.node))
        self.model = onnx.ModelProto()
        self.model.CopyFrom(named[0])
        graph = self.model.graph
        starts: list[NodeProto] = []
        if apart:
            cuts = (0, int(widths[0]), int(widths[0]) + int(widths[1]))
            for k, source in enumerate(named):
                own = self.build.part("before", cuts[k], cuts[k + 1], 2)
                _reread(source.graph.node, {"before": own})
            starts, self.build.nodes = self.build.nodes, []
        nodes = [*starts, *named[0].graph.node, *(n for n in named[1].graph.node if n.output[0] not in same)]
        _reread(nodes, same)
        del graph.node[:]
        graph.node.extend(nodes)
        graph.initializer.extend(named[1].graph.initializer)
        _join_functions(self.model, named[1])
        self.probabilities = [same.get(f"{p}probability", f"{p}probability") for p in PREFIXES]
        self.tokens = [same.get(f"{p}tokens", f"{p}tokens") for p in PREFIXES] if halves else []
        self.sizes: list[Any] = []
        if halves:
            before = _of(graph.input, "before")
            total = int(widths[0]) + int(widths[1]) if apart else int(widths[0])
            self.sizes = ["n", _sizes(before)[1], total]
            before.type.tensor_type.shape.dim[2].dim_value = total


def _alike(models: list[onnx.ModelProto], apart: bool) -> dict[str, str]:
    """Name -> the name of what holds the same value: weights by content, nodes by what they do to the same inputs."""
    same: dict[str, str] = {}
    known: dict[Any, list[str]] = {}
    for number, model in enumerate(models):
        for tensor in model.graph.initializer:
            content = hashlib.sha256(numpy_helper.to_array(tensor).tobytes()).digest()
            first = known.setdefault((tensor.data_type, tuple(tensor.dims), content), [tensor.name])
            if first[0] != tensor.name:
                same[tensor.name] = first[0]
        for node in model.graph.node:
            # each model has its own half window before, when their tokens differ
            own = {"before": f"before {number}"} if apart else {}
            reads = tuple(own.get(name, same.get(name, name)) for name in node.input)
            if node.op_type == "Identity" and not apart:
                same[node.output[0]] = reads[0]
                continue
            does = tuple(sorted(attribute.SerializeToString(deterministic=True) for attribute in node.attribute))
            first = known.setdefault((node.domain, node.op_type, does, reads, len(node.output)), list(node.output))
            if first != list(node.output):
                same.update(zip(node.output, first, strict=True))
    return same


def _reread(nodes: Any, names: dict[str, str]) -> None:
    for node in nodes:
        for index, name in enumerate(node.input):
            node.input[index] = names.get(name, name)


def _has_inner(graph: onnx.GraphProto) -> bool:
    return any(a.HasField("g") or a.graphs for node in graph.node for a in node.attribute)


def _join_functions(model: onnx.ModelProto, other: onnx.ModelProto) -> None:
    model.functions.extend(other.functions)
    known = {entry.domain for entry in model.opset_import}
    model.opset_import.extend(entry for entry in other.opset_import if entry.domain not in known)


def _same_opset(first: onnx.ModelProto, second: onnx.ModelProto) -> tuple[onnx.ModelProto, onnx.ModelProto]:
    versions = opset_of(first), opset_of(second)
    newest = max(versions)
    try:
        models = [
            m if v == newest else version_converter.convert_version(m, newest)
            for m, v in zip((first, second), versions, strict=True)
        ]
    except RuntimeError as error:
        raise ToolError(
            f"the models use ONNX operators of versions {versions[0]} and {versions[1]}, and one cannot be converted: "
            f"{str(error)[:120]}"
        ) from error
    for model in models:
        model.ir_version = max(m.ir_version for m in models)
    return models[0], models[1]


def _check(models: tuple[onnx.ModelProto, onnx.ModelProto]) -> bool:
    """Whether the models look at half windows. Raises ``ToolError`` when they look at different pictures."""
    inputs = [{value.name: value for value in m.graph.input} for m in models]
    if any("frames" not in found for found in inputs):
        raise ToolError("only models that look at whole windows (`frames`) can be stacked, no box detectors")
    if set(inputs[0]) != set(inputs[1]):
        raise ToolError("one model looks at whole windows, the other at halves: they cannot share their pictures")
    kinds = [(f["frames"].type.tensor_type.elem_type, _sizes(f["frames"])[1:]) for f in inputs]
    if kinds[0] != kinds[1]:
        raise ToolError(f"the models want other pictures: {kinds[0][1]} and {kinds[1][1]}")
    return "before" in inputs[0]


def _of(values: Any, name: str) -> onnx.ValueInfoProto:
    found: onnx.ValueInfoProto = next(value for value in values if value.name == name)
    return found


def _sizes(value: onnx.ValueInfoProto) -> Sizes:
    return tuple(d.dim_param or d.dim_value for d in value.type.tensor_type.shape.dim)
