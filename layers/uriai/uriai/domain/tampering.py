"""What a gateway says of a camera that no longer shows its place."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from uriai.domain.manifest import Manifest
from uriai.domain.ulid import Ulid


class TamperWhat(StrEnum):
    """What is wrong with a camera, as docs/formats/evidence.md names it."""

    COVERED = "covered"
    DEFOCUSED = "defocused"
    TURNED = "turned"
    FROZEN = "frozen"
    OFFLINE = "offline"


class TamperState(StrEnum):
    """Whether it has lasted for the set time, or is over."""

    BEGINS = "begins"
    ENDS = "ends"


@dataclass(frozen=True, slots=True)
class TamperSighting:
    """One edge event. ``event`` is common to a beginning and its end; ``started_at`` is when it began and ``ended_at``
    when the gateway wrote this down, both aware.
    """

    what: TamperWhat
    state: TamperState
    event: Ulid
    started_at: datetime
    ended_at: datetime


def sighting_of(manifest: Manifest) -> TamperSighting | None:
    """What a record of type ``tamper`` says; None where its detail is not one of such a record."""
    detail = manifest.detail
    try:
        event = Ulid.parse(str(detail.get("event")))
        what, state = TamperWhat(str(detail.get("what"))), TamperState(str(detail.get("state")))
    except ValueError:
        return None
    return TamperSighting(what, state, event, manifest.started_at, manifest.ended_at)
