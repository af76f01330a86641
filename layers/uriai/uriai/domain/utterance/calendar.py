"""Half-open ranges on a zone's calendar, right on the days when clocks change."""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo


@dataclass(frozen=True, slots=True)
class Range:
    """From ``start`` until just before ``end``: aware instants in the zone that was asked in, ``start`` < ``end``."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        if self.start.tzinfo is None or self.end.tzinfo is None:
            raise ValueError("a range needs aware instants")
        if self.start.astimezone(UTC) >= self.end.astimezone(UTC):
            raise ValueError(f"a range has to end after it starts: {self.start.isoformat()} .. {self.end.isoformat()}")

    @property
    def whole_days(self) -> bool:
        """Whether both ends are midnights."""
        midnight = time(0)
        return (
            self.start.timetz().replace(tzinfo=None) == midnight and self.end.timetz().replace(tzinfo=None) == midnight
        )


@dataclass(frozen=True, slots=True)
class Days:
    """From ``first`` until just before ``after``, as calendar days without a zone."""

    first: date
    after: date

    @property
    def count(self) -> int:
        """How many days."""
        return (self.after - self.first).days


def one_day(day: date) -> Days:
    """That day."""
    return Days(day, day + timedelta(days=1))


def week_of(day: date, offset: int = 0) -> Days:
    """The week of ``day``, Monday to Sunday, ``offset`` weeks later."""
    monday = day - timedelta(days=day.weekday()) + timedelta(weeks=offset)
    return Days(monday, monday + timedelta(days=7))


def month_of(year: int, month: int) -> Days:
    """That month; raises ValueError if there is none of that number."""
    first = date(year, month, 1)
    return Days(first, add_months(first, 1))


def add_months(day: date, months: int) -> date:
    """The same day ``months`` later, or that month's last day where it is shorter."""
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def instant(day: date, minutes: int, zone: tzinfo, *, ends: bool = False) -> datetime:
    """The instant when a clock in ``zone`` shows ``minutes`` after midnight of ``day``; 1440 and more are later days.

    Parameters
    ----------
    minutes:
        Whole minutes on the clock's face from 0 to 2880.
    ends:
        Whether the instant ends a range. An hour that happens twice is taken whole: a start is its first, an end its
        second. An
        hour that is skipped has no instants: both give the moment the clocks change.
    """
    wall = datetime.combine(day, time(0)) + timedelta(minutes=minutes)
    early, late = wall.replace(tzinfo=zone, fold=0), wall.replace(tzinfo=zone, fold=1)
    before, after = early.utcoffset(), late.utcoffset()
    if before is None or after is None or before == after:
        return early
    if after < before:  # shown twice
        return late if ends else early
    # skipped: search the change between the two readings of that wall time
    low, high = late.astimezone(UTC), early.astimezone(UTC)
    while high - low > timedelta(seconds=1):
        middle = low + (high - low) / 2
        if middle.astimezone(zone).utcoffset() == before:
            low = middle
        else:
            high = middle
    return high.replace(microsecond=0).astimezone(zone)
