"""One record of a gateway as it arrives: by itself, and between the numbers before and after it.

The same outcomes as for a whole copy of the bucket, see docs/formats/evidence.md and `uriai.domain.chain`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from uriai.domain.chain import RecordStatus
from uriai.domain.manifest import FIRST_PREV, Manifest, ManifestError, SignedBy
from uriai.domain.ulid import Ulid

SEQUENCE_GRACE = timedelta(hours=1)
"""How long a number may be missing before it is told of: a slow line sends coverage before the clips that wait."""
CLOCK_WRONG_S = 60.0
"""Seconds by which a gateway's clock may differ from S3's before the times that people are told are misleading."""

_GATEWAY_OF_KEY = re.compile(r"(?:records|clips)/([a-z0-9][a-z0-9-]{0,62})/.+\.sig")


class Trouble(StrEnum):
    """What people are told of a gateway's records as a whole."""

    GAP = "gap"
    """Numbers did not come."""
    ORDER = "order"
    """Records that the gateway signed contradict each other or their place: reordered, forked, a broken link."""
    CLOCK = "clock"
    """The gateway's clock is wrong by more than `CLOCK_WRONG_S`."""


@dataclass(frozen=True, slots=True)
class RecordCheck:
    """``reason`` is empty for PRESENT; ``manifest`` is there whenever the bytes could be read, believed or not."""

    status: RecordStatus
    reason: str
    manifest: Manifest | None = None


@dataclass(frozen=True, slots=True)
class Link:
    """A record whose signature holds, as a link of the chain; ``sha256`` and ``prev`` are 32 bytes each."""

    record_id: Ulid
    seq: int
    sha256: bytes
    prev: bytes
    status: RecordStatus


@dataclass(frozen=True, slots=True)
class PictureKey:
    """Where the picture of a record of tampering lies, by the key of the record's ``.json``."""

    manifest: str

    @property
    def picture(self) -> str:
        """Key of the ``.jpg``."""
        return self.manifest.removesuffix(".json") + ".jpg"

    @property
    def tombstone(self) -> str:
        """Key of what says that the picture was deleted."""
        return self.manifest.removesuffix(".json") + ".tombstone"

    @property
    def subject(self) -> str:
        """What the audit calls it: ``record:GATEWAY/NAME``, at most 120 characters."""
        return record_subject(self.manifest.removesuffix(".json"))


def record_subject(stem: str) -> str:
    """What the audit calls the record whose objects' keys begin so."""
    parts = stem.split("/")
    return f"record:{parts[1] if len(parts) > 1 else ''}/{parts[-1]}"[:120]


def gateway_of(signature_key: str) -> str | None:
    """The gateway in whose folder a ``.sig`` lies; None for a key of another form."""
    found = _GATEWAY_OF_KEY.fullmatch(signature_key)
    return found[1] if found else None


def check_record(
    signature_key: str,
    *,
    manifest: bytes | None,
    signature: bytes | None,
    public_keys: Iterable[bytes],
    signed_by: SignedBy,
) -> RecordCheck:
    """Check a record by itself: form, signature, place.

    Parameters
    ----------
    signature_key:
        Key of its ``.sig``.
    manifest, signature:
        The bytes of the ``.json`` and the ``.sig``, None where there is no such object.
    public_keys:
        The gateway's keys that were good when it arrived.
    """
    if manifest is None:
        return RecordCheck(RecordStatus.MISSING, "there is no manifest beside the signature")
    try:
        read = Manifest.parse(manifest)
    except ManifestError as error:
        return RecordCheck(RecordStatus.MALFORMED, f"not a manifest: {error}"[:255])
    if signature is None:
        return RecordCheck(RecordStatus.BAD_SIGNATURE, "there is no signature", read)
    keys = tuple(public_keys)
    if not keys:
        return RecordCheck(RecordStatus.BAD_SIGNATURE, "the gateway had no valid key when it arrived", read)
    if not any(signed_by(key, signature, manifest) for key in keys):
        return RecordCheck(RecordStatus.BAD_SIGNATURE, "no key of the gateway made its signature", read)
    if signature_key != f"{read.stem}.sig":
        return RecordCheck(
            RecordStatus.REORDERED, f"lies in another record's place; its own is {read.stem}.json"[:255], read
        )
    return RecordCheck(RecordStatus.PRESENT, "", read)


def judged(links: Sequence[Link], seq: int) -> tuple[tuple[Link, RecordStatus], ...]:
    """What the records of number ``seq`` are in their place, of all that are known of ``seq`` - 1 and ``seq``.

    A record that lies in another's place stays so; of several different ones under one number each is forked.
    """
    before = {link.sha256 for link in links if link.seq == seq - 1} if seq > 1 else {bytes.fromhex(FIRST_PREV)}
    here = [link for link in links if link.seq == seq]
    forked = len({link.sha256 for link in here}) > 1
    found = []
    for link in here:
        status = RecordStatus.PRESENT
        if link.status is RecordStatus.REORDERED:
            status = RecordStatus.REORDERED
        elif forked:
            status = RecordStatus.FORKED
        elif len(before) == 1 and link.prev not in before:
            status = RecordStatus.BROKEN_LINK
        found.append((link, status))
    return tuple(found)
