"""The manifest beside a clip: what it says, and whether it can be believed. The contract: docs/formats/evidence.md."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from uriai.domain.clip import ClipKey, ManifestStatus
from uriai.domain.ulid import Ulid

VERSION = 1
RECORD_TYPES = frozenset({"clip", "tamper", "coverage", "drop"})
FIRST_PREV = "0" * 64
"""``prev`` of a gateway's first record."""
LARGEST_MANIFEST = 64 * 1024
"""More bytes than any manifest has; what is larger is not read."""

CLOCK_AHEAD = timedelta(minutes=5)
"""A clip may claim to have begun this much after it arrived: clocks differ."""
CLOCK_BEHIND = timedelta(days=30)
"""A clip may claim to have begun this long before it arrived: a gateway may have been offline."""

_HEX_SHA256 = re.compile(r"[0-9a-f]{64}")
_GATEWAY = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")

SignedBy = Callable[[bytes, bytes, bytes], bool]
"""(public key, signature, message) -> whether the signature is that key's over exactly that message."""


class ManifestError(ValueError):
    """Bytes that are not a manifest; the message says in what."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """One record of a gateway. ``sha256`` and ``prev`` are hex; ``started_at`` and ``ended_at`` aware.

    ``dropped`` are the numbers of the clips that a record of type ``drop`` names. ``detail`` is as it was sent, empty
    where there is none: whoever uses it has to check what it holds.
    """

    gateway: str
    seq: int
    type: str
    camera: int | None
    ulid: Ulid
    sha256: str | None
    size: int | None
    started_at: datetime
    ended_at: datetime
    prev: str
    dropped: tuple[int, ...] = ()
    detail: Mapping[str, Any] = field(default_factory=dict, hash=False)

    @property
    def stem(self) -> str:
        """Where the record has to lie: its objects' key without ending."""
        day = self.started_at.astimezone(UTC).date().isoformat()
        if self.type == "clip":
            return f"clips/{self.gateway}/{self.camera}/{day}/{self.ulid}"
        return f"records/{self.gateway}/{day}/{self.seq:012d}-{self.ulid}"

    @property
    def attachment_key(self) -> str | None:
        """Key of the object whose hash the record holds, None if it holds none."""
        ending = {"clip": ".mp4", "tamper": ".jpg"}.get(self.type)
        return self.stem + ending if ending and self.sha256 is not None else None

    @classmethod
    def parse(cls, data: bytes) -> Manifest:
        """Read the exact bytes of a ``.json`` object.

        Raises
        ------
        ManifestError
            If they are no manifest of version 1.
        """
        try:
            fields = json.loads(data.decode("utf-8"), object_pairs_hook=_no_repeated_name)
        except (UnicodeDecodeError, ValueError, RecursionError) as error:
            raise ManifestError(f"not JSON in UTF-8: {error}") from error
        if not isinstance(fields, dict):
            raise ManifestError("not a JSON object")
        if fields.get("v") != VERSION or isinstance(fields.get("v"), bool):
            raise ManifestError(f"v is {fields.get('v')!r}, this reads {VERSION}")
        record_type = _text(fields, "type")
        if record_type not in RECORD_TYPES:
            raise ManifestError(f"type is {record_type[:40]!r}")
        gateway, prev = _text(fields, "gateway"), _text(fields, "prev")
        if not _GATEWAY.fullmatch(gateway):
            raise ManifestError(f"gateway is {gateway[:80]!r}")
        if not _HEX_SHA256.fullmatch(prev):
            raise ManifestError("prev is not 64 hex digits")
        try:
            ulid = Ulid.parse(_text(fields, "ulid"))
        except ValueError as error:
            raise ManifestError(str(error)) from error
        sha256, size, camera = fields.get("sha256"), fields.get("size"), fields.get("camera")
        if sha256 is not None and not (isinstance(sha256, str) and _HEX_SHA256.fullmatch(sha256)):
            raise ManifestError("sha256 is not 64 hex digits")
        if record_type == "clip" and (sha256 is None or size is None or camera is None):
            raise ManifestError("a clip needs sha256, size and camera")
        return cls(
            gateway=gateway,
            seq=_whole(fields, "seq", least=1),
            type=record_type,
            camera=None if camera is None else _whole(fields, "camera", least=1),
            ulid=ulid,
            sha256=sha256,
            size=None if size is None else _whole(fields, "size", least=0),
            started_at=_instant(fields, "started_at"),
            ended_at=_instant(fields, "ended_at"),
            prev=prev,
            dropped=_dropped(fields),
            detail=_detail(fields),
        )


@dataclass(frozen=True, slots=True)
class ManifestCheck:
    """``reason`` is empty for VERIFIED; ``manifest`` is there whenever the bytes could be read, believed or not."""

    status: ManifestStatus
    reason: str
    manifest: Manifest | None = None

    @property
    def verified(self) -> bool:
        """Whether the clip is what its gateway signed."""
        return self.status is ManifestStatus.VERIFIED


def check_manifest(
    *,
    key: ClipKey,
    sha256: bytes,
    size: int,
    arrived_at: datetime,
    manifest: bytes | None,
    signature: bytes | None,
    public_keys: Iterable[bytes],
    signed_by: SignedBy,
) -> ManifestCheck:
    """Check what lies beside a clip against the clip.

    Parameters
    ----------
    key, sha256, size, arrived_at:
        Of the object as it was read: its key, the SHA-256 of its bytes, their number, and the store's time of arrival.
    manifest, signature:
        The bytes of the ``.json`` and the ``.sig``, None where there is no such object.
    public_keys:
        The gateway's keys that were good at ``arrived_at``.
    signed_by:
        Verifies one signature.
    """
    if manifest is None:
        return ManifestCheck(ManifestStatus.MISSING, f"there is no {key.manifest}")
    try:
        read = Manifest.parse(manifest)
    except ManifestError as error:
        return ManifestCheck(ManifestStatus.MALFORMED, f"{key.manifest}: {error}"[:255])
    if signature is None:
        return ManifestCheck(ManifestStatus.BAD_SIGNATURE, f"there is no {key.signature}", read)
    keys = tuple(public_keys)
    if not keys:
        return ManifestCheck(
            ManifestStatus.UNKNOWN_KEY, f"gateway {key.gateway} had no valid key when the clip arrived", read
        )
    if not any(signed_by(public_key, signature, manifest) for public_key in keys):
        return ManifestCheck(
            ManifestStatus.BAD_SIGNATURE, f"no key of gateway {key.gateway} made {key.signature}", read
        )
    wrong = _mismatches(read, key=key, sha256=sha256, size=size, arrived_at=arrived_at)
    if wrong:
        return ManifestCheck(ManifestStatus.MISMATCH, f"signed, but not of this clip: {', '.join(wrong)}"[:255], read)
    return ManifestCheck(ManifestStatus.VERIFIED, "", read)


def plausible_start(instant: datetime, arrived_at: datetime) -> bool:
    """Whether a clip that arrived then can have begun at ``instant``."""
    return arrived_at - CLOCK_BEHIND <= instant <= arrived_at + CLOCK_AHEAD


def clip_span(
    check: ManifestCheck, *, ulid: Ulid, arrived_at: datetime, duration_s: float
) -> tuple[datetime, datetime]:
    """When the clip was recorded, aware.

    A verified manifest says so. Without one the ULID's own time is taken, and where that cannot be (too long before
    arrival, or after it), the clip is taken to have ended when it arrived.
    """
    if check.verified and check.manifest is not None:
        return check.manifest.started_at, check.manifest.ended_at
    duration = timedelta(seconds=duration_s)
    made_at = _made_at(ulid)
    started_at = made_at if made_at and plausible_start(made_at, arrived_at) else arrived_at - duration
    return started_at, started_at + duration


def _made_at(ulid: Ulid) -> datetime | None:
    try:
        return ulid.made_at
    except (ValueError, OverflowError):
        # 48 bits of milliseconds reach past the year 9999, where Python's calendar ends
        return None


def _mismatches(manifest: Manifest, *, key: ClipKey, sha256: bytes, size: int, arrived_at: datetime) -> list[str]:
    """What a signed manifest says otherwise than the object it lies beside."""
    claims = {
        "type": (manifest.type, "clip"),
        "gateway": (manifest.gateway, key.gateway),
        "camera": (manifest.camera, key.camera),
        "ulid": (str(manifest.ulid), str(key.ulid)),
        "sha256": (manifest.sha256, sha256.hex()),
        "size": (manifest.size, size),
        "day": (manifest.started_at.astimezone(UTC).date(), key.day),
    }
    wrong = [f"{name} {said} instead of {found}" for name, (said, found) in claims.items() if said != found]
    if manifest.ended_at < manifest.started_at:
        wrong.append("ended_at before started_at")
    if not plausible_start(manifest.started_at, arrived_at):
        wrong.append(f"started_at {manifest.started_at.isoformat()} for an arrival at {arrived_at.isoformat()}")
    return wrong


def _no_repeated_name(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A name that stands twice could be read one way by us and another by somebody else."""
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise ValueError("a name stands twice")
    return fields


def _text(fields: dict[str, Any], name: str) -> str:
    value = fields.get(name)
    if not isinstance(value, str):
        raise ManifestError(f"{name} is not a text")
    return value


def _whole(fields: dict[str, Any], name: str, *, least: int) -> int:
    value = fields.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value < 2**63:
        raise ManifestError(f"{name} is not a whole number from {least}")
    return value


def _detail(fields: dict[str, Any]) -> dict[str, Any]:
    detail = fields.get("detail")
    return detail if isinstance(detail, dict) else {}


def _dropped(fields: dict[str, Any]) -> tuple[int, ...]:
    seqs = _detail(fields).get("seqs") if fields.get("type") == "drop" else None
    return tuple(seq for seq in seqs if isinstance(seq, int)) if isinstance(seqs, list) else ()


def _instant(fields: dict[str, Any], name: str) -> datetime:
    text = _text(fields, name)
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise ManifestError(f"{name} is not an instant in ISO 8601: {text[:40]!r}") from error
    if instant.tzinfo is None:
        raise ManifestError(f"{name} has no offset: {text[:40]!r}")
    try:
        instant.astimezone(UTC)
    except OverflowError as error:
        raise ManifestError(f"{name} lies outside the years 1 to 9999 in UTC: {text[:40]!r}") from error
    return instant
