"""Answers one question of one person. What they may see is decided in the queries, never here."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from uriai.domain.person import Language, Person
from uriai.domain.ulid import Ulid
from uriai.domain.utterance.calendar import Range
from uriai.domain.utterance.intents import Intent
from uriai.domain.utterance.normalise import normalise
from uriai.domain.utterance.understand import Understanding, understand
from uriai.domain.words import Role
from uriai.service import phrases
from uriai.service.answer_coverage import CoverageTold, tell_coverage
from uriai.service.answer_question_place import centres_called, likeness_in, located, told_apart, zone_of
from uriai.service.count_of_day import counted_details
from uriai.service.dialogue import Answer, Card, Question
from uriai.service.open_evidence import make_link
from uriai.service.ports.chat import CentreView, ClipTally, Filter, IncidentView, Links, Picture, Questions
from uriai.service.ports.clock import Clock
from uriai.service.texts import language_of, say

LISTED = 5
"""Incidents told one by one; a messenger shows about a thousand characters."""
PICTURED = 3
_CENTRES_READ = 2000
_ALIKE = 0.8
"""From this likeness on a typed name may be meant as a centre's: one letter of six may be wrong."""


@dataclass(frozen=True, slots=True)
class Chat:
    """What answering needs of the outside."""

    questions: Questions
    links: Links
    clock: Clock


@dataclass(frozen=True, slots=True)
class _Asked:
    """A question with everything that was found out about it."""

    person: Person
    language: Language
    chat: Chat
    now: datetime
    base_url: str
    understanding: Understanding
    centres: Sequence[CentreView]
    chosen: tuple[CentreView, ...] = ()

    def say(self, key: str, **values: object) -> str:
        return say(self.language, key, **values)

    def about(self, span: Range) -> Filter:
        said = self.understanding
        return Filter(span, tuple(centre.id for centre in self.chosen), said.cameras, said.kinds)

    def answer(self, *texts: str, **more: object) -> Answer:
        text = "\n".join(text for text in texts if text)
        return Answer(self.language, text, self.understanding, **({"suggestions": self._offers()} | more))  # type: ignore[arg-type]

    def _offers(self) -> tuple[str, ...]:
        return tuple(self.say(f"suggest_{key}") for key in ("today", "yesterday", "week"))


def answer_question(question: Question, chat: Chat) -> Answer:
    """Understand and answer. Zero incidents is never said without how many clips were looked at."""
    centres = chat.questions.centres(question.person, _CENTRES_READ)
    now = (question.now or chat.clock.now()).astimezone(zone_of(centres))
    said = understand(question.text, now)
    language = question.language or language_of(question.text) or question.person.language
    asked = _Asked(question.person, language, chat, now, question.base_url, said, centres)
    if said.intent in _WITHOUT_CENTRE:
        return _WITHOUT_CENTRE[said.intent](asked)
    if not centres:
        return asked.answer(asked.say("no_centres"), suggestions=())
    if said.intent is Intent.UNKNOWN or said.wrong_camera:
        return _unknown(asked)
    chosen = _choose(asked)
    if isinstance(chosen, Answer):
        return chosen
    # the range was read on the first centre's clock; the chosen one's may be another
    if chosen and zone_of(chosen) != now.tzinfo:
        now = now.astimezone(zone_of(chosen))
        said = understand(question.text, now)
    asked = _Asked(question.person, language, chat, now, question.base_url, said, centres, tuple(chosen))
    return _WITH_CENTRE[said.intent](asked)


def _choose(asked: _Asked) -> Sequence[CentreView] | Answer:
    """The centre that is meant; none where all in scope are; an answer where that has to be asked first."""
    name = asked.understanding.centre
    if name is None:
        if len(asked.centres) == 1:
            return asked.centres
        if asked.person.role is Role.DIRECTOR and asked.understanding.number is None:
            return _which(asked, asked.centres)
        return ()
    known = centres_called(
        name, asked.person, asked.centres, asked.chat.questions, whole=len(asked.centres) < _CENTRES_READ
    )
    scored = sorted(((likeness_in(name, centre), centre) for centre in known), key=lambda pair: -pair[0])
    best = [(score, centre) for score, centre in scored if score >= _ALIKE]
    written = normalise(asked.understanding.text)
    if not best:
        # a name with a sign in it ("해·달어린이집") is read as its last word
        best = [(1.0, centre) for centre in known if f" {normalise(centre.name)}" in f" {written}"]
    if not best:
        return asked.answer(asked.say("no_such_centre", name=name), suggestions=_names(asked, asked.centres))
    exact = [centre for score, centre in best if score == 1.0]
    found = exact or [centre for score, centre in best if score >= best[0][0] - 0.05]
    meant = located(written, found)
    return meant if len(meant) == 1 else _which(asked, meant)


def _which(asked: _Asked, centres: Sequence[CentreView]) -> Answer:
    lines = [f"· {centre.name} ({centre.region})" for centre in centres[:LISTED]]
    return asked.answer(asked.say("which_centre"), *lines, suggestions=_names(asked, centres))


def _names(asked: _Asked, centres: Sequence[CentreView]) -> tuple[str, ...]:
    """What to tap to ask the same of one centre; of several with one name, each with as much of its region as tells."""
    typed = asked.understanding.centre
    rest = asked.understanding.text.replace(typed, " ", 1) if typed else asked.understanding.text
    told = (told_apart(centre, [*asked.centres, *centres]) for centre in centres)
    # one by one, because telling each of thousands apart would compare all with all
    names = itertools.islice((name for name in told if name), LISTED)
    return tuple(" ".join(f"{name} {rest}".split())[:100] for name in dict.fromkeys(names))


def _unknown(asked: _Asked) -> Answer:
    """What was understood, what was not, and three questions to go on with."""
    said = asked.understanding
    problem = asked.say(f"problem_{said.problem.value}") if said.problem else ""
    if said.wrong_camera:
        problem = asked.say("wrong_camera")
    offers = tuple(asked.say(f"suggest_{key}") for key in ("today", "yesterday", "week"))
    if said.problem is not None and said.problem.value == "which_half":
        offers = tuple(asked.say(f"suggest_{key}") for key in ("morning", "afternoon", "yesterday"))
    parts = phrases.understood(asked.language, said, asked.now)
    return asked.answer(
        problem or asked.say("not_understood"),
        asked.say("understood_part", parts=parts) if parts else "",
        asked.say("offer"),
        *(f"· {offer}" for offer in offers),
        suggestions=offers,
    )


def _summary(asked: _Asked) -> Answer:
    span = asked.understanding.range
    if span is None:
        return _no_range(asked)
    return _tell(asked, span)


def _no_range(asked: _Asked) -> Answer:
    if len(asked.chosen) == 1 and asked.understanding.centre:
        centre = asked.chosen[0]
        offers = tuple(
            asked.say("suggest_centre_range", centre=centre.name, range=asked.say(f"suggest_{day}").lower())
            for day in ("today", "yesterday")
        )
        return asked.answer(asked.say("centre_chosen", name=centre.name, region=centre.region), suggestions=offers)
    return asked.answer(asked.say("which_range"))


def _tell(asked: _Asked, span: Range) -> Answer:
    """Count, kinds, time spans, strongest moment with its picture, and what the answer rests on."""
    about = asked.about(span)
    questions, person = asked.chat.questions, asked.person
    heading = _heading(asked, span)
    tally = questions.tally(person, about)
    total = sum(part.count for part in tally)
    if span.start > asked.now:
        return asked.answer(heading, asked.say("in_future"))
    rests_on = _rests_on(asked, span, found=total > 0)
    if total == 0:
        return asked.answer(heading, asked.say("found_none"), *rests_on)
    shown = questions.incidents(person, about, LISTED)
    strongest = questions.strongest(person, about)
    pictured = list(dict.fromkeys([*([strongest] if strongest else []), *shown]))[:PICTURED]
    pictures = {picture.incident_id: picture for picture in questions.pictures(person, [one.id for one in pictured])}
    return asked.answer(
        heading,
        asked.say("found", count=total, kinds=phrases.kind_counts(asked.language, tally)),
        *(phrases.incident_line(asked.language, one, asked.now, named=len(asked.chosen) != 1) for one in shown),
        asked.say("and_more", count=total - len(shown)) if total > len(shown) else "",
        _strongest(asked, strongest, pictures) if strongest and total > 1 else "",
        *rests_on,
        incidents=tuple(shown),
        cards=_cards(asked, pictured, pictures),
        suggestions=tuple(asked.say("suggest_details", number=one.number) for one in shown[:2]) + asked._offers()[1:],
    )


def _heading(asked: _Asked, span: Range) -> str:
    place = asked.chosen[0].name if len(asked.chosen) == 1 else asked.say("every_centre")
    if asked.understanding.cameras:
        place += ", " + asked.say("camera_filter", cameras=", ".join(map(str, asked.understanding.cameras)))
    return asked.say("heading", place=place, range=phrases.range_text(asked.language, span, asked.now))


def _strongest(asked: _Asked, incident: IncidentView, pictures: Mapping[Ulid, Picture]) -> str:
    picture = pictures.get(incident.id)
    return asked.say(
        "strongest",
        number=incident.number,
        camera=incident.camera,
        at=phrases.moment(asked.language, incident, picture.shown_at if picture else incident.started_at, asked.now),
        percent=phrases.percent(incident.confidence),
    )


def _cards(asked: _Asked, incidents: Sequence[IncidentView], pictures: Mapping[Ulid, Picture]) -> tuple[Card, ...]:
    cards = []
    for incident in incidents:
        picture = pictures.get(incident.id)
        if picture is not None:
            kind = phrases.kind_name(asked.language, incident.kind)
            at = phrases.moment(asked.language, incident, picture.shown_at, asked.now)
            cards.append(
                Card(
                    asked.say("picture_title", centre=incident.centre.name, number=incident.number, kind=kind),
                    asked.say("picture_text", camera=incident.camera, at=at),
                    _link(asked, picture),
                    _link(asked, picture),
                    incident.number,
                )
            )
    return tuple(cards)


def _link(asked: _Asked, picture: Picture) -> str:
    return make_link(picture.evidence_id, asked.person, asked.chat.links, asked.chat.clock, asked.base_url)


def _one_incident(asked: _Asked) -> Answer:
    """Everything that may be told of the incident of a number; without a number, of the range."""
    number = asked.understanding.number
    if number is None:
        span = asked.understanding.range
        if span is None:
            return _no_range(asked)
        return _by_status(asked, span) if asked.understanding.intent is Intent.STATUS else _tell(asked, span)
    centres = [centre.id for centre in asked.chosen]
    found = asked.chat.questions.numbered(asked.person, number, centres)
    if not found:
        return asked.answer(asked.say("no_such_incident", number=number))
    if len(found) > 1:
        offers = _names(asked, [incident.centre for incident in found])
        lines = [f"· {incident.centre.name} ({incident.centre.region})" for incident in found[:LISTED]]
        return asked.answer(asked.say("which_incident", number=number), *lines, suggestions=offers)
    incident = found[0]
    pictures = {picture.incident_id: picture for picture in asked.chat.questions.pictures(asked.person, [incident.id])}
    merged = incident.number != number
    return asked.answer(
        asked.say("part_of", number=number, other=incident.number) if merged else "",
        asked.say("not_yet_masked_copy") if asked.understanding.intent is Intent.MASKED_COPY else "",
        counted_details(asked.language, incident, asked.now, asked.person, asked.chat.questions),
        incidents=(incident,),
        cards=_cards(asked, [incident], pictures),
    )


def _by_status(asked: _Asked, span: Range) -> Answer:
    tally = asked.chat.questions.tally(asked.person, asked.about(span))
    counts = phrases.status_counts(asked.language, tally)
    told = _tell(asked, span)
    head, _, rest = told.text.partition("\n")
    text = "\n".join(part for part in (head, asked.say("by_status", counts=counts) if counts else "", rest) if part)
    return Answer(told.language, text, told.understanding, told.incidents, told.cards, told.suggestions)


def _count(asked: _Asked, *, first: str = "") -> Answer:
    span = asked.understanding.range
    if span is None:
        return _no_range(asked)
    about = asked.about(span)
    tally = asked.chat.questions.tally(asked.person, about)
    total = sum(part.count for part in tally)
    cameras = Counter[int]()
    for part in tally:
        cameras[part.camera] += part.count
    kinds = ", ".join(phrases.kind_name(asked.language, kind) for kind in asked.understanding.kinds)
    what = asked.say("counted_kinds", kinds=kinds) if kinds else asked.say("counted_all")
    by_camera = ", ".join(
        asked.say("camera_count", camera=camera, count=count) for camera, count in sorted(cameras.items())
    )
    return asked.answer(
        first,
        _heading(asked, span),
        asked.say("counted", what=what, count=total),
        phrases.kind_counts(asked.language, tally) if total and not asked.understanding.kinds else "",
        asked.say("by_status", counts=phrases.status_counts(asked.language, tally)) if total else "",
        asked.say("by_camera", counts=by_camera) if len(cameras) > 1 and len(asked.chosen) == 1 else "",
        *_rests_on(asked, span, found=total > 0),
    )


def _compare(asked: _Asked) -> Answer:
    """Two ranges that were named, or the one that was named and the one of its length before it."""
    span = asked.understanding.range
    if span is None:
        return _no_range(asked)
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


def _compared_clips(asked: _Asked, span: Range, clips: ClipTally, count: int) -> str:
    """What one side of a comparison rests on."""
    key = "compare_clips" if clips.total or count else "compare_no_clips"
    if span.start > asked.now:
        key = "compare_in_future"
    told = phrases.range_text(asked.language, span, asked.now)
    return asked.say(key, range=told, total=clips.total, analysed=clips.analysed)


def _coverage(asked: _Asked) -> Answer:
    """Which cameras recorded all of the range, and when the others did not."""
    span = asked.understanding.range
    if span is None:
        return _no_range(asked)
    told = _told_coverage(asked, span, listed=2 * LISTED).lines
    missing = asked.say("in_future" if span.start > asked.now else "coverage_too_recent")
    return asked.answer(_heading(asked, span), *(told or (missing,)))


def _told_coverage(asked: _Asked, span: Range, *, listed: int) -> CoverageTold:
    cameras = asked.chat.questions.coverage(asked.person, asked.about(span))
    named = len(asked.chosen) != 1
    return tell_coverage(asked.language, cameras, span, asked.now, named=named, listed=listed)


def _rests_on(asked: _Asked, span: Range, *, found: bool) -> tuple[str, ...]:
    """The clips that were looked at and the coverage: that nothing was found means no more than these two do."""
    clips = asked.chat.questions.clips(asked.person, asked.about(span))
    coverage = _told_coverage(asked, span, listed=PICTURED if found else LISTED)
    if coverage.whole and clips.total == 0:
        return (asked.say("no_movement"), *coverage.lines)
    return (phrases.clips(asked.language, clips, found=found or coverage.whole), *coverage.lines)


def _says(key: str) -> Callable[[_Asked], Answer]:
    return lambda asked: asked.answer(asked.say(key))


_WITHOUT_CENTRE: dict[Intent, Callable[[_Asked], Answer]] = {
    Intent.GREET: _says("greeting"),
    Intent.HELP: _says("help"),
    Intent.ENROL: lambda asked: asked.answer(asked.say("already_enrolled", name=asked.person.name)),
    Intent.SUBSCRIBE: _says("not_yet_subscribe"),
    Intent.UNSUBSCRIBE: _says("not_yet_unsubscribe"),
}
_WITH_CENTRE: dict[Intent, Callable[[_Asked], Answer]] = {
    Intent.SUMMARY: _summary,
    Intent.DETAILS: _one_incident,
    Intent.STATUS: _one_incident,
    Intent.MASKED_COPY: _one_incident,
    Intent.COUNT: _count,
    Intent.COMPARE: _compare,
    Intent.COVERAGE: _coverage,
    Intent.TREND: lambda asked: _count(asked, first=asked.say("not_yet_trend")),
    Intent.UNKNOWN: _unknown,
}
