"""People keep their number within a clip, and their faces have it too."""

from __future__ import annotations

import random
from itertools import count

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from uriai.adapters.vision.clothes import clothes
from uriai.adapters.vision.joining import SeenFace, joined
from uriai.adapters.vision.people import DetectedPerson, steady
from uriai.adapters.vision.tracker import PEOPLE, Tracker
from uriai.domain.analysis import Box, PersonBox


def standing(x: float, height: float = 200, foot: float = 500) -> Box:
    return Box(x - height / 6, foot - height, height / 3, height)


def face_of(person: Box) -> Box:
    side = person.h / 8
    return Box(person.x + person.w / 2 - side / 2, person.y + 0.3 * side, side, side)


def test_two_who_cross_keep_their_numbers() -> None:
    tracker = Tracker(habits=PEOPLE)
    for step in range(13):
        left, right = standing(200 + 40 * step, foot=480), standing(680 - 40 * step, foot=520)
        one, two = tracker.update(step * 0.5, [left, right])
        assert (one, two) == (1, 2)


def test_who_is_hidden_for_two_seconds_comes_back_under_the_same_number() -> None:
    tracker = Tracker(habits=PEOPLE)
    numbers = [tracker.update(t, [standing(300 + 60 * t)])[0] for t in (0.0, 1.0)]
    tracker.update(2.0, [])
    numbers.append(tracker.update(3.0, [standing(480)])[0])
    assert numbers == [1, 1, 1]


def wearing(*colours: int) -> np.ndarray:
    histogram = np.zeros(512, np.float32)
    histogram[list(colours)] = 1 / len(colours)
    return histogram


def test_two_who_meet_and_turn_back_are_told_apart_by_their_clothes() -> None:
    """By their places alone they look as if they had walked through each other."""
    places = [(200, 600), (300, 500), (380, 420), (300, 500), (200, 600)]
    red, blue = wearing(1, 2, 3), wearing(7, 8, 9)
    tracker = Tracker(habits=PEOPLE)
    numbers = [tracker.update(float(t), [standing(a), standing(b)], [red, blue]) for t, (a, b) in enumerate(places)]
    assert set(numbers) == {(1, 2)}


def test_somebody_in_other_clothes_is_somebody_else() -> None:
    tracker = Tracker(habits=PEOPLE)
    tracker.update(0.0, [standing(200)], [wearing(1, 2, 3)])
    assert tracker.update(1.0, [standing(290)], [wearing(7, 8, 9)]) == (2,)


def test_who_stays_is_the_same_when_the_light_is_switched_off() -> None:
    tracker = Tracker(habits=PEOPLE)
    tracker.update(0.0, [standing(200)], [wearing(1, 2, 3)])
    assert tracker.update(1.0, [standing(205)], [wearing(7, 8, 9)]) == (1,)


def test_clothes_are_told_by_their_colours() -> None:
    picture = np.full((400, 600, 3), 128, np.uint8)
    picture[100:300, 90:160] = (40, 40, 200)
    picture[100:300, 290:360] = (200, 60, 30)
    picture[100:300, 490:560] = (45, 38, 190)
    red, blue, red_too = (clothes(picture, Box(x, 80, 80, 240)) for x in (85, 285, 485))
    assert red.sum() == pytest.approx(1)
    assert np.minimum(red, red_too).sum() > 0.5 > np.minimum(red, blue).sum()


def test_a_weak_find_counts_only_where_somebody_was_before() -> None:
    weak, sure = DetectedPerson(standing(200), 0.32), DetectedPerson(standing(500), 0.6)
    assert steady([sure, weak], []) == (sure,)
    assert steady([sure, weak], [standing(210)]) == (sure, weak)


def test_who_was_gone_for_long_is_somebody_new() -> None:
    tracker = Tracker()
    tracker.update(0.0, [standing(300)])
    assert tracker.update(10.0, [standing(300)]) == (2,)


@given(st.permutations(range(5)))
def test_numbers_do_not_depend_on_the_order_of_the_boxes(order: list[int]) -> None:
    tracker = Tracker()
    places = [standing(150 + 220 * k) for k in range(5)]
    first = tracker.update(0.0, places)
    later = tracker.update(1.0, [standing(150 + 220 * k + 30) for k in order])
    assert later == tuple(first[k] for k in order)


def test_trackers_that_share_their_numbers_never_give_the_same() -> None:
    numbers = count(1)
    one, other = Tracker(numbers), Tracker(numbers)
    given_out = [*one.update(0, [standing(100), standing(500)]), *other.update(0, [standing(100)])]
    assert sorted(given_out) == [1, 2, 3]


def seen(people: dict[int, float], faces: dict[int, float], moments: int = 4) -> tuple[list[SeenFace], list[PersonBox]]:
    """People and faces by track and place, standing still at each of some moments."""
    bodies = [PersonBox(t, track, standing(x)) for t in range(moments) for track, x in people.items()]
    shown = [SeenFace(t, track, face_of(standing(x)), {}) for t in range(moments) for track, x in faces.items()]
    return shown, bodies


def test_a_face_has_the_number_of_the_person_whose_head_it_is_in() -> None:
    numbers = joined(*seen({1: 200, 2: 600}, {3: 600, 4: 200}))
    assert numbers[3] == numbers[2]
    assert numbers[4] == numbers[1]
    assert sorted(set(numbers.values())) == [1, 2]


def test_a_face_beside_everybody_keeps_a_number_of_its_own() -> None:
    numbers = joined(*seen({1: 200}, {2: 900}))
    assert numbers[1] != numbers[2]


def test_a_person_has_one_face_at_a_time() -> None:
    numbers = joined(*seen({1: 200}, {2: 200, 3: 205}))
    assert [numbers[2], numbers[3]].count(numbers[1]) == 1


def test_a_face_lost_and_found_again_is_the_same_persons() -> None:
    faces, people = seen({1: 200}, {2: 200}, moments=8)
    faces = [f if f.t_s < 4 else SeenFace(f.t_s, 3, f.box, {}) for f in faces]
    assert set(joined(faces, people).values()) == {1}


def test_a_face_that_passes_before_somebody_is_not_theirs() -> None:
    faces, people = seen({1: 200}, {}, moments=6)
    passing = [SeenFace(t, 2, face_of(standing(200 + 150 * (t - 1))), {}) for t in range(6)]
    numbers = joined([*faces, *passing], people)
    assert numbers[1] != numbers[2]


@given(st.integers(0, 1000))
def test_joining_does_not_depend_on_the_order_of_what_was_seen(seed: int) -> None:
    faces, people = seen({1: 200, 2: 420, 5: 800}, {3: 420, 4: 790, 6: 1500})
    expected = joined(faces, people)
    mixer = random.Random(seed)
    mixer.shuffle(faces)
    mixer.shuffle(people)
    assert joined(faces, people) == expected


def test_a_large_face_with_a_small_box_around_its_neck_is_not_joined() -> None:
    people = [PersonBox(0.0, 1, Box(100, 100, 60, 80))]
    faces = [SeenFace(0.0, 2, Box(90, 80, 80, 90), {})]
    assert len(set(joined(faces, people).values())) == 2


def test_nobody_seen_gives_no_numbers() -> None:
    assert joined([], []) == {}


@pytest.mark.parametrize("moments", [1, 3])
def test_numbers_begin_with_one_and_leave_none_out(moments: int) -> None:
    numbers = joined(*seen({7: 200, 9: 600}, {8: 600, 12: 1100}, moments))
    assert sorted(set(numbers.values())) == [1, 2, 3]
