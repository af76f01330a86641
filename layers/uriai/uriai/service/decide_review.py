"""An expert's decision on an incident that waits for one."""

from __future__ import annotations

from dataclasses import dataclass, replace

from uriai.domain.incident import Decision, decided_status
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
class Ruling:
    """``number`` is what people type; ``centre`` its centre's name where several have that number."""

    number: int
    decision: Decision
    reason: str
    actor: str
    centre: str | None = None


def decide_review(ruling: Ruling, transactions: Transactions, clock: Clock) -> ReviewItem:
    """Set the incident to ``reported`` or ``dismissed`` and keep who said so and why; the incident as it is now.

    Raises
    ------
    ReviewError
        If there is no such incident, it is not clear which is meant, or it does not wait for a decision.
    """
    if not ruling.reason.strip():
        raise ReviewError("a decision needs a reason: it is what a later reader has to go by")
    return transactions.run(lambda rows: _decide(rows, ruling, clock))


def _decide(rows: Repositories, ruling: Ruling, clock: Clock) -> ReviewItem:
    found = rows.incidents.numbered(ruling.number, ruling.centre)
    if not found:
        where = f" in {ruling.centre}" if ruling.centre else ""
        raise IncidentNotFoundError(f"there is no incident {ruling.number}{where}: see `uriai review list`")
    if len(found) > 1:
        centres = ", ".join(sorted(item.centre.name for item in found))
        raise AmbiguousNumberError(f"incident {ruling.number} is one of {centres}: say which with --centre")
    item = found[0]
    status = decided_status(item.incident.status, ruling.decision)
    if status is None:
        raise NotWaitingError(
            f"incident {ruling.number} of {item.centre.name} is {item.incident.status.value}: only what is "
            "pending_review can be decided"
        )
    now = clock.now()
    incident = replace(item.incident, status=status)
    rows.incidents.update(incident, now)
    rows.audit.add(
        now, ruling.actor, f"incident.{status.value}", f"incident:{incident.id}",
        {"number": incident.number, "from": item.incident.status.value, "reason": ruling.reason},
    )  # fmt: skip
    tell(rows, item.centre, item.camera_number, incident, before=item.incident, now=now)
    return replace(item, incident=incident)
