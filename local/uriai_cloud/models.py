"""The models of a deployment: models/set.json, resolved to hashes, and their files in the models bucket."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from uriai_cloud.errors import ModelsBroken
from uriai_cloud.home import REPOSITORY, read_json

FOLDER = REPOSITORY / "models"


@dataclass(frozen=True, slots=True)
class ModelFile:
    """One model that the deployment uses: its role, name and version, and its file with the file's SHA-256 in hex."""

    role: str
    name: str
    version: str
    sha256: str
    path: Path
    manifest: Path


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
    return [_resolve(role, entry, folder) for role, entry in sorted(read_json(set_file).items())]


def _resolve(role: str, entry: Any, folder: Path) -> ModelFile:
    place = folder / (entry["name"] if isinstance(entry, dict) else str(entry))
    manifest_file = place / "manifest.json"
    manifest = read_json(manifest_file)
    missing = [key for key in ("name", "version", "file", "sha256") if not manifest.get(key)]
    if missing:
        raise ModelsBroken(f"{manifest_file} is missing or lacks {', '.join(missing)}: restore the model for {role}")
    path = place / manifest["file"]
    if not path.exists():
        raise ModelsBroken(f"{path} is missing: train or restore the model for {role}")
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    wanted = {
        manifest["sha256"],
        entry["sha256"] if isinstance(entry, dict) and "sha256" in entry else manifest["sha256"],
    }
    if wanted != {found}:
        raise ModelsBroken(f"{path} is not what {manifest_file} describes (SHA-256 {found}): restore one of them")
    return ModelFile(role, str(manifest["name"]), str(manifest["version"]), found, path, manifest_file)


def model_set(files: list[ModelFile]) -> str:
    """Return the JSON text that the functions get as MODEL_SET."""
    roles = {file.role: {"name": file.name, "version": file.version, "sha256": file.sha256} for file in files}
    return json.dumps(roles, separators=(",", ":"), sort_keys=True)


def upload(files: list[ModelFile], s3: Any, bucket: str, progress: Callable[[str], None]) -> int:
    """Put each model under models/sha256/HASH, its manifest beside it as HASH.json; return how many were not there."""
    there = {
        item["Key"]
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix="models/sha256/")
        for item in page.get("Contents", [])
    }
    put = 0
    for file in files:
        key = f"models/sha256/{file.sha256}"
        manifest_key = f"{key}.json"
        # the manifest may be reworded for the same weights: it is small, and goes up whenever it is missing
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
