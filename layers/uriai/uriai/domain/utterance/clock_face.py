"""Hours as people say them, read as minutes after midnight."""

from __future__ import annotations

from uriai.domain.utterance.problems import NotUnderstoodError, Problem
from uriai.domain.utterance.words import PERIODS

NOON = 12 * 60
MIDNIGHT = 24 * 60

# the hours (as said, 1..12) that a word allows, and what to add to them; an hour not listed is not guessed
_READINGS: dict[str, dict[int, int]] = {
    "am": {12: 0} | {hour: hour for hour in range(1, 12)},
    "pm": {12: 12} | {hour: hour + 12 for hour in range(1, 12)},
    "early_morning": {hour: hour for hour in range(4, 12)},
    "evening": {hour: hour + 12 for hour in range(5, 12)},
    "night": {hour: hour + 12 for hour in range(6, 12)},
    "dawn": {hour: hour for hour in range(1, 7)},
    "lunch": {11: 11, 12: 12, 1: 13, 2: 14},
    "noon": {12: 12},
    "daytime": {10: 10, 11: 11, 12: 12} | {hour: hour + 12 for hour in range(1, 6)},
    "midnight": {},
}
_READINGS["morning"] = _READINGS["am"]
_READINGS["afternoon"] = _READINGS["pm"]
_SPANS_24 = {
    "am": (0, 12), "morning": (0, 12), "early_morning": (4, 12), "dawn": (0, 6), "pm": (12, 24), "afternoon": (12, 24),
    "evening": (17, 24), "night": (18, 24), "lunch": (11, 15), "noon": (12, 13), "daytime": (9, 18), "midnight": (0, 1),
}  # fmt: skip


def check(hour: int, minute: int) -> None:
    """Refuse 25시 and 14:75; 24:00 is the end of a day.

    Raises
    ------
    NotUnderstoodError
        With problem ``no_such_time``.
    """
    if minute > 59 or hour > 24 or (hour == 24 and minute):
        raise NotUnderstoodError(Problem.NO_SUCH_TIME)


def minutes_of(hour: int, minute: int, period: str | None, *, clock24: bool) -> int:
    """Minutes after midnight of ``hour`` and ``minute`` said with ``period``.

    Raises
    ------
    NotUnderstoodError
        ``which_half`` if it may be morning or afternoon, ``no_such_time`` if hour and word exclude each other.
    """
    check(hour, minute)
    if period is None:
        if not clock24:
            raise NotUnderstoodError(Problem.WHICH_HALF)
        return hour * 60 + minute
    if hour > 12 or hour == 0:
        first, after = _SPANS_24[period]
        if not first <= hour < after:
            raise NotUnderstoodError(Problem.NO_SUCH_TIME)
        return hour * 60 + minute
    reading = _READINGS[period].get(hour)
    if reading is None:
        raise NotUnderstoodError(Problem.WHICH_HALF)
    return reading * 60 + minute


def later_reading(hour: int, minute: int, after: int) -> int:
    """The end of "오후 2시부터 4시": the first time past ``after`` that the clock shows ``hour``.

    Raises
    ------
    NotUnderstoodError
        If that would be after midnight and the start is not in an evening.
    """
    check(hour, minute)
    if hour > 12 or hour == 0:
        found = hour * 60 + minute
        if found <= after:
            found += MIDNIGHT
    else:
        found = hour % 12 * 60 + minute
        while found <= after:
            found += NOON
    if found > MIDNIGHT and after < 18 * 60:
        raise NotUnderstoodError(Problem.WHICH_HALF)
    return found


def earlier_reading(hour: int, minute: int, before: int) -> int:
    """The start of "from 2 to 4 pm": the last time the clock shows ``hour`` before ``before`` on the same day.

    Raises
    ------
    NotUnderstoodError
        If there is none on that day.
    """
    check(hour, minute)
    found = hour * 60 + minute if hour > 12 else hour % 12 * 60 + minute + NOON
    if found >= before and hour <= 12:
        found -= NOON
    if found >= before:
        raise NotUnderstoodError(Problem.WHICH_HALF)
    return found


def span_of(period: str) -> tuple[int, int]:
    """First minute and the minute after the last of a part of the day.

    Raises
    ------
    NotUnderstoodError
        For words that only read an hour (midnight, daytime, a.m.).
    """
    if period not in PERIODS:
        raise NotUnderstoodError(Problem.UNCLEAR_DATE)
    first, after = PERIODS[period]
    return first * 60, after * 60
