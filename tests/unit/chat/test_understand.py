"""What people type, against an oracle table written by hand, and against anything at all."""

from __future__ import annotations

import csv
import re
from datetime import UTC, date, datetime
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from uriai.domain.utterance.intents import Intent
from uriai.domain.utterance.problems import Problem
from uriai.domain.utterance.understand import Understanding, understand

TABLE = Path(__file__).parent / "utterances.csv"
SEOUL = ZoneInfo("Asia/Seoul")
NOW = datetime(2026, 7, 22, 14, 20, tzinfo=SEOUL)


class Row(NamedTuple):
    """A line of the table: when and where it is typed, and what has to be understood. Lists are separated by commas."""

    now: str
    tz: str
    text: str
    intent: str
    start: str
    end: str
    centre: str
    cameras: str
    kinds: str
    number: str

    @property
    def understood(self) -> Understanding:
        return understand(self.text, datetime.fromisoformat(self.now).astimezone(ZoneInfo(self.tz)))


def rows() -> list[Row]:
    with TABLE.open(encoding="utf-8", newline="") as file:
        return [Row(**row) for row in csv.DictReader(file)]


ROWS = rows()


def test_the_table_has_150_utterances_of_each_language() -> None:
    korean = sum(bool(re.search("[가-힣ㄱ-ㅎ]", row.text)) for row in ROWS)
    assert korean >= 150
    assert len(ROWS) - korean >= 150


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.text} @{row.now}")
def test_an_utterance_is_understood_as_a_person_means_it(row: Row) -> None:
    made = row.understood.as_dict()
    wanted = {
        "text": row.text,
        "intent": row.intent,
        "range": {"start": row.start, "end": row.end} if row.start else None,
        "centre": row.centre or None,
        "cameras": [int(camera) for camera in row.cameras.split(",") if camera],
        "kinds": [kind for kind in row.kinds.split(",") if kind],
        "number": int(row.number) if row.number else None,
    }
    assert made == wanted


@pytest.mark.parametrize("row", [row for row in ROWS if row.start], ids=lambda row: f"{row.text} @{row.now}")
def test_a_greeting_capitals_and_wide_letters_change_nothing(row: Row) -> None:
    plain = row.understood
    wide = row.text.translate({code: code + 0xFEE0 for code in range(0x21, 0x7F)})
    for text in (f"안녕하세요! {row.text}", f"hi, {row.text}", wide, f"  {row.text}  "):
        assert row._replace(text=text).understood.range == plain.range


# words and figures that dates are made of, so that random texts are often nearly dates
_WORDS = """
오늘 어제 그제 지난주 이번 주 금요일 월요일 7월 22일 2월 30일 31일 13월 오전 오후 밤 새벽 2시 25시 반 부터 까지
사이 ~ - 최근 3일 전 한 시간 동안 이후 말고 초 말 카메라 3번 12번 사건 몇 건 샛별 어린이집 비교 today yesterday
last week month from to between and 2 4 pm am july 22 22nd february 30 friday weekend ago since until after
before 14:00 16:30 2026-07-22 9999-12-31 0001-01-01 99999일 전 camera #12 how many 3 hours past 999999999 년
ㅅㅂ 😀 2026 7/22 22/7
"""
_PARTS = st.sampled_from(_WORDS.split())


@settings(max_examples=1500, deadline=None)
@given(
    text=st.text(max_size=120) | st.lists(_PARTS, max_size=9).map(" ".join) | st.lists(_PARTS, max_size=9).map("".join),
    now=st.integers(946_684_800, 4_133_894_400),
    zone=st.sampled_from(
        ["Asia/Seoul", "America/New_York", "Europe/Berlin", "America/Havana", "Australia/Lord_Howe", "UTC"]
    ),
)
def test_any_text_gives_a_half_open_range_or_none_and_never_an_error(text: str, now: int, zone: str) -> None:
    made = understand(text, datetime.fromtimestamp(now, ZoneInfo(zone)))
    if made.range is not None:
        assert made.range.start.astimezone(UTC) < made.range.end.astimezone(UTC)
        assert made.range.start.tzinfo == made.range.end.tzinfo == ZoneInfo(zone)
        assert made.problem is None
    assert all(1 <= camera <= 999 for camera in made.cameras)
    assert made.as_dict()["text"] == text


@settings(max_examples=300, deadline=None)
@given(day=st.dates(date(2000, 1, 1), date(2026, 7, 22)))
def test_every_date_that_is_written_out_is_that_date(day: date) -> None:
    for text in (f"{day:%Y-%m-%d} 사건", f"{day.year}년 {day.month}월 {day.day}일",
                 f"incidents on {day:%B} {day.day}, {day.year}",
                 f"{day:%-d} {day:%B} {day:%Y}"):  # fmt: skip
        made = understand(text, NOW)
        assert made.range is not None, text
        assert (made.range.start.date(), (made.range.end - made.range.start).days) == (day, 1), text


@settings(max_examples=300, deadline=None)
@given(day=st.dates(date(2025, 7, 23), date(2026, 7, 22)))
def test_a_date_without_a_year_is_the_latest_that_is_not_in_the_future(day: date) -> None:
    for text in (f"{day:%-m}월 {day:%-d}일", f"{day:%B} {day:%-d}", f"{day:%-m}/{day:%-d} 사건"):
        made = understand(text, NOW)
        assert made.range is not None, text
        assert made.range.start.date() == day, text


@settings(max_examples=200, deadline=None)
@given(first=st.integers(0, 23), last=st.integers(0, 23))
def test_hours_on_the_24_hour_clock_are_read_as_written(first: int, last: int) -> None:
    made = understand(f"어제 {first:02}:00-{last:02}:30", NOW)
    if first <= last:
        assert made.range is not None
        assert (made.range.start.hour, made.range.end.hour, made.range.end.minute) == (first, last, 30)


@pytest.mark.parametrize("hour", range(1, 13))
def test_an_hour_that_may_be_morning_or_afternoon_is_asked_about(hour: int) -> None:
    for text in (f"어제 {hour}시 사건", f"incidents yesterday at {hour}"):
        made = understand(text, NOW)
        assert (made.range, made.intent, made.problem) == (None, Intent.UNKNOWN, Problem.WHICH_HALF)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("2월 30일 사건", Problem.NO_SUCH_DATE),
        ("어제 25시 사건", Problem.NO_SUCH_TIME),
        ("yesterday 14:75", Problem.NO_SUCH_TIME),
        ("7월 초 사건", Problem.UNCLEAR_DATE),
        ("7월 20일과 7월 1일 사건", Problem.SEVERAL_RANGES),
        ("금요일까지 사건", Problem.NO_START),
        ("7월 22일부터 7월 20일까지", Problem.BACKWARDS),
        ("월요일부터 금요일까지", Problem.WHICH_DAY),
        ("가" * 1001, Problem.TOO_LONG),
    ],
)
def test_what_is_wrong_with_a_date_is_told(text: str, problem: Problem) -> None:
    made = understand(text, NOW)
    assert (made.range, made.intent, made.problem) == (None, Intent.UNKNOWN, problem)


def test_decomposed_and_wide_letters_read_the_same() -> None:
    import unicodedata

    for text in (
        unicodedata.normalize("NFD", "어제 오후 3번 카메라"),
        "어제　오후　３번 카메라",
        "어제\u200b 오후 3번\u00a0카메라",
    ):
        made = understand(text, NOW)
        assert (made.range and made.range.start.hour, made.cameras) == (12, (3,))


def test_an_enrolment_code_is_seen_in_a_text() -> None:
    made = understand("등록 코드는 ab12c-9q2xa 입니다", NOW)
    assert (made.intent, made.code) == (Intent.ENROL, "AB12C-9Q2XA")
    assert understand("after-party", NOW).code is None


def test_a_thousand_characters_take_less_than_a_half_a_second() -> None:
    import time

    for part in ("1번과 ", "from 1 to ", "가 ", "보다 ", "1", "a ", "7월 ", "-", "(", "어제"):
        text = (part * 1000)[:1000]
        began = time.process_time()
        understand(text, NOW)
        assert time.process_time() - began < 0.5, part
