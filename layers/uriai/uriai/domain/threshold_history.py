"""Thresholds as they were set over time, for a centre and for single cameras, and what was in force at an instant."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from uriai.domain.thresholds import Thresholds


@dataclass(frozen=True, slots=True)
class ThresholdEntry:
    """One value from ``valid_from`` up to ``valid_to`` (aware; None: until further notice).

    ``camera_id`` None: of every camera of the centre that has no value of its own.
    """

    name: str
    value: float
    camera_id: int | None
    valid_from: datetime
    valid_to: datetime | None

    def in_force(self, at: datetime) -> bool:
        """Whether it holds at the instant."""
        return self.valid_from <= at and (self.valid_to is None or at < self.valid_to)


def thresholds_at(entries: Iterable[ThresholdEntry], camera_id: int | None, at: datetime) -> Thresholds:
    """What is in force for a camera (None: one without values of its own): its own, else its centre's, else defaults.

    Raises
    ------
    ValueError
        If what is in force does not go together, see `Thresholds`.
    """
    held = [entry for entry in entries if entry.in_force(at) and entry.camera_id in (None, camera_id)]
    # what is the camera's own comes last and wins
    held.sort(key=lambda entry: entry.camera_id is not None)
    return Thresholds.from_mapping({entry.name: entry.value for entry in held})


def check_from(entries: Iterable[ThresholdEntry], since: datetime) -> None:
    """Refuse entries of which some would not go together at some instant from ``since`` on, for some camera.

    Raises
    ------
    ValueError
        Naming what does not fit, where and from when.
    """
    known = tuple(entries)
    instants = {since} | {
        edge for entry in known for edge in (entry.valid_from, entry.valid_to) if edge is not None and edge > since
    }
    cameras = sorted({entry.camera_id for entry in known if entry.camera_id is not None})
    for at in sorted(instants):
        for camera_id in (None, *cameras):
            try:
                thresholds_at(known, camera_id, at)
            except ValueError as error:
                where = "the centre" if camera_id is None else f"camera {camera_id}"
                raise ValueError(f"from {at.isoformat()} on, for {where}: {error}") from error
