from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uriai.domain.analysis import Observations, Window
from uriai.domain.finding import Finding, worst_verdict
from uriai.domain.rules import find_all, physical
from uriai.domain.thresholds import Thresholds
from uriai.domain.words import Kind, Verdict

DEFAULTS = Thresholds()
PROBABILITIES = st.lists(st.floats(0, 1), min_size=0, max_size=30)


def observed(probabilities: list[float], shift_s: float = 0.0) -> Observations:
    """Windows of 2 s, one a second, as the analyser gives them."""
    windows = tuple(Window(shift_s + i, shift_s + i + 2, p) for i, p in enumerate(probabilities))
    return Observations(duration_s=shift_s + len(probabilities) + 1, windows=windows)


def found(probabilities: list[float], thresholds: Thresholds = DEFAULTS) -> tuple[Finding, ...]:
    return physical.find(observed(probabilities), thresholds)


def test_an_empty_clip_gives_no_finding() -> None:
    assert find_all(Observations(duration_s=0.0, windows=()), DEFAULTS) == ()


def test_the_limits_of_the_source_documents_part_clear_review_and_report() -> None:
    assert found([0.80]) == ()
    assert [f.verdict for f in found([0.81])] == [Verdict.REVIEW]
    assert [f.verdict for f in found([0.90])] == [Verdict.REVIEW]
    assert [f.verdict for f in found([0.91])] == [Verdict.REPORT]


def test_a_dip_above_the_exit_limit_does_not_part_a_finding() -> None:
    (finding,) = found([0.1, 0.85, 0.65, 0.95, 0.7, 0.1])
    assert (finding.kind, finding.start_s, finding.end_s) == (Kind.PHYSICAL, 1.0, 6.0)
    assert finding.confidence == 0.95
    assert finding.verdict is Verdict.REPORT


def test_a_dip_below_the_exit_limit_longer_than_a_window_parts_two_findings() -> None:
    first, second = found([0.95, 0.1, 0.1, 0.85])
    assert (first.start_s, first.end_s, first.verdict) == (0.0, 2.0, Verdict.REPORT)
    assert (second.start_s, second.end_s, second.verdict) == (3.0, 5.0, Verdict.REVIEW)


def test_windows_that_never_pass_review_are_no_finding_however_many_they_are() -> None:
    assert found([0.79] * 30) == ()


def test_a_finding_says_why_with_its_limits_windows_and_strongest_moment() -> None:
    (finding,) = found([0.7, 0.93, 0.2])
    assert finding.thresholds == {
        "physical_report": 0.90, "physical_review": 0.80, "physical_exit": 0.60, "physical_least_s": 1.0
    }  # fmt: skip
    assert finding.basis == {"peak_s": 2.0, "windows": [[0.0, 2.0, 0.7], [1.0, 3.0, 0.93]]}


@pytest.mark.parametrize(("least_s", "findings"), [(2.0, 1), (2.1, 0), (3.0, 0)])
def test_what_lasts_less_than_the_minimum_is_no_finding(least_s: float, findings: int) -> None:
    limits = Thresholds.from_mapping({"physical_least_s": least_s})
    assert len(found([0.1, 0.2, 0.95, 0.2, 0.1], limits)) == findings
    assert len(found([0.1, 0.7, 0.95, 0.2, 0.1], limits)) == 1, "hysteresis counts: three seconds above the exit"


def test_a_clip_shorter_than_the_minimum_can_still_show_something() -> None:
    short = Observations(duration_s=0.7, windows=(Window(0.0, 0.7, 0.95),))
    assert len(physical.find(short, DEFAULTS)) == 1


def test_the_order_in_which_windows_come_does_not_matter() -> None:
    observations = observed([0.1, 0.85, 0.65, 0.95, 0.1, 0.2, 0.85])
    turned = replace(observations, windows=observations.windows[::-1])
    assert physical.find(turned, DEFAULTS) == physical.find(observations, DEFAULTS)


@given(PROBABILITIES, st.integers(0, 29), st.floats(0, 1))
def test_a_higher_probability_never_weakens_what_was_found(probabilities: list[float], index: int, rise: float) -> None:
    if not probabilities:
        return
    index %= len(probabilities)
    raised = [*probabilities]
    raised[index] = min(1.0, raised[index] + rise)
    before, after = found(probabilities), found(raised)
    assert worst_verdict(after).severity >= worst_verdict(before).severity
    for finding in before:
        assert any(
            other.start_s <= finding.start_s
            and other.end_s >= finding.end_s
            and other.confidence >= finding.confidence
            and other.verdict.severity >= finding.verdict.severity
            for other in after
        )


@given(PROBABILITIES, st.integers(0, 600))
def test_shifting_a_clip_in_time_shifts_its_findings_and_changes_nothing_else(
    probabilities: list[float], shift: int
) -> None:
    at_zero = physical.find(observed(probabilities), DEFAULTS)
    shifted = physical.find(observed(probabilities, float(shift)), DEFAULTS)
    assert [(f.start_s + shift, f.end_s + shift, f.confidence, f.verdict) for f in at_zero] == [
        (f.start_s, f.end_s, f.confidence, f.verdict) for f in shifted
    ]


@given(PROBABILITIES)
def test_findings_hold_every_window_above_review_and_none_of_them_touch(probabilities: list[float]) -> None:
    findings = found(probabilities)
    for window in observed(probabilities).windows:
        if window.probability > DEFAULTS.physical_review:
            assert sum(f.start_s <= window.start_s and window.end_s <= f.end_s for f in findings) == 1
    for one, other in pairwise(findings):
        assert one.end_s < other.start_s


@pytest.mark.parametrize(
    ("values", "word"),
    [
        ({"physical_report": 1.5}, "physical_report"),
        ({"physical_exit": 0.0}, "physical_exit"),
        ({"physical_least_s": 0.4}, "physical_least_s is 0.4: it has to be a number from 0.5 to 10.0"),
        ({"neglect_least_s": 61}, "neglect_least_s"),
        ({"neglect_distance": 0.9}, "neglect_distance"),
        ({"emotional_within_s": 11}, "emotional_within_s"),
        ({"tamper_least_s": 9}, "tamper_least_s"),
        ({"emotional_adult": True}, "emotional_adult"),
        ({"physical_review": 0.95}, "rise"),
        ({"physical_review": float("nan")}, "physical_review"),
        ({"physical_reprot": 0.9}, "physical_reprot"),
    ],
)
def test_thresholds_out_of_bounds_or_order_are_refused_by_name(values: dict[str, float], word: str) -> None:
    with pytest.raises(ValueError, match=word):
        Thresholds.from_mapping(values)


def test_a_camera_with_stricter_thresholds_reports_less() -> None:
    strict = Thresholds.from_mapping({"physical_report": 0.98, "physical_review": 0.93})
    assert [f.verdict for f in found([0.92], strict)] == []
    assert [f.verdict for f in found([0.95], strict)] == [Verdict.REVIEW]
