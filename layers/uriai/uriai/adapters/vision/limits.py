"""What a file may be and still be called a clip, whichever library decodes it."""

from __future__ import annotations

import math
from dataclasses import dataclass

from uriai.service.ports.vision import ClipFault, NotAVideo

LONGEST_GAP_S = 30.0
"""A greater step from frame to frame is a mistake of the file, and the nominal one takes its place."""
_SANE_FPS = (1.0, 240.0)
_FALLBACK_FPS = 25.0
_COMPLETE = 0.9


@dataclass(frozen=True, slots=True)
class Limits:
    """What a file may be and still be called a clip. A clip of the agent has at most 30 s."""

    longest_s: float = 600.0
    most_frames: int = 600 * 60
    smallest_px: int = 32
    most_pixels: int = 8192 * 4320


def sane_fps(fps: float) -> float:
    """The nominal frame rate as the file states it, or 25 where that cannot be."""
    return fps if math.isfinite(fps) and _SANE_FPS[0] <= fps <= _SANE_FPS[1] else _FALLBACK_FPS


def check_length(declared_s: float | None, limits: Limits) -> None:
    """Raise NotAVideo (``too_long``) for a stated playing time above the limit."""
    if declared_s is not None and declared_s > limits.longest_s:
        raise too_long(declared_s, limits)


def too_long(seconds: float, limits: Limits) -> NotAVideo:
    """The error of a clip that plays so long, or longer."""
    return NotAVideo(
        ClipFault.TOO_LONG,
        f"the video plays {seconds:.0f} s or more, the limit is {limits.longest_s:.0f} s: cut it into clips",
    )


def check_size(width: int, height: int, limits: Limits) -> None:
    """Raise NotAVideo (``too_small``, ``too_large``) for a picture of so many pixels."""
    size = f"{width}x{height} px"
    if min(width, height) < limits.smallest_px:
        least = limits.smallest_px
        raise NotAVideo(
            ClipFault.TOO_SMALL, f"the picture has {size}; at least {least}x{least} are needed to see anybody"
        )
    if width * height > limits.most_pixels:
        raise NotAVideo(ClipFault.TOO_LARGE, f"the picture has {size}, more than 8K: scale it down")


def check_complete(declared_s: float | None, duration_s: float, nominal_s: float, count: int) -> None:
    """Raise NotAVideo (``truncated``) where ``count`` frames of ``nominal_s`` play less than nine tenths of the stated
    time.
    """
    if declared_s is None:
        return
    if duration_s < _COMPLETE * declared_s - nominal_s:
        raise NotAVideo(
            ClipFault.TRUNCATED,
            f"only {duration_s:.2f} s ({count} frames) of the stated {declared_s:.2f} s can be decoded: "
            "the file was cut off or damaged",
        )
