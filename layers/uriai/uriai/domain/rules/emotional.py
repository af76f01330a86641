"""``emotional``: suspected emotional abuse, from an adult's angry and a child's frightened face close in time."""

from __future__ import annotations

from collections.abc import Callable, Collection

from uriai.domain.analysis import Face, Observations
from uriai.domain.finding import Finding
from uriai.domain.rules.faces import ANGER, DISTRESS, FaceLook, is_adult, is_child, look_at, milliseconds
from uriai.domain.thresholds import Thresholds
from uriai.domain.words import Kind, Verdict

_Pair = tuple[FaceLook, FaceLook]
"""An adult's look and a child's."""


def find(observations: Observations, thresholds: Thresholds) -> tuple[Finding, ...]:
    """One finding for every stretch of time in which an adult is angry or disgusted and a child fearful, sad or
    surprised within ``emotional_within_s`` of each other.

    Only faces count of which it is known whether they are an adult's or a child's. One emotion by itself has to reach
    the limit: a face between anger and disgust shows neither. A pair is as certain as the less certain face of the two;
    a finding as its most certain pair. Pairs no farther apart than the same span are one finding. Never more than a
    ``review``: a face is a hint, not proof. Raising the probability of any of these emotions never removes, shortens or
    weakens a finding.
    """
    adults = _looks(observations.faces, is_adult, ANGER, thresholds.emotional_adult)
    children = _looks(observations.faces, is_child, DISTRESS, thresholds.emotional_child)
    within_ms = milliseconds(thresholds.emotional_within_s)
    pairs = [
        (adult, child)
        for adult in adults
        for child in children
        if adult.track != child.track and abs(adult.t_ms - child.t_ms) <= within_ms
    ]
    return tuple(_finding(run, thresholds) for run in _runs(pairs, within_ms))


def _looks(
    faces: Collection[Face], of: Callable[[Face], bool], emotions: Collection[str], least: float
) -> list[FaceLook]:
    looks = (look_at(face, emotions) for face in faces if of(face))
    return [look for look in looks if look.probability >= least]


def _start_ms(pair: _Pair) -> int:
    return min(look.t_ms for look in pair)


def _end_ms(pair: _Pair) -> int:
    return max(look.t_ms for look in pair)


def _runs(pairs: list[_Pair], within_ms: int) -> list[list[_Pair]]:
    runs: list[list[_Pair]] = []
    reach_ms = 0
    for pair in sorted(pairs, key=lambda pair: (_start_ms(pair), _end_ms(pair))):
        if runs and _start_ms(pair) <= reach_ms + within_ms:
            runs[-1].append(pair)
            reach_ms = max(reach_ms, _end_ms(pair))
        else:
            runs.append([pair])
            reach_ms = _end_ms(pair)
    return runs


def _finding(run: list[_Pair], thresholds: Thresholds) -> Finding:
    # of equally certain pairs the first in time, whatever order the faces came in
    adult, child = max(
        run,
        key=lambda pair: (_certainty(pair), -_end_ms(pair), -_start_ms(pair), pair[0].track, pair[1].track),
    )
    return Finding(
        kind=Kind.EMOTIONAL,
        start_s=min(map(_start_ms, run)) / 1000,
        end_s=max(map(_end_ms, run)) / 1000,
        confidence=_certainty((adult, child)),
        verdict=Verdict.REVIEW,
        thresholds=thresholds.of(Kind.EMOTIONAL),
        basis={
            "peak_s": adult.t_ms / 1000,
            "adult": adult.as_mapping(),
            "child": child.as_mapping(),
            "adult_looks": len({look for look, _ in run}),
            "child_looks": len({look for _, look in run}),
        },
    )


def _certainty(pair: _Pair) -> float:
    return min(look.probability for look in pair)
