"""SQL of police stations and of how people and stations are reached."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime

from pymysql.cursors import DictCursor

from uriai.domain.person import Language
from uriai.domain.telling import Hours, Medium


class StationNotFoundError(Exception):
    """No police station, or more than one, has that name."""


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose channel it is: a person's or a police station's."""

    id: int
    name: str
    is_station: bool

    @property
    def column(self) -> str:
        """The column of ``channel`` that holds the id."""
        return "police_station_id" if self.is_station else "person_id"


@dataclass(frozen=True, slots=True)
class StationListing:
    """One line of `uriai stations list`."""

    id: int
    name: str
    region: str
    phone: str
    media: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ChannelListing:
    """One line of `uriai channels list`."""

    owner: str
    is_station: bool
    medium: Medium
    address: str
    language: Language | None
    hours: Hours


def add_station(cursor: DictCursor, name: str, region_id: int, phone: str) -> int:
    """Enter a police station in charge of a region and all below it, or change its phone; its id."""
    cursor.execute(
        """
        INSERT INTO police_station (region_id, name, phone) VALUES (%s, %s, %s)
        ON DUPLICATE KEY UPDATE police_station_id = LAST_INSERT_ID(police_station_id), phone = VALUES(phone)
        """,
        (region_id, name, phone),
    )
    return int(cursor.lastrowid)


def list_stations(cursor: DictCursor) -> tuple[StationListing, ...]:
    """Every police station, by region and name."""
    cursor.execute(
        """
        SELECT s.police_station_id, s.name, s.phone,
            TRIM(CONCAT(r.province, ' ', r.district, ' ', r.neighbourhood)) AS region,
            (SELECT GROUP_CONCAT(ch.medium ORDER BY ch.medium) FROM channel ch
                WHERE ch.police_station_id = s.police_station_id AND ch.removed_at IS NULL) AS media
        FROM police_station s JOIN region r ON r.region_id = s.region_id
        ORDER BY r.province, r.district, r.neighbourhood, s.name
        """
    )
    return tuple(
        StationListing(
            row["police_station_id"],
            row["name"],
            " ".join(row["region"].split()),
            row["phone"],
            tuple(str(row["media"]).split(",")) if row["media"] else (),
        )
        for row in cursor.fetchall()
    )


def station_named(cursor: DictCursor, name_or_id: str) -> Owner:
    """The police station that a person named by its exact name or its number.

    Raises
    ------
    StationNotFoundError
        If there is none, or several are called so.
    """
    number = int(name_or_id) if name_or_id.isascii() and name_or_id.isdigit() else 0
    cursor.execute(
        "SELECT police_station_id, name FROM police_station WHERE name = %s OR police_station_id = %s",
        (name_or_id, number),
    )
    rows = cursor.fetchall()
    if not rows:
        raise StationNotFoundError(f"there is no police station {name_or_id}: see `uriai stations list`")
    if len(rows) > 1:
        raise StationNotFoundError(f"several police stations are called {name_or_id}: give the number instead")
    return Owner(rows[0]["police_station_id"], rows[0]["name"], is_station=True)


def set_channel(
    cursor: DictCursor,
    owner: Owner,
    medium: Medium,
    address: str,
    hours: Hours,
    language: Language | None,
    actor: str,
    now: datetime,
) -> None:
    """Reach somebody by that medium at that address from now on; what waits to be sent goes there too."""
    cursor.execute(
        f"""
        INSERT INTO channel ({owner.column}, medium, address, language, quiet_from, quiet_until, digest_at, created_at)
        VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
        ON DUPLICATE KEY UPDATE address = VALUES(address), language = VALUES(language),
            quiet_from = VALUES(quiet_from), quiet_until = VALUES(quiet_until), digest_at = VALUES(digest_at),
            removed_at = NULL
        """,  # noqa: S608 - our own column's name
        (
            owner.id,
            medium.value,
            address,
            language.value if language else None,
            hours.quiet_from,
            hours.quiet_until,
            hours.digest_at,
            now,
        ),
    )
    _audit(cursor, "channel.set", owner, medium, actor, now)


def remove_channel(cursor: DictCursor, owner: Owner, medium: Medium, actor: str, now: datetime) -> bool:
    """Reach somebody by that medium no more; whether they were."""
    removed = cursor.execute(
        f"UPDATE channel SET removed_at = %s WHERE {owner.column} = %s AND medium = %s AND removed_at IS NULL",  # noqa: S608
        (now, owner.id, medium.value),
    )
    if removed:
        _audit(cursor, "channel.removed", owner, medium, actor, now)
    return bool(removed)


def list_channels(cursor: DictCursor) -> tuple[ChannelListing, ...]:
    """Every channel in use, stations first, by name."""
    cursor.execute(
        """
        SELECT COALESCE(s.name, p.name) AS owner, s.name IS NOT NULL AS is_station, ch.medium, ch.address, ch.language,
            ch.quiet_from, ch.quiet_until, ch.digest_at
        FROM channel ch LEFT JOIN person p ON p.person_id = ch.person_id
        LEFT JOIN police_station s ON s.police_station_id = ch.police_station_id
        WHERE ch.removed_at IS NULL ORDER BY is_station DESC, owner, ch.medium
        """
    )
    return tuple(
        ChannelListing(
            row["owner"],
            bool(row["is_station"]),
            Medium(row["medium"]),
            row["address"],
            Language(row["language"]) if row["language"] else None,
            Hours(row["quiet_from"], row["quiet_until"], row["digest_at"]),
        )
        for row in cursor.fetchall()
    )


def _audit(cursor: DictCursor, action: str, owner: Owner, medium: Medium, actor: str, now: datetime) -> None:
    """Who changed it; the address is personal data and not in the audit."""
    subject = f"{'station' if owner.is_station else 'person'} {owner.id}"
    cursor.execute(
        "INSERT INTO audit (at, actor, action, subject, detail) VALUES (%s, %s, %s, %s, %s)",
        (now, actor[:80], action, subject, json.dumps({"medium": medium.value})),
    )
