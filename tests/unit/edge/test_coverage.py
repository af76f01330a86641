"""What a camera delivered, as the minute's record tells it: never more than there was."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from uriai_edge import ulid
from uriai_edge.coverage import MAX_SPANS, CoverageKeeper
from uriai_edge.evidence import AGENT, FIRST_PREV, MAX_MANIFEST_BYTES, Manifest, RecordType


def spans(keeper: CoverageKeeper, from_s: float, to_s: float) -> dict[int, list[list[float]]]:
    return {one["camera"]: one["spans"] for one in keeper.take(from_s, to_s)}


def test_a_hole_between_packets_is_a_hole_in_the_record():
    keeper = CoverageKeeper([1, 2])
    for at in (10.0, 10.5, 11.0, 20.0, 20.5):
        keeper.note(1, at, 0.5)
    assert spans(keeper, 10, 70) == {1: [[0.0, 1.5], [10.0, 11.0]], 2: []}


def test_a_span_that_goes_on_is_cut_at_the_minute_and_goes_on_in_the_next():
    keeper = CoverageKeeper([1])
    for tenth in range(100, 140):
        keeper.note(1, tenth / 2, 0.5)
    assert spans(keeper, 50, 60) == {1: [[0.0, 10.0]]}
    assert spans(keeper, 60, 80) == {1: [[0.0, 10.0]]}


def test_cameras_come_and_go_and_a_stranger_is_left_out():
    keeper = CoverageKeeper([1])
    keeper.watch(3)
    keeper.note(9, 10, 0.5)
    assert spans(keeper, 10, 70) == {1: [], 3: []}
    keeper.forget(1)
    assert spans(keeper, 10, 70) == {3: []}
    assert keeper.nothing() == [{"camera": 3, "spans": []}]


def test_the_worst_gateway_there_can_be_fits_into_a_manifest():
    keeper = CoverageKeeper(range(9936, 10000))
    for camera in range(9936, 10000):
        for step in range(150):
            keeper.note(camera, 1000.123 + step * 3.987, 1.111)
    cameras = keeper.take(1000, 1600)
    assert all(len(one["spans"]) == MAX_SPANS and one["cut"] == 150 - MAX_SPANS for one in cameras)
    now = datetime.now(UTC)
    detail = {"cameras": cameras, "clock_offset_s": -3600.1, "clock_step_s": 3600.123}
    manifest = Manifest(
        "g" * 63,
        10**12,
        RecordType.COVERAGE,
        None,
        ulid.new(),
        None,
        None,
        now,
        now + timedelta(seconds=600),
        1.0,
        AGENT,
        FIRST_PREV,
        detail=detail,
    )
    assert len(manifest.to_bytes()) <= MAX_MANIFEST_BYTES


@given(st.lists(st.tuples(st.floats(0, 300), st.floats(0, 3)), max_size=60), st.floats(1, 299))
def test_no_record_claims_a_second_in_which_nothing_arrived(packets, cut):
    keeper = CoverageKeeper([1])
    for at, lasts in sorted(packets):
        keeper.note(1, at, lasts)
    told = [[start, end] for start, end in spans(keeper, 0, cut)[1]]
    told += [[cut + start, cut + end] for start, end in spans(keeper, cut, 400)[1]]
    for start, end in told:
        assert 0 <= start <= end
        for second in (start, (start + end) / 2, end):
            assert any(at - 0.01 <= second <= at + min(lasts, 2) + 2.01 for at, lasts in packets)
