"""SQL of records and of the gateways they come from."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from pymysql.cursors import DictCursor

from uriai.domain.chain import RecordStatus
from uriai.domain.record import Link
from uriai.domain.ulid import Ulid
from uriai.service.ports.records import GatewayWatch, RecordRow, Records, SequenceGap

_SIGNED = "('present', 'reordered', 'forked', 'broken_link')"


class SqlRecords(Records):
    """Records in MariaDB or MySQL, inside one transaction."""

    def __init__(self, cursor: DictCursor) -> None:
        self._cursor = cursor

    def add(self, row: RecordRow, now: datetime) -> bool:
        """Keep a record; of one that is there, only that it can be believed now and could not before."""
        changed = self._cursor.execute(
            f"""
            INSERT INTO record (record_id, gateway_id, seq, type, camera, ulid, object_key, sha256, prev,
                started_at, ended_at, event_id, received_at, outcome, reason, flagged_at)
            VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
            ON DUPLICATE KEY UPDATE
                flagged_at = IF(outcome IN {_SIGNED}, flagged_at, VALUES(flagged_at)),
                reason = IF(outcome IN {_SIGNED}, reason, VALUES(reason)),
                outcome = IF(outcome IN {_SIGNED}, outcome, VALUES(outcome))
            """,  # noqa: S608 - our own words only
            (
                row.id.value,
                row.gateway_id,
                row.seq,
                row.type,
                row.camera,
                row.ulid.value if row.ulid else None,
                row.object_key,
                row.sha256,
                row.prev,
                row.started_at,
                row.ended_at,
                row.event.value if row.event else None,
                row.received_at,
                row.status.value,
                row.reason[:255] or None,
                now if row.status.signed and row.status is not RecordStatus.PRESENT else None,
            ),
        )
        return changed > 0

    def lock(self, gateway_id: str) -> GatewayWatch:
        """The gateway's row, made if there is none, locked to the end of the transaction."""
        self._cursor.execute(
            """
            INSERT INTO gateway_watch (gateway_id) VALUES (%s)
            ON DUPLICATE KEY UPDATE gateway_id = gateway_id
            """,
            (gateway_id,),
        )
        self._cursor.execute(
            """
            SELECT gateway_id, heard_until, last_seq, chain_seq, gap_since, silent_since,
                   clock_offset_s, clock_wrong_since
            FROM gateway_watch WHERE gateway_id = %s FOR UPDATE
            """,
            (gateway_id,),
        )
        row = self._cursor.fetchone()
        if row is None:
            raise LookupError(f"the row of gateway {gateway_id} vanished between writing and reading it")
        return GatewayWatch(**row)

    def save(self, watch: GatewayWatch) -> None:
        """Keep what is known now."""
        self._cursor.execute(
            """
            UPDATE gateway_watch SET heard_until = %s, last_seq = %s, chain_seq = %s,
                gap_since = %s, silent_since = %s, clock_offset_s = %s, clock_wrong_since = %s
            WHERE gateway_id = %s
            """,
            (
                watch.heard_until,
                watch.last_seq,
                watch.chain_seq,
                watch.gap_since,
                watch.silent_since,
                watch.clock_offset_s,
                watch.clock_wrong_since,
                watch.gateway_id,
            ),
        )

    def links(self, gateway_id: str, first_seq: int, last_seq: int) -> Sequence[Link]:
        """The records of these numbers whose signature holds."""
        self._cursor.execute(
            f"""
            SELECT record_id, seq, sha256, prev, outcome FROM record
            WHERE gateway_id = %s AND seq BETWEEN %s AND %s AND outcome IN {_SIGNED} ORDER BY seq, record_id
            """,  # noqa: S608 - our own words only
            (gateway_id, first_seq, last_seq),
        )
        return [
            Link(
                Ulid(row["record_id"]),
                row["seq"],
                bytes(row["sha256"]),
                bytes(row["prev"]),
                RecordStatus(row["outcome"]),
            )
            for row in self._cursor.fetchall()
        ]

    def mark(self, record_id: Ulid, status: RecordStatus, now: datetime) -> None:
        """Keep what a record's neighbours make of it, and since when it stands wrongly."""
        self._cursor.execute(
            "UPDATE record SET outcome = %s, flagged_at = IF(%s, NULL, COALESCE(flagged_at, %s)) WHERE record_id = %s",
            (status.value, status is RecordStatus.PRESENT, now, record_id.value),
        )

    def numbers_after(self, gateway_id: str, seq: int, limit: int) -> Sequence[tuple[int, datetime]]:
        """Numbers beyond ``seq`` that are there, rising, each with its first arrival."""
        self._cursor.execute(
            f"""
            SELECT seq, MIN(received_at) AS received_at FROM record
            WHERE gateway_id = %s AND seq > %s AND outcome IN {_SIGNED} GROUP BY seq ORDER BY seq LIMIT %s
            """,  # noqa: S608 - our own words only
            (gateway_id, seq, limit),
        )
        return [(row["seq"], row["received_at"]) for row in self._cursor.fetchall()]

    def add_gap(self, gap: SequenceGap, now: datetime) -> None:
        """Put missing numbers on file; twice the same changes nothing."""
        self._cursor.execute(
            """
            INSERT INTO sequence_gap (gateway_id, first_seq, last_seq, found_at) VALUES (%s, %s, %s, %s)
            ON DUPLICATE KEY UPDATE gateway_id = gateway_id
            """,
            (gap.gateway_id, gap.first_seq, gap.last_seq, now),
        )

    def fill_gap(self, gateway_id: str, seq: int, now: datetime) -> None:
        """Close the gap that ``seq`` is in if all its numbers are there now."""
        self._cursor.execute(
            """
            SELECT first_seq, last_seq FROM sequence_gap
            WHERE gateway_id = %s AND first_seq <= %s AND filled_at IS NULL ORDER BY first_seq DESC LIMIT 1
            """,
            (gateway_id, seq),
        )
        gap = self._cursor.fetchone()
        if gap is None or gap["last_seq"] < seq:
            return
        self._cursor.execute(
            f"""
            SELECT COUNT(DISTINCT seq) AS n FROM record
            WHERE gateway_id = %s AND seq BETWEEN %s AND %s AND outcome IN {_SIGNED}
            """,  # noqa: S608 - our own words only
            (gateway_id, gap["first_seq"], gap["last_seq"]),
        )
        row = self._cursor.fetchone()
        if row is not None and row["n"] == gap["last_seq"] - gap["first_seq"] + 1:
            self._cursor.execute(
                "UPDATE sequence_gap SET filled_at = %s WHERE gateway_id = %s AND first_seq = %s",
                (now, gateway_id, gap["first_seq"]),
            )

    def silent(self, before: datetime, limit: int) -> Sequence[str]:
        """Gateways in force of whose time since ``before`` nothing was told and that are not on file as silent."""
        self._cursor.execute(
            """
            SELECT w.gateway_id FROM gateway_watch w JOIN gateway g ON g.gateway_id = w.gateway_id
            WHERE w.silent_since IS NULL AND w.heard_until <= %s AND g.revoked_at IS NULL
            ORDER BY w.heard_until LIMIT %s
            """,
            (before, limit),
        )
        return [row["gateway_id"] for row in self._cursor.fetchall()]

    def gapped(self, before: datetime, limit: int) -> Sequence[str]:
        """Gateways with missing numbers since ``before`` that are not on file."""
        self._cursor.execute(
            "SELECT gateway_id FROM gateway_watch WHERE gap_since <= %s ORDER BY gap_since LIMIT %s", (before, limit)
        )
        return [row["gateway_id"] for row in self._cursor.fetchall()]
