"""Where clips wait on the disk, and the register of all records: nothing that was closed is ever lost.

The order of writing is the invariant: file, fsync, rename, fsync of the folders, then one SQLite transaction that gives
the record its number, links it to the one before, signs it and stores it. A crash anywhere leaves either the record, or
a file that `recover` finds through its row in ``recordings``, which is there before anything is written into the file.
"""

from __future__ import annotations

import json
import logging
import os
import sqlite3
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any

from nacl.signing import SigningKey

from uriai_edge import ulid
from uriai_edge.chain import Chain, Checkpoint, NewRecord
from uriai_edge.disk import is_locked, make_folder, make_locked, size_of, sync_folder
from uriai_edge.evidence import RecordType, file_digest
from uriai_edge.logs import trouble
from uriai_edge.mp4 import Mp4Error, mend, read_facts
from uriai_edge.register import (
    COLUMNS,
    Record,
    Recording,
    SpoolError,
    State,
    final_path,
    partial_path,
    read_record,
    read_recording,
)

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Recovery:
    """What a start found of a crash: clips completed, clips mended, files kept aside."""

    completed: int
    mended: int
    aside: int


class Spool:
    """One gateway's spool. Threads may share it; several processes may have it open at once."""

    def __init__(
        self, folder: Path, gateway: str, key: SigningKey, checkpoint: Checkpoint = lambda _name: None
    ) -> None:
        """Open or make the spool in ``folder`` for ``gateway``, whose records ``key`` signs.

        Raises
        ------
        SpoolError
            If the folder or its register cannot be used, or belongs to another gateway or key.
        """
        self.folder = folder
        self._reach = checkpoint
        self._lock = threading.RLock()
        self._held: dict[str, int] = {}  # descriptors that hold the locks of recordings
        self._drops: list[NewRecord] = []
        try:
            for name in ("partial", "clips", "aside"):
                (folder / name).mkdir(parents=True, exist_ok=True)
            self._chain = Chain(folder, gateway, key, checkpoint)
        except (OSError, sqlite3.Error) as error:
            raise SpoolError(f"spool {folder}: cannot be used: {error}") from error

    def __enter__(self) -> Spool:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the register."""
        self._chain.close()

    # -- clips ------------------------------------------------------------------------------------------------------

    def open_clip(
        self, camera: int, started_at: datetime, monotonic_s: float, detail: Mapping[str, Any], name: str | None = None
    ) -> Recording:
        """Make and announce an empty clip, for the caller to write into; ``name`` is its ULID (default: a new one).

        The file is locked while this process lives, so that another process's `recover` leaves it alone.

        Raises
        ------
        OSError, sqlite3.Error
            If the disk does not take it: there is no clip then.
        """
        name = name or ulid.new(started_at)
        recording = Recording(name, camera, started_at, monotonic_s, dict(detail), partial_path(self.folder, name))
        descriptor = make_locked(recording.path)
        with self._lock:
            self._held[name] = descriptor
        self._reach("file_made")
        try:
            sync_folder(recording.path.parent)
            with self._chain.transaction() as database:
                database.execute(
                    "INSERT INTO recordings (ulid, camera, started_at, monotonic, detail) VALUES (?, ?, ?, ?, ?)",
                    (name, camera, started_at.isoformat(), monotonic_s, json.dumps(dict(detail))),
                )
        except (OSError, sqlite3.Error):
            recording.path.unlink(missing_ok=True)
            self.release(recording)
            raise
        return recording

    def close_clip(self, recording: Recording, duration_s: float, detail: Mapping[str, Any] | None = None) -> Record:
        """Turn a finished, fsynced file into a record of the chain; ``detail`` is added to the recording's.

        Raises
        ------
        OSError, sqlite3.Error
            If the disk does not take it: the file stays, and `recover` tries again.
        """
        self._reach("file_synced")
        final = final_path(self.folder, recording)
        make_folder(final.parent)
        self._reach("folder_made")
        recording.path.rename(final)
        self._reach("renamed")
        sync_folder(final.parent)
        sync_folder(recording.path.parent)
        self._reach("folders_synced")
        record = self._register(recording, final, duration_s, detail or {})
        self.release(recording)
        return record

    def release(self, recording: Recording) -> None:
        """Give up a recording's lock: `recover` may complete it."""
        with self._lock:
            descriptor = self._held.pop(recording.ulid, None)
        if descriptor is not None:
            os.close(descriptor)

    def forget_clip(self, recording: Recording) -> None:
        """Take back an announced clip of which nothing was written."""
        with self._chain.transaction() as database:
            database.execute("DELETE FROM recordings WHERE ulid = ?", (recording.ulid,))
        recording.path.unlink(missing_ok=True)
        self.release(recording)

    def add_record(self, new: NewRecord) -> Record:
        """Add a record without a file (coverage, drop) to the chain."""
        with self._chain.transaction() as database:
            return self._chain.append(database, new)

    def report_drop(self, drop: NewRecord) -> None:
        """Report a clip that could not be kept. While even this cannot be written, it waits in memory."""
        with self._lock:
            self._drops.append(drop)
            try:
                while self._drops:
                    self.add_record(self._drops[0])
                    self._drops.pop(0)
            except (OSError, sqlite3.Error) as error:
                trouble(log, "a drop cannot be recorded yet", camera=drop.camera, why=str(error))

    # -- uploads ----------------------------------------------------------------------------------------------------

    def claim_next(self) -> Record | None:
        """Take the most urgent record that waits, the newest, and mark it as being uploaded; None when none waits."""
        with self._chain.transaction() as database:
            row = database.execute(
                f"SELECT {COLUMNS} FROM records WHERE state = 'closed' ORDER BY seq DESC LIMIT 1"  # noqa: S608
            ).fetchone()
            if row is None:
                return None
            database.execute("UPDATE records SET state = 'uploading' WHERE seq = ?", (row[0],))
        return read_record(row, self.folder)

    def mark(self, seq: int, state: State, reason: str | None = None) -> None:
        """Note how an upload ended: uploaded, closed (waits for another attempt) or failed (needs a person)."""
        now = _now() if state is State.UPLOADED else None
        with self._chain.transaction() as database:
            database.execute(
                "UPDATE records SET state = ?, reason = ?, attempts = attempts + 1, uploaded_at = ? WHERE seq = ?",
                (state.value, reason, now, seq),
            )
        self._reach(f"marked_{state.value}")

    def waiting(self) -> int:
        """How many records are not uploaded yet and not failed."""
        return self._number("SELECT COUNT(*) FROM records WHERE state IN ('closed', 'uploading')")

    # -- room -------------------------------------------------------------------------------------------------------

    def used_bytes(self) -> int:
        """What clips take on the disk, those being written included."""
        closed = self._number(
            "SELECT COALESCE(SUM(size), 0) FROM records WHERE path IS NOT NULL AND removed_at IS NULL"
        )
        return closed + sum(size_of(file) for file in (self.folder / "partial").iterdir())

    def make_room(self, needed_bytes: int, max_bytes: int, min_free_bytes: int) -> bool:
        """Remove uploaded clips, oldest first, until ``needed_bytes`` more fit; whether they do. Others stay."""
        while True:
            too_much = self.used_bytes() + needed_bytes > max_bytes
            if not too_much and self.free_bytes() - needed_bytes >= min_free_bytes:
                return True
            if not self._remove_oldest_uploaded():
                return False

    def free_bytes(self) -> int:
        """What the spool's disk still takes from this user."""
        facts = os.statvfs(self.folder)
        return facts.f_bavail * facts.f_frsize

    def _remove_oldest_uploaded(self) -> bool:
        rows = self._chain.rows(
            "SELECT seq, path FROM records WHERE state = 'uploaded' AND path IS NOT NULL AND removed_at IS NULL "
            "ORDER BY seq LIMIT 1"
        )
        if not rows:
            return False
        seq, path = rows[0]
        (self.folder / path).unlink(missing_ok=True)
        with self._chain.transaction() as database:
            database.execute("UPDATE records SET removed_at = ? WHERE seq = ?", (_now(), seq))
        log.info("removed an uploaded clip to make room", extra={"seq": seq})
        return True

    # -- reading ----------------------------------------------------------------------------------------------------

    def counts(self) -> dict[State, int]:
        """How many records are in each state."""
        rows = self._chain.rows("SELECT state, COUNT(*) FROM records GROUP BY state")
        return {state: dict(rows).get(state.value, 0) for state in State}

    # -- recovery ---------------------------------------------------------------------------------------------------

    def recover(self, *, at_start: bool = True) -> Recovery:
        """Bring what a crash or a full disk left into order: complete, mend, or keep aside and report.

        ``at_start``: also put interrupted and failed uploads back in line.
        """
        if at_start:
            with self._chain.transaction() as database:
                database.execute("UPDATE records SET state = 'closed' WHERE state IN ('uploading', 'failed')")
        outcomes = [self._recover_one(recording) for recording in self._recordings() if not self._lives(recording)]
        strays = self._strays() if at_start else []
        for stray in strays:
            self._put_aside(stray, "a file nobody announced")
        return Recovery(outcomes.count("completed"), outcomes.count("mended"), outcomes.count("aside") + len(strays))

    def _lives(self, recording: Recording) -> bool:
        return is_locked(recording.path) or is_locked(final_path(self.folder, recording))

    def _recover_one(self, recording: Recording) -> str:
        final = final_path(self.folder, recording)
        if final.exists():
            sync_folder(final.parent)
            self._register(recording, final, _seconds_of(final), {"recovered": True})
            return "completed"
        try:
            facts = mend(recording.path)
        except (Mp4Error, FileNotFoundError) as error:
            self._put_aside(recording.path, str(error))
            drop = NewRecord(
                RecordType.DROP,
                recording.camera,
                recording.started_at,
                recording.started_at,
                recording.monotonic_s,
                {"reason": "crash", "clips": 1, "seqs": [], "ulid": recording.ulid},
            )
            with self._chain.transaction() as database:
                self._chain.append(database, drop)
                database.execute("DELETE FROM recordings WHERE ulid = ?", (recording.ulid,))
            return "aside"
        self.close_clip(recording, facts.duration_s, {"recovered": True})
        return "mended"

    def _recordings(self) -> list[Recording]:
        rows = self._chain.rows("SELECT ulid, camera, started_at, monotonic, detail FROM recordings ORDER BY ulid")
        return [read_recording(row, self.folder) for row in rows]

    def _strays(self) -> list[Path]:
        # Files first, then what is known: one that another process registers meanwhile is known by then.
        files = [*(self.folder / "partial").iterdir(), *(self.folder / "clips").rglob("*.mp4")]
        known = {self.folder / row[0] for row in self._chain.rows("SELECT path FROM records WHERE path NOT NULL")}
        for recording in self._recordings():
            known |= {recording.path, final_path(self.folder, recording)}
        return [file for file in files if file not in known and file.is_file() and not is_locked(file)]

    def _put_aside(self, file: Path, why: str) -> None:
        if size_of(file) == 0:
            file.unlink(missing_ok=True)
            return
        target = self.folder / "aside" / file.name
        file.rename(target)
        sync_folder(target.parent)
        log.warning("kept a file aside that is not a whole clip", extra={"file": str(target), "why": why})

    # -- inside -----------------------------------------------------------------------------------------------------

    def _register(self, recording: Recording, file: Path, duration_s: float, detail: Mapping[str, Any]) -> Record:
        new = NewRecord(
            RecordType.CLIP,
            recording.camera,
            recording.started_at,
            recording.started_at + timedelta(seconds=duration_s),
            recording.monotonic_s,
            {**recording.detail, **detail},
            file=file,
            sha256=file_digest(file),
            size=size_of(file),
            ulid=recording.ulid,
        )
        with self._chain.transaction() as database:
            record = self._chain.append(database, new)
            database.execute("DELETE FROM recordings WHERE ulid = ?", (recording.ulid,))
        return record

    def _number(self, query: str) -> int:
        return int(self._chain.rows(query)[0][0])


def _seconds_of(file: Path) -> float:
    """Seconds a clip lasts, 0 where it cannot be read as a video (a file that was submitted unchecked)."""
    try:
        return read_facts(file).duration_s
    except Mp4Error:
        return 0.0


def _now() -> str:
    return datetime.now(UTC).isoformat()
