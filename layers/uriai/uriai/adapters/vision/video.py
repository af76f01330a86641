"""Decoding a clip frame by frame with OpenCV's FFmpeg, each frame once, only the wanted ones turned into pixels.

Times come from the file's own presentation times; where those stand still, run backwards or jump, the nominal frame
interval takes their place. Frames come upright (rotation stated in the file is applied), so boxes are in the pixels a
viewer shows.

A clip of which less than nine tenths of the stated playing time can be decoded is `truncated` and fails as a whole: an
analysis of its first seconds would read as "nothing happened" in those that are missing.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

# FFmpeg's and OpenCV's own log lines would stand between ours; their failures come back as return values. Set before
# the first open.
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")

import cv2
import numpy as np

from uriai.adapters.vision.container import inspect
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
from uriai.service.ports.vision import ClipFault, NotAVideo

cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)


class Frame:
    """One decoded frame; its pixels are made when they are asked for, and only until the next frame is taken."""

    __slots__ = ("_capture", "_image", "half_step_s", "t_s")

    def __init__(self, capture: cv2.VideoCapture, t_s: float, half_step_s: float) -> None:
        self._capture = capture
        self._image: Image | None = None
        self.t_s = t_s
        self.half_step_s = half_step_s

    def image(self) -> Image:
        """BGR pixels, uint8 [H, W, 3]."""
        if self._image is None:
            ok, image = self._capture.retrieve()
            if not ok or image.ndim != 3:
                raise NotAVideo(ClipFault.UNDECODABLE, f"the frame at {self.t_s:.2f} s cannot be turned into pixels")
            self._image = np.asarray(image, np.uint8)
        return self._image


class Clip:
    """An open clip. Use as a context manager; iterate `frames` once.

    ``declared_s`` is the stated playing time or None; ``duration_s`` the decoded one, known after the last frame.
    """

    def __init__(self, path: Path, limits: Limits | None = None) -> None:
        """Open ``path``.

        Raises
        ------
        NotAVideo
            If it can never be analysed; see `ClipFault`.
        FileNotFoundError
            If there is no such file.
        """
        self._limits = limits or Limits()
        container = inspect(path)
        check_length(container.declared_s, self._limits)
        if container.cut and container.declared_s is None:
            raise NotAVideo(
                ClipFault.TRUNCATED,
                "the file ends inside a fragment: it was cut off, nobody can say how much is missing",
            )
        # an absolute path can never be read as a protocol ("concat:…"); one thread: Lambda's second core is not ours
        self._capture = cv2.VideoCapture(str(path.absolute()), cv2.CAP_FFMPEG, [cv2.CAP_PROP_N_THREADS, 1])
        try:
            if not self._capture.isOpened():
                raise self._unopened(container.cut)
            self._fps = sane_fps(self._capture.get(cv2.CAP_PROP_FPS))
            self.declared_s = container.declared_s or self._counted_s()
            check_length(self.declared_s, self._limits)
            self.width = int(self._capture.get(cv2.CAP_PROP_FRAME_WIDTH))
            self.height = int(self._capture.get(cv2.CAP_PROP_FRAME_HEIGHT))
            check_size(self.width, self.height, self._limits)
        except NotAVideo:
            self._capture.release()
            raise
        self.duration_s = 0.0

    def __enter__(self) -> Clip:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._capture.release()

    def frames(self) -> Iterator[Frame]:
        """Every frame in order of time, the first at 0 s.

        Raises
        ------
        NotAVideo
            ``undecodable`` without a single frame, ``truncated`` when the frames end early, ``too_long`` past the
            limit.
        """
        nominal_s = 1.0 / self._fps
        t_s, step_s, raw_before_s, count = 0.0, nominal_s, 0.0, 0
        while self._capture.grab():
            raw_s = self._capture.get(cv2.CAP_PROP_POS_MSEC) / 1000.0
            if count:
                gap_s = raw_s - raw_before_s
                step_s = gap_s if math.isfinite(gap_s) and 0.0 < gap_s <= LONGEST_GAP_S else nominal_s
                t_s += step_s
            raw_before_s, count = raw_s, count + 1
            if t_s > self._limits.longest_s or count > self._limits.most_frames:
                raise too_long(t_s, self._limits)
            yield Frame(self._capture, t_s, step_s / 2)
        if not count:
            raise NotAVideo(ClipFault.UNDECODABLE, "not one frame of the video can be decoded")
        # the last frame is shown as long as the frames before it were, not as long as one hole in the recording
        self.duration_s = t_s + min(step_s, 2 * nominal_s)
        check_complete(self.declared_s, self.duration_s, 1.0 / self._fps, count)

    def _counted_s(self) -> float | None:
        """Playing time from the frame count, for containers whose headers we do not read."""
        count = self._capture.get(cv2.CAP_PROP_FRAME_COUNT)
        return count / self._fps if math.isfinite(count) and 0 < count < 1e8 else None

    @staticmethod
    def _unopened(cut: bool) -> NotAVideo:
        if cut:
            return NotAVideo(ClipFault.TRUNCATED, "the file ends before the first picture: it was cut off")
        return NotAVideo(
            ClipFault.UNDECODABLE, "no picture track of the file can be decoded: its coding is unknown or damaged"
        )
