"""``manifest.json`` beside every ``model.onnx``: what the loader checks before it trusts the file."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

Shape = list[int | str]
CLIP_HASHES = "clips_sha256"
"""Under ``training_data``: the clips that a model has learned from, each as ``clip_hash`` gives it."""
_HEX = 32


@dataclass(frozen=True)
class Tensor:
    """One input or output. A string in ``shape`` is a free dimension; ``meaning`` says units, range and layout."""

    name: str
    dtype: str
    shape: Shape
    meaning: str


@dataclass(frozen=True)
class Manifest:
    """All that is known of a model; ``preprocessing`` and ``metrics`` are data for programs."""

    name: str
    version: str
    role: str
    inputs: list[Tensor]
    outputs: list[Tensor]
    preprocessing: dict[str, Any]
    classes: list[str]
    licence: dict[str, str]
    training_data: dict[str, Any]
    metrics: dict[str, Any]
    thresholds: dict[str, Any] = field(default_factory=dict)
    tools: dict[str, str] = field(default_factory=dict)


def clip_hash(sha256: str) -> str:
    """The part of a clip's SHA-256 that manifests keep."""
    return sha256[:_HEX]


def publish(folder: Path, manifest: Manifest, model: bytes) -> None:
    """Put ``model.onnx`` and its ``manifest.json`` in place, the file first; each appears whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    described: dict[str, object] = {
        "name": manifest.name,
        "version": manifest.version,
        "role": manifest.role,
        "file": "model.onnx",
    }
    described |= {"sha256": hashlib.sha256(model).hexdigest(), "bytes": len(model)}
    text = json.dumps(described | asdict(manifest), indent=2, ensure_ascii=False) + "\n"
    replace(folder / "model.onnx", model)
    replace(folder / "manifest.json", text.encode())


def replace(path: Path, content: bytes) -> None:
    """Write a file so that a reader sees the old or the new content, never a part."""
    part = path.with_name(path.name + ".part")
    with part.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
