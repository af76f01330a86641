"""Looks for movement in the stream that is recorded, or in the camera's small second stream where it has one.

The second stream only spares work: while it does not come, the recorded one is looked at, so that nothing is missed.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from dataclasses import replace

from uriai_edge.capture import Source, SourceError
from uriai_edge.config import Camera, ConfigError, Motion
from uriai_edge.gate import Gate, Observer
from uriai_edge.logs import tell, trouble
from uriai_edge.motion import Movement
from uriai_edge.packets import VideoPacket

log = logging.getLogger(__name__)

_SILENT_S = 2.0  # so long without a packet, and the small stream does not work
_PAUSES_S = (1.0, 30.0)


class Watch:
    """The search for movement beside one opened source."""

    def __init__(
        self, camera: Camera, motion: Motion, source: Source, observer: Observer, stop: threading.Event
    ) -> None:
        """Begin; `feed` takes the recorded stream's packets, `end` ends it."""
        self._camera = camera
        self._motion = motion
        self._source = source
        self._observer = observer
        self._gate: Gate | None = None
        self._told_blind = False
        self._small = None if camera.motion_source is None else _SmallStream(camera, motion, observer, stop)
        if self._small is not None:
            self._small.start()

    def feed(self, packet: VideoPacket) -> Movement | None:
        """Movement known by now, in the recorded stream's seconds."""
        if self._small is not None and self._small.works:
            self._gate = None
            found = self._small.take()
            shift_s = packet.time_s - packet.monotonic_s
            if found is None:
                return None
            return replace(found, began_s=max(0.0, found.began_s + shift_s), last_s=found.last_s + shift_s)
        if self._gate is None:
            # A stream is taken up anew anywhere: until its next key frame there is nothing to decode.
            self._gate = Gate(self._motion, self._source.codec, self._source.extradata, observer=self._observer)
        movement = self._gate.feed(packet)
        if self._gate.blind and not self._told_blind:
            self._told_blind = True
            trouble(log, "key frames cannot be decoded: everything is looked at instead", camera=self._camera.number)
        return movement

    def end(self) -> None:
        """Stop looking."""
        if self._small is not None:
            self._small.end()
        if self._gate is not None and self._gate.damaged:
            fields = {"camera": self._camera.number, "packets": self._gate.damaged}
            log.info("packets could not be decoded", extra=fields)


class _SmallStream(threading.Thread):
    """Watches the second stream; movements are in monotonic seconds, for they are not on the recorded stream's line."""

    def __init__(self, camera: Camera, motion: Motion, observer: Observer, stop: threading.Event) -> None:
        super().__init__(name=f"camera-{camera.number}-small", daemon=True)
        self._camera = camera.model_copy(update={"source": camera.motion_source})
        self._motion = motion
        self._observer = observer
        self._agent_stop = stop
        self._ended = threading.Event()
        self._found: deque[Movement] = deque(maxlen=100)
        self._packet_s = 0.0

    @property
    def works(self) -> bool:
        """Whether packets come."""
        return time.monotonic() - self._packet_s < _SILENT_S

    def take(self) -> Movement | None:
        """The movements found since the last call as one, or None."""
        movement: Movement | None = None
        while self._found:
            one = self._found.popleft()
            movement = (
                one
                if movement is None
                else Movement(
                    min(movement.began_s, one.began_s), max(movement.last_s, one.last_s), max(movement.score, one.score)
                )
            )
        return movement

    def end(self) -> None:
        """End the thread soon."""
        self._ended.set()

    def run(self) -> None:
        """Watch, and open the stream anew when it breaks, until told to end."""
        pause_s = _PAUSES_S[0]
        while not self._ended.is_set() and not self._agent_stop.is_set():
            begun_s = time.monotonic()
            try:
                self._watch()
            except (SourceError, ConfigError) as error:
                trouble(
                    log,
                    "the small stream does not come; the large one is looked at",
                    camera=self._camera.number,
                    why=str(error),
                )
            except Exception as error:
                log.exception("fault while watching a small stream", extra={"camera": self._camera.number})
                trouble(log, "fault in the agent", camera=self._camera.number, why=repr(error))
            if not self._camera.is_live:
                return
            pause_s = _PAUSES_S[0] if time.monotonic() - begun_s > _PAUSES_S[1] else min(2 * pause_s, _PAUSES_S[1])
            self._ended.wait(pause_s)

    def _watch(self) -> None:
        source = Source(self._camera, self._ended)
        try:
            size = f"{source.width}x{source.height}"
            tell(log, "small_source_opened", "small stream opened", camera=self._camera.number, size=size)
            gate = Gate(self._motion, source.codec, source.extradata, observer=self._observer)
            for packet in source.packets():
                self._packet_s = time.monotonic()
                movement = gate.feed(packet)
                if movement is not None:
                    shift_s = packet.monotonic_s - packet.time_s
                    began_s, last_s = movement.began_s + shift_s, movement.last_s + shift_s
                    self._found.append(replace(movement, began_s=began_s, last_s=last_s))
        finally:
            source.close()
