"""Runs the very chain of `uriai-edge run` over a file: clips into a folder."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from av.video.stream import VideoStream

from uriai_edge.camera import notice_s
from uriai_edge.capture import Source
from uriai_edge.clips import ClipCutter, ClipSink, ClipStart, OpenClip
from uriai_edge.config import Camera, Clips, Motion
from uriai_edge.gate import Gate
from uriai_edge.mp4 import Mp4Writer
from uriai_edge.packets import VideoPacket


@dataclass(frozen=True, slots=True)
class ReplayedClip:
    """One clip; times are seconds from the beginning of the replayed file, ``trigger_s`` the event's beginning."""

    file: Path
    start_s: float
    end_s: float
    trigger_s: float
    score: float


class _FolderSink(ClipSink):
    def __init__(self, folder: Path, stem: str, template: VideoStream) -> None:
        self._folder = folder
        self._stem = stem
        self._template = template
        self.clips: list[ReplayedClip] = []
        self._opened = 0
        self._trigger_s = 0.0

    def open_clip(self, start: ClipStart) -> OpenClip:
        if start.trigger_s is not None:
            self._trigger_s = start.first.time_s + start.trigger_s
        self._opened += 1
        file = self._folder / f"{self._stem}-{self._opened:03d}.mp4"
        return _FolderClip(self, file, Mp4Writer(file, self._template), start.first.time_s, self._trigger_s)


class _FolderClip(OpenClip):
    def __init__(self, sink: _FolderSink, file: Path, writer: Mp4Writer, start_s: float, trigger_s: float) -> None:
        self._sink = sink
        self._file = file
        self._writer = writer
        self._start_s = start_s
        self._trigger_s = trigger_s

    def duration_with(self, packet: VideoPacket) -> float:
        return self._writer.duration_with(packet)

    @property
    def can_cut(self) -> bool:
        return self._writer.can_cut

    def write(self, packet: VideoPacket) -> None:
        self._writer.write(packet)

    def close(self, score: float, *, cut_before_last_key: bool = False) -> None:
        facts = self._writer.cut_before_last_key() if cut_before_last_key else self._writer.finish()
        end_s = self._start_s + facts.duration_s
        self._sink.clips.append(ReplayedClip(self._file, self._start_s, end_s, self._trigger_s, score))


def replay(file: str, folder: Path, motion: Motion, clips: Clips) -> Iterator[ReplayedClip]:
    """Cut ``file`` into clips in ``folder``, yielding each as it is closed.

    Raises
    ------
    SourceError
        If the file cannot be read.
    OSError, Mp4Error
        If a clip cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    source = Source(Camera(number=1, source=file, pace="fast"), threading.Event())
    try:
        gate = Gate(motion, source.codec, source.extradata)
        sink = _FolderSink(folder, Path(file).stem, source.template)
        cutter = ClipCutter(clips, sink, notice_s(motion))
        given = 0
        for packet in source.packets():
            cutter.feed(packet, gate.feed(packet))
            while given < len(sink.clips):
                yield sink.clips[given]
                given += 1
        cutter.end()
        yield from sink.clips[given:]
    finally:
        source.close()
