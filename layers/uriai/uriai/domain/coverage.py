"""Coverage: what a gateway's signed records claim its cameras recorded, what of it counts, and the holes between.

Spans are half-open. What is counted is never more than what was claimed, and never beyond its arrival by S3's clock.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any

from uriai.domain.manifest import CLOCK_BEHIND, Manifest

JOINS = timedelta(seconds=2)
"""Spans closer than this are one: the agent, too, tells a silence from this length on."""
LEAST_HOLE = timedelta(seconds=30)
"""A shorter silence is a camera that reconnects; from this length on an offline camera counts as tampered with."""
GRACE = timedelta(seconds=150)
"""How long a record may be under way before its absence is a hole.

A record covers a minute and arrives seconds after it, behind one clip at the worst. With the minute until `watch` runs
again a hole is on file 215 s after it began at the latest, of the 300 s that are promised.
"""
INSTALLED_WITHIN = timedelta(days=1)
"""How long after it was entered a camera, its gateway having a key, may send nothing before that is a hole.

Between entering and installing lie hours; who is told of every camera that hangs tomorrow stops reading.
"""
LONGEST_CLAIM = timedelta(minutes=15)
"""No record covers more: agents write one a minute, or every 10 minutes where they are told to."""
CLOCK_SLACK = timedelta(seconds=5)
"""A gateway's clock that is off by less is right: the network's own delay is in what is measured."""


@dataclass(frozen=True, slots=True)
class Span:
    """From ``start`` up to but not including ``end``; both aware."""

    start: datetime
    end: datetime

    def overlaps(self, other: Span) -> bool:
        """Whether the two have an instant in common."""
        return self.start < other.end and other.start < self.end

    def within(self, outer: Span) -> Span | None:
        """The part of it inside ``outer``, None if there is none."""
        start, end = max(self.start, outer.start), min(self.end, outer.end)
        return Span(start, end) if start < end else None

    @property
    def length(self) -> timedelta:
        """How long it is."""
        return self.end - self.start


def merged(spans: Iterable[Span], joins: timedelta = JOINS) -> tuple[Span, ...]:
    """The spans in order, those that overlap or are at most ``joins`` apart made one; empty ones are left out.

    However often a span is given, and in whatever order and however grouped spans are merged, the result is the same.
    """
    done: list[Span] = []
    for span in sorted((one for one in spans if one.start < one.end), key=lambda one: (one.start, one.end)):
        if done and span.start - done[-1].end <= joins:
            done[-1] = Span(done[-1].start, max(done[-1].end, span.end))
        else:
            done.append(span)
    return tuple(done)


def by_day(span: Span) -> tuple[Span, ...]:
    """The span cut at UTC's midnights: no row is longer than a day, so that a search by start knows how far to look."""
    parts, start, end = [], span.start.astimezone(UTC), span.end.astimezone(UTC)
    while start < end:
        midnight = datetime.combine(start.date(), time(0), UTC) + timedelta(days=1)
        parts.append(Span(start, min(midnight, end)))
        start = midnight
    return tuple(parts)


def gaps(spans: Iterable[Span], within: Span, least: timedelta = LEAST_HOLE) -> tuple[Span, ...]:
    """What of ``within`` no span covers, in order; a gap shorter than ``least`` is none.

    A gap that reaches an edge of ``within`` counts with the length it has inside.
    """
    found, reached = [], within.start
    for span in merged(spans):
        if span.start >= within.end:
            break
        if span.start > reached:
            found.append(Span(reached, span.start))
        reached = max(reached, span.end)
    if reached < within.end:
        found.append(Span(reached, within.end))
    return tuple(gap for gap in found if gap.length >= least)


@dataclass(frozen=True, slots=True)
class Claim:
    """What one signed coverage record says, on S3's clock and no further than its arrival.

    Parameters
    ----------
    span:
        What the record is about.
    cameras:
        By number every camera that it names, with the spans it delivered; none for one that was dark.
    down:
        No agent ran: there is nobody who could have seen anything.
    refused:
        Why none of it counts, empty where it does.
    clock_offset_s:
        How far S3's clock was ahead of the gateway's, None where the gateway did not know.
    clock_step_s:
        By how much the gateway's clock was set meanwhile, 0.0 where it was not.
    """

    span: Span
    cameras: Mapping[int, tuple[Span, ...]]
    down: bool = False
    refused: str = ""
    clock_offset_s: float | None = None
    clock_step_s: float = 0.0


def read_claim(manifest: Manifest, arrived_at: datetime) -> Claim:
    """Read a coverage record whose signature holds.

    What cannot be as it is said is not counted: a record longer than `LONGEST_CLAIM` or from another time than it
    arrived in, spans outside the record, and whatever lies after the arrival. Of a camera whose short spans were left
    out for want of space (``cut``) only those told count.
    """
    detail = manifest.detail
    offset_s, step_s = _seconds(detail.get("clock_offset_s")), _seconds(detail.get("clock_step_s")) or 0.0
    down = detail.get("down") is True
    shift = _shift(manifest.ended_at, arrived_at, offset_s, step_s)
    span = Span(_moved(manifest.started_at, shift), _moved(manifest.ended_at, shift))
    refused = _refusal(span, arrived_at, down=down, shift_known=shift is not None)
    latest = Span(span.start, max(span.start, min(span.end, arrived_at + CLOCK_SLACK)))
    cameras = {
        number: () if refused or down else _spans(told, span, latest) for number, told in _cameras(detail).items()
    }
    return Claim(span, cameras, down, refused, offset_s, step_s)


def _shift(ended_at: datetime, arrived_at: datetime, offset_s: float | None, step_s: float) -> timedelta | None:
    """By how much the gateway's clock is to be put right for the time before it was set; None if nobody can know.

    The offset was measured before the clock was set or after it, which the record does not say: the one that fits its
    arrival is taken. A record that arrives late fits neither.
    """
    offset = timedelta(seconds=offset_s or 0.0)
    step = timedelta(seconds=step_s)
    if abs(step) <= CLOCK_SLACK:
        return offset if abs(offset) > CLOCK_SLACK else timedelta(0)
    lags = {shift: arrived_at - _moved(ended_at, shift) for shift in (offset, offset + step)}
    fitting = [shift for shift, lag in lags.items() if -CLOCK_SLACK <= lag <= GRACE]
    return min(fitting, key=lambda shift: abs(lags[shift])) if fitting else None


def _moved(instant: datetime, shift: timedelta | None) -> datetime:
    try:
        return instant.astimezone(UTC) + (shift or timedelta(0))
    except OverflowError:
        return instant.astimezone(UTC)


def _refusal(span: Span, arrived_at: datetime, *, down: bool, shift_known: bool) -> str:
    if span.end < span.start:
        return "it ends before it begins"
    if not shift_known:
        return "the clock was set meanwhile, and the record came too late to tell when it was"
    if not down and span.length > LONGEST_CLAIM:
        return f"it covers more than {LONGEST_CLAIM.total_seconds() / 60:.0f} minutes"
    if span.start < arrived_at - CLOCK_BEHIND:
        return f"it is about a time more than {CLOCK_BEHIND.days} days before it arrived"
    # a minute that is not over may be under way; that nobody ran until some later time is known to nobody
    if (span.end if down else span.start) > arrived_at + CLOCK_SLACK:
        return "it is about a time after it arrived"
    return ""


def _cameras(detail: Mapping[str, Any]) -> dict[int, list[Any]]:
    """The cameras that are named, with what is said of each; entries of another form are left out."""
    named = detail.get("cameras")
    found: dict[int, list[Any]] = {}
    for entry in named if isinstance(named, list) else ():
        number = entry.get("camera") if isinstance(entry, dict) else None
        if isinstance(number, int) and not isinstance(number, bool) and 1 <= number <= 9999:
            spans = entry.get("spans")
            found.setdefault(number, []).extend(spans if isinstance(spans, list) else ())
    return found


def _spans(told: Iterable[Any], record: Span, latest: Span) -> tuple[Span, ...]:
    found = []
    for pair in told:
        if not isinstance(pair, list) or len(pair) != 2:
            continue
        start_s, end_s = _seconds(pair[0]), _seconds(pair[1])
        if start_s is None or end_s is None or not 0 <= start_s < end_s <= LONGEST_CLAIM.total_seconds():
            continue
        span = Span(record.start + timedelta(seconds=start_s), record.start + timedelta(seconds=end_s))
        inside = span.within(latest)
        if inside is not None:
            found.append(inside)
    return merged(found)


def _seconds(value: Any) -> float | None:
    """A number of less than a thousand years, which NaN and infinity are not; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 3e10:
        return None
    return float(value)
