"""False incidents per camera-hour: what is played, how it is counted, and with what certainty.

An incident is counted as the product counts it: the physical rule's findings on the windows of one camera, findings
less than a minute apart being one. Only seeds that no training may use are played.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2

from models.violence import data, rendered
from playroom import truth
from uriai.domain.analysis import Observations, Window
from uriai.domain.rules import physical
from uriai.domain.thresholds import Thresholds
from uriai.domain.words import Verdict

FIRST_CALM_SEED = 600_000
FIRST_ASSAULT_SEED = 700_000
PROGRAMME_S = 300.0
APART_S = 60.0
"""Findings closer than this are one incident."""
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Incident:
    """One incident of a camera: its reach in seconds and the graver of its findings' verdicts."""

    start_s: float
    end_s: float
    report: bool


@dataclass
class Tally:
    """Incidents by verdict, and the time they were counted in."""

    seconds: float = 0.0
    reports: int = 0
    reviews: int = 0
    windows: list[Floats] = field(default_factory=list)

    def add(self, probabilities: Floats, seconds: float) -> None:
        """Count a calm programme's incidents."""
        found = incidents(probabilities)
        self.seconds += seconds
        self.reports += sum(one.report for one in found)
        self.reviews += sum(not one.report for one in found)
        self.windows.append(probabilities)

    def row(self, name: str) -> dict[str, object]:
        """A line of the card's table."""
        hours = self.seconds / 3600
        every = np.concatenate(self.windows) if self.windows else np.zeros(0)
        return {
            "footage": name,
            "camera-hours": round(hours, 2),
            "`report`": self.reports,
            "`report` an hour (95 %)": _rate(self.reports, hours),
            "`review`": self.reviews,
            "`review` an hour (95 %)": _rate(self.reviews, hours),
            "windows over 0.8": float((every > 0.8).mean()) if len(every) else 0.0,
        }


def calm_programmes(hours: float) -> list[rendered.Programme]:
    """At least ``hours`` of lively calm, five minutes a programme, each with its own room, people and camera."""
    count = int(np.ceil(hours * 3600 / PROGRAMME_S))
    return [rendered.afternoon(FIRST_CALM_SEED + k, PROGRAMME_S) for k in range(count)]


def assault_programmes(count: int) -> list[rendered.Programme]:
    """``count`` programmes with one assault each, for the recall that the false alarms are bought with."""
    return [rendered.outrage(FIRST_ASSAULT_SEED + k) for k in range(count)]


def incidents(probabilities: Sequence[float] | Floats, starts_s: Iterable[float] | None = None) -> list[Incident]:
    """Incidents of one camera from its windows' probabilities, a window a second unless ``starts_s`` says otherwise."""
    starts = list(starts_s) if starts_s is not None else [k * data.STRIDE_S for k in range(len(probabilities))]
    windows = tuple(
        Window(start, start + data.WINDOW_S, float(p)) for start, p in zip(starts, probabilities, strict=True)
    )
    duration = max((window.end_s for window in windows), default=0.0)
    joined: list[Incident] = []
    for finding in physical.find(Observations(duration_s=duration, windows=windows), Thresholds()):
        report = finding.verdict is Verdict.REPORT
        if joined and finding.start_s - joined[-1].end_s < APART_S:
            last = joined.pop()
            joined.append(Incident(last.start_s, max(last.end_s, finding.end_s), last.report or report))
        else:
            joined.append(Incident(finding.start_s, finding.end_s, report))
    return joined


def recall(programmes: Sequence[rendered.Programme], probabilities: Sequence[Floats]) -> dict[str, object]:
    """How many of the programmes' assaults an incident overlaps, and how many a ``report`` does."""
    found = reported = 0
    for programme, of_programme in zip(programmes, probabilities, strict=True):
        spans = truth(programme.seed, programme.acts)
        start, end = min(span.start_s for span in spans), max(span.end_s for span in spans)
        hits = [one for one in incidents(of_programme) if one.start_s < end and one.end_s > start]
        found += bool(hits)
        reported += any(one.report for one in hits)
    return {
        "assaults": len(programmes),
        "found": found / len(programmes),
        "found_95": _share(found, len(programmes)),
        "reported": reported / len(programmes),
        "reported_95": _share(reported, len(programmes)),
    }


def poisson_interval(count: int, confidence: float = 0.95) -> tuple[float, float]:
    """Exact interval of a Poisson mean of which ``count`` was seen (Garwood 1936)."""
    tail = (1 - confidence) / 2
    low = float(chi2.ppf(tail, 2 * count) / 2) if count else 0.0
    return low, float(chi2.ppf(1 - tail, 2 * count + 2) / 2)


def share_interval(count: int, of: int, confidence: float = 0.95) -> tuple[float, float]:
    """Exact interval of a share of which ``count`` out of ``of`` was seen (Clopper and Pearson 1934)."""
    from scipy.stats import beta

    tail = (1 - confidence) / 2
    low = float(beta.ppf(tail, count, of - count + 1)) if count else 0.0
    high = float(beta.ppf(1 - tail, count + 1, of - count)) if count < of else 1.0
    return low, high


def _rate(count: int, hours: float) -> str:
    low, high = poisson_interval(count)
    return f"{count / hours:.2f} ({low / hours:.2f} to {high / hours:.2f})"


def _share(count: int, of: int) -> str:
    low, high = share_interval(count, of)
    return f"{100 * low:.0f} to {100 * high:.0f} %"
