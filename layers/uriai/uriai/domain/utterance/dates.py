"""Reads the range that a text asks about, wholly or not at all.

Never a silently wrong date: whatever looks like time has to be part of the reading, otherwise there is no range and a
`Problem`. Ranges are half-open, in the zone of ``now``. Weeks start on Monday; "last N days" is today and the N-1
before; a date without a year is the latest that is not in the future; today is the whole day; "since X" goes on to the
end of today.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from uriai.domain.utterance import clock_face, english, korean
from uriai.domain.utterance.calendar import Days, Range, one_day
from uriai.domain.utterance.moments import (
    Now,
    days_of,
    end_of,
    fill_date,
    has_date,
    has_time,
    merge,
    span_on,
    start_of,
)
from uriai.domain.utterance.pieces import Piece, find_pieces
from uriai.domain.utterance.problems import NotUnderstoodError, Problem

FIRST_YEAR, LAST_YEAR = 1990, 2200
"""No camera of ours recorded before, and no clock is that wrong; it keeps arithmetic inside the calendar."""

MOST_PIECES = 16
"""No question says more of time; a text that does is not worth the work."""

_RULES = [*korean.RULES, *english.RULES]
_FROM_AFTER = re.compile(r"\s*(?:쯤|경|께)?\s*(?:부터|에서(?=\s*\d|\s*오|\s*$))")
_TO_AFTER = re.compile(r"\s*(?:쯤|경|께)?\s*까지")
_BETWEEN_AFTER = re.compile(r"\s*(?:의\s*)?사이")
_SINCE_AFTER = re.compile(r"\s*(?:쯤|경)?\s*(?:이후|이래|후에|후로)")
_BEFORE_AFTER = re.compile(r"\s*(?:쯤|경)?\s*(?:이전|전에|전(?=$|[^가-힣]))")
_NOT_AFTER = re.compile(r"\s*(?:날)?(?:은|는|이|가)?\s*(?:말고|빼고|제외|아니)")
_EVERY_AFTER = re.compile(r"\s*마다")
_TO_GAP = re.compile(r"(?:~|-|\b(?:to|till|until|through|thru|up to))\s*(?:the|on|at|about|around)?\s*$")
_AND_GAP = re.compile(
    r"^\s*(?:,\s*)?(?:과|와|하고|이랑|랑|및|and|&|or|또는|이나|나|,|/|보다|대비|vs\.?|versus|than|with)\s*(?:the|on|at|in)?\s*$"
)
_FROM_BEFORE = re.compile(r"\b(?:from|since|starting|starting from)\s+(?:the\s+|on\s+|at\s+|about\s+|around\s+)?$")
_BETWEEN_BEFORE = re.compile(r"\bbetween\s+(?:the\s+|on\s+)?$")
_AFTER_BEFORE = re.compile(r"\bafter\s+(?:about\s+|around\s+)?$")
_UNTIL_BEFORE = re.compile(r"\b(?:until|till|up to)\s+(?:about\s+|around\s+)?$")
_BEFORE_BEFORE = re.compile(r"\bbefore\s+(?:about\s+|around\s+)?$")
_NOT_BEFORE = re.compile(r"\b(?:not|except|excluding|other than|without|but not)\s+(?:on\s+|for\s+|in\s+)?$")
_EVERY_BEFORE = re.compile(r"(?:\b(?:every|each)|매주|매달|매월|매년|매일)\s*$")


@dataclass(frozen=True, slots=True)
class Reading:
    """What a text says of time.

    ``range`` is None when it says nothing, and when ``problem`` says why it could not be read. ``others`` are the
    further ranges of a
    comparison. ``pieces`` tell which stretches of the text were about time.
    """

    range: Range | None = None
    others: tuple[Range, ...] = ()
    problem: Problem | None = None
    pieces: tuple[Piece, ...] = ()


@dataclass(frozen=True, slots=True)
class _Marks:
    """What stands around the pieces."""

    since: bool = False
    until: bool = False
    between: bool = False
    after: bool = False
    """English "after", which leaves a day itself out."""
    following: bool = False
    """Korean 이후, which takes it in."""
    before: bool = False


def read_dates(text: str, now: datetime, *, comparing: bool = False) -> Reading:
    """Read the range of a lower-case normalised ``text``.

    Parameters
    ----------
    now:
        The instant of asking, aware, in the zone that dates are meant in.
    comparing:
        Several ranges are wanted: the latest becomes ``range``, the rest ``others``.
    """
    pieces = find_pieces(text, _RULES)
    if not pieces:
        return Reading()
    if len(pieces) > MOST_PIECES:
        return Reading(problem=Problem.SEVERAL_RANGES, pieces=tuple(pieces))
    try:
        ranges = _ranges(text, pieces, Now(now), comparing=comparing)
    except NotUnderstoodError as error:
        return Reading(problem=error.problem, pieces=tuple(pieces))
    except (OverflowError, ValueError):
        # years outside 1..9999 and ranges that clocks turn around
        return Reading(problem=Problem.NO_SUCH_DATE, pieces=tuple(pieces))
    *others, latest = sorted(ranges, key=lambda found: (found.start.astimezone(UTC), found.end.astimezone(UTC)))
    return Reading(latest, tuple(reversed(others)), None, tuple(pieces))


def _ranges(text: str, pieces: list[Piece], now: Now, *, comparing: bool) -> list[Range]:
    sides, links, marks = _sides(text, pieces, comparing=comparing)
    if any(side.unclear for side in sides):
        raise NotUnderstoodError(Problem.UNCLEAR_DATE)
    if "to" in links:
        if len(sides) != 2 or marks.after or marks.following or marks.before:
            raise NotUnderstoodError(Problem.SEVERAL_RANGES)
        return [_span(sides[0], sides[1], now)]
    if len(sides) == 1:
        return [_single(sides[0], marks, now)]
    if marks != _Marks():
        raise NotUnderstoodError(Problem.SEVERAL_RANGES)
    filled = [sides[0]]
    for side in sides[1:]:
        filled.append(fill_date(side, filled[-1]))
    filled = [fill_date(side, filled[-1]) for side in filled]
    found = [_single(side, marks, now) for side in filled]
    return found if comparing else [_union(found)]


def _sides(text: str, pieces: list[Piece], *, comparing: bool) -> tuple[list[Piece], list[str], _Marks]:
    """Join pieces that speak of one moment; between the joined ones stand links, ``to`` or ``and``."""
    gaps = [text[: pieces[0].start]]
    gaps += [text[one.end : two.start] for one, two in itertools.pairwise(pieces)]
    gaps.append(text[pieces[-1].end :])
    before_each, after_each = gaps[:-1], gaps[1:]
    if _any(_NOT_AFTER.match, after_each) or _any(_EVERY_AFTER.match, after_each):
        raise NotUnderstoodError(Problem.UNCLEAR_DATE)
    if _any(_NOT_BEFORE.search, before_each) or _any(_EVERY_BEFORE.search, before_each):
        raise NotUnderstoodError(Problem.UNCLEAR_DATE)
    between = _any(_BETWEEN_BEFORE.search, before_each) or _any(_BETWEEN_AFTER.match, after_each)
    sides, links = [pieces[0]], list[str]()
    for gap, more in zip(gaps[1:-1], pieces[1:], strict=True):
        link = _link(gap, between=between and not comparing)
        if comparing and link == "to" and not _FROM_AFTER.match(gap) and "~" not in gap:
            link = "and"  # "compare this week to last week"
        # "Friday, July 17" is one day; "today and this week" are two ranges
        apart = link == "and" and (comparing or ("," not in gap and has_date(sides[-1]) and has_date(more)))
        joined = merge(sides[-1], more) if link != "to" and not apart else None
        if joined is None:
            links.append(link or "and")
            sides.append(more)
        else:
            sides[-1] = joined
    marks = _Marks(
        since=_any(_FROM_BEFORE.search, before_each) or _any(_FROM_AFTER.match, after_each),
        until=_any(_TO_AFTER.match, after_each) or bool(_UNTIL_BEFORE.search(gaps[0])),
        between=between and not comparing,
        after=_any(_AFTER_BEFORE.search, before_each),
        following=_any(_SINCE_AFTER.match, after_each),
        before=_any(_BEFORE_AFTER.match, after_each) or _any(_BEFORE_BEFORE.search, before_each),
    )
    return sides, links, marks


def _any(test: Callable[[str], object], gaps: list[str]) -> bool:
    return any(test(gap) for gap in gaps)


def _link(gap: str, *, between: bool) -> str:
    """How two pieces hang together: ``to``, ``and`` or as one."""
    if _FROM_AFTER.match(gap) or _TO_GAP.search(gap):
        return "to"
    if _AND_GAP.match(gap):
        return "to" if between else "and"
    return ""


def _single(side: Piece, marks: _Marks, now: Now) -> Range:
    """The range of one moment, with "since", "until", "before" and "after" applied."""
    if marks.between:
        raise NotUnderstoodError(Problem.UNCLEAR_DATE)
    if side.ago is not None or (side.rolling is not None and side.rolling[1] in {"hours", "minutes"}):
        return _counted_back(side, marks, now)
    until, onwards = marks.until or marks.before, marks.after or marks.following
    if until:
        side = _noon_as_hour(side)
    if onwards:
        side = _after_period(side)
    if until and (side.hour is None or marks.since or onwards):
        raise NotUnderstoodError(Problem.NO_START)
    if marks.after and not has_time(side):
        raise NotUnderstoodError(Problem.UNCLEAR_DATE)
    if side.hour is not None and side.hour == 24 and until:
        days, first, after = *span_on(replace(side, hour=None, period=None), now)[:1], 0, clock_face.MIDNIGHT
    elif side.period == "midnight":
        raise NotUnderstoodError(Problem.WHICH_DAY)
    else:
        days, first, after = span_on(side, now)
        after = first if until else after
    if not has_date(side) and side.rolling is None and start_of(days, 0 if until else first, now) > now.at:
        raise NotUnderstoodError(Problem.WHICH_DAY)
    if until:
        return _checked(start_of(days, 0, now), end_of(days, after, now))
    start = start_of(days, first, now)
    if marks.since or (onwards and not has_time(side)):
        return _checked(start, end_of(one_day(now.today), clock_face.MIDNIGHT, now))
    return _checked(start, end_of(days, _last_minute(side) if onwards else after, now))


def _last_minute(side: Piece) -> int:
    """Until when "after ten" goes on: the end of the day, or of the night where that is said."""
    return clock_face.span_of("night")[1] if side.period == "night" else clock_face.MIDNIGHT


def _counted_back(side: Piece, marks: _Marks, now: Now) -> Range:
    """The past three hours; three hours ago, which is asked about as the hour that began then."""
    if has_date(side) or has_time(side) or marks.until or marks.before or marks.after or marks.following:
        raise NotUnderstoodError(Problem.UNCLEAR_DATE)
    if side.rolling is not None:
        count, unit = side.rolling
        return _back(now, timedelta(hours=count) if unit == "hours" else timedelta(minutes=count), now.at)
    start = _instant_back(now, timedelta(minutes=side.ago or 0))
    if marks.since:
        return _checked(start, now.at)
    return _checked(start, min(start + timedelta(hours=1), now.at, key=lambda at: at.astimezone(UTC)))


def _after_period(side: Piece) -> Piece:
    """After lunch is from 13:00; after the morning may be noon or any time later, which is not guessed."""
    if side.hour is not None or side.period is None:
        return side
    if side.period != "lunch":
        raise NotUnderstoodError(Problem.UNCLEAR_DATE)
    return replace(side, period=None, hour=13, minute=0, clock24=True)


def _noon_as_hour(side: Piece) -> Piece:
    """Noon as the end of something is 12:00 and not the hour that begins then."""
    return replace(side, hour=12, minute=0) if side.period == "noon" and side.hour is None else side


def _instant_back(now: Now, span: timedelta) -> datetime:
    # on the UTC line, because an hour ago is 60 minutes ago even when clocks changed meanwhile
    return (now.at.astimezone(UTC) - span).astimezone(now.zone)


def _back(now: Now, span: timedelta, end: datetime) -> Range:
    return _checked(_instant_back(now, span), end)


def _span(left: Piece, right: Piece, now: Now) -> Range:
    """From one moment to another; what either leaves unsaid it takes from the other."""
    if left.rolling or right.rolling:
        raise NotUnderstoodError(Problem.UNCLEAR_DATE)
    if right.ago == 0 and left.ago is None:
        days, first, _ = span_on(left, now)
        return _checked(start_of(days, first, now), now.at)
    if left.ago is not None or right.ago is not None:
        if left.ago is None or right.ago is None or has_date(left) or has_date(right):
            raise NotUnderstoodError(Problem.UNCLEAR_DATE)
        return _checked(
            _instant_back(now, timedelta(minutes=left.ago)), _instant_back(now, timedelta(minutes=right.ago))
        )
    dated = has_date(left) or has_date(right)
    own_day = has_date(right) and has_date(left)
    left, right = fill_date(left, right), _noon_as_hour(fill_date(right, left))
    left_days, right_days = _span_days(left, right, now)
    first, after = _span_minutes(left, right, same_day=not own_day)
    start = start_of(left_days, first, now)
    if not dated and start > now.at:
        raise NotUnderstoodError(Problem.WHICH_DAY)
    return _checked(start, end_of(right_days, after, now))


def _span_days(left: Piece, right: Piece, now: Now) -> tuple[Days, Days]:
    """The days of both ends, a day without a year or a week taken so that the end follows the start."""
    left_days, right_days = days_of(left, now), days_of(right, now)
    if right_days.first >= left_days.first:
        return left_days, right_days
    if left.weekday is not None and right.weekday is not None and left.week_offset is None and left.which is None:
        # on a Tuesday, "Monday to Wednesday" is this week's, still going on, or last week's
        raise NotUnderstoodError(Problem.WHICH_DAY)
    if right.month is not None and right.year is None and right.year_offset is None:
        year = left_days.first.year + (1 if right.month < left_days.first.month else 0)
        later = days_of(replace(right, year=year), now)
        if later.first >= left_days.first and left_days.first <= now.today:
            return left_days, later
    raise NotUnderstoodError(Problem.BACKWARDS)


def _span_minutes(left: Piece, right: Piece, *, same_day: bool) -> tuple[int, int]:
    """Minutes of the day where a span starts and ends; over 1440 the end is on the next day."""
    if left.hour is None and right.hour is None:
        first = 0 if left.period in {None, "midnight"} else clock_face.span_of(left.period or "")[0]
        after = clock_face.MIDNIGHT
        if right.period not in {None, "midnight"}:
            after = clock_face.span_of(right.period or "")[1]
        if left.period == "midnight":
            raise NotUnderstoodError(Problem.WHICH_DAY)
        return first, after + (clock_face.MIDNIGHT if same_day and after <= first else 0)
    if left.hour is None:
        return _period_to_hour(left, right, same_day=same_day)
    if right.hour is None:
        first = clock_face.minutes_of(left.hour, left.minute or 0, left.period, clock24=bool(left.clock24))
        if right.period in {None, "midnight"}:
            return first, clock_face.MIDNIGHT
        after = clock_face.span_of(right.period or "")[1]
        return first, after + (clock_face.MIDNIGHT if same_day and after <= first and first >= 18 * 60 else 0)
    return _hour_to_hour(left, right, same_day=same_day)


def _period_to_hour(left: Piece, right: Piece, *, same_day: bool) -> tuple[int, int]:
    hour, minute = right.hour or 0, right.minute or 0
    first = 0
    if left.period == "midnight":
        if has_date(left) and left.day_offset != 0:
            raise NotUnderstoodError(Problem.WHICH_DAY)
    elif left.period is not None:
        first = clock_face.span_of(left.period)[0]
    if right.period is None and not right.clock24 and same_day and left.period not in {None, "midnight"}:
        return first, clock_face.later_reading(hour, minute, first)
    return first, clock_face.minutes_of(hour, minute, right.period, clock24=bool(right.clock24))


def _hour_to_hour(left: Piece, right: Piece, *, same_day: bool) -> tuple[int, int]:
    left_hour, left_minute = left.hour or 0, left.minute or 0
    hour, minute = right.hour or 0, right.minute or 0
    if left.period is None and right.period is None:
        if not (left.clock24 or right.clock24):
            raise NotUnderstoodError(Problem.WHICH_HALF)
        first = clock_face.minutes_of(left_hour, left_minute, None, clock24=True)
        after = clock_face.minutes_of(hour, minute, None, clock24=True)
        if same_day and after <= first:
            # 22:00-02:00 goes over midnight; 14시부터 4시 does not say which 4
            if not right.clock24 or first < 18 * 60:
                raise NotUnderstoodError(Problem.WHICH_HALF)
            after += clock_face.MIDNIGHT
        return first, after
    if left.period is None:
        after = clock_face.minutes_of(hour, minute, right.period, clock24=bool(right.clock24))
        if left.clock24:
            return clock_face.minutes_of(left_hour, left_minute, None, clock24=True), after
        if not same_day:
            raise NotUnderstoodError(Problem.WHICH_HALF)
        return clock_face.earlier_reading(left_hour, left_minute, after), after
    first = clock_face.minutes_of(left_hour, left_minute, left.period, clock24=bool(left.clock24))
    if right.period is None:
        if same_day:
            return first, clock_face.later_reading(hour, minute, first)
        return first, clock_face.minutes_of(hour, minute, None, clock24=bool(right.clock24))
    if right.period == "night" and hour == 12:
        return first, clock_face.MIDNIGHT + minute
    after = clock_face.minutes_of(hour, minute, right.period, clock24=bool(right.clock24))
    if same_day and after <= first:
        if first < 18 * 60 or after > 12 * 60:
            raise NotUnderstoodError(Problem.BACKWARDS)
        after += clock_face.MIDNIGHT
    return first, after


def _checked(start: datetime, end: datetime) -> Range:
    if not (start.year >= FIRST_YEAR and end.year <= LAST_YEAR):
        raise NotUnderstoodError(Problem.NO_SUCH_DATE)
    if start.astimezone(UTC) >= end.astimezone(UTC):
        raise NotUnderstoodError(Problem.BACKWARDS)
    return Range(start, end)


def _union(ranges: list[Range]) -> Range:
    """One range of several that follow one another without a hole.

    Raises
    ------
    NotUnderstoodError
        If there is a hole between them, or one lies within another.
    """
    ordered = sorted(ranges, key=lambda found: found.start.astimezone(UTC))
    whole = ordered[0]
    for following in ordered[1:]:
        # "the last three weeks, Friday" wants a part of the longer one, and which is not known
        inside = following != whole and following.end.astimezone(UTC) <= whole.end.astimezone(UTC)
        if inside or following.start.astimezone(UTC) > whole.end.astimezone(UTC):
            raise NotUnderstoodError(Problem.SEVERAL_RANGES)
        whole = Range(whole.start, max(whole.end, following.end, key=lambda at: at.astimezone(UTC)))
    return whole
