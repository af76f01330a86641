"""Timestamps become a line that starts at 0 and only goes forward, whatever the camera sends."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from uriai_edge.packets import Timeline

BASE = Fraction(1, 90000)
STEP = 6000  # 15 pictures a second


def placed(stamps, *, live=True, arrivals=None):
    line = Timeline(BASE, 1 / 15, live=live)
    arrivals = arrivals or [number / 15 for number in range(len(stamps))]
    return [line.place(pts, dts, duration, at) for (pts, dts, duration), at in zip(stamps, arrivals, strict=True)], line


def test_a_good_stream_is_only_moved_to_zero():
    out, line = placed([(900000 + n * STEP, 900000 + n * STEP, STEP) for n in range(5)])
    assert out == [(n * STEP, n * STEP, STEP) for n in range(5)]
    assert line.jumps == 0


def test_pictures_shown_out_of_order_keep_their_distance():
    out, _ = placed(
        [(-512 + STEP * 2, -512, STEP), (-512 + STEP * 4, -512 + STEP, STEP), (-512 + STEP * 2, -512 + STEP * 2, STEP)]
    )
    assert [one[0] - one[1] for one in out] == [2 * STEP, 3 * STEP, 0]
    assert out[0][1] == 0


def test_missing_timestamps_follow_the_clock_of_a_live_stream_and_the_rate_of_a_file():
    out, _ = placed([(None, None, None)] * 4, arrivals=[10.0, 10.1, 10.2, 10.5])
    assert [one[1] for one in out] == [0, 9000, 18000, 45000]
    out, _ = placed([(None, None, None)] * 4, live=False)
    assert [one[1] for one in out] == [0, STEP, 2 * STEP, 3 * STEP]


def test_a_jump_of_the_cameras_clock_leaves_no_hole_and_no_step_back():
    stamps = [(n * STEP, n * STEP, STEP) for n in range(5)] + [
        (10**9 + n * STEP, 10**9 + n * STEP, STEP) for n in range(5)
    ]
    stamps += [(n * STEP, n * STEP, STEP) for n in range(5)]
    out, line = placed(stamps)
    assert [one[1] for one in out] == [n * STEP for n in range(15)]
    assert line.jumps == 2


def test_a_real_pause_of_a_live_stream_stays_a_pause():
    out, line = placed([(0, 0, STEP), (90000 * 20, 90000 * 20, STEP)], arrivals=[0.0, 20.0])
    assert out[1][1] == 90000 * 20
    assert line.jumps == 0


@given(
    st.lists(
        st.tuples(
            st.one_of(st.none(), st.integers(-(2**40), 2**40)),
            st.one_of(st.none(), st.integers(-(2**40), 2**40)),
            st.one_of(st.none(), st.integers(-5, 2**33)),
        ),
        max_size=40,
    ),
    st.booleans(),
)
def test_no_timestamps_make_the_line_go_back(stamps, live):
    out, _ = placed(stamps, live=live)
    for (_, before, _), (_, after, _) in pairwise(out):
        assert after > before
    assert all(pts >= dts >= 0 and duration > 0 for pts, dts, duration in out)
