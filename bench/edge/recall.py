"""Which scripted movements make a clip, and what makes one without a movement: the agent beside Debian's `motion`.

The agent judges the films as fast as it can, by the very chain of `uriai-edge run`. `motion` has no such mode: it reads
the same files at their own speed, all at once, with its defaults.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.edge.films import (
    CBR,
    FPS,
    LONG,
    MIN_SCRIPTED_SHARE,
    VBR,
    Coding,
    Script,
    movements_script,
    quiet_script,
    read_truth,
    write,
)
from uriai_edge.config import Clips, Motion
from uriai_edge.replay import replay

CODINGS = (VBR, CBR, LONG)
EARLY_S, LATE_S = 3.0, 3.0
"""A trigger so long before a movement, or after its end, belongs to it: codecs and slow starts blur the edge."""

QUIET = ("switch", "infrared", "exposure", "curtain", "rain", "shake")


@dataclass(frozen=True, slots=True)
class Recall:
    """One kind of stream: movements scripted and found, events without a movement, hours of film."""

    program: str
    coding: str
    movements: int
    found: int
    false: int
    hours: float


def scripts(films: int, movements: int) -> list[Script]:
    """``films`` films of ``movements`` movements each, and half as many in which nobody moves.

    Every fourth is taken at night by infrared. Half of the cameras take most of their noise off, the others are as the
    rendered room has them: grain, flicker and passing clouds.
    """
    made = [movements_script(f"move-{n}", 1_000_700 + n, movements, night=n % 4 == 3) for n in range(films)]
    length_s = 60.0 + movements * 15
    made += [quiet_script(f"quiet-{n}", 1_000_800 + n, length_s, QUIET if n % 2 else ()) for n in range(films // 2)]
    for number, script in enumerate(made):
        if number % 2:
            script.noise, script.steady = 0.5 + number % 3, True
    return made


def render(made: Sequence[Script], folder: Path, workers: int) -> None:
    """Draw and code all films; what is there already is kept."""
    with ProcessPoolExecutor(workers) as pool:
        list(pool.map(_write, [(script, folder) for script in made]))


def _write(job: tuple[Script, Path]) -> None:
    write(job[0], CODINGS, job[1])


def judge_agent(made: Sequence[Script], folder: Path, coding: Coding, jobs: int) -> Recall:
    """Replay every film of one coding, ``jobs`` at a time."""
    total = Recall("agent", coding.name, 0, 0, 0, 0.0)
    # A session each: where others work too, Linux shares processors out by session.
    with ProcessPoolExecutor(jobs, initializer=os.setsid) as pool:
        found = pool.map(_replayed, [folder / f"{script.name}-{coding.name}.mp4" for script in made])
    for script, events in zip(made, found, strict=True):
        total = _add(total, read_truth(folder, script.name), events)
    return total


def _replayed(film: Path) -> list[tuple[float, float]]:
    """Events the agent finds in a film, seconds from its start, without the post-roll."""
    with tempfile.TemporaryDirectory() as out:
        clips = list(replay(str(film), Path(out), Motion(), Clips()))
    spans: dict[float, float] = {}
    for clip in clips:
        spans[clip.trigger_s] = max(spans.get(clip.trigger_s, 0.0), clip.end_s)
    return [(start, end - Clips().post_roll_s) for start, end in spans.items()]


def judge_motion(made: Sequence[Script], folder: Path, coding: Coding) -> Recall | None:
    """Let `motion` watch every film of one coding at once; None where it is not installed."""
    if shutil.which("motion") is None:
        return None
    with tempfile.TemporaryDirectory() as work:
        spans = _run_motion([folder / f"{script.name}-{coding.name}.mp4" for script in made], Path(work))
    total = Recall("motion", coding.name, 0, 0, 0, 0.0)
    for script, found in zip(made, spans, strict=True):
        total = _add(total, read_truth(folder, script.name), found)
    return total


def _add(total: Recall, truth: dict[str, Any], events: list[tuple[float, float]]) -> Recall:
    wanted = [m for m in truth["movements"] if m["share"] >= MIN_SCRIPTED_SHARE]
    found = [m for m in wanted if any(start < m["end_s"] + LATE_S and end > m["start_s"] for start, end in events)]
    false = [
        start
        for start, _ in events
        if not any(m["start_s"] - EARLY_S <= start <= m["end_s"] + LATE_S for m in truth["movements"])
    ]
    hours = total.hours + truth["length_s"] / 3600
    return Recall(
        total.program,
        total.coding,
        total.movements + len(wanted),
        total.found + len(found),
        total.false + len(false),
        hours,
    )


_LINE = re.compile(r"EVENT (?P<what>start|end) (?P<camera>\d+) (?P<frame>[\d.]+)")


def _run_motion(films: Sequence[Path], work: Path) -> list[list[tuple[float, float]]]:
    """Events of each film, seconds from its start as `motion`'s clock has it."""
    log = work / "events.txt"
    general = ["daemon off", "log_level 4", "webcontrol_port 0", "stream_port 0"]
    general += ["movie_output off", "picture_output off", "event_gap 5"]
    for number, film in enumerate(films, 1):
        own = [f"camera_id {number}", f"netcam_url file://{film}", f"framerate {FPS}", "width 640", "height 360"]
        own += [f"target_dir {work}"]
        for what in ("start", "end"):
            own.append(f"on_event_{what} /bin/sh -c 'echo EVENT {what} {number} $(date +%s.%N) >> {log}'")
        (work / f"{number}.conf").write_text("\n".join(own) + "\n")
        general.append(f"camera {work}/{number}.conf")
    (work / "motion.conf").write_text("\n".join(general) + "\n")
    seconds = max(_seconds(film) for film in films)
    log.touch()
    begun = time.time()
    process = subprocess.Popen(
        ["motion", "-n", "-c", work / "motion.conf"], stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    )
    try:
        threading.Event().wait(seconds)
    finally:
        process.terminate()
        process.wait(30)
    spans: list[list[tuple[float, float]]] = [[] for _ in films]
    for match in _LINE.finditer(log.read_text()):
        own_spans = spans[int(match["camera"]) - 1]
        at = float(match["frame"]) - begun
        if match["what"] == "start":
            own_spans.append((at, seconds))
        elif own_spans:
            own_spans[-1] = (own_spans[-1][0], at)
    return spans


def _seconds(film: Path) -> float:
    return float(read_truth(film.parent, film.name.rsplit("-", 1)[0].removesuffix("-long"))["length_s"])


def workers() -> int:
    """Processes that draw films."""
    return max(1, (os.cpu_count() or 2))
