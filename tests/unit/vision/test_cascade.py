"""When people and faces are looked for, and when that is spared: with detectors that say what the test wrote down."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from itertools import pairwise

import numpy as np
import pytest

from uriai.adapters.vision.age import AgeModel
from uriai.adapters.vision.emotion import EmotionClassifier
from uriai.adapters.vision.faces import DetectedFace, FaceDetector
from uriai.adapters.vision.people import DetectedPerson, PersonDetector
from uriai.adapters.vision.presence import Detectors, Presence
from uriai.adapters.vision.scaling import Image
from uriai.adapters.vision.video import Frame
from uriai.domain.analysis import Box

WIDTH, HEIGHT = 640, 360
TOGETHER = (Box(100, 100, 40, 120), Box(150, 100, 40, 120))
ALONE = Box(540, 100, 40, 120)
FACE = DetectedFace(Box(110, 102, 26, 30), 0.9)
NEUTRAL, AFRAID = {"neutral": 1.0}, {"neutral": 0.6, "fear": 0.4}
CELL_PX = 112
SMALL_FACE = DetectedFace(Box(110, 102, 12, 14), 0.9)


class WrittenPeople(PersonDetector):
    """Finds who the test wrote down for the moment; keeps when it was asked."""

    def __init__(self, there: Callable[[float], tuple[Box, ...]]) -> None:
        self.there, self.now_s, self.asked = there, 0.0, list[float]()

    def find(
        self, image: Image, least_score: float = 0.3, long_side_px: int | None = None
    ) -> tuple[DetectedPerson, ...]:
        self.asked.append(self.now_s)
        return tuple(DetectedPerson(box, 0.9) for box in self.there(self.now_s))


class WrittenFaces(FaceDetector):
    """The same for faces of the whole frame; a sheet of parts shows one in the middle of its first, where told."""

    def __init__(
        self, there: Callable[[float], tuple[DetectedFace, ...]], in_parts: Callable[[float], bool] = lambda _: False
    ) -> None:
        self.there, self.in_parts, self.now_s, self.asked = there, in_parts, 0.0, list[float]()
        self.sheets: list[tuple[float, int]] = []

    def find(self, image: Image, least_score: float = 0.5, long_side_px: int | None = None) -> tuple[DetectedFace, ...]:
        if image.shape[:2] != (HEIGHT, WIDTH):
            self.sheets.append((self.now_s, image.shape[1]))
            return (DetectedFace(Box(33, 33, 30, 30), 0.9),) if self.in_parts(self.now_s) else ()
        self.asked.append(self.now_s)
        return self.there(self.now_s)


class SameEmotion(EmotionClassifier):
    def __init__(self, shown: dict[str, float]) -> None:
        """Needs no model."""
        self.shown = shown

    def classify(self, crops: list[np.ndarray]) -> tuple[dict[str, float], ...]:
        return tuple(self.shown for _ in crops)


class NoAge(AgeModel):
    def __init__(self) -> None:
        """Needs no model."""

    def adult(self, chips: list[np.ndarray]) -> tuple[float, ...]:
        return tuple(0.5 for _ in chips)


class Moving(Frame):
    """A frame that differs from every other one."""

    def __init__(self, t_s: float) -> None:
        self.t_s, self.half_step_s = t_s, 0.05

    def image(self) -> Image:
        return np.random.default_rng(round(self.t_s * 100)).integers(0, 255, (HEIGHT, WIDTH, 3), np.uint8) // 64 * 64


def looked(
    people: Callable[[float], tuple[Box, ...]],
    faces: Callable[[float], tuple[DetectedFace, ...]] = lambda _: (),
    *,
    in_parts: Callable[[float], bool] = lambda _: False,
    shown: dict[str, float] = NEUTRAL,
    cascade: bool = True,
) -> tuple[WrittenPeople, WrittenFaces, Presence]:
    """Ten seconds of ten frames a second."""
    persons, seen = WrittenPeople(people), WrittenFaces(faces, in_parts)
    presence = Presence(Detectors(seen, persons, SameEmotion(shown), NoAge()), lambda _: nullcontext(), cascade=cascade)
    for number in range(100):
        persons.now_s = seen.now_s = number / 10
        presence.see(Moving(number / 10))
    return persons, seen, presence


def test_with_nothing_at_stake_people_are_looked_for_every_two_seconds_and_their_heads_every_second() -> None:
    people, faces, presence = looked(lambda _: TOGETHER)
    assert people.asked == pytest.approx([0, 2, 4, 6, 8], abs=0.1)
    assert [t_s for t_s, _ in faces.sheets] == pytest.approx(range(10), abs=0.1)
    assert len(faces.asked) == 3
    assert sorted({person.t_s for person in presence.result()[1]}) == people.asked


def test_somebody_apart_from_a_group_is_looked_for_every_second() -> None:
    people, _, presence = looked(lambda _: (*TOGETHER, ALONE))
    assert people.asked == pytest.approx(range(10), abs=0.1)
    assert len(presence.result()[1]) == 30


def test_a_face_that_shows_nothing_is_looked_at_every_second_and_everywhere_every_two() -> None:
    people, faces, presence = looked(lambda _: TOGETHER, lambda _: (FACE,), in_parts=lambda _: True)
    assert people.asked == pytest.approx([0, 2, 4, 6, 8], abs=0.1)
    assert faces.asked == pytest.approx([0, 2, 4, 6, 8], abs=0.1)
    assert [t_s for t_s, _ in faces.sheets] == pytest.approx(range(10), abs=0.1)
    assert sorted({face.t_s for face in presence.result()[0]}) == pytest.approx(range(10), abs=0.1)


def test_a_face_that_shows_fear_is_looked_at_twice_a_second_in_its_place_only() -> None:
    people, faces, presence = looked(lambda _: TOGETHER, lambda _: (FACE,), in_parts=lambda _: True, shown=AFRAID)
    assert people.asked == pytest.approx([0, 2, 4, 6, 8], abs=0.1)
    assert faces.asked == pytest.approx([0, 2, 4, 6, 8], abs=0.1)
    between = [width for t_s, width in faces.sheets if t_s % 1 > 0.3]
    assert len(between) == 10
    assert set(between) == {CELL_PX}
    assert sorted({face.t_s for face in presence.result()[0]}) == pytest.approx([n / 2 for n in range(20)], abs=0.1)


def test_a_face_that_is_missed_for_a_moment_is_looked_for_everywhere_again_within_two_seconds() -> None:
    def hidden(t_s: float) -> bool:
        return 2.5 < t_s < 4.5

    _, faces, presence = looked(
        lambda _: TOGETHER,
        lambda t_s: () if hidden(t_s) else (FACE,),
        in_parts=lambda t_s: not hidden(t_s),
        shown=AFRAID,
    )
    assert faces.asked == pytest.approx([0, 2, 4, 6, 8], abs=0.1)
    seen = sorted({face.t_s for face in presence.result()[0]})
    assert max(later - earlier for earlier, later in pairwise(seen)) <= 3.0 + 0.05


def test_a_face_too_small_to_be_read_is_not_worth_the_looks_in_between() -> None:
    _, faces, _ = looked(lambda _: TOGETHER, lambda _: (SMALL_FACE,))
    assert max(later - earlier for earlier, later in pairwise(faces.asked)) >= 0.9


def test_who_stood_apart_and_is_missed_twice_is_found_within_what_the_rule_allows() -> None:
    people, _, presence = looked(lambda t_s: TOGETHER if 3.5 < t_s < 5.5 else (*TOGETHER, ALONE))
    assert people.asked == pytest.approx(range(10), abs=0.1)
    apart = [person.t_s for person in presence.result()[1] if person.box == ALONE]
    assert max(later - earlier for earlier, later in pairwise(apart)) <= 3.0


def test_heads_too_small_to_show_an_emotion_are_not_searched() -> None:
    tiny = (Box(100, 100, 20, 60), Box(130, 100, 20, 60))
    _, faces, _ = looked(lambda _: tiny)
    assert faces.sheets == []


def test_where_nobody_is_found_the_whole_frame_is_searched_for_faces_every_second() -> None:
    people, faces, _ = looked(lambda _: ())
    assert people.asked == faces.asked == pytest.approx(range(10), abs=0.1)


def test_without_the_cascade_everything_is_looked_for_at_every_look() -> None:
    people, faces, _ = looked(lambda _: TOGETHER, cascade=False)
    assert people.asked == pytest.approx(range(10), abs=0.1)
    assert faces.asked == pytest.approx([step / 2 for step in range(20)], abs=0.1)
