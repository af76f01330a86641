"""Lets a live stream's packets gather for a moment and takes them together: being woken for each costs more than it.

Nothing may be lost by it: what gathers stays far below what the kernel keeps for a connection, the large key frame is
awaited, and who lags behind the camera makes no pause.
"""

from __future__ import annotations

import math

_LONGEST_S = 0.25
_SHORTEST_S = 0.05  # below it a pause is not worth its own waking up
_GATHERED_BYTES = 48 * 1024  # Linux offers a connection 64 KiB from the start
_BEFORE_KEY_S = 0.05
_AT_ONCE_S = 0.003  # a packet that was handed out faster had come before it was asked for
_BEHIND_S = 0.35  # more than a pause makes by itself
_DRIFT = 0.001  # a camera's clock may run this share slower than ours without seeming late
_RATE_OVER_S = 0.5


class Pauses:
    """Of one live stream that comes over a connection which keeps what is not read yet (TCP)."""

    def __init__(self) -> None:
        """Begin without knowing the stream: no pauses until one whole group of pictures has come."""
        self._key_s: float | None = None
        self._group_s: float | None = None
        self._bytes = 0
        self._bytes_per_s = math.inf
        self._caught_up = False
        self._late_s = math.inf  # how late packets are at least, on the stream's own clock
        self._behind_s = 0.0
        self._now_s = 0.0
        self._arrived_s = -math.inf
        self._stamp_s: float | None = None

    def note(self, size: int, *, is_key: bool, stamp_s: float | None, asked_s: float, now_s: float) -> float:
        """Take a packet of ``size`` bytes, asked for at ``asked_s`` and handed out at ``now_s`` (monotonic seconds).

        ``stamp_s`` is its decoding time on the camera's clock. Returns when it came, as well as can be told.
        """
        self._caught_up = now_s - asked_s > _AT_ONCE_S
        arrived_s = now_s
        if stamp_s is None:
            self._behind_s = math.inf
        else:
            step_s = 0.0 if self._stamp_s is None else stamp_s - self._stamp_s
            if not self._caught_up and 0 < step_s < 1:
                arrived_s = min(now_s, self._arrived_s + step_s)
            if not -0.5 < step_s < 5:
                self._late_s = math.inf  # the camera's clock jumped
            self._late_s = min(self._late_s + _DRIFT * (now_s - self._now_s), now_s - stamp_s)
            self._behind_s = now_s - stamp_s - self._late_s
        self._stamp_s, self._now_s, self._arrived_s = stamp_s, now_s, arrived_s
        if is_key:
            self._group_s = None if self._key_s is None else arrived_s - self._key_s
            self._key_s, self._bytes = arrived_s, 0
        elif self._key_s is not None:
            self._bytes += size
            if arrived_s - self._key_s >= _RATE_OVER_S:
                self._bytes_per_s = self._bytes / (arrived_s - self._key_s)
        return arrived_s

    def length_s(self, now_s: float) -> float:
        """How long to leave the stream alone from ``now_s`` on; 0: ask for the next packet at once."""
        if not self._caught_up or self._key_s is None or self._group_s is None or self._behind_s > _BEHIND_S:
            return 0.0
        key_due_s = self._key_s + self._group_s - _BEFORE_KEY_S - now_s
        length_s = min(_LONGEST_S, _GATHERED_BYTES / max(1.0, self._bytes_per_s), key_due_s)
        return length_s if length_s >= _SHORTEST_S else 0.0
