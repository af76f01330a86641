"""What people do to an incident: decide on it, say what the police did, resolve it, keep it from the centre."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from uriai.domain.authority import ACT_OF, Act
from uriai.domain.incident import Decision, Incident, decided_status, moved
from uriai.domain.person import Person
from uriai.domain.words import Status
from uriai.service.authorise import authorise_role
from uriai.service.ports.clock import Clock
from uriai.service.ports.repositories import Repositories, ReviewItem, Transactions
from uriai.service.tell import tell


class ReviewError(Exception):
    """A decision cannot be taken; the message says why and what to do."""


class IncidentNotFoundError(ReviewError):
    """No incident has that number."""


class AmbiguousNumberError(ReviewError):
    """Several centres have an incident of that number and none was named."""


class NotWaitingError(ReviewError):
    """The incident does not wait for a decision: it was decided before, or its kind is not for experts."""


@dataclass(frozen=True, slots=True)
class Named:
    """The incident that is meant and who speaks: ``number`` is what people type, ``centre`` its centre's name where
    several have that number, ``person`` whoever is enrolled, None for whoever runs the cloud.
    """

    number: int
    reason: str
    actor: str
    centre: str | None = None
    person: Person | None = None


@dataclass(frozen=True, slots=True)
class Ruling:
    """A decision on the incident of a number; the rest as in `Named`."""

    number: int
    decision: Decision
    reason: str
    actor: str
    centre: str | None = None
    person: Person | None = None

    @property
    def named(self) -> Named:
        """Which incident and who speaks."""
        return Named(self.number, self.reason, self.actor, self.centre, self.person)


def decide_review(ruling: Ruling, transactions: Transactions, clock: Clock) -> ReviewItem:
    """Set the incident to ``reported`` or ``dismissed`` and keep who said so and why; the incident as it is now.

    Raises
    ------
    ReviewError
        If there is no such incident, it is not clear which is meant, or it does not wait for a decision.
    NotAllowedError
        If the person may not decide.
    """
    _check_reason(ruling.reason)
    return transactions.run(lambda rows: _decide(rows, ruling, clock))


def move_incident(named: Named, status: Status, transactions: Transactions, clock: Clock) -> ReviewItem:
    """Bring the incident into its next status and keep who did so and why; the incident as it is now.

    Raises
    ------
    ReviewError
        If there is no such incident or it is not clear which is meant.
    IllegalTransitionError
        If the status cannot follow the one it has.
    NotAllowedError
        If the person may not do that.
    """
    _check_reason(named.reason)

    def work(rows: Repositories) -> ReviewItem:
        item = found(rows, named, ACT_OF[status])
        return _moved(rows, item, moved(item.incident, status), named, clock)

    return transactions.run(work)


def withhold_from_director(named: Named, withheld: bool, transactions: Transactions, clock: Clock) -> tuple[int, ...]:
    """Hide the incident from its centre's directors, with all it is linked to, or show it; the numbers that changed.

    Raises
    ------
    ReviewError
        If there is no such incident or it is not clear which is meant.
    NotAllowedError
        If the person may not do that.
    """
    _check_reason(named.reason)

    def work(rows: Repositories) -> tuple[int, ...]:
        incident = found(rows, named, Act.WITHHOLD).incident
        now = clock.now()
        changed = tuple(rows.incidents.withhold(incident.id, withheld, now))
        action = "incident.withheld" if withheld else "incident.shown"
        _audit(rows, named, action, incident, {"numbers": list(changed)}, now)
        return changed

    return transactions.run(work)


def _check_reason(reason: str) -> None:
    if not reason.strip():
        raise ReviewError("a decision needs a reason: it is what a later reader has to go by")


def _decide(rows: Repositories, ruling: Ruling, clock: Clock) -> ReviewItem:
    item = found(rows, ruling.named, Act.DECIDE)
    status = decided_status(item.incident.status, ruling.decision)
    if status is None:
        raise NotWaitingError(
            f"incident {ruling.number} of {item.centre.name} is {item.incident.status.value}: only what is "
            "pending_review can be decided"
        )
    return _moved(rows, item, moved(item.incident, status), ruling.named, clock)


def found(rows: Repositories, named: Named, act: Act) -> ReviewItem:
    """The incident that is meant, if the person may do that to it; under its camera's lock, as clips are filed.

    What is out of their scope is told of like what there is not, and their role is looked at before anything else: a
    refusal says nothing of what there is.

    Raises
    ------
    ReviewError
        If there is no such incident or it is not clear which is meant.
    NotAllowedError
        If the person may not do that.
    """
    if named.person is not None:
        authorise_role(named.person, act)
    rows.gateways.lock_camera(_meant(rows, named).incident.camera_id)
    # what is read before the lock may have changed while it was waited for
    return _meant(rows, named)


def _meant(rows: Repositories, named: Named) -> ReviewItem:
    candidates = rows.incidents.numbered(named.number, named.centre, named.person)
    if not candidates:
        where = f" in {named.centre}" if named.centre else ""
        raise IncidentNotFoundError(f"there is no incident {named.number}{where}: see `uriai review list`")
    if len(candidates) > 1:
        centres = ", ".join(sorted(item.centre.name for item in candidates))
        raise AmbiguousNumberError(f"incident {named.number} is one of {centres}: say which with --centre")
    return candidates[0]


def _moved(rows: Repositories, item: ReviewItem, after: Incident, named: Named, clock: Clock) -> ReviewItem:
    now = clock.now()
    rows.incidents.update(after, now)
    _audit(rows, named, f"incident.{after.status.value}", after, {"from": item.incident.status.value}, now)
    tell(rows, item.centre, item.camera_number, after, before=item.incident, now=now)
    return replace(item, incident=after)


def _audit(
    rows: Repositories, named: Named, action: str, incident: Incident, detail: dict[str, object], now: datetime
) -> None:
    rows.audit.add(
        now, named.actor, action, f"incident:{incident.id}",
        {"number": incident.number, **detail, "reason": named.reason},
        named.person.id if named.person else None,
    )  # fmt: skip
