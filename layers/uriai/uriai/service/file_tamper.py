"""Files what a gateway told of a camera that no longer shows its place: to its findings and their incident."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from uriai.domain.centre import Camera, Centre
from uriai.domain.identity import tamper_finding_id
from uriai.domain.incident import Incident
from uriai.domain.rules import tamper
from uriai.domain.rules.tamper import TamperFinding
from uriai.domain.tampering import TamperSighting
from uriai.domain.thresholds import Thresholds
from uriai.domain.ulid import Ulid
from uriai.service.file_incident import file_incident
from uriai.service.ports.repositories import FindingRow, Repositories


def file_tamper(
    rows: Repositories,
    centre: Centre,
    camera: Camera,
    sightings: Iterable[TamperSighting],
    thresholds: Thresholds,
    *,
    verified: bool,
    now: datetime,
) -> tuple[Incident, ...]:
    """Make what the rule finds in edge events of one camera part of incidents; those incidents.

    Inside the caller's transaction, which holds the camera's lock. Records may come in any order and more than once: an
    event has one finding, which an end makes longer and a late beginning never shorter. Records that do not verify are
    filed as well, with ``verified`` False: they are flagged, never suppressed.
    """
    incidents: dict[Ulid, Incident] = {}
    for found in tamper.find(sightings, thresholds):
        incident = file_incident(rows, centre, camera, _row(found, camera), verified=verified, now=now)
        if incident is not None:
            incidents[incident.id] = incident
    return tuple(incidents.values())


def _row(found: TamperFinding, camera: Camera) -> FindingRow:
    lasted_ms = (found.ended_at - found.started_at) // timedelta(milliseconds=1)
    return FindingRow(
        id=tamper_finding_id(camera.id, found.event),
        analysis_id=None,
        camera_id=camera.id,
        kind=found.finding.kind,
        start_ms=0,
        end_ms=min(lasted_ms, _LONGEST_MS),
        started_at=found.started_at,
        ended_at=found.ended_at,
        confidence=found.finding.confidence,
        verdict=found.finding.verdict,
        thresholds=found.finding.thresholds,
        basis=found.finding.basis,
        event_id=found.event,
    )


_LONGEST_MS = 2**32 - 1
"""What the column holds, 49 days; ``ended_at`` has it all."""
