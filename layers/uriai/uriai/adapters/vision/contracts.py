"""What a role prescribes of a graph, and what a manifest says of it: compared before a single frame is seen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from uriai.adapters.vision.manifests import Manifest, ModelRefused, Tensor
from uriai.domain.model_set import ModelReference

ROLES = ("violence", "face", "emotion", "person", "age")
"""What every analyser needs."""


@dataclass(frozen=True, slots=True)
class Model:
    """An opened model. ``inputs`` and ``outputs`` are those of the graph, in its order; ``metadata`` what its exporter
    left in it; ``manifest`` None only where the deployment names none.
    """

    role: str
    reference: ModelReference
    session: Any
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    manifest: Manifest | None = None
    metadata: Mapping[str, str] | None = None

    def run(self, **feeds: Any) -> list[Any]:
        """Outputs in the graph's order, as numpy arrays."""
        outputs: list[Any] = self.session.run(None, feeds)
        return outputs


@dataclass(frozen=True, slots=True)
class _Contract:
    """Names, types and shapes a role prescribes; None stands for any size, fixed or free."""

    inputs: Mapping[str, tuple[tuple[str, ...], tuple[int | None, ...]]]
    outputs: Mapping[str, tuple[int | None, ...]]


_FLOAT, _PIXELS = ("float32",), ("uint8", "float32")
_FRAMES = {"frames": (_PIXELS, (None, None, None, None, 3))}
_CONTRACTS: Mapping[str, tuple[_Contract, ...]] = {
    # a whole window at once, or half a window and what was made of the half before it (windows overlap by half)
    "violence": (
        _Contract(_FRAMES, {"probability": (None,)}),
        _Contract(
            {**_FRAMES, "before": (_FLOAT, (None, None, None))}, {"probability": (None,), "tokens": (None, None, None)}
        ),
    ),
    "face": (
        _Contract(
            {"image": (_FLOAT, (None, 3, None, None))},
            {"heatmap": (None, 1, None, None), "scale": (None, 2, None, None), "offset": (None, 2, None, None)},
        ),
    ),
    "emotion": (_Contract({"faces": (_FLOAT, (None, 1, 48, 48))}, {"probabilities": (None, 7)}),),
    "person": (
        _Contract(
            {"image": (_FLOAT, (None, 3, None, None))},
            {f"{kind}_{stride}": (None, None, None) for stride in (8, 16, 32) for kind in ("scores", "distances")},
        ),
    ),
    "age": (_Contract({"faces": (_FLOAT, (None, 3, 64, 64))}, {"probabilities": (None, 81)}),),
}
BOX_DETECTOR_ROLES = ("violence",)
"""Roles that a box detector may fill, chosen by ``detector`` in its manifest; its contract is `yolo`'s."""


def check_contract(model: Model) -> None:
    """Names, types and shapes of the graph are those that its role prescribes. Raises `ModelRefused`."""
    contracts = _CONTRACTS.get(model.role)
    if contracts is None:
        raise ModelRefused(
            f"model {model.reference.name}: there is no role {model.role!r}, only {', '.join(_CONTRACTS)}"
        )
    name = f"model {model.reference.name} as {model.role}"
    inputs, outputs = {t.name: t for t in model.inputs}, {t.name: t for t in model.outputs}
    contract = next((contract for contract in contracts if set(contract.inputs) == set(inputs)), None)
    if contract is None:
        wanted = " or ".join(str(sorted(contract.inputs)) for contract in contracts)
        raise ModelRefused(f"{name}: inputs are {sorted(inputs)}, they have to be {wanted}{_hint(model)}")
    for key, (dtypes, shape) in contract.inputs.items():
        if inputs[key].dtype not in dtypes or not _fits(inputs[key].shape, shape):
            raise ModelRefused(
                f"{name}: input {_words(inputs[key])}, it has to be {' or '.join(dtypes)} {_pattern(shape)}"
            )
    for key, shape in contract.outputs.items():
        if key not in outputs:
            raise ModelRefused(f"{name}: there is no output {key!r} among {sorted(outputs)}")
        if outputs[key].dtype != "float32" or not _fits(outputs[key].shape, shape):
            raise ModelRefused(f"{name}: output {_words(outputs[key])}, it has to be float32 {_pattern(shape)}")


def _hint(model: Model) -> str:
    """A box detector without its settings fails here: say what is missing."""
    if model.role in BOX_DETECTOR_ROLES and [len(tensor.shape) for tensor in model.inputs] == [4]:
        return '; a YOLOv5 needs "detector": {"type": "yolov5"} in its manifest, see docs/yolo-detector.md'
    return ""


def check_manifest(model: Model, manifest: Manifest) -> None:
    """Names, types, ranks and fixed sizes in the manifest have to be the graph's; how a free size is called is nobody's
    business. Raises `ModelRefused`.
    """
    for kind, stated, found in (("input", manifest.inputs, model.inputs), ("output", manifest.outputs, model.outputs)):
        graph = {tensor.name: tensor for tensor in found}
        for tensor in stated:
            other = graph.get(tensor.name)
            if other is None:
                raise ModelRefused(f"{manifest.where}: {kind} {tensor.name!r} is not in the graph")
            sizes = [size if isinstance(size, int) else None for size in tensor.shape]
            if tensor.dtype != other.dtype or not _fits(other.shape, tuple(sizes)):
                raise ModelRefused(f"{manifest.where}: {kind} {_words(tensor)}, in the graph {_words(other)}")


def of_graph(nodes: list[Any]) -> tuple[Tensor, ...]:
    """Inputs or outputs as onnxruntime lists them."""
    types = {"tensor(float)": "float32", "tensor(uint8)": "uint8", "tensor(float16)": "float16"}
    return tuple(
        Tensor(
            node.name, types.get(node.type, node.type), tuple(s if isinstance(s, int) else str(s) for s in node.shape)
        )
        for node in nodes
    )


def _fits(shape: tuple[int | str, ...], pattern: tuple[int | None, ...]) -> bool:
    return len(shape) == len(pattern) and all(
        wanted is None or size == wanted or isinstance(size, str) for size, wanted in zip(shape, pattern, strict=True)
    )


def _words(tensor: Tensor) -> str:
    return f"{tensor.name!r} is {tensor.dtype} {list(tensor.shape)}"


def _pattern(shape: tuple[int | None, ...]) -> str:
    return "[" + ", ".join("any" if size is None else str(size) for size in shape) + "]"
