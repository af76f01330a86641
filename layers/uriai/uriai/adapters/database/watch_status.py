"""SQL of what `watch` and `records` have on file: silent gateways, dark cameras, missing numbers, flagged records."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from pymysql.cursors import DictCursor


@dataclass(frozen=True, slots=True)
class GatewayTrouble:
    """A gateway in force that is silent or whose clock is wrong; ``since`` is when that began."""

    centre: str
    gateway: str
    since: datetime
    clock_offset_s: float | None


@dataclass(frozen=True, slots=True)
class OpenHole:
    """A camera of a gateway in force that records nothing known since ``since``."""

    centre: str
    gateway: str
    camera: int
    since: datetime
    cause: str


@dataclass(frozen=True, slots=True)
class MissingNumbers:
    """Records of a gateway that did not come, both ends included."""

    gateway: str
    first_seq: int
    last_seq: int
    found_at: datetime


@dataclass(frozen=True, slots=True)
class FlaggedRecord:
    """A record that cannot be vouched for or stands wrongly in its chain."""

    object_key: str
    outcome: str
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class WatchStatus:
    """What stands now; of holes, gaps and flagged records the last ones are named and all are counted.

    ``never_recorded``: cameras that people entered and that no record has named yet.
    """

    silent_gateways: tuple[GatewayTrouble, ...]
    wrong_clocks: tuple[GatewayTrouble, ...]
    dark_cameras: int
    last_dark: tuple[OpenHole, ...]
    never_recorded: int
    sequence_gaps: int
    last_gaps: tuple[MissingNumbers, ...]
    flagged_records: dict[str, int]
    last_flagged_records: tuple[FlaggedRecord, ...]


# named one by one: what is not "present" would be looked for among all records there are
_FLAGGED = "('reordered', 'forked', 'broken_link', 'bad_signature', 'missing', 'malformed')"
_TROUBLES = """
    SELECT c.name AS centre, w.gateway_id AS gateway, w.{since} AS since, w.clock_offset_s
    FROM gateway_watch w JOIN gateway g ON g.gateway_id = w.gateway_id JOIN centre c ON c.centre_id = g.centre_id
    WHERE w.{since} IS NOT NULL AND g.revoked_at IS NULL ORDER BY w.{since} DESC
"""
_OPEN_HOLES = """
    FROM coverage_hole h JOIN camera m ON m.camera_id = h.camera_id JOIN gateway g ON g.gateway_id = m.gateway_id
    JOIN centre c ON c.centre_id = m.centre_id
    WHERE h.filled_at IS NULL AND h.ended_at IS NULL AND g.revoked_at IS NULL
"""


def watch_status(cursor: DictCursor, *, last: int = 5) -> WatchStatus:
    """Look at everything that is on file and not over."""
    cursor.execute(f"SELECT COUNT(*) AS n {_OPEN_HOLES}")
    dark = (cursor.fetchone() or {"n": 0})["n"]
    cursor.execute(
        f"""
        SELECT c.name AS centre, m.gateway_id AS gateway, m.number AS camera, h.began_at AS since, h.cause
        {_OPEN_HOLES} ORDER BY h.began_at DESC, m.number LIMIT %s
        """,
        (last,),
    )
    holes = tuple(OpenHole(**row) for row in cursor.fetchall())
    cursor.execute(
        """
        SELECT COUNT(*) AS n FROM camera m FORCE INDEX (camera_unheard)
        STRAIGHT_JOIN gateway g ON g.gateway_id = m.gateway_id
        WHERE m.heard_at IS NULL AND m.registered = TRUE AND g.revoked_at IS NULL
        """
    )
    never = (cursor.fetchone() or {"n": 0})["n"]
    cursor.execute("SELECT COUNT(*) AS n FROM sequence_gap WHERE filled_at IS NULL")
    gaps = (cursor.fetchone() or {"n": 0})["n"]
    cursor.execute(
        """
        SELECT gateway_id AS gateway, first_seq, last_seq, found_at FROM sequence_gap
        WHERE filled_at IS NULL ORDER BY found_at DESC LIMIT %s
        """,
        (last,),
    )
    missing = tuple(MissingNumbers(**row) for row in cursor.fetchall())
    cursor.execute(
        f"SELECT outcome, COUNT(*) AS n FROM record WHERE outcome IN {_FLAGGED} GROUP BY outcome ORDER BY outcome"  # noqa: S608 - our own words only
    )
    flagged = {row["outcome"]: row["n"] for row in cursor.fetchall()}
    cursor.execute(
        f"""
        SELECT object_key, outcome, COALESCE(reason, '') AS reason, received_at AS at FROM record
        WHERE outcome IN {_FLAGGED} ORDER BY received_at DESC LIMIT %s
        """,  # noqa: S608 - our own words only
        (last,),
    )
    records = tuple(FlaggedRecord(**row) for row in cursor.fetchall())
    return WatchStatus(
        silent_gateways=_troubles(cursor, "silent_since"),
        wrong_clocks=_troubles(cursor, "clock_wrong_since"),
        dark_cameras=dark,
        last_dark=holes,
        never_recorded=never,
        sequence_gaps=gaps,
        last_gaps=missing,
        flagged_records=flagged,
        last_flagged_records=records,
    )


def _troubles(cursor: DictCursor, since: str) -> tuple[GatewayTrouble, ...]:
    cursor.execute(_TROUBLES.format(since=since))
    return tuple(GatewayTrouble(**row) for row in cursor.fetchall())
