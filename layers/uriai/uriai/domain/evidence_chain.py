"""The rows of one camera's evidence, one after the other: which are there, unaltered and in their place.

Each row's hash is over its fields and the hash of the row before, so that nobody changes, removes or slips in a row
without changing every hash after it. docs/formats/evidence.md has the bytes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from uriai.domain.ulid import Ulid

NO_HASH = bytes(32)
"""What the first row has in place of the hash before it."""


@dataclass(frozen=True, slots=True)
class EvidenceLink:
    """One row: its place in its camera's chain, and what it says. Hashes are 32 bytes, instants aware."""

    camera_id: int
    seq: int
    prev: bytes
    evidence_id: Ulid
    finding_id: Ulid
    clip_id: Ulid
    role: str
    object_key: str
    sha256: bytes
    shown_at: datetime
    created_at: datetime

    @property
    def hash(self) -> bytes:
        """SHA-256 over the row's bytes."""
        fields = (
            "uriai evidence 1",
            self.camera_id,
            self.seq,
            self.prev.hex(),
            str(self.evidence_id),
            str(self.finding_id),
            str(self.clip_id),
            self.role,
            self.object_key,
            self.sha256.hex(),
            _instant(self.shown_at),
            _instant(self.created_at),
        )
        return hashlib.sha256(json.dumps(fields, separators=(",", ":")).encode("ascii")).digest()


@dataclass(frozen=True, slots=True)
class StoredLink:
    """A row as it is stored, with the hash that stands in it."""

    link: EvidenceLink
    hash: bytes


class LinkStatus(StrEnum):
    """What became of one row."""

    PRESENT = "present"
    MISSING = "missing"
    ALTERED = "altered"
    BROKEN_LINK = "broken_link"

    @property
    def holds(self) -> bool:
        """Whether the row stands."""
        return self is LinkStatus.PRESENT


@dataclass(frozen=True, slots=True)
class LinkVerdict:
    """``evidence_id`` is None for numbers that have no row."""

    seq: int
    status: LinkStatus
    evidence_id: Ulid | None
    message: str


def verify_links(rows: Iterable[StoredLink], end: tuple[int, bytes]) -> tuple[LinkVerdict, ...]:
    """Verify all rows of one camera's chain against each other and against its end as it stands with the camera.

    A row whose fields were changed is ``altered``; one whose hash was made anew for that leaves the next one
    ``broken_link``. After a row that does not hold, the next is measured by the hash that stands there.
    """
    verdicts = []
    expected, before = 1, NO_HASH
    for stored in sorted(rows, key=lambda row: row.link.seq):
        link = stored.link
        if link.seq != expected:
            verdicts.append(_missing(expected, link.seq - 1))
            before = link.prev
        if link.hash != stored.hash:
            status, message = LinkStatus.ALTERED, "its fields are not those that its hash was made of"
        elif link.prev != before:
            status, message = LinkStatus.BROKEN_LINK, "does not continue the row before it"
        else:
            status, message = LinkStatus.PRESENT, "unaltered"
        verdicts.append(LinkVerdict(link.seq, status, link.evidence_id, message))
        expected, before = link.seq + 1, stored.hash
    last, last_hash = end
    if last >= expected:
        verdicts.append(_missing(expected, last))
    elif last < expected - 1 or (last and last_hash != before):
        verdicts.append(
            LinkVerdict(expected - 1, LinkStatus.BROKEN_LINK, None, "is not what the camera has as the chain's end")
        )
    return tuple(verdicts)


def _missing(first: int, last: int) -> LinkVerdict:
    which = f"row {first}" if first == last else f"rows {first} to {last}"
    return LinkVerdict(first, LinkStatus.MISSING, None, f"there is no {which}")


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds")
