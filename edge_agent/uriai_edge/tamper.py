"""Tells that a camera no longer shows its place: covered, defocused, turned away, frozen, or silent.

Looks at one decoded picture every five to ten seconds, which the gate has anyway. What a camera usually shows is learnt
while nothing is wrong; a trouble counts when it has lasted, and is over when the usual picture is back for a while.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from fractions import Fraction
from statistics import median

import av
import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from uriai_edge import ulid
from uriai_edge.config import Tamper
from uriai_edge.pixels import Picture, box_mean, without_neighbourhood

log = logging.getLogger(__name__)

_LEARN = 4  # looks before anything is judged
_USUAL = 60  # looks that tell what is usual
_FOLLOW = 0.02  # how much of each good look goes into the usual picture
_OVER_S = 8.0  # so long without a trouble, and it is over
_GAP_S = 35.0  # looks further apart do not prove that it was so all the time between
_COVERED = 0.35  # structure left, of the usual
_DEFOCUSED = 0.55  # sharpness left, of the usual
_STILL_THERE = 0.5  # correlation with the usual picture, smoothed, that blurring leaves
_TURNED = 0.35  # correlation with the usual picture below which it is another one
_FROZEN = 0.98  # share of the small picture's pixels that are the same to the bit
_SMOOTH = 2  # pixels around, over which noise is averaged away
_STEP = 4  # pixels over which a step is measured
_JPEG_QUALITY = 4  # of libavcodec's scale, 2 best, 31 worst


class What(StrEnum):
    """What is wrong with a camera."""

    COVERED = "covered"
    DEFOCUSED = "defocused"
    TURNED = "turned"
    FROZEN = "frozen"
    OFFLINE = "offline"


@dataclass(frozen=True, slots=True)
class TamperEvent:
    """The beginning or the end of a trouble; ``picture``: JPEG of what the camera shows, or showed last."""

    what: What
    begins: bool
    event: str
    """Common name (ULID) of the beginning and the end."""
    since: datetime
    at: datetime
    monotonic_s: float
    """Of ``since``."""
    picture: bytes | None


@dataclass(frozen=True, slots=True)
class Look:
    """One picture in numbers: structure, sharpness, and the small picture itself, as it is and with its noise smoothed.

    The structure is that of the smoothed one: under a cover there is nothing but noise, and a dark picture has much.
    """

    flat: Picture
    smooth: Picture
    gray: NDArray[np.uint16]
    structure: float
    sharpness: float


@dataclass(slots=True)
class _Trouble:
    since_s: float
    since: datetime
    last_s: float
    looks: int = 1
    event: str | None = None


def look_at(frame: VideoFrame, picture: Picture) -> Look:
    """Measure a decoded ``frame`` and its small ``picture``."""
    flat = without_neighbourhood(picture)
    smooth = box_mean(flat, _SMOOTH)
    gray = np.round(np.exp(picture)).astype(np.uint16)
    return Look(flat, smooth, gray, float(smooth.std()), _sharpness(_luma(frame)))


def _sharpness(luma: NDArray[np.uint8]) -> float:
    """The steepest steps along some rows, of its contrast: less light makes steps smaller, not the lens worse.

    Rows are taken four at a time, which takes noise off; only the steepest hundredth counts, which are edges.
    """
    bands = luma.shape[0] // 16
    rows = luma[: bands * 16].reshape(bands, 16, luma.shape[1])[:, :4].mean(axis=1, dtype=np.float32)
    if rows.shape[0] == 0 or rows.shape[1] <= _STEP:
        return 0.0
    steps = np.abs(rows[:, _STEP:] - rows[:, :-_STEP]).ravel()
    steepest = max(1, steps.size // 100)
    return float(np.partition(steps, -steepest)[-steepest:].mean()) / (float(rows.std()) + 2.0)


class TamperWatch:
    """Watches one camera; `look` and `heard` come from its thread, `tick` from any."""

    def __init__(
        self,
        settings: Tamper,
        tell: Callable[[TamperEvent], None],
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Watch from now on; ``tell`` is called with every beginning and end."""
        self._settings = settings
        self._tell = tell
        self._clock = clock
        self._now = now
        self._lock = threading.Lock()
        self._usual: Picture | None = None
        self._structures: deque[float] = deque(maxlen=_USUAL)
        self._sharpnesses: deque[float] = deque(maxlen=_USUAL)
        self._last: Look | None = None
        self._frame: VideoFrame | None = None
        self._troubles: dict[What, _Trouble] = {}
        self._heard_s = clock()
        self._heard = now()

    @property
    def wrong(self) -> tuple[What, ...]:
        """What is wrong at the moment, for long enough to count."""
        return tuple(what for what, trouble in self._troubles.items() if trouble.event is not None)

    def heard(self) -> None:
        """A packet came."""
        self._heard_s, self._heard = self._clock(), self._now()
        if What.OFFLINE in self._troubles:
            with self._lock:
                self._settle(What.OFFLINE, self._heard_s, over=True)

    def tick(self) -> None:
        """Call this every second or so: silence makes no packet that could tell of it."""
        now_s = self._clock()
        if not self._settings.enabled or now_s - self._heard_s < self._settings.after_s:
            return
        with self._lock:
            trouble = self._troubles.get(What.OFFLINE)
            if trouble is None:
                trouble = self._troubles[What.OFFLINE] = _Trouble(self._heard_s, self._heard, now_s)
                self._begin(What.OFFLINE, trouble)
            trouble.last_s = now_s

    def look(self, frame: VideoFrame, picture: Picture) -> None:
        """Judge a decoded picture."""
        if not self._settings.enabled or min(picture.shape) < 8:
            return
        now_s, found = self._clock(), look_at(frame, picture)
        with self._lock:
            self._frame = frame
            if self._last is not None and self._last.flat.shape != found.flat.shape:
                self._usual = None
            wrong = self._judge(found)
            for what in (What.COVERED, What.DEFOCUSED, What.TURNED, What.FROZEN):
                if what in wrong:
                    self._note(what, now_s)
                else:
                    self._settle(what, now_s)
            if not wrong:
                self._learn(found)
            self._last = found

    def _judge(self, found: Look) -> set[What]:
        wrong: set[What] = set()
        if self._last is not None and self._last.gray.shape == found.gray.shape:
            same = float(np.mean(self._last.gray == found.gray))
            if same >= _FROZEN:
                wrong.add(What.FROZEN)
        if self._usual is None or len(self._structures) < _LEARN:
            return wrong
        if found.structure < _COVERED * median(self._structures):
            return wrong | {What.COVERED}
        alike = _correlation(found.smooth, box_mean(self._usual, _SMOOTH))
        if alike < _TURNED:
            return wrong | {What.TURNED}
        if found.sharpness < _DEFOCUSED * median(self._sharpnesses) and alike >= _STILL_THERE:
            wrong.add(What.DEFOCUSED)
        return wrong

    def _learn(self, found: Look) -> None:
        self._structures.append(found.structure)
        self._sharpnesses.append(found.sharpness)
        if self._usual is None or self._usual.shape != found.flat.shape:
            self._usual = found.flat
            return
        share = max(_FOLLOW, 1 / (len(self._structures) + 1))
        self._usual = self._usual + np.float32(share) * (found.flat - self._usual)

    def _note(self, what: What, now_s: float) -> None:
        trouble = self._troubles.get(what)
        if trouble is None or (trouble.event is None and now_s - trouble.last_s > _GAP_S):
            self._troubles[what] = _Trouble(now_s, self._now(), now_s)
            return
        trouble.last_s, trouble.looks = now_s, trouble.looks + 1
        if trouble.event is None and trouble.looks >= 3 and now_s - trouble.since_s >= self._settings.after_s:
            self._begin(what, trouble)

    def _begin(self, what: What, trouble: _Trouble) -> None:
        now = self._now()
        trouble.event = ulid.new(now)
        self._tell(TamperEvent(what, True, trouble.event, trouble.since, now, trouble.since_s, self._jpeg()))

    def _settle(self, what: What, now_s: float, *, over: bool = False) -> None:
        trouble = self._troubles.get(what)
        if trouble is None:
            return
        if trouble.event is None:
            del self._troubles[what]
        elif over or now_s - trouble.last_s >= _OVER_S:
            del self._troubles[what]
            picture = None if over else self._jpeg()
            self._tell(TamperEvent(what, False, trouble.event, trouble.since, self._now(), trouble.since_s, picture))

    def _jpeg(self) -> bytes | None:
        if self._frame is None:
            return None
        try:
            return encode_jpeg(self._frame)
        except (av.error.FFmpegError, ValueError) as error:
            log.warning("a picture cannot be coded", extra={"why": str(error)})
            return None


def encode_jpeg(frame: VideoFrame) -> bytes:
    """A frame as JPEG."""
    context = av.CodecContext.create("mjpeg", "w")
    if not isinstance(context, av.VideoCodecContext):
        raise TypeError("mjpeg is not a video codec")
    context.width, context.height, context.pix_fmt = frame.width, frame.height, "yuvj420p"
    context.time_base = Fraction(1, 25)
    context.options = {"qmin": str(_JPEG_QUALITY), "qmax": str(_JPEG_QUALITY)}
    copy = frame.reformat(format="yuvj420p", dst_color_range="JPEG")
    copy.pts = 0
    copy.time_base = context.time_base
    return b"".join(bytes(packet) for packet in [*context.encode(copy), *context.encode(None)])


def _luma(frame: VideoFrame) -> NDArray[np.uint8]:
    """(H, W) brightness of a frame, without copying where it lies in a plane of its own."""
    if not frame.format.name.startswith(("yuv", "nv12", "gray")) or frame.format.components[0].bits != 8:
        return frame.to_ndarray(format="gray").astype(np.uint8, copy=False)
    plane = frame.planes[0]
    whole = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)  # type: ignore[call-overload]
    return np.asarray(whole[: frame.height, : frame.width], np.uint8)


def _correlation(one: Picture, two: Picture) -> float:
    a, b = one - one.mean(), two - two.mean()
    norm = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return float((a * b).sum()) / norm if norm > 1e-9 else 0.0
