"""SQL of incidents."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from pymysql.cursors import DictCursor

from uriai.adapters.database.scope import incidents_in_scope
from uriai.domain.centre import Centre
from uriai.domain.incident import INCIDENT_GAP_S, Incident
from uriai.domain.person import Person
from uriai.domain.ulid import Ulid
from uriai.domain.words import Kind, Status, Verdict
from uriai.service.ports.repositories import Incidents, ReviewItem

_COLUMNS = """i.incident_id, i.centre_id, i.camera_id, i.number, i.kind, i.verdict, i.status, i.started_at, i.ended_at,
    i.confidence, i.unverified, i.linked_to"""

_REVIEW = f"""
    SELECT {_COLUMNS}, c.name, c.time_zone, c.auto_report, m.number AS camera_number
    FROM incident i
    JOIN centre c ON c.centre_id = i.centre_id
    JOIN camera m ON m.camera_id = i.camera_id
    WHERE i.merged_into IS NULL
"""  # noqa: S608 - only our own column names


class SqlIncidents(Incidents):
    """Incidents in MariaDB or MySQL, inside one transaction."""

    def __init__(self, cursor: DictCursor) -> None:
        self._cursor = cursor

    def near(self, camera_id: int, kind: Kind, started_at: datetime, ended_at: datetime) -> Sequence[Incident]:
        """Incidents closer to the span than the gap, locked; the camera's lock keeps others from adding one."""
        gap = timedelta(seconds=INCIDENT_GAP_S)
        self._cursor.execute(
            f"""
            SELECT {_COLUMNS} FROM incident i
            WHERE i.camera_id = %s AND i.kind = %s AND i.merged_into IS NULL
              AND i.started_at < %s AND i.ended_at > %s
            ORDER BY i.started_at, i.number
            FOR UPDATE
            """,  # noqa: S608 - only our own column names
            (camera_id, kind.value, ended_at + gap, started_at - gap),
        )
        return [_incident(row) for row in self._cursor.fetchall()]

    def holding(self, finding_id: Ulid) -> Incident | None:
        """The incident that the finding is part of, locked; what is merged holds none."""
        self._cursor.execute(
            f"""
            SELECT {_COLUMNS} FROM incident_finding x JOIN incident i ON i.incident_id = x.incident_id
            WHERE x.finding_id = %s FOR UPDATE
            """,  # noqa: S608 - only our own column names
            (finding_id.value,),
        )
        row = self._cursor.fetchone()
        return _incident(row) if row else None

    def troubled(self, incident_id: Ulid) -> bool:
        """Whether an edge event of the incident has not ended, as far as its findings tell.

        A finding that is about a clip never ends by itself: what does not verify is for people to settle, and the
        gateway that sent it must not be able to.
        """
        self._cursor.execute(
            """
            SELECT 1 FROM incident_finding x JOIN finding f ON f.finding_id = x.finding_id
            WHERE x.incident_id = %s
              AND (f.event_id IS NULL OR JSON_UNQUOTE(JSON_EXTRACT(f.basis, '$.over')) = 'false') LIMIT 1
            """,
            (incident_id.value,),
        )
        return self._cursor.fetchone() is not None

    def next_number(self, centre_id: int) -> int:
        """Draw the centre's next number; its row stays locked, so numbers rise without a gap in order of commit."""
        self._cursor.execute("SELECT last_incident_number FROM centre WHERE centre_id = %s FOR UPDATE", (centre_id,))
        row = self._cursor.fetchone()
        if row is None:
            raise LookupError(f"there is no centre {centre_id}")
        number = int(row["last_incident_number"]) + 1
        self._cursor.execute("UPDATE centre SET last_incident_number = %s WHERE centre_id = %s", (number, centre_id))
        return number

    def add(self, incident: Incident, now: datetime) -> None:
        """Keep a new incident."""
        self._cursor.execute(
            """
            INSERT INTO incident (incident_id, centre_id, camera_id, number, kind, verdict, status, started_at,
                ended_at, confidence, unverified, linked_to, created_at, updated_at)
            VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
            """,
            (
                incident.id.value,
                incident.centre_id,
                incident.camera_id,
                incident.number,
                incident.kind.value,
                incident.verdict.value,
                incident.status.value,
                incident.started_at,
                incident.ended_at,
                incident.confidence,
                incident.unverified,
                incident.linked_to.value if incident.linked_to else None,
                now,
                now,
            ),
        )
        if incident.linked_to is not None:
            self._withhold_like(incident.id, incident.linked_to)

    def update(self, incident: Incident, now: datetime) -> None:
        """Keep what may change of an incident."""
        self._cursor.execute(
            """
            UPDATE incident SET verdict = %s, status = %s, started_at = %s, ended_at = %s, confidence = %s,
                unverified = %s, linked_to = %s, updated_at = %s
            WHERE incident_id = %s
            """,
            (
                incident.verdict.value,
                incident.status.value,
                incident.started_at,
                incident.ended_at,
                incident.confidence,
                incident.unverified,
                incident.linked_to.value if incident.linked_to else None,
                now,
                incident.id.value,
            ),
        )
        if incident.linked_to is not None:
            self._withhold_like(incident.id, incident.linked_to)

    def merge(self, later: Ulid, into: Ulid, now: datetime) -> None:
        """Move the later one's findings, and whatever was merged into it before, to the earlier one.

        What was withheld from the director stays withheld.
        """
        self._withhold_like(into, later)
        self._cursor.execute(
            "UPDATE incident_finding SET incident_id = %s WHERE incident_id = %s", (into.value, later.value)
        )
        self._cursor.execute(
            "UPDATE incident SET merged_into = %s, updated_at = %s WHERE incident_id = %s OR merged_into = %s",
            (into.value, now, later.value, later.value),
        )

    def _withhold_like(self, incident_id: Ulid, other: Ulid) -> None:
        """Withhold an incident from the director if the other one is: the two show the same scene."""
        self._cursor.execute(
            """
            UPDATE incident i JOIN incident o ON o.incident_id = %s SET i.withhold_from_director = TRUE
            WHERE i.incident_id = %s AND o.withhold_from_director = TRUE
            """,
            (other.value, incident_id.value),
        )

    def withhold(self, incident_id: Ulid, withheld: bool, now: datetime) -> Sequence[int]:
        """Hide the incident with all that is linked to it in either direction, or show it alone."""
        wanted = self._linked(incident_id) if withheld else [incident_id.value]
        self._cursor.execute(
            """
            SELECT incident_id, number FROM incident
            WHERE incident_id IN %s AND withhold_from_director <> %s ORDER BY number FOR UPDATE
            """,
            (wanted, withheld),
        )
        rows = self._cursor.fetchall()
        if rows:
            self._cursor.execute(
                "UPDATE incident SET withhold_from_director = %s, updated_at = %s WHERE incident_id IN %s",
                (withheld, now, [row["incident_id"] for row in rows]),
            )
        return [row["number"] for row in rows]

    def _linked(self, incident_id: Ulid) -> list[bytes]:
        """The incident, what it continues and what continues it, however many times over."""
        found: list[bytes] = [incident_id.value]
        while True:
            self._cursor.execute(
                """
                SELECT incident_id FROM incident
                WHERE incident_id NOT IN %s AND (linked_to IN %s
                    OR incident_id IN (SELECT linked_to FROM incident WHERE incident_id IN %s))
                """,
                (found, found, found),
            )
            more = [row["incident_id"] for row in self._cursor.fetchall()]
            if not more:
                return found
            found += more

    def add_finding(self, incident_id: Ulid, finding_id: Ulid) -> None:
        """Make the finding part of the incident, once."""
        self._cursor.execute(
            "INSERT INTO incident_finding (incident_id, finding_id) VALUES (%s, %s) "
            "ON DUPLICATE KEY UPDATE incident_id = incident_id",
            (incident_id.value, finding_id.value),
        )

    def numbered(self, number: int, centre: str | None, person: Person | None) -> Sequence[ReviewItem]:
        """Incidents of that number. A join locks rows of every table it reads, in an order of its own: none is."""
        scope, parameters = incidents_in_scope(person) if person else ("TRUE", ())
        condition, values = ("AND c.name = %s", (centre,)) if centre else ("", ())
        self._cursor.execute(
            f"{_REVIEW} AND i.number = %s {condition} AND {scope} ORDER BY i.centre_id", (number, *values, *parameters)
        )
        return [_item(row) for row in self._cursor.fetchall()]

    def find(self, incident_id: Ulid) -> ReviewItem | None:
        """The incident, not locked."""
        self._cursor.execute(f"{_REVIEW} AND i.incident_id = %s", (incident_id.value,))
        row = self._cursor.fetchone()
        return None if row is None else _item(row)

    def waiting(self, statuses: Sequence[Status], limit: int) -> Sequence[ReviewItem]:
        """Incidents in these statuses, the gravest and most confident first."""
        self._cursor.execute(
            f"{_REVIEW} AND i.status IN %s ORDER BY i.verdict DESC, i.confidence DESC, i.started_at LIMIT %s",
            ([status.value for status in statuses], limit),
        )
        return [_item(row) for row in self._cursor.fetchall()]

    def between(self, centre_id: int, start: datetime, end: datetime) -> Sequence[Incident]:
        """A centre's incidents that start in the half-open span."""
        self._cursor.execute(
            f"""
            SELECT {_COLUMNS} FROM incident i
            WHERE i.centre_id = %s AND i.merged_into IS NULL AND i.started_at >= %s AND i.started_at < %s
            ORDER BY i.started_at, i.number
            """,  # noqa: S608 - only our own column names
            (centre_id, start, end),
        )
        return [_incident(row) for row in self._cursor.fetchall()]


def _incident(row: dict[str, Any]) -> Incident:
    return Incident(
        id=Ulid(bytes(row["incident_id"])),
        centre_id=row["centre_id"],
        camera_id=row["camera_id"],
        number=row["number"],
        kind=Kind(row["kind"]),
        verdict=Verdict(row["verdict"]),
        status=Status(row["status"]),
        started_at=row["started_at"],
        ended_at=row["ended_at"],
        confidence=row["confidence"],
        unverified=bool(row["unverified"]),
        linked_to=Ulid(bytes(row["linked_to"])) if row["linked_to"] is not None else None,
    )


def _item(row: dict[str, Any]) -> ReviewItem:
    centre = Centre(row["centre_id"], row["name"], row["time_zone"], row["auto_report"] == "on")
    return ReviewItem(_incident(row), centre, row["camera_number"])
