"""The models on disk or in the models bucket: found, checked against their hash and their contract, opened with
onnxruntime.

A model is refused, with the reason, before it has seen a single frame: when its bytes are not those its manifest names,
when they ask for other files or foreign operators, when its graph has other inputs or outputs than its role prescribes,
or when manifest and graph disagree. What was hashed is what is loaded: the session is made from the very bytes that
were checked.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO, cast

import onnxruntime

from uriai.adapters.vision.contracts import (
    BOX_DETECTOR_ROLES,
    ROLES,
    Model,
    check_contract,
    check_manifest,
    of_graph,
)
from uriai.adapters.vision.manifests import (
    LARGEST_MANIFEST,
    LARGEST_MODEL,
    Manifest,
    ModelRefused,
    Tensor,
    check_hash,
    inside,
    model_bytes,
    parse_json,
    parse_manifest,
    read_manifest,
    read_small,
)
from uriai.adapters.vision.onnx_file import check_onnx
from uriai.domain.model_set import ModelReference, ModelSet

__all__ = [
    "ROLES",
    "FetchedModels",
    "LocalModels",
    "Manifest",
    "Model",
    "ModelRefused",
    "ModelSource",
    "Tensor",
    "open_model",
    "read_manifest",
]


class ModelSource(ABC):
    """Where models come from."""

    @abstractmethod
    def read(self, role: str) -> tuple[ModelReference, bytes, Manifest | None]:
        """The model of a role: what it is called, its bytes, and its manifest where there is one.

        The bytes have been hashed and are those the reference names; so are the manifest's.

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
        manifest = self.of_folder(name)
        if manifest.role != role:
            raise ModelRefused(f"{manifest.folder}: its manifest says role {manifest.role!r}, it is chosen as {role!r}")
        if sha256 not in ("", manifest.reference.sha256):
            raise ModelRefused(
                f"{manifest.folder}: set.json wants the model with SHA-256 {sha256[:16]}…, here lies another"
            )
        return manifest

    def of_folder(self, name: str) -> Manifest:
        """Read the manifest of a folder beside set.json, chosen or not. Raises `ModelRefused`."""
        return read_manifest(inside(self._folder / name, self._folder))

    def others(self) -> tuple[str, ...]:
        """The folders that hold a manifest and that no role has chosen."""
        path = self._folder / "set.json"
        roles = parse_json(read_small(path), str(path)) if path.is_file() else dict.fromkeys(ROLES)
        chosen = {self._chosen(role)[0] for role in roles}
        found = sorted(path.parent.name for path in self._folder.glob("*/manifest.json"))
        return tuple(name for name in found if name not in chosen)

    def read(self, role: str) -> tuple[ModelReference, bytes, Manifest | None]:
        """See `ModelSource.read`."""
        manifest = self.manifest(role)
        return manifest.reference, model_bytes(manifest), manifest

    def _chosen(self, role: str) -> tuple[str, str]:
        """The folder of a role, and the hash it has to have where set.json says so."""
        path = self._folder / "set.json"
        if not path.is_file():
            return role, ""
        values = parse_json(read_small(path), str(path))
        entry = values.get(role)
        if role not in values:
            raise ModelRefused(f"{path} names no folder for role {role!r}: add {{{role!r}: FOLDER}}")
        name, sha256 = (entry.get("name"), entry.get("sha256", "")) if isinstance(entry, dict) else (entry, "")
        if not isinstance(name, str) or not isinstance(sha256, str) or not _is_plain(name):
            raise ModelRefused(f"{path}: {role!r} has to be the name of a folder beside it, not {entry!r}")
        return name, sha256


class FetchedModels(ModelSource):
    """Models by content: objects ``models/sha256/{sha256}``, kept in a folder between runs. A manifest is such an
    object too, by its own hash.

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
        manifest = None
        if reference.manifest:
            where = f"object models/sha256/{reference.manifest}, manifest of {reference.name}"
            content = self._object(reference.manifest, reference.name, LARGEST_MANIFEST)
            manifest = parse_manifest(content, where)
            _check_named(reference, manifest, role)
        return reference, self._object(reference.sha256, reference.name, LARGEST_MODEL), manifest

    def _object(self, sha256: str, name: str, limit: int) -> bytes:
        """The kept file, or else the fetched object."""
        path = self._folder / sha256
        kept = path.read_bytes() if path.is_file() else b""
        return kept if hashlib.sha256(kept).hexdigest() == sha256 else self._fetched(sha256, name, limit)

    def _fetched(self, sha256: str, name: str, limit: int) -> bytes:
        """Fetch beside the final place, check, then move there: a file of that name is always whole."""
        self._folder.mkdir(parents=True, exist_ok=True)
        handle, part_name = tempfile.mkstemp(dir=self._folder, prefix=".fetching-")
        part = Path(part_name)
        try:
            with os.fdopen(handle, "wb") as file:
                self._fetch(sha256, cast("BinaryIO", _Limited(file, limit, f"object models/sha256/{sha256}")))
            content = part.read_bytes()
            check_hash(name, sha256, content, f"object models/sha256/{sha256}")
            part.replace(self._folder / sha256)
        finally:
            part.unlink(missing_ok=True)
        return content


class _Limited:
    """A file that takes so many bytes and no more: a wrong object must not fill the disk."""

    def __init__(self, file: BinaryIO, limit: int, what: str) -> None:
        self._file, self._left, self._what = file, limit, what

    def write(self, data: bytes) -> int:
        self._left -= len(data)
        if self._left < 0:
            raise ModelRefused(f"{self._what} is larger than any model or manifest may be: upload the right one")
        return self._file.write(data)


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
    check_onnx(content, f"model {reference.name}")
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
    model = Model(
        role=role,
        reference=replace(reference, manifest=manifest.sha256 if manifest else ""),
        session=session,
        inputs=of_graph(session.get_inputs()),
        outputs=of_graph(session.get_outputs()),
        manifest=manifest,
        metadata=dict(session.get_modelmeta().custom_metadata_map),
    )
    if manifest is None or manifest.detector is None:
        check_contract(model)
    elif role not in BOX_DETECTOR_ROLES:
        raise ModelRefused(f"{manifest.where}: a model of role {role!r} takes no 'detector'")
    if manifest is not None:
        check_manifest(model, manifest)
    return model


def _check_named(reference: ModelReference, manifest: Manifest, role: str) -> None:
    """The deployment and the manifest speak of one and the same model."""
    named = (manifest.role, *_identity(manifest.reference))
    if named != (role, *_identity(reference)):
        raise ModelRefused(
            f"{manifest.where}: it describes {manifest.reference} as {manifest.role}, the deployment names {reference} "
            f"as {role}: deploy again"
        )


def _identity(reference: ModelReference) -> tuple[str, str, str]:
    return reference.name, reference.version, reference.sha256


def _is_plain(name: str) -> bool:
    return bool(name) and name not in (".", "..") and not set(name) & set("/\\:\0")
