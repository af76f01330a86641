"""Puts the cutter's clips into the spool, and says so in a signed record when one cannot be kept."""

from __future__ import annotations

import logging
import os
import sqlite3
from datetime import timedelta
from pathlib import Path

from av.video.stream import VideoStream

from uriai_edge import ulid
from uriai_edge.chain import NewRecord
from uriai_edge.clips import ClipSink, ClipStart, OpenClip
from uriai_edge.config import Spool as SpoolSettings
from uriai_edge.disk import make_folder, sync_folder
from uriai_edge.evidence import RecordType, file_digest
from uriai_edge.logs import tell, trouble
from uriai_edge.mp4 import Mp4Error, Mp4Writer, mend
from uriai_edge.packets import VideoPacket
from uriai_edge.register import Recording
from uriai_edge.spool import Spool
from uriai_edge.tamper import TamperEvent

log = logging.getLogger(__name__)

CLIP_RESERVE_BYTES = 32 * 1024 * 1024
"""Room there must be to begin a clip: 30 s at 8 Mbit/s."""


class SpoolSink(ClipSink):
    """Clips of one camera go to the spool; ``template`` is the opened stream's."""

    def __init__(self, spool: Spool, settings: SpoolSettings, camera: int, template: VideoStream) -> None:
        """Prepare for one opened stream."""
        self._spool = spool
        self._settings = settings
        self._camera = camera
        self._template = template

    def open_clip(self, start: ClipStart) -> OpenClip:
        """Begin a clip, or one that is only counted when the disk has no room."""
        first = start.first
        try:
            if not self._spool.make_room(
                CLIP_RESERVE_BYTES,
                self._settings.max_bytes,
                self._settings.min_free_bytes,
                drop_waiting=self._settings.when_full == "drop_oldest",
            ):
                trouble(log, "no room for a clip", camera=self._camera, used_bytes=self._spool.used_bytes())
                return LostClip(self._spool, self._camera, first, "disk_full")
            detail = {"event": start.event, "part": start.part}
            if start.trigger_s is not None:
                detail["trigger_s"] = round(start.trigger_s, 3)
            recording = self._spool.open_clip(self._camera, first.arrived_at, first.monotonic_s, detail, start.ulid)
        except (OSError, sqlite3.Error) as error:
            trouble(log, "a clip cannot be begun", camera=self._camera, why=str(error))
            return LostClip(self._spool, self._camera, first, "write_failed")
        try:
            writer = Mp4Writer(recording.path, self._template)
        except (OSError, Mp4Error) as error:
            trouble(log, "a clip cannot be begun", camera=self._camera, why=str(error))
            self._spool.forget_clip(recording)
            return LostClip(self._spool, self._camera, first, "write_failed")
        return SpooledClip(self._spool, recording, writer)


class SpooledClip(OpenClip):
    """A clip on its way into the spool. When the disk fails, what is on it becomes the clip, the rest is reported."""

    def __init__(self, spool: Spool, recording: Recording, writer: Mp4Writer) -> None:
        """Take over an announced recording and its open file."""
        self._spool = spool
        self._recording = recording
        self._writer = writer
        self._lost: LostClip | None = None

    def duration_with(self, packet: VideoPacket) -> float:
        """As the file would last, or what is lost."""
        return self._writer.duration_with(packet)

    @property
    def can_cut(self) -> bool:
        """Whether the file holds a second key frame."""
        return self._lost is None and self._writer.can_cut

    def write(self, packet: VideoPacket) -> None:
        """Append a packet to the file."""
        if self._lost is not None:
            self._lost.write(packet)
            return
        try:
            self._writer.write(packet)
        except (OSError, Mp4Error) as error:
            trouble(
                log,
                "a clip breaks off, the disk does not take it",
                camera=self._recording.camera,
                ulid=self._recording.ulid,
                why=str(error),
            )
            self._lost = LostClip(self._spool, self._recording.camera, packet, "write_failed")
            self._lost.write(packet)
            self._writer.abandon()

    def close(self, score: float, *, cut_before_last_key: bool = False) -> None:
        """Finish the file and register it. What the disk refuses now is completed by the next recovery."""
        detail: dict[str, object] = {"score": round(score, 5)}
        try:
            if self._lost is not None:
                facts = mend(self._recording.path)
                detail["broken_off"] = True
            elif cut_before_last_key:
                facts = self._writer.cut_before_last_key()
            else:
                facts = self._writer.finish()
            record = self._spool.close_clip(self._recording, facts.duration_s, detail)
        except (OSError, sqlite3.Error, Mp4Error) as error:
            trouble(log, "a clip is not registered yet", ulid=self._recording.ulid, why=str(error))
            self._writer.abandon()
            self._spool.release(self._recording)
        else:
            manifest = record.read()
            tell(
                log,
                "clip_closed",
                "clip closed",
                camera=self._recording.camera,
                ulid=manifest.ulid,
                seq=record.seq,
                key=manifest.stem + ".mp4",
                started_at=manifest.started_at.isoformat(),
                ended_at=manifest.ended_at.isoformat(),
                bytes=record.size,
                score=detail["score"],
            )
        if self._lost is not None:
            self._lost.close(score)


class TamperRecorder:
    """Records of one camera's troubles go to the spool, each with its picture."""

    def __init__(self, spool: Spool, camera: int) -> None:
        """Prepare for one camera."""
        self._spool = spool
        self._camera = camera

    def record(self, event: TamperEvent) -> None:
        """Write the picture durably, then the record that names it; without a picture where the disk has no room."""
        detail = {"what": event.what.value, "state": "begins" if event.begins else "ends", "event": event.event}
        words = "something is wrong with a camera" if event.begins else "a camera is well again"
        told = {"what": detail["what"], "state": detail["state"], "since": event.since.isoformat()}
        tell(log, "tamper", words, camera=self._camera, **told)
        try:
            file = self._write(event.picture) if event.picture is not None else None
        except OSError as error:
            trouble(log, "a picture cannot be kept", camera=self._camera, why=str(error))
            file = None
        try:
            self._spool.add_record(
                NewRecord(
                    RecordType.TAMPER,
                    self._camera,
                    event.since,
                    max(event.at, event.since),
                    event.monotonic_s,
                    detail,
                    file=file,
                    sha256=file_digest(file) if file is not None else None,
                    size=file.stat().st_size if file is not None else None,
                )
            )
        except (OSError, sqlite3.Error) as error:
            trouble(log, "tampering cannot be recorded", camera=self._camera, why=str(error))

    def _write(self, picture: bytes) -> Path:
        folder = self._spool.folder / "pictures"
        make_folder(folder)
        part = folder / f"{ulid.new()}.part"
        with part.open("wb") as file:
            file.write(picture)
            file.flush()
            os.fsync(file.fileno())
        final = part.with_suffix(".jpg")
        part.rename(final)
        sync_folder(folder)
        return final


class LostClip(OpenClip):
    """A clip that cannot be kept: its span is reported in a signed record."""

    def __init__(self, spool: Spool, camera: int, first: VideoPacket, reason: str) -> None:
        """Begin with the first packet that is lost."""
        self._spool = spool
        self._camera = camera
        self._first = first
        self._reason = reason
        self._end_s = first.time_s

    def duration_with(self, packet: VideoPacket) -> float:
        """Seconds of the lost span with ``packet``."""
        return packet.time_s + packet.duration_s - self._first.time_s

    @property
    def can_cut(self) -> bool:
        """There is nothing to cut."""
        return False

    def write(self, packet: VideoPacket) -> None:
        """Count a lost packet."""
        self._end_s = packet.time_s + packet.duration_s

    def close(self, score: float, *, cut_before_last_key: bool = False) -> None:
        """Report the span as dropped."""
        started_at = self._first.arrived_at
        ended_at = started_at + timedelta(seconds=max(0.0, self._end_s - self._first.time_s))
        detail = {"reason": self._reason, "clips": 1, "seqs": [], "score": round(score, 5)}
        self._spool.report_drop(
            NewRecord(RecordType.DROP, self._camera, started_at, ended_at, self._first.monotonic_s, detail)
        )
        trouble(log, "a clip was dropped", camera=self._camera, why=self._reason)
