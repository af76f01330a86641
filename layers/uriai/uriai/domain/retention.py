"""How long a clip is kept. By the time of its arrival, which the gateway cannot choose."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from uriai.domain.words import Status

LEAST_DAYS = 60
"""What Korean law asks for, and every centre's default."""
MOST_DAYS = 3650
SETTLED_FOR = timedelta(days=60)
"""What an expert dismissed, or somebody resolved, is kept for so long after that."""

_NEVER = frozenset(Status) - {Status.DISMISSED, Status.RESOLVED}


class Expiry(StrEnum):
    """Why a clip goes."""

    CLEAR = "clear"
    """Nothing was found in it."""
    FAILED = "failed"
    """It could not be analysed, and nobody changed that within the period."""
    DISMISSED = "dismissed"
    """What it shows was dismissed or resolved."""
    UNPLACED = "unplaced"
    """It is of no camera that anybody entered."""


class Kept(StrEnum):
    """Why a clip stays beyond the period."""

    INCIDENT = "incident"
    """It is evidence of an incident that waits for a decision, is open or was reported."""
    SETTLED_LATELY = "settled_lately"
    """It was dismissed or resolved less than `SETTLED_FOR` ago."""
    NOT_ANALYSED = "not_analysed"
    """It never had an outcome: nobody has looked at it."""


@dataclass(frozen=True, slots=True)
class Involvement:
    """An incident that a clip is evidence of: its status, and since when (aware)."""

    status: Status
    since: datetime


def judge(*, analysed: bool | None, placed: bool, involved: Iterable[Involvement], now: datetime) -> Expiry | Kept:
    """What becomes of a clip whose period has passed.

    ``analysed``: whether its current analysis is done or failed, None where it has none. ``placed``: whether it is of a
    known camera.
    """
    incidents = tuple(involved)
    if any(incident.status in _NEVER for incident in incidents):
        return Kept.INCIDENT
    if any(now - incident.since < SETTLED_FOR for incident in incidents):
        return Kept.SETTLED_LATELY
    if incidents:
        return Expiry.DISMISSED
    if analysed is None:
        return Kept.NOT_ANALYSED
    if not placed:
        return Expiry.UNPLACED
    return Expiry.CLEAR if analysed else Expiry.FAILED
