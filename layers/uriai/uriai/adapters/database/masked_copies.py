"""SQL of masked copies that were asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from pymysql.cursors import DictCursor

from uriai.adapters.database.links import add_link
from uriai.adapters.database.outbox import channels_of
from uriai.adapters.database.people import person_from
from uriai.adapters.database.scope import incidents_in_scope
from uriai.domain.centre import Centre
from uriai.domain.person import Person
from uriai.domain.ulid import Ulid
from uriai.service.ports.masked_copies import CopyJob, CopyOf, CopyState, MaskedCopies, StoredCopy, Wish

_COLUMNS = "m.finding_id, m.clip_id, m.state, m.reason_code, m.queued_at"


class SqlMaskedCopies(MaskedCopies):
    """Masked copies in MariaDB or MySQL, inside one transaction."""

    def __init__(self, cursor: DictCursor) -> None:
        self._cursor = cursor

    def of_incident(self, person: Person, incident_id: Ulid) -> Sequence[CopyOf]:
        """One for each clip that is evidence of the incident."""
        condition, parameters = incidents_in_scope(person)
        self._cursor.execute(
            f"""
            SELECT e.finding_id, e.clip_id, e.shown_at, k.deletion_at IS NOT NULL AS deleted
            FROM incident i
            JOIN centre c ON c.centre_id = i.centre_id
            JOIN incident_finding x ON x.incident_id = i.incident_id
            JOIN finding f ON f.finding_id = x.finding_id
            JOIN evidence e ON e.finding_id = f.finding_id AND e.role = 'original'
            JOIN clip k ON k.clip_id = e.clip_id
            LEFT JOIN masked_copy m ON m.finding_id = f.finding_id
            WHERE i.incident_id = %s AND {condition}
            ORDER BY m.finding_id IS NULL, f.confidence DESC, f.finding_id
            """,  # noqa: S608 - our own words only
            (incident_id.value, *parameters),
        )
        chosen: dict[bytes, CopyOf] = {}
        for row in self._cursor.fetchall():
            copy = CopyOf(Ulid(row["finding_id"]), Ulid(row["clip_id"]), row["shown_at"], bool(row["deleted"]))
            chosen.setdefault(row["clip_id"], copy)
        return sorted(chosen.values(), key=lambda copy: (copy.shown_at, copy.clip_id.value))

    def claim(self, copy: CopyOf, now: datetime) -> StoredCopy:
        """The unique key makes it one row, the lock one decision."""
        self._cursor.execute(
            """
            INSERT INTO masked_copy (finding_id, clip_id, state, created_at, updated_at)
            VALUES (%s, %s, 'waiting', %s, %s) ON DUPLICATE KEY UPDATE finding_id = finding_id
            """,
            (copy.finding_id.value, copy.clip_id.value, now, now),
        )
        stored = self.lock(copy.finding_id)
        if stored is None:
            raise LookupError(f"the masked copy of finding {copy.finding_id} vanished between writing and reading it")
        return stored

    def retry(self, finding_id: Ulid, now: datetime) -> None:
        """Forget why it failed, and that it was queued."""
        self._cursor.execute(
            "UPDATE masked_copy SET state = 'waiting', reason_code = NULL, reason = NULL, queued_at = NULL, "
            "updated_at = %s WHERE finding_id = %s AND state = 'failed'",
            (now, finding_id.value),
        )

    def wish(self, finding_id: Ulid, person: Person, base_url: str, now: datetime) -> None:
        """One row a person: who asks twice is told once."""
        self._cursor.execute(
            """
            INSERT INTO masked_copy_wish (finding_id, person_id, base_url, asked_at) VALUES (%s, %s, %s, %s)
            ON DUPLICATE KEY UPDATE base_url = VALUES(base_url), asked_at = VALUES(asked_at), told_at = NULL
            """,
            (finding_id.value, person.id, base_url, now),
        )

    def reachable(self, person: Person) -> bool:
        """Whether they have a channel that was not removed."""
        return bool(channels_of(self._cursor, person.id))

    def mark_queued(self, finding_id: Ulid, now: datetime) -> None:
        """Note when."""
        self._cursor.execute(
            "UPDATE masked_copy SET queued_at = %s WHERE finding_id = %s AND state = 'waiting'",
            (now, finding_id.value),
        )

    def job(self, finding_id: Ulid) -> CopyJob | None:
        """The original's place and hash are those of its row of evidence."""
        self._cursor.execute(
            f"""
            SELECT {_COLUMNS}, f.camera_id, e.object_key, e.sha256, e.shown_at
            FROM masked_copy m
            JOIN finding f ON f.finding_id = m.finding_id
            JOIN evidence e ON e.finding_id = m.finding_id AND e.role = 'original'
            WHERE m.finding_id = %s
            """,  # noqa: S608 - only our own column names
            (finding_id.value,),
        )
        row = self._cursor.fetchone()
        if row is None:
            return None
        return CopyJob(_stored(row), row["camera_id"], row["object_key"], row["sha256"], row["shown_at"])

    def lock(self, finding_id: Ulid) -> StoredCopy | None:
        """Locked to the end of the transaction."""
        self._cursor.execute(
            f"SELECT {_COLUMNS} FROM masked_copy m WHERE m.finding_id = %s FOR UPDATE",  # noqa: S608 - our own names
            (finding_id.value,),
        )
        row = self._cursor.fetchone()
        return None if row is None else _stored(row)

    def note(self, finding_id: Ulid, reason: str, now: datetime) -> None:
        """Kept beside the waiting row, for the one that fails after the last attempt."""
        self._cursor.execute(
            "UPDATE masked_copy SET reason = %s, updated_at = %s WHERE finding_id = %s AND state = 'waiting'",
            (reason[:500], now, finding_id.value),
        )

    def noted(self, finding_id: Ulid) -> str:
        """What `note` kept."""
        self._cursor.execute("SELECT reason FROM masked_copy WHERE finding_id = %s", (finding_id.value,))
        row = self._cursor.fetchone()
        return str(row["reason"] or "") if row else ""

    def make_ready(self, finding_id: Ulid, to_look_at: int, now: datetime) -> None:
        """No reason is left."""
        self._cursor.execute(
            "UPDATE masked_copy SET state = 'ready', reason_code = NULL, reason = NULL, to_look_at = %s, "
            "updated_at = %s WHERE finding_id = %s",
            (to_look_at, now, finding_id.value),
        )

    def fail(self, finding_id: Ulid, reason_code: str, reason: str, now: datetime) -> None:
        """A copy that is there stays."""
        self._cursor.execute(
            "UPDATE masked_copy SET state = 'failed', reason_code = %s, reason = %s, updated_at = %s "
            "WHERE finding_id = %s AND state <> 'ready'",
            (reason_code, reason[:500], now, finding_id.value),
        )

    def wishes(self, finding_id: Ulid) -> Sequence[Wish]:
        """By person; the incident is the one that the finding belongs to by now."""
        self._cursor.execute(
            """
            SELECT p.person_id, p.name, p.role, p.language, w.base_url, i.incident_id, i.number, c.centre_id,
                c.name AS centre, c.time_zone, c.auto_report
            FROM masked_copy_wish w
            JOIN person p ON p.person_id = w.person_id
            JOIN incident_finding x ON x.finding_id = w.finding_id
            JOIN incident i ON i.incident_id = x.incident_id
            JOIN centre c ON c.centre_id = i.centre_id
            WHERE w.finding_id = %s AND w.told_at IS NULL AND p.disabled_at IS NULL
            ORDER BY p.person_id
            """,
            (finding_id.value,),
        )
        return [
            Wish(
                person_from(row),
                row["base_url"],
                Ulid(row["incident_id"]),
                row["number"],
                Centre(row["centre_id"], row["centre"], row["time_zone"], row["auto_report"] == "on"),
                channels_of(self._cursor, row["person_id"]),
            )
            for row in list(self._cursor.fetchall())
        ]

    def told(self, finding_id: Ulid, now: datetime) -> None:
        """All wishes at once: they are locked through the copy's row."""
        self._cursor.execute(
            "UPDATE masked_copy_wish SET told_at = %s WHERE finding_id = %s AND told_at IS NULL",
            (now, finding_id.value),
        )

    def add_link(
        self, token_hash: bytes, evidence_id: Ulid, person: Person, now: datetime, expires_at: datetime
    ) -> None:
        """As `SqlLinks.add`."""
        add_link(self._cursor, token_hash, evidence_id, person, now, expires_at)


def _stored(row: Mapping[str, Any]) -> StoredCopy:
    return StoredCopy(
        Ulid(row["finding_id"]), Ulid(row["clip_id"]), CopyState(row["state"]), row["reason_code"], row["queued_at"]
    )
