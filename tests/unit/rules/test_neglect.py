from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from tests.unit.rules.scenes import ADULT, ALONE, CHILD, alone, body, face, watched
from uriai.domain.analysis import Observations
from uriai.domain.finding import Finding
from uriai.domain.rules import find_all, find_in_clip, neglect
from uriai.domain.rules.neglect import PlacedClip
from uriai.domain.thresholds import Thresholds
from uriai.domain.words import Kind, Verdict

DEFAULTS = Thresholds()


def found(observations: Observations, **limits: float) -> tuple[Finding, ...]:
    (of_clip,) = neglect.find([PlacedClip(0.0, observations, Thresholds.from_mapping(limits))])
    return of_clip


def contiguous(*clips: Observations, gap_s: float = 0.0, thresholds: Thresholds = DEFAULTS) -> list[PlacedClip]:
    starts = itertools.accumulate((clip.duration_s + gap_s for clip in clips[:-1]), initial=0.0)
    return [PlacedClip(start, clip, thresholds) for start, clip in zip(starts, clips, strict=True)]


def spans(findings: tuple[tuple[Finding, ...], ...]) -> list[list[tuple[float, float]]]:
    return [[(f.start_s, f.end_s) for f in of_clip] for of_clip in findings]


def test_a_child_apart_for_long_with_a_sad_face_is_a_finding_for_review() -> None:
    (finding,) = found(watched(25, sad_at=[12.0], adult=CHILD))
    assert (finding.kind, finding.verdict, finding.confidence) == (Kind.NEGLECT, Verdict.REVIEW, 0.8)
    assert (finding.start_s, finding.end_s) == (0.0, 24.0)
    assert finding.thresholds == {"neglect_distance": 2.5, "neglect_least_s": 20.0, "neglect_distress": 0.6}
    assert finding.basis == {
        "peak_s": 12.0,
        "track": ALONE,
        "apart_from_s": 0.0,
        "apart_to_s": 24.0,
        "emotion": "sad",
        "distressed_s": 12.0,
        "distressed_looks": 1,
    }


@pytest.mark.parametrize(("seconds", "findings"), [(20, 0), (21, 1)])
def test_it_has_to_last_from_the_first_look_to_the_last(seconds: int, findings: int) -> None:
    assert len(found(watched(seconds, sad_at=[3.0]))) == findings


@pytest.mark.parametrize(("away", "findings"), [(2.5, 0), (2.51, 1)])
def test_apart_is_farther_than_two_and_a_half_heights(away: float, findings: int) -> None:
    assert len(found(watched(25, sad_at=[3.0], away=away))) == findings


@pytest.mark.parametrize(("sad", "findings"), [(0.6, 1), (0.599, 0)])
def test_without_a_distressed_face_being_alone_is_no_neglect(sad: float, findings: int) -> None:
    assert found(watched(25)) == ()
    assert len(found(watched(25, sad_at=[3.0], sad=sad))) == findings


def test_somebody_elses_distress_does_not_count() -> None:
    scene = watched(25)
    assert found(replace(scene, faces=(face(5.0, 2, CHILD, sad=0.9),))) == ()


def test_who_is_surely_an_adult_is_not_neglected() -> None:
    assert found(watched(25, sad_at=[3.0], adult=ADULT)) == ()
    assert len(found(watched(25, sad_at=[3.0], adult=None))) == 1, "who might be a child counts"


def test_somebody_who_comes_near_ends_it() -> None:
    scene = watched(30, sad_at=[3.0, 25.0])
    visited = (*scene.people, body(15.0, 9, 900 - 5 * 100))
    assert found(replace(scene, people=visited)) == ()


def test_two_people_far_from_each_other_are_no_group_and_a_child_by_itself_is_not_apart_from_one() -> None:
    two = [person for t in range(25) for person in (alone(float(t)), body(float(t), 2, 900))]
    one = [alone(float(t)) for t in range(25)]
    for people in (two, one):
        scene = replace(watched(25, sad_at=[3.0]), people=tuple(people))
        assert found(scene) == ()


def test_three_people_each_far_from_the_others_are_no_group() -> None:
    scattered = [body(float(t), track, x) for t in range(25) for track, x in ((1, 100.0), (2, 600.0), (3, 1100.0))]
    assert found(replace(watched(25, sad_at=[3.0]), people=tuple(scattered))) == ()


@pytest.mark.parametrize(("missed", "findings"), [((10, 11), 1), ((10, 11, 12), 0)])
def test_one_or_two_looks_that_miss_somebody_do_not_end_it(missed: tuple[int, ...], findings: int) -> None:
    scene = watched(30, sad_at=[3.0])
    seen = tuple(p for p in scene.people if not (p.track == ALONE and int(p.t_s) in missed))
    assert len(found(replace(scene, people=seen))) == findings


def test_over_two_contiguous_clips_each_gets_its_part() -> None:
    clips = contiguous(watched(12), watched(12, sad_at=[4.0], track=7))
    first, second = neglect.find(clips)
    assert spans((first, second)) == [[(0.0, 11.0)], [(0.0, 11.0)]]
    assert first[0].confidence == second[0].confidence == 0.8
    assert (first[0].basis["apart_from_s"], first[0].basis["apart_to_s"]) == (0.0, 23.0)
    assert first[0].basis["distressed_s"] == 16.0
    assert first[0].basis["peak_s"] == 5.5, "where the part shows no distressed face its middle is shown"
    assert second[0].basis["peak_s"] == 4.0


def test_one_clip_alone_and_the_same_clip_with_its_neighbours_give_parts_of_one_span() -> None:
    """Whether a part is a finding may depend on its neighbours; where it lies never does."""
    alone_long_enough = watched(25, sad_at=[4.0])
    (by_itself,) = found(alone_long_enough)
    with_others = neglect.find(contiguous(watched(25), alone_long_enough, watched(25)))[1]
    assert spans((with_others,)) == [[(by_itself.start_s, by_itself.end_s)]]


@pytest.mark.parametrize(("gap_s", "findings"), [(2.0, 1), (3.001, 0), (-3.001, 0)])
def test_clips_with_a_hole_between_them_are_not_joined(gap_s: float, findings: int) -> None:
    clips = contiguous(watched(12), watched(12, sad_at=[4.0]), gap_s=gap_s)
    assert [len(of_clip) for of_clip in neglect.find(clips)] == [findings, findings]


def test_a_track_number_says_nothing_across_a_seam_and_only_overlap_does() -> None:
    elsewhere = watched(12, sad_at=[4.0])
    moved = tuple(body(p.t_s, p.track, 300, 700) if p.track == ALONE else p for p in elsewhere.people)
    assert spans(neglect.find(contiguous(watched(12), replace(elsewhere, people=moved)))) == [[], []]


def test_a_second_copy_of_a_clip_does_not_tear_the_seam() -> None:
    clips = contiguous(watched(12), watched(12, sad_at=[4.0]))
    empty = PlacedClip(0.0, Observations(12.0, ()), DEFAULTS)
    assert spans(neglect.find([clips[0], empty, clips[1]])) == [[(0.0, 11.0)], [], [(0.0, 11.0)]]


def test_a_part_far_from_any_distress_is_none() -> None:
    clips = contiguous(watched(30, sad_at=[1.0]), watched(30), watched(30))
    assert spans(neglect.find(clips)) == [[(0.0, 29.0)], [], []]


def test_each_part_is_judged_by_what_was_in_force_at_its_own_start() -> None:
    first, second = contiguous(watched(12), watched(12, sad_at=[4.0]))
    patient = Thresholds.from_mapping({"neglect_least_s": 30})
    assert spans(neglect.find([replace(first, thresholds=patient), second])) == [[], [(0.0, 11.0)]]


def test_the_order_in_which_clips_are_given_does_not_matter() -> None:
    clips = contiguous(watched(12), watched(9, sad_at=[4.0]), watched(12))
    expected = dict(enumerate(neglect.find(clips)))
    for order in itertools.permutations(range(3)):
        answer = neglect.find([clips[i] for i in order])
        assert {i: answer[place] for place, i in enumerate(order)} == expected


def test_two_who_were_apart_at_the_same_time_are_one_finding_a_span() -> None:
    scene = watched(25, sad_at=[3.0], sad=0.7)
    other = tuple(body(float(t), 9, 1600) for t in range(25))
    both = replace(scene, people=(*scene.people, *other), faces=(*scene.faces, face(4.0, 9, CHILD, fear=0.9)))
    (finding,) = found(both)
    assert (finding.confidence, finding.basis["track"]) == (0.9, 9)


def test_whether_a_clip_matters_to_its_neighbours_is_whether_anybody_is_apart_in_it() -> None:
    assert neglect.matters(watched(5), DEFAULTS)
    assert not neglect.matters(watched(5, away=1.0), DEFAULTS)
    assert not neglect.matters(Observations(30.0, ()), DEFAULTS)


def test_one_clip_by_itself_is_judged_by_every_rule() -> None:
    scene = watched(25, sad_at=[3.0])
    assert [f.kind for f in find_all(scene, DEFAULTS)] == [Kind.NEGLECT]
    assert find_in_clip(scene, DEFAULTS) == ()
