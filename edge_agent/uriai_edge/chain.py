"""The chain of records on the disk: numbers, links and signatures are given inside one SQLite transaction.

Because a record's number is read and its row written in the same transaction, two records never get one number,
whatever threads, processes and crashes do. WAL with synchronous=FULL makes a committed record survive a power cut.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from nacl.signing import SigningKey

from uriai_edge import ulid
from uriai_edge.disk import sync_folder
from uriai_edge.evidence import AGENT, FIRST_PREV, Manifest, RecordType, digest, sign
from uriai_edge.register import COLUMNS, DATABASE, SCHEMA, SCHEMA_VERSION, Record, SpoolError, read_record

Checkpoint = Callable[[str], None]
"""Called with the name of each step of writing as it is reached; the crash tests end the process there."""


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
        self._database = sqlite3.connect(folder / DATABASE, timeout=30, isolation_level=None, check_same_thread=False)
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
                self._reach("before_commit")
                self._database.execute("COMMIT")
            except BaseException:
                if self._database.in_transaction:
                    self._database.execute("ROLLBACK")
                raise
        self._reach("committed")

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Result of a reading query."""
        with self._lock:
            return self._database.execute(query).fetchall()

    def append(self, database: sqlite3.Connection, new: NewRecord) -> Record:
        """Number, link, sign and store a record; ``database`` is the caller's open `transaction`."""
        last = database.execute("SELECT seq, manifest FROM records ORDER BY seq DESC LIMIT 1").fetchone()
        seq, prev = (1, FIRST_PREV) if last is None else (last[0] + 1, digest(last[1]))
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

    def _prepare(self) -> None:
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = FULL")
        public_key = self._key.verify_key.encode().hex()
        with self.transaction() as database:
            version = database.execute("PRAGMA user_version").fetchone()[0]
            if version == 0:
                for statement in SCHEMA.split(";\n"):
                    database.execute(statement)
                database.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
                database.execute("INSERT INTO meta VALUES ('gateway', ?)", (self._gateway,))
                database.execute("INSERT INTO meta VALUES ('public_key', ?)", (public_key,))
            elif version != SCHEMA_VERSION:
                raise SpoolError(f"spool {self._folder}: was written by another version of the agent ({version})")
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
