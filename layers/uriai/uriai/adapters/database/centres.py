"""SQL of regions, centres and the cameras that people enter."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pymysql.cursors import DictCursor

from uriai.adapters.database.evidence import SqlAudit
from uriai.adapters.database.scope import centres_in_scope
from uriai.domain.centre import Camera, Centre, no_such_centre
from uriai.domain.person import Person
from uriai.domain.retention import LEAST_DAYS, MOST_DAYS


class CentreNotFoundError(Exception):
    """No centre, or more than one, has that name."""


@dataclass(frozen=True, slots=True)
class CentreListing:
    """One line of `uriai centres list`."""

    id: int
    name: str
    region: str
    address: str
    phone: str
    time_zone: str
    auto_report: bool
    retention_days: int
    gateways: int
    cameras: int


@dataclass(frozen=True, slots=True)
class NewCentre:
    """What is entered of a centre; the region is 시도, 시군구 and 동 (the last may be empty)."""

    name: str
    province: str
    district: str
    neighbourhood: str = ""
    address: str = ""
    phone: str = ""
    time_zone: str = "Asia/Seoul"
    auto_report: bool = False


def ensure_region(cursor: DictCursor, province: str, district: str, neighbourhood: str = "") -> int:
    """The region's id; it is made if there is none."""
    cursor.execute(
        """
        INSERT INTO region (province, district, neighbourhood) VALUES (%s, %s, %s)
        ON DUPLICATE KEY UPDATE region_id = LAST_INSERT_ID(region_id)
        """,
        (province, district, neighbourhood),
    )
    return int(cursor.lastrowid)


def add_centre(cursor: DictCursor, centre: NewCentre, now: datetime) -> int:
    """Add a centre, or give the one of the same region, name and address what was entered; its id."""
    region_id = ensure_region(cursor, centre.province, centre.district, centre.neighbourhood)
    cursor.execute(
        """
        INSERT INTO centre (region_id, name, address, phone, time_zone, auto_report, created_at)
        VALUES (%s, %s, %s, %s, %s, %s, %s)
        ON DUPLICATE KEY UPDATE centre_id = LAST_INSERT_ID(centre_id), phone = VALUES(phone),
            time_zone = VALUES(time_zone), auto_report = VALUES(auto_report)
        """,
        (
            region_id,
            centre.name,
            centre.address,
            centre.phone,
            centre.time_zone,
            "on" if centre.auto_report else "confirm",
            now,
        ),
    )
    return int(cursor.lastrowid)


@dataclass(frozen=True, slots=True)
class Imported:
    """How many centres an import has added, and of how many it has changed the phone."""

    added: int
    changed: int


def import_centres(cursor: DictCursor, centres: Sequence[NewCentre], actor: str, now: datetime) -> Imported:
    """Enter centres of a register, each once; of those that are there only the phone is brought up to date.

    Zone and reporting of a centre are its people's to decide, and no register knows them.
    """
    regions = sorted({(one.province, one.district, one.neighbourhood) for one in centres})
    cursor.executemany(
        "INSERT INTO region (province, district, neighbourhood) VALUES (%s, %s, %s) "
        "ON DUPLICATE KEY UPDATE region_id = region_id",
        regions,
    )
    cursor.execute(
        "SELECT region_id, province, district, neighbourhood FROM region "
        "WHERE (province, district, neighbourhood) IN %s",
        (tuple(regions),),
    )
    ids = {(row["province"], row["district"], row["neighbourhood"]): row["region_id"] for row in cursor.fetchall()}
    rows = [
        (ids[one.province, one.district, one.neighbourhood], one.name, one.address, one.phone, one.time_zone, now)
        for one in centres
    ]
    cursor.execute("SELECT COUNT(*) AS centres FROM centre")
    before = int((cursor.fetchone() or {})["centres"])
    # an inserted row counts once, a changed one twice, one that is as it was not at all
    affected = cursor.executemany(
        "INSERT INTO centre (region_id, name, address, phone, time_zone, created_at) VALUES (%s, %s, %s, %s, %s, %s) "
        "ON DUPLICATE KEY UPDATE phone = VALUES(phone)",
        rows,
    )
    cursor.execute("SELECT COUNT(*) AS centres FROM centre")
    added = int((cursor.fetchone() or {})["centres"]) - before
    done = Imported(added, ((affected or 0) - added) // 2)
    if added or done.changed:
        detail = json.dumps({"added": added, "changed": done.changed})
        cursor.execute(
            "INSERT INTO audit (at, actor, action, subject, detail) VALUES (%s, %s, 'centres.imported', 'centres', %s)",
            (now, actor[:80], detail),
        )
    return done


def find_centre(cursor: DictCursor, name: str, person: Person | None = None) -> int:
    """The id of the centre of that exact name, of all or of those in a person's scope.

    Raises
    ------
    CentreNotFoundError
        If there is none, or there are several (in different regions).
    """
    scope, parameters = centres_in_scope(person) if person else ("TRUE", ())
    cursor.execute(
        f"""
        SELECT c.centre_id, r.province, r.district, r.neighbourhood
        FROM centre c JOIN region r ON r.region_id = c.region_id WHERE c.name = %s AND {scope} ORDER BY c.centre_id
        """,  # noqa: S608 - our own words only
        (name, *parameters),
    )
    rows = cursor.fetchall()
    if not rows:
        raise CentreNotFoundError(no_such_centre(name))
    if len(rows) > 1:
        where = "; ".join(f"{row['centre_id']}: {_region_name(row)}" for row in rows)
        raise CentreNotFoundError(f"several centres are called {name} ({where}): give the number instead of the name")
    return int(rows[0]["centre_id"])


def centre_of(cursor: DictCursor, name_or_id: str, person: Person | None = None) -> int:
    """The id of the centre that was named by its exact name or its number, of all or of those in a person's scope.

    Raises
    ------
    CentreNotFoundError
        If there is no such centre, or the name is not its alone.
    """
    if name_or_id.isascii() and name_or_id.isdigit():
        scope, parameters = centres_in_scope(person) if person else ("TRUE", ())
        cursor.execute(
            f"SELECT c.centre_id FROM centre c WHERE c.centre_id = %s AND {scope}",  # noqa: S608 - our own words only
            (int(name_or_id), *parameters),
        )
        if cursor.fetchone() is not None:
            return int(name_or_id)
    return find_centre(cursor, name_or_id, person)


def read_centre(cursor: DictCursor, centre_id: int) -> Centre:
    """The centre of that id.

    Raises
    ------
    CentreNotFoundError
        If there is none.
    """
    cursor.execute("SELECT centre_id, name, time_zone, auto_report FROM centre WHERE centre_id = %s", (centre_id,))
    row = cursor.fetchone()
    if row is None:
        raise CentreNotFoundError(f"there is no centre {centre_id}: see `uriai centres list`")
    return Centre(row["centre_id"], row["name"], row["time_zone"], row["auto_report"] == "on")


def set_retention(cursor: DictCursor, centre_id: int, days: int, actor: str, reason: str, now: datetime) -> int:
    """Let a centre's clips be kept for so many days from their arrival, those that are there too; what it was before.

    Raises
    ------
    CentreNotFoundError
        If there is no such centre.
    ValueError
        If the law asks for more days, or they are more than anybody may keep, or there is no reason.
    """
    if not LEAST_DAYS <= days <= MOST_DAYS:
        raise ValueError(f"{days} days cannot be: give {LEAST_DAYS}, which the law asks for, to {MOST_DAYS}")
    if not reason.strip():
        raise ValueError("a change needs a reason: it is what a later reader has to go by")
    cursor.execute("SELECT name, retention_days FROM centre WHERE centre_id = %s FOR UPDATE", (centre_id,))
    row = cursor.fetchone()
    if row is None:
        raise CentreNotFoundError(no_such_centre(str(centre_id)))
    cursor.execute("UPDATE centre SET retention_days = %s WHERE centre_id = %s", (days, centre_id))
    before = int(row["retention_days"])
    detail = {"centre": row["name"], "before": before, "days": days, "reason": reason}
    SqlAudit(cursor).add(now, actor, "centre.retention_set", f"centre:{centre_id}", detail)
    return before


def cameras_of(cursor: DictCursor, centre_id: int | None = None) -> tuple[Camera, ...]:
    """The cameras of a centre, or of all, by centre, number and gateway."""
    cursor.execute(
        """
        SELECT camera_id, centre_id, gateway_id, number, registered FROM camera
        WHERE %s IS NULL OR centre_id = %s ORDER BY centre_id, number, gateway_id
        """,
        (centre_id, centre_id),
    )
    return tuple(
        Camera(row["camera_id"], row["centre_id"], row["gateway_id"], row["number"], bool(row["registered"]))
        for row in cursor.fetchall()
    )


def list_centres(cursor: DictCursor) -> tuple[CentreListing, ...]:
    """Every centre, by region and name."""
    cursor.execute(
        """
        SELECT c.centre_id, c.name, r.province, r.district, r.neighbourhood, c.address, c.phone, c.time_zone,
               c.auto_report, c.retention_days,
               (SELECT COUNT(*) FROM gateway g WHERE g.centre_id = c.centre_id) AS gateways,
               (SELECT COUNT(*) FROM camera m WHERE m.centre_id = c.centre_id) AS cameras
        FROM centre c JOIN region r ON r.region_id = c.region_id
        ORDER BY r.province, r.district, r.neighbourhood, c.name
        """
    )
    return tuple(
        CentreListing(
            row["centre_id"],
            row["name"],
            _region_name(row),
            row["address"],
            row["phone"],
            row["time_zone"],
            row["auto_report"] == "on",
            row["retention_days"],
            row["gateways"],
            row["cameras"],
        )
        for row in cursor.fetchall()
    )


def add_camera(cursor: DictCursor, gateway_id: str, number: int, name: str, now: datetime) -> int:
    """Enter a camera of a gateway, also one that a gateway sent before anybody entered it; its id.

    Raises
    ------
    CentreNotFoundError
        If there is no such gateway.
    """
    cursor.execute("SELECT centre_id FROM gateway WHERE gateway_id = %s", (gateway_id,))
    row = cursor.fetchone()
    if row is None:
        raise CentreNotFoundError(f"there is no gateway {gateway_id}: add it with `uriai gateways add`")
    cursor.execute(
        """
        INSERT INTO camera (centre_id, gateway_id, number, name, registered, created_at)
        VALUES (%s, %s, %s, %s, TRUE, %s)
        ON DUPLICATE KEY UPDATE camera_id = LAST_INSERT_ID(camera_id), name = VALUES(name), registered = TRUE
        """,
        (row["centre_id"], gateway_id, number, name, now),
    )
    return int(cursor.lastrowid)


def _region_name(row: dict[str, object]) -> str:
    return " ".join(str(row[part]) for part in ("province", "district", "neighbourhood") if row[part])
