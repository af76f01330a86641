from __future__ import annotations

import pytest

from tests.unit.rules.scenes import ADULT, CHILD, face
from uriai.domain.analysis import Face, Observations
from uriai.domain.finding import Finding
from uriai.domain.rules import emotional
from uriai.domain.thresholds import Thresholds
from uriai.domain.words import Kind, Verdict


def found(*faces: Face, **limits: float) -> tuple[Finding, ...]:
    return emotional.find(Observations(30.0, (), faces), Thresholds.from_mapping(limits))


def test_an_angry_adult_and_a_frightened_child_are_a_finding_for_review() -> None:
    (finding,) = found(face(5.0, 1, ADULT, angry=0.97), face(7.0, 2, CHILD, fear=0.7))
    assert (finding.kind, finding.verdict) == (Kind.EMOTIONAL, Verdict.REVIEW)
    assert (finding.start_s, finding.end_s) == (5.0, 7.0)
    assert finding.confidence == 0.7, "no more certain than the less certain face of the two"
    assert finding.thresholds == {"emotional_adult": 0.6, "emotional_child": 0.6, "emotional_within_s": 3.0}
    assert finding.basis == {
        "peak_s": 5.0,
        "adult": {"t_s": 5.0, "track": 1, "emotion": "angry", "probability": 0.97},
        "child": {"t_s": 7.0, "track": 2, "emotion": "fear", "probability": 0.7},
        "adult_looks": 1,
        "child_looks": 1,
    }


@pytest.mark.parametrize("anger", ["angry", "disgust"])
@pytest.mark.parametrize("distress", ["fear", "sad", "surprise"])
def test_every_emotion_of_the_rule_counts(anger: str, distress: str) -> None:
    assert len(found(face(1, 1, ADULT, **{anger: 0.6}), face(1, 2, CHILD, **{distress: 0.6}))) == 1


@pytest.mark.parametrize("emotion", ["happy", "neutral", "sad", "fear", "surprise"])
def test_an_adult_who_shows_something_else_is_no_finding(emotion: str) -> None:
    assert found(face(1, 1, ADULT, **{emotion: 0.99}), face(1, 2, CHILD, fear=0.99)) == ()


@pytest.mark.parametrize("emotion", ["happy", "neutral", "angry", "disgust"])
def test_a_child_that_shows_something_else_is_no_finding(emotion: str) -> None:
    assert found(face(1, 1, ADULT, angry=0.99), face(1, 2, CHILD, **{emotion: 0.99})) == ()


@pytest.mark.parametrize(("adult", "child", "findings"), [(0.6, 0.6, 1), (0.599, 0.9, 0), (0.9, 0.599, 0)])
def test_both_faces_have_to_reach_their_limit(adult: float, child: float, findings: int) -> None:
    assert len(found(face(1, 1, ADULT, angry=adult), face(1, 2, CHILD, sad=child))) == findings


def test_half_anger_and_half_disgust_are_neither() -> None:
    assert found(face(1, 1, ADULT, angry=0.5, disgust=0.5), face(1, 2, CHILD, sad=0.9)) == ()


@pytest.mark.parametrize(("later", "findings"), [(3.0, 1), (3.001, 0)])
@pytest.mark.parametrize("child_first", [True, False])
def test_the_two_are_at_most_three_seconds_apart(later: float, findings: int, child_first: bool) -> None:
    at = (4.0, 4.0 + later) if child_first else (4.0 + later, 4.0)
    assert len(found(face(at[1], 1, ADULT, angry=0.9), face(at[0], 2, CHILD, fear=0.9))) == findings


@pytest.mark.parametrize(("one", "other"), [(None, CHILD), (ADULT, None), (CHILD, CHILD), (ADULT, ADULT), (0.5, 0.5)])
def test_faces_of_which_it_is_not_known_whose_they_are_do_not_count(one: float | None, other: float | None) -> None:
    assert found(face(1, 1, one, angry=0.9), face(1, 2, other, fear=0.9)) == ()


def test_the_edges_of_what_is_sure_count() -> None:
    assert len(found(face(1, 1, 0.7, angry=0.9), face(1, 2, 0.3, fear=0.9))) == 1


def test_a_scene_that_goes_on_is_one_finding_and_a_later_one_another() -> None:
    scene = [face(t, 1, ADULT, angry=0.8) for t in (1.0, 4.0, 7.0)] + [face(t, 2, CHILD, sad=0.7) for t in (2.0, 6.5)]
    later = [face(20.0, 1, ADULT, angry=0.9), face(20.5, 3, CHILD, fear=0.9)]
    first, second = found(*scene, *later)
    assert (first.start_s, first.end_s, second.start_s, second.end_s) == (1.0, 7.0, 20.0, 20.5)
    assert (first.basis["adult_looks"], first.basis["child_looks"]) == (3, 2)


def test_a_face_too_small_to_read_shows_nothing() -> None:
    assert found(face(1, 1, ADULT), face(1, 2, CHILD)) == ()


def test_a_centre_may_set_its_own_limits() -> None:
    faces = face(1, 1, ADULT, angry=0.65), face(6, 2, CHILD, fear=0.65)
    assert found(*faces) == ()
    assert len(found(*faces, emotional_within_s=5)) == 1
    assert found(*faces, emotional_within_s=5, emotional_child=0.7) == ()
