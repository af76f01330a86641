"""The agent: a thread per camera, one that uploads, and this one, which keeps coverage and status and ends them all.

Recording comes first: whatever becomes of uploads, the agent is never restarted for them.
"""

from __future__ import annotations

import json
import logging
import os
import sqlite3
import threading
import time
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path

from nacl.signing import SigningKey

from uriai_edge.cameras import Cameras
from uriai_edge.chain import NewRecord
from uriai_edge.config import Config, ConfigError
from uriai_edge.coverage import GAP_S, CoverageKeeper
from uriai_edge.disk import lock
from uriai_edge.evidence import RecordType
from uriai_edge.health import HealthServer, Snapshot
from uriai_edge.logs import tell, trouble
from uriai_edge.redact import redact
from uriai_edge.register import SpoolError, State
from uriai_edge.spool import Spool
from uriai_edge.steps import Checkpoint, nothing_happens
from uriai_edge.systemd import Notifier
from uriai_edge.uploads import Uploads

log = logging.getLogger(__name__)

STATUS_FILE = "status.json"
_TICK_S = 0.25
_STATUS_EVERY_S = 5.0
_JOIN_S = 15.0
_PRUNE_EVERY_S = 600.0
_FIXED = ("gateway", "key_file", "spool", "upload", "health", "coverage")


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
        self._next_status_s = self._next_prune_s = 0.0
        self._read_anew: Callable[[], Config] | None = None
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
        self._uploads = Uploads(config.upload, self._spool)
        self._cameras = Cameras(config, self._spool, self._coverage)
        self._systemd = Notifier()

    def reload(self, read: Callable[[], Config]) -> None:
        """Read the configuration anew soon, with ``read``, and restart the cameras that changed. For signal handlers.

        What concerns more than cameras needs a restart of the agent; a configuration that is wrong changes nothing.
        """
        self._read_anew = read

    def run(self, *, exit_when_done: bool = False) -> bool:
        """Work until told to stop or, with ``exit_when_done``, until every file ended and everything is uploaded.

        Returns
        -------
        bool
            Whether no camera and no upload failed for good.
        """
        log.info("agent starts", extra={"gateway": self._config.gateway, "cameras": len(self._config.cameras)})
        self._complete()
        self._uploads.start()
        self._cameras.start()
        health = self._answer_health()
        self._systemd.ready()
        try:
            self._watch(exit_when_done=exit_when_done)
        finally:
            self._systemd.stopping()
            self._end()
            if health is not None:
                health.close()
        failed_cameras = self._cameras.failed
        counts = self._counts()
        waiting = None if counts is None else counts[State.CLOSED] + counts[State.UPLOADING]
        log.info("agent ends", extra={"failed_cameras": failed_cameras, "waiting_uploads": waiting})
        self._spool.close()
        os.close(self._lock)
        all_arrived = not exit_when_done or waiting == 0 or self._stop.is_set()
        return not failed_cameras and counts is not None and not counts[State.FAILED] and all_arrived

    def _watch(self, *, exit_when_done: bool) -> None:
        period_s = self._config.coverage.every_s
        covered_to_s, covered_to = time.monotonic(), datetime.now(UTC)
        while not self._stop.wait(_TICK_S):
            now_s = time.monotonic()
            self._tend(now_s)
            self._cameras.tick()
            if now_s - covered_to_s >= period_s:
                self._cover(covered_to, covered_to_s, now_s)
                covered_to_s, covered_to = now_s, datetime.now(UTC)
                self._complete()
            if exit_when_done and not self._cameras.alive:
                break
        self._cameras.end()
        self._cover(covered_to, covered_to_s, time.monotonic())
        while exit_when_done and self._uploads_wait() and not self._stop.wait(_TICK_S):
            # the uploader is at work; only a signal ends this before it is through
            self._tend(time.monotonic())

    def _tend(self, now_s: float) -> None:
        """What is done again and again: the watchdog, uploads, the status, and the recovery until it has succeeded."""
        self._systemd.alive()
        self._uploads.tend(now_s)
        if self._read_anew is not None:
            read, self._read_anew = self._read_anew, None
            self._reload(read)
        if now_s >= self._next_prune_s:
            self._next_prune_s = now_s + _PRUNE_EVERY_S
            self._prune()
        if now_s < self._next_status_s:
            return
        self._next_status_s = now_s + _STATUS_EVERY_S
        if not self._recovered:
            self._complete()
        self._write_status()

    def _reload(self, read: Callable[[], Config]) -> None:
        self._systemd.reloading()
        try:
            config = read()
        except ConfigError as error:
            trouble(log, "the configuration stays as it was: the new one is wrong", why=redact(str(error)))
        else:
            later = [name for name in _FIXED if getattr(config, name) != getattr(self._config, name)]
            kept = {name: getattr(self._config, name) for name in _FIXED}
            changed = self._cameras.change(config.model_copy(update=kept))
            self._config = config.model_copy(update=kept)
            tell(log, "reloaded", "the configuration was read anew", cameras=changed, needs_restart=later)
        self._systemd.ready()

    def _prune(self) -> None:
        try:
            while pruned := self._spool.prune(self._config.spool.keep_records):
                log.info("old records were forgotten", extra={"records": pruned})
        except (OSError, sqlite3.Error) as error:
            trouble(log, "old records cannot be forgotten", why=str(error))

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
        # The length comes from the monotonic clock: a wall clock set back must not make a record end before it begins.
        ended_at = started_at + timedelta(seconds=to_s - from_s)
        detail: dict[str, object] = {"cameras": self._coverage.take(from_s, to_s)}
        step_s = (datetime.now(UTC) - ended_at).total_seconds()
        if abs(step_s) > GAP_S:
            detail["clock_step_s"] = round(step_s, 3)
        offset_s = self._uploads.clock_offset_s
        if offset_s is not None:
            detail["clock_offset_s"] = round(offset_s, 1)
        self._add_coverage(NewRecord(RecordType.COVERAGE, None, started_at, ended_at, from_s, detail))

    def _cover_downtime(self) -> None:
        """Account for the time since the last record of the run before: nobody was there to see anything."""
        last = self._spool.last_covered()
        if last is None:
            return
        now, ended_at = datetime.now(UTC), last[1]
        down_s = (now - ended_at).total_seconds()
        detail: dict[str, object] = {"cameras": self._coverage.nothing(), "down": True}
        if down_s < 0:  # the clock was set back meanwhile: how long it was cannot be told
            detail["clock_step_s"] = round(down_s, 3)
            ended_at = now
        elif down_s <= GAP_S:
            return
        self._add_coverage(NewRecord(RecordType.COVERAGE, None, ended_at, now, time.monotonic(), detail))

    def _add_coverage(self, new: NewRecord) -> None:
        if not self._config.coverage.enabled:
            return
        try:
            self._spool.add_record(new)
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
            self._cover_downtime()

    def _end(self) -> None:
        self._cameras.end()
        self._uploads.end(_JOIN_S)
        self._write_status()

    def _answer_health(self) -> HealthServer | None:
        port = self._config.health.port
        if port == 0:
            return None
        try:
            return HealthServer(port, self.snapshot)
        except OSError as error:
            trouble(log, f"health: port: {port} cannot be used, nobody can ask there", why=str(error))
            return None

    def snapshot(self) -> Snapshot:
        """How the agent is, for whoever asks on this machine; any thread may ask."""
        now = datetime.now(UTC)
        cameras = self._cameras.statuses
        problems = []
        if self._uploads.trouble is not None:
            problems.append(self._uploads.trouble)
        if not self._recovered:
            problems.append("the spool could not be recovered yet")
        problems += [f"camera {one} gave up" for one in self._cameras.failed]
        counts = self._counts()
        if counts is None:
            problems.append("the spool's register cannot be read")
        elif counts[State.FAILED]:
            problems.append(f"{counts[State.FAILED]} records cannot be uploaded")
        clip_bytes: int | None
        free_bytes: int | None
        try:
            clip_bytes, free_bytes = self._spool.used_bytes(), self._spool.free_bytes()
        except (OSError, sqlite3.Error):
            clip_bytes = free_bytes = None
        return Snapshot(
            problems=tuple(problems),
            cameras=cameras,
            packet_ages_s={
                one.number: None if one.last_packet_at is None else (now - one.last_packet_at).total_seconds()
                for one in cameras
            },
            records=counts,
            clip_bytes=clip_bytes,
            free_bytes=free_bytes,
            uploads=self._uploads.counts,
            uploads_stuck=self._uploads.stuck,
            uploads_blocked_by=self._uploads.blocked_by,
            clock_offset_s=self._uploads.clock_offset_s,
        )

    def _write_status(self) -> None:
        now = self.snapshot()
        status = {
            "pid": os.getpid(),
            "at": datetime.now(UTC).isoformat(),
            "problems": now.problems,
            "uploads": now.uploads_blocked_by or "fine",
            "uploaded": asdict(now.uploads),
            "uploads_stuck": now.uploads_stuck,
            "clock_offset_s": now.clock_offset_s,
            "free_bytes": now.free_bytes,
            "cameras": [asdict(camera) for camera in now.cameras],
        }
        _replace(self._config.spool.dir / STATUS_FILE, json.dumps(status, default=str, ensure_ascii=False))


def _replace(file: Path, text: str) -> None:
    part = file.with_suffix(".part")
    try:
        part.write_text(text, encoding="utf-8")
        part.replace(file)
    except OSError as error:
        trouble(log, "the status cannot be written", why=str(error))
