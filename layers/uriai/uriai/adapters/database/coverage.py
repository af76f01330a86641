"""SQL of what cameras recorded and of the holes between."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from pymysql.cursors import DictCursor

from uriai.domain.coverage import JOINS, Span, by_day, merged
from uriai.domain.ulid import Ulid
from uriai.service.ports.records import CameraWatch, Cause, Coverage, Hole, Unheard

LONGEST_ROW = timedelta(days=1)
"""No row is longer, see `by_day`: how far before an instant a span that reaches it can have begun."""


class SqlCoverage(Coverage):
    """Coverage in MariaDB or MySQL, inside one transaction."""

    def __init__(self, cursor: DictCursor) -> None:
        self._cursor = cursor

    def watches(self, gateway_id: str) -> Mapping[int, CameraWatch]:
        """What is known of the gateway's cameras, by number."""
        self._cursor.execute(
            """
            SELECT m.number, w.camera_id, w.expected_from, w.covered_until, w.settled_until, w.dark_since
            FROM camera m JOIN camera_watch w ON w.camera_id = m.camera_id WHERE m.gateway_id = %s
            """,
            (gateway_id,),
        )
        return {
            row["number"]: CameraWatch(
                row["camera_id"], row["expected_from"], row["covered_until"], row["settled_until"], row["dark_since"]
            )
            for row in self._cursor.fetchall()
        }

    def save(self, watch: CameraWatch) -> None:
        """Keep what is known now."""
        changed = self._cursor.execute(
            """
            INSERT INTO camera_watch (camera_id, expected_from, covered_until, settled_until, dark_since)
            VALUES (%s, %s, %s, %s, %s)
            ON DUPLICATE KEY UPDATE expected_from = VALUES(expected_from), covered_until = VALUES(covered_until),
                settled_until = VALUES(settled_until), dark_since = VALUES(dark_since)
            """,
            (watch.camera_id, watch.expected_from, watch.covered_until, watch.settled_until, watch.dark_since),
        )
        if changed == 1:  # a new row; one that was changed counts as two
            self._cursor.execute(
                "UPDATE camera SET heard_at = %s WHERE camera_id = %s AND heard_at IS NULL",
                (watch.expected_from, watch.camera_id),
            )

    def add(self, camera_id: int, spans: Sequence[Span]) -> bool:
        """Add to what the camera recorded, in as few rows as it takes."""
        added = False
        for part in (part for span in spans for part in by_day(span)):
            midnight = part.start.replace(hour=0, minute=0, second=0, microsecond=0)
            self._cursor.execute(
                """
                SELECT started_at, ended_at FROM coverage
                WHERE camera_id = %s AND started_at >= %s AND started_at <= %s AND ended_at >= %s ORDER BY started_at
                """,
                (camera_id, midnight, min(part.end + JOINS, midnight + LONGEST_ROW), part.start - JOINS),
            )
            near = [Span(row["started_at"], row["ended_at"]) for row in self._cursor.fetchall()]
            # a row that begins at the next midnight is the next day's own
            near = [span for span in near if span.start < midnight + LONGEST_ROW]
            if merged(near) == merged([*near, part]):
                continue
            for span in near:
                self._cursor.execute(
                    "DELETE FROM coverage WHERE camera_id = %s AND started_at = %s", (camera_id, span.start)
                )
            self._cursor.executemany(
                "INSERT INTO coverage (camera_id, started_at, ended_at) VALUES (%s, %s, %s)",
                [(camera_id, span.start, span.end) for span in merged([*near, part])],
            )
            added = True
        return added

    def spans(self, camera_id: int, within: Span) -> Sequence[Span]:
        """What the camera recorded of ``within``, in order; spans may reach beyond it."""
        self._cursor.execute(
            """
            SELECT started_at, ended_at FROM coverage
            WHERE camera_id = %s AND started_at > %s AND started_at < %s AND ended_at > %s ORDER BY started_at
            """,
            (camera_id, within.start - LONGEST_ROW, within.end, within.start),
        )
        return [Span(row["started_at"], row["ended_at"]) for row in self._cursor.fetchall()]

    def start_before(self, camera_id: int, instant: datetime) -> datetime | None:
        """The last start of a span before ``instant``."""
        self._cursor.execute(
            "SELECT started_at FROM coverage WHERE camera_id = %s AND started_at < %s ORDER BY started_at DESC LIMIT 1",
            (camera_id, instant),
        )
        row = self._cursor.fetchone()
        return row["started_at"] if row else None

    def start_from(self, camera_id: int, instant: datetime) -> datetime | None:
        """The first start of a span at or after ``instant``."""
        self._cursor.execute(
            "SELECT started_at FROM coverage WHERE camera_id = %s AND started_at >= %s ORDER BY started_at LIMIT 1",
            (camera_id, instant),
        )
        row = self._cursor.fetchone()
        return row["started_at"] if row else None

    def holes(self, camera_id: int, within: Span) -> Sequence[Hole]:
        """The holes on file that overlap ``within`` and are not filled, in order."""
        self._cursor.execute(
            """
            SELECT hole_id, began_at, ended_at, cause, split_from FROM coverage_hole
            WHERE camera_id = %s AND began_at < %s AND (ended_at > %s OR ended_at IS NULL) AND filled_at IS NULL
            ORDER BY began_at
            """,
            (camera_id, within.end, within.start),
        )
        return [
            Hole(
                Ulid(row["hole_id"]),
                camera_id,
                row["began_at"],
                row["ended_at"],
                Cause(row["cause"]),
                Ulid(row["split_from"]) if row["split_from"] else None,
            )
            for row in self._cursor.fetchall()
        ]

    def put(self, hole: Hole, now: datetime) -> None:
        """Keep a hole, new or changed."""
        self._cursor.execute(
            """
            INSERT INTO coverage_hole (hole_id, camera_id, began_at, ended_at, cause, found_at, filled_at, split_from)
            VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
            ON DUPLICATE KEY UPDATE began_at = VALUES(began_at), ended_at = VALUES(ended_at), cause = VALUES(cause),
                filled_at = VALUES(filled_at)
            """,
            (
                hole.id.value,
                hole.camera_id,
                hole.began_at,
                hole.ended_at,
                hole.cause.value,
                now,
                now if hole.filled else None,
                hole.split_from.value if hole.split_from else None,
            ),
        )

    def explain(self, camera_id: int, within: Span, cause: Cause) -> None:
        """Tell why, for holes that overlap ``within`` and of which nobody knew why."""
        self._cursor.execute(
            """
            UPDATE coverage_hole SET cause = %s
            WHERE camera_id = %s AND began_at < %s AND (ended_at > %s OR ended_at IS NULL) AND filled_at IS NULL
                AND cause = 'no_records'
            """,
            (cause.value, camera_id, within.end, within.start),
        )

    def unheard(self, before: datetime, limit: int) -> Sequence[Unheard]:
        """Cameras that are there and that no record ever named."""
        self._cursor.execute(
            """
            SELECT camera_id, gateway_id, number, GREATEST(created_at, first_key_at) AS since
            FROM (
                SELECT m.camera_id, m.gateway_id, m.number, m.created_at, (
                    SELECT MIN(k.valid_from) FROM gateway_key k
                    WHERE k.gateway_id = m.gateway_id AND k.revoked_at IS NULL) AS first_key_at
                FROM camera m FORCE INDEX (camera_unheard)
                STRAIGHT_JOIN gateway g ON g.gateway_id = m.gateway_id AND g.revoked_at IS NULL
                WHERE m.heard_at IS NULL AND m.created_at <= %s
                    AND (m.registered = TRUE OR EXISTS (
                        SELECT 1 FROM clip c WHERE c.camera_id = m.camera_id AND c.manifest_status = 'verified'))
            ) AS silent
            WHERE first_key_at <= %s
            ORDER BY since, camera_id LIMIT %s
            """,
            (before, before, limit),
        )
        return [Unheard(**row) for row in self._cursor.fetchall()]

    def dark(self, before: datetime, limit: int) -> Sequence[tuple[str, int]]:
        """Gateway and number of cameras without coverage since ``before``, of which that is not on file."""
        self._cursor.execute(
            """
            SELECT m.gateway_id, m.number FROM camera_watch w
            JOIN camera m ON m.camera_id = w.camera_id
            JOIN gateway g ON g.gateway_id = m.gateway_id
            WHERE w.dark_since IS NULL AND w.covered_until <= %s AND g.revoked_at IS NULL
            ORDER BY w.covered_until, w.camera_id LIMIT %s
            """,
            (before, limit),
        )
        return [(row["gateway_id"], row["number"]) for row in self._cursor.fetchall()]
