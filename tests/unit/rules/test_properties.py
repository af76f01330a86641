"""What holds for every rule about clips, whatever the clip: Hypothesis looks for one for which it does not."""

from __future__ import annotations

import itertools
import random
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from tests.unit.rules.scenes import ADULT, CHILD, alone, body, face, group
from uriai.domain.analysis import EMOTIONS, Face, Observations, PersonBox, Window
from uriai.domain.finding import Finding
from uriai.domain.rules import find_all, neglect
from uriai.domain.rules.faces import ANGER, DISTRESS
from uriai.domain.rules.neglect import PlacedClip
from uriai.domain.thresholds import Thresholds
from uriai.domain.words import Kind, Verdict

DEFAULTS = Thresholds()
seconds = st.integers(0, 29)


def a_face(half_seconds: int, track: int, adult: float | None, emotion: str, probability: float) -> Face:
    return face(half_seconds / 2, track, adult, **{emotion: probability})


certain = st.floats(0.6, 1)
faces = st.one_of(
    st.builds(a_face, st.integers(0, 59), st.just(2), st.just(ADULT), st.sampled_from(ANGER), certain),
    st.builds(a_face, st.integers(0, 59), st.sampled_from([1, 3]), st.just(CHILD), st.sampled_from(DISTRESS), certain),
    st.builds(
        a_face, st.integers(0, 59), st.integers(1, 6), st.sampled_from([ADULT, CHILD, 0.5, None]),
        st.sampled_from(EMOTIONS), st.floats(0, 1),
    ),
)  # fmt: skip
"""Faces that the rules look for, and any face of one of six tracks, most of them of somebody in `scenes`."""


def a_clip(
    probabilities: list[float], shown: list[Face], length: int, visits: list[int], passers_by: list[tuple[int, int]]
) -> Observations:
    """Windows, faces and people: one child apart except when visited, a group, and passers-by."""
    windows = tuple(Window(float(i), i + 2.0, p) for i, p in enumerate(probabilities))
    people: list[PersonBox] = []
    for second in range(length):
        people += [alone(float(second), away=2.0 if second in visits else 6.0), *group(float(second))]
    people += [body(float(second), 6, float(x)) for second, x in passers_by]
    return Observations(30.0, windows, tuple(shown), tuple(people))


clips = st.builds(
    a_clip, st.lists(st.floats(0, 1), max_size=8), st.lists(faces, max_size=8),
    st.one_of(st.just(30), st.integers(0, 30)), st.lists(seconds, max_size=2),
    st.lists(st.tuples(seconds, st.integers(0, 1200)), max_size=2),
)  # fmt: skip


def a_day(shown: list[Observations], holes: list[float]) -> list[PlacedClip]:
    starts = itertools.accumulate((30.0 + hole for hole in holes), initial=0.0)
    return [PlacedClip(start, clip, DEFAULTS) for start, clip in zip(starts, shown, strict=False)]


days = st.builds(
    a_day, st.lists(clips, min_size=2, max_size=3),
    st.lists(st.sampled_from([0.0, 0.0, 2.0, 10.0]), min_size=2, max_size=2),
)  # fmt: skip
"""Two or three clips, one after the other, some with a hole between them."""


def covers(after: Finding, before: Finding) -> bool:
    """Whether one finding says all that another said, or more."""
    return (
        after.kind is before.kind
        and after.start_s <= before.start_s
        and after.end_s >= before.end_s
        and after.confidence >= before.confidence
        and after.verdict.severity >= before.verdict.severity
    )


@given(clips, st.randoms(use_true_random=False), st.floats(0, 1))
def test_more_confidence_of_the_models_never_removes_shortens_or_weakens_a_finding(
    clip: Observations, chance: random.Random, rise: float
) -> None:
    windows = tuple(
        replace(w, probability=min(1.0, w.probability + rise)) if chance.random() < 0.3 else w for w in clip.windows
    )
    emotional = [*ANGER, *DISTRESS]
    raised = tuple(
        replace(f, emotions={n: min(1.0, p + rise) if n in emotional else p for n, p in f.emotions.items()})
        if chance.random() < 0.5 else f
        for f in clip.faces
    )  # fmt: skip
    before, after = find_all(clip, DEFAULTS), find_all(replace(clip, windows=windows, faces=raised), DEFAULTS)
    for finding in before:
        assert any(covers(other, finding) for other in after), finding


@given(clips, st.integers(0, 100_000))
def test_a_clip_shown_later_gives_the_same_findings_later(clip: Observations, shift_ms: int) -> None:
    shift = shift_ms / 1000
    later = replace(
        clip,
        duration_s=clip.duration_s + shift,
        windows=tuple(replace(w, start_s=w.start_s + shift, end_s=w.end_s + shift) for w in clip.windows),
        faces=tuple(replace(f, t_s=f.t_s + shift) for f in clip.faces),
        people=tuple(replace(p, t_s=p.t_s + shift) for p in clip.people),
    )
    at_zero, shifted = find_all(clip, DEFAULTS), find_all(later, DEFAULTS)
    assert [
        (f.kind, round(f.start_s + shift, 3), round(f.end_s + shift, 3), f.confidence, f.verdict) for f in at_zero
    ] == [(f.kind, round(f.start_s, 3), round(f.end_s, 3), f.confidence, f.verdict) for f in shifted]


@given(days, st.integers(-10_000_000, 10_000_000))
def test_a_day_moved_as_a_whole_gives_the_same_findings(day: list[PlacedClip], shift_ms: int) -> None:
    moved = [replace(clip, start_s=clip.start_s + shift_ms / 1000) for clip in day]
    assert neglect.find(moved) == neglect.find(day)


@given(clips, st.randoms(use_true_random=False))
def test_the_order_of_a_clips_faces_people_and_windows_changes_nothing(
    clip: Observations, chance: random.Random
) -> None:
    def shuffled(values: tuple[object, ...]) -> tuple[object, ...]:
        return tuple(chance.sample(values, len(values)))

    other = replace(clip, windows=shuffled(clip.windows), faces=shuffled(clip.faces), people=shuffled(clip.people))
    assert find_all(other, DEFAULTS) == find_all(clip, DEFAULTS)


@given(clips)
def test_a_face_never_makes_more_than_a_review(clip: Observations) -> None:
    for finding in find_all(clip, DEFAULTS):
        if finding.kind in (Kind.EMOTIONAL, Kind.NEGLECT):
            assert finding.verdict is Verdict.REVIEW


@given(clips)
def test_one_clip_has_at_most_one_finding_a_kind_and_span_and_says_why(clip: Observations) -> None:
    findings = find_all(clip, DEFAULTS)
    assert len({(f.kind, f.start_s, f.end_s) for f in findings}) == len(findings)
    for finding in findings:
        assert 0 <= finding.start_s <= finding.end_s <= clip.duration_s
        assert 0 <= finding.confidence <= 1
        assert finding.basis
        assert finding.thresholds == DEFAULTS.of(finding.kind)


@given(st.floats(0, 30), st.lists(st.floats(0, 0.6), max_size=28))
def test_an_empty_or_quiet_clip_has_no_finding(duration_s: float, probabilities: list[float]) -> None:
    assert find_all(Observations(duration_s, ()), DEFAULTS) == ()
    windows = tuple(Window(float(i), i + 2.0, p) for i, p in enumerate(probabilities))
    assert find_all(Observations(duration_s, windows), DEFAULTS) == ()


@given(days, st.data())
def test_a_clip_more_never_takes_a_part_away_nor_moves_it(day: list[PlacedClip], data: st.DataObject) -> None:
    """Clips arrive one by one, in any order: what was found of those that were there stays where it is."""
    kept = sorted(data.draw(st.sets(st.integers(0, len(day) - 1), min_size=1)))
    few, all_of_them = neglect.find([day[i] for i in kept]), neglect.find(day)
    for place, index in enumerate(kept):
        for finding in few[place]:
            assert any(
                (other.start_s, other.end_s) == (finding.start_s, finding.end_s)
                and other.confidence >= finding.confidence
                for other in all_of_them[index]
            )
