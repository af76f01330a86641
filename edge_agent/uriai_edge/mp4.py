"""Writes compressed pictures into a fragmented MP4 as they are, and mends one that a crash cut short.

A fragmented MP4 plays up to its last whole fragment, so neither a crash nor a power cut costs more than the last
second.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
from av.video.stream import VideoStream

from uriai_edge.packets import VideoPacket

_FLAGS = "frag_keyframe+empty_moov+default_base_moof+skip_trailer"
_FRAGMENT_US = "1000000"
_WHOLE = (b"ftyp", b"styp", b"moov", b"moof", b"mdat", b"free", b"sidx", b"mfra")


class Mp4Error(Exception):
    """An MP4 that could not be written or read; the message names it."""


@dataclass(frozen=True, slots=True)
class Mp4Facts:
    """What an MP4 holds: its pictures and their span in seconds."""

    pictures: int
    duration_s: float


class _File:
    """What PyAV writes to: unbuffered and without seeking, so that everything before the end is final."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("wb", buffering=0)
        self.offset = 0
        self.dropping = False

    def fileno(self) -> int:
        return self._file.fileno()

    def write(self, data: bytes) -> int:
        if self.dropping:  # the muxer's last fragment after a cut
            return len(data)
        view = memoryview(data)
        written = 0
        while written < len(view):
            written += self._file.write(view[written:])
        self.offset += written
        return written

    def close(self) -> None:
        self._file.close()


class Mp4Writer:
    """One MP4 being written: `write` packets in decoding order, then `finish` (or `cut_before_last_key`)."""

    def __init__(self, path: Path, template: VideoStream) -> None:
        """Begin ``path`` anew for pictures of the stream ``template``.

        Raises
        ------
        Mp4Error
            If the codec does not go into an MP4.
        OSError
            If the file cannot be created.
        """
        self.path = path
        self._file = _File(path)
        self._first_dts: int | None = None
        self._first_pts = 0
        self._end_pts = 0
        self._pictures = 0
        self._time_base = Fraction(1)
        self._last_key: tuple[int, int, int] | None = None  # offset in the file, pictures and end before it
        try:
            self._container = av.open(
                self._file,
                "w",
                format="mp4",
                options={"movflags": _FLAGS, "flush_packets": "1", "frag_duration": _FRAGMENT_US},
            )
            self._stream = self._container.add_stream_from_template(template)
        except (av.error.FFmpegError, ValueError) as error:
            self._file.close()
            raise Mp4Error(f"{path.name}: an MP4 cannot hold this stream: {error}") from error

    @property
    def facts(self) -> Mp4Facts:
        """What was written so far."""
        return Mp4Facts(self._pictures, float((self._end_pts - self._first_pts) * self._time_base))

    def duration_with(self, packet: VideoPacket) -> float:
        """How many seconds the file would last with ``packet`` too."""
        if self._first_dts is None:
            return packet.duration_s
        return float((max(self._end_pts, packet.pts + packet.duration) - self._first_pts) * packet.time_base)

    @property
    def can_cut(self) -> bool:
        """Whether there is a key frame after the first one, before which the file can be cut."""
        return self._last_key is not None

    def write(self, packet: VideoPacket) -> None:
        """Append ``packet``; the first one becomes time 0.

        Raises
        ------
        OSError
            If the disk does not take it.
        """
        if self._first_dts is None:
            self._first_dts, self._first_pts, self._time_base = packet.dts, packet.pts, packet.time_base
            self._end_pts = packet.pts
        copy = av.Packet(packet.data)
        copy.time_base = packet.time_base
        copy.pts = packet.pts - self._first_dts
        copy.dts = packet.dts - self._first_dts
        copy.duration = packet.duration
        copy.is_keyframe = packet.is_key
        copy.stream = self._stream
        pictures, end = self._pictures, self._end_pts
        try:
            self._container.mux_one(copy)
        except av.error.FFmpegError as error:
            raise Mp4Error(f"{self.path.name}: a picture cannot be written: {error}") from error
        if packet.is_key and pictures:
            self._last_key = (self._file.offset, pictures, end)  # a key frame begins a fragment: all before it is out
        self._pictures += 1
        self._end_pts = max(self._end_pts, packet.pts + packet.duration)

    def finish(self) -> Mp4Facts:
        """Write what is left, make it durable and close.

        Raises
        ------
        OSError
            If the disk does not take it.
        """
        try:
            self._container.close()
        except av.error.FFmpegError as error:
            self._file.close()
            raise Mp4Error(f"{self.path.name}: cannot be finished: {error}") from error
        os.fsync(self._file.fileno())
        self._file.close()
        return self.facts

    def cut_before_last_key(self) -> Mp4Facts:
        """Like `finish`, without the last key frame and what followed it."""
        if self._last_key is None:
            raise Mp4Error(f"{self.path.name}: has only one key frame")
        offset, self._pictures, self._end_pts = self._last_key
        self._file.dropping = True
        self._container.close()
        os.ftruncate(self._file.fileno(), offset)
        os.fsync(self._file.fileno())
        self._file.close()
        return self.facts

    def abandon(self) -> None:
        """Close without finishing: what is on the disk stays, as after a crash."""
        self._file.dropping = True
        with suppress(av.error.FFmpegError, OSError):  # nothing is asked of it but to let go
            self._container.close()
        self._file.close()


def read_facts(path: Path) -> Mp4Facts:
    """Count the pictures of the first video stream and their span.

    Raises
    ------
    Mp4Error
        If the file cannot be read or holds no video.
    """
    try:
        with av.open(str(path)) as container:
            if not container.streams.video:
                raise Mp4Error(f"{path.name}: holds no video")
            stream = container.streams.video[0]
            base = stream.time_base or Fraction(1, 90000)
            first, end, count = None, 0, 0
            for packet in container.demux(stream):
                if packet.size == 0 or packet.pts is None:
                    continue
                first = packet.pts if first is None else min(first, packet.pts)
                end = max(end, packet.pts + (packet.duration or 0))
                count += 1
    except (av.error.FFmpegError, OSError, ValueError) as error:
        raise Mp4Error(f"{path.name}: cannot be read: {getattr(error, 'strerror', None) or error}") from error
    return Mp4Facts(count, 0.0 if first is None else float((end - first) * base))


def mend(path: Path) -> Mp4Facts:
    """Cut a fragmented MP4 that a crash left behind after its last whole fragment and make it durable.

    Raises
    ------
    Mp4Error
        If not one fragment is whole: the file is left as it is.
    """
    end = _end_of_last_fragment(path)
    if end is None:
        raise Mp4Error(f"{path.name}: not one whole fragment")
    with path.open("r+b") as file:
        file.truncate(end)
        os.fsync(file.fileno())
    facts = read_facts(path)
    if facts.pictures == 0:
        raise Mp4Error(f"{path.name}: not one picture")
    return facts


def _end_of_last_fragment(path: Path) -> int | None:
    end, before = None, b""
    for kind, stop in _boxes(path):
        if kind == b"mdat" and before == b"moof":
            end = stop
        before = kind
    return end


def _boxes(path: Path) -> Iterator[tuple[bytes, int]]:
    """The file's whole top-level boxes: type and where it ends."""
    size = path.stat().st_size
    with path.open("rb") as file:
        at = 0
        while at + 8 <= size:
            file.seek(at)
            header = file.read(16)
            length, kind = int.from_bytes(header[:4], "big"), header[4:8]
            if length == 1 and len(header) == 16:
                length = int.from_bytes(header[8:16], "big")
            if length < 8 or at + length > size or kind not in _WHOLE:
                return
            at += length
            yield kind, at
