"""Files a finding: it joins the incident it belongs to, bridges two, or opens a new one."""

from __future__ import annotations

from datetime import datetime

from uriai.domain.centre import Camera, Centre
from uriai.domain.incident import Incident, Sighting, first_status, joined, place
from uriai.domain.ulid import Ulid
from uriai.domain.words import Status, Verdict
from uriai.service.ports.repositories import FindingRow, Repositories
from uriai.service.tell import tell

ACTOR = "analyze"
"""Who did it, in the audit."""


def file_incident(
    rows: Repositories, centre: Centre, camera: Camera, finding: FindingRow, *, verified: bool, now: datetime
) -> Incident | None:
    """Keep a finding and make it part of an incident, inside the caller's transaction, which holds the camera's lock.

    A finding that is part of a decided incident already stays as it was decided on. One with verdict ``clear`` is kept
    for later looks but is nobody's incident: the answer is None.
    """
    holder = rows.incidents.holding(finding.id)
    if holder is not None and not holder.undecided:
        return holder
    rows.analyses.add_finding(finding)
    if finding.verdict is Verdict.CLEAR:
        return None
    sighting = Sighting(
        finding.kind, finding.verdict, finding.started_at, finding.ended_at, finding.confidence, verified
    )
    near = rows.incidents.near(camera.id, finding.kind, finding.started_at, finding.ended_at)
    placement = place(sighting, near)
    if placement.joins is None:
        incident = _open(rows, centre, camera, sighting, linked_to=placement.linked_to, now=now)
    else:
        incident = joined(placement, sighting, auto_report=centre.auto_report)
        for later in placement.merges:
            rows.incidents.merge(later.id, incident.id, now)
            rows.audit.add(
                now, ACTOR, "incident.merged", f"incident:{later.id}",
                {"number": later.number, "into": incident.number, "clip_finding": str(finding.id)},
            )  # fmt: skip
        if incident != placement.joins:
            rows.incidents.update(incident, now)
        if incident.status is not placement.joins.status:
            _audit_status(rows, incident, before=placement.joins.status, now=now)
        tell(rows, centre, camera.number, incident, before=placement.joins, now=now)
    rows.incidents.add_finding(incident.id, finding.id)
    return incident


def _open(
    rows: Repositories, centre: Centre, camera: Camera, sighting: Sighting, *, linked_to: Incident | None, now: datetime
) -> Incident:
    incident = Incident(
        id=Ulid.new(now),
        centre_id=centre.id,
        camera_id=camera.id,
        number=rows.incidents.next_number(centre.id),
        kind=sighting.kind,
        verdict=sighting.verdict,
        status=first_status(
            sighting.kind, sighting.verdict, auto_report=centre.auto_report, verified=sighting.verified
        ),
        started_at=sighting.started_at,
        ended_at=sighting.ended_at,
        confidence=sighting.confidence,
        unverified=not sighting.verified,
        linked_to=linked_to.id if linked_to else None,
    )
    rows.incidents.add(incident, now)
    _audit_status(rows, incident, before=None, now=now)
    tell(rows, centre, camera.number, incident, before=None, now=now)
    return incident


def _audit_status(rows: Repositories, incident: Incident, *, before: Status | None, now: datetime) -> None:
    rows.audit.add(
        now, ACTOR, f"incident.{incident.status.value}", f"incident:{incident.id}",
        {"number": incident.number, "from": before.value if before else None, "verdict": incident.verdict.value,
         "unverified": incident.unverified},
    )  # fmt: skip
