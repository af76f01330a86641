"""What each camera demonstrably delivered, minute by minute, for the signed coverage records."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import Any

GAP_S = 2.0
"""Packets further apart than this leave a hole; cameras send several pictures a second."""


class CoverageKeeper:
    """Collects the spans in which packets of each camera arrived; camera threads note, one thread takes."""

    def __init__(self, cameras: Iterable[int]) -> None:
        """Keep spans of these cameras; one that never delivers is in every record with none."""
        self._lock = threading.Lock()
        self._spans: dict[int, list[list[float]]] = {camera: [] for camera in cameras}

    def note(self, camera: int, monotonic_s: float, duration_s: float) -> None:
        """A packet of ``camera`` arrived at ``monotonic_s`` and shows ``duration_s`` seconds."""
        until_s = monotonic_s + min(duration_s, GAP_S)
        with self._lock:
            spans = self._spans[camera]
            if spans and monotonic_s - spans[-1][1] <= GAP_S:
                spans[-1][1] = max(spans[-1][1], until_s)
            else:
                spans.append([monotonic_s, until_s])

    def take(self, from_s: float, to_s: float) -> list[dict[str, Any]]:
        """Spans between two monotonic instants, as seconds from the first, and forget what lies before the second."""
        cameras = []
        with self._lock:
            for camera, spans in sorted(self._spans.items()):
                inside = [
                    [round(max(start, from_s) - from_s, 3), round(min(end, to_s) - from_s, 3)]
                    for start, end in spans
                    if end > from_s and start < to_s
                ]
                cameras.append({"camera": camera, "spans": inside})
                # The last span may go on: it stays, from the cut on.
                self._spans[camera] = [[max(start, to_s), max(end, to_s)] for start, end in spans if end > to_s - GAP_S]
        return cameras
