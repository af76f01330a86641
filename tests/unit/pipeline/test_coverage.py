"""The arithmetic of coverage: spans, gaps, and what of a claim counts."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uriai.domain.coverage import CLOCK_SLACK, GRACE, JOINS, LEAST_HOLE, Claim, Span, by_day, gaps, merged, read_claim
from uriai.domain.manifest import Manifest
from uriai.domain.ulid import Ulid

NOON = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
VECTORS = Path(__file__).resolve().parents[2] / "vectors"


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def span(start: float, end: float) -> Span:
    return Span(at(start), at(end))


spans = st.lists(st.builds(lambda a, b: span(a, a + b), st.integers(0, 400_000), st.integers(0, 5_000)), max_size=25)


@given(spans, st.randoms(use_true_random=False))
def test_merging_takes_no_notice_of_order_repetition_and_grouping(some, chance):
    again = [*some, *some[:3]]
    chance.shuffle(again)
    cut = chance.randint(0, len(again))
    grouped = [*merged(again[:cut]), *again[cut:]]
    assert merged(again) == merged(some) == merged(merged(some)) == merged(grouped)


@given(spans)
def test_merged_spans_are_apart_in_order_and_hold_what_was_given_and_no_more(some):
    done = merged(some)
    for one, other in pairwise(done):
        assert other.start - one.end > JOINS
    for one in some:
        if one.length:
            assert any(whole.start <= one.start and one.end <= whole.end for whole in done)
    edges = {one.start for one in some} | {one.end for one in some}
    assert {edge for whole in done for edge in (whole.start, whole.end)} <= edges
    # what joins adds is no more than the silences it bridges
    bare = merged(some, joins=timedelta(0))
    added = sum((one.length for one in done), timedelta(0)) - sum((one.length for one in bare), timedelta(0))
    assert added <= JOINS * (len(bare) - len(done))


@given(spans, st.integers(0, 400_000), st.integers(1, 100_000))
def test_gaps_and_spans_make_up_the_whole(some, start, length):
    within = span(start, start + length)
    found = gaps(some, within, timedelta(microseconds=1))
    covered = [part for one in merged(some) if (part := one.within(within))]
    assert merged([*found, *covered], timedelta(0)) == (within,)
    for gap in found:
        assert not any(gap.overlaps(one) for one in covered)


@given(spans, st.integers(0, 400_000), st.integers(1, 100_000))
def test_a_gap_that_is_told_is_long_enough_and_never_covered(some, start, length):
    within = span(start, start + length)
    every = gaps(some, within, timedelta(microseconds=1))
    assert gaps(some, within) == tuple(gap for gap in every if gap.length >= LEAST_HOLE)


@given(spans, spans)
def test_more_coverage_never_makes_a_new_gap(some, more):
    within = span(0, 400_000)
    before, after = gaps(some, within), gaps([*some, *more], within)
    for gap in after:
        assert any(old.start <= gap.start and gap.end <= old.end for old in before)


@given(st.integers(0, 400_000), st.integers(1, 400_000))
def test_no_part_of_a_span_crosses_midnight_in_utc_and_nothing_is_lost(start, length):
    parts = by_day(span(start, start + length))
    assert merged(parts, timedelta(0)) == (span(start, start + length),)
    for part in parts:
        assert (part.end - timedelta(microseconds=1)).date() == part.start.date()


@pytest.mark.parametrize(
    ("inside", "expected"),
    [([], [(0, 100)]), ([(0, 100)], []), ([(-50, 20)], [(20, 100)]), ([(200, 300)], [(0, 100)]), ([(10, 90)], []),
     ([(40, 60)], [(0, 40), (60, 100)]), ([(-10, 5), (6.5, 50)], [(50, 100)]), ([(0, 40), (69.9, 100)], [])],
)  # fmt: skip
def test_gaps_at_the_edges_of_what_is_looked_at(inside, expected):
    assert gaps([span(*pair) for pair in inside], span(0, 100)) == tuple(span(*pair) for pair in expected)


def coverage_record(started_s=0.0, seconds=60.0, cameras=None, **detail) -> Manifest:
    told = [{"camera": 1, "spans": [[0.0, seconds]]}] if cameras is None else cameras
    return Manifest(
        "saetbyeol-1", 1, "coverage", None, Ulid(bytes(16)), None, None, at(started_s), at(started_s + seconds),
        "0" * 64, detail={"cameras": told} | detail,
    )  # fmt: skip


def claim(manifest: Manifest, arrived_s: float = 62.0) -> Claim:
    return read_claim(manifest, at(arrived_s))


def test_what_the_signed_examples_claim_is_read_as_it_was_meant():
    claims = {}
    for path in sorted((VECTORS / "all_types").glob("records/**/*.json")):
        manifest = Manifest.parse(path.read_bytes())
        if manifest.type == "coverage":
            claims[manifest.seq] = read_claim(manifest, manifest.ended_at + timedelta(seconds=2))
            said = json.loads(path.read_bytes())["detail"]
            assert set(claims[manifest.seq].cameras) == {entry["camera"] for entry in said["cameras"]}
            assert claims[manifest.seq].down is (said.get("down") is True)
    assert claims
    assert all(not one.refused for one in claims.values())


def test_a_camera_that_delivered_nothing_is_named_and_has_no_span():
    cameras = [{"camera": 1, "spans": [[0, 60]]}, {"camera": 2, "spans": []}]
    assert claim(coverage_record(cameras=cameras)).cameras == {1: (span(0, 60),), 2: ()}


def test_where_no_agent_ran_nothing_is_covered_whatever_the_record_says():
    found = claim(coverage_record(seconds=7200.0, cameras=[{"camera": 1, "spans": [[0, 60]]}], down=True), 7300)
    assert (found.down, found.refused, found.cameras) == (True, "", {1: ()})


def test_nobody_can_say_that_no_agent_will_run():
    slack = CLOCK_SLACK.total_seconds()
    for beyond, refused in ((slack, ""), (slack + 0.001, "it is about a time after it arrived")):
        record = coverage_record(seconds=60.0 + beyond, cameras=[{"camera": 1, "spans": []}], down=True)
        assert claim(record, 60.0).refused == refused


def test_of_a_camera_whose_short_spans_were_cut_only_the_told_ones_count():
    cameras = [{"camera": 1, "spans": [[0, 10], [30, 40]], "cut": 7}]
    assert claim(coverage_record(cameras=cameras)).cameras[1] == (span(0, 10), span(30, 40))


def test_a_gateway_whose_clock_is_wrong_is_put_right_by_s3s_clock():
    found = claim(coverage_record(started_s=-3600.0, clock_offset_s=3600.0))
    assert found.cameras[1] == (span(0, 60),)
    assert found.span == span(0, 60)


def test_a_clock_that_is_a_little_off_is_left_as_it_is():
    assert claim(coverage_record(clock_offset_s=-1.4)).cameras[1] == (span(0, 60),)


@pytest.mark.parametrize("offset", [600.0, 0.0])
def test_a_clock_that_was_set_meanwhile_is_told_by_the_arrival(offset):
    # it was ten minutes behind until it was set; the offset may have been measured before that or after it
    found = claim(coverage_record(started_s=-600.0, clock_step_s=600.0, clock_offset_s=offset))
    assert found.cameras[1] == (span(0, 60),)


def test_a_clock_that_was_set_meanwhile_counts_for_nothing_where_the_record_comes_late():
    found = claim(coverage_record(clock_step_s=600.0, clock_offset_s=0.0), arrived_s=7200)
    assert "the clock was set" in found.refused
    assert found.cameras == {1: ()}


def test_a_step_that_is_no_step_changes_nothing():
    assert claim(coverage_record(clock_step_s=2.5)).cameras[1] == (span(0, 60),)


def test_nothing_is_covered_before_it_has_been():
    found = claim(coverage_record(seconds=600.0), arrived_s=300)
    assert found.cameras[1] == (span(0, 305),)
    assert "after it arrived" in claim(coverage_record(started_s=3600.0)).refused


@pytest.mark.parametrize(
    ("manifest", "arrived_s", "why"),
    [
        (coverage_record(seconds=3600.0), 3700, "more than 15 minutes"),
        (coverage_record(), 31 * 86400, "more than 30 days"),
        (coverage_record(seconds=-5.0), 60, "ends before it begins"),
        (coverage_record(started_s=10 * 365 * 86400.0), 60, "after it arrived"),
    ],
)
def test_what_cannot_be_counts_for_nothing(manifest, arrived_s, why):
    found = claim(manifest, arrived_s)
    assert why in found.refused
    assert found.cameras == {1: ()}


@pytest.mark.parametrize(
    "cameras",
    [None, "all", [7], [{"camera": True, "spans": [[0, 60]]}], [{"camera": 0, "spans": []}], [{"spans": [[0, 9]]}],
     [{"camera": 10_000, "spans": [[0, 60]]}]],
)  # fmt: skip
def test_cameras_of_another_form_are_left_out(cameras):
    manifest = coverage_record()
    assert (
        read_claim(
            Manifest(
                **{name: getattr(manifest, name) for name in Manifest.__slots__} | {"detail": {"cameras": cameras}}
            ),
            at(62),
        ).cameras
        == {}
    )


@pytest.mark.parametrize(
    "pair", [[0], [0, 60, 61], ["0", "60"], [30, 20], [-1, 20], [0, 901], [0, float("nan")], [None, 5], [0, 10**400]]
)
def test_spans_of_another_form_are_left_out_and_the_others_count(pair):
    assert claim(coverage_record(cameras=[{"camera": 1, "spans": [pair, [40, 50]]}])).cameras[1] == (span(40, 50),)


def test_a_span_beyond_its_record_is_cut():
    assert claim(coverage_record(cameras=[{"camera": 1, "spans": [[50, 80]]}]), 100).cameras[1] == (span(50, 60),)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["camera", "spans", "x"]), inner),
    max_leaves=20,
)


@given(json_values, json_values, json_values, json_values)
def test_whatever_a_detail_holds_nothing_beyond_record_and_arrival_is_counted(cameras, offset, step, down):
    found = claim(coverage_record(cameras=cameras, clock_offset_s=offset, clock_step_s=step, down=down))
    for one in (one for some in found.cameras.values() for one in some):
        assert found.span.start <= one.start < one.end <= min(found.span.end, at(62) + timedelta(seconds=5))


def test_a_hole_is_on_file_within_five_minutes():
    # the record that is missed would have come after GRACE; the round that sees it begins at most a minute later
    assert GRACE + timedelta(minutes=1) + timedelta(seconds=60) < timedelta(minutes=5)
