"""Compressed video as the agent passes it on: packets with sane timestamps, detached from the library."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction

LIVE_JUMP_S = 5.0
"""A live stream's clock may run this far away from ours between two packets before it counts as a jump."""

FILE_JUMP_S = 60.0
"""A file's timestamps may leave a gap of this length; a longer one is a broken clock."""


@dataclass(frozen=True, slots=True)
class VideoPacket:
    """One compressed picture.

    ``pts``, ``dts`` and ``duration`` count ``time_base`` (seconds per tick) from the source's start; ``dts`` strictly
    increases and never exceeds ``pts``. ``arrived_at`` (aware, UTC) and ``monotonic_s`` are the agent's clocks.
    """

    data: bytes
    pts: int
    dts: int
    duration: int
    is_key: bool
    time_base: Fraction
    arrived_at: datetime
    monotonic_s: float

    @property
    def time_s(self) -> float:
        """Decoding time in seconds from the source's start: strictly increases from packet to packet."""
        return self.dts * self.time_base.numerator / self.time_base.denominator  # a Fraction's product is slow

    @property
    def shown_s(self) -> float:
        """Presentation time in seconds from the source's start."""
        return self.pts * self.time_base.numerator / self.time_base.denominator

    @property
    def duration_s(self) -> float:
        """How long the picture is shown, in seconds."""
        return self.duration * self.time_base.numerator / self.time_base.denominator


class Timeline:
    """Turns a stream's timestamps (absent, repeated, jumping) into a line that starts at 0 and only goes forward."""

    def __init__(self, time_base: Fraction, nominal_s: float, *, live: bool) -> None:
        """Begin a line.

        Parameters
        ----------
        time_base
            Seconds per tick.
        nominal_s
            Length of one picture where the stream does not tell, seconds.
        live
            Whether packets arrive in real time, so that our clock can judge the stream's.
        """
        # Ticks and floats: a Fraction's arithmetic, a dozen times a packet, costs more than taking the stream apart.
        self._ticks_per_s = time_base.denominator / time_base.numerator
        self._longest = math.floor(FILE_JUMP_S * time_base.denominator / time_base.numerator)
        self._nominal = max(1, round(nominal_s * self._ticks_per_s))
        self._live = live
        self._offset: int | None = None
        self._last_dts = -1
        self._last_arrival_s = 0.0
        self.jumps = 0

    def place(self, pts: int | None, dts: int | None, duration: int | None, arrival_s: float) -> tuple[int, int, int]:
        """Give ``(pts, dts, duration)`` on the line for a packet that arrived at ``arrival_s`` (monotonic seconds)."""
        length = duration if duration is not None and 0 < duration < self._longest else self._nominal
        waited = max(1, round((arrival_s - self._last_arrival_s) * self._ticks_per_s)) if self._live else length
        raw = dts if dts is not None else pts
        first = self._last_dts < 0
        if raw is None:
            place = 0 if first else self._last_dts + waited
        else:
            if self._offset is None:
                self._offset = (0 if first else self._last_dts + waited) - raw
            place = raw + self._offset
            if not first and self._is_jump(place - self._last_dts, waited):
                self.jumps += 1
                self._offset += self._last_dts + waited - place
                place = self._last_dts + waited
        place = max(place, self._last_dts + 1)
        ahead = pts - dts if pts is not None and dts is not None else 0
        if not 0 <= ahead < self._longest:
            ahead = 0
        self._last_dts, self._last_arrival_s = place, arrival_s
        return place + ahead, place, length

    def _is_jump(self, step: int, waited: int) -> bool:
        step_s = step / self._ticks_per_s
        if step_s < -0.5:
            return True
        if self._live:
            return abs(step_s - waited / self._ticks_per_s) > LIVE_JUMP_S
        return step_s > FILE_JUMP_S
