"""SQL of what became of clips: for the demo, the tests and whoever replays footage through the deployed pipeline."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from pymysql.cursors import DictCursor

from uriai.domain.ulid import Ulid
from uriai.domain.words import Kind, Status, Verdict


@dataclass(frozen=True, slots=True)
class ClipOutcome:
    """A clip, how many analyses it has, and the current one of them, else the newest.

    Instants are aware, ``violence_probability`` is 0..1; None where nothing is known.
    """

    clip_id: Ulid
    object_key: str
    started_at: datetime | None
    ended_at: datetime | None
    manifest_status: str | None
    analyses: int
    state: str | None
    reason_code: str | None
    reason: str | None
    verdict: Verdict | None
    violence_probability: float | None
    analysed_at: datetime | None


@dataclass(frozen=True, slots=True)
class IncidentOutcome:
    """An incident of a gateway's cameras. Instants are aware; ``key_frame`` is the plain key frame's object key."""

    id: Ulid
    number: int
    camera: int
    kind: Kind
    verdict: Verdict
    status: Status
    started_at: datetime
    ended_at: datetime
    confidence: float
    time_zone: str
    key_frame: str | None
    created_at: datetime


def clip_outcomes(cursor: DictCursor, gateway_id: str, received_since: datetime) -> tuple[ClipOutcome, ...]:
    """The clips of a gateway whose rows were made since then, by start; one a clip however many analyses it has."""
    cursor.execute(
        """
        SELECT k.clip_id, k.object_key, k.started_at, k.ended_at, k.manifest_status,
               (SELECT COUNT(*) FROM analysis n WHERE n.clip_id = k.clip_id) AS analyses,
               a.state, a.reason_code, a.reason, a.verdict, a.violence_probability, a.analysed_at
        FROM clip k LEFT JOIN analysis a ON a.analysis_id = (
            SELECT x.analysis_id FROM analysis x WHERE x.clip_id = k.clip_id
            ORDER BY x.current_of IS NULL, x.analysed_at DESC, x.analysis_id LIMIT 1)
        WHERE k.gateway_id = %s AND k.received_at >= %s
        ORDER BY k.started_at, k.clip_id
        """,
        (gateway_id, received_since),
    )
    return tuple(
        ClipOutcome(
            Ulid(bytes(row["clip_id"])),
            row["object_key"],
            row["started_at"],
            row["ended_at"],
            row["manifest_status"],
            row["analyses"],
            row["state"],
            row["reason_code"],
            row["reason"],
            Verdict(row["verdict"]) if row["verdict"] else None,
            row["violence_probability"],
            row["analysed_at"],
        )
        for row in cursor.fetchall()
    )


def incident_outcomes(cursor: DictCursor, gateway_id: str, started_since: datetime) -> tuple[IncidentOutcome, ...]:
    """The incidents of a gateway's cameras that end after that instant and are not merged into another, by number."""
    cursor.execute(
        """
        SELECT i.incident_id, i.number, m.number AS camera, i.kind, i.verdict, i.status, i.started_at, i.ended_at,
               i.confidence, c.time_zone, i.created_at,
               (SELECT MIN(e.object_key) FROM incident_finding l JOIN evidence e ON e.finding_id = l.finding_id
                WHERE l.incident_id = i.incident_id AND e.role = 'key_frame') AS key_frame
        FROM incident i JOIN camera m ON m.camera_id = i.camera_id JOIN centre c ON c.centre_id = i.centre_id
        WHERE m.gateway_id = %s AND i.ended_at >= %s AND i.merged_into IS NULL
        ORDER BY i.number
        """,
        (gateway_id, started_since),
    )
    return tuple(
        IncidentOutcome(
            Ulid(bytes(row["incident_id"])),
            row["number"],
            row["camera"],
            Kind(row["kind"]),
            Verdict(row["verdict"]),
            Status(row["status"]),
            row["started_at"],
            row["ended_at"],
            row["confidence"],
            row["time_zone"],
            row["key_frame"],
            row["created_at"],
        )
        for row in cursor.fetchall()
    )
