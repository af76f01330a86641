"""One camera's thread: opens the source, watches it, cuts clips, and opens it anew when it breaks."""

from __future__ import annotations

import logging
import random
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from av.video.frame import VideoFrame

from uriai_edge.capture import Source, SourceError
from uriai_edge.clips import ClipCutter
from uriai_edge.config import Camera, Config, ConfigError, Motion
from uriai_edge.coverage import CoverageKeeper
from uriai_edge.logs import tell, trouble
from uriai_edge.motion import Movement, Picture
from uriai_edge.packets import VideoPacket
from uriai_edge.recorder import SpoolSink, TamperRecorder
from uriai_edge.spool import Spool
from uriai_edge.tamper import TamperWatch
from uriai_edge.watch import Watch

log = logging.getLogger(__name__)

_FIRST_PAUSE_S = 1.0
_LONGEST_PAUSE_S = 30.0
_GOOD_AFTER_S = 60.0  # a stream that lasted so long was a good one: pauses start from the shortest again


class CameraState(StrEnum):
    """What a camera's thread is doing."""

    OPENING = "opening"
    RUNNING = "running"
    WAITING = "waiting"
    ENDED = "ended"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class CameraStatus:
    """A camera as `uriai-edge status` shows it; ``message`` tells the last trouble, or None."""

    number: int
    state: CameraState
    since: datetime
    message: str | None
    packets: int
    reconnects: int
    recording: bool
    last_packet_at: datetime | None


def notice_s(motion: Motion) -> float:
    """Longest time between a movement and its being noticed, seconds, but for one group of pictures."""
    return motion.check_every_s + motion.min_duration_s + 2.5


class CameraThread(threading.Thread):
    """Watches one camera until told to stop, or until its file ends."""

    def __init__(
        self, config: Config, camera: Camera, spool: Spool, coverage: CoverageKeeper, stop: threading.Event
    ) -> None:
        """Prepare; `start` begins. A file that cannot be read is tried once, a live source for ever."""
        super().__init__(name=f"camera-{camera.number}", daemon=True)
        self._config = config
        self._camera = camera
        self._spool = spool
        self._coverage = coverage
        self._stop_event = stop
        self._state = CameraState.OPENING
        self._since = datetime.now(UTC)
        self._message: str | None = None
        self._packets = 0
        self._reconnects = 0
        self._recording = False
        self._last_packet_at: datetime | None = None
        self._moved_at: datetime | None = None
        self._tamper = TamperWatch(config.tamper, TamperRecorder(spool, camera.number).record)

    def tick(self) -> None:
        """Call this every second or so, from any thread: tells that the camera has been silent for too long."""
        if self._camera.is_live and self.is_alive():
            self._tamper.tick()

    @property
    def status(self) -> CameraStatus:
        """The camera's state by now."""
        return CameraStatus(
            self._camera.number,
            self._state,
            self._since,
            self._message,
            self._packets,
            self._reconnects,
            self._recording,
            self._last_packet_at,
        )

    def run(self) -> None:
        """Watch; whatever goes wrong here concerns this camera only."""
        failures = 0
        while not self._stop_event.is_set():
            begun_s = time.monotonic()
            try:
                self._watch()
            except (SourceError, ConfigError) as error:
                self._trouble(str(error))
            except Exception as error:
                log.exception("fault while watching a camera", extra={"camera": self._camera.number})
                self._trouble(f"fault in the agent: {error!r}")
            else:
                tell(log, "source_ended", "the source ended", camera=self._camera.number, packets=self._packets)
                self._set(CameraState.ENDED)
                return
            if not self._camera.is_live:
                self._set(CameraState.FAILED)
                return
            failures = 1 if time.monotonic() - begun_s > _GOOD_AFTER_S else failures + 1
            limit_s = min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2 ** min(failures - 1, 10))
            # At least a quarter of the limit: sixteen cameras behind one switch must not come back at one instant.
            self._stop_event.wait(random.uniform(limit_s / 4, limit_s))  # noqa: S311 - not for secrets
            self._reconnects += 1
        self._set(CameraState.ENDED)

    def _watch(self) -> None:
        """Watch one opening of the source to its end.

        Raises
        ------
        SourceError
            If it cannot be opened or breaks off.
        """
        camera = self._camera
        motion, clips = self._config.motion_of(camera), self._config.clips_of(camera)
        source = Source(camera, self._stop_event)
        try:
            self._set(CameraState.RUNNING)
            tell(
                log,
                "source_opened",
                "camera opened",
                camera=camera.number,
                source=source.name,
                codec=source.codec,
                size=f"{source.width}x{source.height}",
            )
            watch = Watch(camera, motion, source, self._look, self._stop_event)
            sink = SpoolSink(self._spool, self._config.spool, camera.number, source.template)
            cutter = ClipCutter(clips, sink, notice_s(motion))
            covers = camera.is_live or camera.pace == "real"
            try:
                for packet in source.packets():
                    self._message = None
                    self._packets += 1
                    self._last_packet_at = packet.arrived_at
                    self._tamper.heard()
                    if covers:
                        self._coverage.note(camera.number, packet.monotonic_s, packet.duration_s)
                    movement = watch.feed(packet)
                    cutter.feed(packet, movement)
                    self._note_movement(packet, movement, recording=cutter.recording)
            finally:
                cutter.end()
                watch.end()
                self._note_end()
        finally:
            source.close()

    def _look(self, frame: VideoFrame, picture: Picture, _time_s: float) -> None:
        if self._camera.is_live or self._camera.pace == "real":
            self._tamper.look(frame, picture)

    def _note_movement(self, packet: VideoPacket, movement: Movement | None, *, recording: bool) -> None:
        if movement is not None:
            seen_at = packet.arrived_at - timedelta(seconds=packet.time_s - movement.last_s)
            if not self._recording and recording:
                began_at = packet.arrived_at - timedelta(seconds=packet.time_s - movement.began_s)
                fields = {"camera": self._camera.number, "began_at": began_at.isoformat()}
                tell(log, "motion_started", "movement", **fields, score=round(movement.score, 5))
            self._moved_at = seen_at
        if recording:
            self._recording = True
        else:
            self._note_end()

    def _note_end(self) -> None:
        if self._recording:
            last = self._moved_at.isoformat() if self._moved_at else None
            tell(log, "motion_ended", "no movement any more", camera=self._camera.number, ended_at=last)
        self._recording = False

    def _trouble(self, message: str) -> None:
        if message != self._message:
            trouble(log, "camera trouble", camera=self._camera.number, why=message)
        self._message = message
        self._set(CameraState.WAITING)

    def _set(self, state: CameraState) -> None:
        if state is not self._state:
            self._state, self._since = state, datetime.now(UTC)
