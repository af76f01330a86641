"""SQL of the outbox's rows on their way out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from pymysql.cursors import DictCursor

from uriai.adapters.database.scope import IN_CHARGE
from uriai.domain.person import Language
from uriai.domain.telling import Medium, Occasion, audiences
from uriai.domain.ulid import Ulid
from uriai.domain.words import Role, Status
from uriai.service.ports.telling import NOT_IN_CHARGE, DueRow, OutboxState, Outgoing, QueuedMessage

_ANSWERS = "('masked_copy', 'no_masked_copy')"
"""Who asked is told of their copy, whatever number its incident has by now."""
_FORGET_LINK = "o.body = IF(o.occasion = 'masked_copy', '', o.body)"
"""A link lies in the outbox only as long as it may yet be sent."""
_URGENT_FIRST = "o.occasion IN ('reported', 'page', 'unreported', 'undelivered') DESC"
MERGED = "the incident became part of another"
WITHHELD = "the incident was withheld"
DECIDED = "the incident was decided on"
_UNREACHABLE = "the channel was removed, or whose it is may no longer ask: see `uriai channels list`"


class SqlOutgoing(Outgoing):
    """Outgoing rows in MariaDB or MySQL, inside one transaction."""

    def __init__(self, cursor: DictCursor) -> None:
        self._cursor = cursor

    def overtake(self, now: datetime) -> None:
        """Mark what became pointless before it was queued."""
        self._cursor.execute(
            f"""
            UPDATE outbox o JOIN incident i ON i.incident_id = o.incident_id
            LEFT JOIN channel ch ON ch.channel_id = o.channel_id
            LEFT JOIN person p ON p.person_id = ch.person_id
            SET {_FORGET_LINK}, o.state = 'overtaken', o.updated_at = %s, o.reason = CASE
                WHEN p.role = 'director' AND i.withhold_from_director THEN %s
                WHEN i.merged_into IS NOT NULL THEN %s
                ELSE %s END
            WHERE o.state = 'waiting' AND (
                (i.merged_into IS NOT NULL AND o.occasion NOT IN {_ANSWERS})
                OR (p.role = 'director' AND i.withhold_from_director)
                OR (o.occasion IN ('page', 'review') AND i.status <> 'pending_review')
            )
            """,  # noqa: S608 - our own words only
            (now, WITHHELD, MERGED, DECIDED),
        )

    def hold_back(self, now: datetime, claim_lasts: timedelta) -> None:
        """Put the pages of what somebody has taken off to the end of the claim."""
        lasts_s = claim_lasts.total_seconds()
        self._cursor.execute(
            """
            UPDATE outbox o JOIN incident_claim k ON k.incident_id = o.incident_id
            SET o.due_at = DATE_ADD(k.taken_at, INTERVAL %s SECOND)
            WHERE o.state = 'waiting' AND o.occasion = 'page' AND k.taken_at > %s
                AND o.due_at < DATE_ADD(k.taken_at, INTERVAL %s SECOND)
            """,
            (lasts_s, now - claim_lasts, lasts_s),
        )

    def due(self, now: datetime, limit: int) -> Sequence[DueRow]:
        """Rows that are due and in no message yet."""
        return self._locked(
            f"""
            SELECT o.outbox_id FROM outbox o
            WHERE o.state = 'waiting' AND o.message_id IS NULL AND o.due_at <= %s
            ORDER BY {_URGENT_FIRST}, o.due_at, o.outbox_id LIMIT %s FOR UPDATE SKIP LOCKED
            """,  # noqa: S608 - our own words only
            (now, limit),
        )

    def fix(self, message_id: Ulid, row_ids: Sequence[Ulid]) -> None:
        """Make the rows one message."""
        self._cursor.execute(
            "UPDATE outbox SET message_id = %s WHERE outbox_id IN %s",
            (message_id.value, [row_id.value for row_id in row_ids]),
        )

    def fixed(self, now: datetime, limit: int) -> Sequence[Ulid]:
        """Messages that are due and not queued."""
        self._cursor.execute(
            f"""
            SELECT o.message_id FROM outbox o
            WHERE o.state = 'waiting' AND o.message_id IS NOT NULL AND o.due_at <= %s
            ORDER BY {_URGENT_FIRST}, o.due_at, o.outbox_id LIMIT %s
            """,  # noqa: S608 - our own words only
            (now, limit),
        )
        return list(dict.fromkeys(Ulid(bytes(row["message_id"])) for row in self._cursor.fetchall()))

    def content(self, message_id: Ulid, state: OutboxState) -> Sequence[DueRow]:
        """Rows of a message in that state."""
        return self._locked(
            "SELECT outbox_id FROM outbox WHERE message_id = %s AND state = %s FOR UPDATE SKIP LOCKED",
            (message_id.value, state.value),
        )

    def mark_queued(self, message_id: Ulid, now: datetime) -> None:
        """Note that the message was queued, and when."""
        self._cursor.execute(
            "UPDATE outbox SET state = 'queued', reason = '', due_at = %s, updated_at = %s "
            "WHERE message_id = %s AND state = 'waiting'",
            (now, now, message_id.value),
        )

    def drop(self, row_id: Ulid, reason: str, now: datetime) -> None:
        """Mark one row as overtaken."""
        self._cursor.execute(
            f"UPDATE outbox o SET {_FORGET_LINK}, o.state = 'overtaken', o.reason = %s, o.updated_at = %s "  # noqa: S608
            "WHERE o.outbox_id = %s AND o.state = 'waiting'",
            (reason, now, row_id.value),
        )

    def settle(self, message_id: Ulid, state: OutboxState, reason: str, now: datetime) -> None:
        """Set the state of a message's rows, unless it is settled."""
        self._cursor.execute(
            f"""
            UPDATE outbox o SET {_FORGET_LINK}, o.state = %s, o.reason = %s, o.updated_at = %s
            WHERE o.message_id = %s AND o.state IN ('waiting', 'queued')
            """,  # noqa: S608 - our own words only
            (state.value, reason[:255], now, message_id.value),
        )

    def repeat(
        self, row_id: Ulid, new_id: Ulid, repetition: int, subject: str, due_at: datetime, now: datetime
    ) -> None:
        """Keep a row like another, to be told later, once."""
        self._cursor.execute(
            """
            INSERT INTO outbox (outbox_id, about, occasion, recipient, medium, repetition, incident_id, centre_id,
                channel_id, subject, body, state, due_at, created_at, updated_at)
            SELECT %s, o.about, o.occasion, o.recipient, o.medium, %s, o.incident_id, o.centre_id, o.channel_id, %s,
                o.body, 'waiting', %s, %s, %s
            FROM outbox o WHERE o.outbox_id = %s
            ON DUPLICATE KEY UPDATE outbox_id = outbox.outbox_id
            """,
            (new_id.value, repetition, subject, due_at, now, now, row_id.value),
        )

    def queued(self, now: datetime, limit: int) -> Sequence[QueuedMessage]:
        """Queued messages, those first that were looked at longest ago."""
        self._cursor.execute(
            """
            SELECT message_id, MIN(due_at) AS queued_at FROM outbox WHERE state = 'queued'
            GROUP BY message_id ORDER BY MIN(updated_at), message_id LIMIT %s
            """,
            (limit,),
        )
        found = [QueuedMessage(Ulid(bytes(row["message_id"])), row["queued_at"]) for row in self._cursor.fetchall()]
        if found:
            self._cursor.execute(
                "UPDATE outbox SET updated_at = %s WHERE state = 'queued' AND message_id IN %s",
                (now, [one.message_id.value for one in found]),
            )
        return found

    def requeue(self, message_id: Ulid, now: datetime) -> None:
        """Make a queued message due again."""
        self._cursor.execute(
            "UPDATE outbox SET state = 'waiting', due_at = %s, updated_at = %s "
            "WHERE message_id = %s AND state = 'queued'",
            (now, now, message_id.value),
        )

    def _locked(self, statement: str, values: tuple[object, ...]) -> list[DueRow]:
        """The rows whose ids a locking statement gives, in its order, with how their recipients are reached now."""
        self._cursor.execute(statement, values)
        ids = [bytes(row["outbox_id"]) for row in self._cursor.fetchall()]
        if not ids:
            return []
        # the joined tables are only read: nobody has to wait for a channel
        self._cursor.execute(
            f"""
            SELECT o.outbox_id, o.about, o.incident_id, o.centre_id, o.occasion, o.recipient, o.repetition, o.subject,
                COALESCE(f.subject, o.subject) AS first_subject, o.body, o.channel_id, ch.medium, ch.address,
                COALESCE(ch.language, p.language, 'ko') AS language,
                ch.removed_at IS NOT NULL OR p.disabled_at IS NOT NULL AS unreachable,
                p.role, {IN_CHARGE} AS in_charge, i.status, i.merged_into,
                COALESCE(i.withhold_from_director, FALSE) AS withheld
            FROM outbox o
            JOIN centre c ON c.centre_id = o.centre_id
            JOIN channel ch ON ch.channel_id = o.channel_id
            LEFT JOIN person p ON p.person_id = ch.person_id
            LEFT JOIN incident i ON i.incident_id = o.incident_id
            LEFT JOIN outbox f ON f.about = o.about AND f.occasion = o.occasion AND f.recipient = o.recipient
                AND f.medium = o.medium AND f.repetition = 0
            WHERE o.outbox_id IN %s
            """,  # noqa: S608 - our own words only
            (ids,),
        )
        found = {bytes(row["outbox_id"]): _due(row) for row in self._cursor.fetchall()}
        return [found[one] for one in ids if one in found]


def _due(row: dict[str, Any]) -> DueRow:
    return DueRow(
        id=Ulid(bytes(row["outbox_id"])),
        about=row["about"],
        incident_id=Ulid(bytes(row["incident_id"])) if row["incident_id"] is not None else None,
        centre_id=row["centre_id"],
        occasion=Occasion(row["occasion"]),
        recipient=row["recipient"],
        repetition=row["repetition"],
        subject=row["subject"],
        first_subject=row["first_subject"],
        body=row["body"],
        channel_id=row["channel_id"],
        medium=Medium(row["medium"]),
        address=row["address"],
        language=Language(row["language"]),
        unreachable=_UNREACHABLE if row["unreachable"] else "",
        overtaken=_overtaken(row, Occasion(row["occasion"])),
    )


def _overtaken(row: dict[str, Any], occasion: Occasion) -> str:
    """Why the row is not to be told any more, by what its incident and its recipient are now; empty if it is."""
    if row["merged_into"] is not None and not occasion.answers:
        return MERGED
    if occasion.waits_for_decision and row["status"] not in (None, Status.PENDING_REVIEW.value):
        return DECIDED
    if row["role"] is None:
        return ""  # a police station
    role = Role(row["role"])
    if role is Role.DIRECTOR and row["withheld"]:
        return WITHHELD
    if occasion.answers:
        return "" if row["in_charge"] else NOT_IN_CHARGE
    told = {audience.role for audience in audiences(occasion, withheld=bool(row["withheld"]))}
    return "" if role in told and row["in_charge"] else NOT_IN_CHARGE
