"""SQL of what people ask. The person's scope is part of every query; there is no query without one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from pymysql.cursors import DictCursor

from uriai.adapters.database.connection import Database
from uriai.adapters.database.coverage import LONGEST_ROW
from uriai.adapters.database.scope import centres_in_scope, incidents_in_scope, numbers_in_scope
from uriai.domain.coverage import Span, merged
from uriai.domain.person import Person
from uriai.domain.ulid import Ulid
from uriai.domain.utterance.names import bare_name
from uriai.domain.words import EvidenceRole, Kind, Status
from uriai.service.ports.chat import (
    CameraCoverage,
    CentreView,
    ClipTally,
    Filter,
    IncidentView,
    Moment,
    Picture,
    Questions,
    Tally,
)

LONGEST_INCIDENT = timedelta(days=1)
"""How far before a range an incident that overlaps it can have begun: it bounds what is read of the index."""

MOST_SPANS = 20_000
"""Spans looked through for one answer: some thousand cameras' day."""

CAMERAS_AT_ONCE = 900

MOST_CAMERA_DAYS = 10_000
"""Of cameras and days looked through for one answer: a month of three hundred cameras, three days of a district."""

MOST_MOMENTS = 20_000
"""Rows of a trend: more would take longer to count than anybody waits."""

_CENTRE_COLUMNS = "c.centre_id, c.name, c.time_zone, r.province, r.district, r.neighbourhood"
_INCIDENT_COLUMNS = f"""i.incident_id, i.number, i.kind, i.status, i.started_at, i.ended_at, i.confidence, i.unverified,
    m.number AS camera_number, {_CENTRE_COLUMNS}"""
# Every question is about a span of time in some centres. Left to itself the server reads all that a centre ever had by
# `incident_number`, which begins with the centre as well: twenty times as long for a district (bench/country.py).
_INCIDENTS = """
    FROM centre c
    JOIN incident i FORCE INDEX (incident_by_centre) ON i.centre_id = c.centre_id
    JOIN region r ON r.region_id = c.region_id
    JOIN camera m ON m.camera_id = i.camera_id
"""


class SqlQuestions(Questions):
    """Reads from MariaDB or MySQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def centres(self, person: Person, limit: int) -> Sequence[CentreView]:
        """The centres in scope by name, at most ``limit``."""
        condition, parameters = centres_in_scope(person)
        rows = self._rows(
            f"""
            SELECT {_CENTRE_COLUMNS} FROM centre c JOIN region r ON r.region_id = c.region_id
            WHERE {condition} ORDER BY c.name, c.centre_id LIMIT %s
            """,  # noqa: S608 - our own words only
            (*parameters, limit),
        )
        return [_centre(row) for row in rows]

    def centres_named(self, person: Person, name: str, limit: int) -> Sequence[CentreView]:
        """The centres in scope whose name holds the letters of ``name`` in their order, the shortest names first."""
        # spaces, signs and the word for a daycare centre are left to whoever compares the names
        letters = "%".join(bare_name(name))
        if not letters:
            return []
        condition, parameters = centres_in_scope(person)
        rows = self._rows(
            f"""
            SELECT {_CENTRE_COLUMNS} FROM centre c JOIN region r ON r.region_id = c.region_id
            WHERE {condition} AND c.name LIKE %s ORDER BY CHAR_LENGTH(c.name), c.centre_id LIMIT %s
            """,  # noqa: S608 - our own words only
            (*parameters, f"%{letters}%", limit),
        )
        return [_centre(row) for row in rows]

    def incidents(self, person: Person, about: Filter, limit: int) -> Sequence[IncidentView]:
        """The incidents that overlap the range, by start, at most ``limit``."""
        condition, parameters = _about(person, about)
        rows = self._rows(
            f"SELECT {_INCIDENT_COLUMNS} {_INCIDENTS} WHERE {condition} ORDER BY i.started_at, i.number LIMIT %s",
            (*parameters, limit),
        )
        return [_incident(row) for row in rows]

    def strongest(self, person: Person, about: Filter) -> IncidentView | None:
        """The incident of the highest confidence."""
        condition, parameters = _about(person, about)
        rows = self._rows(
            f"""
            SELECT {_INCIDENT_COLUMNS} {_INCIDENTS} WHERE {condition}
            ORDER BY i.confidence DESC, i.started_at LIMIT 1
            """,
            parameters,
        )
        return _incident(rows[0]) if rows else None

    def tally(self, person: Person, about: Filter) -> Sequence[Tally]:
        """All incidents that overlap the range, counted."""
        condition, parameters = _about(person, about)
        rows = self._rows(
            f"""
            SELECT i.kind, i.status, m.number AS camera_number, COUNT(*) AS incidents {_INCIDENTS}
            WHERE {condition} GROUP BY i.kind, i.status, m.number
            """,
            parameters,
        )
        return [Tally(Kind(row["kind"]), Status(row["status"]), row["camera_number"], row["incidents"]) for row in rows]

    def clips(self, person: Person, about: Filter) -> ClipTally:
        """The clips that begin in the range, counted; a clip without a known time counts when it arrived."""
        found: Counter[str | None] = Counter()
        for row in self._of_cameras(
            """
            SELECT p.current_state AS state, COUNT(*) AS clips FROM clip p FORCE INDEX (clip_tally)
            WHERE p.camera_id IN %s AND p.counted_at >= %s AND p.counted_at < %s GROUP BY p.current_state
            """,
            [row["camera_id"] for row in self._cameras(person, about)],
            (about.range.start, about.range.end),
        ):
            found[row["state"]] += int(row["clips"])
        return ClipTally(found["done"], found["failed"], found[None])

    def coverage(self, person: Person, about: Filter) -> Sequence[CameraCoverage] | None:
        """What every camera recorded of the range; None where that is more than `MOST_CAMERA_DAYS`, or `MOST_SPANS`."""
        start, end = about.range.start, about.range.end
        cameras = {row["camera_id"]: row for row in self._cameras(person, about, in_use_after=start)}
        if end - start > LONGEST_ROW and len(cameras) * ((end - start) / LONGEST_ROW) > MOST_CAMERA_DAYS:
            return None
        rows = self._of_cameras(
            # numbers instead of instants: there are thousands of rows, and reading them takes longest
            """
            SELECT v.camera_id, TIMESTAMPDIFF(MICROSECOND, %s, v.started_at) AS began_us,
                TIMESTAMPDIFF(MICROSECOND, %s, v.ended_at) AS ended_us
            FROM coverage v
            WHERE v.camera_id IN %s AND v.started_at > %s AND v.started_at < %s AND v.ended_at > %s LIMIT %s
            """,
            list(cameras),
            (start - LONGEST_ROW, end, start, MOST_SPANS + 1),
            before=(start, start),
        )
        if len(rows) > MOST_SPANS:
            return None
        # of a number that two gateways had, both are the one camera
        spans: dict[tuple[int, int], list[Span]] = {
            (row["centre_id"], row["camera_number"]): [] for row in cameras.values()
        }
        base = start.astimezone(UTC)
        for row in rows:
            camera = cameras[row["camera_id"]]
            began, ended = timedelta(microseconds=row["began_us"]), timedelta(microseconds=row["ended_us"])
            spans[camera["centre_id"], camera["camera_number"]].append(Span(base + began, base + ended))
        centres = self._centres_of(person, about)
        # a scope that was changed a moment ago holds for all of the answer
        told = [(centres[centre], camera, found) for (centre, camera), found in spans.items() if centre in centres]
        told.sort(key=lambda one: (one[0].name, one[0].id, one[1]))
        return [CameraCoverage(centre, camera, merged(found)) for centre, camera, found in told]

    def _cameras(
        self, person: Person, about: Filter, *, in_use_after: datetime | None = None
    ) -> Sequence[dict[str, Any]]:
        """The cameras in scope that are asked about: ``camera_id``, ``centre_id``, ``camera_number``."""
        condition, parameters = centres_in_scope(person)
        extra, extra_parameters = _only(about)
        gateway = ""
        if in_use_after is not None:
            gateway = "JOIN gateway g ON g.gateway_id = m.gateway_id"
            extra += " AND (g.revoked_at IS NULL OR g.revoked_at > %s)"
            extra_parameters += (in_use_after,)
        return self._rows(
            f"""
            SELECT m.camera_id, m.centre_id, m.number AS camera_number
            FROM centre c JOIN camera m ON m.centre_id = c.centre_id {gateway}
            WHERE {condition} {extra}
            """,  # noqa: S608 - our own words only
            (*parameters, *extra_parameters),
        )

    def _of_cameras(
        self, statement: str, cameras: Sequence[int], after: tuple[Any, ...], before: tuple[Any, ...] = ()
    ) -> list[dict[str, Any]]:
        """The rows of these cameras, whose scope was checked when they were found.

        A join would read all that each camera ever had: servers use an index's span of time only where its first column
        is a constant. MariaDB makes a table, and with it a join, of a list of a thousand or more.
        """
        found: list[dict[str, Any]] = []
        for first in range(0, len(cameras), CAMERAS_AT_ONCE):
            some = list(cameras[first : first + CAMERAS_AT_ONCE])
            found += self._rows(statement, (*before, some, *after))
        return found

    def _centres_of(self, person: Person, about: Filter) -> dict[int, CentreView]:
        condition, parameters = centres_in_scope(person)
        extra, extra_parameters = _only(replace(about, cameras=()))
        rows = self._rows(
            f"""
            SELECT {_CENTRE_COLUMNS} FROM centre c JOIN region r ON r.region_id = c.region_id
            WHERE {condition} {extra}
            """,  # noqa: S608 - our own words only
            (*parameters, *extra_parameters),
        )
        return {row["centre_id"]: _centre(row) for row in rows}

    def moments(self, person: Person, about: Filter) -> Sequence[Moment] | None:
        """When the incidents of the range began; None where that is more than `MOST_MOMENTS`."""
        condition, parameters = _about(person, about)
        rows = self._rows(
            f"""
            SELECT DATE_ADD(DATE(i.started_at), INTERVAL HOUR(i.started_at) * 60 + FLOOR(MINUTE(i.started_at) / 15) * 15
                    MINUTE) AS quarter, i.kind, m.number AS camera_number,
                CASE WHEN i.status = 'dismissed' THEN 0
                    WHEN i.status = 'reported' AND i.verdict = 'report' AND c.auto_report = 'on' THEN NULL
                    WHEN i.status IN ('reported', 'dispatched', 'closed') THEN 1 END AS confirmed,
                COUNT(*) AS incidents
            {_INCIDENTS} WHERE {condition} AND i.started_at >= %s
            GROUP BY quarter, i.kind, m.number, confirmed ORDER BY quarter LIMIT %s
            """,
            (*parameters, about.range.start, MOST_MOMENTS + 1),
        )
        if len(rows) > MOST_MOMENTS:
            return None
        return [
            Moment(
                row["quarter"] if row["quarter"].tzinfo else row["quarter"].replace(tzinfo=UTC),
                Kind(row["kind"]),
                row["camera_number"],
                None if row["confirmed"] is None else bool(row["confirmed"]),
                int(row["incidents"]),
            )
            for row in rows
        ]

    def numbered(self, person: Person, number: int, centres: Sequence[int]) -> Sequence[IncidentView]:
        """The incidents of that number, or that it was merged into: one for each centre that has it, at most ten."""
        condition, parameters = numbers_in_scope(person)
        if centres:
            condition += f" AND s.centre_id IN ({_marks(centres)})"
        rows = self._rows(
            f"""
            SELECT {_INCIDENT_COLUMNS}
            FROM incident s
            JOIN incident i ON i.incident_id = COALESCE(s.merged_into, s.incident_id)
            JOIN centre c ON c.centre_id = s.centre_id
            JOIN region r ON r.region_id = c.region_id
            JOIN camera m ON m.camera_id = i.camera_id
            WHERE {condition} AND s.number = %s ORDER BY c.name LIMIT 10
            """,  # noqa: S608 - our own words only
            (*parameters, *centres, number),
        )
        return [_incident(row) for row in rows]

    def begun(self, person: Person, centre_id: int, day: tuple[datetime, datetime]) -> Sequence[IncidentView]:
        """The incidents in scope that start in the span."""
        condition, parameters = incidents_in_scope(person)
        rows = self._rows(
            f"""
            SELECT {_INCIDENT_COLUMNS} {_INCIDENTS}
            WHERE {condition} AND i.centre_id = %s AND i.started_at >= %s AND i.started_at < %s
            ORDER BY i.started_at, i.number
            """,
            (*parameters, centre_id, *day),
        )
        return [_incident(row) for row in rows]

    def pictures(self, person: Person, incidents: Sequence[Ulid]) -> Sequence[Picture]:
        """The masked key frame of each incident's strongest finding, the annotated one where there is one."""
        if not incidents:
            return []
        condition, parameters = incidents_in_scope(person)
        annotated = EvidenceRole.KEY_FRAME_ANNOTATED_MASKED.value
        rows = self._rows(
            f"""
            SELECT e.evidence_id, i.incident_id, e.shown_at
            FROM incident i
            JOIN centre c ON c.centre_id = i.centre_id
            JOIN incident_finding x ON x.incident_id = i.incident_id
            JOIN finding f ON f.finding_id = x.finding_id
            JOIN evidence e ON e.finding_id = f.finding_id AND e.role IN ('key_frame_masked', %s)
                AND e.deleted_at IS NULL
            WHERE {condition} AND i.incident_id IN ({_marks(incidents)})
            ORDER BY f.confidence DESC, e.shown_at, e.role = %s DESC
            """,  # noqa: S608 - our own words only
            (annotated, *parameters, *(incident.value for incident in incidents), annotated),
        )
        best: dict[bytes, Picture] = {}
        for row in rows:
            picture = Picture(Ulid(row["evidence_id"]), Ulid(row["incident_id"]), row["shown_at"])
            best.setdefault(row["incident_id"], picture)
        return list(best.values())

    def _rows(self, statement: str, parameters: tuple[Any, ...]) -> list[dict[str, Any]]:
        def read(cursor: DictCursor) -> list[dict[str, Any]]:
            cursor.execute(statement, parameters)
            return list(cursor.fetchall())

        return self._database.run(read)


def _about(person: Person, about: Filter) -> tuple[str, tuple[Any, ...]]:
    condition, parameters = incidents_in_scope(person)
    extra, extra_parameters = _only(about)
    if about.kinds:
        extra += f" AND i.kind IN ({_marks(about.kinds)})"
        extra_parameters += tuple(kind.value for kind in about.kinds)
    start, end = about.range.start, about.range.end
    # an incident of one instant at the range's start is in it; one that ends there is not
    span = " AND i.started_at >= %s AND i.started_at < %s AND (i.ended_at > %s OR i.started_at >= %s)"
    return condition + extra + span, (*parameters, *extra_parameters, start - LONGEST_INCIDENT, end, start, start)


def _only(about: Filter) -> tuple[str, tuple[Any, ...]]:
    """Conditions on the centre ``c`` and the camera ``m``."""
    condition: str = ""
    parameters: tuple[Any, ...] = ()
    if about.centres:
        condition += f" AND c.centre_id IN ({_marks(about.centres)})"
        parameters += about.centres
    if about.cameras:
        condition += f" AND m.number IN ({_marks(about.cameras)})"
        parameters += about.cameras
    return condition, parameters


def _marks(values: Sequence[object]) -> str:
    return ", ".join(["%s"] * len(values))


def _centre(row: dict[str, Any]) -> CentreView:
    region = " ".join(row[part] for part in ("province", "district", "neighbourhood") if row[part])
    return CentreView(row["centre_id"], row["name"], region, row["time_zone"])


def _incident(row: dict[str, Any]) -> IncidentView:
    return IncidentView(
        id=Ulid(row["incident_id"]),
        centre=_centre(row),
        camera=row["camera_number"],
        number=row["number"],
        kind=Kind(row["kind"]),
        status=Status(row["status"]),
        started_at=row["started_at"],
        ended_at=row["ended_at"],
        confidence=row["confidence"],
        unverified=bool(row["unverified"]),
    )
