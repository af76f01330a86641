"""SQL of thresholds. What once held stays as it was: an end is set, never a value changed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from pymysql.cursors import DictCursor

from uriai.domain.threshold_history import ThresholdEntry
from uriai.service.ports.thresholds import ThresholdHistory


class SqlThresholds(ThresholdHistory):
    """Thresholds in MariaDB or MySQL, inside one transaction."""

    def __init__(self, cursor: DictCursor) -> None:
        self._cursor = cursor

    def lock(self, centre_id: int) -> None:
        """Lock the centre's row to the end of the transaction."""
        self._cursor.execute("SELECT centre_id FROM centre WHERE centre_id = %s FOR UPDATE", (centre_id,))

    def entries(self, centre_id: int) -> Sequence[ThresholdEntry]:
        """Everything that was ever set, but for what was set anew before it came into force."""
        self._cursor.execute(
            """
            SELECT name, value, camera_id, valid_from, valid_to FROM threshold
            WHERE centre_id = %s AND (valid_to IS NULL OR valid_to > valid_from)
            ORDER BY valid_from, threshold_id
            """,
            (centre_id,),
        )
        return [ThresholdEntry(**row) for row in self._cursor.fetchall()]

    def end(self, centre_id: int, camera_id: int | None, name: str, at: datetime) -> None:
        """Let what is set end at the instant; what was to begin later never begins."""
        self._cursor.execute(
            """
            UPDATE threshold SET valid_to = GREATEST(valid_from, %s)
            WHERE centre_id = %s AND camera_id <=> %s AND name = %s AND (valid_to IS NULL OR valid_to > %s)
            """,
            (at, centre_id, camera_id, name, at),
        )

    def add(self, centre_id: int, entry: ThresholdEntry, person_id: int, reason: str, now: datetime) -> None:
        """Keep a new entry."""
        self._cursor.execute(
            """
            INSERT INTO threshold (centre_id, camera_id, name, value, valid_from, valid_to, set_by, reason, created_at)
            VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)
            """,
            (
                centre_id,
                entry.camera_id,
                entry.name,
                entry.value,
                entry.valid_from,
                entry.valid_to,
                person_id,
                reason,
                now,
            ),
        )
