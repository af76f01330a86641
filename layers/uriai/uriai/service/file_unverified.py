"""Opens a tamper incident for a clip that nobody vouches for: a missing or spoiled manifest is itself a finding."""

from __future__ import annotations

from datetime import datetime

from uriai.domain.identity import AnalysisKey, evidence_id, finding_id
from uriai.domain.incident import Incident
from uriai.domain.words import EvidenceRole, Kind, Verdict
from uriai.service.file_incident import file_incident
from uriai.service.locate_clip import Located
from uriai.service.ports.repositories import ClipFacts, EvidenceRow, FindingRow, Repositories


def file_unverified(
    rows: Repositories, located: Located, facts: ClipFacts, span: tuple[datetime, datetime], *, analysis: AnalysisKey,
    now: datetime,
) -> Incident | None:  # fmt: skip
    """File that the clip failed verification, once however many model sets look at it.

    Inside the caller's transaction, which holds the camera's and the clip's lock and has kept the analysis. There is no
    grace for a manifest that is late: it is uploaded before its clip. ``span`` is when the clip was recorded (aware
    instants). None where it was filed before.
    """
    if rows.analyses.has_finding(located.row.id, Kind.TAMPER):
        return None
    started_at, ended_at = span
    end_ms = round((ended_at - started_at).total_seconds() * 1000)
    finding = FindingRow(
        id=finding_id(analysis.id, Kind.TAMPER, 0, end_ms),
        analysis_id=analysis.id,
        camera_id=located.camera.id,
        kind=Kind.TAMPER,
        start_ms=0,
        end_ms=end_ms,
        started_at=started_at,
        ended_at=ended_at,
        # that it does not verify is known and not estimated
        confidence=1.0,
        verdict=Verdict.REVIEW,
        thresholds={},
        basis={"manifest_status": facts.manifest_status.value, "manifest_reason": facts.manifest_reason},
    )
    incident = file_incident(rows, located.gateway.centre, located.camera, finding, verified=False, now=now)
    original = EvidenceRow(
        id=evidence_id(finding.id, EvidenceRole.ORIGINAL),
        finding_id=finding.id,
        clip_id=located.row.id,
        role=EvidenceRole.ORIGINAL,
        object_key=located.row.object_key,
        sha256=facts.sha256,
        shown_at=started_at,
    )
    rows.evidence.add(original, now)
    return incident
