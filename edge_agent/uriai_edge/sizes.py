"""Suspicion from the sizes of compressed packets alone: movement costs bits.

Where a camera holds its bit rate constant, or codes its sensor's noise, pictures without movement are hardly smaller
than those with it. The sizes tell nothing then, and the witness says so.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from statistics import median

from uriai_edge.packets import VideoPacket

_WINDOW_S = 0.4  # packets are judged in groups of this length: single ones scatter, with B-frames by their position
_MEMORY = 150  # windows, a minute
_LEARN = 10  # windows before anything is said
_FACTOR = 1.2  # least rise over the median
_SPREADS = 3.5  # … and over so many times the usual spread
_INFORMATIVE = 0.15  # a still scene's pictures take less than this share of a key frame; else bits go elsewhere
_KEYS = 5  # key frames whose median size counts
_TO_SIGMA = 1.4826  # median absolute deviation of a normal distribution to its standard deviation


class SizeWitness:
    """Compares mean and maximum of the last 0.4 s with the last minute's; key frames are left out."""

    def __init__(self) -> None:
        """Begin without any knowledge of the camera."""
        self._means: deque[float] = deque(maxlen=_MEMORY)
        self._peaks: deque[float] = deque(maxlen=_MEMORY)
        self._keys: deque[int] = deque(maxlen=_KEYS)
        self._sizes: list[int] = []
        self._begun_s = 0.0

    @property
    def informative(self) -> bool:
        """Whether a movement would show, as far as can be told: known only after some seconds."""
        if len(self._means) < _LEARN or not self._keys:
            return False
        return median(self._means) < _INFORMATIVE * median(self._keys)

    def feed(self, packet: VideoPacket) -> bool:
        """Take the next packet; whether the window that it completes holds more than usual."""
        if packet.is_key:
            self._keys.append(len(packet.data))
            return False
        if not self._sizes:
            self._begun_s = packet.time_s
        self._sizes.append(len(packet.data))
        if packet.time_s + packet.duration_s - self._begun_s < _WINDOW_S:
            return False
        mean, peak = sum(self._sizes) / len(self._sizes), max(self._sizes)
        self._sizes = []
        unusual = len(self._means) >= _LEARN and (_exceeds(mean, self._means) or _exceeds(peak, self._peaks))
        # Unusual windows are remembered too: what lasts for a minute becomes the usual.
        self._means.append(mean)
        self._peaks.append(peak)
        return unusual


def _exceeds(value: float, before: Iterable[float]) -> bool:
    usual = median(before)
    spread = median(abs(one - usual) for one in before) * _TO_SIGMA
    return value > max(usual * _FACTOR, usual + _SPREADS * spread)
