"""Sets what the rules compare with, for a centre or one of its cameras, from an instant on. The past stays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from uriai.domain.authority import Act
from uriai.domain.centre import Camera, Centre
from uriai.domain.person import Person
from uriai.domain.threshold_history import ThresholdEntry, check_from, thresholds_at
from uriai.domain.thresholds import Thresholds
from uriai.service.authorise import authorise
from uriai.service.ports.clock import Clock
from uriai.service.ports.repositories import Repositories, Transactions

CLOCKS_DIFFER = timedelta(minutes=1)
"""A change that was typed for now may arrive a moment later."""
LONGEST_REASON = 500


class ThresholdError(Exception):
    """Thresholds cannot be set like that; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Change:
    """``values``: name -> value, None to go back to what holds without it. ``since`` is aware; None: from now on.

    ``camera`` None: every camera of the centre that has no value of its own.
    """

    centre: Centre
    camera: Camera | None
    values: Mapping[str, float | None]
    since: datetime | None
    person: Person
    reason: str


def set_thresholds(change: Change, transactions: Transactions, clock: Clock) -> Thresholds:
    """Let the values hold from the instant on, also instead of what was set to hold from later; what then holds.

    Raises
    ------
    ThresholdError
        If a name is unknown, a value out of bounds, the values do not go together at some instant for some camera, the
        instant is past, or there is no reason.
    NotAllowedError
        If the person is neither operator nor policy officer, or the centre is out of their scope.
    """
    if not change.reason.strip() or len(change.reason) > LONGEST_REASON:
        raise ThresholdError(f"a change needs a reason of at most {LONGEST_REASON} characters")
    if not change.values:
        raise ThresholdError("nothing is set: give NAME=VALUE")
    unknown = sorted(set(change.values) - set(Thresholds().as_mapping()))
    if unknown:
        raise ThresholdError(
            f"unknown threshold {', '.join(unknown)}; there are {', '.join(Thresholds().as_mapping())}"
        )
    return transactions.run(lambda rows: _set(rows, change, clock.now()))


def _set(rows: Repositories, change: Change, now: datetime) -> Thresholds:
    since = change.since or now
    if since < now - CLOCKS_DIFFER:
        raise ThresholdError(
            f"{since.isoformat()} is past: a clip is judged by what was in force when it started, so a change begins "
            "now or later"
        )
    since = max(since, now)
    centre, camera_id = change.centre, change.camera.id if change.camera else None
    authorise(rows, change.person, Act.SET_THRESHOLD, centre)
    if camera_id is not None:
        # before the centre, as everywhere: the new row's foreign key locks its camera as well
        rows.gateways.lock_camera(camera_id)
    rows.thresholds.lock(centre.id)
    before = _held(rows, centre, camera_id, since)
    for name, value in change.values.items():
        rows.thresholds.end(centre.id, camera_id, name, since)
        if value is not None:
            entry = ThresholdEntry(name, value, camera_id, since, None)
            rows.thresholds.add(centre.id, entry, change.person.id, change.reason, now)
    after = rows.thresholds.entries(centre.id)
    try:
        check_from(after, since)
        held = thresholds_at(after, camera_id, since)
    except ValueError as error:
        raise ThresholdError(str(error)) from error
    subject = f"camera:{camera_id}" if camera_id is not None else f"centre:{centre.id}"
    for name, value in change.values.items():
        rows.audit.add(
            now, change.person.name, "threshold.set", subject,
            {"centre": centre.name, "camera": change.camera.number if change.camera else None, "name": name,
             "value": value, "held_before": before[name], "holds": held.as_mapping()[name], "from": since.isoformat(),
             "reason": change.reason},
            change.person.id,
        )  # fmt: skip
    return held


def _held(rows: Repositories, centre: Centre, camera_id: int | None, at: datetime) -> Mapping[str, float]:
    """What would have held without the change."""
    return thresholds_at(rows.thresholds.entries(centre.id), camera_id, at).as_mapping()
