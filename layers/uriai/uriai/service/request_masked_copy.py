"""Has the masked copies of an incident made, one for each of its clips, or says where they lie."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from uriai.domain.identity import evidence_id
from uriai.domain.person import Person
from uriai.domain.ulid import Ulid
from uriai.domain.words import EvidenceRole
from uriai.service.ports.clock import Clock
from uriai.service.ports.masked_copies import RETRIES_EXHAUSTED, CopyOf, CopyState, MaskQueue, StoredCopy
from uriai.service.ports.repositories import Repositories, Transactions

QUEUED_ANEW = timedelta(hours=2)
"""A job that nothing has come of for so long is queued again when somebody asks: its message may be lost."""


@dataclass(frozen=True, slots=True)
class CopyDesk:
    """What asking for masked copies needs; ``queue`` is opened when there is a job for it."""

    transactions: Transactions
    queue: Callable[[], MaskQueue]


@dataclass(frozen=True, slots=True)
class RequestedCopy:
    """A clip's masked copy. ``state`` None: the clip is deleted, or about to be. ``evidence_id``: of a ready one."""

    shown_at: datetime
    state: CopyState | None
    evidence_id: Ulid | None = None
    reason_code: str | None = None


@dataclass(frozen=True, slots=True)
class RequestedCopies:
    """The masked copies of an incident, by time. ``reachable``: the person will be told of those that are waiting."""

    copies: Sequence[RequestedCopy]
    reachable: bool


@dataclass(frozen=True, slots=True)
class _Claimed:
    copies: tuple[RequestedCopy, ...]
    to_queue: tuple[Ulid, ...]
    reachable: bool


def request_masked_copies(
    person: Person, incident_id: Ulid, base_url: str, desk: CopyDesk, clock: Clock
) -> RequestedCopies:
    """Ask for them; however often, there is one job and one copy of each clip. Every request is audited.

    None is there for an incident that is not in the person's scope, or that rests on no clip. The row is written before
    the job is queued: what is not queued for an error is queued when it is asked for again.

    Raises
    ------
    Exception
        If database or queue fail: nothing is promised.
    """
    now = clock.now()
    claimed = desk.transactions.run(partial(_claim, person=person, incident_id=incident_id, base_url=base_url, now=now))
    for finding_id in claimed.to_queue:
        desk.queue().put(finding_id)
        desk.transactions.run(partial(_queued, finding_id=finding_id, now=now))
    return RequestedCopies(claimed.copies, claimed.reachable)


def _claim(rows: Repositories, person: Person, incident_id: Ulid, base_url: str, now: datetime) -> _Claimed:
    found, to_queue, told = rows.copies.of_incident(person, incident_id), [], {}
    # in one order, so that two who ask at once do not lock each other out
    for copy in sorted(found, key=lambda copy: copy.finding_id.value):
        if copy.deleted:
            told[copy.clip_id] = RequestedCopy(copy.shown_at, None)
            continue
        stored = rows.copies.claim(copy, now)
        if stored.reason_code == RETRIES_EXHAUSTED:
            rows.copies.retry(copy.finding_id, now)
            stored = rows.copies.claim(copy, now)
        if not stored.settled:
            rows.copies.wish(copy.finding_id, person, base_url, now)
            if stored.queued_at is None or stored.queued_at < now - QUEUED_ANEW:
                to_queue.append(copy.finding_id)
        told[copy.clip_id] = _requested(copy, stored)
    if found:
        rows.audit.add(
            now, person.name, "masked_copy.asked", f"incident:{incident_id}", {"clips": len(found)}, person.id
        )
    copies = tuple(told[copy.clip_id] for copy in found)
    return _Claimed(copies, tuple(to_queue), rows.copies.reachable(person))


def _requested(copy: CopyOf, stored: StoredCopy) -> RequestedCopy:
    ready = evidence_id(copy.finding_id, EvidenceRole.MASKED_COPY) if stored.state is CopyState.READY else None
    return RequestedCopy(copy.shown_at, stored.state, ready, stored.reason_code)


def _queued(rows: Repositories, finding_id: Ulid, now: datetime) -> None:
    rows.copies.mark_queued(finding_id, now)
