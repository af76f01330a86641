"""SQL of who has taken which incident."""

from __future__ import annotations

from datetime import datetime

from pymysql.cursors import DictCursor

from uriai.domain.ulid import Ulid
from uriai.service.ports.telling import Claim, Claims


class SqlClaims(Claims):
    """Claims in MariaDB or MySQL, inside one transaction."""

    def __init__(self, cursor: DictCursor) -> None:
        self._cursor = cursor

    def take(self, incident_id: Ulid, claim: Claim, *, lapsed_before: datetime) -> Claim:
        """Keep the claim unless another's stands; a claim of one's own is renewed."""
        self._cursor.execute(
            """
            INSERT INTO incident_claim (incident_id, taken_by, taken_at) VALUES (%s, %s, %s)
            ON DUPLICATE KEY UPDATE incident_id = incident_id
            """,
            (incident_id.value, claim.taken_by, claim.taken_at),
        )
        self._cursor.execute(
            """
            UPDATE incident_claim SET taken_by = %s, taken_at = %s
            WHERE incident_id = %s AND (taken_by = %s OR taken_at < %s)
            """,
            (claim.taken_by, claim.taken_at, incident_id.value, claim.taken_by, lapsed_before),
        )
        self._cursor.execute(
            "SELECT taken_by, taken_at FROM incident_claim WHERE incident_id = %s FOR UPDATE", (incident_id.value,)
        )
        row = self._cursor.fetchone() or {}
        return Claim(row["taken_by"], row["taken_at"])
