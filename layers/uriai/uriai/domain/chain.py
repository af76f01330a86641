"""A gateway's records, one after the other: which are there, unaltered and in their place. docs/formats/evidence.md."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from uriai.domain.manifest import FIRST_PREV, Manifest, ManifestError

LARGEST_TOMBSTONE = 65_536
"""Bytes; what is larger is no tombstone."""

Signed = Callable[[bytes, bytes], bool]
"""(signature, message) -> whether a key of the gateway made the signature over exactly that message."""


class RecordStatus(StrEnum):
    """What became of one record."""

    PRESENT = "present"
    DROPPED = "dropped"
    DELETED = "deleted"
    MISSING = "missing"
    ALTERED = "altered"
    REORDERED = "reordered"
    BAD_SIGNATURE = "bad_signature"
    BROKEN_LINK = "broken_link"
    FORKED = "forked"
    MALFORMED = "malformed"

    @property
    def holds(self) -> bool:
        """Whether the evidence stands: it is whole, or a signed record or a tombstone tells why its clip is gone."""
        return self in (RecordStatus.PRESENT, RecordStatus.DROPPED, RecordStatus.DELETED)

    @property
    def signed(self) -> bool:
        """Of a record by itself and in its place: whether a key of the gateway signed it, wherever it lies."""
        return self in (
            RecordStatus.PRESENT, RecordStatus.REORDERED, RecordStatus.FORKED, RecordStatus.BROKEN_LINK
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Attachment:
    """The object beside a manifest as it lies there: its size in bytes and the hex SHA-256 of them."""

    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Record:
    """A manifest as it lies there: its key, its bytes, its signature and its tombstone (None: there is none)."""

    key: str
    data: bytes
    signature: bytes | None
    tombstone: bytes | None = None


@dataclass(frozen=True, slots=True)
class RecordVerdict:
    """``seq`` is None where no number can be read; ``key`` is None for numbers that nobody has a record of."""

    seq: int | None
    status: RecordStatus
    key: str | None
    message: str


def verify_chain(
    records: Iterable[Record],
    *,
    signed: Signed,
    attachment: Callable[[str], Attachment | None],
    excerpt: bool = False,
) -> tuple[RecordVerdict, ...]:
    """Verify all records of one gateway, in whatever order they are given.

    Parameters
    ----------
    signed:
        Whether a key of the gateway made a signature.
    attachment:
        Looks up the object of a key, None if there is none; asked only for records that hold by themselves.
    excerpt:
        These are some of the gateway's records only, as in a police bundle: numbers between them are not missing.

    Returns
    -------
    tuple
        One verdict per record in the order of ``seq``, one for each run of missing numbers, at last those without one.
        What is missing after the last record cannot be told from the records alone.
    """
    read: dict[int, list[tuple[Manifest, Record]]] = {}
    malformed = []
    for record in records:
        try:
            manifest = Manifest.parse(record.data)
        except ManifestError as error:
            malformed.append(RecordVerdict(None, RecordStatus.MALFORMED, record.key, f"not a manifest: {error}"))
            continue
        read.setdefault(manifest.seq, []).append((manifest, record))
    in_order = [
        verdict
        for verdict in _walk(dict(sorted(read.items())), signed, attachment)
        if not (excerpt and verdict.key is None)
    ]
    return (*in_order, *sorted(malformed, key=lambda verdict: verdict.key or ""))


def _walk(
    by_seq: dict[int, list[tuple[Manifest, Record]]], signed: Signed, attachment: Callable[[str], Attachment | None]
) -> Iterator[RecordVerdict]:
    genuine = {
        seq: {r.data for _, r in group if r.signature is not None and signed(r.signature, r.data)}
        for seq, group in by_seq.items()
    }
    dropped = {
        seq
        for number, group in by_seq.items()
        for manifest, record in group
        if manifest.type == "drop" and record.data in genuine[number]
        for seq in manifest.dropped
    }
    expected, before = 1, FIRST_PREV
    for seq, group in by_seq.items():
        if seq > expected:
            which = f"number {expected}" if seq == expected + 1 else f"numbers {expected} to {seq - 1}"
            yield RecordVerdict(expected, RecordStatus.MISSING, None, f"there is no record of {which}")
            before = ""
        for manifest, record in sorted(group, key=lambda pair: pair[1].key):
            status, message = _of_record(manifest, record, genuine[seq], before)
            if status.holds:
                status, message = _of_attachment(manifest, record, attachment, dropped)
            yield RecordVerdict(seq, status, record.key, message)
        # what follows a record that does not hold cannot be told to continue it, or not to
        before = hashlib.sha256(next(iter(genuine[seq]))).hexdigest() if len(genuine[seq]) == 1 else ""
        expected = seq + 1


def _of_record(manifest: Manifest, record: Record, genuine: set[bytes], before: str) -> tuple[RecordStatus, str]:
    """By itself and in its place. ``before``: hash of the record before, empty where that is not known."""
    if record.data not in genuine:
        which = "there is no signature" if record.signature is None else "no key of the gateway made its signature"
        return RecordStatus.BAD_SIGNATURE, which
    if record.key != manifest.stem + ".json":
        return RecordStatus.REORDERED, f"lies in another record's place; its own is {manifest.stem}.json"
    if len(genuine) > 1:
        return RecordStatus.FORKED, "the gateway signed different records under this number"
    if before and manifest.prev != before:
        return RecordStatus.BROKEN_LINK, "does not continue the record before it"
    return RecordStatus.PRESENT, "unaltered"


def _of_attachment(
    manifest: Manifest, record: Record, attachment: Callable[[str], Attachment | None], dropped: set[int]
) -> tuple[RecordStatus, str]:
    if manifest.attachment_key is None:
        return RecordStatus.PRESENT, "unaltered"
    found = attachment(manifest.attachment_key)
    if found is None:
        if manifest.seq in dropped:
            return RecordStatus.DROPPED, "a signed record says that it was dropped"
        why = _deleted(record)
        if why:
            return RecordStatus.DELETED, f"the tombstone says: {why}; the audit must say so too"
        return RecordStatus.MISSING, f"there is no {manifest.attachment_key}"
    if found.size != manifest.size:
        return RecordStatus.ALTERED, f"has {found.size} bytes, signed were {manifest.size}"
    if found.sha256 != manifest.sha256:
        return RecordStatus.ALTERED, "is not the object that was signed"
    return RecordStatus.PRESENT, "unaltered"


def _deleted(record: Record) -> str:
    """Why and when the object was deleted, if the tombstone is one and names this very manifest; else empty."""
    if record.tombstone is None or len(record.tombstone) > LARGEST_TOMBSTONE:
        return ""
    try:
        told = json.loads(record.tombstone)
        of_this = told["v"] == 1 and told["manifest"] == hashlib.sha256(record.data).hexdigest()
        deleted_at, reason = datetime.fromisoformat(told["deleted_at"]), told["reason"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return ""
    if not of_this or deleted_at.tzinfo is None or not isinstance(reason, str):
        return ""
    return f"deleted on {deleted_at.date().isoformat()} ({reason[:80]})"
