"""Films, decoded and written by PyAV. Timestamps decide: a frame rate is only believed where a frame has no time.

A film that cannot be decoded to its end gives the frames before that and says why it stopped; nobody has to notice by
counting.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import cv2
import numpy as np
from av.video.stream import VideoStream
from numpy.typing import NDArray

from models.tools.geometry import Image

SUFFIXES = (".mp4", ".avi", ".mkv", ".mov", ".m4v", ".webm", ".mpg", ".mpeg", ".ts")
CODEC = "libx264"
_TICKS = 90_000
_COMPLETE = 0.9
"""A film of which less than this share of the stated playing time can be decoded has stopped mid-way."""
_FALLBACK_FPS = 25.0
_RATE_STEP = 0.2
"""Frame intervals that differ by less than this share make one rate: MP4 rounds times, cameras jitter."""


class FilmError(ValueError):
    """Not one frame can be decoded; the message names the file and what is wrong."""


@dataclass(frozen=True)
class Shot:
    """One frame: seconds from the film's first one, its number, and BGR pixels uint8 [H, W, 3], upright."""

    t_s: float
    index: int
    image: Image


class Film:
    """An open film; use as a context manager and iterate ``shots`` once.

    ``stopped`` is None or says after the last shot why the film ended too early.
    """

    def __init__(self, path: Path) -> None:
        """Open ``path``. Raises ``FilmError``."""
        self.path = path
        self.stopped: str | None = None
        try:
            # "file:" so that a name is never read as an address
            self._container = av.open(f"file:{path}", "r")
        except (av.error.FFmpegError, OSError) as error:
            raise FilmError(f"{path} cannot be opened as a film: {error.strerror or error}") from error
        if not self._container.streams.video:
            self._container.close()
            raise FilmError(f"{path} holds no pictures")
        self._stream = self._container.streams.video[0]
        rate = float(self._stream.average_rate or self._stream.guessed_rate or 0)
        self._nominal_s = 1 / rate if 0.5 <= rate <= 480 else 1 / _FALLBACK_FPS
        self.declared_s = self._declared()

    def __enter__(self) -> Film:
        return self

    def __exit__(self, *_: object) -> None:
        self._container.close()

    def shots(self) -> Iterator[Shot]:
        """Every frame in order of time, the first at 0 s. Raises ``FilmError`` when there is none."""
        first_s: float | None = None
        t_s, index = -self._nominal_s, 0
        try:
            for frame in self._container.decode(self._stream):
                raw_s = frame.time
                if raw_s is not None and first_s is None:
                    first_s = raw_s
                given_s = t_s if raw_s is None or first_s is None else raw_s - first_s
                t_s = given_s if given_s > t_s else t_s + self._nominal_s
                yield Shot(t_s, index, _upright(frame))
                index += 1
        except av.error.FFmpegError as error:
            self.stopped = f"frame {index} cannot be decoded ({error.strerror})"
        if index == 0:
            raise FilmError(
                f"{self.path}: not one frame can be decoded" + (f", {self.stopped}" if self.stopped else "")
            )
        ended_s = t_s + self._nominal_s
        if self.stopped is None and self.declared_s and ended_s < _COMPLETE * self.declared_s - self._nominal_s:
            self.stopped = f"it ends at {ended_s:.2f} s of the stated {self.declared_s:.2f} s"

    def _declared(self) -> float | None:
        if self._stream.duration and self._stream.time_base:
            return float(self._stream.duration * self._stream.time_base)
        return self._container.duration / 1e6 if self._container.duration else None


def _upright(frame: av.VideoFrame) -> Image:
    image: NDArray[np.uint8] = np.asarray(frame.to_ndarray(format="bgr24"), np.uint8)
    quarters = round(frame.rotation / 90) % 4
    return np.ascontiguousarray(np.rot90(image, quarters)) if quarters else image


def rate_of(times_s: NDArray[np.float64]) -> float | None:
    """Frames a second of frame times [F] in seconds; None where the intervals differ too much to be called one rate."""
    steps = np.diff(times_s)
    if not len(steps):
        return None
    middle = float(np.median(steps))
    if middle <= 0 or float((np.abs(steps - middle) > _RATE_STEP * middle).mean()) > 0.05:
        return None
    return 1 / float(steps[np.abs(steps - middle) <= _RATE_STEP * middle].mean())


def at_rate(shots: Iterable[Shot], fps: float) -> Iterator[Shot]:
    """The frame nearest in time at each of the instants k / fps; doubled where frames are rarer, left out where denser.

    Lasts as long as the film: the last frame is shown as long as the frame before it.
    """
    number = 0
    before: Shot | None = None
    step_s = 0.0
    for shot in shots:
        if before is not None:
            step_s = shot.t_s - before.t_s
            while number / fps < (before.t_s + shot.t_s) / 2 - 1e-9:
                yield Shot(number / fps, number, before.image)
                number += 1
        before = shot
    if before is not None:
        end_s = before.t_s + step_s
        while number == 0 or number / fps < end_s - 1e-6:
            yield Shot(number / fps, number, before.image)
            number += 1


def write(shots: Iterable[Shot], path: Path, crf: int = 20) -> int:
    """Write a film as H.264 MP4, each frame at its own time; returns how many. Nothing is left when it fails.

    Times are kept to 1/90000 s and start at the first shot. An odd width or height gets one column or row more, a copy
    of the last, because H.264 has no odd sizes. Raises ``FilmError`` for no shots or shots of several sizes.
    """
    part = path.with_name(path.name + ".part")
    count, first_s, size = 0, 0.0, (0, 0)
    try:
        with av.open(f"file:{part}", "w", format="mp4", options={"movflags": "+faststart"}) as container:
            stream = _stream(container, crf)
            for shot in shots:
                image = _even(shot.image)
                if count == 0:
                    first_s, size = shot.t_s, image.shape[:2]
                    stream.height, stream.width = size
                if image.shape[:2] != size:
                    raise FilmError(f"{path}: a frame of {image.shape[:2]} pixels after frames of {size}")
                # OpenCV's conversion rounds; FFmpeg's default one truncates and darkens by three steps a generation
                yuv = np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2YUV_I420), np.uint8)
                picture = av.VideoFrame.from_ndarray(yuv, format="yuv420p")
                picture.time_base = Fraction(1, _TICKS)
                picture.pts = round((shot.t_s - first_s) * _TICKS)
                container.mux(stream.encode(picture))
                count += 1
            if count:
                container.mux(stream.encode(None))
        if count == 0:
            raise FilmError(f"{path}: there is no frame to write")
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return count


def _stream(container: av.container.OutputContainer, crf: int) -> VideoStream:
    if CODEC not in av.codecs_available:
        raise FilmError(f"this build of PyAV has no {CODEC}: install the `av` wheel from PyPI")
    stream = container.add_stream(CODEC, rate=Fraction(30), options={"crf": str(crf), "preset": "veryfast"})
    if not isinstance(stream, VideoStream):
        raise TypeError(f"{CODEC} is no video codec")
    stream.pix_fmt = "yuv420p"
    stream.time_base = Fraction(1, _TICKS)
    stream.codec_context.time_base = Fraction(1, _TICKS)
    stream.codec_context.gop_size = 30
    stream.codec_context.max_b_frames = 0
    return stream


def _even(image: Image) -> Image:
    height, width = image.shape[:2]
    if height % 2 or width % 2:
        image = np.pad(image, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
    return image


def longest_hole_s(times_s: NDArray[np.float64]) -> float:
    """The longest interval between two frames beyond the usual one, seconds; 0 for fewer than three frames."""
    if len(times_s) < 3:
        return 0.0
    steps = [after - before for before, after in pairwise(times_s)]
    return max(0.0, float(max(steps)) - float(np.median(steps)))
