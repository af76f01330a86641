"""Files a tamper record: its incident opens when a trouble begins and is resolved when every trouble in it is over."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from uriai.domain.centre import Camera, Gateway
from uriai.domain.coverage import CLOCK_SLACK
from uriai.domain.incident import Incident, moved
from uriai.domain.manifest import Manifest, plausible_start
from uriai.domain.tampering import TamperSighting, sighting_of
from uriai.domain.threshold_history import thresholds_at
from uriai.domain.words import Status
from uriai.service.file_tamper import file_tamper
from uriai.service.ports.repositories import Repositories
from uriai.service.tell import tell

ACTOR = "records"
"""Who did it, in the audit."""
LONGEST_GUESS = timedelta(days=1)
"""How long before its arrival a trouble is taken to have begun where the gateway's clock cannot be believed."""


def file_tamper_record(
    rows: Repositories,
    gateway: Gateway,
    manifest: Manifest,
    *,
    verified: bool,
    arrived_at: datetime,
    clock_offset_s: float | None,
    now: datetime,
) -> str:
    """Make what the record says of a camera part of an incident; why that cannot be, or an empty text.

    A record that nobody vouches for opens an incident that says so, but never resolves one: whoever covers a camera
    could send it.
    """
    sighting = sighting_of(manifest)
    if sighting is None or manifest.camera is None or manifest.camera > 9999:
        return "it does not say which camera, what is wrong with it, and since when"
    camera = rows.gateways.camera(gateway, manifest.camera, now)
    rows.gateways.lock_camera(camera.id)
    placed = _placed(sighting, arrived_at, clock_offset_s)
    thresholds = thresholds_at(rows.thresholds.entries(gateway.centre.id), camera.id, placed.started_at)
    for incident in file_tamper(rows, gateway.centre, camera, [placed], thresholds, verified=verified, now=now):
        if verified and incident.status is Status.OPEN and not rows.incidents.troubled(incident.id):
            _resolve(rows, gateway, camera, incident, now)
    return ""


def _placed(sighting: TamperSighting, arrived_at: datetime, clock_offset_s: float | None) -> TamperSighting:
    """When it was, on S3's clock: a wrong clock is put right, one that is years off leaves only the arrival."""
    offset = timedelta(seconds=clock_offset_s or 0.0)
    if abs(offset) > CLOCK_SLACK:
        sighting = replace(sighting, started_at=sighting.started_at + offset, ended_at=sighting.ended_at + offset)
    if plausible_start(sighting.started_at, arrived_at) and sighting.started_at <= sighting.ended_at:
        return sighting
    lasted = min(max(sighting.ended_at - sighting.started_at, timedelta(0)), LONGEST_GUESS)
    return replace(sighting, started_at=arrived_at - lasted, ended_at=arrived_at)


def _resolve(rows: Repositories, gateway: Gateway, camera: Camera, incident: Incident, now: datetime) -> None:
    after = moved(incident, Status.RESOLVED)
    rows.incidents.update(after, now)
    rows.audit.add(
        now, ACTOR, "incident.resolved", f"incident:{incident.id}",
        {"number": incident.number, "from": incident.status.value, "reason": "the gateway says that it is over"},
    )  # fmt: skip
    tell(rows, gateway.centre, camera.number, after, before=incident, now=now)
