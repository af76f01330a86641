"""Schema migrations: numbered SQL files, applied in order, once, by one caller at a time."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import cast

import pymysql

from uriai.adapters.database.connection import Connection

_FILE_NAME = re.compile(r"(?P<number>[0-9]{4})_(?P<name>[a-z0-9_]+)\.sql")
_LOCK = "uriai.migrate"
_LOCK_WAIT_S = 60
_LEDGER = """
CREATE TABLE IF NOT EXISTS schema_migration (
    number INT UNSIGNED NOT NULL PRIMARY KEY,
    name VARCHAR(120) NOT NULL,
    sha256 CHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    statements INT UNSIGNED NOT NULL,
    statements_done INT UNSIGNED NOT NULL DEFAULT 0,
    started_at DATETIME(6) NOT NULL,
    finished_at DATETIME(6) NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_ci
"""


class MigrationError(Exception):
    """The schema cannot be brought up to date; the message names the file, the statement and the remedy."""


class ChangedMigrationError(MigrationError):
    """A file that was already applied has other bytes now."""


class FailedStatementError(MigrationError):
    """The server refused a statement. What came before it in the file stays applied: DDL cannot be rolled back."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One file ``NNNN_name.sql``; ``sha256`` is of its bytes, hex."""

    number: int
    name: str
    sha256: str
    statements: tuple[str, ...]

    @property
    def label(self) -> str:
        """``0001_initial``."""
        return f"{self.number:04d}_{self.name}"


@dataclass(frozen=True, slots=True)
class Outcome:
    """``applied``: labels of the files applied by this call; ``version``: number of the last one applied by anybody."""

    applied: tuple[str, ...]
    version: int


def shipped_migrations() -> tuple[Migration, ...]:
    """The files beside this module, in order."""
    folder = files("uriai.adapters.database").joinpath("migrations")
    entries = [entry for entry in folder.iterdir() if entry.name.endswith(".sql")]
    return read_migrations({entry.name: entry.read_bytes() for entry in entries})


def read_migrations(contents: dict[str, bytes]) -> tuple[Migration, ...]:
    """Parse files given as name -> bytes.

    Raises
    ------
    MigrationError
        If a name has another form, or the numbers are not 1, 2, 3, … without a gap.
    """
    migrations = []
    for file_name in sorted(contents):
        match = _FILE_NAME.fullmatch(file_name)
        if match is None:
            raise MigrationError(f"{file_name}: a migration is named NNNN_name.sql, for example 0002_add_digest.sql")
        data = contents[file_name]
        migrations.append(
            Migration(
                number=int(match["number"]),
                name=match["name"],
                sha256=hashlib.sha256(data).hexdigest(),
                statements=tuple(split_statements(data.decode("utf-8"))),
            )
        )
    numbers = [migration.number for migration in migrations]
    if numbers != list(range(1, len(numbers) + 1)):
        raise MigrationError(f"migrations are numbered {numbers}: they have to be 1, 2, 3, … without gap or repetition")
    return tuple(migrations)


def migrate(connection: Connection, migrations: Sequence[Migration] | None = None) -> Outcome:
    """Apply what has not been applied yet. A second caller waits for the first and then finds nothing to do.

    A file that failed half way is resumed at the statement that failed once the cause is mended; the file itself must
    not change before its failed statement.

    Raises
    ------
    MigrationError
        If another migration runs for more than a minute, or the database is newer than these files.
    ChangedMigrationError
        If an applied file has changed.
    FailedStatementError
        If the server refuses a statement.
    """
    wanted = shipped_migrations() if migrations is None else tuple(migrations)
    with connection.cursor() as cursor:
        cursor.execute("SELECT GET_LOCK(%s, %s) AS got", (_LOCK, _LOCK_WAIT_S))
        row = cursor.fetchone()
        if not row or row["got"] != 1:
            raise MigrationError(
                f"another migration has held the lock {_LOCK!r} for more than {_LOCK_WAIT_S} s: wait for it, or see "
                "SHOW PROCESSLIST for a session that hangs"
            )
        try:
            cursor.execute(_LEDGER)
            return _apply(connection, wanted)
        finally:
            cursor.execute("SELECT RELEASE_LOCK(%s)", (_LOCK,))


def _apply(connection: Connection, wanted: tuple[Migration, ...]) -> Outcome:
    ledger = _ledger(connection)
    newest = max(ledger, default=0)
    if newest > len(wanted):
        raise MigrationError(
            f"the database is at version {newest}, this code knows {len(wanted)}: deploy the newer code"
        )
    for migration in wanted:
        row = ledger.get(migration.number)
        if row is not None and row["finished_at"] is not None and row["sha256"] != migration.sha256:
            raise ChangedMigrationError(
                f"{migration.label}.sql was applied with other bytes (SHA-256 {row['sha256']}, now "
                f"{migration.sha256}): restore it and put the change into a new file"
            )
    applied = []
    for migration in wanted:
        row = ledger.get(migration.number)
        if row is not None and row["finished_at"] is not None:
            continue
        _apply_one(connection, migration, done=cast("int", row["statements_done"]) if row else None)
        applied.append(migration.label)
    return Outcome(tuple(applied), len(wanted))


def _apply_one(connection: Connection, migration: Migration, *, done: int | None) -> None:
    with connection.cursor() as cursor:
        if done is None:
            cursor.execute(
                "INSERT INTO schema_migration (number, name, sha256, statements, started_at) "
                "VALUES (%s, %s, %s, %s, UTC_TIMESTAMP(6))",
                (migration.number, migration.name, migration.sha256, len(migration.statements)),
            )
        else:
            cursor.execute(
                "UPDATE schema_migration SET sha256 = %s, statements = %s WHERE number = %s",
                (migration.sha256, len(migration.statements), migration.number),
            )
        for position, statement in enumerate(migration.statements, start=1):
            if done is not None and position <= done:
                continue
            try:
                cursor.execute(statement)
            except pymysql.MySQLError as error:
                raise FailedStatementError(
                    f"{migration.label}.sql, statement {position} of {len(migration.statements)}: {error.args} in "
                    f"{_first_words(statement)!r}; the {position - 1} before it are applied. Mend the cause and run "
                    "the migration again: it goes on from this statement"
                ) from error
            cursor.execute(
                "UPDATE schema_migration SET statements_done = %s WHERE number = %s", (position, migration.number)
            )
        cursor.execute(
            "UPDATE schema_migration SET finished_at = UTC_TIMESTAMP(6) WHERE number = %s", (migration.number,)
        )


def _ledger(connection: Connection) -> dict[int, dict[str, object]]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT number, sha256, statements_done, finished_at FROM schema_migration ORDER BY number")
        return {row["number"]: row for row in cursor.fetchall()}


def _first_words(statement: str) -> str:
    return " ".join(statement.split())[:160]


_TOKEN = re.compile(
    r"""
    (?P<comment>--(?=\s|$)[^\n]*|\#[^\n]*|/\*.*?\*/)
    |(?P<quoted>'(?:[^'\\]|\\.|'')*'|"(?:[^"\\]|\\.|"")*"|`[^`]*`)
    |(?P<end>;)
    |(?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)


def split_statements(sql: str) -> Iterator[str]:
    """Split SQL text at its semicolons, leaving out comments; those inside quotes stay."""
    parts: list[str] = []
    for token in _TOKEN.finditer(sql):
        if token["comment"] is not None:
            parts.append(" ")
        elif token["end"] is not None:
            statement = "".join(parts).strip()
            parts = []
            if statement:
                yield statement
        else:
            parts.append(token[0])
    rest = "".join(parts).strip()
    if rest:
        yield rest
