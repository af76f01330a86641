"""The register of a spool: its SQLite tables, its rows as dataclasses, and a reader that never writes."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from uriai_edge.evidence import Manifest

SCHEMA_VERSION = 2
DATABASE = "spool.sqlite3"
SCHEMA = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE records (
    seq         INTEGER PRIMARY KEY,
    type        TEXT    NOT NULL,
    camera      INTEGER,
    ulid        TEXT    NOT NULL UNIQUE,
    manifest    BLOB    NOT NULL,
    signature   BLOB    NOT NULL,
    path        TEXT,                     -- of the attached file, below the spool's folder
    size        INTEGER NOT NULL,         -- of the attached file, bytes; 0 without one
    state       TEXT    NOT NULL CHECK (state IN ('closed', 'uploading', 'uploaded', 'failed')),
    attempts    INTEGER NOT NULL DEFAULT 0,
    reason      TEXT,                     -- why the last attempt failed
    closed_at   TEXT    NOT NULL,
    uploaded_at TEXT,
    removed_at  TEXT                      -- when the uploaded file was removed here to make room
) STRICT;
CREATE TABLE recordings (                 -- clips being written
    ulid       TEXT    PRIMARY KEY,
    camera     INTEGER NOT NULL,
    started_at TEXT    NOT NULL,
    monotonic  REAL    NOT NULL,
    detail     TEXT    NOT NULL
) STRICT;
CREATE INDEX records_by_state ON records (state, seq);
"""
UPGRADES = {
    1: """
ALTER TABLE records ADD COLUMN dropped_by INTEGER;
DROP INDEX records_by_state;
CREATE INDEX records_by_state ON records (state, type, seq);
CREATE INDEX records_by_type ON records (type, seq);
CREATE INDEX records_on_disk ON records (state, seq, size) WHERE path IS NOT NULL AND removed_at IS NULL;
"""
}
"""What brings a register from each older version to the next one; a new register takes all of these steps.

``dropped_by`` is the number of the drop record that gave up this record's clip.
"""


class SpoolError(Exception):
    """A spool that cannot be used; the message names the folder, what is wrong and the remedy."""


class State(StrEnum):
    """How far a record has come."""

    CLOSED = "closed"
    UPLOADING = "uploading"
    UPLOADED = "uploaded"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Recording:
    """A clip that is being written: the file at ``path`` belongs to it until `Spool.close_clip`."""

    ulid: str
    camera: int
    started_at: datetime
    monotonic_s: float
    detail: Mapping[str, Any]
    path: Path


@dataclass(frozen=True, slots=True)
class Record:
    """One record of the chain as stored.

    ``removed``: its file was removed here, after S3 confirmed it or, if ``dropped``, because a drop record gave it up.
    ``attempts``: uploads that failed on this record's own file, not those that the network refused altogether.
    """

    seq: int
    manifest: bytes
    signature: bytes
    path: Path | None
    size: int
    state: State
    attempts: int
    reason: str | None
    removed: bool
    dropped: bool

    def read(self) -> Manifest:
        """The manifest's content."""
        return Manifest.from_bytes(self.manifest)


COLUMNS = "seq, manifest, signature, path, size, state, attempts, reason, removed_at, dropped_by"
"""What `read_record` needs, in its order."""


def read_record(row: tuple[Any, ...], folder: Path) -> Record:
    """A row of COLUMNS as a `Record` of the spool in ``folder``."""
    seq, manifest, signature, path, size, state, attempts, reason, removed_at, dropped_by = row
    return Record(
        seq=seq,
        manifest=manifest,
        signature=signature,
        path=None if path is None else folder / path,
        size=size,
        state=State(state),
        attempts=attempts,
        reason=reason,
        removed=removed_at is not None,
        dropped=dropped_by is not None,
    )


def read_recording(row: tuple[Any, ...], folder: Path) -> Recording:
    """A row ``ulid, camera, started_at, monotonic, detail`` as a `Recording`."""
    name, camera, started_at, monotonic, detail = row
    instant = datetime.fromisoformat(started_at)
    return Recording(name, camera, instant, monotonic, json.loads(detail), partial_path(folder, name))


def now_text() -> str:
    """This instant as the register keeps it."""
    return datetime.now(UTC).isoformat()


def write_anchor(seq: int, sha256: str) -> str:
    """What the register's ``meta`` keeps of the last record that was pruned."""
    return f"{seq} {sha256}"


def read_anchor(text: str) -> tuple[int, str]:
    """Number and manifest's SHA-256 out of `write_anchor`'s text."""
    seq, sha256 = text.split()
    return int(seq), sha256


def partial_path(folder: Path, name: str) -> Path:
    """Where the clip ``name`` is while it is written."""
    return folder / "partial" / f"{name}.mp4"


def final_path(folder: Path, recording: Recording) -> Path:
    """Where a clip is once it is whole."""
    day = recording.started_at.astimezone(UTC).date().isoformat()
    return folder / "clips" / str(recording.camera) / day / f"{recording.ulid}.mp4"


class SpoolReader:
    """Reads the register beside a running agent, without its key and without changing anything."""

    def __init__(self, folder: Path) -> None:
        """Read the spool in ``folder``.

        Raises
        ------
        SpoolError
            If there is none.
        """
        if not (folder / DATABASE).is_file():
            raise SpoolError(f"{folder}: is no spool yet; the agent makes it when it first runs")
        self.folder = folder

    def _rows(self, query: str) -> list[tuple[Any, ...]]:
        try:
            with closing(sqlite3.connect(f"file:{self.folder / DATABASE}?mode=ro", uri=True, timeout=30)) as database:
                return database.execute(query).fetchall()
        except sqlite3.Error as error:
            raise SpoolError(f"spool {self.folder}: cannot be read: {error}") from error

    def anchor(self) -> tuple[int, str] | None:
        """Number and manifest's SHA-256 of the last record that was pruned here, or None: all are here."""
        rows = self._rows("SELECT value FROM meta WHERE name = 'anchor'")
        return read_anchor(rows[0][0]) if rows else None

    def records(self) -> list[Record]:
        """All records in the order of their numbers."""
        rows = self._rows(f"SELECT {COLUMNS} FROM records ORDER BY seq")  # noqa: S608
        return [read_record(row, self.folder) for row in rows]

    def counts(self) -> dict[State, int]:
        """How many records are in each state."""
        rows = dict(self._rows("SELECT state, COUNT(*) FROM records GROUP BY state"))
        return {state: rows.get(state.value, 0) for state in State}

    def troubles(self) -> list[tuple[int, State, str]]:
        """Number, state and reason of records whose last attempt failed, newest first, at most 20."""
        rows = self._rows(
            "SELECT seq, state, reason FROM records WHERE reason IS NOT NULL AND state <> 'uploaded' "
            "ORDER BY seq DESC LIMIT 20"
        )
        return [(seq, State(state), reason) for seq, state, reason in rows]

    def oldest_waiting(self) -> datetime | None:
        """When the oldest record that is not uploaded was closed, or None."""
        rows = self._rows("SELECT MIN(closed_at) FROM records WHERE state <> 'uploaded'")
        return datetime.fromisoformat(rows[0][0]) if rows[0][0] is not None else None

    def clip_bytes(self) -> int:
        """What registered clips take on the disk."""
        rows = self._rows("SELECT COALESCE(SUM(size), 0) FROM records WHERE path IS NOT NULL AND removed_at IS NULL")
        return int(rows[0][0])
