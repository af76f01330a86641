"""``tamper``: a camera that was covered, defocused, turned away, frozen or offline for long, from edge events."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from uriai.domain.finding import Finding
from uriai.domain.rules.faces import milliseconds
from uriai.domain.tampering import TamperSighting, TamperState
from uriai.domain.thresholds import Thresholds
from uriai.domain.ulid import Ulid
from uriai.domain.words import Kind, Verdict

_CLOCK_SLEW_MS = 500
"""A gateway counts the seconds by a clock that is never set and writes down instants by one that is."""


@dataclass(frozen=True, slots=True)
class TamperFinding:
    """The conclusion about one edge event. ``finding``'s span counts from ``started_at``; ``over``: it has ended."""

    event: Ulid
    started_at: datetime
    ended_at: datetime
    over: bool
    finding: Finding


def find(sightings: Iterable[TamperSighting], thresholds: Thresholds) -> tuple[TamperFinding, ...]:
    """One finding for every event of one camera that has begun or has lasted for ``tamper_least_s``, by start.

    A gateway tells of a beginning once, when the trouble has lasted for the gateway's own set time; nobody tells how it
    goes on. So a beginning is enough whatever the limit here is, or a camera that stays covered would never be a
    finding. An end whose beginning never came speaks for both, and there the limit holds. Records
    may come in any order and more than once. Confidence is 1.0 because a gateway's word is no probability, and the
    verdict is ``review``: whoever is in charge looks, nobody is accused.
    """
    events: dict[Ulid, list[TamperSighting]] = {}
    for sighting in sightings:
        events.setdefault(sighting.event, []).append(sighting)
    found = (_finding(event, told, thresholds) for event, told in events.items())
    return tuple(sorted((f for f in found if f is not None), key=lambda f: (f.started_at, f.event)))


def _finding(event: Ulid, told: list[TamperSighting], thresholds: Thresholds) -> TamperFinding | None:
    started_at = min(sighting.started_at for sighting in told)
    ends = [sighting.ended_at for sighting in told if sighting.state is TamperState.ENDS]
    ended_at = min(ends) if ends else max(sighting.ended_at for sighting in told)
    lasted_s = (ended_at - started_at).total_seconds()
    begun = any(sighting.state is TamperState.BEGINS for sighting in told) and lasted_s >= 0
    if not begun and milliseconds(lasted_s) < milliseconds(thresholds.tamper_least_s) - _CLOCK_SLEW_MS:
        return None
    what = min(sighting.what for sighting in told)
    finding = Finding(
        kind=Kind.TAMPER,
        start_s=0.0,
        end_s=lasted_s,
        confidence=1.0,
        verdict=Verdict.REVIEW,
        thresholds=thresholds.of(Kind.TAMPER),
        basis={"what": what.value, "event": str(event), "over": bool(ends)},
    )
    return TamperFinding(event, started_at, ended_at, bool(ends), finding)
