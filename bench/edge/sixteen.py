"""Sixteen 1080p cameras on one machine: does every packet arrive, is movement seen on all at once?"""

from __future__ import annotations

import re
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from bench.edge.films import Coding, Movement, Script, write
from bench.edge.idle import AGENT_LOG, SIZE, start_agent
from bench.edge.programs import cpu_s, log_lines, rss_mb, stop, wait_until_open
from playroom.rtsp import RtspServer

CAMERAS = 16
MOVES_S = (45.0, 51.0)
LATE_S = 120.0
"""So long after the film's end the last packet may come: a busy machine serves it late."""
SCRIPT = Script(
    "sixteen",
    1_000_503,
    75.0,
    SIZE,
    movements=[Movement(*MOVES_S, adult=True, speed=1.0, switch=False)],
    noise=0.5,
    steady=True,
)
CODING = Coding("variable", 30, quality=18.5)
_ENDED = re.compile(r"ended after (\d+) pictures")


@dataclass(frozen=True, slots=True)
class Sixteen:
    """``arrived``: packets of each camera's film that came, of ``sent``; ``idle_percent``: before the movement."""

    cameras: int
    kbit_s: int
    sent: int
    arrived: tuple[int, ...]
    saw_movement: int
    idle_percent: float
    percent: float
    peak_rss_mb: float


def measure(folder: Path) -> Sixteen:
    """Let one agent watch the film as sixteen cameras, once through."""
    film = write(SCRIPT, [CODING], folder)[CODING.name]
    work = folder / "work-sixteen"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    with RtspServer(film) as camera:
        agent = start_agent([camera.url] * CAMERAS, work)
        try:
            wait_until_open(agent, work / AGENT_LOG, CAMERAS)
            begun_s, used_s, peak_mb, idle = time.monotonic(), [], 0.0, 0.0
            while time.monotonic() - begun_s < SCRIPT.length_s + LATE_S:
                time.sleep(1)
                now_s = time.monotonic() - begun_s
                used_s.append((now_s, cpu_s(agent.pid)))
                peak_mb = max(peak_mb, rss_mb(agent.pid))
                if len(_ends(work)) == CAMERAS:
                    break
            idle = _percent(used_s, 25.0, MOVES_S[0] - 3)
        finally:
            stop(agent)
    ends = _ends(work)
    seen = {line["camera"] for line in log_lines(work / AGENT_LOG) if line.get("event") == "motion_started"}
    return Sixteen(
        CAMERAS,
        round(film.stat().st_size * 8 / SCRIPT.length_s / 1000),
        SCRIPT.frames,
        tuple(ends.get(number, 0) for number in range(1, CAMERAS + 1)),
        len(seen),
        idle,
        _percent(used_s, 0.0, SCRIPT.length_s),
        peak_mb,
    )


def _percent(used_s: list[tuple[float, float]], start_s: float, end_s: float) -> float:
    span = [pair for pair in used_s if start_s <= pair[0] <= end_s]
    return (span[-1][1] - span[0][1]) / (span[-1][0] - span[0][0]) * 100 if len(span) > 1 else 0.0


def _ends(work: Path) -> dict[int, int]:
    """Pictures that had come when each camera's stream first ended."""
    ends: dict[int, int] = {}
    for line in log_lines(work / AGENT_LOG):
        match = _ENDED.search(str(line.get("why", "")))
        if match is not None:
            ends.setdefault(int(str(line["camera"])), int(match[1]))
    return ends
