"""What a gateway says of a camera that no longer shows its place."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

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
