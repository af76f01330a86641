"""SQL of clips."""

from __future__ import annotations

from datetime import datetime

from pymysql.cursors import DictCursor

from uriai.domain.ulid import Ulid
from uriai.service.ports.repositories import ClipFacts, ClipRow, Clips


class SqlClips(Clips):
    """Clips in MariaDB or MySQL, inside one transaction."""

    def __init__(self, cursor: DictCursor) -> None:
        self._cursor = cursor

    def claim(self, row: ClipRow, arrived_at: datetime) -> ClipRow:
        """Make the clip's row, or give the one that stands there, its camera filled in if it had none."""
        self._cursor.execute(
            """
            INSERT INTO clip (clip_id, object_key, gateway_id, camera_id, received_at) VALUES (%s, %s, %s, %s, %s)
            ON DUPLICATE KEY UPDATE
                camera_id = IF(object_key = VALUES(object_key), COALESCE(camera_id, VALUES(camera_id)), camera_id)
            """,
            (row.id.value, row.object_key, row.gateway_id, row.camera_id, arrived_at),
        )
        self._cursor.execute("SELECT object_key, gateway_id, camera_id FROM clip WHERE clip_id = %s", (row.id.value,))
        found = self._cursor.fetchone()
        if found is None:
            raise LookupError(f"the row of clip {row.id} vanished between writing and reading it")
        return ClipRow(row.id, found["object_key"], found["gateway_id"], found["camera_id"])

    def lock(self, clip_id: Ulid) -> bool:
        """Lock the clip's row to the end of the transaction."""
        self._cursor.execute("SELECT deletion_at FROM clip WHERE clip_id = %s FOR UPDATE", (clip_id.value,))
        row = self._cursor.fetchone()
        return row is not None and row["deletion_at"] is None

    def learn(self, clip_id: Ulid, facts: ClipFacts) -> None:
        """Keep what reading the clip taught."""
        self._cursor.execute(
            """
            UPDATE clip SET sha256 = %s, size_bytes = %s, manifest_status = %s, manifest_reason = %s, seq = %s,
                started_at = %s, ended_at = %s
            WHERE clip_id = %s
            """,
            (
                facts.sha256,
                facts.size,
                facts.manifest_status.value,
                facts.manifest_reason[:255] or None,
                facts.seq,
                facts.started_at,
                facts.ended_at,
                clip_id.value,
            ),
        )
