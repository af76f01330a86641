"""What a change of thresholds would have made of stored analyses. Reads only."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from uriai.domain.finding import Finding
from uriai.domain.rules import find_in_clip, neglect
from uriai.domain.rules.neglect import PlacedClip
from uriai.domain.threshold_history import ThresholdEntry, thresholds_at
from uriai.domain.thresholds import Thresholds
from uriai.service.judge_clip import AROUND, finding_row
from uriai.service.ports.repositories import AnalysedClip, FindingRow, Repositories, Transactions

STRETCH = timedelta(hours=1)
"""So much of a camera's time is judged at once; what lies around it is read as well."""


class Effect(StrEnum):
    """What the change does to a finding."""

    NEW = "new"
    GONE = "gone"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class Difference:
    """One finding that would differ: ``before`` is stored, ``after`` is what would have been found instead."""

    effect: Effect
    clip: AnalysedClip
    before: FindingRow | None
    after: FindingRow | None


@dataclass(frozen=True, slots=True)
class ReplayedCamera:
    """A camera with its centre, by their ids."""

    camera_id: int
    centre_id: int


@dataclass(frozen=True, slots=True)
class Replay:
    """Which cameras' clips that start in the half-open span (aware) are judged again, with ``values`` in place of what
    was in force.
    """

    cameras: Sequence[ReplayedCamera]
    since: datetime
    until: datetime
    values: Mapping[str, float]


def replay_rules(replay: Replay, transactions: Transactions) -> Iterator[tuple[int, int, tuple[Difference, ...]]]:
    """Camera id, how many clips were judged, and their differences; one after the other, an hour of a camera each.

    Without ``values`` there is none: stored findings are what the rules make of stored analyses.

    Raises
    ------
    ValueError
        If the values are out of bounds or do not go together with what was in force.
    """
    for camera in replay.cameras:
        start = replay.since
        while start < replay.until:
            end = min(start + STRETCH, replay.until)
            clips, differences = transactions.run(
                lambda rows, camera=camera, start=start, end=end: _stretch(rows, camera, start, end, replay.values)  # type: ignore[misc]
            )
            yield camera.camera_id, clips, differences
            start = end


def _stretch(
    rows: Repositories, camera: ReplayedCamera, start: datetime, end: datetime, values: Mapping[str, float]
) -> tuple[int, tuple[Difference, ...]]:
    if not rows.analyses.ids_around(camera.camera_id, start, end):
        return 0, ()
    history = rows.thresholds.entries(camera.centre_id)
    around = rows.analyses.around(camera.camera_id, start - AROUND, end + AROUND)
    judged = _judge(around, camera.camera_id, history, values)
    inside = [(clip, found) for clip, found in zip(around, judged, strict=True) if start <= clip.started_at < end]
    stored = rows.analyses.findings([clip.analysis_id for clip, _ in inside])
    differences = [
        difference for clip, found in inside for difference in compare(clip, stored.get(clip.analysis_id, ()), found)
    ]
    return len(inside), tuple(differences)


def _judge(
    clips: Sequence[AnalysedClip], camera_id: int, history: Iterable[ThresholdEntry], values: Mapping[str, float]
) -> list[tuple[FindingRow, ...]]:
    if not clips:
        return []
    known = tuple(history)
    placed = [
        PlacedClip(
            (clip.started_at - clips[0].started_at).total_seconds(),
            clip.observations,
            _changed(thresholds_at(known, camera_id, clip.started_at), values),
        )
        for clip in clips
    ]

    def row(clip: AnalysedClip, finding: Finding) -> FindingRow:
        return finding_row(finding, clip.analysis_id, camera_id, clip.started_at)

    return [
        tuple(row(clip, f) for f in (*find_in_clip(place.observations, place.thresholds), *neglected))
        for clip, place, neglected in zip(clips, placed, neglect.find(placed), strict=True)
    ]


def _changed(held: Thresholds, values: Mapping[str, float]) -> Thresholds:
    return Thresholds.from_mapping({**held.as_mapping(), **values})


def compare(clip: AnalysedClip, before: Sequence[FindingRow], after: Sequence[FindingRow]) -> Iterator[Difference]:
    """Stored findings against those that would have been found: the same span first, then what overlaps most."""
    left = {row.id: row for row in before}
    fresh: list[FindingRow] = []
    for row in after:
        same = left.pop(row.id, None)
        if same is None:
            fresh.append(row)
        elif (same.confidence, same.verdict) != (row.confidence, row.verdict):
            yield Difference(Effect.CHANGED, clip, same, row)
    for row in fresh:
        overlapping = [old for old in left.values() if old.kind is row.kind and _shared_ms(old, row) > 0]
        if overlapping:
            old = max(overlapping, key=lambda old: _shared_ms(old, row))
            yield Difference(Effect.CHANGED, clip, left.pop(old.id), row)
        else:
            yield Difference(Effect.NEW, clip, None, row)
    for old in left.values():
        yield Difference(Effect.GONE, clip, old, None)


def _shared_ms(one: FindingRow, other: FindingRow) -> int:
    return min(one.end_ms, other.end_ms) - max(one.start_ms, other.start_ms)
