"""The chain of records on the disk: numbers, links and signatures are given inside one SQLite transaction.

Because a record's number is read and its row written in the same transaction, two records never get one number,
whatever threads, processes and crashes do. WAL with synchronous=FULL makes a committed record survive a power cut.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from nacl.signing import SigningKey

from uriai_edge import ulid
from uriai_edge.disk import sync_folder
from uriai_edge.evidence import AGENT, FIRST_PREV, Manifest, RecordType, digest, sign
from uriai_edge.register import (
    COLUMNS,
    DATABASE,
    SCHEMA,
    SCHEMA_VERSION,
    UPGRADES,
    Record,
    SpoolError,
    read_anchor,
    read_record,
)
from uriai_edge.steps import Checkpoint, Step

_BUSY_S = 30.0  # how long another program's work on the register is waited for
_CACHED_KIB = 256  # of the register, in memory


@dataclass(frozen=True, slots=True)
class NewRecord:
    """What goes into a record besides its place in the chain. ``file`` lies below the spool's folder; None: no file."""

    type: RecordType
    camera: int | None
    started_at: datetime
    ended_at: datetime
    monotonic_s: float
    detail: Mapping[str, Any]
    file: Path | None = None
    sha256: str | None = None
    size: int | None = None
    ulid: str = field(default_factory=ulid.new)


class Chain:
    """The register of one gateway's records, open for writing. Threads may share it.

    Other processes may have it too.
    """

    def __init__(self, folder: Path, gateway: str, key: SigningKey, checkpoint: Checkpoint) -> None:
        """Open or make the register in ``folder``.

        Raises
        ------
        SpoolError
            If it belongs to another gateway, key or version.
        OSError, sqlite3.Error
            If it cannot be opened.
        """
        self._folder = folder
        self._gateway = gateway
        self._key = key
        self._reach = checkpoint
        self._lock = threading.RLock()
        self._database = sqlite3.connect(
            folder / DATABASE, timeout=_BUSY_S, isolation_level=None, check_same_thread=False
        )
        self._prepare()

    def close(self) -> None:
        """Let go of the register."""
        with self._lock:
            self._database.close()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All of it durable at the end of the block, or nothing."""
        with self._lock:
            self._database.execute("BEGIN IMMEDIATE")
            try:
                yield self._database
                self._reach(Step.BEFORE_COMMIT)
                self._database.execute("COMMIT")
            except BaseException:
                if self._database.in_transaction:
                    self._database.execute("ROLLBACK")
                raise
        self._reach(Step.COMMITTED)

    def rows(self, query: str, values: tuple[object, ...] = ()) -> list[tuple[Any, ...]]:
        """Result of a reading query."""
        with self._lock:
            return self._database.execute(query, values).fetchall()

    def append(self, database: sqlite3.Connection, new: NewRecord) -> Record:
        """Number, link, sign and store a record; ``database`` is the caller's open `transaction`."""
        last = database.execute("SELECT seq, manifest FROM records ORDER BY seq DESC LIMIT 1").fetchone()
        seq, prev = self._after_pruned(database) if last is None else (last[0] + 1, digest(last[1]))
        manifest = Manifest(
            gateway=self._gateway,
            seq=seq,
            type=new.type,
            camera=new.camera,
            ulid=new.ulid,
            sha256=new.sha256,
            size=new.size,
            started_at=new.started_at.astimezone(UTC),
            ended_at=new.ended_at.astimezone(UTC),
            monotonic=new.monotonic_s,
            agent=AGENT,
            prev=prev,
            detail=dict(new.detail),
        ).to_bytes()
        path = None if new.file is None else str(new.file.relative_to(self._folder))
        database.execute(
            "INSERT INTO records (seq, type, camera, ulid, manifest, signature, path, size, state, closed_at) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'closed', ?)",
            (
                seq,
                new.type.value,
                new.camera,
                new.ulid,
                manifest,
                sign(self._key, manifest),
                path,
                new.size or 0,
                datetime.now(UTC).isoformat(),
            ),
        )
        row = database.execute(f"SELECT {COLUMNS} FROM records WHERE seq = ?", (seq,)).fetchone()  # noqa: S608
        return read_record(row, self._folder)

    @staticmethod
    def _after_pruned(database: sqlite3.Connection) -> tuple[int, str]:
        row = database.execute("SELECT value FROM meta WHERE name = 'anchor'").fetchone()
        if row is None:
            return 1, FIRST_PREV
        seq, sha256 = read_anchor(row[0])
        return seq + 1, sha256

    def _use_wal(self) -> None:
        # Going over to WAL needs the file for oneself, and SQLite does not wait for that as it does for locks: two
        # programs that make the register at the same instant would refuse each other.
        deadline_s = time.monotonic() + _BUSY_S
        while True:
            try:
                self._database.execute("PRAGMA journal_mode = WAL")
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline_s:
                    raise
                time.sleep(0.05)
            else:
                return

    def _prepare(self) -> None:
        self._use_wal()
        self._database.execute("PRAGMA synchronous = FULL")
        # Left to itself SQLite keeps 2 MB of the register in memory, and filling them looks like a leak for hours. What
        # is read again and again are its end and its indexes.
        self._database.execute(f"PRAGMA cache_size = -{_CACHED_KIB}")
        public_key = self._key.verify_key.encode().hex()
        with self.transaction() as database:
            version = database.execute("PRAGMA user_version").fetchone()[0]
            if version > SCHEMA_VERSION:
                raise SpoolError(
                    f"spool {self._folder}: was written by a newer agent (version {version} of its register, "
                    f"this agent knows {SCHEMA_VERSION}); install that agent again"
                )
            if version == 0:
                _execute(database, SCHEMA)
                database.execute("INSERT INTO meta VALUES ('gateway', ?)", (self._gateway,))
                database.execute("INSERT INTO meta VALUES ('public_key', ?)", (public_key,))
                version = 1
            for step in range(version, SCHEMA_VERSION):
                _execute(database, UPGRADES[step])
            database.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
            meta = dict(database.execute("SELECT name, value FROM meta").fetchall())
        if meta["gateway"] != self._gateway:
            raise SpoolError(
                f"spool {self._folder}: belongs to gateway {meta['gateway']}, not {self._gateway}; "
                "give each gateway a folder of its own"
            )
        if meta["public_key"] != public_key:
            raise SpoolError(
                f"spool {self._folder}: its records were signed with another key; put the old key_file back, or give "
                "the new key a new gateway name and folder"
            )
        sync_folder(self._folder)


def _execute(database: sqlite3.Connection, script: str) -> None:
    """Run statements inside the open transaction, which ``executescript`` would commit."""
    for statement in script.split(";\n"):
        if statement.strip():
            database.execute(statement)
