"""SQL of incidents whose evidence has to be held."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from pymysql.cursors import DictCursor

from uriai.adapters.database.connection import Database
from uriai.adapters.database.evidence import SqlAudit
from uriai.domain.clip import ClipKey
from uriai.domain.ulid import Ulid
from uriai.service.ports.holds import DueHold, Holds

ACTOR = "hold"
DUE = """
    SELECT incident_id, number FROM incident
    WHERE hold_due = 1 ORDER BY hold_error IS NOT NULL, RAND() LIMIT %s
"""


class SqlHolds(Holds):
    """Holds in MariaDB or MySQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def due(self, limit: int) -> Sequence[DueHold]:
        """By the index incident_hold_due, which holds those that are due and no others."""

        def read(cursor: DictCursor) -> list[DueHold]:
            cursor.execute(DUE, (limit,))
            return [
                DueHold(Ulid(row["incident_id"]), row["number"], _keys(cursor, row["incident_id"]))
                for row in cursor.fetchall()
            ]

        return self._database.run(read)

    def held(self, hold: DueHold, now: datetime) -> None:
        """The keys are read again behind the incident's lock, which whoever adds evidence waits for."""

        def work(cursor: DictCursor) -> None:
            cursor.execute("SELECT 1 FROM incident WHERE incident_id = %s FOR UPDATE", (hold.incident_id.value,))
            if _keys(cursor, hold.incident_id.value) != hold.keys:
                return
            changed = cursor.execute(
                "UPDATE incident SET held_at = %s, hold_error = NULL WHERE incident_id = %s AND held_at IS NULL",
                (now, hold.incident_id.value),
            )
            if changed:
                subject = f"incident:{hold.incident_id}"
                SqlAudit(cursor).add(now, ACTOR, "evidence.held", subject, {"objects": list(hold.keys)})

        self._database.run(work)

    def refused(self, hold: DueHold, reason: str) -> None:
        """Beside the incident."""
        self._database.run(
            lambda cursor: cursor.execute(
                "UPDATE incident SET hold_error = %s WHERE incident_id = %s", (reason[:255], hold.incident_id.value)
            )
        )


def _keys(cursor: DictCursor, incident_id: bytes) -> tuple[str, ...]:
    """Every object of the incident's evidence, and of each clip its manifest and signature."""
    cursor.execute(
        """
        SELECT DISTINCT e.object_key, e.role, c.manifest_status
        FROM incident_finding x
        JOIN evidence e ON e.finding_id = x.finding_id
        JOIN clip c ON c.clip_id = e.clip_id
        WHERE x.incident_id = %s
        """,
        (incident_id,),
    )
    keys: set[str] = set()
    for row in cursor.fetchall():
        keys.add(row["object_key"])
        # what does not verify may lack either
        if row["role"] == "original" and row["manifest_status"] == "verified":
            key = ClipKey.parse(row["object_key"])
            keys |= {key.manifest, key.signature}
    return tuple(sorted(keys))
