"""SQL of one-time links to masked pictures and masked copies."""

from __future__ import annotations

import json
from datetime import datetime

from pymysql.cursors import DictCursor

from uriai.adapters.database.connection import Database
from uriai.adapters.database.people import person_from
from uriai.adapters.database.scope import incidents_in_scope
from uriai.domain.person import Person
from uriai.domain.ulid import Ulid
from uriai.domain.words import EvidenceRole
from uriai.service.ports.chat import Links

_MASKED = (
    EvidenceRole.KEY_FRAME_MASKED.value,
    EvidenceRole.KEY_FRAME_ANNOTATED_MASKED.value,
    EvidenceRole.MASKED_COPY.value,
)
"""What a link may show, whatever evidence it was made for."""


class SqlLinks(Links):
    """Links in MariaDB or MySQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, token_hash: bytes, evidence_id: Ulid, person: Person, now: datetime, expires_at: datetime) -> None:
        """Keep a link that was not used yet."""
        self._database.run(lambda cursor: add_link(cursor, token_hash, evidence_id, person, now, expires_at))

    def use(self, token_hash: bytes, now: datetime) -> str | None:
        """The object key of what is masked, once, with its audit row; None otherwise."""
        begun = False

        def work(cursor: DictCursor) -> str | None:
            nonlocal begun
            again, begun = begun, True
            return _use(cursor, token_hash, now, again=again)

        return self._database.run(work)


def add_link(
    cursor: DictCursor, token_hash: bytes, evidence_id: Ulid, person: Person, now: datetime, expires_at: datetime
) -> None:
    """Keep a link that was not used yet, inside the caller's transaction."""
    cursor.execute(
        """
        INSERT INTO evidence_link (token_hash, evidence_id, person_id, created_at, expires_at)
        VALUES (%s, %s, %s, %s, %s) ON DUPLICATE KEY UPDATE token_hash = token_hash
        """,
        (token_hash, evidence_id.value, person.id, now, expires_at),
    )


def _use(cursor: DictCursor, token_hash: bytes, now: datetime, *, again: bool) -> str | None:
    """Use a link once; ``again``: this caller tried before and may have committed without hearing of it."""
    # the update that changes the row wins; the loser of two at once waits for the row and then changes nothing
    won = cursor.execute(
        "UPDATE evidence_link SET used_at = %s WHERE token_hash = %s AND used_at IS NULL AND expires_at > %s",
        (now, token_hash, now),
    )
    if not (won or again):
        return None
    # the instant tells a repetition its own use from another caller's
    cursor.execute(
        """
        SELECT l.evidence_id, p.person_id, p.name, p.role, p.language
        FROM evidence_link l JOIN person p ON p.person_id = l.person_id
        WHERE l.token_hash = %s AND l.used_at = %s AND p.disabled_at IS NULL
        """,
        (token_hash, now),
    )
    row = cursor.fetchone()
    if row is None:
        return None
    person = person_from(row)
    # the scope is asked again: an incident may have been withheld, or a centre taken away, since the link was sent
    condition, parameters = incidents_in_scope(person)
    cursor.execute(
        f"""
        SELECT e.object_key, e.role, i.incident_id
        FROM evidence e
        JOIN incident_finding x ON x.finding_id = e.finding_id
        JOIN incident i ON i.incident_id = x.incident_id
        JOIN centre c ON c.centre_id = i.centre_id
        WHERE e.evidence_id = %s AND e.role IN %s AND e.deleted_at IS NULL AND {condition}
        """,  # noqa: S608 - our own words only
        (row["evidence_id"], _MASKED, *parameters),
    )
    found = cursor.fetchone()
    if found is None:
        return None
    if not won:
        return str(found["object_key"])  # the audit row was committed with the use
    detail = {"role": found["role"], "incident": str(Ulid(found["incident_id"]))}
    cursor.execute(
        "INSERT INTO audit (at, person_id, actor, action, subject, detail) VALUES (%s, %s, %s, %s, %s, %s)",
        (now, person.id, person.name, "evidence.opened", str(Ulid(row["evidence_id"])), json.dumps(detail)),
    )
    return str(found["object_key"])
