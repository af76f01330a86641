"""Who is told what of an incident, and when. Pure: who these people are and how they are reached is the database's."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from enum import StrEnum

from uriai.domain.incident import Incident
from uriai.domain.words import Role, Status, Verdict

DAY_MIN = 24 * 60
PAGE_AGAIN = timedelta(minutes=10)
"""How soon experts are paged again for an incident with verdict ``report`` that nobody has taken, at first."""
PAGE_AGAIN_LATER = timedelta(hours=1)
"""The same after `FIRST_PAGES`: often enough not to be forgotten, seldom enough not to be muted."""
FIRST_PAGES = 6
"""So many repetitions come at `PAGE_AGAIN`."""
CLAIM_LASTS = timedelta(hours=4)
"""Whoever took an incident and has not decided on it by then has forgotten it: the experts are paged again."""


class Occasion(StrEnum):
    """What there is to tell.

    ``records``: a gateway's are incomplete or contradict each other; ``undelivered``: an expert could not be paged;
    ``unreported``: a report did not get to the police; ``no_…``: those who ought to be told cannot be reached;
    ``masked_copy`` and ``no_masked_copy``: what became of a copy that somebody asked for.
    """

    REPORTED = "reported"
    PAGE = "page"
    REVIEW = "review"
    TAMPER = "tamper"
    HOLE = "hole"
    RECORDS = "records"
    UNDELIVERED = "undelivered"
    UNREPORTED = "unreported"
    NO_STATION = "no_station"
    NO_POLICY_OFFICER = "no_policy_officer"
    NO_DIRECTOR = "no_director"
    NO_EXPERT = "no_expert"
    MASKED_COPY = "masked_copy"
    NO_MASKED_COPY = "no_masked_copy"

    @property
    def may_wait(self) -> bool:
        """Whether quiet hours and digests hold it back."""
        return self is Occasion.REVIEW

    @property
    def bundled(self) -> bool:
        """Whether several that are due at once are told in one message."""
        return self in (Occasion.REVIEW, Occasion.TAMPER, Occasion.HOLE, Occasion.RECORDS)

    @property
    def waits_for_decision(self) -> bool:
        """Whether it is pointless once somebody has decided on the incident."""
        return self in (Occasion.PAGE, Occasion.REVIEW)

    @property
    def answers(self) -> bool:
        """Whether it is told to whoever asked, in whatever role, and to nobody else."""
        return self in (Occasion.MASKED_COPY, Occasion.NO_MASKED_COPY)


class Audience(StrEnum):
    """Those who are told."""

    STATION = "station"
    POLICY_OFFICER = "policy_officer"
    DIRECTOR = "director"
    EXPERT = "expert"
    OPERATOR = "operator"

    @property
    def role(self) -> Role | None:
        """The role of its people; None for the police station, which is no person."""
        return None if self is Audience.STATION else Role(self.value)


class Medium(StrEnum):
    """What a message goes by."""

    SLACK = "slack"
    TELEGRAM = "telegram"
    EMAIL = "email"
    KAKAO = "kakao"


_MISSING = {
    Audience.STATION: Occasion.NO_STATION,
    Audience.POLICY_OFFICER: Occasion.NO_POLICY_OFFICER,
    Audience.DIRECTOR: Occasion.NO_DIRECTOR,
    Audience.EXPERT: Occasion.NO_EXPERT,
}


def occasion_of(before: Incident | None, after: Incident) -> Occasion | None:
    """What an incident's change is an occasion for; ``before`` is None where it was opened. None: for nothing."""
    if after.status is Status.REPORTED:
        return None if before is not None and before.status is Status.REPORTED else Occasion.REPORTED
    if after.status is Status.OPEN:
        return Occasion.TAMPER if before is None else None
    if after.status is not Status.PENDING_REVIEW:
        return None
    if after.verdict is Verdict.REPORT:
        return None if before is not None and before.verdict is Verdict.REPORT else Occasion.PAGE
    return Occasion.REVIEW if before is None else None


def audiences(occasion: Occasion, *, withheld: bool) -> tuple[Audience, ...]:
    """Who is told; ``withheld``: the incident is hidden from the centre, so its director is not among them."""
    if occasion is Occasion.REPORTED:
        told: tuple[Audience, ...] = (Audience.STATION, Audience.POLICY_OFFICER, Audience.DIRECTOR)
    elif occasion in (Occasion.TAMPER, Occasion.HOLE):
        told = (Audience.POLICY_OFFICER, Audience.DIRECTOR)
    elif occasion is Occasion.RECORDS:
        # not the director: the gateway stands in their building, and nothing in it is theirs to mend
        told = (Audience.POLICY_OFFICER,)
    elif occasion in (Occasion.PAGE, Occasion.REVIEW):
        told = (Audience.EXPERT,)
    elif occasion is Occasion.UNREPORTED:
        told = (Audience.OPERATOR, Audience.POLICY_OFFICER)
    elif occasion.answers:
        told = ()
    else:
        told = (Audience.OPERATOR,)
    return tuple(one for one in told if not (withheld and one is Audience.DIRECTOR))


def missing(audience: Audience) -> Occasion | None:
    """What operators are told if nobody of an audience can be reached; None for the operators themselves."""
    return _MISSING.get(audience)


def undelivered(occasion: Occasion, *, to_station: bool) -> Occasion | None:
    """What others are told if it could not be delivered; None where it can be read up in the outbox in good time."""
    if occasion is Occasion.PAGE:
        return Occasion.UNDELIVERED
    return Occasion.UNREPORTED if occasion is Occasion.REPORTED and to_station else None


@dataclass(frozen=True, slots=True)
class Hours:
    """When somebody wants what may wait, in minutes since midnight (0..1439) where the centre is.

    Nothing between ``quiet_from`` and ``quiet_until``, over midnight too; with ``digest_at`` all at once at that time.
    """

    quiet_from: int | None = None
    quiet_until: int | None = None
    digest_at: int | None = None


def due_at(occasion: Occasion, hours: Hours, now: datetime, zone: tzinfo) -> datetime:
    """When to tell it: now, or when the digest is due or the quiet hours end, if it may wait."""
    if not occasion.may_wait:
        return now
    if hours.digest_at is not None:
        return next_at_minute(hours.digest_at, now, zone)
    if hours.quiet_from is None or hours.quiet_until is None:
        return now
    local = now.astimezone(zone)
    minute = local.hour * 60 + local.minute
    if (minute - hours.quiet_from) % DAY_MIN < (hours.quiet_until - hours.quiet_from) % DAY_MIN:
        return next_at_minute(hours.quiet_until, now, zone)
    return now


def paged_again(repetition: int, told_at: datetime) -> datetime:
    """When the page after the ``repetition``-th (from 0) is due, unless somebody takes the incident before."""
    return told_at + (PAGE_AGAIN if repetition < FIRST_PAGES else PAGE_AGAIN_LATER)


def next_at_minute(minute: int, now: datetime, zone: tzinfo) -> datetime:
    """The first instant from ``now`` on at which the clock shows the minute of the day."""
    local = now.astimezone(zone)
    at = local.replace(hour=minute // 60, minute=minute % 60, second=0, microsecond=0, fold=0)
    if at < local:
        following = (local + timedelta(days=1)).date()
        at = at.replace(year=following.year, month=following.month, day=following.day)
    return at.astimezone(now.tzinfo)
