"""SQL of clips whose period has passed."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from pymysql.cursors import DictCursor

from uriai.adapters.database.connection import Database
from uriai.adapters.database.evidence import SqlAudit
from uriai.adapters.database.picture_retention import SqlExpiringPictures
from uriai.domain.retention import Expiry, Involvement, Kept, judge
from uriai.domain.ulid import Ulid
from uriai.domain.words import Status
from uriai.service.ports.retention import CameraPeriod, Candidate, Condemned, Expiring, ExpiringPictures

ACTOR = "retention"
_LOCK = "uriai.retention"
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
_CLIP = """
    SELECT c.clip_id, c.object_key, c.camera_id, c.received_at,
        (SELECT a.state FROM analysis a WHERE a.current_of = c.clip_id) AS state
    FROM clip c
"""
_INVOLVED = """
    SELECT a.clip_id, i.status, i.updated_at
    FROM analysis a
    JOIN finding f ON f.analysis_id = a.analysis_id
    JOIN incident_finding x ON x.finding_id = f.finding_id
    JOIN incident i ON i.incident_id = x.incident_id
    WHERE a.clip_id IN %s
    UNION
    SELECT e.clip_id, i.status, i.updated_at
    FROM evidence e
    JOIN incident_finding x ON x.finding_id = e.finding_id
    JOIN incident i ON i.incident_id = x.incident_id
    WHERE e.clip_id IN %s
"""
CANDIDATES = f"""
    {_CLIP}
    WHERE {{camera}} AND c.deletion_at IS NULL AND c.received_at < %s AND c.received_at >= %s
        AND (c.received_at > %s OR c.clip_id > %s)
    ORDER BY c.received_at, c.clip_id LIMIT %s
"""
CONDEMNED = """
    SELECT clip_id, object_key, deletion_at, deletion_reason FROM clip
    WHERE deleted_at IS NULL AND deletion_at >= %s AND (deletion_at > %s OR clip_id > %s)
    ORDER BY deletion_at, clip_id LIMIT %s
"""


class SqlExpiring(Expiring):
    """Expiring clips in MariaDB or MySQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @property
    def pictures(self) -> ExpiringPictures:
        """On the same connection."""
        return SqlExpiringPictures(self._database)

    def cameras(self, after: int, limit: int) -> Sequence[CameraPeriod]:
        """By id, so that a run goes on where the last one stopped."""
        rows = self._rows(
            """
            SELECT m.camera_id, c.retention_days FROM camera m JOIN centre c ON c.centre_id = m.centre_id
            WHERE m.camera_id > %s ORDER BY m.camera_id LIMIT %s
            """,
            (after, limit),
        )
        return [CameraPeriod(row["camera_id"], row["retention_days"]) for row in rows]

    def candidates(
        self, camera_id: int | None, before: datetime, after: Candidate | None, limit: int
    ) -> Sequence[Candidate]:
        """A page by the index clip_expiring."""
        camera = "c.camera_id = %s" if camera_id is not None else "c.camera_id IS NULL"
        since, last = (after.received_at, after.clip_id.value) if after else (_LONG_AGO, b"")
        of_camera = () if camera_id is None else (camera_id,)
        values = (*of_camera, before, since, since, last, limit)
        return self._database.run(lambda cursor: _candidates(cursor, CANDIDATES.format(camera=camera), values))

    def condemn(self, clip_id: Ulid, now: datetime) -> Condemned | None:
        """The clip's lock keeps an analysis from filing something of it meanwhile."""
        return self._database.run(lambda cursor: _condemn(cursor, clip_id, now))

    def condemned(self, after: Condemned | None, limit: int) -> Sequence[Condemned]:
        """A page by the index clip_condemned, which holds what is pending apart from what is deleted."""
        since, last = (after.decided_at, after.clip_id.value) if after else (_LONG_AGO, b"")

        def read(cursor: DictCursor) -> list[Condemned]:
            cursor.execute(CONDEMNED, (since, since, last, limit))
            return [_condemned(cursor, row) for row in cursor.fetchall()]

        return self._database.run(read)

    def note_refusal(self, clip_id: Ulid, reason: str, now: datetime) -> None:
        """Keep the last reason beside the clip, and each in the audit."""

        def work(cursor: DictCursor) -> None:
            cursor.execute("UPDATE clip SET deletion_error = %s WHERE clip_id = %s", (reason[:255], clip_id.value))
            SqlAudit(cursor).add(now, ACTOR, "clip.deletion_refused", f"clip:{clip_id}", {"reason": reason[:500]})

        self._database.run(work)

    def finish(self, clip: Condemned, now: datetime) -> None:
        """Forget faces, boxes and the numbers that findings rest on; verdicts and hashes stay."""
        self._database.run(lambda cursor: _finish(cursor, clip, now))

    def forget_links(self, before: datetime, limit: int) -> int:
        """By the index evidence_link_expiry."""
        return self._database.run(
            lambda cursor: cursor.execute(
                "DELETE FROM evidence_link WHERE expires_at < %s ORDER BY expires_at LIMIT %s", (before, limit)
            )
        )

    def begin(self, now: datetime, *, again: bool) -> int | None:
        """One run at a time: the lock is the connection's and ends with it."""
        (held,) = self._rows("SELECT GET_LOCK(%s, 0) AS held", (_LOCK,))
        if not held["held"]:
            return None
        self._rows("INSERT INTO retention_run (one, camera_id) VALUES (1, 0) ON DUPLICATE KEY UPDATE one = one")
        (run,) = self._rows("SELECT camera_id, finished_at FROM retention_run")
        if not again and run["finished_at"] is not None and run["finished_at"].date() == now.date():
            self._rows("SELECT RELEASE_LOCK(%s) AS released", (_LOCK,))
            return None
        return int(run["camera_id"])

    def reached(self, camera_id: int) -> None:
        """The next run goes on after it."""
        self._database.run(lambda cursor: cursor.execute("UPDATE retention_run SET camera_id = %s", (camera_id,)))

    def end(self, now: datetime, *, finished: bool) -> None:
        """A finished run leaves the beginning to the next one."""
        if finished:
            statement = "UPDATE retention_run SET camera_id = 0, finished_at = %s"
            self._database.run(lambda cursor: cursor.execute(statement, (now,)))
        self._rows("SELECT RELEASE_LOCK(%s) AS released", (_LOCK,))

    def _rows(self, statement: str, values: tuple[Any, ...] = ()) -> list[dict[str, Any]]:
        def read(cursor: DictCursor) -> list[dict[str, Any]]:
            cursor.execute(statement, values)
            return list(cursor.fetchall())

        return self._database.run(read)


def _candidates(cursor: DictCursor, statement: str, values: tuple[Any, ...]) -> list[Candidate]:
    cursor.execute(statement, values)
    rows = list(cursor.fetchall())
    involved: dict[bytes, list[Involvement]] = defaultdict(list)
    if rows:
        ids = [row["clip_id"] for row in rows]
        cursor.execute(_INVOLVED, (ids, ids))
        for row in cursor.fetchall():
            involved[row["clip_id"]].append(Involvement(Status(row["status"]), row["updated_at"]))
    return [
        Candidate(
            clip_id=Ulid(row["clip_id"]),
            object_key=row["object_key"],
            camera_id=row["camera_id"],
            received_at=row["received_at"],
            analysed=None if row["state"] is None else row["state"] == "done",
            involved=tuple(involved[row["clip_id"]]),
        )
        for row in rows
    ]


def _condemn(cursor: DictCursor, clip_id: Ulid, now: datetime) -> Condemned | None:
    cursor.execute("SELECT clip_id FROM clip WHERE clip_id = %s AND deletion_at IS NULL FOR UPDATE", (clip_id.value,))
    if cursor.fetchone() is None:
        return None
    (clip,) = _candidates(cursor, f"{_CLIP} WHERE c.clip_id = %s", (clip_id.value,))
    verdict = judge(analysed=clip.analysed, placed=clip.camera_id is not None, involved=clip.involved, now=now)
    if isinstance(verdict, Kept):
        return None
    cursor.execute(
        "UPDATE clip SET deletion_at = %s, deletion_reason = %s WHERE clip_id = %s",
        (now, verdict.value, clip_id.value),
    )
    row = {"clip_id": clip_id.value, "object_key": clip.object_key, "deletion_at": now, "deletion_reason": verdict}
    condemned = _condemned(cursor, row)
    detail = {"reason": verdict.value, "received_at": clip.received_at.isoformat(), "objects": list(condemned.objects)}
    SqlAudit(cursor).add(now, ACTOR, "clip.deletion_decided", f"clip:{clip_id}", detail)
    return condemned


def _condemned(cursor: DictCursor, row: dict[str, Any]) -> Condemned:
    """The clip's own object and every derived one."""
    cursor.execute("SELECT DISTINCT object_key FROM evidence WHERE clip_id = %s ORDER BY object_key", (row["clip_id"],))
    derived = [found["object_key"] for found in cursor.fetchall()]
    return Condemned(
        clip_id=Ulid(row["clip_id"]),
        object_key=row["object_key"],
        decided_at=row["deletion_at"],
        reason=Expiry(row["deletion_reason"]),
        objects=tuple(dict.fromkeys([row["object_key"], *derived])),
    )


def _finish(cursor: DictCursor, clip: Condemned, now: datetime) -> None:
    done = cursor.execute(
        "UPDATE clip SET deleted_at = %s, deletion_error = NULL WHERE clip_id = %s AND deleted_at IS NULL",
        (now, clip.clip_id.value),
    )
    if not done:
        return
    cursor.execute(
        """
        UPDATE finding f JOIN analysis a ON a.analysis_id = f.analysis_id
        SET f.basis = '{}' WHERE a.clip_id = %s
        """,
        (clip.clip_id.value,),
    )
    cursor.execute("UPDATE analysis SET observations = NULL WHERE clip_id = %s", (clip.clip_id.value,))
    cursor.execute("UPDATE evidence SET deleted_at = %s WHERE clip_id = %s", (now, clip.clip_id.value))
    detail = {"reason": clip.reason.value, "objects": list(clip.objects)}
    cursor.execute(
        "INSERT INTO audit (at, actor, action, subject, detail) VALUES (%s, %s, %s, %s, %s)",
        (now, ACTOR, "clip.deleted", f"clip:{clip.clip_id}", json.dumps(detail)),
    )
