"""Names of centres as people type them."""

from __future__ import annotations

import pytest

from uriai.domain.utterance.names import likeness, romanise


@pytest.mark.parametrize(
    "typed",
    ["샛별", "샛별어린이집", "샛별 어린이집", "샛 별", "새별", "샛별유치원", "ㅅㅂ", "Saetbyeol", "saetbyeol daycare",
     "SAETBYEOL Eorinijip",
     "분당 샛별어린이집"],
)  # fmt: skip
def test_a_centre_is_known_by_its_name_however_it_is_typed(typed: str) -> None:
    assert likeness(typed, "샛별어린이집") >= 0.8


@pytest.mark.parametrize("typed", ["하늘", "별", "Haneul daycare", "ㅎㄴ", "", "어린이집"])
def test_another_name_is_not_taken_for_it(typed: str) -> None:
    assert likeness(typed, "샛별어린이집") < 0.8


def test_the_same_name_is_nearer_than_a_part_of_a_longer_one() -> None:
    assert likeness("샛별", "샛별어린이집") > likeness("샛별", "큰샛별어린이집") > likeness("샛별", "샛길어린이집")


def test_hangul_in_roman_letters() -> None:
    assert romanise("샛별 하늘") == "saetbyeol haneul"
