"""How many floating point operations a graph takes, counted from its nodes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from models.common import runtime

Shape = tuple[int, ...]
COUNTED = ("Conv", "MatMul", "Gemm", "LSTM")


def gflops(model: bytes, feeds: Mapping[str, NDArray[Any]]) -> float:
    """Billions of operations of one call with these inputs; a multiply-add counts as two.

    Convolutions, matrix products and LSTMs are counted, as papers do; the rest is small beside them. The graph is run
    once, so that every size is the one that it really has. Raises ``ValueError`` for a product of two computed values.
    """
    graph = onnx.load_from_string(model)
    counted = [node for node in graph.graph.node if node.op_type in COUNTED]
    present = {value.name for value in graph.graph.output}
    names = [node.output[0] for node in counted]
    graph.graph.output.extend(onnx.ValueInfoProto(name=name) for name in names if name not in present)
    shapes = [found.shape for found in runtime.session(graph.SerializeToString()).run(names, dict(feeds))]
    weights = {tensor.name: tuple(tensor.dims) for tensor in graph.graph.initializer}
    for node in graph.graph.node:
        # widened, or scaled channel by channel, a stored weight keeps its shape
        if node.op_type in ("Cast", "Identity", "Mul") and node.input[0] in weights:
            weights[node.output[0]] = weights[node.input[0]]
        if node.op_type == "Transpose" and node.input[0] in weights:
            weights[node.output[0]] = weights[node.input[0]][::-1]
    return 2 * sum(_multiply_adds(node, shape, weights) for node, shape in zip(counted, shapes, strict=True)) / 1e9


def _multiply_adds(node: onnx.NodeProto, out: Shape, weights: Mapping[str, Shape]) -> int:
    if node.input[1] not in weights:
        raise ValueError(f"{node.op_type} {node.name!r} does not multiply by a stored weight")
    weight = weights[node.input[1]]
    if node.op_type == "Conv":  # weight [out, in / groups, kernel, kernel]
        return int(np.prod(out) * np.prod(weight[1:]))
    if node.op_type == "LSTM":  # out [T, directions, N, H]; weights [directions, 4H, I] and [directions, 4H, H]
        again = weights[node.input[2]]
        return int(np.prod(out[:3]) * weight[1] * (weight[2] + again[2]))
    inner = np.prod(weight) / out[-1]
    return int(np.prod(out) * inner)
