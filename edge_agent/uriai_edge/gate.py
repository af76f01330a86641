"""Decides how much of a stream to decode: key frames while nothing moves, everything from the first suspicion on.

Two cheap witnesses raise suspicion: key frames that differ, and packets that are larger than usual. Everything is then
decoded from the key frame before on, so that the beginning of the movement is seen as well, and analysis decides.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import av
import numpy as np
from av.video.frame import VideoFrame

from uriai_edge.config import Motion
from uriai_edge.motion import MotionAnalyser, Movement, Picture, Sample, analysis_size, prepare
from uriai_edge.packets import VideoPacket
from uriai_edge.sizes import SizeWitness

log = logging.getLogger(__name__)

_CALM_S = 2.0  # so long without anything suspicious, and only key frames are decoded again
_MAX_GROUP_PACKETS = 1000


class Decoder:
    """Decodes one stream's packets with one thread; damaged ones are skipped and counted."""

    def __init__(self, codec: str, extradata: bytes | None) -> None:
        """Prepare for ``codec``, as PyAV names it, and its parameter sets."""
        context = av.CodecContext.create(codec, "r")
        if not isinstance(context, av.VideoCodecContext):
            raise TypeError(f"{codec} is not a video codec")
        self._context = context
        self._context.thread_count = 1
        if extradata:
            self._context.extradata = extradata
        self.damaged = 0

    def decode(self, packet: VideoPacket) -> list[VideoFrame]:
        """Pictures that are ready after ``packet``; its own may come later."""
        raw = av.Packet(packet.data)
        raw.time_base, raw.pts, raw.dts = packet.time_base, packet.pts, packet.dts
        return self._run(raw)

    def decode_alone(self, packet: VideoPacket) -> list[VideoFrame]:
        """The picture of a key frame, without waiting for later ones."""
        self._context.flush_buffers()
        frames = self.decode(packet) + self._run(None)
        self._context.flush_buffers()
        return frames

    def reset(self) -> None:
        """Forget what was decoded: the next packet is a key frame from elsewhere."""
        self._context.flush_buffers()

    def _run(self, raw: av.Packet[Any] | None) -> list[VideoFrame]:
        try:
            return [frame for frame in self._context.decode(raw) if isinstance(frame, VideoFrame)]
        except av.error.FFmpegError:
            self.damaged += 1
            return []


class Gate:
    """Watches one opened stream for movement."""

    def __init__(self, settings: Motion, codec: str, extradata: bytes | None, *, everything: bool = False) -> None:
        """Watch a stream of ``codec``; ``everything`` decodes all of it, as `uriai-edge tune` needs it."""
        self._settings = settings
        self._decoder = Decoder(codec, extradata)
        self._analyser = MotionAnalyser(settings)
        self._everything = everything
        self._sizes = SizeWitness()
        self._group: list[VideoPacket] = []
        self._group_s: float | None = None  # length of the last whole group of pictures
        self._intra_only = False
        self._full = True
        self._calm_since_s = 0.0
        self._next_sample_s = -1.0
        self._samples: list[Sample] = []
        self.decoded = 0

    @property
    def full(self) -> bool:
        """Whether everything is being decoded at the moment."""
        return self._full

    @property
    def damaged(self) -> int:
        """Packets that could not be decoded so far."""
        return self._decoder.damaged

    def feed(self, packet: VideoPacket) -> Movement | None:
        """Take the next packet and tell of movement seen in it or, once suspicion arose, in its group of pictures."""
        if packet.is_key:
            if self._group:
                self._group_s = packet.time_s - self._group[0].time_s
                self._intra_only = len(self._group) == 1
            before, self._group = self._group, [packet]
            if not self._full:
                return self._key_frame(packet, before)
        elif self._group and len(self._group) < _MAX_GROUP_PACKETS:
            self._group.append(packet)
        larger = self._sizes.feed(packet)
        if not self._full:
            return self._wake([], self._group) if larger else None
        movement = self._decode(packet)
        if packet.is_key and self._may_rest(packet.time_s):
            self._rest()
        return movement

    def drain_samples(self) -> Iterator[Sample]:
        """Samples since the last call, for `tune`."""
        samples, self._samples = self._samples, []
        return iter(samples)

    def _may_rest(self, time_s: float) -> bool:
        short = self._group_s is not None and self._group_s <= self._settings.key_frames_up_to_s
        # A stream of nothing but key frames is thinned by sampling already.
        thinner = self._group_s is not None and self._group_s > 1.5 / self._settings.analysis_fps
        calm = time_s - self._calm_since_s > _CALM_S
        return not self._everything and short and thinner and calm and self._sizes.informative

    def _rest(self) -> None:
        self._full = False
        self._decoder.reset()

    def _key_frame(self, packet: VideoPacket, before: list[VideoPacket]) -> Movement | None:
        too_seldom = self._group_s is not None and self._group_s > self._settings.key_frames_up_to_s
        if too_seldom or not self._sizes.informative:
            return self._wake(before, [packet])
        frames = self._decoder.decode_alone(packet)
        if not frames:
            return None
        self.decoded += len(frames)
        picture = self._picture(frames[-1])
        if self._analyser.differs(picture):
            return self._wake(before, [packet])
        self._analyser.replace_last(picture, packet.time_s)
        return None

    def _wake(self, before: list[VideoPacket], group: list[VideoPacket]) -> Movement | None:
        self._full = True
        self._decoder.reset()
        first = (before or group)[0]
        self._calm_since_s = group[-1].time_s
        self._next_sample_s = first.time_s + 1 / self._settings.analysis_fps  # the key frame itself was compared with
        movement = None
        for packet in (*before, *group):
            movement = _joined(movement, self._decode(packet))
        return movement

    def _decode(self, packet: VideoPacket) -> Movement | None:
        if packet.is_key and self._intra_only and packet.time_s < self._next_sample_s:
            return None
        movement = None
        for frame in self._decoder.decode(packet):
            self.decoded += 1
            time_s = float(frame.pts * packet.time_base) if frame.pts is not None else packet.time_s
            if time_s >= self._next_sample_s:
                movement = _joined(movement, self._sample(frame, time_s))
        return movement

    def _sample(self, frame: VideoFrame, time_s: float) -> Movement | None:
        interval_s = 1 / self._settings.analysis_fps
        # Steps from the last due time, not from this picture: the rate stays right at any frame rate.
        self._next_sample_s = max(self._next_sample_s + interval_s, time_s + interval_s / 2)
        sample = self._analyser.feed(self._picture(frame), time_s)
        if sample.light_switch or sample.score >= self._settings.min_area / 2:
            self._calm_since_s = time_s
        if self._everything:
            self._samples.append(sample)
        return sample.movement

    @staticmethod
    def _picture(frame: VideoFrame) -> Picture:
        width, height = analysis_size(frame.width, frame.height)
        small = frame.reformat(width=width, height=height, format="gray", interpolation="AREA")
        return prepare(small.to_ndarray().astype(np.uint8, copy=False))


def _joined(one: Movement | None, two: Movement | None) -> Movement | None:
    """Both as one movement: the earlier beginning, the later end, the higher score."""
    if one is None or two is None:
        return one or two
    return Movement(min(one.began_s, two.began_s), max(one.last_s, two.last_s), max(one.score, two.score))
