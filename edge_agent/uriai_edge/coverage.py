"""What each camera demonstrably delivered, minute by minute, for the signed coverage records."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import Any

GAP_S = 2.0
"""Packets further apart than this leave a hole; cameras send several pictures a second."""

MAX_SPANS = 30
"""Most spans of a camera in one record: 64 cameras stay below the format's limit of 65,536 bytes."""


class CoverageKeeper:
    """Collects the spans in which packets of each camera arrived; camera threads note, one thread takes."""

    def __init__(self, cameras: Iterable[int]) -> None:
        """Keep spans of these cameras; one that never delivers is in every record with none."""
        self._lock = threading.Lock()
        self._spans: dict[int, list[list[float]]] = {camera: [] for camera in cameras}

    def watch(self, camera: int) -> None:
        """From now on ``camera`` is in every record, delivering or not."""
        with self._lock:
            self._spans.setdefault(camera, [])

    def forget(self, camera: int) -> None:
        """``camera`` belongs to this gateway no more."""
        with self._lock:
            self._spans.pop(camera, None)

    def note(self, camera: int, monotonic_s: float, duration_s: float) -> None:
        """A packet of ``camera`` arrived at ``monotonic_s`` and shows ``duration_s`` seconds.

        Any thread may call this, for every packet; what is noted of a camera that is not watched is left out.
        """
        until_s = monotonic_s + min(duration_s, GAP_S)
        with self._lock:
            spans = self._spans.get(camera)
            if spans is None:
                return
            if spans and monotonic_s - spans[-1][1] <= GAP_S:
                spans[-1][1] = max(spans[-1][1], until_s)
            else:
                spans.append([monotonic_s, until_s])

    def take(self, from_s: float, to_s: float) -> list[dict[str, Any]]:
        """Spans between two monotonic instants, as seconds from the first, and forget what lies before the second.

        Of a camera that comes and goes all the time the longest `MAX_SPANS` are told and the others counted in ``cut``:
        a record claims less than was recorded, never more.
        """
        cameras = []
        with self._lock:
            for camera, spans in sorted(self._spans.items()):
                inside = [
                    [round(max(start, from_s) - from_s, 3), round(min(end, to_s) - from_s, 3)]
                    for start, end in spans
                    if end > from_s and start < to_s
                ]
                told = sorted(sorted(inside, key=lambda span: span[0] - span[1])[:MAX_SPANS])
                entry: dict[str, Any] = {"camera": camera, "spans": told}
                if len(told) < len(inside):
                    entry["cut"] = len(inside) - len(told)
                cameras.append(entry)
                # The last span may go on: it stays, from this instant on.
                self._spans[camera] = [[max(start, to_s), max(end, to_s)] for start, end in spans if end > to_s - GAP_S]
        return cameras

    def nothing(self) -> list[dict[str, Any]]:
        """Every camera without a span, for a time in which nobody was there to see one."""
        with self._lock:
            return [{"camera": camera, "spans": []} for camera in sorted(self._spans)]
