"""Decides how much of a stream to decode: nearly nothing while nothing moves, everything from the first suspicion on.

Two cheap witnesses raise suspicion: packets that are larger than usual at their place in the group of pictures, and a
picture, decoded now and then, that differs from the last one looked at: a key frame every few seconds or, while sizes
tell nothing, so many pictures that nobody passes between two of them. What was skipped is then decoded from the last
key frame before on, so that the beginning of the movement is seen as well, and analysis decides.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterator
from typing import Any

import av
import numpy as np
from av.video.frame import VideoFrame

from uriai_edge.config import Motion
from uriai_edge.motion import MotionAnalyser, Movement, Picture, Sample, analysis_size, prepare
from uriai_edge.packets import VideoPacket
from uriai_edge.sizes import SizeWitness

log = logging.getLogger(__name__)

LONGEST_GROUP_S = 12.0
"""Where key frames come more seldom, everything is decoded: going back to one would take too long."""

_UNSEEN_S = 1.2
"""Longest time without a look while sizes tell nothing: who is in view for longer is seen."""

_LONGEST_OFTEN_S = 4.0
"""Where key frames come more seldom and sizes tell nothing, everything is decoded: looking often would save little."""

_CALM_S = 2.0  # so long without anything suspicious, and nothing is decoded again
_NOTICE_S = 1.0  # so long the sizes may need to show a movement
_CONFIRM_S = 0.6  # after a suspicion, so long without anything suspicious in the pictures will do
_LOOK_EVERY_S = 5.0  # how often a whole key frame is shown to the observer while everything is decoded
_MAX_BYTES = 48 * 1024 * 1024  # what was skipped is kept up to this, about 30 s of 12 Mbit/s

Observer = Callable[[VideoFrame, Picture, float], None]
"""Gets a decoded key frame now and then, its small picture and its time (stream seconds)."""


class Decoder:
    """Decodes one stream's packets with one thread; damaged ones are skipped and counted."""

    def __init__(self, codec: str, extradata: bytes | None, *, roughly: bool = False) -> None:
        """Prepare for ``codec``, as PyAV names it, and its parameter sets.

        ``roughly`` leaves out the loop filter: a fifth less work, and nobody sees it in pictures made small, as long as
        its errors do not add up over many.
        """
        self._codec = codec
        self._extradata = extradata
        self._roughly = roughly
        self._context: av.VideoCodecContext | None = None
        self.damaged = 0

    def decode(self, packet: VideoPacket) -> list[VideoFrame]:
        """Pictures that are ready after ``packet``; its own may come later."""
        raw = av.Packet(packet.data)
        raw.time_base, raw.pts, raw.dts = packet.time_base, packet.pts, packet.dts
        return self._run(raw)

    def decode_alone(self, packet: VideoPacket) -> list[VideoFrame]:
        """The picture of a key frame, without waiting for later ones."""
        self._context = None
        frames = self.decode(packet) + self._run(None)
        self.reset()
        return frames

    def reset(self) -> None:
        """Forget what was decoded, and its memory: the next packet is a key frame from elsewhere."""
        self._context = None

    def _run(self, raw: av.Packet[Any] | None) -> list[VideoFrame]:
        if self._context is None:
            self._context = self._open()
        try:
            return [frame for frame in self._context.decode(raw) if isinstance(frame, VideoFrame)]
        except av.error.FFmpegError:
            self.damaged += 1
            return []

    def _open(self) -> av.VideoCodecContext:
        context = av.CodecContext.create(self._codec, "r")
        if not isinstance(context, av.VideoCodecContext):
            raise TypeError(f"{self._codec} is not a video codec")
        context.thread_count = 1
        if self._roughly:
            context.options = {"skip_loop_filter": "all"}
        if self._extradata:
            context.extradata = self._extradata
        return context


class Gate:
    """Watches one opened stream for movement."""

    def __init__(
        self,
        settings: Motion,
        codec: str,
        extradata: bytes | None,
        *,
        everything: bool = False,
        observer: Observer | None = None,
    ) -> None:
        """Watch a stream of ``codec``; ``everything`` decodes all of it, as `uriai-edge tune` needs it."""
        self._settings = settings
        self._decoder = Decoder(codec, extradata)
        self._looker = Decoder(codec, extradata, roughly=True)
        self._analyser = MotionAnalyser(settings, masks=everything)
        self._everything = everything
        self._observer = observer
        self._sizes = SizeWitness()
        self._skipped: list[list[VideoPacket]] = []  # groups since the last key frame that was looked at, with its own
        self._skipped_bytes = 0
        self._group_begun_s: float | None = None
        self._group_packets = 0
        self._group_s: float | None = None  # length of the last whole group of pictures
        self._intra_only = False
        self._full = True
        self._calm_since_s = 0.0
        self._calm_for_s = _CALM_S
        self._suspected_s: float | None = None  # when the sizes raised a suspicion that is not confirmed yet
        self._moving = False
        self._checked_s = -1e9
        self._looks_s: list[float] = []  # when to look in the group that is coming, while sizes tell nothing …
        self._planned_s: float | None = None  # … which began then
        self._observed_s = -1e9
        self._next_sample_s = -1.0
        self._sampled_s = -1.0  # the last picture that was analysed or looked at
        self._samples: list[Sample] = []
        self.decoded = 0
        self.blind = 0
        """Key frames so far that gave no picture when they were looked at; everything was decoded instead."""

    @property
    def full(self) -> bool:
        """Whether everything is being decoded at the moment."""
        return self._full

    @property
    def damaged(self) -> int:
        """Packets that could not be decoded so far."""
        return self._decoder.damaged + self._looker.damaged

    @property
    def informative(self) -> bool:
        """Whether the sizes of packets have been found to tell movement from stillness."""
        return self._sizes.informative(self._calm_since_s)

    def feed(self, packet: VideoPacket) -> Movement | None:
        """Take the next packet and tell of movement seen in it or, once suspicion arose, in what was skipped."""
        if packet.is_key:
            if self._group_begun_s is not None:
                self._group_s = packet.time_s - self._group_begun_s
                self._intra_only = self._group_packets == 1
            self._group_begun_s, self._group_packets = packet.time_s, 0
        if self._group_begun_s is None:
            return None  # taken up between two key frames: nothing can be decoded yet
        self._group_packets += 1
        larger = self._sizes.feed(packet)
        if not self._full:
            return self._skip(packet, larger=larger)
        movement = self._decode(packet)
        if packet.is_key:
            self._skipped, self._skipped_bytes = [], 0
        self._keep(packet)
        if self._may_rest(packet.time_s):
            self._rest(packet)
        return movement

    def drain_samples(self) -> Iterator[Sample]:
        """Samples since the last call, for `tune`."""
        samples, self._samples = self._samples, []
        return iter(samples)

    # -- while nothing moves ----------------------------------------------------------------------------------------

    def _keep(self, packet: VideoPacket) -> None:
        if packet.is_key or not self._skipped:
            self._skipped.append([])
        self._skipped[-1].append(packet)
        self._skipped_bytes += len(packet.data)

    def _skip(self, packet: VideoPacket, *, larger: bool) -> Movement | None:
        self._keep(packet)
        informative = self._sizes.informative(packet.time_s)
        if larger and informative:
            self._suspected_s = packet.time_s
            # Sums take up to a second to show a movement: it may have begun, and ended, in the group before.
            late = packet.time_s - self._group_start() < _NOTICE_S
            return self._wake(max(0, len(self._skipped) - 1 - late))
        if self._skipped_bytes > _MAX_BYTES or packet.time_s - self._group_start() > LONGEST_GROUP_S:
            return self._wake(0)
        if not informative:
            return self._look_often(packet)
        if not packet.is_key or packet.time_s - self._checked_s < self._settings.check_every_s - 0.5:
            return None
        return self._check()

    def _group_start(self) -> float:
        return self._skipped[-1][0].time_s

    def _check(self) -> Movement | None:
        """Look at the key frame that just came; go back to where it began to differ, if it does."""
        packet = self._skipped[-1][0]
        picture = self._look(packet)
        if picture is None:
            return self._wake_blind()
        if self._analyser.differs(picture):
            first = len(self._skipped) - 1
            for number in range(1, len(self._skipped) - 1):
                earlier = self._look(self._skipped[number][0])
                if earlier is None or self._analyser.differs(earlier):
                    first = number
                    break
                self._sampled_s = self._skipped[number][0].time_s
                self._analyser.replace_last(earlier, self._sampled_s)
            return self._wake(max(0, first - 1))
        self._checked_s = self._sampled_s = packet.time_s
        self._analyser.replace_last(picture, packet.time_s)
        self._skipped, self._skipped_bytes = [self._skipped[-1]], len(packet.data)
        return None

    def _wake_blind(self) -> Movement | None:
        """A key frame gave no picture: nobody can tell what it would have shown, so all since the last look counts."""
        self.blind += 1
        return self._wake(0)

    def _look(self, packet: VideoPacket) -> Picture | None:
        frames = self._looker.decode_alone(packet)
        if not frames:
            return None
        self.decoded += len(frames)
        picture = self._picture(frames[-1])
        self._observe(frames[-1], picture, packet.time_s)
        return picture

    def _look_often(self, packet: VideoPacket) -> Movement | None:
        """Decode each group's beginning, and look as often as somebody could pass; what is left of it is skipped."""
        if packet.is_key and self._looks_s and self._looks_s[0] == self._planned_s:
            return self._wake_blind()  # nothing at all came out of the group before, and no error either
        if packet.is_key and (self._group_s or 0.0) <= _LONGEST_OFTEN_S:
            self._looks_s, self._planned_s = self._plan_looks(packet.time_s), packet.time_s
            self._looker.reset()
        elif self._planned_s != self._group_start():
            return self._wake(len(self._skipped) - 1)  # sizes were trusted until a moment ago
        if not self._looks_s:
            return None
        damaged = self._looker.damaged
        frames = self._looker.decode(packet)
        if packet.is_key and self._looker.damaged > damaged:
            return self._wake_blind()
        for frame in frames:
            self.decoded += 1
            time_s = _shown_s(frame, packet)
            if not self._looks_s or time_s < self._looks_s[0] - 1e-3:
                continue
            self._looks_s.pop(0)
            picture = self._picture(frame)
            if time_s - self._observed_s >= _LOOK_EVERY_S:
                self._observe(frame, picture, time_s)
            if self._analyser.differs(picture):
                # A key frame shows what came into view in the groups before it.
                return self._wake(0 if frame.key_frame else len(self._skipped) - 1)
            self._sampled_s = time_s
            self._analyser.replace_last(picture, time_s)
            if frame.key_frame:
                self._checked_s = time_s
                self._skipped = self._skipped[-1:]
                self._skipped_bytes = sum(len(one.data) for one in self._skipped[0])
        if not self._looks_s:
            self._looker.reset()
        return None

    def _plan_looks(self, begins_s: float) -> list[float]:
        """When to look in a group that begins at ``begins_s``: at the key frame, and late enough for the next one."""
        group_s = self._group_s or 0.0
        if begins_s + group_s - self._sampled_s <= _UNSEEN_S:
            return []  # key frames come so often that the next one will do
        last_s = max(0.0, group_s - _UNSEEN_S)
        steps = math.ceil(last_s / _UNSEEN_S)
        return [begins_s, *(begins_s + last_s * (step + 1) / steps for step in range(steps))]

    # -- while something may move -----------------------------------------------------------------------------------

    def _wake(self, first: int) -> Movement | None:
        """Decode everything from the skipped group ``first`` on."""
        packets = [packet for group in self._skipped[first:] for packet in group]
        self._full = True
        self._decoder.reset()
        self._looker.reset()
        self._moving = False
        self._calm_since_s = packets[-1].time_s
        self._calm_for_s = _CONFIRM_S if self._suspected_s is not None else _CALM_S
        # What was looked at already is only decoded again, for the pictures that follow need it.
        self._next_sample_s = max(packets[0].time_s, self._sampled_s + 1e-3)
        movement = None
        for packet in packets:
            movement = _joined(movement, self._decode(packet))
        # What is decoded now may have to be gone through again only from its last key frame on.
        self._skipped = self._skipped[-1:]
        self._skipped_bytes = sum(len(packet.data) for packet in self._skipped[0])
        if movement is not None and self._suspected_s is None and self._sizes.informative(packets[-1].time_s):
            self._sizes.movement(packets[-1].time_s, shown=False)
        return movement

    def _may_rest(self, time_s: float) -> bool:
        if self._everything or self._settings.check_every_s == 0 or self._group_s is None:
            return False
        # A stream of nothing but key frames is thinned by sampling already.
        if not 1.5 / self._settings.analysis_fps < self._group_s <= LONGEST_GROUP_S:
            return False
        if time_s - self._calm_since_s <= self._calm_for_s:
            return False
        if self._sizes.informative(time_s):
            return True
        # The next look comes with the next key frame.
        return self._group_s <= _LONGEST_OFTEN_S and time_s - self._group_start() >= self._group_s - _UNSEEN_S

    def _rest(self, packet: VideoPacket) -> None:
        if self._suspected_s is not None and not self._moving:
            self._sizes.false_alarm(packet.time_s)
        self._suspected_s = None
        self._full = False
        # Without trust in sizes it rests only where the next look comes soon enough. Trust may end at any time.
        trusted = self._sizes.informative(packet.time_s)
        self._looks_s, self._planned_s = [], None if trusted else self._group_start()
        self._checked_s = max(self._checked_s, packet.time_s - self._settings.check_every_s / 2)
        self._decoder.reset()

    def _decode(self, packet: VideoPacket) -> Movement | None:
        if packet.is_key and self._intra_only and packet.time_s < self._next_sample_s:
            return None
        movement = None
        for frame in self._decoder.decode(packet):
            self.decoded += 1
            time_s = _shown_s(frame, packet)
            if time_s >= self._next_sample_s:
                movement = _joined(movement, self._sample(frame, time_s))
        return movement

    def _sample(self, frame: VideoFrame, time_s: float) -> Movement | None:
        interval_s = 1 / self._settings.analysis_fps
        # Steps from the last due time, not from this picture: the rate stays right at any frame rate.
        self._next_sample_s = max(self._next_sample_s + interval_s, time_s + interval_s / 2)
        self._sampled_s = time_s
        picture = self._picture(frame)
        if time_s - self._observed_s >= _LOOK_EVERY_S:
            self._observe(frame, picture, time_s)
        sample = self._analyser.feed(picture, time_s)
        if sample.light_switch or sample.score >= self._settings.min_area / 2:
            self._calm_since_s, self._calm_for_s = max(self._calm_since_s, time_s), _CALM_S
        if sample.movement is not None and not self._moving and self._suspected_s is None:
            self._sizes.movement(time_s)
        self._moving = self._moving or sample.movement is not None
        if self._moving and time_s - self._calm_since_s > _CALM_S:
            self._moving = False
        if self._everything:
            self._samples.append(sample)
        return sample.movement

    def _observe(self, frame: VideoFrame, picture: Picture, time_s: float) -> None:
        self._observed_s = time_s
        if self._observer is not None:
            self._observer(frame, picture, time_s)

    @staticmethod
    def _picture(frame: VideoFrame) -> Picture:
        width, height = analysis_size(frame.width, frame.height)
        small = frame.reformat(width=width, height=height, format="gray", interpolation="AREA")
        return prepare(small.to_ndarray().astype(np.uint8, copy=False))


def _shown_s(frame: VideoFrame, packet: VideoPacket) -> float:
    """When a frame that came out after ``packet`` is shown, stream seconds."""
    if frame.pts is None:
        return packet.time_s
    return frame.pts * packet.time_base.numerator / packet.time_base.denominator


def _joined(one: Movement | None, two: Movement | None) -> Movement | None:
    """Both as one movement: the earlier beginning, the later end, the higher score."""
    if one is None or two is None:
        return one or two
    return Movement(min(one.began_s, two.began_s), max(one.last_s, two.last_s), max(one.score, two.score))
