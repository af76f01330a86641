"""Which models look at a clip, and the one hash that stands for all of them."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

_SHA256 = re.compile(r"[0-9a-f]{64}")


def model_set_hash(models: Mapping[str, str], manifests: Mapping[str, str] | None = None) -> bytes:
    """SHA-256 (32 bytes) over the roles in sorted order, each with its ``name@version+sha256``, and with the hash of
    the manifest it is read by where ``manifests`` (role -> hex SHA-256) has one.

    The same models give the same hash whatever order they are named in; it is ``analysis.model_set`` in the database.
    A manifest may hold a detector's calibration: with another one, the same weights say something else.
    """
    read_by = {role: sha256 for role, sha256 in (manifests or {}).items() if sha256}
    named = {role: [model, read_by[role]] if role in read_by else model for role, model in models.items()}
    text = json.dumps(named, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode("ascii")).digest()


@dataclass(frozen=True, slots=True)
class ModelReference:
    """One model file: ``name``, ``version``, the hex SHA-256 of its ONNX bytes, and that of its manifest's bytes, empty
    where there is none.
    """

    name: str
    version: str
    sha256: str
    manifest: str = ""

    def __post_init__(self) -> None:
        if not _SHA256.fullmatch(self.sha256):
            raise ValueError(f"sha256 of model {self.name!r} is not 64 lower-case hex digits: {self.sha256!r}")
        if self.manifest and not _SHA256.fullmatch(self.manifest):
            raise ValueError(f"the manifest's hash of model {self.name!r} is not 64 lower-case hex digits")

    def __str__(self) -> str:
        return f"{self.name}@{self.version}+{self.sha256}"


@dataclass(frozen=True, slots=True)
class ModelSet:
    """The models of a deployment by role (``violence``, ``face``, ``emotion``, ``person``, ``age``)."""

    roles: Mapping[str, ModelReference]

    @property
    def models(self) -> dict[str, str]:
        """Role -> ``name@version+sha256``, as analyses store it."""
        return {role: str(reference) for role, reference in sorted(self.roles.items())}

    @property
    def hash(self) -> bytes:
        """What stands for the whole set, see `model_set_hash`."""
        return model_set_hash(self.models, {role: reference.manifest for role, reference in self.roles.items()})
