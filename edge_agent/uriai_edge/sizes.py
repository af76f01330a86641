"""Suspicion from the sizes of compressed packets alone: movement costs bits.

A packet is compared with those at the same position in earlier groups of pictures, by median and median absolute
deviation: encoders spend differently after a key frame than before the next one. Where a camera holds its bit rate
constant, or codes its sensor's noise, pictures without movement are hardly smaller than those with it, or scatter so
much that a movement drowns. The sizes tell nothing then, and the witness says so by itself: from their statistics, and
from movements that the pictures showed and the sizes did not.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from statistics import median

from uriai_edge.packets import VideoPacket

_EXACT_POSITIONS = 64  # groups up to this length have a history for every position; longer ones for every eighth
_MINI_GROUP = 8
_HISTORY = 24  # packets remembered per position
_LEARN = 5  # packets of a position before it is judged
_LEARN_S = 10.0
_SLACK = 0.5  # standard deviations a packet may be larger than usual without adding to the sum
_SUSPICIOUS = 8.0  # sum of what is more; a usual stream's packets reach it about once in half an hour
_LEAST_SPREAD = (
    0.08  # of the median, which counts as a standard deviation at least: sizes repeat too well in a still room
)
_INFORMATIVE = 0.15  # a still scene's pictures take less than this share of a key frame; else bits go elsewhere
_MOVING = 0.02  # a movement over this share of the picture …
_COST = 0.8  # … costs at least this share of what a key frame pays for that area, in every picture: 0.4 to 1.8 seen
_PLAIN = 1.0  # … and must stand out by so many standard deviations: noticed within a second then
_KEYS = 5
_MISSES = 2  # movements that the sizes did not show, of the last _VERDICTS, and they count as uninformative
_VERDICTS = 8
_LATELY_S = 3.0
_TO_SIGMA = 1.4826  # median absolute deviation of a normal distribution to its standard deviation
_STRICTER, _STRICTEST, _RELAX_S = 1.25, 3.0, 600.0


class SizeWitness:
    """Judges the sizes of one stream's packets; key frames only serve as a measure."""

    def __init__(self) -> None:
        """Begin without any knowledge of the camera."""
        self._past: dict[int, deque[int]] = {}
        self._keys: deque[int] = deque(maxlen=_KEYS)
        self._position = -1
        self._length = 0  # of the last whole group
        self._sum = 0.0
        self._judged_packets = 0
        self._alarm_s = -math.inf
        self._verdicts: deque[bool] = deque(maxlen=_VERDICTS)
        self._begun_s: float | None = None
        self._strictness = 1.0
        self._strict_since_s = 0.0
        self._judged: tuple[float, bool] = (-math.inf, False)

    def informative(self, time_s: float) -> bool:
        """Whether a movement would show at ``time_s``, as far as can be told: known only after some seconds."""
        if time_s - self._judged[0] >= 2.0 or time_s < self._judged[0]:
            self._judged = (time_s, self._judge(time_s))
        return self._judged[1]

    def feed(self, packet: VideoPacket) -> bool:
        """Take the next packet; whether those that came last are larger than usual (Page's cumulative sum, 1954)."""
        size = len(packet.data)
        if self._begun_s is None:
            self._begun_s = packet.time_s
        if packet.is_key:
            self._keys.append(size)
            self._length, self._position = self._position + 1, 0
            return False
        if self._position < 0:
            return False
        self._position += 1
        past = self._past.setdefault(self._bin(), deque(maxlen=_HISTORY))
        if len(past) >= _LEARN:
            usual = median(past)
            spread = max(_deviation(past, usual), usual * _LEAST_SPREAD, 8.0)
            self._sum = max(0.0, self._sum + max(-3.0, min(6.0, (size - usual) / spread)) - _SLACK)
            self._judged_packets += 1
        # Unusual packets are remembered too: what lasts becomes the usual.
        past.append(size)
        if self._sum <= _SUSPICIOUS * self._strict(packet.time_s):
            return False
        self._sum, self._alarm_s = 0.0, packet.time_s
        return True

    def false_alarm(self, time_s: float) -> None:
        """The last suspicion, raised at ``time_s``, was none: ask for more from now on, for some minutes."""
        self._strictness = min(_STRICTEST, self._strictness * _STRICTER)
        self._strict_since_s = time_s

    def movement(self, time_s: float, *, shown: bool | None = None) -> None:
        """The pictures show a movement at ``time_s``; ``shown``: whether the sizes did (None: as they did lately)."""
        if self._judged_packets < _LEARN:
            return
        self._verdicts.append(time_s - self._alarm_s <= _LATELY_S if shown is None else shown)

    def _judge(self, time_s: float) -> bool:
        learnt = self._begun_s is not None and time_s - self._begun_s >= _LEARN_S and self._judged_packets > 0
        if not learnt or not self._keys or self._verdicts.count(False) >= _MISSES:
            return False
        key = median(self._keys)
        pasts = [past for past in self._past.values() if len(past) >= _LEARN]
        usual = median(median(past) for past in pasts)
        if usual > _INFORMATIVE * key:
            return False
        spread = max(median(_deviation(past, median(past)) for past in pasts), usual * _LEAST_SPREAD, 8.0)
        return _MOVING * _COST * key / spread >= _PLAIN * self._strict(time_s)

    def _strict(self, time_s: float) -> float:
        if self._strictness > 1 and time_s - self._strict_since_s > _RELAX_S:
            self._strictness, self._strict_since_s = max(1.0, self._strictness / _STRICTER), time_s
        return self._strictness

    def _bin(self) -> int:
        if max(self._length, self._position) <= _EXACT_POSITIONS or self._position <= _MINI_GROUP:
            return self._position
        return -1 - self._position % _MINI_GROUP


def _deviation(values: Sequence[float] | deque[float] | deque[int], usual: float) -> float:
    """Median absolute deviation from ``usual``, as a standard deviation."""
    return median(abs(value - usual) for value in values) * _TO_SIGMA
