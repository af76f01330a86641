"""Opens cameras, webcams and files with PyAV and hands on their compressed pictures. Audio is dropped."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path

import av
from av.container import InputContainer
from av.video.stream import VideoStream

from uriai_edge.config import Camera
from uriai_edge.packets import Timeline, VideoPacket
from uriai_edge.pauses import Pauses
from uriai_edge.redact import redact

COPYABLE = frozenset({"h264", "hevc", "mjpeg", "mpeg4", "av1"})
"""Codecs that go into an MP4 as they are and that the cloud can decode."""

DEFAULT_PICTURE_S = 1 / 15
_NO_FRAME_RATE_ABOVE = 240


class SourceError(Exception):
    """A source that cannot be opened or read on; the message names it, without its password, and the remedy."""


class SourceLostError(SourceError):
    """A source that worked and broke off: opening it anew may help."""


class Source:
    """An opened camera or file; iterate over `packets`, then `close`."""

    def __init__(self, camera: Camera, stop: threading.Event, starts_at: datetime | None = None) -> None:
        """Open the camera's source.

        Parameters
        ----------
        camera
            What to open, and how.
        stop
            Ends `packets` soon after it is set.
        starts_at
            The aware instant of a file's first picture; default: now, or for a file replayed fast the instant that
            makes it end now.

        Raises
        ------
        SourceError
            If it cannot be opened or holds no usable video.
        """
        self.camera = camera
        self.name = redact(camera.source)
        self._stop = stop
        self._container = _open(camera, self.name)
        try:
            self.template = _video_stream(self._container, self.name)
        except SourceError:
            self._container.close()
            raise
        self.codec: str = self.template.codec_context.name
        self.extradata: bytes | None = self.template.codec_context.extradata
        self.width: int = self.template.codec_context.width
        self.height: int = self.template.codec_context.height
        self.time_base: Fraction = self.template.time_base or Fraction(1, 90000)
        self._timeline = Timeline(self.time_base, _picture_s(self.template), live=camera.is_live)
        self._ticks_per_s = self.time_base.denominator / self.time_base.numerator
        # Datagrams that are not read in time are lost, and so are a webcam's pictures.
        self._gathers = camera.is_live and "://" in camera.source and camera.transport == "tcp"
        self._starts_at = starts_at

    @property
    def jumps(self) -> int:
        """How often the stream's clock jumped so far."""
        return self._timeline.jumps

    def packets(self) -> Iterator[VideoPacket]:
        """Yield the video's packets: live as they come, a file at its own speed or as fast as possible.

        Raises
        ------
        SourceLostError
            If the source breaks off or stays silent for the camera's timeout.
        SourceError
            If a file cannot be read on.
        """
        origin_s = asked_s = time.monotonic()
        begins_at = self._file_start()
        count = 0
        pauses = Pauses() if self._gathers else None
        try:
            for packet in self._container.demux(self.template):
                if self._stop.is_set():
                    return
                if packet.size == 0:  # the demuxer's end mark
                    continue
                now_s, arrived_at = time.monotonic(), datetime.now(UTC)
                if pauses is not None:
                    stamp_s = None if packet.dts is None else packet.dts / self._ticks_per_s
                    came_s = pauses.note(
                        packet.size, is_key=packet.is_keyframe, stamp_s=stamp_s, asked_s=asked_s, now_s=now_s
                    )
                    now_s, arrived_at = came_s, arrived_at - timedelta(seconds=now_s - came_s)
                pts, dts, duration = self._timeline.place(packet.pts, packet.dts, packet.duration, now_s)
                if not self.camera.is_live:
                    media_s = float(dts * self.time_base)
                    if self.camera.pace == "real" and self._stop.wait(max(0.0, origin_s + media_s - now_s)):
                        return
                    now_s, arrived_at = origin_s + media_s, begins_at + timedelta(seconds=media_s)
                count += 1
                yield VideoPacket(
                    bytes(packet), pts, dts, duration, packet.is_keyframe, self.time_base, arrived_at, now_s
                )
                if pauses is not None:
                    pause_s = pauses.length_s(time.monotonic())
                    if pause_s and self._stop.wait(pause_s):
                        return
                    asked_s = time.monotonic()
        except (av.error.FFmpegError, OSError) as error:
            message = f"{self.name}: broke off after {count} pictures: {_reason(error)}"
            raise (SourceLostError if self.camera.is_live else SourceError)(message) from None
        if self.camera.is_live:
            raise SourceLostError(f"{self.name}: the stream ended after {count} pictures")
        if count == 0:
            raise SourceError(f"{self.name}: holds no pictures; is the file complete?")

    def close(self) -> None:
        """Let go of the source."""
        self._container.close()

    def _file_start(self) -> datetime:
        if self._starts_at is not None:
            return self._starts_at
        now = datetime.now(UTC)
        if self.camera.pace == "fast" and self._container.duration:
            return now - timedelta(microseconds=self._container.duration)
        return now


def _open(camera: Camera, name: str) -> InputContainer:
    address = camera.address()
    options: dict[str, str] = {}
    form: str | None = None
    if address.startswith("webcam:"):
        address, form = f"/dev/video{address.removeprefix('webcam:')}", "v4l2"
        options["input_format"] = "mjpeg"  # compressed by the camera itself, so that it can be copied
        if not Path(address).exists():
            raise SourceError(f"{name}: there is no {address}; is the webcam plugged in and visible to this user?")
    elif address.startswith(("rtsp://", "rtsps://")):
        options |= {"rtsp_transport": camera.transport, "allowed_media_types": "video", "buffer_size": "4194304"}
    elif address.startswith(("http://", "https://")):
        options["multiple_requests"] = "0"
    else:
        _check_file(Path(address.removeprefix("file://")), name)
        address = address.removeprefix("file://")
    begun_s = time.monotonic()
    try:
        return av.open(address, "r", format=form, options=options, timeout=(camera.timeout_s, camera.timeout_s))
    except (av.error.FFmpegError, OSError, ValueError) as error:
        # Whatever the library calls it: who let all that time pass did not answer.
        late = camera.is_live and time.monotonic() - begun_s >= 0.95 * camera.timeout_s
        reason = "did not answer in time; is it a camera, and not too busy?" if late else _reason(error)
        raise SourceError(f"{name}: cannot be opened: {reason}") from None


def _check_file(path: Path, name: str) -> None:
    if not path.exists():
        raise SourceError(f"{name}: there is no such file; check source")
    if path.is_dir():
        raise SourceError(f"{name}: is a folder, not a video file; check source")
    if path.is_file() and path.stat().st_size == 0:
        raise SourceError(f"{name}: is empty (0 bytes); check source")


def _video_stream(container: InputContainer, name: str) -> VideoStream:
    if not container.streams.video:
        only = "only audio" if container.streams.audio else "no video"
        raise SourceError(f"{name}: holds {only}; check source, or what the camera sends")
    stream = container.streams.video[0]
    codec = stream.codec_context.name if stream.codec_context is not None else None
    if codec not in COPYABLE:
        raise SourceError(
            f"{name}: its codec is {codec or 'unknown'}; set the camera to H.264 or H.265 (also usable: "
            f"{', '.join(sorted(COPYABLE - {'h264', 'hevc'}))})"
        )
    if not stream.codec_context.width or not stream.codec_context.height:
        raise SourceError(f"{name}: the size of its pictures cannot be read; is it really a video?")
    return stream


def _picture_s(stream: VideoStream) -> float:
    rate = stream.average_rate or stream.guessed_rate
    if not rate or not 0 < rate <= _NO_FRAME_RATE_ABOVE:
        return DEFAULT_PICTURE_S
    return float(1 / rate)


_REMEDIES: tuple[tuple[type[BaseException], str], ...] = (
    (
        av.error.HTTPUnauthorizedError,
        "user name or password is wrong (401); check username and password, or password_file",
    ),
    (
        av.error.HTTPForbiddenError,
        "this user may not see it (403); let the camera show it to username, or take another one",
    ),
    (av.error.HTTPNotFoundError, "there is nothing under this path (404); check source against the camera's manual"),
    (av.error.InvalidDataError, "is not a video that can be read, or not complete; check source"),
    (
        av.error.ConnectionRefusedError,
        "nothing answers at this address and port (connection refused); check source, and whether it is on",
    ),
    (av.error.ExitError, "did not answer in time; check source and the network"),
    (av.error.TimeoutError, "did not answer in time; check source and the network"),
    (av.error.EOFError, "ended before anything could be read; check source"),
)


def _reason(error: BaseException) -> str:
    for kind, words in _REMEDIES:
        if isinstance(error, kind):
            return words
    strerror = getattr(error, "strerror", None)
    return redact(f"{strerror or error}; check source and the network")
