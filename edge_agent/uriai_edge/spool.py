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
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any

from nacl.signing import SigningKey

from uriai_edge import ulid
from uriai_edge.chain import Chain, NewRecord
from uriai_edge.disk import is_locked, make_folder, make_locked, size_of, sync_folder
from uriai_edge.evidence import Manifest, RecordType, file_digest
from uriai_edge.logs import trouble
from uriai_edge.mp4 import Mp4Error, mend, read_facts
from uriai_edge.register import (
    COLUMNS,
    Record,
    Recording,
    SpoolError,
    State,
    final_path,
    now_text,
    partial_path,
    read_record,
    read_recording,
)
from uriai_edge.room import Room
from uriai_edge.steps import Checkpoint, Step, nothing_happens

log = logging.getLogger(__name__)

# What goes up first. Coverage goes before clips only while it is among the newest records: a backlog of it must not
# hold clips up. Clips are ordered in steps of five failures: one file that never gets through lets the others pass.
_RECENT_RECORDS = 200
_URGENCIES = (
    "state = 'closed' AND type IN ('tamper', 'drop') ORDER BY seq DESC",
    "state = 'closed' AND type = 'coverage' AND seq > (SELECT MAX(seq) FROM records) - :recent ORDER BY seq DESC",
    "state = 'closed' AND type = 'clip' ORDER BY attempts / 5, seq DESC",
    "state = 'closed' ORDER BY seq DESC",
)


@dataclass(frozen=True, slots=True)
class Recovery:
    """What a start found of a crash: clips completed, clips mended, files kept aside."""

    completed: int
    mended: int
    aside: int


class Spool:
    """One gateway's spool. Threads may share it; several processes may have it open at once."""

    def __init__(self, folder: Path, gateway: str, key: SigningKey, checkpoint: Checkpoint = nothing_happens) -> None:
        """Open or make the spool in ``folder`` for ``gateway``, whose records ``key`` signs.

        Raises
        ------
        SpoolError
            If the folder or its register cannot be used, or belongs to another gateway or key.
        """
        self.folder = folder
        self.reach = checkpoint
        self._lock = threading.RLock()
        self._held: dict[str, int] = {}  # descriptors that hold the locks of recordings
        self._drops: list[NewRecord] = []
        try:
            for name in ("partial", "clips", "aside"):
                make_folder(folder / name)
            self._chain = Chain(folder, gateway, key, checkpoint)
            self._room = Room(folder, self._chain, checkpoint)
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
        self.reach(Step.FILE_MADE)
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
        self.reach(Step.FILE_SYNCED)
        final = final_path(self.folder, recording)
        make_folder(final.parent)
        self.reach(Step.FOLDER_MADE)
        recording.path.rename(final)
        self.reach(Step.RENAMED)
        sync_folder(final.parent)
        sync_folder(recording.path.parent)
        self.reach(Step.FOLDERS_SYNCED)
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
        """Add a record without a file (coverage, drop) to the chain, out of the reserve if the disk is full."""
        try:
            return self._append(new)
        except sqlite3.Error as error:
            if not self._room.spend_reserve(error):
                raise
        return self._append(new)

    def _append(self, new: NewRecord) -> Record:
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
        """Take the most urgent record that waits and mark it as being uploaded; None when none waits.

        Tampering and losses first; then recent coverage, which is small and whose absence raises an alarm; then clips;
        then the rest. The newest of each goes first, and a clip whose file failed again and again lets others pass.
        """
        if not self._chain.rows("SELECT 1 FROM records WHERE state = 'closed' LIMIT 1"):
            return None  # without a transaction: this is asked all day long
        with self._chain.transaction() as database:
            for urgency in _URGENCIES:
                row = database.execute(
                    f"SELECT {COLUMNS} FROM records WHERE {urgency} LIMIT 1",  # noqa: S608
                    {"recent": _RECENT_RECORDS},
                ).fetchone()
                if row is not None:
                    database.execute("UPDATE records SET state = 'uploading' WHERE seq = ?", (row[0],))
                    return read_record(row, self.folder)
        return None

    def mark(self, seq: int, state: State, reason: str | None = None, *, own_fault: bool = False) -> None:
        """Note how an upload ended: uploaded, closed (waits for another attempt) or failed (needs a person).

        ``own_fault``: it was this record's file that did not get through, not the network as a whole.
        """
        now = now_text() if state is State.UPLOADED else None
        with self._chain.transaction() as database:
            database.execute(
                "UPDATE records SET state = ?, reason = ?, attempts = attempts + ?, uploaded_at = ? WHERE seq = ?",
                (state.value, reason, int(own_fault), now, seq),
            )

    def waiting(self) -> int:
        """How many records are not uploaded yet and not failed."""
        return self._number("SELECT COUNT(*) FROM records WHERE state IN ('closed', 'uploading')")

    # -- room -------------------------------------------------------------------------------------------------------

    def used_bytes(self) -> int:
        """What clips take on the disk, those being written included."""
        return self._room.used_bytes()

    def free_bytes(self) -> int:
        """What the spool's disk still takes from this user."""
        return self._room.free_bytes()

    def make_room(self, needed_bytes: int, max_bytes: int, min_free_bytes: int, *, drop_waiting: bool = False) -> bool:
        """Remove uploaded clips, oldest first, until ``needed_bytes`` more fit; whether they do.

        Clips that are not uploaded stay, unless ``drop_waiting``: then the oldest is given up by a signed record.
        """
        return self._room.make(needed_bytes, max_bytes, min_free_bytes, drop_waiting=drop_waiting)

    def prune(self, keep_records: int) -> int:
        """Forget uploaded records beyond the newest ``keep_records``; how many were forgotten now."""
        return self._room.prune(keep_records)

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
            self._note_removed()
        outcomes = [self._recover_one(recording) for recording in self._recordings() if not self._lives(recording)]
        strays = self._strays() if at_start else []
        for stray in strays:
            self._put_aside(stray, "a file nobody announced")
        return Recovery(outcomes.count("completed"), outcomes.count("mended"), outcomes.count("aside") + len(strays))

    def last_covered(self) -> tuple[datetime, datetime] | None:
        """Beginning and end of the newest coverage record still here, or None."""
        rows = self._chain.rows("SELECT manifest FROM records WHERE type = 'coverage' ORDER BY seq DESC LIMIT 1")
        if not rows:
            return None
        manifest = Manifest.from_bytes(rows[0][0])
        return manifest.started_at, manifest.ended_at

    def _note_removed(self) -> None:
        """Note uploaded clips that were removed to make room when a crash came before the register knew."""
        rows = self._chain.rows(
            "SELECT seq, path FROM records WHERE state = 'uploaded' AND path IS NOT NULL AND removed_at IS NULL"
        )
        gone = [(now_text(), seq) for seq, path in rows if not (self.folder / path).exists()]
        if gone:
            with self._chain.transaction() as database:
                database.executemany("UPDATE records SET removed_at = ? WHERE seq = ?", gone)

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
            self.reach(Step.PUT_ASIDE)
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
        self.reach(Step.MENDED)
        self.close_clip(recording, facts.duration_s, {"recovered": True})
        return "mended"

    def _recordings(self) -> list[Recording]:
        rows = self._chain.rows("SELECT ulid, camera, started_at, monotonic, detail FROM recordings ORDER BY ulid")
        return [read_recording(row, self.folder) for row in rows]

    def _strays(self) -> list[Path]:
        """Files that no record and no recording accounts for; what a record says was removed is removed here."""
        # Files first, then what is known: one that another process registers meanwhile is known by then.
        files = [*(self.folder / "partial").iterdir(), *(self.folder / "clips").rglob("*.mp4")]
        files += (self.folder / "pictures").glob("*")  # of tampering; there is no such folder before the first
        rows = self._chain.rows("SELECT path, removed_at FROM records WHERE path IS NOT NULL")
        known = {self.folder / path for path, _ in rows}
        removed = {self.folder / path for path, removed_at in rows if removed_at is not None}
        for recording in self._recordings():
            known |= {recording.path, final_path(self.folder, recording)}
        for file in removed.intersection(files):  # a crash came between the record and the removal
            file.unlink(missing_ok=True)
        return [file for file in files if file not in known and file.is_file() and not is_locked(file)]

    def _put_aside(self, file: Path, why: str) -> None:
        if size_of(file) == 0:
            file.unlink(missing_ok=True)
            return
        target = self.folder / "aside" / file.name
        file.rename(target)
        sync_folder(target.parent)
        sync_folder(file.parent)
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
