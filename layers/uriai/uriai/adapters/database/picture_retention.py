"""SQL of pictures beside records of tampering whose period has passed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from pymysql.cursors import DictCursor

from uriai.adapters.database.connection import Database
from uriai.adapters.database.evidence import SqlAudit
from uriai.domain.record import PictureKey
from uriai.domain.retention import LEAST_DAYS, Expiry, Involvement, Kept, judge
from uriai.domain.ulid import Ulid
from uriai.domain.words import Status
from uriai.service.ports.retention import CondemnedPicture, ExpiringPictures, PictureCandidate

ACTOR = "retention"
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
_PICTURE = """
    SELECT r.record_id, r.object_key, r.received_at, r.sha256, m.camera_id
    FROM record r
    LEFT JOIN gateway g ON g.gateway_id = r.gateway_id
    LEFT JOIN centre c ON c.centre_id = g.centre_id
    LEFT JOIN camera m ON m.gateway_id = r.gateway_id AND m.number = r.camera
"""
PICTURES = f"""
    {_PICTURE}
    WHERE r.type = 'tamper' AND r.picture_deletion_at IS NULL AND r.received_at < %s AND r.received_at >= %s
        AND (r.received_at > %s OR r.record_id > %s)
        AND r.received_at < DATE_SUB(%s, INTERVAL COALESCE(c.retention_days, {LEAST_DAYS}) DAY)
    ORDER BY r.received_at, r.record_id LIMIT %s
"""
CONDEMNED_PICTURES = """
    SELECT record_id, object_key, sha256, picture_deletion_at, picture_deletion_reason FROM record
    WHERE picture_deleted_at IS NULL AND picture_deletion_at >= %s AND (picture_deletion_at > %s OR record_id > %s)
    ORDER BY picture_deletion_at, record_id LIMIT %s
"""
# of an event that was not written down every incident of its camera that is not over may be the one
_INVOLVED = """
    SELECT r.record_id, i.status, i.updated_at
    FROM record r
    JOIN camera m ON m.gateway_id = r.gateway_id AND m.number = r.camera
    JOIN finding f ON f.camera_id = m.camera_id AND f.event_id = r.event_id
    JOIN incident_finding x ON x.finding_id = f.finding_id
    JOIN incident i ON i.incident_id = x.incident_id
    WHERE r.record_id IN %s
    UNION
    SELECT r.record_id, i.status, i.updated_at
    FROM record r
    JOIN camera m ON m.gateway_id = r.gateway_id AND m.number = r.camera
    JOIN incident i ON i.camera_id = m.camera_id AND i.kind = 'tamper' AND i.merged_into IS NULL
    WHERE r.record_id IN %s AND r.event_id IS NULL AND i.status <> 'resolved'
"""


class SqlExpiringPictures(ExpiringPictures):
    """Expiring pictures in MariaDB or MySQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def candidates(self, now: datetime, after: PictureCandidate | None, limit: int) -> Sequence[PictureCandidate]:
        """A page by the index record_picture_expiring."""
        since, last = (after.received_at, after.record_id.value) if after else (_LONG_AGO, b"")
        values = (now - timedelta(days=LEAST_DAYS), since, since, last, now, limit)
        return self._database.run(lambda cursor: _candidates(cursor, PICTURES, values))

    def condemn(self, record_id: Ulid, now: datetime) -> CondemnedPicture | None:
        """Two runs wait for each other at the record's row."""
        return self._database.run(lambda cursor: _condemn(cursor, record_id, now))

    def condemned(self, after: CondemnedPicture | None, limit: int) -> Sequence[CondemnedPicture]:
        """A page by the index record_picture_condemned."""
        since, last = (after.decided_at, after.record_id.value) if after else (_LONG_AGO, b"")

        def read(cursor: DictCursor) -> list[CondemnedPicture]:
            cursor.execute(CONDEMNED_PICTURES, (since, since, last, limit))
            return [_condemned(row) for row in cursor.fetchall()]

        return self._database.run(read)

    def note_refusal(self, picture: CondemnedPicture, reason: str, now: datetime) -> None:
        """Keep the last reason beside the record, and each in the audit."""

        def work(cursor: DictCursor) -> None:
            cursor.execute(
                "UPDATE record SET picture_deletion_error = %s WHERE record_id = %s",
                (reason[:255], picture.record_id.value),
            )
            detail = {"reason": reason[:500]}
            SqlAudit(cursor).add(now, ACTOR, "picture.deletion_refused", picture.key.subject, detail)

        self._database.run(work)

    def finish(self, picture: CondemnedPicture, now: datetime) -> None:
        """The record itself stays: it is a link of its gateway's chain and shows nobody."""

        def work(cursor: DictCursor) -> None:
            done = cursor.execute(
                "UPDATE record SET picture_deleted_at = %s, picture_deletion_error = NULL "
                "WHERE record_id = %s AND picture_deleted_at IS NULL",
                (now, picture.record_id.value),
            )
            if done:
                detail = {"reason": picture.reason.value, "object": picture.key.picture}
                SqlAudit(cursor).add(now, ACTOR, "picture.deleted", picture.key.subject, detail)

        self._database.run(work)


def _candidates(cursor: DictCursor, statement: str, values: tuple[Any, ...]) -> list[PictureCandidate]:
    cursor.execute(statement, values)
    rows = list(cursor.fetchall())
    involved: dict[bytes, list[Involvement]] = defaultdict(list)
    if rows:
        ids = [row["record_id"] for row in rows]
        cursor.execute(_INVOLVED, (ids, ids))
        for row in cursor.fetchall():
            involved[row["record_id"]].append(Involvement(Status(row["status"]), row["updated_at"]))
    return [
        PictureCandidate(
            record_id=Ulid(row["record_id"]),
            key=PictureKey(row["object_key"]),
            received_at=row["received_at"],
            placed=row["camera_id"] is not None,
            involved=tuple(involved[row["record_id"]]),
        )
        for row in rows
    ]


def _condemn(cursor: DictCursor, record_id: Ulid, now: datetime) -> CondemnedPicture | None:
    cursor.execute(
        "SELECT sha256 FROM record WHERE record_id = %s AND picture_deletion_at IS NULL FOR UPDATE", (record_id.value,)
    )
    row = cursor.fetchone()
    if row is None:
        return None
    (found,) = _candidates(cursor, f"{_PICTURE} WHERE r.record_id = %s", (record_id.value,))
    verdict = judge(analysed=True, placed=found.placed, involved=found.involved, now=now)
    if isinstance(verdict, Kept):
        return None
    cursor.execute(
        "UPDATE record SET picture_deletion_at = %s, picture_deletion_reason = %s WHERE record_id = %s",
        (now, verdict.value, record_id.value),
    )
    detail = {"reason": verdict.value, "received_at": found.received_at.isoformat(), "object": found.key.picture}
    SqlAudit(cursor).add(now, ACTOR, "picture.deletion_decided", found.key.subject, detail)
    return CondemnedPicture(record_id, found.key, bytes(row["sha256"]), now, verdict)


def _condemned(row: dict[str, Any]) -> CondemnedPicture:
    return CondemnedPicture(
        record_id=Ulid(row["record_id"]),
        key=PictureKey(row["object_key"]),
        manifest=bytes(row["sha256"]),
        decided_at=row["picture_deletion_at"],
        reason=Expiry(row["picture_deletion_reason"]),
    )
