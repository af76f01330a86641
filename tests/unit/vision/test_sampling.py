from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from uriai.adapters.vision.sampling import Cut, Every, WindowSampler
from uriai.adapters.vision.video import Frame


class TimedFrame(Frame):
    """A frame whose picture is its own time in milliseconds."""

    __slots__ = ()

    def __init__(self, t_s: float, half_step_s: float) -> None:
        super().__init__(None, t_s, half_step_s)  # type: ignore[arg-type]
        self._image = np.array([round(t_s * 1000)])  # type: ignore[assignment]


def cut_up(seconds: float, fps: float, *, declared: bool = True) -> tuple[list[Cut], int]:
    """The windows of a clip, and how many images were held at most."""
    count = max(1, round(seconds * fps))
    sampler = WindowSampler(17, count / fps if declared else None)
    cuts: list[Cut] = []
    held = 0
    for number in range(count):
        frame = TimedFrame(number / fps, 0.5 / fps)
        due = sampler.wants(frame)
        if due is not None:
            cuts += sampler.add(frame, due, frame.image())
        held = max(held, len(sampler._images))
    return cuts + sampler.finish(count / fps), held


def shown_s(cut: Cut) -> list[float]:
    return [float(image[0]) / 1000 for image in cut.images]


@settings(max_examples=150, deadline=None)
@given(st.floats(0.2, 40), st.sampled_from([5, 7.5, 10, 12, 15, 20, 23.976, 25, 29.97, 30, 50, 60]), st.booleans())
def test_windows_of_any_clip_cover_it_from_start_to_end_with_frames_near_their_instants(
    seconds: float, fps: float, declared: bool
) -> None:
    cuts, held = cut_up(seconds, fps, declared=declared)
    duration_s = max(1, round(seconds * fps)) / fps
    assert cuts[0].start_s == 0.0
    assert cuts[-1].end_s == pytest.approx(duration_s, abs=0.051)
    for one, other in pairwise(cuts):
        assert 0 < other.start_s - one.start_s <= 1.0 + 1e-9
    for cut in cuts:
        assert len(cut.images) == 17
        assert cut.end_s <= duration_s + 0.051
        assert shown_s(cut) == sorted(shown_s(cut))
        if duration_s > 2.06:
            for number, shown in enumerate(shown_s(cut)):
                wanted = min(cut.start_s + number * 0.125, duration_s - 1 / fps)
                # without a stated length the last frame may be missed by one instant
                assert abs(shown - wanted) <= 0.5 / fps + (0.002 if declared else 0.13)
    assert held <= 26


def test_a_clip_of_ten_seconds_has_nine_windows_one_a_second() -> None:
    cuts, _ = cut_up(10, 25)
    assert [(cut.start_s, cut.end_s) for cut in cuts] == [(float(n), float(n + 2)) for n in range(9)]


def test_the_last_window_ends_with_the_clip() -> None:
    cuts, _ = cut_up(10.5, 25)
    assert (cuts[-1].start_s, cuts[-1].end_s) == (8.5, pytest.approx(10.5, abs=0.05))


def test_a_short_clip_is_one_window_stretched_over_it() -> None:
    cuts, _ = cut_up(1.0, 30)
    assert len(cuts) == 1
    assert shown_s(cuts[0])[0] == 0.0
    assert shown_s(cuts[0])[-1] == pytest.approx(29 / 30, abs=0.001)
    assert len(set(shown_s(cuts[0]))) == 17


def test_a_single_frame_is_a_window_of_that_frame() -> None:
    cuts, _ = cut_up(0.04, 25)
    assert len(cuts) == 1
    assert set(shown_s(cuts[0])) == {0.0}


def test_every_half_second_takes_the_nearest_frame_and_each_instant_once() -> None:
    every = Every(0.5)
    taken = [n / 12 for n in range(36) if every.due(TimedFrame(n / 12, 0.5 / 12))]
    assert taken == pytest.approx([0, 0.5, 1.0, 1.5, 2.0, 2.5])
