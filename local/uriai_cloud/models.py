"""The models of a deployment: models/set.json, resolved to hashes, and their files in the models bucket."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from uriai_cloud.errors import ModelsBroken
from uriai_cloud.home import REPOSITORY, read_json

if TYPE_CHECKING:
    from uriai.adapters.vision.registry import LocalModels

FOLDER = REPOSITORY / "models"


@dataclass(frozen=True, slots=True)
class ModelFile:
    """One model that the deployment uses: its role, name and version, its file and its manifest, each with its SHA-256
    in hex.
    """

    role: str
    name: str
    version: str
    sha256: str
    path: Path
    manifest: Path
    manifest_sha256: str


def resolve(folder: Path = FOLDER) -> list[ModelFile]:
    """Return the models that set.json names, by role, after checking each file against its manifest's hash.

    Raises
    ------
    ModelsBroken
        If set.json, a manifest or a file is missing, or a file is not the one its manifest describes.
    """
    set_file = folder / "set.json"
    if not set_file.exists():
        raise ModelsBroken(f"{set_file} is missing: it names the models to use, role -> folder under models/")
    from uriai.adapters.vision.registry import LocalModels

    source = LocalModels(folder)
    return [_resolve(role, source) for role in sorted(read_json(set_file))]


def _resolve(role: str, source: LocalModels) -> ModelFile:
    from uriai.adapters.vision.manifests import ModelRefused, model_bytes

    try:
        manifest = source.manifest(role)
        model_bytes(manifest)
    except ModelRefused as error:
        raise ModelsBroken(f"model for {role}: {error}") from error
    reference = manifest.reference
    return ModelFile(
        role=role,
        name=reference.name,
        version=reference.version,
        sha256=reference.sha256,
        path=manifest.path,
        manifest=Path(manifest.where),
        manifest_sha256=manifest.sha256,
    )


def model_set(files: list[ModelFile]) -> str:
    """Return the JSON text that the functions get as MODEL_SET."""
    roles = {
        file.role: {
            "name": file.name, "version": file.version, "sha256": file.sha256, "manifest": file.manifest_sha256
        }
        for file in files
    }  # fmt: skip
    return json.dumps(roles, separators=(",", ":"), sort_keys=True)


def upload(files: list[ModelFile], s3: Any, bucket: str, progress: Callable[[str], None]) -> int:
    """Put each model and each manifest under models/sha256/HASH, by its own hash; return how many models were not
    there. What lies there is never written again: a running function may be reading it.
    """
    there = {
        item["Key"]
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix="models/sha256/")
        for item in page.get("Contents", [])
    }
    put = 0
    for file in files:
        manifest_key, key = f"models/sha256/{file.manifest_sha256}", f"models/sha256/{file.sha256}"
        if manifest_key not in there:
            s3.put_object(
                Bucket=bucket, Key=manifest_key, Body=file.manifest.read_bytes(), ContentType="application/json"
            )
        if key in there:
            continue
        progress(f"model {file.role}: {file.name} {file.version} ({file.path.stat().st_size / 1e6:.1f} MB)")
        with file.path.open("rb") as body:
            s3.put_object(Bucket=bucket, Key=key, Body=body, ChecksumAlgorithm="SHA256")
        put += 1
    return put
