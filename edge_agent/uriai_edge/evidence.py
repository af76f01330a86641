"""Manifests of evidence: exact bytes, hash chain, Ed25519 signatures. The contract is docs/formats/evidence.md.

A gateway writes one numbered record after the other: clips, and what is not a clip (coverage, drops, tampering). Each
manifest holds the SHA-256 of the manifest before it and is signed over its exact bytes, so nobody needs a canonical
JSON.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from nacl.exceptions import BadSignatureError
from nacl.signing import SigningKey, VerifyKey

from uriai_edge import __version__, ulid

VERSION = 1
AGENT = f"uriai-edge/{__version__}"
FIRST_PREV = "0" * 64
GATEWAY = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
SIGNATURE_BYTES = 64
MAX_MANIFEST_BYTES = 65536
"""Larger files are not read as manifests: a reader must not be made to swallow a video."""

_HEX_64 = re.compile(r"[0-9a-f]{64}")


class ManifestError(ValueError):
    """Bytes that are not a manifest of this format; the message names the field."""


class RecordType(StrEnum):
    """What a record of the chain tells."""

    CLIP = "clip"
    COVERAGE = "coverage"
    DROP = "drop"
    TAMPER = "tamper"


@dataclass(frozen=True, slots=True)
class Manifest:
    """One record of a gateway's chain.

    ``started_at`` and ``ended_at`` are aware; ``monotonic`` is the agent's monotonic clock at the start, in seconds,
    which a wrong or adjusted wall clock leaves alone. ``sha256`` (hex) and ``size`` (bytes) describe the attached file
    and are None where there is none. ``detail`` is free for the record's type; readers ignore what they do not know in
    it.
    """

    gateway: str
    seq: int
    type: RecordType
    camera: int | None
    ulid: str
    sha256: str | None
    size: int | None
    started_at: datetime
    ended_at: datetime
    monotonic: float
    agent: str
    prev: str
    v: int = VERSION
    detail: Mapping[str, Any] = field(default_factory=dict)

    def to_bytes(self) -> bytes:
        """Write the manifest; these very bytes are hashed, signed, stored and uploaded."""
        fields: dict[str, Any] = {
            "v": self.v,
            "gateway": self.gateway,
            "seq": self.seq,
            "type": self.type.value,
            "camera": self.camera,
            "ulid": self.ulid,
            "sha256": self.sha256,
            "size": self.size,
            "started_at": _instant(self.started_at),
            "ended_at": _instant(self.ended_at),
            "monotonic": round(self.monotonic, 6),
            "agent": self.agent,
            "prev": self.prev,
        }
        if self.detail:
            fields["detail"] = dict(self.detail)
        return json.dumps(fields, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()

    @property
    def stem(self) -> str:
        """Object key without its ending: ``clips/…`` for clips, ``records/…`` for everything else."""
        day = self.started_at.astimezone(UTC).date().isoformat()
        if self.type is RecordType.CLIP:
            return f"clips/{self.gateway}/{self.camera}/{day}/{self.ulid}"
        return f"records/{self.gateway}/{day}/{self.seq:012d}-{self.ulid}"

    @property
    def attachment_suffix(self) -> str | None:
        """Ending of the attached file, or None where the record has no file."""
        if self.type is RecordType.CLIP:
            return ".mp4"
        return ".jpg" if self.type is RecordType.TAMPER and self.sha256 is not None else None

    @classmethod
    def from_bytes(cls, data: bytes) -> Manifest:
        """Read a manifest strictly: known version, every field there and well formed, no key twice.

        Raises
        ------
        ManifestError
            If the bytes are anything else; the message names the field.
        """
        if len(data) > MAX_MANIFEST_BYTES:
            raise ManifestError(f"{len(data)} bytes, and a manifest has at most {MAX_MANIFEST_BYTES}")
        try:
            fields = json.loads(data.decode("utf-8"), object_pairs_hook=_no_duplicates)
        except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
            raise ManifestError(f"not JSON: {error}") from error
        if not isinstance(fields, dict):
            raise ManifestError("not a JSON object")
        return _read(fields)


def _read(fields: dict[str, Any]) -> Manifest:
    if fields.get("v") != VERSION:
        raise ManifestError(f"v: {fields.get('v')!r}, and this reader knows {VERSION}")
    try:
        kind = RecordType(_text(fields, "type"))
    except ValueError as error:
        raise ManifestError(f"type: {error}") from error
    manifest = Manifest(
        gateway=_match(fields, "gateway", GATEWAY),
        seq=_whole(fields, "seq", 1),
        type=kind,
        camera=None if fields.get("camera") is None else _whole(fields, "camera", 1),
        ulid=_text(fields, "ulid"),
        sha256=None if fields.get("sha256") is None else _match(fields, "sha256", _HEX_64),
        size=None if fields.get("size") is None else _whole(fields, "size", 0),
        started_at=_read_instant(fields, "started_at"),
        ended_at=_read_instant(fields, "ended_at"),
        monotonic=_number(fields, "monotonic"),
        agent=_text(fields, "agent"),
        prev=_match(fields, "prev", _HEX_64),
        detail=_detail(fields),
    )
    if not ulid.is_ulid(manifest.ulid):
        raise ManifestError(f"ulid: {manifest.ulid[:40]!r} is not one")
    if (manifest.sha256 is None) != (manifest.size is None):
        raise ManifestError("sha256 and size: one without the other")
    if kind is RecordType.CLIP and (manifest.camera is None or manifest.sha256 is None):
        raise ManifestError("a clip needs camera, sha256 and size")
    if manifest.ended_at < manifest.started_at:
        raise ManifestError("ended_at: before started_at")
    return manifest


def _instant(moment: datetime) -> str:
    return moment.isoformat(timespec="microseconds")


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    # Two readers that resolve a repeated key differently would see two different records under one signature.
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise ManifestError("a key stands twice")
    return fields


def _text(fields: dict[str, Any], name: str) -> str:
    value = fields.get(name)
    if not isinstance(value, str):
        raise ManifestError(f"{name}: must be text")
    return value


def _match(fields: dict[str, Any], name: str, pattern: re.Pattern[str]) -> str:
    value = _text(fields, name)
    if not pattern.fullmatch(value):
        raise ManifestError(f"{name}: {value[:80]!r} has the wrong form")
    return value


def _whole(fields: dict[str, Any], name: str, least: int) -> int:
    value = fields.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise ManifestError(f"{name}: must be a whole number from {least}")
    return value


def _number(fields: dict[str, Any], name: str) -> float:
    value = fields.get(name)
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise ManifestError(f"{name}: must be a number")
    return float(value)


def _read_instant(fields: dict[str, Any], name: str) -> datetime:
    try:
        moment = datetime.fromisoformat(_text(fields, name))
    except ValueError as error:
        raise ManifestError(f"{name}: {error}") from error
    if moment.tzinfo is None:
        raise ManifestError(f"{name}: has no offset from UTC")
    try:
        moment.astimezone(UTC)
    except OverflowError as error:
        raise ManifestError(f"{name}: outside the years 1 to 9999 in UTC") from error
    return moment


def _detail(fields: dict[str, Any]) -> dict[str, Any]:
    value = fields.get("detail", {})
    if not isinstance(value, dict):
        raise ManifestError("detail: must be an object")
    return value


def digest(data: bytes) -> str:
    """SHA-256 of ``data`` in hex: what the following record's ``prev`` holds."""
    return hashlib.sha256(data).hexdigest()


def file_digest(path: Path) -> str:
    """SHA-256 of a file's bytes in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sign(key: SigningKey, manifest: bytes) -> bytes:
    """The raw 64 bytes of the Ed25519 signature over the exact manifest bytes."""
    return key.sign(manifest).signature


def signature_holds(public_key: VerifyKey, manifest: bytes, signature: bytes) -> bool:
    """Whether ``signature`` over ``manifest`` was made with the private half of ``public_key``."""
    if len(signature) != SIGNATURE_BYTES:
        return False
    try:
        public_key.verify(manifest, signature)
    except BadSignatureError:
        return False
    return True
