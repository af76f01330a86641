from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uriai.domain.threshold_history import ThresholdEntry, check_from, thresholds_at
from uriai.domain.thresholds import Thresholds

START = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)


def at(hours: float) -> datetime:
    return START + timedelta(hours=hours)


def entry(
    name: str, value: float, since: float, until: float | None = None, camera: int | None = None
) -> ThresholdEntry:
    return ThresholdEntry(name, value, camera, at(since), None if until is None else at(until))


def test_without_entries_the_defaults_hold() -> None:
    assert thresholds_at([], 1, START) == Thresholds()


def test_a_value_holds_from_its_first_instant_up_to_its_last() -> None:
    entries = [entry("neglect_least_s", 30, 1, 2)]
    assert [thresholds_at(entries, 1, at(h)).neglect_least_s for h in (0.999, 1, 1.999, 2)] == [20.0, 30, 30, 20.0]


def test_a_cameras_own_value_comes_before_its_centres_whatever_was_set_last() -> None:
    entries = [entry("emotional_adult", 0.7, 0, camera=1), entry("emotional_adult", 0.8, 1)]
    assert [thresholds_at(entries, camera, at(2)).emotional_adult for camera in (1, 2, None)] == [0.7, 0.8, 0.8]


def test_values_that_do_not_go_together_are_found_wherever_and_whenever_they_meet() -> None:
    entries = [entry("physical_review", 0.95, 5, camera=7), entry("physical_report", 0.96, 0, 8)]
    check_from([entries[1]], START)
    with pytest.raises(ValueError, match=r"from 2026-11-22T11:00:00\+00:00 on, for camera 7: thresholds have to rise"):
        check_from(entries, START)


def test_what_is_past_is_not_judged_again() -> None:
    check_from([entry("physical_review", 0.95, 0, 1)], at(2))


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(1, 20), st.sampled_from([None, 1, 2])), max_size=6))
def test_what_held_before_an_entry_never_depends_on_it(spans: list[tuple[int, int, int | None]]) -> None:
    entries = [entry("tamper_least_s", 31.0 + n, s, s + length, camera) for n, (s, length, camera) in enumerate(spans)]
    later = [*entries, entry("tamper_least_s", 599, 10, camera=1)]
    for hour in range(10):
        for camera in (None, 1, 2):
            assert thresholds_at(later, camera, at(hour)) == thresholds_at(entries, camera, at(hour))
