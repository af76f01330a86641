"""Answers about a period: what happened, how many, what has changed, what was recorded."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from uriai.domain.ulid import Ulid
from uriai.domain.utterance.calendar import Range
from uriai.domain.utterance.intents import Intent
from uriai.service import phrases
from uriai.service.answer_coverage import CoverageTold, tell_coverage
from uriai.service.asked import LISTED, PICTURED, Asked, ask_range, cards_of, heading
from uriai.service.dialogue import Answer
from uriai.service.ports.chat import ClipTally, IncidentView, Picture, Tally


def summarise(asked: Asked) -> Answer:
    """What happened in the range; without one it is asked for."""
    span = asked.understanding.range
    if span is None:
        return ask_range(asked)
    return tell_period(asked, span)


def tell_period(asked: Asked, span: Range) -> Answer:
    """Counts by kind, status and camera, and of the time before; time spans, the strongest moment with its picture, and
    what the answer rests on.
    """
    about = asked.about(span)
    questions, person = asked.chat.questions, asked.person
    place_and_range = heading(asked, span)
    tally = questions.tally(person, about)
    total = sum(part.count for part in tally)
    if span.start > asked.now:
        return asked.answer(place_and_range, asked.say("in_future"))
    rests_on = rests_on_what(asked, span, found=total > 0)
    if total == 0:
        return asked.answer(place_and_range, asked.say("found_none"), _before(asked, span), *rests_on)
    shown = questions.incidents(person, about, LISTED)
    strongest = questions.strongest(person, about)
    pictured = list(dict.fromkeys([*([strongest] if strongest else []), *shown]))[:PICTURED]
    pictures = {picture.incident_id: picture for picture in questions.pictures(person, [one.id for one in pictured])}
    return asked.answer(
        place_and_range,
        asked.say("found", count=total, kinds=phrases.kind_counts(asked.language, tally)),
        *_counts(asked, tally),
        _before(asked, span),
        *(phrases.incident_line(asked.language, one, asked.now, named=len(asked.chosen) != 1) for one in shown),
        asked.say("and_more", count=total - len(shown)) if total > len(shown) else "",
        _strongest(asked, strongest, pictures) if strongest and total > 1 else "",
        *rests_on,
        incidents=tuple(shown),
        cards=cards_of(asked, pictured, pictures),
        suggestions=tuple(asked.say("suggest_details", number=one.number) for one in shown[:2]) + asked.offers()[1:],
    )


def _strongest(asked: Asked, incident: IncidentView, pictures: Mapping[Ulid, Picture]) -> str:
    picture = pictures.get(incident.id)
    return asked.say(
        "strongest",
        number=incident.number,
        camera=incident.camera,
        at=phrases.moment(asked.language, incident, picture.shown_at if picture else incident.started_at, asked.now),
        percent=phrases.percent(incident.confidence),
    )


def _counts(asked: Asked, tally: Sequence[Tally]) -> tuple[str, ...]:
    """By status, which says what waits for an expert and what the police have, and by camera of one centre."""
    total = sum(part.count for part in tally)
    told_of_one = total == 1 and asked.understanding.intent is not Intent.STATUS
    return (
        "" if told_of_one else asked.say("by_status", counts=phrases.status_counts(asked.language, tally)),
        _by_camera(asked, tally),
    )


def _by_camera(asked: Asked, tally: Sequence[Tally]) -> str:
    cameras = Counter[int]()
    for part in tally:
        cameras[part.camera] += part.count
    if len(cameras) < 2 or len(asked.chosen) != 1:
        return ""
    counts = ", ".join(
        asked.say("camera_count", camera=camera, count=count) for camera, count in sorted(cameras.items())
    )
    return asked.say("by_camera", counts=counts)


def _before(asked: Asked, span: Range) -> str:
    """How many there were in the time before; that there were none is said only if clips of it were analysed."""
    before = phrases.range_before(span)
    questions, about = asked.chat.questions, asked.about(before)
    count = sum(part.count for part in questions.tally(asked.person, about))
    if count == 0 and questions.clips(asked.person, about).analysed == 0:
        return ""
    return asked.say("before", range=phrases.range_text(asked.language, before, asked.now), count=count)


def count_period(asked: Asked) -> Answer:
    """How many incidents, by kind, status and camera."""
    span = asked.understanding.range
    if span is None:
        return ask_range(asked)
    about = asked.about(span)
    tally = asked.chat.questions.tally(asked.person, about)
    total = sum(part.count for part in tally)
    kinds = ", ".join(phrases.kind_name(asked.language, kind) for kind in asked.understanding.kinds)
    what = asked.say("counted_kinds", kinds=kinds) if kinds else asked.say("counted_all")
    return asked.answer(
        heading(asked, span),
        asked.say("counted", what=what, count=total),
        phrases.kind_counts(asked.language, tally) if total and not asked.understanding.kinds else "",
        asked.say("by_status", counts=phrases.status_counts(asked.language, tally)) if total else "",
        _by_camera(asked, tally),
        *rests_on_what(asked, span, found=total > 0),
    )


def compare_periods(asked: Asked) -> Answer:
    """Two ranges that were named, or the one that was named and the one of its length before it."""
    span = asked.understanding.range
    if span is None:
        return ask_range(asked)
    others = asked.understanding.other_ranges
    if len(others) > 1:
        return asked.answer(asked.say("compare_two"))
    other = others[0] if others else phrases.range_before(span)
    questions, person = asked.chat.questions, asked.person
    count, other_count = (
        sum(part.count for part in questions.tally(person, asked.about(one))) for one in (span, other)
    )
    clips, other_clips = (questions.clips(person, asked.about(one)) for one in (span, other))
    change = "same" if count == other_count else "more" if count > other_count else "less"
    # with nothing on one side there is nothing to compare
    known = (count or clips.total) and (other_count or other_clips.total)
    rests_on = [_compared_clips(asked, span, clips, count), _compared_clips(asked, other, other_clips, other_count)]
    return asked.answer(
        asked.chosen[0].name if len(asked.chosen) == 1 else asked.say("every_centre"),
        asked.say(
            "compared",
            range=phrases.range_text(asked.language, span, asked.now),
            count=count,
            other_range=phrases.range_text(asked.language, other, asked.now),
            other_count=other_count,
        ),
        asked.say(f"change_{change}", count=abs(count - other_count)) if known else "",
        *(rests_on if not (count and other_count) else ()),
        asked.say("compare_incomplete", clips=clips.analysed, other_clips=other_clips.analysed)
        if clips.analysed != other_clips.analysed
        else "",
    )


def _compared_clips(asked: Asked, span: Range, clips: ClipTally, count: int) -> str:
    """What one side of a comparison rests on."""
    key = "compare_clips" if clips.total or count else "compare_no_clips"
    if span.start > asked.now:
        key = "compare_in_future"
    told = phrases.range_text(asked.language, span, asked.now)
    return asked.say(key, range=told, total=clips.total, analysed=clips.analysed)


def coverage_of_period(asked: Asked) -> Answer:
    """Which cameras recorded all of the range, and when the others did not."""
    span = asked.understanding.range
    if span is None:
        return ask_range(asked)
    told = _told_coverage(asked, span, listed=2 * LISTED).lines
    missing = asked.say("in_future" if span.start > asked.now else "coverage_too_recent")
    return asked.answer(heading(asked, span), *(told or (missing,)))


def _told_coverage(asked: Asked, span: Range, *, listed: int) -> CoverageTold:
    cameras = asked.chat.questions.coverage(asked.person, asked.about(span))
    named = len(asked.chosen) != 1
    return tell_coverage(asked.language, cameras, span, asked.now, named=named, listed=listed)


def rests_on_what(asked: Asked, span: Range, *, found: bool) -> tuple[str, ...]:
    """The clips that were looked at and the coverage: that nothing was found means no more than these two do."""
    clips = asked.chat.questions.clips(asked.person, asked.about(span))
    coverage = _told_coverage(asked, span, listed=PICTURED if found else LISTED)
    if coverage.whole and clips.total == 0:
        return (asked.say("no_movement"), *coverage.lines)
    return (phrases.clips(asked.language, clips, found=found or coverage.whole), *coverage.lines)
