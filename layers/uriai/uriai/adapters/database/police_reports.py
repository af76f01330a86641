"""SQL of reports to police stations."""

from __future__ import annotations

from datetime import datetime

from pymysql.cursors import DictCursor

from uriai.domain.ulid import Ulid
from uriai.service.ports.telling import PoliceReports, PoliceReportStatus


class SqlPoliceReports(PoliceReports):
    """Reports in MariaDB or MySQL, inside one transaction."""

    def __init__(self, cursor: DictCursor) -> None:
        self._cursor = cursor

    def add(self, incident_id: Ulid, station: int | None, now: datetime) -> None:
        """Keep a report ``before_dispatch``, once."""
        self._cursor.execute(
            """
            INSERT INTO police_report (incident_id, police_station_id, status, reported_at, updated_at)
            VALUES (%s, %s, %s, %s, %s)
            ON DUPLICATE KEY UPDATE incident_id = incident_id
            """,
            (incident_id.value, station, PoliceReportStatus.BEFORE_DISPATCH.value, now, now),
        )

    def move(self, incident_id: Ulid, status: PoliceReportStatus, now: datetime) -> None:
        """Set how far the police are."""
        self._cursor.execute(
            "UPDATE police_report SET status = %s, updated_at = %s WHERE incident_id = %s",
            (status.value, now, incident_id.value),
        )
