"""SQL of what an operator looks at first: what was analysed, what failed and why, what cannot be vouched for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from pymysql.cursors import DictCursor


@dataclass(frozen=True, slots=True)
class FailedClip:
    """A clip whose current analysis failed."""

    object_key: str
    reason_code: str
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class FlaggedClip:
    """A clip whose manifest does not verify, with why."""

    object_key: str
    manifest_status: str
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class UnregisteredCamera:
    """A camera that a known gateway sent clips of and nobody entered."""

    centre: str
    gateway: str
    number: int
    clips: int


@dataclass(frozen=True, slots=True)
class PipelineStatus:
    """Counts of what stands now. ``waiting`` clips have a row and no analysis yet.

    ``failed`` counts by reason code, ``manifests`` clips by manifest status, ``incidents`` by status (no merged ones).
    ``deletions`` of clips and pictures are those decided and not carried out, ``holds`` reported incidents whose
    evidence is not held: ``pending``, and those ``refused`` by the store. ``outbox`` counts what people were not told
    yet by state (``waiting``, ``queued``, ``failed``); of what is under way the oldest is due since ``oldest_untold``.
    """

    clips: int
    waiting: int
    done: int
    failed: dict[str, int]
    last_failed: tuple[FailedClip, ...]
    manifests: dict[str, int]
    last_flagged: tuple[FlaggedClip, ...]
    unregistered_cameras: tuple[UnregisteredCamera, ...]
    incidents: dict[str, int]
    deletions: dict[str, int]
    holds: dict[str, int]
    outbox: dict[str, int]
    oldest_untold: datetime | None


def pipeline_status(cursor: DictCursor, *, last: int = 5) -> PipelineStatus:
    """Look at everything; of failed and flagged clips the ``last`` ones are named."""
    cursor.execute(
        """
        SELECT COUNT(*) AS clips, COALESCE(SUM(a.clip_id IS NULL), 0) AS waiting,
               COALESCE(SUM(a.state = 'done'), 0) AS done
        FROM clip c LEFT JOIN analysis a ON a.current_of = c.clip_id
        """
    )
    totals = cursor.fetchone() or {}
    failed = _counts(
        cursor,
        "SELECT reason_code AS name, COUNT(*) AS n FROM analysis "
        "WHERE state = 'failed' AND current_of IS NOT NULL GROUP BY reason_code ORDER BY n DESC, name",
    )
    cursor.execute(
        """
        SELECT c.object_key, a.reason_code, a.reason, a.analysed_at
        FROM analysis a JOIN clip c ON c.clip_id = a.clip_id
        WHERE a.state = 'failed' AND a.current_of IS NOT NULL ORDER BY a.analysed_at DESC LIMIT %s
        """,
        (last,),
    )
    last_failed = tuple(
        FailedClip(row["object_key"], row["reason_code"], row["reason"] or "", row["analysed_at"])
        for row in cursor.fetchall()
    )
    cursor.execute(
        """
        SELECT object_key, manifest_status, manifest_reason, received_at FROM clip
        WHERE manifest_status <> 'verified' ORDER BY received_at DESC LIMIT %s
        """,
        (last,),
    )
    flagged = tuple(
        FlaggedClip(row["object_key"], row["manifest_status"], row["manifest_reason"] or "", row["received_at"])
        for row in cursor.fetchall()
    )
    cursor.execute(
        """
        SELECT e.name AS centre, m.gateway_id, m.number, COUNT(c.clip_id) AS clips
        FROM camera m JOIN centre e ON e.centre_id = m.centre_id LEFT JOIN clip c ON c.camera_id = m.camera_id
        WHERE m.registered = FALSE GROUP BY e.name, m.gateway_id, m.number ORDER BY m.gateway_id, m.number
        """
    )
    cameras = tuple(
        UnregisteredCamera(row["centre"], row["gateway_id"], row["number"], row["clips"]) for row in cursor.fetchall()
    )
    cursor.execute("SELECT MIN(due_at) AS due_at FROM outbox WHERE state IN ('waiting', 'queued')")
    oldest = cursor.fetchone() or {"due_at": None}
    return PipelineStatus(
        clips=int(totals.get("clips", 0)),
        waiting=int(totals.get("waiting", 0)),
        done=int(totals.get("done", 0)),
        failed=failed,
        last_failed=last_failed,
        manifests=_counts(
            cursor,
            "SELECT manifest_status AS name, COUNT(*) AS n FROM clip "
            "WHERE manifest_status IS NOT NULL GROUP BY manifest_status ORDER BY name",
        ),
        last_flagged=flagged,
        unregistered_cameras=cameras,
        incidents=_counts(
            cursor,
            "SELECT status AS name, COUNT(*) AS n FROM incident "
            "WHERE merged_into IS NULL GROUP BY status ORDER BY name",
        ),
        deletions=_counts(
            cursor,
            """
            SELECT name, CAST(SUM(n) AS SIGNED) AS n FROM (
                SELECT IF(deletion_error IS NULL, 'pending', 'refused') AS name, COUNT(*) AS n FROM clip
                WHERE deleted_at IS NULL AND deletion_at >= '1970-01-01' GROUP BY name
                UNION ALL
                SELECT IF(picture_deletion_error IS NULL, 'pending', 'refused') AS name, COUNT(*) AS n FROM record
                WHERE picture_deleted_at IS NULL AND picture_deletion_at >= '1970-01-01' GROUP BY name
            ) AS decided GROUP BY name ORDER BY name
            """,
        ),
        holds=_counts(
            cursor,
            "SELECT IF(hold_error IS NULL, 'pending', 'refused') AS name, COUNT(*) AS n FROM incident "
            "WHERE hold_due = 1 GROUP BY name ORDER BY name",
        ),
        outbox=_counts(
            cursor,
            "SELECT state AS name, COUNT(*) AS n FROM outbox "
            "WHERE state IN ('waiting', 'queued', 'failed') GROUP BY state ORDER BY name",
        ),
        oldest_untold=oldest["due_at"],
    )


def _counts(cursor: DictCursor, sql: str) -> dict[str, int]:
    cursor.execute(sql)
    return {row["name"]: row["n"] for row in cursor.fetchall()}
