"""At which time of the day somebody wants to be told every day."""

from __future__ import annotations

import pytest

from uriai.domain.utterance.problems import Problem
from uriai.domain.utterance.timetable import daily_minute


@pytest.mark.parametrize(
    ("text", "clock"),
    [
        ("매일 오전 8시에 요약 보내줘", "08:00"), ("매일 아침 7시 반에 알려줘", "07:30"),
        ("오후 6시 15분마다 보고해줘", "18:15"), ("저녁 7시에 구독", "19:00"), ("밤 11시에 알려줘", "23:00"),
        ("밤 12시 구독", "00:00"), ("오후 12시 구독", "12:00"), ("18시에 매일 요약", "18:00"),
        ("매일 08:30 요약", "08:30"), ("매일 오후 6:30 요약", "18:30"), ("정오에 요약", "12:00"),
        ("자정에 요약", "00:00"), ("새벽 5시 구독", "05:00"), ("subscribe me at 8 am", "08:00"),
        ("daily digest at 6:30pm", "18:30"), ("daily summary at 12 am", "00:00"), ("at 12 p.m.", "12:00"),
        ("every morning at 7", "07:00"), ("every evening at 9", "21:00"), ("send a digest at 17:45", "17:45"),
        ("digest at noon", "12:00"), ("24시에 요약", "00:00"),
    ],
)  # fmt: skip
def test_a_time_is_read(text: str, clock: str) -> None:
    minute = daily_minute(text)
    assert isinstance(minute, int)
    assert f"{minute // 60:02}:{minute % 60:02}" == clock


@pytest.mark.parametrize("text", ["매일 8시에 알려줘", "send it at 8", "매일 6:30에 요약", "at 11:15 daily"])
def test_half_a_time_is_never_guessed(text: str) -> None:
    assert daily_minute(text) is Problem.WHICH_HALF


@pytest.mark.parametrize("text", ["25시에 구독", "daily at 8:75 am", "13 am digest", "at 25"])
def test_a_time_that_is_none_is_told(text: str) -> None:
    assert daily_minute(text) is Problem.NO_SUCH_TIME


def test_without_a_time_there_is_none() -> None:
    assert daily_minute("구독하고 싶어요") is None
    assert daily_minute("subscribe") is None
