"""An incident: findings of one kind on one camera less than 60 s apart. Decides what a finding becomes part of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta, tzinfo
from enum import StrEnum
from typing import Protocol

from uriai.domain.ulid import Ulid
from uriai.domain.words import Kind, Status, Verdict

INCIDENT_GAP_S = 60.0
"""Findings of one kind on one camera closer than this are one incident."""


@dataclass(frozen=True, slots=True)
class Incident:
    """``number`` is per centre, never reused, what people type. Instants are aware UTC. ``confidence`` is 0..1.

    ``unverified`` says that at least one of its clips has no manifest that verifies. ``linked_to`` is the decided
    incident that this one continues.
    """

    id: Ulid
    centre_id: int
    camera_id: int
    number: int
    kind: Kind
    verdict: Verdict
    status: Status
    started_at: datetime
    ended_at: datetime
    confidence: float
    unverified: bool = False
    linked_to: Ulid | None = None

    @property
    def undecided(self) -> bool:
        """Whether it may still absorb findings: nobody has decided on it, and it was not reported automatically."""
        return self.status in (Status.PENDING_REVIEW, Status.OPEN)


@dataclass(frozen=True, slots=True)
class Sighting:
    """A finding placed in time: what an incident is made of. ``verified``: its clip's manifest verifies."""

    kind: Kind
    verdict: Verdict
    started_at: datetime
    ended_at: datetime
    confidence: float
    verified: bool


@dataclass(frozen=True, slots=True)
class Placement:
    """What becomes of a sighting.

    ``joins`` is the undecided incident that takes it, None if a new one is opened; ``merges`` are the later undecided
    ones that it bridges to ``joins``; ``linked_to`` is a decided one near it, if any.
    """

    joins: Incident | None
    merges: tuple[Incident, ...]
    linked_to: Incident | None


def first_status(kind: Kind, verdict: Verdict, *, auto_report: bool, verified: bool) -> Status:
    """The status a new incident starts in.

    ``reported`` at once only for verdict ``report`` on a verified clip of a centre with ``auto_report: on``.
    """
    if kind is Kind.TAMPER:
        return Status.OPEN
    if verdict is Verdict.REPORT and auto_report and verified:
        return Status.REPORTED
    return Status.PENDING_REVIEW


def gap_s(one: Sighting | Incident, other: Sighting | Incident) -> float:
    """Seconds between two spans, 0.0 if they touch or overlap."""
    later, earlier = max(one.started_at, other.started_at), min(one.ended_at, other.ended_at)
    return max(0.0, (later - earlier).total_seconds())


def place(sighting: Sighting, near: Iterable[Incident]) -> Placement:
    """Decide what a sighting joins among the incidents of its kind on its camera, none of them merged into another.

    The earliest undecided incident less than `INCIDENT_GAP_S` away takes it; the others it reaches are merged into that
    one. A decided incident takes nothing: the new one is linked to the nearest of them.
    """
    reached = sorted(
        (incident for incident in near if gap_s(sighting, incident) < INCIDENT_GAP_S),
        key=lambda incident: (incident.started_at, incident.number),
    )
    undecided = [incident for incident in reached if incident.undecided]
    decided = [incident for incident in reached if not incident.undecided]
    return Placement(
        joins=undecided[0] if undecided else None,
        merges=tuple(undecided[1:]),
        linked_to=min(decided, key=lambda incident: gap_s(sighting, incident)) if decided else None,
    )


def joined(placement: Placement, sighting: Sighting, *, auto_report: bool) -> Incident:
    """The incident that takes the sighting, after it has: the span of all, the worst verdict, the highest confidence.

    Raises
    ------
    ValueError
        If the placement opens a new incident.
    """
    if placement.joins is None:
        raise ValueError("nothing to join: the placement opens a new incident")
    before = placement.joins
    parts: Sequence[Incident | Sighting] = (before, *placement.merges, sighting)
    # the sighting by itself may be clear enough to be reported at once
    status = first_status(sighting.kind, sighting.verdict, auto_report=auto_report, verified=sighting.verified)
    after = before if status is before.status else moved(before, status)
    return replace(
        after,
        verdict=max((part.verdict for part in parts), key=lambda verdict: verdict.severity),
        started_at=min(part.started_at for part in parts),
        ended_at=max(part.ended_at for part in parts),
        confidence=max(part.confidence for part in parts),
        unverified=not sighting.verified or any(part.unverified for part in (before, *placement.merges)),
        linked_to=before.linked_to or (placement.linked_to.id if placement.linked_to else None),
    )


class Decision(StrEnum):
    """What an expert says of an incident that waits for review."""

    REPORT = "report"
    SAFE = "safe"


_DECIDED: Mapping[Decision, Status] = {Decision.REPORT: Status.REPORTED, Decision.SAFE: Status.DISMISSED}

TRANSITIONS: Mapping[Status, frozenset[Status]] = {
    Status.PENDING_REVIEW: frozenset({Status.REPORTED, Status.DISMISSED}),
    Status.REPORTED: frozenset({Status.DISPATCHED}),
    Status.DISPATCHED: frozenset({Status.CLOSED}),
    Status.DISMISSED: frozenset(),
    Status.CLOSED: frozenset(),
    Status.OPEN: frozenset({Status.RESOLVED}),
    Status.RESOLVED: frozenset(),
}
"""What may follow what. ``tamper`` goes from OPEN to RESOLVED and nothing else does."""


class IllegalTransitionError(ValueError):
    """An incident cannot go from the status it has to the one asked for."""


def decided_status(status: Status, decision: Decision) -> Status | None:
    """The status after an expert's decision, None where the incident does not wait for one."""
    return _DECIDED[decision] if _DECIDED[decision] in TRANSITIONS[status] else None


def moved(incident: Incident, status: Status) -> Incident:
    """The incident in its next status.

    Raises
    ------
    IllegalTransitionError
        If `TRANSITIONS` does not have it.
    """
    if status not in TRANSITIONS[incident.status]:
        following = ", ".join(sorted(TRANSITIONS[incident.status])) or "nothing: it is settled"
        raise IllegalTransitionError(
            f"incident {incident.number} is {incident.status.value} and cannot become {status.value}; "
            f"what may follow is {following}"
        )
    return replace(incident, status=status)


def day_bounds(day: date, zone: tzinfo) -> tuple[datetime, datetime]:
    """The half-open span of a calendar day in a zone, as two instants in UTC; 23 to 25 hours where clocks change."""
    start = datetime(day.year, day.month, day.day, tzinfo=zone)
    following = day + timedelta(days=1)
    end = datetime(following.year, following.month, following.day, tzinfo=zone)
    return start.astimezone(UTC), end.astimezone(UTC)


class Begun(Protocol):
    """What is counted: an incident, however much is known of it."""

    @property
    def id(self) -> Ulid:
        """Its own."""

    @property
    def number(self) -> int:
        """What people type."""

    @property
    def started_at(self) -> datetime:
        """Aware."""


def running_counts(incidents: Iterable[Begun]) -> dict[Ulid, int]:
    """The running count (from 1) of one centre's incidents of one day, by their start.

    It is never stored: a clip that arrives late changes it, while ``number`` stays.
    """
    ordered = sorted(incidents, key=lambda incident: (incident.started_at, incident.number))
    return {incident.id: position for position, incident in enumerate(ordered, start=1)}
