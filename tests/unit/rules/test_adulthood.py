from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uriai.domain.adulthood import UNSURE, adult_probability, size_ratios
from uriai.domain.analysis import Box, PersonBox

PICTURE = (1280, 720)
probabilities = st.floats(0, 1)
ratios = st.floats(0.05, 20)


def person(track: int, height: float, foot: float = 500, x: float = 300, t_s: float = 0.0) -> PersonBox:
    return PersonBox(t_s, track, Box(x + 100 * track, foot - height, height / 3, height))


def test_nobody_is_judged_without_a_sign() -> None:
    assert adult_probability((), ()) is None


def test_faces_that_look_grown_up_again_and_again_are_an_adults() -> None:
    assert (adult_probability((0.97, 0.95, 0.99), ()) or 0) > 0.8


def test_faces_that_look_young_again_and_again_are_a_childs() -> None:
    answer = adult_probability((0.02, 0.05, 0.01), ())
    assert answer is not None
    assert answer < 0.2


def test_one_look_at_a_face_is_never_enough() -> None:
    assert adult_probability((1.0,), ()) is None
    assert adult_probability((0.0,), ()) is None


def test_looks_that_contradict_each_other_say_nothing() -> None:
    assert adult_probability((0.95, 0.1, 0.5), ()) is None


def test_a_body_far_above_another_is_an_adults_without_a_face() -> None:
    assert (adult_probability((), (2.8,)) or 0) > 0.7


def test_a_smaller_body_alone_is_not_called_a_childs_because_adults_sit_down() -> None:
    assert adult_probability((), (0.3, 0.4)) is None


def test_a_body_between_a_taller_and_a_smaller_one_says_nothing() -> None:
    assert adult_probability((), (0.4, 2.5)) is None


def test_a_young_face_on_a_towering_body_is_left_open() -> None:
    assert adult_probability((0.05, 0.05, 0.05), (3.0,)) is None


@given(st.lists(probabilities, max_size=5), st.lists(ratios, max_size=5))
def test_an_answer_is_a_probability_outside_the_unsure_band(ages: list[float], sizes: list[float]) -> None:
    answer = adult_probability(ages, sizes)
    assert answer is None or 0 < answer <= UNSURE[0] or UNSURE[1] <= answer < 1


@given(st.lists(probabilities, min_size=1, max_size=4), st.lists(ratios, max_size=4), st.floats(0, 0.5))
def test_an_older_face_never_makes_a_child(ages: list[float], sizes: list[float], more: float) -> None:
    before, after = adult_probability(ages, sizes), adult_probability([min(a + more, 1) for a in ages], sizes)
    rank = {True: 2, False: 0}
    order = [1 if answer is None else rank[answer > 0.5] for answer in (before, after)]
    assert order[0] <= order[1]


@given(st.lists(probabilities, max_size=4), st.lists(ratios, max_size=4), st.randoms())
def test_the_order_of_looks_and_neighbours_does_not_matter(ages: list[float], sizes: list[float], random) -> None:  # type: ignore[no-untyped-def]
    other_ages, other_sizes = list(ages), list(sizes)
    random.shuffle(other_ages)
    random.shuffle(other_sizes)
    assert adult_probability(ages, sizes) == pytest.approx(adult_probability(other_ages, other_sizes))


def test_heights_are_compared_with_those_who_stand_beside() -> None:
    found = size_ratios([person(1, 300), person(2, 150)], PICTURE)
    assert found == {1: (2.0,), 2: (0.5,)}


def test_people_at_another_depth_are_not_compared() -> None:
    assert size_ratios([person(1, 300, foot=650), person(2, 150, foot=300)], PICTURE) == {1: (), 2: ()}


def test_a_body_that_the_picture_cuts_off_is_not_compared() -> None:
    cut = PersonBox(0.0, 1, Box(0, 200, 60, 300))
    assert size_ratios([cut, person(2, 150)], PICTURE) == {1: (), 2: ()}


def test_one_odd_look_among_many_does_not_count() -> None:
    looks = [person(1, 900 if t == 2 else 160, t_s=t) for t in range(5)] + [person(2, 150, t_s=t) for t in range(5)]
    assert size_ratios(looks, (4000, 4000))[1] == (pytest.approx(160 / 150),)
