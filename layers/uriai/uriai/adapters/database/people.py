"""SQL of people, their tokens, codes and chats."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import pymysql
from pymysql.constants import ER
from pymysql.cursors import DictCursor

from uriai.adapters.database.connection import Database
from uriai.domain.person import Language, Person, Platform
from uriai.domain.words import Role
from uriai.service.ports.chat import NewPerson, People, PersonExistsError, PersonListing

_PERSON = "p.person_id, p.name, p.role, p.language"
_SHOWN = 190
"""Characters of a platform's user id that fit; a longer one is no user of any platform."""


def person_from(row: Mapping[str, Any]) -> Person:
    """The person of a row with person_id, name, role and language."""
    return Person(row["person_id"], row["name"], Role(row["role"]), Language(row["language"]))


class SqlPeople(People):
    """People in MariaDB or MySQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, new: NewPerson, actor: str, now: datetime) -> Person:
        """Enter somebody with their centres and regions."""

        def work(cursor: DictCursor) -> Person:
            cursor.execute(
                "INSERT INTO person (name, role, language, created_at) VALUES (%s, %s, %s, %s)",
                (new.name, new.role.value, new.language.value, now),
            )
            person = Person(int(cursor.lastrowid), new.name, new.role, new.language)
            cursor.executemany(
                "INSERT INTO person_centre (person_id, centre_id) VALUES (%s, %s)",
                [(person.id, centre) for centre in dict.fromkeys(new.centres)],
            )
            cursor.executemany(
                "INSERT INTO person_region (person_id, region_id) VALUES (%s, %s)",
                [(person.id, region) for region in dict.fromkeys(new.regions)],
            )
            scope = {"role": new.role.value, "centres": list(new.centres), "regions": list(new.regions)}
            _audit(cursor, now, actor, "person.added", person, scope)
            return person

        try:
            return self._database.run(work)
        except pymysql.err.IntegrityError as error:
            if error.args[0] != ER.DUP_ENTRY:
                raise
            raise PersonExistsError(f"there is already a person called {new.name}: choose another name") from error

    def named(self, name: str) -> Person | None:
        """The person of that name who is not disabled."""
        return self._one(f"SELECT {_PERSON} FROM person p WHERE p.name = %s AND p.disabled_at IS NULL", (name,))  # noqa: S608

    def listing(self) -> Sequence[PersonListing]:
        """Everybody, by name, the disabled too."""

        def work(cursor: DictCursor) -> list[PersonListing]:
            cursor.execute(
                f"""
                SELECT {_PERSON}, p.disabled_at, (SELECT COUNT(*) FROM person_token t WHERE t.person_id = p.person_id
                    AND t.revoked_at IS NULL) AS tokens FROM person p ORDER BY p.name
                """  # noqa: S608 - our own words only
            )
            people = list(cursor.fetchall())
            centres = _grouped(
                cursor,
                """
                SELECT s.person_id, c.name
                FROM person_centre s JOIN centre c ON c.centre_id = s.centre_id ORDER BY c.name
                """,
            )
            regions = _grouped(
                cursor,
                """
                SELECT s.person_id, TRIM(CONCAT(r.province, ' ', r.district, ' ', r.neighbourhood)) AS name
                FROM person_region s JOIN region r ON r.region_id = s.region_id ORDER BY name
                """,
            )
            chats = _grouped(cursor, "SELECT person_id, platform AS name FROM chat_identity ORDER BY platform")
            return [
                PersonListing(
                    person_from(row),
                    centres.get(row["person_id"], ()),
                    regions.get(row["person_id"], ()),
                    chats.get(row["person_id"], ()),
                    row["tokens"],
                    row["disabled_at"],
                )
                for row in people
            ]

        return self._database.run(work)

    def disable(self, person: Person, actor: str, now: datetime) -> None:
        """Take all rights away; every reading of a token, code, chat or link asks whether its person is disabled."""

        def work(cursor: DictCursor) -> None:
            cursor.execute(
                "UPDATE person SET disabled_at = %s WHERE person_id = %s AND disabled_at IS NULL", (now, person.id)
            )
            _audit(cursor, now, actor, "person.disabled", person, {})

        self._database.run(work)

    def add_token(self, person: Person, token_hash: bytes, actor: str, now: datetime) -> None:
        """Give a new bearer token; the older ones are revoked."""

        def work(cursor: DictCursor) -> None:
            cursor.execute(
                """
                UPDATE person_token SET revoked_at = %s
                WHERE person_id = %s AND revoked_at IS NULL AND token_hash <> %s
                """,
                (now, person.id, token_hash),
            )
            cursor.execute(
                """
                INSERT INTO person_token (token_hash, person_id, created_at) VALUES (%s, %s, %s)
                ON DUPLICATE KEY UPDATE token_hash = token_hash
                """,
                (token_hash, person.id, now),
            )
            _audit(cursor, now, actor, "person.token_given", person, {})

        self._database.run(work)

    def by_token(self, token_hash: bytes) -> Person | None:
        """Whose token it is; None if it is unknown or revoked or the person is disabled."""
        return self._one(
            f"""
            SELECT {_PERSON} FROM person_token t JOIN person p ON p.person_id = t.person_id
            WHERE t.token_hash = %s AND t.revoked_at IS NULL AND p.disabled_at IS NULL
            """,  # noqa: S608 - our own words only
            (token_hash,),
        )

    def add_code(self, person: Person, code_hash: bytes, expires_at: datetime, actor: str, now: datetime) -> None:
        """Give a one-time enrolment code; the older unused ones end now."""

        def work(cursor: DictCursor) -> None:
            cursor.execute(
                """
                UPDATE enrolment_code SET expires_at = %s
                WHERE person_id = %s AND used_at IS NULL AND expires_at > %s AND code_hash <> %s
                """,
                (now, person.id, now, code_hash),
            )
            cursor.execute(
                """
                INSERT INTO enrolment_code (code_hash, person_id, expires_at) VALUES (%s, %s, %s)
                ON DUPLICATE KEY UPDATE code_hash = code_hash
                """,
                (code_hash, person.id, expires_at),
            )
            _audit(cursor, now, actor, "person.code_given", person, {"expires_at": expires_at.isoformat()})

        self._database.run(work)

    def use_code(self, code_hash: bytes, platform: Platform, platform_user: str, now: datetime) -> Person | None:
        """Bind a chat to the person of an unused code that has not expired, once."""

        def work(cursor: DictCursor) -> Person | None:
            won = cursor.execute(
                """
                UPDATE enrolment_code e JOIN person p ON p.person_id = e.person_id SET e.used_at = %s
                WHERE e.code_hash = %s AND e.used_at IS NULL AND e.expires_at > %s AND p.disabled_at IS NULL
                """,
                (now, code_hash, now),
            )
            if not won:
                return _bound_before(cursor, code_hash, platform, platform_user)
            cursor.execute(
                f"""
                SELECT {_PERSON} FROM enrolment_code e JOIN person p ON p.person_id = e.person_id
                WHERE e.code_hash = %s
                """,  # noqa: S608 - our own words only
                (code_hash,),
            )
            person = person_from(cursor.fetchone() or {})
            cursor.execute(
                """
                INSERT INTO chat_identity (platform, platform_user, person_id, created_at) VALUES (%s, %s, %s, %s)
                ON DUPLICATE KEY UPDATE person_id = VALUES(person_id), created_at = VALUES(created_at)
                """,
                (platform.value, platform_user, person.id, now),
            )
            _audit(cursor, now, person.name, "person.chat_enrolled", person, {"platform": platform.value})
            return person

        return None if len(platform_user) > _SHOWN else self._database.run(work)

    def by_chat(self, platform: Platform, platform_user: str) -> Person | None:
        """Who writes from that chat; None if nobody enrolled it or the person is disabled."""
        # a longer id is refused and not cut: cut, it could be somebody else's
        return (
            None
            if len(platform_user) > _SHOWN
            else self._one(
                f"""
            SELECT {_PERSON} FROM chat_identity i JOIN person p ON p.person_id = i.person_id
            WHERE i.platform = %s AND i.platform_user = %s AND p.disabled_at IS NULL
            """,  # noqa: S608 - our own words only
                (platform.value, platform_user),
            )
        )

    def _one(self, statement: str, parameters: tuple[object, ...]) -> Person | None:
        def work(cursor: DictCursor) -> Person | None:
            cursor.execute(statement, parameters)
            row = cursor.fetchone()
            return None if row is None else person_from(row)

        return self._database.run(work)


def _bound_before(cursor: DictCursor, code_hash: bytes, platform: Platform, platform_user: str) -> Person | None:
    """Whom a used code has bound this very chat to: platforms deliver again, and that is not somebody else's try."""
    cursor.execute(
        f"""
        SELECT {_PERSON} FROM enrolment_code e JOIN person p ON p.person_id = e.person_id
        JOIN chat_identity i ON i.person_id = p.person_id AND i.platform = %s AND i.platform_user = %s
            AND i.created_at = e.used_at
        WHERE e.code_hash = %s AND p.disabled_at IS NULL
        """,  # noqa: S608 - our own words only
        (platform.value, platform_user, code_hash),
    )
    row = cursor.fetchone()
    return None if row is None else person_from(row)


def find_region(database: Database, name: str) -> int | None:
    """The region of that full name ("경기도 수원시 영통동", "서울특별시 강남구"); None if there is none.

    It stands for all below it. A province or district is made here if only places below it were entered, so that it
    can be given to somebody.
    """
    wanted = " ".join(name.split())

    def work(cursor: DictCursor) -> int | None:
        for parts in ("province, ' ', district, ' ', neighbourhood", "province, ' ', district", "province"):
            cursor.execute(
                f"SELECT region_id, province, district, neighbourhood FROM region "  # noqa: S608 - our own words only
                f"WHERE TRIM(CONCAT({parts})) = %s ORDER BY neighbourhood, district LIMIT 1",
                (wanted,),
            )
            row = cursor.fetchone()
            if row is None:
                continue
            if parts.endswith("neighbourhood"):
                return int(row["region_id"])
            district = row["district"] if "district" in parts else ""
            cursor.execute(
                """
                INSERT INTO region (province, district, neighbourhood) VALUES (%s, %s, '')
                ON DUPLICATE KEY UPDATE region_id = LAST_INSERT_ID(region_id)
                """,
                (row["province"], district),
            )
            return int(cursor.lastrowid)
        return None

    return database.run(work)


def _grouped(cursor: DictCursor, statement: str) -> dict[int, tuple[str, ...]]:
    cursor.execute(statement)
    found: dict[int, tuple[str, ...]] = {}
    for row in cursor.fetchall():
        found[row["person_id"]] = (*found.get(row["person_id"], ()), row["name"])
    return found


def _audit(
    cursor: DictCursor, now: datetime, actor: str, action: str, person: Person, detail: Mapping[str, object]
) -> None:
    cursor.execute(
        "INSERT INTO audit (at, person_id, actor, action, subject, detail) VALUES (%s, %s, %s, %s, %s, %s)",
        (now, person.id, actor[:80], action, f"person {person.id}", json.dumps(dict(detail), ensure_ascii=False)),
    )
