"""Cuts clips out of a camera's packets: whole groups of pictures before a movement, the movement, and what follows it.

Every packet of an event is in exactly one of its clips; a clip begins with a key frame, so that it plays alone. Only
two events so close together that the second begins inside the first one's last group of pictures share pictures.
"""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, replace

from uriai_edge import ulid
from uriai_edge.config import Clips
from uriai_edge.gate import LONGEST_GROUP_S
from uriai_edge.motion import Movement
from uriai_edge.packets import VideoPacket

log = logging.getLogger(__name__)

RING_MAX_BYTES = 64 * 1024 * 1024


class PacketRing:
    """The last seconds of a stream as whole groups of pictures, oldest first."""

    def __init__(self, keep_s: float, max_bytes: int = RING_MAX_BYTES) -> None:
        """Keep at least ``keep_s`` seconds and the length of a group beyond, if they fit into ``max_bytes``."""
        self._keep_s = keep_s
        self._group_s = 0.0  # of the longest group so far, the open one included: it may grow beyond all before
        self._max_bytes = max_bytes
        self._groups: deque[list[VideoPacket]] = deque()
        self._bytes = 0

    def push(self, packet: VideoPacket) -> None:
        """Append a packet; what came before the first key frame is of no use and is left out."""
        if self._groups:
            group_s = packet.time_s - self._groups[-1][0].time_s
            self._group_s = min(LONGEST_GROUP_S, max(self._group_s, group_s))
        if packet.is_key:
            self._groups.append([])
        if not self._groups:
            return
        keep_from_s = packet.time_s - self._keep_s - self._group_s
        self._groups[-1].append(packet)
        self._bytes += len(packet.data)
        while len(self._groups) > 1 and (self._groups[1][0].time_s <= keep_from_s or self._bytes > self._max_bytes):
            self._bytes -= sum(len(old.data) for old in self._groups.popleft())

    def since(self, time_s: float, written_to: int) -> list[VideoPacket]:
        """Packets from the key frame at or before ``time_s``, leaving out groups written wholly before.

        ``written_to``: the ``dts`` of the last packet that is in a clip already (-1: none).
        """
        groups = list(self._groups)
        while len(groups) > 1 and (groups[1][0].time_s <= time_s or groups[0][-1].dts <= written_to):
            groups.pop(0)
        if groups and groups[0][-1].dts <= written_to:
            return []
        return [packet for group in groups for packet in group]

    def group_up_to(self, packet: VideoPacket) -> list[VideoPacket]:
        """The last key frame at or before ``packet`` and what followed, up to ``packet``, which is in the ring."""
        group = next(group for group in reversed(self._groups) if group[0].dts <= packet.dts)
        return [one for one in group if one.dts <= packet.dts]


@dataclass(frozen=True, slots=True)
class ClipStart:
    """What is known when a clip begins. ``trigger_s`` counts from the clip's first picture; None in later parts."""

    ulid: str
    event: str
    part: int
    first: VideoPacket
    trigger_s: float | None


class OpenClip(ABC):
    """A clip being written."""

    @abstractmethod
    def duration_with(self, packet: VideoPacket) -> float:
        """How many seconds it would last with ``packet`` too."""

    @property
    @abstractmethod
    def can_cut(self) -> bool:
        """Whether there is a key frame inside before which it can be cut."""

    @abstractmethod
    def write(self, packet: VideoPacket) -> None:
        """Append a packet."""

    @abstractmethod
    def close(self, score: float, *, cut_before_last_key: bool = False) -> None:
        """Finish the clip, whose movement scored ``score`` at most, for good."""


class ClipSink(ABC):
    """Where clips go."""

    @abstractmethod
    def open_clip(self, start: ClipStart) -> OpenClip:
        """Begin a clip; refusing it for want of space is the sink's business, and it must report that itself."""


class ClipCutter:
    """Decides which packets of one stream go into which clip."""

    def __init__(self, settings: Clips, sink: ClipSink, notice_s: float) -> None:
        """Cut for a newly opened stream: timestamps of another one must not be mixed in.

        ``notice_s`` is how long after its beginning a movement may be noticed, but for one group of pictures; the ring
        keeps so much more than the pre-roll.
        """
        self._settings = settings
        self._sink = sink
        self._ring = PacketRing(settings.pre_roll_s + notice_s)
        self._clip: OpenClip | None = None
        self._start: ClipStart | None = None
        self._score = 0.0
        self._until_s = 0.0
        self._written_to = -1

    @property
    def recording(self) -> bool:
        """Whether a clip is open."""
        return self._clip is not None

    def feed(self, packet: VideoPacket, movement: Movement | None) -> None:
        """Take the stream's next packet and what its analysis says about movement by now (None: none)."""
        self._ring.push(packet)
        if movement is not None:
            self._score = max(self._score, movement.score)
            self._until_s = movement.last_s + self._settings.post_roll_s
            if self._clip is None:
                self._begin(movement)
                return
        if self._clip is not None:
            self._append(packet)
            if packet.time_s + packet.duration_s >= self._until_s:
                self.end()

    def end(self) -> None:
        """Close the open clip, if any: its post-roll is over, or the stream ended."""
        if self._clip is not None:
            clip, self._clip = self._clip, None
            score, self._score = self._score, 0.0
            clip.close(score)

    def _begin(self, movement: Movement) -> None:
        packets = self._ring.since(movement.began_s - self._settings.pre_roll_s, self._written_to)
        if not packets:
            return  # nothing playable yet: the next key frame begins the clip
        name = ulid.new(packets[0].arrived_at)
        trigger_s = max(0.0, movement.began_s - packets[0].time_s)
        self._open(ClipStart(name, name, 1, packets[0], trigger_s))
        for packet in packets:
            self._append(packet)

    def _open(self, start: ClipStart) -> None:
        self._start = start
        self._clip = self._sink.open_clip(start)

    def _append(self, packet: VideoPacket) -> None:
        clip = self._clip
        if clip is None:
            return
        if clip.duration_with(packet) > self._settings.max_clip_s + 1e-6:
            self._split(clip, packet)
        else:
            clip.write(packet)
        self._written_to = packet.dts

    def _split(self, clip: OpenClip, packet: VideoPacket) -> None:
        """End this part before a key frame and go on in the next one, which begins with it."""
        if packet.is_key:
            self._continue(clip, [packet], cut=False)
        elif clip.can_cut:
            # The limit falls inside a group of pictures: the whole group moves into the next part.
            self._continue(clip, self._ring.group_up_to(packet), cut=True)
        else:
            # One group is longer than a clip may be. The next part repeats its key frame, to be able to play at all.
            log.warning(
                "the camera sends key frames more than %g s apart; set its key-frame interval to 2 s",
                self._settings.max_clip_s,
            )
            key = self._ring.group_up_to(packet)[0]
            repeated = replace(
                key,
                dts=packet.dts - 1,
                pts=packet.dts - 1,
                duration=1,
                arrived_at=packet.arrived_at,
                monotonic_s=packet.monotonic_s,
            )
            self._continue(clip, [repeated, packet], cut=False)

    def _continue(self, clip: OpenClip, packets: Iterable[VideoPacket], *, cut: bool) -> None:
        before = self._start
        clip.close(self._score, cut_before_last_key=cut)
        first, *rest = packets
        if before is not None:
            self._open(ClipStart(ulid.new(first.arrived_at), before.event, before.part + 1, first, None))
        if self._clip is not None:
            self._clip.write(first)
            for packet in rest:
                self._clip.write(packet)
