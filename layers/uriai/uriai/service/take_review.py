"""An expert takes an incident that waits for a decision, so that the others are not paged for it any more."""

from __future__ import annotations

from uriai.domain.authority import Act
from uriai.domain.telling import CLAIM_LASTS
from uriai.domain.words import Status
from uriai.service.decide_review import Named, NotWaitingError, ReviewError, found
from uriai.service.ports.clock import Clock
from uriai.service.ports.repositories import Repositories, ReviewItem, Transactions
from uriai.service.ports.telling import Claim

LONGEST_NAME = 80
"""Characters of the one who took it that are kept."""


class TakenError(ReviewError):
    """Somebody else has taken the incident and may still be at it."""


def take_review(named: Named, transactions: Transactions, clock: Clock) -> ReviewItem:
    """Keep that somebody sees to the incident, audited; without a decision it lapses after `CLAIM_LASTS`.

    Raises
    ------
    ReviewError
        If there is none, it is not clear which is meant, it does not wait for a decision, or another has it.
    NotAllowedError
        If the person may not decide on it.
    """
    return transactions.run(lambda rows: _take(rows, named, clock))


def _take(rows: Repositories, named: Named, clock: Clock) -> ReviewItem:
    item = found(rows, named, Act.DECIDE)
    incident, centre = item.incident, item.centre.name
    if incident.status is not Status.PENDING_REVIEW:
        raise NotWaitingError(
            f"incident {named.number} of {centre} is {incident.status.value}: only what is pending_review can be taken"
        )
    now, actor = clock.now(), named.actor[:LONGEST_NAME]
    standing = rows.claims.take(incident.id, Claim(actor, now), lapsed_before=now - CLAIM_LASTS)
    if standing.taken_by != actor:
        raise TakenError(
            f"incident {named.number} of {centre} was taken by {standing.taken_by} at {standing.taken_at:%H:%M} UTC: "
            f"ask them, or wait until {standing.taken_at + CLAIM_LASTS:%H:%M} UTC"
        )
    rows.audit.add(
        now, named.actor, "incident.taken", f"incident:{incident.id}", {"number": incident.number},
        named.person.id if named.person else None,
    )  # fmt: skip
    return item
