"""A film read and written anew with PyAV: every frame with its own time, upright, as the planes it is coded in.

`Clip` decodes with OpenCV, which knows no exact times and writes no H.264; it stays what `analyze` uses.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any, cast

import av
import numpy as np
from av.video.stream import VideoStream
from numpy.typing import NDArray

from uriai.adapters.vision.container import inspect
from uriai.adapters.vision.faces import to_multiple
from uriai.adapters.vision.limits import (
    LONGEST_GAP_S,
    Limits,
    check_complete,
    check_length,
    check_size,
    sane_fps,
    too_long,
)
from uriai.adapters.vision.scaling import Image
from uriai.service.ports.masking import NotWritten
from uriai.service.ports.vision import ClipFault, NotAVideo

ENCODER = "libx264"
_QUALITY = "23"
_KEY_FRAME_EVERY = 50
_CLOCK = Fraction(1, 90_000)

Planes = tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.uint8]]
"""Brightness uint8 [H, W] and the two colour planes uint8 [H / 2, W / 2]; H and W even."""


@dataclass(frozen=True, slots=True)
class Shape:
    """How a film's frames are coded: even width and height in pixels, and how often they have to be turned by 90
    degrees counterclockwise to stand upright, 0..3. The first frame says it for all.
    """

    width: int
    height: int
    turns: int


class Picture:
    """One decoded frame; ``t_s`` seconds and ``ticks`` of the film's ``time_base`` after the first one."""

    __slots__ = ("_frame", "_size", "_turns", "half_step_s", "number", "t_s", "ticks")

    def __init__(self, frame: av.VideoFrame, shape: Shape, number: int, ticks: int, step: int, base: Fraction) -> None:
        self._frame, self._turns, self._size = frame, shape.turns, (shape.width, shape.height)
        self.number, self.ticks = number, ticks
        self.t_s, self.half_step_s = float(ticks * base), float(step * base) / 2

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the upright picture in pixels, as they are written: even."""
        width, height = self._size
        return (height, width) if self._turns % 2 else (width, height)

    @property
    def lies(self) -> bool:
        """The picture is coded lying on its side."""
        return self._turns % 2 == 1

    def image(self) -> Image:
        """The upright picture, BGR uint8 [H, W, 3]."""
        return self._pixels(*self._size)

    def reduced(self, long_side_px: int) -> Image:
        """The upright picture, BGR uint8 [H, W, 3], with about that many pixels on its longer side, never more than it
        has; both sides are multiples of 32.

        Scaled straight from the coded planes, which spares turning every pixel of a large frame into colours.
        """
        width, height = self._size
        share = min(1.0, long_side_px / max(width, height))
        return self._pixels(to_multiple(width * share), to_multiple(height * share))

    def planes(self) -> Planes:
        """The upright picture as it is coded; a side of an odd number of pixels loses one."""
        width, height = self._size
        flat = self._frame.reformat(width=width, height=height, format="yuv420p").to_ndarray().reshape(-1)
        bright, colour = width * height, width * height // 4
        parts = (
            flat[:bright].reshape(height, width),
            flat[bright : bright + colour].reshape(height // 2, width // 2),
            flat[bright + colour :].reshape(height // 2, width // 2),
        )
        one, two, three = (self._upright(part) for part in parts)
        return one, two, three

    def _pixels(self, width: int, height: int) -> Image:
        reduced = self._frame.reformat(width=width, height=height, format="bgr24", interpolation="AREA").to_ndarray()
        return self._upright(reduced)

    def _upright(self, pixels: NDArray[Any]) -> NDArray[np.uint8]:
        return np.ascontiguousarray(np.rot90(pixels, self._turns), np.uint8)


@dataclass(frozen=True, slots=True)
class Coding:
    """What of a film's coding goes on in a copy: ticks of a second, nominal rate, shape of a pixel."""

    time_base: Fraction
    rate: Fraction
    pixel_aspect: Fraction | None


class Film:
    """An open film. Use as a context manager; iterate `pictures` once.

    ``duration_s`` is known after the last picture. ``has_sound``: there is something to be heard in the file.
    """

    def __init__(self, path: Path, limits: Limits | None = None) -> None:
        """Open ``path``.

        Raises
        ------
        NotAVideo
            If it cannot be decoded; see `ClipFault`.
        FileNotFoundError
            If there is no such file.
        """
        self._limits = limits or Limits()
        found = inspect(path)
        check_length(found.declared_s, self._limits)
        self._declared_s = found.declared_s
        try:
            # an absolute path can never be read as a protocol ("concat:…")
            self._container = av.open(str(path.absolute()), metadata_errors="ignore")
        except av.FFmpegError as error:
            raise NotAVideo(ClipFault.UNDECODABLE, f"the file cannot be opened as a video: {error.strerror}") from error
        if not self._container.streams.video:
            self._container.close()
            raise NotAVideo(ClipFault.NO_VIDEO_STREAM, "the file holds no picture track, only sound or data")
        self._stream = self._container.streams.video[0]
        self._stream.codec_context.thread_count = 1
        self.has_sound = bool(self._container.streams.audio)
        self.duration_s = 0.0

    def __enter__(self) -> Film:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._container.close()

    @property
    def coding(self) -> Coding:
        """Of the picture track."""
        aspect = self._stream.sample_aspect_ratio
        return Coding(self._time_base, self._rate, Fraction(aspect) if aspect else None)

    def pictures(self) -> Iterator[Picture]:
        """Every frame in order of time, the first at 0 s; a frame whose time stands still or runs backwards comes one
        nominal step after the one before.

        Raises
        ------
        NotAVideo
            ``undecodable`` without a single frame, ``truncated`` when the frames end early, ``too_long`` past the
            limit, ``too_small`` or ``too_large``.
        """
        time_base, nominal = self._time_base, max(1, round(1 / (self._rate * self._time_base)))
        longest = round(LONGEST_GAP_S / time_base)
        ticks, step, before, number = 0, nominal, 0, 0
        shape = Shape(0, 0, 0)
        for frame in self._decoded():
            stated = frame.pts if frame.pts is not None else before + nominal
            if number == 0:
                check_size(frame.width, frame.height, self._limits)
                shape = Shape(frame.width // 2 * 2, frame.height // 2 * 2, round(frame.rotation / 90) % 4)
            else:
                gap = stated - before
                step = gap if 0 < gap <= longest else nominal
                ticks += step
            before = stated
            picture = Picture(frame, shape, number, ticks, step, time_base)
            if picture.t_s > self._limits.longest_s or number >= self._limits.most_frames:
                raise too_long(picture.t_s, self._limits)
            yield picture
            number += 1
        if not number:
            raise NotAVideo(ClipFault.UNDECODABLE, "not one frame of the video can be decoded")
        self.duration_s = float((ticks + min(step, 2 * nominal)) * time_base)
        check_complete(self._declared_s, self.duration_s, float(nominal * time_base), number)

    def _decoded(self) -> Iterator[av.VideoFrame]:
        """Frames as the decoder gives them; a damaged packet is left out, as players do."""
        packets = self._container.demux(self._stream)
        while True:
            try:
                packet = next(packets)
            except StopIteration:
                return
            except av.FFmpegError:
                return
            try:
                yield from packet.decode()
            except av.FFmpegError:
                continue

    @property
    def _time_base(self) -> Fraction:
        return Fraction(self._stream.time_base) if self._stream.time_base else _CLOCK

    @property
    def _rate(self) -> Fraction:
        stated = self._stream.average_rate or self._stream.guessed_rate
        return Fraction(sane_fps(float(stated) if stated else 0.0)).limit_denominator(1001)


class FilmWriter:
    """Writes an MP4 with H.264 and nothing else: no sound, no metadata. Use as a context manager.

    The file is there only when the last frame is written: an error in between leaves nothing behind.

    Parameters
    ----------
    path:
        The file to make; it must not exist.
    size:
        Width and height in pixels, even.
    coding:
        Of the film it is a copy of.
    turned:
        The picture was turned by 90 degrees: its pixels' shape was too.

    Raises
    ------
    FileExistsError
        If there is such a file.
    NotWritten
        If the encoder is missing, or there is no room, or no right to write.
    """

    def __init__(self, path: Path, size: tuple[int, int], coding: Coding, *, turned: bool = False) -> None:
        self._path, self._part = path, path.with_name(f".{path.name}.part")
        if ENCODER not in av.codecs_available:
            raise NotWritten(
                f"this PyAV has no H.264 encoder ({ENCODER}): install its wheel, or build it against FFmpeg"
                " with libx264"
            )
        try:
            # takes the name, so that nothing that comes there meanwhile is overwritten
            path.open("xb").close()
        except FileExistsError:
            raise
        except OSError as error:
            raise NotWritten(f"{path} cannot be written: {error.strerror}") from error
        try:
            self._container = av.open(
                str(self._part.absolute()),
                "w",
                format="mp4",
                options={"movflags": "+faststart", "fflags": "+bitexact"},
                container_options={"video_track_timescale": str(1 / coding.time_base)}
                if coding.time_base.numerator == 1
                else {},
            )
            options = {"preset": "ultrafast", "crf": _QUALITY}
            self._stream = cast(VideoStream, self._container.add_stream(ENCODER, rate=coding.rate, options=options))
            self._stream.width, self._stream.height, self._stream.pix_fmt = *size, "yuv420p"
            context: Any = self._stream.codec_context
            context.time_base = coding.time_base
            context.thread_count, context.max_b_frames, context.gop_size = 1, 0, _KEY_FRAME_EVERY
            if coding.pixel_aspect:
                context.sample_aspect_ratio = 1 / coding.pixel_aspect if turned else coding.pixel_aspect
        except (av.FFmpegError, OSError) as error:
            self._give_up()
            raise self._not_written(error) from error
        self._time_base = coding.time_base

    def __enter__(self) -> FilmWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            self._give_up()
            return
        try:
            self._container.mux(self._stream.encode(None))
            self._container.close()
            self._part.replace(self._path)
        except (av.FFmpegError, OSError) as fault:
            self._give_up()
            raise self._not_written(fault) from fault

    def write(self, planes: Planes, ticks: int) -> None:
        """Append a frame that is shown from ``ticks`` on."""
        height, width = planes[0].shape
        flat = np.concatenate([plane.reshape(-1) for plane in planes]).reshape(height * 3 // 2, width)
        frame = av.VideoFrame.from_ndarray(flat, format="yuv420p")
        frame.pts, frame.time_base = ticks, self._time_base
        try:
            self._container.mux(self._stream.encode(frame))
        except (av.FFmpegError, OSError) as error:
            raise self._not_written(error) from error

    def _give_up(self) -> None:
        """Take back what was begun."""
        container = getattr(self, "_container", None)
        if container is not None:
            with contextlib.suppress(av.FFmpegError, OSError):
                container.close()
        self._part.unlink(missing_ok=True)
        self._path.unlink(missing_ok=True)

    def _not_written(self, error: av.FFmpegError | OSError) -> NotWritten:
        return NotWritten(f"{self._path} cannot be written: {error.strerror or error}")
