"""``manifest.json`` beside every ``model.onnx``, read strictly: a slip of the pen in it must not go unnoticed.

A key that nobody knows, a value of another type, a path that leads out of the folder: each is refused with one reason
that names the file, what is wrong and what to do.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from uriai.adapters.vision.detector_settings import DetectorSettings, parse_detector, shown
from uriai.domain.model_set import ModelReference

LARGEST_MANIFEST = 1024 * 1024
"""Bytes; the longest of ours has some 10 KB."""
LARGEST_MODEL = 256 * 1024 * 1024
"""Bytes. Half of Lambda's smallest /tmp, and more than twenty times our largest model."""
KEYS = (
    "name", "version", "role", "file", "sha256", "bytes", "inputs", "outputs", "preprocessing", "classes", "detector",
    "licence", "training_data", "metrics", "thresholds", "tools",
)  # fmt: skip
_NEEDED = ("name", "version", "role", "sha256")
_FREE = ("preprocessing", "training_data", "metrics", "thresholds", "tools")
_LONGEST_TEXT = 200
_MOST_CLASSES = 1000


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
    """What ``models/NAME/manifest.json`` says of a model. ``sha256`` is that of the manifest itself, in hex.

    ``inputs`` and ``outputs`` may be left out where there is a ``detector``: its graph says them. ``where`` names the
    manifest in messages; ``folder`` is where the model lies, None when it did not come from a folder.
    """

    where: str
    folder: Path | None
    sha256: str
    role: str
    reference: ModelReference
    file: str
    licence: str
    inputs: tuple[Tensor, ...] = ()
    outputs: tuple[Tensor, ...] = ()
    classes: tuple[str, ...] = ()
    detector: DetectorSettings | None = None

    @property
    def path(self) -> Path:
        """The ONNX file. Raises `ModelRefused` when the manifest did not come from a folder, or it leads out of it."""
        if self.folder is None:
            raise ModelRefused(f"{self.where}: this manifest has no folder beside it")
        return inside(self.folder / self.file, self.folder)


def read_manifest(folder: Path) -> Manifest:
    """Read ``manifest.json`` of a model's folder.

    Raises
    ------
    ModelRefused
        If it is missing, no JSON, lacks a key, or says something that cannot be; the message names it.
    """
    path = inside(folder / "manifest.json", folder)
    return parse_manifest(read_small(path), str(path), folder)


def parse_manifest(content: bytes, where: str, folder: Path | None = None) -> Manifest:
    """Check the bytes of a manifest, as `read_manifest` does."""
    values = parse_json(content, where)
    unknown = sorted(set(values) - set(KEYS))
    if unknown:
        raise ModelRefused(f"{where}: unknown key {unknown[0]!r}; there are {', '.join(KEYS)}")
    try:
        return _manifest(values, where, folder, hashlib.sha256(content).hexdigest())
    except KeyError as error:
        raise ModelRefused(f"{where}: key {error.args[0]!r} is missing") from error
    except ValueError as error:
        raise ModelRefused(f"{where}: {error}") from error


def inside(path: Path, folder: Path) -> Path:
    """The path, if it lies in the folder when every symbolic link is followed.

    Raises
    ------
    ModelRefused
        If it does not.
    """
    try:
        resolved = path.resolve()
        if resolved.is_relative_to(folder.resolve()):
            return path
    except (OSError, RuntimeError, ValueError) as error:
        raise ModelRefused(f"{path} cannot be followed: {error}") from error
    raise ModelRefused(f"{path} leads out of {folder}, to {resolved}: put the file itself there")


def read_small(path: Path) -> bytes:
    """The bytes of a manifest or of set.json. Raises `ModelRefused`."""
    try:
        if path.exists() and not path.is_file():
            raise ModelRefused(f"{path} is no file")
        if path.stat().st_size > LARGEST_MANIFEST:
            raise ModelRefused(f"{path} has more than {LARGEST_MANIFEST} bytes: no manifest is that large")
        return path.read_bytes()
    except OSError as error:
        raise ModelRefused(
            f"{path} cannot be read: {error.strerror}; train the model or restore it from the repository"
        ) from error


def model_bytes(manifest: Manifest) -> bytes:
    """The bytes of a model's file, if they are those its manifest names.

    Raises
    ------
    ModelRefused
        If there is no such file, it is too large to be a model, or its bytes are others.
    """
    path, reference = manifest.path, manifest.reference
    try:
        if path.exists() and not path.is_file():
            raise ModelRefused(f"model {reference.name}: {path} is no file")
        size = path.stat().st_size
        if size > LARGEST_MODEL:
            raise ModelRefused(
                f"model {reference.name}: {path} has {size / 1e6:.0f} MB, the limit is {LARGEST_MODEL / 1e6:.0f} MB: "
                "export it smaller (half precision, a smaller variant)"
            )
        if not size:
            raise ModelRefused(f"model {reference.name}: {path} is empty (0 bytes): restore the file")
        content = path.read_bytes()
    except OSError as error:
        raise ModelRefused(f"model {reference.name}: {path} cannot be read: {error.strerror}") from error
    check_hash(reference.name, reference.sha256, content, str(path))
    return content


def check_hash(name: str, sha256: str, content: bytes, where: str) -> None:
    """Raise `ModelRefused` if the bytes have another SHA-256 (hex)."""
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise ModelRefused(
            f"model {name}: {where} has SHA-256 {found[:16]}…, the manifest names {sha256[:16]}…: "
            "restore the file or register the new one"
        )


def parse_json(content: bytes, where: str) -> dict[str, Any]:
    """One JSON object, each key once, no NaN. Raises `ModelRefused`."""
    try:
        values = json.loads(
            content.decode("utf-8-sig"), parse_constant=_no_constant, object_pairs_hook=_without_repetition
        )
    except (ValueError, RecursionError) as error:
        raise ModelRefused(f"{where} is no JSON: {error}") from error
    if not isinstance(values, dict):
        raise ModelRefused(f"{where} has to hold one JSON object")
    return values


def _no_constant(text: str) -> float:
    raise ValueError(f"{text} is no number")


def _without_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) != len(pairs):
        twice = next(key for key, _ in pairs if sum(key == other for other, _ in pairs) > 1)
        raise ValueError(f"key {twice!r} is there twice")
    return values


def _manifest(values: Mapping[str, Any], where: str, folder: Path | None, sha256: str) -> Manifest:
    texts = {key: text(values, key) for key in _NEEDED}
    for key in _FREE:
        if not isinstance(values.get(key, {}), dict):
            raise ValueError(f"key {key!r} has to be an object, not {shown(values[key])}")  # noqa: TRY004 - one kind of error
    size = values.get("bytes", 0)
    if not isinstance(size, int) or isinstance(size, bool):
        raise ValueError(f"key 'bytes' has to be a whole number, not {shown(size)}")  # noqa: TRY004
    classes = _classes(values.get("classes", []))
    detector = parse_detector(values["detector"], classes) if "detector" in values else None
    tensors = {key: _tensors(values.get(key, []) if detector else values[key], key) for key in ("inputs", "outputs")}
    return Manifest(
        where=where,
        folder=folder,
        sha256=sha256,
        role=texts["role"],
        reference=ModelReference(texts["name"], texts["version"], texts["sha256"]),
        file=_file(values),
        licence=_licence(values.get("licence", {})),
        classes=classes,
        detector=detector,
        **tensors,
    )


def text(values: Mapping[str, Any], key: str) -> str:
    """A short, printable text that has to be there. Raises KeyError or ValueError."""
    value = values[key]
    if not isinstance(value, str) or not value.strip() or len(value) > _LONGEST_TEXT or not value.isprintable():
        raise ValueError(f"key {key!r} has to be a text of 1 to {_LONGEST_TEXT} characters, not {shown(value)}")
    return value


def _file(values: Mapping[str, Any]) -> str:
    name = text({"file": "model.onnx", **values}, "file")
    if name in (".", "..") or "/" in name or "\\" in name or ":" in name:
        raise ValueError(f"key 'file' is {name!r}: it has to be the name of a file beside the manifest, without a path")
    return name


def _licence(value: Any) -> str:
    found = value.get("spdx", "") if isinstance(value, dict) else value
    if not isinstance(found, str):
        raise ValueError(f"key 'licence' has to be {{'spdx': …}} or a text, not {shown(value)}")  # noqa: TRY004
    return found


def _classes(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or len(value) > _MOST_CLASSES or not all(isinstance(name, str) for name in value):
        raise ValueError(f"key 'classes' has to be a list of names in the model's order, not {shown(value)}")
    if len(set(value)) != len(value):
        raise ValueError(f"key 'classes' names a class twice: {shown(value)}")
    return tuple(value)


def _tensors(value: Any, key: str) -> tuple[Tensor, ...]:
    try:
        return tuple(
            Tensor(
                str(entry["name"]),
                str(entry["dtype"]),
                tuple(size if isinstance(size, int) else str(size) for size in entry["shape"]),
            )
            for entry in value
        )
    except (TypeError, KeyError, AttributeError) as error:
        raise ValueError(f"key {key!r} has to be a list of {{'name', 'dtype', 'shape'}}, not {shown(value)}") from error
