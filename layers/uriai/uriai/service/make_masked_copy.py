"""Makes the masked copy that somebody asked for, keeps it as evidence, and has those who asked told.

The copy is written while the clip's row is locked, so that retention cannot decide on the clip meanwhile; a crash
before the commit leaves an object that the next attempt takes for its own.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import partial
from pathlib import Path

from uriai.domain.identity import evidence_id, evidence_key
from uriai.domain.telling import Occasion
from uriai.domain.ulid import Ulid
from uriai.domain.words import EvidenceRole
from uriai.service.enrol_person import hash_of
from uriai.service.open_evidence import LINK_LASTS, address_of, new_token
from uriai.service.ports.clips import ClipMissingError, ClipStore, ClipTooLargeError
from uriai.service.ports.clock import Clock
from uriai.service.ports.masked_copies import (
    ALTERED,
    CLIP_DELETED,
    OBJECT_MISSING,
    RETRIES_EXHAUSTED,
    CopyJob,
    CopyState,
    CopyStore,
    Wish,
)
from uriai.service.ports.masking import ClipMasker, MaskReport
from uriai.service.ports.repositories import EvidenceRow, Repositories, Transactions
from uriai.service.ports.telling import Channel, NewOutboxRow
from uriai.service.ports.vision import ClipFault, NotAVideo
from uriai.service.texts import say

ACTOR = "mask"
MP4 = "video/mp4"
COPY_NAME, REPORT_NAME = "masked-copy.mp4", "masked-copy.json"


class Made(StrEnum):
    """What became of a request."""

    READY = "ready"
    FAILED = "failed"
    SETTLED = "settled"
    """It was ready, or had failed for good, before."""
    UNASKED = "unasked"
    """Nobody has asked for it."""


@dataclass(frozen=True, slots=True)
class CopyWorkshop:
    """What making copies needs."""

    clips: ClipStore
    copies: CopyStore
    masker: ClipMasker
    transactions: Transactions
    clock: Clock


@dataclass(frozen=True, slots=True)
class _Finished:
    """A copy as it lies in a file, to become evidence."""

    job: CopyJob
    path: Path
    report: MaskReport


class _Hopeless(Exception):  # noqa: N818 - it reads as what it says
    """No attempt can ever succeed; ``code`` says why."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code


def make_masked_copy(finding_id: Ulid, workshop: CopyWorkshop) -> Made:
    """Make it unless it is made; however often it is called, there is one copy and everybody is told once.

    Raises
    ------
    Exception
        What may pass with time (store, database, disk): the message is to be delivered again.
    """
    run = workshop.transactions.run
    job = run(lambda rows: rows.copies.job(finding_id))
    if job is None:
        return Made.UNASKED
    if job.copy.settled:
        return Made.SETTLED
    try:
        return _make(job, workshop)
    except _Hopeless as error:
        reason = (error.code, str(error))
        return run(partial(_fail, finding_id=finding_id, reason=reason, now=workshop.clock.now()))


def note_failed_attempt(finding_id: Ulid, error: str, transactions: Transactions, clock: Clock) -> None:
    """Leave an attempt's error for the row that is written should every attempt fail."""
    transactions.run(lambda rows: rows.copies.note(finding_id, error, clock.now()))


def give_up_masked_copy(finding_id: Ulid, transactions: Transactions, clock: Clock) -> Made:
    """Write down that every attempt failed, with the last one's reason, and have those who asked told."""

    def work(rows: Repositories) -> Made:
        last = rows.copies.noted(finding_id)
        told = f"the last attempt failed with {last}" if last else "no attempt left an error: out of memory or of time"
        return _fail(rows, finding_id, (RETRIES_EXHAUSTED, told), clock.now())

    return transactions.run(work)


def _make(job: CopyJob, workshop: CopyWorkshop) -> Made:
    with tempfile.TemporaryDirectory(prefix="mask-") as folder:
        target = Path(folder) / COPY_NAME
        try:
            with workshop.clips.fetch(job.object_key) as clip:
                if clip.sha256 != job.sha256:
                    raise _Hopeless(ALTERED, "the object is not the clip that the evidence was made of")
                report = workshop.masker.mask(clip.path, target)
        except ClipMissingError as error:
            raise _Hopeless(OBJECT_MISSING, str(error)) from error
        except ClipTooLargeError as error:
            raise _Hopeless(ClipFault.TOO_LARGE.value, str(error)) from error
        except NotAVideo as error:
            raise _Hopeless(error.reason_code, error.message) from error
        return workshop.transactions.run(
            partial(_keep, made=_Finished(job, target, report), workshop=workshop, now=workshop.clock.now())
        )


def _keep(rows: Repositories, made: _Finished, workshop: CopyWorkshop, now: datetime) -> Made:
    job = made.job
    finding_id, clip_id = job.copy.finding_id, job.copy.clip_id
    stored = rows.copies.lock(finding_id)
    if stored is None or stored.settled:
        return Made.SETTLED
    rows.gateways.lock_camera(job.camera_id)
    if not rows.clips.lock(clip_id):
        return _fail(rows, finding_id, (CLIP_DELETED, "the clip's deletion was decided before the copy was made"), now)
    key = evidence_key(clip_id, finding_id, COPY_NAME)
    sha256 = workshop.copies.keep(key, made.path, content_type=MP4)
    workshop.clips.put(
        evidence_key(clip_id, finding_id, REPORT_NAME), _report(made, sha256), content_type="application/json"
    )
    row = EvidenceRow(
        id=evidence_id(finding_id, EvidenceRole.MASKED_COPY),
        finding_id=finding_id,
        clip_id=clip_id,
        role=EvidenceRole.MASKED_COPY,
        object_key=key,
        sha256=sha256,
        shown_at=job.shown_at,
    )
    rows.evidence.add(row, now)
    to_look_at = len({doubtful.frame for doubtful in made.report.doubtful})
    rows.copies.make_ready(finding_id, to_look_at, now)
    rows.audit.add(
        now, ACTOR, "masked_copy.made", f"clip:{clip_id}", {"sha256": sha256.hex(), "to_look_at": to_look_at}
    )
    for wish in rows.copies.wishes(finding_id):
        for channel in wish.channels:
            _tell(rows, wish, channel, finding_id, Occasion.MASKED_COPY, _link(rows, row.id, wish, now), now)
    rows.copies.told(finding_id, now)
    return Made.READY


def _fail(rows: Repositories, finding_id: Ulid, reason: tuple[str, str], now: datetime) -> Made:
    stored = rows.copies.lock(finding_id)
    if stored is None or stored.state is CopyState.READY:
        return Made.SETTLED
    rows.copies.fail(finding_id, *reason, now)
    rows.audit.add(
        now, ACTOR, "masked_copy.failed", f"clip:{stored.clip_id}", {"reason_code": reason[0], "reason": reason[1]}
    )
    for wish in rows.copies.wishes(finding_id):
        for channel in wish.channels:
            _tell(rows, wish, channel, finding_id, Occasion.NO_MASKED_COPY, "", now)
    rows.copies.told(finding_id, now)
    return Made.FAILED


def _tell(
    rows: Repositories, wish: Wish, channel: Channel, finding_id: Ulid, occasion: Occasion, link: str, now: datetime
) -> None:
    values = {"centre": wish.centre.name[:60], "number": wish.number, "link": link}
    rows.outbox.add(
        NewOutboxRow(
            id=Ulid.new(now),
            # a copy that failed and was asked for again is another thing to tell
            about=f"copy:{finding_id}:{now:%Y%m%dT%H%M%S%f}",
            incident_id=wish.incident_id,
            centre_id=wish.centre.id,
            occasion=occasion,
            recipient=f"person:{wish.person.id}",
            channel=channel,
            subject=say(channel.language, f"tell_subject_{occasion.value}", **values),
            body=say(channel.language, f"tell_body_{occasion.value}", **values),
            due_at=now,
        ),
        now,
    )


def _link(rows: Repositories, evidence: Ulid, wish: Wish, now: datetime) -> str:
    """One for each channel: each opens once."""
    token = new_token()
    rows.copies.add_link(hash_of(token), evidence, wish.person, now, now + LINK_LASTS)
    return address_of(token, wish.base_url, by_hand=True)


def _report(made: _Finished, sha256: bytes) -> bytes:
    """The report of this copy; ``same`` tells whether it lies there as this attempt made it."""
    own = hashlib.sha256(made.path.read_bytes()).digest()
    described = {"original": made.job.sha256.hex(), "copy": sha256.hex(), "same": own == sha256}
    return json.dumps(described | made.report.as_object(), ensure_ascii=False).encode()
