"""The agent: a thread per camera, one that uploads, and this one, which keeps coverage and status and ends them all."""

from __future__ import annotations

import json
import logging
import os
import sqlite3
import threading
import time
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path

from nacl.signing import SigningKey

from uriai_edge.camera import CameraState, CameraThread
from uriai_edge.chain import NewRecord
from uriai_edge.config import Config
from uriai_edge.coverage import CoverageKeeper
from uriai_edge.disk import lock
from uriai_edge.evidence import RecordType
from uriai_edge.logs import trouble
from uriai_edge.register import SpoolError, State
from uriai_edge.s3 import S3Store
from uriai_edge.spool import Spool
from uriai_edge.steps import Checkpoint, nothing_happens
from uriai_edge.upload import Uploader

log = logging.getLogger(__name__)

STATUS_FILE = "status.json"
_TICK_S = 0.25
_STATUS_EVERY_S = 5.0
_JOIN_S = 15.0


class Agent:
    """Runs one gateway; make it, then `run` once."""

    def __init__(
        self, config: Config, key: SigningKey, stop: threading.Event, checkpoint: Checkpoint = nothing_happens
    ) -> None:
        """Prepare; setting ``stop`` ends `run` soon and cleanly. ``checkpoint`` is the spool's.

        Raises
        ------
        SpoolError
            If the spool cannot be used, or another agent runs on it.
        """
        self._config = config
        self._stop = stop
        self._recovered = False  # whether the spool's recovery at the start has succeeded
        self._next_status_s = 0.0
        self._spool = Spool(config.spool.dir, config.gateway, key, checkpoint)
        try:
            descriptor = lock(config.spool.dir / "agent.lock")
        except OSError as error:
            self._spool.close()
            raise SpoolError(f"spool {config.spool.dir}: cannot be used: {error}") from error
        if descriptor is None:
            self._spool.close()
            raise SpoolError(f"spool {config.spool.dir}: another agent is running on it")
        self._lock = descriptor
        self._coverage = CoverageKeeper(camera.number for camera in config.cameras)
        self._cameras_stop = threading.Event()
        self._uploads_stop = threading.Event()
        self._uploader = Uploader(
            config.upload, self._spool, S3Store(config.upload, self._uploads_stop), self._uploads_stop
        )
        self._cameras = [
            CameraThread(config, camera, self._spool, self._coverage, self._cameras_stop) for camera in config.cameras
        ]

    def run(self, *, exit_when_done: bool = False) -> bool:
        """Work until told to stop or, with ``exit_when_done``, until every file ended and everything is uploaded.

        Returns
        -------
        bool
            Whether no camera and no upload failed for good.
        """
        log.info("agent starts", extra={"gateway": self._config.gateway, "cameras": len(self._cameras)})
        self._complete()
        uploads = threading.Thread(target=self._uploader.run, name="uploads", daemon=True)
        uploads.start()
        for camera in self._cameras:
            camera.start()
        try:
            self._watch(uploads, exit_when_done=exit_when_done)
        finally:
            self._end(uploads)
        failed_cameras = [camera.status.number for camera in self._cameras if camera.status.state is CameraState.FAILED]
        counts = self._counts()
        waiting = None if counts is None else counts[State.CLOSED] + counts[State.UPLOADING]
        log.info("agent ends", extra={"failed_cameras": failed_cameras, "waiting_uploads": waiting})
        self._spool.close()
        os.close(self._lock)
        all_arrived = not exit_when_done or waiting == 0 or self._stop.is_set()
        return not failed_cameras and counts is not None and not counts[State.FAILED] and all_arrived

    def _watch(self, uploads: threading.Thread, *, exit_when_done: bool) -> None:
        period_s = self._config.coverage.every_s
        covered_to_s, covered_to = time.monotonic(), datetime.now(UTC)
        while not self._stop.wait(_TICK_S):
            now_s = time.monotonic()
            self._tend(now_s)
            if now_s - covered_to_s >= period_s:
                self._cover(covered_to, covered_to_s, now_s)
                covered_to_s, covered_to = now_s, datetime.now(UTC)
                self._complete()
            if exit_when_done and not any(camera.is_alive() for camera in self._cameras):
                break
        self._cameras_stop.set()
        for camera in self._cameras:
            camera.join(_JOIN_S)
        self._cover(covered_to, covered_to_s, time.monotonic())
        while exit_when_done and self._uploads_wait() and uploads.is_alive() and not self._stop.wait(_TICK_S):
            # the uploader is at work; only a signal, or its death, ends this before it is through
            self._tend(time.monotonic())

    def _tend(self, now_s: float) -> None:
        """What is done every few seconds: the status, and the recovery at the start while it has not succeeded."""
        if now_s < self._next_status_s:
            return
        self._next_status_s = now_s + _STATUS_EVERY_S
        if not self._recovered:
            self._complete()
        self._write_status()

    def _counts(self) -> dict[State, int] | None:
        try:
            return self._spool.counts()
        except sqlite3.Error:
            return None  # the uploader, which needs the register too, tells why

    def _uploads_wait(self) -> bool:
        """Whether records wait for their upload, as far as can be told."""
        counts = self._counts()
        return counts is None or counts[State.CLOSED] + counts[State.UPLOADING] > 0

    def _cover(self, started_at: datetime, from_s: float, to_s: float) -> None:
        if not self._config.coverage.enabled:
            return
        cameras = self._coverage.take(from_s, to_s)
        # The length comes from the monotonic clock: a wall clock set back must not make a record end before it begins.
        ended_at = started_at + timedelta(seconds=to_s - from_s)
        try:
            self._spool.add_record(
                NewRecord(RecordType.COVERAGE, None, started_at, ended_at, from_s, {"cameras": cameras})
            )
        except (OSError, sqlite3.Error) as error:
            trouble(log, "coverage cannot be recorded", why=str(error))

    def _complete(self) -> None:
        """Register what the disk refused when it was closed; until that succeeds once, what the last run left too."""
        try:
            recovery = self._spool.recover(at_start=not self._recovered)
        except (OSError, sqlite3.Error) as error:
            trouble(log, "clips cannot be registered yet", why=str(error))
            return
        if not self._recovered:
            self._recovered = True
            log.info("spool recovered", extra=asdict(recovery))

    def _end(self, uploads: threading.Thread) -> None:
        self._cameras_stop.set()
        for camera in self._cameras:
            if camera.is_alive():
                camera.join(_JOIN_S)
        self._uploads_stop.set()
        uploads.join(_JOIN_S / 2)
        if uploads.is_alive():
            self._uploader.interrupt()
            uploads.join(_JOIN_S / 2)
        self._write_status()

    def _write_status(self) -> None:
        status = {
            "pid": os.getpid(),
            "at": datetime.now(UTC).isoformat(),
            "uploads": self._uploader.problem or "fine",
            "cameras": [asdict(camera.status) for camera in self._cameras],
        }
        _replace(self._config.spool.dir / STATUS_FILE, json.dumps(status, default=str, ensure_ascii=False))


def _replace(file: Path, text: str) -> None:
    part = file.with_suffix(".part")
    try:
        part.write_text(text, encoding="utf-8")
        part.replace(file)
    except OSError as error:
        trouble(log, "the status cannot be written", why=str(error))
