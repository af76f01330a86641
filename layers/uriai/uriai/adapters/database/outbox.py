"""SQL of the outbox and of those it is for."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pymysql.cursors import DictCursor

from uriai.domain.centre import Centre
from uriai.domain.person import Language
from uriai.domain.record import Trouble
from uriai.domain.telling import Audience, Hours, Medium, Occasion
from uriai.domain.ulid import Ulid
from uriai.service.ports.telling import (
    Channel,
    NewOutboxRow,
    Outbox,
    OutboxListing,
    OutboxState,
    Place,
    Recipient,
    UntoldHole,
    UntoldTrouble,
)

_CHANNEL = "ch.channel_id, ch.medium, ch.address, ch.quiet_from, ch.quiet_until, ch.digest_at"
# a region stands for everything below it: a district for its neighbourhoods
_AROUND = """
    around.province = r.province AND around.district IN ('', r.district)
    AND around.neighbourhood IN ('', r.neighbourhood)
"""
UNTOLD_HOLES = """
    SELECT CONCAT('hole:', HEX(h.hole_id)) AS about, h.began_at, h.ended_at, m.number, c.centre_id, c.name,
        c.time_zone, c.auto_report
    FROM coverage_hole h JOIN camera m ON m.camera_id = h.camera_id
    JOIN centre c ON c.centre_id = m.centre_id
    WHERE h.filled_at IS NULL AND h.split_from IS NULL AND h.found_at >= %s
        AND NOT EXISTS (
            SELECT 1 FROM outbox o
            WHERE o.about = CONVERT(CONCAT('hole:', HEX(h.hole_id)) USING ascii) COLLATE ascii_bin)
    ORDER BY h.found_at, h.hole_id LIMIT %s
"""
UNTOLD_TROUBLES = """
    SELECT t.*, c.centre_id, c.name, c.time_zone, c.auto_report
    FROM (
        SELECT 'gap' AS trouble, gateway_id, DATE(found_at) AS day, SUM(last_seq - first_seq + 1) AS records,
            MIN(found_at) AS since, MAX(found_at) AS until
        FROM sequence_gap WHERE filled_at IS NULL AND found_at >= %s GROUP BY gateway_id, DATE(found_at)
        UNION ALL
        SELECT 'order', gateway_id, DATE(flagged_at), COUNT(*), MIN(flagged_at), MAX(flagged_at)
        FROM record WHERE flagged_at >= %s GROUP BY gateway_id, DATE(flagged_at)
        UNION ALL
        SELECT 'clock', gateway_id, DATE(clock_wrong_since), 0, clock_wrong_since, NULL
        FROM gateway_watch WHERE clock_wrong_since IS NOT NULL
    ) t
    JOIN gateway g ON g.gateway_id = t.gateway_id JOIN centre c ON c.centre_id = g.centre_id
    WHERE g.revoked_at IS NULL AND NOT EXISTS (
        SELECT 1 FROM outbox o
        WHERE o.about = CONVERT(CONCAT(t.trouble, ':', t.gateway_id, ':', t.day + 0) USING ascii) COLLATE ascii_bin)
    ORDER BY t.since, t.gateway_id LIMIT %s
"""
_IN_CHARGE = {
    Audience.DIRECTOR: "EXISTS (SELECT 1 FROM person_centre m WHERE m.person_id = p.person_id AND m.centre_id = %s)",
    Audience.OPERATOR: "EXISTS (SELECT 1 FROM centre c WHERE c.centre_id = %s)",
}
_OF_REGION = f"""
    EXISTS (
        SELECT 1 FROM centre c JOIN region r ON r.region_id = c.region_id JOIN region around ON {_AROUND}
        JOIN person_region m ON m.region_id = around.region_id
        WHERE c.centre_id = %s AND m.person_id = p.person_id
    )
"""  # noqa: S608 - our own words only


class SqlOutbox(Outbox):
    """The outbox in MariaDB or MySQL, inside one transaction: what is not committed did not happen and is not told."""

    def __init__(self, cursor: DictCursor) -> None:
        self._cursor = cursor

    def recipients(self, audience: Audience, centre_id: int) -> Sequence[Recipient]:
        """Everybody of the audience in charge of the centre; of police stations the nearest one."""
        if audience is Audience.STATION:
            return self._station(centre_id)
        self._cursor.execute(
            f"""
            SELECT p.person_id AS id, p.name, COALESCE(ch.language, p.language) AS language, {_CHANNEL}
            FROM person p LEFT JOIN channel ch ON ch.person_id = p.person_id AND ch.removed_at IS NULL
            WHERE p.role = %s AND p.disabled_at IS NULL AND {_IN_CHARGE.get(audience, _OF_REGION)}
            ORDER BY p.person_id, ch.channel_id
            """,  # noqa: S608 - our own words only
            (audience.value, centre_id),
        )
        return _recipients("person", self._cursor.fetchall())

    def _station(self, centre_id: int) -> Sequence[Recipient]:
        """The station of the neighbourhood, else of the district, else of the province; one that can be told first."""
        self._cursor.execute(
            f"""
            SELECT s.police_station_id
            FROM centre c JOIN region r ON r.region_id = c.region_id JOIN region around ON {_AROUND}
            JOIN police_station s ON s.region_id = around.region_id
            WHERE c.centre_id = %s
            ORDER BY around.neighbourhood <> '' DESC, around.district <> '' DESC,
                EXISTS (SELECT 1 FROM channel ch WHERE ch.police_station_id = s.police_station_id
                    AND ch.removed_at IS NULL) DESC, s.police_station_id
            LIMIT 1
            """,  # noqa: S608 - our own words only
            (centre_id,),
        )
        row = self._cursor.fetchone()
        if row is None:
            return ()
        self._cursor.execute(
            f"""
            SELECT s.police_station_id AS id, s.name, COALESCE(ch.language, 'ko') AS language, {_CHANNEL}
            FROM police_station s
            LEFT JOIN channel ch ON ch.police_station_id = s.police_station_id AND ch.removed_at IS NULL
            WHERE s.police_station_id = %s ORDER BY ch.channel_id
            """,  # noqa: S608 - our own words only
            (row["police_station_id"],),
        )
        return _recipients("station", self._cursor.fetchall())

    def place(self, centre_id: int) -> Place:
        """Where the centre is."""
        self._cursor.execute(
            """
            SELECT TRIM(CONCAT(r.province, ' ', r.district, ' ', r.neighbourhood)) AS region, c.address, c.phone
            FROM centre c JOIN region r ON r.region_id = c.region_id WHERE c.centre_id = %s
            """,
            (centre_id,),
        )
        row = self._cursor.fetchone()
        if row is None:
            raise LookupError(f"there is no centre {centre_id}")
        return Place(row["region"], row["address"], row["phone"])

    def withheld(self, incident_id: Ulid) -> bool:
        """Whether the incident is hidden from the centre's director."""
        self._cursor.execute("SELECT withhold_from_director FROM incident WHERE incident_id = %s", (incident_id.value,))
        row = self._cursor.fetchone()
        return row is not None and bool(row["withhold_from_director"])

    def untold_holes(self, found_since: datetime, limit: int) -> Sequence[UntoldHole]:
        """Holes on file that nobody was told of."""
        self._cursor.execute(UNTOLD_HOLES, (found_since, limit))
        return [
            UntoldHole(
                row["about"],
                _centre(row),
                row["number"],
                row["began_at"],
                row["ended_at"],
            )
            for row in self._cursor.fetchall()
        ]

    def untold_troubles(self, found_since: datetime, limit: int) -> Sequence[UntoldTrouble]:
        """What is wrong with records and nobody was told of."""
        self._cursor.execute(UNTOLD_TROUBLES, (found_since, found_since, limit))
        return [
            UntoldTrouble(
                f"{row['trouble']}:{row['gateway_id']}:{row['day']:%Y%m%d}",
                _centre(row),
                row["gateway_id"],
                Trouble(row["trouble"]),
                int(row["records"]),
                row["since"],
                row["until"],
            )
            for row in self._cursor.fetchall()
        ]

    def add(self, row: NewOutboxRow, now: datetime) -> None:
        """Keep a row, once."""
        state = OutboxState.WAITING if row.channel else OutboxState.FAILED
        self._cursor.execute(
            """
            INSERT INTO outbox (outbox_id, about, occasion, recipient, medium, repetition, incident_id, centre_id,
                channel_id, subject, body, state, reason, due_at, created_at, updated_at)
            VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
            ON DUPLICATE KEY UPDATE outbox_id = outbox_id
            """,
            (
                row.id.value,
                row.about,
                row.occasion.value,
                row.recipient,
                row.channel.medium.value if row.channel else "none",
                row.repetition,
                row.incident_id.value if row.incident_id else None,
                row.centre_id,
                row.channel.id if row.channel else None,
                row.subject,
                row.body,
                state.value,
                row.reason,
                row.due_at,
                now,
                now,
            ),
        )

    def listing(self, states: Sequence[OutboxState], limit: int) -> Sequence[OutboxListing]:
        """Rows in these states, the latest first."""
        self._cursor.execute(
            """
            SELECT o.outbox_id, c.name AS centre, i.number, o.occasion, COALESCE(s.name, p.name, '') AS name, o.medium,
                o.repetition, o.state, o.reason, o.subject, o.due_at, o.updated_at
            FROM outbox o
            JOIN centre c ON c.centre_id = o.centre_id
            LEFT JOIN incident i ON i.incident_id = o.incident_id
            LEFT JOIN channel ch ON ch.channel_id = o.channel_id
            LEFT JOIN person p ON p.person_id = ch.person_id
            LEFT JOIN police_station s ON s.police_station_id = ch.police_station_id
            WHERE o.state IN %s ORDER BY o.created_at DESC, o.outbox_id DESC LIMIT %s
            """,
            ([state.value for state in states], limit),
        )
        return [
            OutboxListing(
                Ulid(bytes(row["outbox_id"])),
                row["centre"],
                row["number"],
                Occasion(row["occasion"]),
                row["name"],
                None if row["medium"] == "none" else Medium(row["medium"]),
                row["repetition"],
                OutboxState(row["state"]),
                row["reason"],
                row["subject"],
                row["due_at"],
                row["updated_at"],
            )
            for row in self._cursor.fetchall()
        ]

    def retry(self, row_id: Ulid, now: datetime) -> bool:
        """Make a failed row due again; a new message, because the old one's receipt says that it was refused."""
        return bool(
            self._cursor.execute(
                """
                UPDATE outbox SET state = 'waiting', reason = '', message_id = NULL, due_at = %s, updated_at = %s
                WHERE outbox_id = %s AND state = 'failed' AND channel_id IS NOT NULL
                """,
                (now, now, row_id.value),
            )
        )


def channels_of(cursor: DictCursor, person_id: int) -> tuple[Channel, ...]:
    """How a person is reached who is not disabled."""
    cursor.execute(
        f"""
        SELECT COALESCE(ch.language, p.language) AS language, {_CHANNEL}
        FROM person p JOIN channel ch ON ch.person_id = p.person_id AND ch.removed_at IS NULL
        WHERE p.person_id = %s AND p.disabled_at IS NULL ORDER BY ch.channel_id
        """,  # noqa: S608 - our own words only
        (person_id,),
    )
    return tuple(_channel(row) for row in cursor.fetchall())


def _recipients(prefix: str, rows: Sequence[dict[str, Any]]) -> list[Recipient]:
    """Rows of an outer join with channels, ordered by recipient, as recipients."""
    found: dict[int, Recipient] = {}
    for row in rows:
        known = found.get(row["id"], Recipient(f"{prefix}:{row['id']}", row["name"], ()))
        channels = known.channels if row["channel_id"] is None else (*known.channels, _channel(row))
        found[row["id"]] = Recipient(known.key, known.name, channels)
    return list(found.values())


def _centre(row: dict[str, Any]) -> Centre:
    return Centre(row["centre_id"], row["name"], row["time_zone"], row["auto_report"] == "on")


def _channel(row: dict[str, Any]) -> Channel:
    return Channel(
        row["channel_id"],
        Medium(row["medium"]),
        row["address"],
        Language(row["language"]),
        Hours(row["quiet_from"], row["quiet_until"], row["digest_at"]),
    )
