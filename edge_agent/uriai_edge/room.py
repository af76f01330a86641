"""The spool's budget of disk: what is removed when room is needed, and in which order.

Uploaded clips go first, the oldest of them. Clips that are not uploaded go only where the configuration says so, and
each is given up by a signed ``drop`` record before its file is removed.
"""

from __future__ import annotations

import errno
import logging
import os
import sqlite3
from contextlib import suppress
from pathlib import Path

from uriai_edge.chain import Chain, NewRecord
from uriai_edge.disk import size_of, sync_folder
from uriai_edge.evidence import Manifest, RecordType, digest
from uriai_edge.logs import trouble
from uriai_edge.register import now_text, write_anchor
from uriai_edge.steps import Checkpoint, Step

log = logging.getLogger(__name__)

RESERVE_BYTES = 1024 * 1024
"""Kept in a file of its own and given back on a full disk, so that a loss can be recorded even then."""
_PRUNE_AT_ONCE = 2000


class Room:
    """What one spool takes on the disk."""

    def __init__(self, folder: Path, chain: Chain, checkpoint: Checkpoint) -> None:
        self._folder = folder
        self._chain = chain
        self._reach = checkpoint
        self._reserve = folder / "reserve"

    def used_bytes(self) -> int:
        """What clips take, those being written and what was put aside included."""
        closed = self._chain.rows(
            "SELECT COALESCE(SUM(size), 0) FROM records WHERE path IS NOT NULL AND removed_at IS NULL"
        )[0][0]
        loose = [*(self._folder / "partial").iterdir(), *(self._folder / "aside").iterdir()]
        return int(closed) + sum(size_of(file) for file in loose)

    def free_bytes(self) -> int:
        """What the spool's disk still takes from this user."""
        facts = os.statvfs(self._folder)
        return facts.f_bavail * facts.f_frsize

    def make(self, needed_bytes: int, max_bytes: int, min_free_bytes: int, *, drop_waiting: bool) -> bool:
        """Remove what may go until ``needed_bytes`` more fit; whether they do."""
        while True:
            too_much = self.used_bytes() + needed_bytes > max_bytes
            if not too_much and self.free_bytes() - needed_bytes >= min_free_bytes:
                self._keep_reserve()
                return True
            if self._remove_oldest_uploaded() or self._remove_oldest_aside():
                continue
            if not (drop_waiting and self._drop_oldest_waiting()):
                return False

    def prune(self, keep_records: int) -> int:
        """Forget the oldest records beyond ``keep_records`` that are uploaded, with their files; how many.

        Only whole beginnings of the chain go, a few thousand records at a time, and the last one's hash is kept: what
        is left still verifies.
        """
        last, waiting = self._chain.rows(
            "SELECT COALESCE((SELECT MAX(seq) FROM records), 0), "
            "(SELECT MIN(seq) FROM records WHERE state IN ('closed', 'uploading', 'failed'))"
        )[0]
        first = self._chain.rows("SELECT COALESCE(MIN(seq), 1) FROM records")[0][0]
        up_to = min(last - max(keep_records, 1), first + _PRUNE_AT_ONCE - 1)
        if waiting is not None:
            up_to = min(up_to, waiting - 1)
        if up_to < first:
            return 0
        rows = self._chain.rows(
            "SELECT path FROM records WHERE seq <= ? AND path IS NOT NULL AND removed_at IS NULL", (up_to,)
        )
        files = [self._folder / path for (path,) in rows]
        for file in files:
            file.unlink(missing_ok=True)
        for folder in {file.parent for file in files}:
            if folder.is_dir():
                sync_folder(folder)
        self._reach(Step.PRUNED)
        with self._chain.transaction() as database:
            (manifest,) = database.execute("SELECT manifest FROM records WHERE seq = ?", (up_to,)).fetchone()
            database.execute(
                "INSERT INTO meta VALUES ('anchor', ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                (write_anchor(up_to, digest(manifest)),),
            )
            database.execute("DELETE FROM records WHERE seq <= ?", (up_to,))
        self._remove_empty_folders()
        return int(up_to - first + 1)

    def spend_reserve(self, error: sqlite3.Error) -> bool:
        """Give the reserve's room back if ``error`` says that the disk is full; whether it was there to give."""
        if getattr(error, "sqlite_errorcode", None) != sqlite3.SQLITE_FULL or size_of(self._reserve) == 0:
            return False
        log.warning("the disk is full: the reserve is used to record it")
        with self._reserve.open("r+b") as file:
            file.truncate(0)
        return True

    def _keep_reserve(self) -> None:
        if size_of(self._reserve) >= RESERVE_BYTES or self.free_bytes() < 4 * RESERVE_BYTES:
            return
        try:
            descriptor = os.open(self._reserve, os.O_RDWR | os.O_CREAT, 0o600)
            try:
                os.posix_fallocate(descriptor, 0, RESERVE_BYTES)
            finally:
                os.close(descriptor)
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EOPNOTSUPP):
                trouble(log, "the reserve cannot be kept", why=str(error))

    def _remove_oldest_uploaded(self) -> bool:
        rows = self._chain.rows(
            "SELECT seq, path FROM records WHERE state = 'uploaded' AND path IS NOT NULL AND removed_at IS NULL "
            "ORDER BY seq LIMIT 1"
        )
        if not rows:
            return False
        seq, path = rows[0]
        (self._folder / path).unlink(missing_ok=True)
        self._reach(Step.UPLOADED_REMOVED)
        with self._chain.transaction() as database:
            database.execute("UPDATE records SET removed_at = ? WHERE seq = ?", (now_text(), seq))
        log.info("removed an uploaded clip to make room", extra={"seq": seq})
        return True

    def _remove_oldest_aside(self) -> bool:
        files = sorted((self._folder / "aside").iterdir())
        if not files:
            return False
        files[0].unlink(missing_ok=True)  # a drop record has told of it when it was put there
        log.info("removed what a crash left to make room", extra={"file": files[0].name})
        return True

    def _drop_oldest_waiting(self) -> bool:
        """Give up the oldest clip that is not uploaded: first the signed record, then the file."""
        with self._chain.transaction() as database:
            row = database.execute(
                "SELECT seq, path, camera, manifest FROM records WHERE state IN ('closed', 'failed') "
                "AND type = 'clip' AND path IS NOT NULL AND removed_at IS NULL ORDER BY seq LIMIT 1"
            ).fetchone()
            if row is None:
                return False
            seq, path, camera, manifest = row
            clip = Manifest.from_bytes(manifest)
            detail = {"reason": "disk_full", "clips": 1, "seqs": [seq]}
            drop = NewRecord(RecordType.DROP, camera, clip.started_at, clip.ended_at, clip.monotonic, detail)
            drop_seq = self._chain.append(database, drop).seq
            # Its manifest still goes up: the chain has no gap, and the drop record says why there is no clip.
            database.execute(
                "UPDATE records SET removed_at = ?, dropped_by = ?, state = 'closed', reason = NULL WHERE seq = ?",
                (now_text(), drop_seq, seq),
            )
        self._reach(Step.DROP_SIGNED)
        (self._folder / path).unlink(missing_ok=True)
        trouble(log, "a clip was dropped before its upload to make room", camera=camera, seq=seq, drop=drop_seq)
        return True

    def _remove_empty_folders(self) -> None:
        """Folders of days that hold no clip any more."""
        for camera in (self._folder / "clips").iterdir():
            for day in sorted(camera.iterdir())[:-1]:  # clips may be on their way into the newest
                with suppress(OSError):  # not empty
                    day.rmdir()
