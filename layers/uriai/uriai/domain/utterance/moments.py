"""One side of a range: what was said of a day and of a time, and the instants it stands for."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from datetime import date, datetime, timedelta, tzinfo

from uriai.domain.utterance.calendar import Days, add_months, instant, month_of, one_day, week_of
from uriai.domain.utterance.clock_face import MIDNIGHT, minutes_of, span_of
from uriai.domain.utterance.pieces import Piece
from uriai.domain.utterance.problems import NotUnderstoodError, Problem

POINT_MINUTES = 60
"""A moment ("오후 3시", "at 2:30 pm") is asked about as the hour that begins then."""

_DATE_FIELDS = (
    "year",
    "year_offset",
    "month",
    "month_offset",
    "day",
    "day_offset",
    "week_offset",
    "weekday",
    "weekend",
    "which",
)
_TIME_FIELDS = ("period", "hour", "minute", "clock24")
_SAME_HALF = {
    "am": {"morning", "dawn", "early_morning"},
    "pm": {"afternoon", "evening", "night", "lunch", "noon"},
}


@dataclass(frozen=True, slots=True)
class Now:
    """The instant of asking, in the zone of the centre."""

    at: datetime

    @property
    def zone(self) -> tzinfo:
        """The zone that dates are meant in."""
        assert self.at.tzinfo is not None  # noqa: S101 - an aware datetime is the contract
        return self.at.tzinfo

    @property
    def today(self) -> date:
        """Today there."""
        return self.at.date()


def merge(side: Piece, more: Piece) -> Piece | None:
    """Both said as one, or None if they say different things of the same."""
    values: dict[str, object] = {}
    for field in fields(Piece):
        name = field.name
        if name in {"start", "end"}:
            continue
        old, new = getattr(side, name), getattr(more, name)
        if name == "period" and old != new and old is not None and new is not None:
            wider = _named_half(old, new)
            if wider is None:
                return None
            values[name] = wider
        elif old is not None and new is not None and old != new:
            return None
        else:
            values[name] = new if old is None else old
    if values["rolling"] is not None and (has_date(side) or has_date(more)):
        return None
    return replace(side, end=more.end, **values)  # type: ignore[arg-type]


def _named_half(old: str, new: str) -> str | None:
    """The exacter of "pm" and "afternoon", None if they exclude each other."""
    for half, parts in _SAME_HALF.items():
        if old == half and new in parts:
            return new
        if new == half and old in parts:
            return old
    return None


def has_date(side: Piece) -> bool:
    """Whether a day, week, month or year is named."""
    return any(getattr(side, name) is not None for name in _DATE_FIELDS)


def has_time(side: Piece) -> bool:
    """Whether a time of the day is named."""
    return side.hour is not None or side.period is not None


def with_date_of(side: Piece, other: Piece) -> Piece:
    """``side`` on the day of ``other``."""
    return replace(side, **{name: getattr(other, name) for name in _DATE_FIELDS})


def fill_date(side: Piece, other: Piece) -> Piece:
    """``side`` with what it leaves unsaid of its date taken from ``other``: the month of "22일", a weekday's week."""
    if not has_date(side):
        return with_date_of(side, other)
    if side.day is not None and side.month is None and side.month_offset is None:
        return replace(
            side,
            month=other.month,
            month_offset=other.month_offset,
            year=side.year or other.year,
            year_offset=other.year_offset,
        )
    if side.weekday is not None and side.week_offset is None and side.which is None and other.weekday is not None:
        return replace(side, week_offset=other.week_offset, which=other.which if other.which == "this" else None)
    if side.month is not None and side.year is None and side.year_offset is None:
        return replace(side, year=other.year, year_offset=other.year_offset)
    return side


def days_of(side: Piece, now: Now) -> Days:
    """The days that the date part of ``side`` names.

    Raises
    ------
    NotUnderstoodError
        If there is no such date, or its parts do not go together.
    """
    try:
        return _days_of(side, now)
    except (ValueError, OverflowError) as error:
        if isinstance(error, NotUnderstoodError):
            raise
        raise NotUnderstoodError(Problem.NO_SUCH_DATE) from error


def _days_of(side: Piece, now: Now) -> Days:
    today = now.today
    said = {name for name in _DATE_FIELDS if getattr(side, name) is not None} - {"which"}
    if side.rolling is not None:
        return _rolling_days(side.rolling, today)
    if "day_offset" in said:
        return _checked(one_day(today + timedelta(days=side.day_offset or 0)), side, said - {"day_offset"}, now)
    if "day" in said:
        return _checked(
            _day_of_month(side, now), side, said - {"day", "month", "month_offset", "year", "year_offset"}, now
        )
    if "weekday" in said or "weekend" in said:
        if said - {"weekday", "weekend", "week_offset"} or {"weekday", "weekend"} <= said:
            raise NotUnderstoodError(Problem.UNCLEAR_DATE)
        return _in_week(side, now)
    beside_month = {"year", "year_offset"} if "month" in said else set[str]()
    if "week_offset" in said or "month_offset" in said or "month" in said:
        if len(said - beside_month) > 1:
            raise NotUnderstoodError(Problem.UNCLEAR_DATE)
        if "week_offset" in said:
            return week_of(today, side.week_offset or 0)
        return _month(side, now) if "month" in said else _month_offset(today, side.month_offset or 0)
    if said <= {"year", "year_offset"} and said:
        year = _year(side, now)
        return Days(date(year or 0, 1, 1), date((year or 0) + 1, 1, 1))
    return one_day(today)


def _checked(days: Days, side: Piece, rest: set[str], now: Now) -> Days:
    """``days`` if whatever else was said of the date agrees ("7월 22일 수요일")."""
    if "weekday" in rest and days.first.weekday() != side.weekday:
        raise NotUnderstoodError(Problem.NO_SUCH_DATE)
    if "day" in rest:
        whole = replace(side, day_offset=None)
        if _day_of_month(whole, now) != days:
            raise NotUnderstoodError(Problem.NO_SUCH_DATE)
    # "지난주 오늘" and "last year today" mean another day than today, and more than one
    wider = [week_of(now.today, side.week_offset or 0)] if "week_offset" in rest else []
    if "day" not in rest:
        wider += _around(side, rest, now)
    if any(not around.first <= days.first < around.after for around in wider):
        raise NotUnderstoodError(Problem.UNCLEAR_DATE)
    if rest - {"weekday", "day", "month", "month_offset", "year", "year_offset", "week_offset"}:
        raise NotUnderstoodError(Problem.UNCLEAR_DATE)
    return days


def _around(side: Piece, rest: set[str], now: Now) -> list[Days]:
    """The months and the year that are named beside a day and have to hold it."""
    found = []
    if "month_offset" in rest:
        found.append(_month_offset(now.today, side.month_offset or 0))
    if "month" in rest:
        found.append(_month(side, now))
    year = _year(side, now)
    if year is not None and rest & {"year", "year_offset"}:
        found.append(Days(date(year, 1, 1), date(year + 1, 1, 1)))
    return found


def _year(side: Piece, now: Now) -> int | None:
    relative = None if side.year_offset is None else now.today.year + side.year_offset
    if side.year is not None and relative is not None and side.year != relative:
        raise NotUnderstoodError(Problem.NO_SUCH_DATE)
    return side.year if side.year is not None else relative


def _month_offset(today: date, offset: int) -> Days:
    first = add_months(today.replace(day=1), offset)
    return month_of(first.year, first.month)


def _month(side: Piece, now: Now) -> Days:
    """A month without a year: the latest that has begun; "last July" the latest that is over."""
    year, month = _year(side, now), side.month or 0
    if year is not None:
        return month_of(year, month)
    days = month_of(now.today.year, month)
    last = now.today if side.which != "past" else days.first - timedelta(days=1)
    if side.which == "past" and days.after <= now.today:
        return days
    return days if days.first <= last else month_of(now.today.year - 1, month)


def _day_of_month(side: Piece, now: Now) -> Days:
    """A day without a year, or without a month: the latest such day that is not in the future."""
    today, day = now.today, side.day or 0
    year = _year(side, now)
    if side.month_offset is not None:
        month = _month_offset(today, side.month_offset).first
        if side.month not in {None, month.month} or year not in {None, month.year}:
            raise NotUnderstoodError(Problem.UNCLEAR_DATE)
        return one_day(month.replace(day=day))
    if side.month is None:
        if year is not None:
            raise NotUnderstoodError(Problem.UNCLEAR_DATE)
        if not 1 <= day <= 31:
            raise NotUnderstoodError(Problem.NO_SUCH_DATE)
        months = (add_months(today.replace(day=1), -back) for back in range(3))
        return one_day(_latest(((month.year, month.month, day) for month in months), today))
    if year is not None:
        return one_day(date(year, side.month, day))
    # eight years back, because a leap day may be that far away
    return one_day(_latest(((today.year - back, side.month, day) for back in range(9)), today))


def _latest(candidates: object, today: date) -> date:
    for year, month, day in candidates:  # type: ignore[attr-defined]
        try:
            found = date(year, month, day)
        except ValueError:
            continue
        if found <= today:
            return found
    raise NotUnderstoodError(Problem.NO_SUCH_DATE)


def _in_week(side: Piece, now: Now) -> Days:
    """A weekday or weekend: of a named week, of this week, before today, or else the latest that has begun."""
    today = now.today
    first, length = (5, 2) if side.weekend else (side.weekday or 0, 1)
    if side.week_offset is not None or side.which == "this":
        monday = week_of(today, side.week_offset or 0).first
        start = monday + timedelta(days=first)
        return Days(start, start + timedelta(days=length))
    start = week_of(today).first + timedelta(days=first)
    last = today - timedelta(days=length) if side.which == "past" else today
    while start > last:
        start -= timedelta(days=7)
    return Days(start, start + timedelta(days=length))


def _rolling_days(rolling: tuple[int, str], today: date) -> Days:
    """The last n days, weeks, months or years, today included."""
    count, unit = rolling
    after = today + timedelta(days=1)
    if count < 1:
        raise NotUnderstoodError(Problem.UNCLEAR_DATE)
    if unit == "days":
        return Days(after - timedelta(days=count), after)
    if unit == "weeks":
        return Days(after - timedelta(weeks=count), after)
    return Days(add_months(after, -count * (12 if unit == "years" else 1)), after)


def span_on(side: Piece, now: Now) -> tuple[Days, int, int]:
    """The days of ``side`` and the minutes of the day it covers; whole days are 0 to 1440.

    Raises
    ------
    NotUnderstoodError
        If a time of the day is asked of several days, or cannot be read.
    """
    days = days_of(side, now)
    if not has_time(side):
        return days, 0, MIDNIGHT
    if days.count != 1:
        raise NotUnderstoodError(Problem.SEVERAL_RANGES)
    if side.hour is None:
        return days, *span_of(side.period or "")
    minutes = minutes_of(side.hour, side.minute or 0, side.period, clock24=bool(side.clock24))
    if minutes >= MIDNIGHT:
        raise NotUnderstoodError(Problem.NO_SUCH_TIME)
    return days, minutes, minutes + POINT_MINUTES


def start_of(days: Days, minutes: int, now: Now) -> datetime:
    """The instant of ``minutes`` on the first of ``days``."""
    return instant(days.first, minutes, now.zone)


def end_of(days: Days, minutes: int, now: Now) -> datetime:
    """The instant of ``minutes`` on the last of ``days``; 1440 is the midnight that ends it."""
    return instant(days.after - timedelta(days=1), minutes, now.zone, ends=True)
