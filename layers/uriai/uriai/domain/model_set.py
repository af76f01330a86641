"""Which models look at a clip, and the one hash that stands for all of them."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

_SHA256 = re.compile(r"[0-9a-f]{64}")


def model_set_hash(models: Mapping[str, str]) -> bytes:
    """SHA-256 (32 bytes) over the roles in sorted order, each with its ``name@version+sha256``.

    The same models give the same hash whatever order they are named in; it is ``analysis.model_set`` in the database.
    """
    text = json.dumps(dict(models), sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode("ascii")).digest()


@dataclass(frozen=True, slots=True)
class ModelReference:
    """One model file: ``name``, ``version`` and the hex SHA-256 of its ONNX bytes."""

    name: str
    version: str
    sha256: str

    def __post_init__(self) -> None:
        if not _SHA256.fullmatch(self.sha256):
            raise ValueError(f"sha256 of model {self.name!r} is not 64 lower-case hex digits: {self.sha256!r}")

    def __str__(self) -> str:
        return f"{self.name}@{self.version}+{self.sha256}"


@dataclass(frozen=True, slots=True)
class ModelSet:
    """The models of a deployment by role (``violence``, ``face``, ``emotion``)."""

    roles: Mapping[str, ModelReference]

    @property
    def models(self) -> dict[str, str]:
        """Role -> ``name@version+sha256``, as analyses store it."""
        return {role: str(reference) for role, reference in sorted(self.roles.items())}

    @property
    def hash(self) -> bytes:
        """What stands for the whole set, see `model_set_hash`."""
        return model_set_hash(self.models)
