"""Judges a clip by the rules, with the clips around it, each by the thresholds that were in force when it started.

A clip can turn parts of its neighbours into findings: docs/decisions/0010-neglect-in-parts.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from uriai.domain.analysis import Observations
from uriai.domain.finding import Finding
from uriai.domain.identity import finding_id
from uriai.domain.rules import find_in_clip, neglect
from uriai.domain.rules.neglect import REACH_S, PlacedClip
from uriai.domain.threshold_history import ThresholdEntry, thresholds_at
from uriai.domain.thresholds import Thresholds
from uriai.domain.ulid import Ulid
from uriai.service.ports.repositories import AnalysedClip, FindingRow, Repositories, Transactions

AROUND = timedelta(seconds=2 * REACH_S + 30)
"""How far from a clip those begin that can matter to it or to one that it matters to; a clip lasts 30 s at most."""


@dataclass(frozen=True, slots=True)
class NewClip:
    """The clip to judge: what models saw, rounded as it is stored, and when it was recorded (aware)."""

    id: Ulid
    analysis_id: Ulid
    camera_id: int
    started_at: datetime
    ended_at: datetime
    observations: Observations


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a clip is judged by and with: its thresholds, and the analysed clips around it, each with its own."""

    thresholds: Thresholds
    neighbours: tuple[tuple[AnalysedClip, Thresholds], ...]

    @property
    def analyses(self) -> frozenset[Ulid]:
        """Which analyses of neighbours there are: others may be there a moment later."""
        return frozenset(clip.analysis_id for clip, _ in self.neighbours)


@dataclass(frozen=True, slots=True)
class Judgement:
    """The findings of a clip, and those of its neighbours that it has a part in; each finding with its row."""

    own: tuple[tuple[Finding, FindingRow], ...]
    neighbours: tuple[tuple[AnalysedClip, Finding, FindingRow], ...]


def look_around(clip: NewClip, history: Sequence[ThresholdEntry], transactions: Transactions) -> Surroundings:
    """Read what the clip has to be judged with. Where nobody is apart in it, its neighbours have no say.

    ``history``: what was ever set for its centre.
    """
    thresholds = thresholds_at(history, clip.camera_id, clip.started_at)
    if not neglect.matters(clip.observations, thresholds):
        return Surroundings(thresholds, ())
    around = transactions.run(
        lambda rows: rows.analyses.around(
            clip.camera_id, clip.started_at - AROUND, clip.ended_at + AROUND, besides=clip.id
        )
    )
    return Surroundings(
        thresholds, tuple((other, thresholds_at(history, clip.camera_id, other.started_at)) for other in around)
    )


def still_so(rows: Repositories, clip: NewClip, surroundings: Surroundings) -> bool:
    """Whether the neighbours are those that were read, under the camera's lock, which keeps others from coming."""
    if not neglect.matters(clip.observations, surroundings.thresholds):
        return True
    around = rows.analyses.ids_around(clip.camera_id, clip.started_at - AROUND, clip.ended_at + AROUND, besides=clip.id)
    return frozenset(around) == surroundings.analyses


def judge(clip: NewClip, surroundings: Surroundings) -> Judgement:
    """What the rules make of the clip, and of the parts of neglect that reach into its neighbours."""
    placed = [PlacedClip(0.0, clip.observations, surroundings.thresholds)] + [
        PlacedClip((other.started_at - clip.started_at).total_seconds(), other.observations, thresholds)
        for other, thresholds in surroundings.neighbours
    ]
    neglected, *of_neighbours = neglect.find(placed)
    own = (*find_in_clip(clip.observations, surroundings.thresholds), *neglected)
    return Judgement(
        own=tuple((f, finding_row(f, clip.analysis_id, clip.camera_id, clip.started_at)) for f in own),
        neighbours=tuple(
            (other, finding, finding_row(finding, other.analysis_id, clip.camera_id, other.started_at))
            for (other, _), findings in zip(surroundings.neighbours, of_neighbours, strict=True)
            if _within_reach(clip, other)
            for finding in findings
        ),
    )


def finding_row(finding: Finding, analysis_id: Ulid, camera_id: int, started_at: datetime) -> FindingRow:
    """A finding about a clip that started then, placed in time."""
    start_ms, end_ms = round(finding.start_s * 1000), round(finding.end_s * 1000)
    return FindingRow(
        id=finding_id(analysis_id, finding.kind, start_ms, end_ms),
        analysis_id=analysis_id,
        camera_id=camera_id,
        kind=finding.kind,
        start_ms=start_ms,
        end_ms=end_ms,
        started_at=started_at + timedelta(milliseconds=start_ms),
        ended_at=started_at + timedelta(milliseconds=end_ms),
        confidence=finding.confidence,
        verdict=finding.verdict,
        thresholds=finding.thresholds,
        basis=finding.basis,
    )


def _within_reach(clip: NewClip, other: AnalysedClip) -> bool:
    """Whether everything that has a say in the neighbour's parts was read."""
    ended_at = other.started_at + timedelta(seconds=other.observations.duration_s)
    reach = timedelta(seconds=REACH_S)
    return other.started_at <= clip.ended_at + reach and ended_at >= clip.started_at - reach
