"""Offline check of a gateway's evidence: is every record there, unaltered, in its place, and signed by the device?

Works on a copy of the bucket (or a part of it) without network. The rules are those of docs/formats/evidence.md;
``tests/vectors`` holds examples of each outcome.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from nacl.signing import VerifyKey

from uriai_edge.evidence import (
    FIRST_PREV,
    MAX_MANIFEST_BYTES,
    Manifest,
    ManifestError,
    RecordType,
    digest,
    file_digest,
    signature_holds,
)

TOMBSTONE = ".tombstone"


class Status(StrEnum):
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
        """Whether the evidence stands: it is there, or a signed record dropped it, or the cloud says it deleted it."""
        return self in (Status.PRESENT, Status.DROPPED, Status.DELETED)


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome for one record, or for numbers without one (``key`` is None, ``seq`` the first of them)."""

    seq: int | None
    status: Status
    key: str | None
    type: RecordType | None
    message: str


@dataclass(frozen=True, slots=True)
class Report:
    """All verdicts of one gateway in the order of ``seq``; those without a number come last."""

    gateway: str
    verdicts: tuple[Verdict, ...]

    @property
    def first_break(self) -> Verdict | None:
        """The earliest record at which the evidence does not hold, or None."""
        return next((verdict for verdict in self.verdicts if not verdict.status.holds), None)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A manifest as found: its key, bytes, signature (None: absent), and what is known of its file.

    ``attachment`` is the file's path (which may not exist); ``kept_elsewhere`` tells that the file was removed here
    after S3 confirmed it, so its absence breaks nothing. ``tombstone`` is what the cloud left when it deleted the file.
    """

    key: str
    data: bytes
    signature: bytes | None
    attachment: Path | None
    kept_elsewhere: bool = False
    tombstone: bytes | None = None


def collect(paths: Iterable[Path]) -> list[Candidate]:
    """Find manifests under ``paths`` (files or folders laid out like the bucket, each searched wholly).

    Raises
    ------
    FileNotFoundError
        If a path does not exist.
    """
    found: dict[Path, Candidate] = {}
    for path in paths:
        if not path.exists():
            raise FileNotFoundError(f"{path} does not exist")
        files = sorted(path.rglob("*.json")) if path.is_dir() else [path.with_suffix(".json")]
        for file in files:
            key = _key_of(file)
            if key is None or not file.is_file():
                continue
            signature, tombstone = file.with_suffix(".sig"), file.with_suffix(TOMBSTONE)
            found[file.resolve()] = Candidate(
                key=key,
                data=file.read_bytes(),
                signature=signature.read_bytes() if signature.is_file() else None,
                attachment=file.with_suffix(""),
                tombstone=tombstone.read_bytes() if tombstone.is_file() else None,
            )
    return list(found.values())


def _key_of(file: Path) -> str | None:
    """The object key of a local copy: everything from the last ``clips/`` or ``records/`` on its path."""
    parts = file.resolve().parts
    for depth, root in ((5, "clips"), (4, "records")):
        if len(parts) >= depth and parts[-depth] == root:
            return "/".join(parts[-depth:])
    return None


def verify(
    candidates: Sequence[Candidate],
    public_key: VerifyKey,
    *,
    from_start: bool = True,
    after: tuple[int, str] | None = None,
) -> list[Report]:
    """Check every gateway's chain among ``candidates`` against ``public_key``.

    Parameters
    ----------
    candidates
        Manifests as found, in any order.
    public_key
        The device's Ed25519 key, from the cloud's register, never from the evidence itself.
    from_start
        Whether the chain must begin at 1. False for a part of it: the numbers before the first are then not missed.
        What is missing after the last record cannot be told from the copy alone in either case.
    after
        Number and manifest's SHA-256 of the record before the first one, where it is known (a spool that forgot its
        oldest records): the chain must go on from there.
    """
    malformed: dict[str, list[Verdict]] = {}
    chains: dict[str, list[tuple[Manifest, Candidate]]] = {}
    for candidate in candidates:
        gateway = candidate.key.split("/")[1]
        try:
            manifest = Manifest.from_bytes(candidate.data)
        except ManifestError as error:
            malformed.setdefault(gateway, []).append(
                Verdict(None, Status.MALFORMED, candidate.key, None, f"not a manifest: {error}")
            )
            continue
        chains.setdefault(manifest.gateway, []).append((manifest, candidate))
    reports = []
    for gateway in sorted(chains.keys() | malformed.keys()):
        verdicts = _verify_chain(chains.get(gateway, []), public_key, from_start=from_start, after=after)
        reports.append(Report(gateway, (*verdicts, *sorted(malformed.get(gateway, []), key=lambda one: one.key or ""))))
    return reports


def _verify_chain(
    records: list[tuple[Manifest, Candidate]],
    public_key: VerifyKey,
    *,
    from_start: bool,
    after: tuple[int, str] | None,
) -> list[Verdict]:
    by_seq: dict[int, list[tuple[Manifest, Candidate]]] = {}
    for manifest, candidate in sorted(records, key=lambda pair: (pair[0].seq, pair[1].key)):
        by_seq.setdefault(manifest.seq, []).append((manifest, candidate))
    dropped = _dropped(records, public_key)
    verdicts: list[Verdict] = []
    before: str | None  # hash of the record before, None: unknown
    if after is not None:
        expected, before = after[0] + 1, after[1]
    else:
        expected = 1 if from_start else min(by_seq, default=1)
        before = FIRST_PREV if expected == 1 else None
    for seq, group in by_seq.items():
        if seq > expected:
            # One verdict for the whole gap: a forged manifest may claim any number.
            which = f"number {expected}" if seq == expected + 1 else f"numbers {expected} to {seq - 1}"
            verdicts.append(Verdict(expected, Status.MISSING, None, None, f"there is no record of {which}"))
            before = None
        signed = {
            candidate.data
            for manifest, candidate in group
            if candidate.signature is not None and signature_holds(public_key, candidate.data, candidate.signature)
        }
        for manifest, candidate in group:
            verdicts.append(_verify_record(manifest, candidate, signed, before, dropped))
        before = digest(signed.pop()) if len(signed) == 1 else None
        expected = seq + 1
    return verdicts


def _dropped(records: list[tuple[Manifest, Candidate]], public_key: VerifyKey) -> set[int]:
    """Numbers of clips that a signed drop record names."""
    numbers: set[int] = set()
    for manifest, candidate in records:
        if manifest.type is not RecordType.DROP or candidate.signature is None:
            continue
        if signature_holds(public_key, candidate.data, candidate.signature):
            seqs = manifest.detail.get("seqs", [])
            if isinstance(seqs, list):
                numbers.update(seq for seq in seqs if isinstance(seq, int))
    return numbers


def _verify_record(
    manifest: Manifest, candidate: Candidate, signed: set[bytes], before: str | None, dropped: set[int]
) -> Verdict:
    def verdict(status: Status, message: str) -> Verdict:
        return Verdict(manifest.seq, status, candidate.key, manifest.type, message)

    if candidate.data not in signed:
        reason = "its signature is absent" if candidate.signature is None else "its signature is not the device's"
        return verdict(Status.BAD_SIGNATURE, f"{reason}: manifest or signature was altered")
    if candidate.key != manifest.stem + ".json":
        return verdict(Status.REORDERED, f"stands in the place of another record; its own is {manifest.stem}.json")
    if len(signed) > 1:
        return verdict(Status.FORKED, "the device signed different records under this number")
    if before is not None and manifest.prev != before:
        return verdict(Status.BROKEN_LINK, "does not continue the record before it")
    return _verify_attachment(
        manifest, candidate, verdict_present=verdict(Status.PRESENT, "unaltered"), dropped=dropped
    )


def _verify_attachment(
    manifest: Manifest, candidate: Candidate, *, verdict_present: Verdict, dropped: set[int]
) -> Verdict:
    def verdict(status: Status, message: str) -> Verdict:
        return Verdict(manifest.seq, status, candidate.key, manifest.type, message)

    suffix = manifest.attachment_suffix
    if suffix is None or candidate.attachment is None:
        return verdict_present
    file = candidate.attachment.with_name(candidate.attachment.name + suffix)
    if not file.is_file():
        if manifest.seq in dropped:
            return verdict(Status.DROPPED, "a signed record says that it was dropped")
        why = _deleted(candidate)
        if why is not None:
            return verdict(Status.DELETED, f"the cloud's tombstone says: {why}; its audit must say so too")
        if candidate.kept_elsewhere:
            return verdict(Status.PRESENT, "removed here after S3 confirmed it")
        return verdict(Status.MISSING, f"its file {file.name} is gone")
    size = file.stat().st_size
    if size != manifest.size:
        return verdict(Status.ALTERED, f"{file.name} has {size} bytes, signed were {manifest.size}")
    if file_digest(file) != manifest.sha256:
        return verdict(Status.ALTERED, f"{file.name} is not the file that was signed")
    return verdict_present


def _deleted(candidate: Candidate) -> str | None:
    """Why and when the file was deleted, if the tombstone is one and of this very manifest."""
    if candidate.tombstone is None or len(candidate.tombstone) > MAX_MANIFEST_BYTES:
        return None
    try:
        told = json.loads(candidate.tombstone)
        deleted_at = datetime.fromisoformat(told["deleted_at"])
        names = (told["v"], told["manifest"]) == (1, digest(candidate.data))
        reason = told["reason"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    if not names or deleted_at.tzinfo is None or not isinstance(reason, str):
        return None
    return f"deleted on {deleted_at.date().isoformat()} ({reason[:80]})"
