"""Sentences and lines of answers, put together from the catalogue."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from uriai.domain.person import Language
from uriai.domain.utterance.calendar import Range, add_months
from uriai.domain.utterance.understand import Understanding
from uriai.domain.words import Kind, Status
from uriai.service.ports.chat import ClipTally, IncidentView, Tally
from uriai.service.texts import kind_name, range_text, say, span_text, status_name

__all__ = [
    "clips", "details", "incident_line", "kind_counts", "kind_name", "moment", "percent", "range_before", "range_text",
    "status_counts", "understood",
]  # fmt: skip


def percent(confidence: float) -> int:
    """Whole percent, never rounded up to 100."""
    return min(99, int(confidence * 100)) if confidence < 1 else 100


def incident_line(language: Language, incident: IncidentView, now: datetime, *, named: bool) -> str:
    """One line: number, kind, camera, span, status, confidence; with the centre's name if ``named``."""
    line = say(
        language,
        "incident_line_centre" if named else "incident_line",
        centre=incident.centre.name,
        number=incident.number,
        kind=kind_name(language, incident.kind),
        camera=incident.camera,
        span=_span(language, incident, now),
        status=status_name(language, incident.status),
        percent=percent(incident.confidence),
    )
    return f"{line} · {say(language, 'unverified_mark')}" if incident.unverified else line


def details(language: Language, incident: IncidentView, now: datetime, of_day: int | None) -> str:
    """Several lines on one incident, which is the ``of_day``-th of its day, and what its status means."""
    text = say(
        language,
        "details_incident",
        centre=incident.centre.name,
        number=incident.number,
        kind=kind_name(language, incident.kind),
        span=_span(language, incident, now),
        camera=incident.camera,
        status=status_name(language, incident.status),
        percent=percent(incident.confidence),
    )
    lines = [text, say(language, f"meaning_{incident.status.value}")]
    if of_day is not None:
        lines.insert(1, say(language, "details_of_day", count=of_day))
    if incident.unverified:
        lines.append(say(language, "details_unverified"))
    return "\n".join(lines)


def moment(language: Language, incident: IncidentView, at: datetime, now: datetime) -> str:
    """An instant of an incident on the clock of its centre, to the second."""
    local = at.astimezone(ZoneInfo(incident.centre.time_zone))
    return span_text(language, local, local, now).rpartition("-")[0]


def kind_counts(language: Language, tally: Sequence[Tally]) -> str:
    """ "신체학대 2건, 방임 1건"."""
    counts = Counter[Kind]()
    for part in tally:
        counts[part.kind] += part.count
    return ", ".join(
        say(language, "kind_count", kind=kind_name(language, kind), count=counts[kind]) for kind in Kind if counts[kind]
    )


def status_counts(language: Language, tally: Sequence[Tally]) -> str:
    """ "전문가 확인 대기 2건, 종결 1건"."""
    counts = Counter[Status]()
    for part in tally:
        counts[part.status] += part.count
    return ", ".join(
        say(language, "status_count", status=status_name(language, status), count=counts[status])
        for status in Status
        if counts[status]
    )


def clips(language: Language, tally: ClipTally, *, found: bool) -> str:
    """What the answer rests on; where nothing was found, also that this is not proof of anything."""
    if tally.total == 0:
        return "" if found else say(language, "no_clips")
    parts = [say(language, "clips", total=tally.total, analysed=tally.analysed)]
    if tally.failed:
        parts.append(say(language, "clips_failed", failed=tally.failed))
    if tally.waiting:
        parts.append(say(language, "clips_waiting", waiting=tally.waiting))
    if not found:
        parts.append(say(language, "no_overclaim"))
    return " ".join(parts)


def understood(language: Language, said: Understanding, now: datetime) -> str:
    """What of a text was understood, as a list of words."""
    parts = [said.centre] if said.centre else []
    if said.range is not None:
        parts.append(range_text(language, said.range, now))
    if said.cameras:
        parts.append(say(language, "camera_filter", cameras=", ".join(map(str, said.cameras))))
    parts += [kind_name(language, kind) for kind in said.kinds]
    if said.number is not None:
        parts.append(f"#{said.number}")
    return ", ".join(parts)


def range_before(span: Range) -> Range:
    """The range of the same length that ends where ``span`` starts: whole days stay whole days, a month a month."""
    zone = span.start.tzinfo
    first_day = span.start.date()
    if span.whole_days and zone is not None and first_day.day == 1 and add_months(first_day, 1) == span.end.date():
        return Range(datetime.combine(add_months(first_day, -1), time(0), zone), span.start)
    if span.whole_days and zone is not None:
        days = (span.end.date() - span.start.date()).days
        first = span.start.date() - timedelta(days=days)
        return Range(datetime.combine(first, time(0), zone), span.start)
    length = span.end.astimezone(UTC) - span.start.astimezone(UTC)
    return Range((span.start.astimezone(UTC) - length).astimezone(zone), span.start)


def _span(language: Language, incident: IncidentView, now: datetime) -> str:
    zone = ZoneInfo(incident.centre.time_zone)
    return span_text(language, incident.started_at.astimezone(zone), incident.ended_at.astimezone(zone), now)
