"""A scripted day of three cameras, and what it has to come to, worked out without any code of the project.

`oracle` is the second opinion: it knows the rule of incidents from docs alone ("findings of one kind on one camera less
than 60 s apart") and takes the findings of each film from `uriai analyze`. It sorts by true time and merges; it never
hears of arrival, events, numbers or a database.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

CAMERAS = (1, 2, 3)
LENGTH = timedelta(hours=8)
OUTAGE = timedelta(hours=2)
"""It begins when a third of the clips are there; the clips recorded in it come after all others, the newest first."""
GAP_S = 60.0
SEAM_S = 4.0
"""Clips lie farther apart than neglect reaches across (3 s), so that each is judged as `uriai analyze` judges it."""
DISORDER = 8
"""Among so many clips in a row, arrival has no order."""
_SHARE_TWICE = 0.15
_UNSIGNED = 2
_Placed = tuple[datetime, datetime, str, bool, int]
"""A finding in time: start, end, verdict, whether its clip is signed, and the clip's number."""


@dataclass(frozen=True)
class Film:
    """A file, what `uriai analyze` says of it, and what its author wrote it to be: ``physical``, ``calm`` or None."""

    path: Path
    seen: Mapping[str, Any] = field(hash=False, compare=False)
    written: str | None = None

    @property
    def duration_s(self) -> float:
        """As decoded."""
        return float(self.seen["duration_s"])

    def only_span(self, kind: str) -> tuple[float, float] | None:
        """Start and end in seconds of its one finding of a kind; None where it has none, or several."""
        spans = [(f["start_s"], f["end_s"]) for f in self.seen["findings"] if f["kind"] == kind]
        return spans[0] if len(spans) == 1 else None


@dataclass(frozen=True)
class Shot:
    """A film played before a camera at an instant. ``signed`` False: its signature never arrives; ``twice``: its event
    is delivered again.
    """

    film: Film
    camera: int
    started_at: datetime
    signed: bool = True
    twice: bool = False

    @property
    def ended_at(self) -> datetime:
        """As recorded."""
        return self.started_at + timedelta(seconds=self.film.duration_s)


@dataclass(frozen=True)
class Expected:
    """An incident as it has to be; ``of_day``: the day's running count."""

    camera: int
    kind: str
    started_at: datetime
    ended_at: datetime
    verdict: str
    status: str
    clips: int
    unverified: bool
    of_day: int


@dataclass(frozen=True)
class Day:
    """Shots in the order in which they were recorded, and in the order in which they arrive."""

    begins_at: datetime
    shots: tuple[Shot, ...]
    punctual: tuple[Shot, ...] = field(repr=False)
    late: tuple[Shot, ...] = field(repr=False)


def write(films: Sequence[Film], clips: int, begins_at: datetime, seed: int) -> Day:
    """A day of so many clips, the same for a seed.

    Most are played at random, in bursts and alone. The edge of the rule is played on purpose: two findings 1 ms less
    than a minute apart, and two a whole minute apart.
    """
    rng = Random(seed)
    shots: list[Shot] = []
    share = clips // len(CAMERAS)
    for camera in CAMERAS:
        number = clips - share * (len(CAMERAS) - 1) if camera == CAMERAS[-1] else share
        shots += _of_camera(films, camera, number, begins_at, rng)
    for chosen in rng.sample(range(len(shots)), max(1, round(_SHARE_TWICE * len(shots)))):
        shots[chosen] = replace(shots[chosen], twice=True)
    for chosen in rng.sample(range(len(shots)), _UNSIGNED):
        # the time of a clip without signature is its ULID's, of which whole seconds are read and written exactly
        shots[chosen] = replace(shots[chosen], signed=False, started_at=shots[chosen].started_at.replace(microsecond=0))
    shots.sort(key=lambda shot: (shot.started_at, shot.camera))
    out_at = shots[len(shots) // 3].started_at
    late = [shot for shot in shots if out_at <= shot.started_at < out_at + OUTAGE]
    punctual = [shot for shot in shots if shot not in late]
    for first in range(0, len(punctual), DISORDER):
        part = punctual[first : first + DISORDER]
        rng.shuffle(part)
        punctual[first : first + DISORDER] = part
    return Day(begins_at, tuple(shots), tuple(punctual), tuple(reversed(late)))


def _of_camera(films: Sequence[Film], camera: int, number: int, begins_at: datetime, rng: Random) -> list[Shot]:
    """The shots of one camera, over about nine tenths of the day."""
    edges = [(film, span) for film in films if (span := film.only_span("physical")) is not None]
    plan: list[list[tuple[Film, float]]] = []
    for apart_s in (GAP_S - 0.001, GAP_S):
        if edges and number >= 2 * (len(plan) + 1):
            (one, (_, ends_s)), (two, (starts_s, _)) = rng.choice(edges), rng.choice(edges)
            plan.append([(one, 600.0), (two, apart_s + ends_s - starts_s)])
    rest = number - 2 * len(plan)
    mean_s = 0.9 * LENGTH.total_seconds() / max(rest, 1)
    for _ in range(rest):
        gap_s = rng.uniform(0, 90) if rng.random() < 0.6 else rng.uniform(0, 4 * mean_s)
        plan.append([(rng.choice(films), gap_s)])
    rng.shuffle(plan)
    shots: list[Shot] = []
    at, free_at = begins_at + timedelta(seconds=rng.randrange(300)), begins_at
    for film, gap_s in (step for steps in plan for step in steps):
        at = max(at + timedelta(milliseconds=round(1000 * gap_s)), free_at)
        shots.append(Shot(film, camera, at))
        free_at = shots[-1].ended_at + timedelta(seconds=SEAM_S)
    return shots


def oracle(day: Day) -> list[Expected]:
    """The day's truth table, by start."""
    found: dict[tuple[int, str], list[_Placed]] = {}
    for number, shot in enumerate(day.shots):
        for finding in shot.film.seen["findings"]:
            start, end = (
                shot.started_at + timedelta(milliseconds=round(1000 * finding[which])) for which in ("start_s", "end_s")
            )
            placed = (start, end, finding["verdict"], shot.signed, number)
            found.setdefault((shot.camera, finding["kind"]), []).append(placed)
        if not shot.signed:
            whole = (shot.started_at, shot.ended_at, "review", False, number)
            found.setdefault((shot.camera, "tamper"), []).append(whole)
    incidents = []
    for (camera, kind), findings in found.items():
        for run in _runs(sorted(findings)):
            incidents.append(
                Expected(
                    camera=camera,
                    kind=kind,
                    started_at=run[0][0],
                    ended_at=max(end for _, end, *_ in run),
                    verdict="report" if any(verdict == "report" for _, _, verdict, *_ in run) else "review",
                    status="open" if kind == "tamper" else "pending_review",
                    clips=len({number for *_, number in run}),
                    unverified=not all(signed for *_, signed, _ in run),
                    of_day=0,
                )
            )
    incidents.sort(key=lambda incident: incident.started_at)
    return [replace(incident, of_day=n) for n, incident in enumerate(incidents, start=1)]


def _runs(findings: Sequence[_Placed]) -> list[list[_Placed]]:
    runs: list[list[_Placed]] = []
    for finding in findings:
        if runs and (finding[0] - max(end for _, end, *_ in runs[-1])).total_seconds() < GAP_S:
            runs[-1].append(finding)
        else:
            runs.append([finding])
    return runs
