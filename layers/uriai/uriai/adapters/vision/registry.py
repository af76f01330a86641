"""The models on disk or in the models bucket: found, checked against their hash and their contract, opened with
onnxruntime.

A model is refused, with the reason, before it has seen a single frame: when its bytes are not those its manifest names,
when its graph has other inputs or outputs than its role prescribes, or when manifest and graph disagree. What was
hashed is what is loaded: the session is made from the very bytes that were checked.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import onnxruntime

from uriai.domain.model_set import ModelReference, ModelSet

ROLES = ("violence", "face", "emotion")
"""What every analyser needs."""


class ModelRefused(Exception):  # noqa: N818 - the outcome of a check, as `uriai models verify` words it
    """A model cannot be used; the message names the model, what is wrong with it and what to do."""


@dataclass(frozen=True, slots=True)
class Tensor:
    """An input or output: ``shape`` holds an int where the size is fixed and a name where it is free."""

    name: str
    dtype: str
    shape: tuple[int | str, ...]


@dataclass(frozen=True, slots=True)
class Manifest:
    """What ``models/NAME/manifest.json`` says of a model. ``folder`` is where it lies; unknown keys are ignored."""

    folder: Path
    role: str
    reference: ModelReference
    file: str
    licence: str
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]

    @property
    def path(self) -> Path:
        """The ONNX file."""
        return self.folder / self.file


@dataclass(frozen=True, slots=True)
class Model:
    """An opened model. ``inputs`` and ``outputs`` are those of the graph, in its order."""

    role: str
    reference: ModelReference
    session: Any
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]

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
}


class ModelSource(ABC):
    """Where models come from."""

    @abstractmethod
    def read(self, role: str) -> tuple[ModelReference, bytes, Manifest | None]:
        """The model of a role: what it is called, its bytes, and its manifest where there is one.

        The bytes have been hashed and are those the reference names.

        Raises
        ------
        ModelRefused
            If there is none, or its bytes are others.
        """


class LocalModels(ModelSource):
    """A folder like ``models/`` of the repository: ``NAME/manifest.json`` and ``NAME/model.onnx``.

    ``set.json``, where there is one, names the folder of each role, as text or as ``{"name": folder, "sha256": hash}``;
    else the folder has the role's name.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def manifest(self, role: str) -> Manifest:
        """Read the manifest of a role. Raises `ModelRefused`."""
        name, sha256 = self._chosen(role)
        manifest = read_manifest(self._folder / name)
        if manifest.role != role:
            raise ModelRefused(f"{manifest.folder}: its manifest says role {manifest.role!r}, it is chosen as {role!r}")
        if sha256 not in ("", manifest.reference.sha256):
            raise ModelRefused(
                f"{manifest.folder}: set.json wants the model with SHA-256 {sha256[:16]}…, here lies another"
            )
        return manifest

    def read(self, role: str) -> tuple[ModelReference, bytes, Manifest | None]:
        """See `ModelSource.read`."""
        manifest = self.manifest(role)
        try:
            content = manifest.path.read_bytes()
        except OSError as error:
            raise ModelRefused(
                f"model {manifest.reference.name}: {manifest.path} cannot be read: {error.strerror}"
            ) from error
        _check_hash(manifest.reference, content, str(manifest.path))
        return manifest.reference, content, manifest

    def _chosen(self, role: str) -> tuple[str, str]:
        """The folder of a role, and the hash it has to have where set.json says so."""
        path = self._folder / "set.json"
        if not path.is_file():
            return role, ""
        entry = _read_json(path).get(role)
        name, sha256 = (entry.get("name"), entry.get("sha256", "")) if isinstance(entry, dict) else (entry, "")
        if not isinstance(name, str) or not isinstance(sha256, str) or not name or Path(name).name != name:
            raise ModelRefused(f"{path}: {role!r} has to be the name of a folder beside it, not {entry!r}")
        return name, sha256


class FetchedModels(ModelSource):
    """Models by content: objects ``models/sha256/{sha256}``, kept in a folder between runs.

    Parameters
    ----------
    models:
        What to use for each role.
    folder:
        Where fetched files stay (``MODELS_DIR``); made when missing.
    fetch:
        Writes the object of a hex SHA-256 into an open file. What it raises passes through: it is worth another try.
    """

    def __init__(self, models: ModelSet, folder: Path, fetch: Callable[[str, BinaryIO], None]) -> None:
        self._models = models
        self._folder = folder
        self._fetch = fetch

    def read(self, role: str) -> tuple[ModelReference, bytes, Manifest | None]:
        """See `ModelSource.read`."""
        reference = self._models.roles.get(role)
        if reference is None:
            raise ModelRefused(
                f"the deployment names no model for role {role!r}: MODEL_SET has to hold {', '.join(ROLES)}"
            )
        path = self._folder / reference.sha256
        kept = path.read_bytes() if path.is_file() else b""
        if hashlib.sha256(kept).hexdigest() == reference.sha256:
            return reference, kept, None
        content = self._fetched(reference, path)
        return reference, content, None

    def _fetched(self, reference: ModelReference, path: Path) -> bytes:
        """Fetch beside the final place, check, then move there: a file of that name is always whole."""
        self._folder.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=self._folder, prefix=".fetching-")
        part = Path(name)
        try:
            with os.fdopen(handle, "wb") as file:
                self._fetch(reference.sha256, file)
            content = part.read_bytes()
            _check_hash(reference, content, f"object models/sha256/{reference.sha256}")
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
        return content


def read_manifest(folder: Path) -> Manifest:
    """Read ``manifest.json`` of a model's folder.

    Raises
    ------
    ModelRefused
        If it is missing, no JSON, or lacks a key; the message names it.
    """
    path = folder / "manifest.json"
    values = _read_json(path)
    try:
        licence = values.get("licence", {})
        return Manifest(
            folder=folder,
            role=str(values["role"]),
            reference=ModelReference(str(values["name"]), str(values["version"]), str(values["sha256"])),
            file=str(values.get("file", "model.onnx")),
            licence=str(licence.get("spdx", "") if isinstance(licence, dict) else licence),
            inputs=_tensors(values["inputs"]),
            outputs=_tensors(values["outputs"]),
        )
    except KeyError as error:
        raise ModelRefused(f"{path}: key {error.args[0]!r} is missing") from error
    except (TypeError, ValueError) as error:
        raise ModelRefused(f"{path}: {error}") from error


def open_model(source: ModelSource, role: str, threads: int = 1) -> Model:
    """Read, check and open the model of a role.

    Parameters
    ----------
    threads:
        Of onnxruntime within one operator. One is the cheapest in CPU time; more is sooner on an idle machine.

    Raises
    ------
    ModelRefused
        If it does not match its hash, its manifest or its role's contract, or onnxruntime cannot open it.
    """
    reference, content, manifest = source.read(role)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    # spinning threads burn CPU time that is paid for while they wait
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    try:
        session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise ModelRefused(f"model {reference.name}: onnxruntime cannot open it: {str(error)[:300]}") from error
    model = Model(role, reference, session, _of_graph(session.get_inputs()), _of_graph(session.get_outputs()))
    _check_contract(model)
    if manifest is not None:
        _check_manifest(model, manifest)
    return model


def _check_hash(reference: ModelReference, content: bytes, where: str) -> None:
    found = hashlib.sha256(content).hexdigest()
    if found != reference.sha256:
        raise ModelRefused(
            f"model {reference.name}: {where} has SHA-256 {found[:16]}…, the manifest names {reference.sha256[:16]}…: "
            "restore the file or register the new one"
        )


def _check_contract(model: Model) -> None:
    contracts = _CONTRACTS.get(model.role)
    if contracts is None:
        raise ModelRefused(f"model {model.reference.name}: there is no role {model.role!r}, only {', '.join(ROLES)}")
    name = f"model {model.reference.name} as {model.role}"
    inputs, outputs = {t.name: t for t in model.inputs}, {t.name: t for t in model.outputs}
    contract = next((contract for contract in contracts if set(contract.inputs) == set(inputs)), None)
    if contract is None:
        wanted = " or ".join(str(sorted(contract.inputs)) for contract in contracts)
        raise ModelRefused(f"{name}: inputs are {sorted(inputs)}, they have to be {wanted}")
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


def _check_manifest(model: Model, manifest: Manifest) -> None:
    """Names, types, ranks and fixed sizes in the manifest have to be the graph's; how a free size is called is nobody's
    business.
    """
    for kind, stated, found in (("input", manifest.inputs, model.inputs), ("output", manifest.outputs, model.outputs)):
        graph = {tensor.name: tensor for tensor in found}
        for tensor in stated:
            other = graph.get(tensor.name)
            if other is None:
                raise ModelRefused(f"{manifest.folder / 'manifest.json'}: {kind} {tensor.name!r} is not in the graph")
            sizes = [size if isinstance(size, int) else None for size in tensor.shape]
            if tensor.dtype != other.dtype or not _fits(other.shape, tuple(sizes)):
                raise ModelRefused(
                    f"{manifest.folder / 'manifest.json'}: {kind} {_words(tensor)}, in the graph {_words(other)}"
                )


def _fits(shape: tuple[int | str, ...], pattern: tuple[int | None, ...]) -> bool:
    return len(shape) == len(pattern) and all(
        wanted is None or size == wanted or isinstance(size, str) for size, wanted in zip(shape, pattern, strict=True)
    )


def _words(tensor: Tensor) -> str:
    return f"{tensor.name!r} is {tensor.dtype} {list(tensor.shape)}"


def _pattern(shape: tuple[int | None, ...]) -> str:
    return "[" + ", ".join("any" if size is None else str(size) for size in shape) + "]"


def _of_graph(nodes: list[Any]) -> tuple[Tensor, ...]:
    types = {"tensor(float)": "float32", "tensor(uint8)": "uint8"}
    return tuple(
        Tensor(
            node.name, types.get(node.type, node.type), tuple(s if isinstance(s, int) else str(s) for s in node.shape)
        )
        for node in nodes
    )


def _tensors(values: Any) -> tuple[Tensor, ...]:
    return tuple(
        Tensor(
            str(entry["name"]), str(entry["dtype"]), tuple(s if isinstance(s, int) else str(s) for s in entry["shape"])
        )
        for entry in values
    )


def _read_json(path: Path) -> dict[str, Any]:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ModelRefused(
            f"{path} cannot be read: {error.strerror}; train the model or restore it from the repository"
        ) from error
    except ValueError as error:
        raise ModelRefused(f"{path} is no JSON: {error}") from error
    if not isinstance(values, dict):
        raise ModelRefused(f"{path} has to hold one JSON object")
    return values
