"""Answers one question of one person. What they may see is decided in the queries, never here."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from uriai.domain.utterance.intents import Intent
from uriai.domain.utterance.normalise import normalise
from uriai.domain.utterance.understand import understand
from uriai.domain.words import Role
from uriai.service import phrases
from uriai.service.answer_incident import about_incident
from uriai.service.answer_period import compare_periods, count_period, coverage_of_period, summarise
from uriai.service.answer_question_place import centres_called, likeness_in, located, zone_of
from uriai.service.answer_trend import trend_of_period
from uriai.service.asked import Asked, Chat, names_to_tap, which_centre
from uriai.service.dialogue import Answer, Question
from uriai.service.ports.chat import CentreView
from uriai.service.texts import language_of

CENTRES_READ = 2000
"""So many centres are read at once; of more the one that is named is looked for."""
_ALIKE = 0.8
"""From this likeness on a typed name may be meant as a centre's: one letter of six may be wrong."""

__all__ = ["Chat", "answer_question"]


def answer_question(question: Question, chat: Chat) -> Answer:
    """Understand and answer. Zero incidents is never said without how many clips were looked at."""
    centres = chat.questions.centres(question.person, CENTRES_READ)
    now = (question.now or chat.clock.now()).astimezone(zone_of(centres))
    said = understand(question.text, now)
    language = question.language or language_of(question.text) or question.person.language
    asked = Asked(question.person, language, chat, now, question.base_url, said, centres)
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
    asked = Asked(question.person, language, chat, now, question.base_url, said, centres, tuple(chosen))
    return _WITH_CENTRE[said.intent](asked)


def _choose(asked: Asked) -> Sequence[CentreView] | Answer:
    """The centre that is meant; none where all in scope are; an answer where that has to be asked first."""
    name = asked.understanding.centre
    if name is None:
        if len(asked.centres) == 1:
            return asked.centres
        if asked.person.role is Role.DIRECTOR and asked.understanding.number is None:
            return which_centre(asked, asked.centres)
        return ()
    known = centres_called(
        name, asked.person, asked.centres, asked.chat.questions, whole=len(asked.centres) < CENTRES_READ
    )
    scored = sorted(((likeness_in(name, centre), centre) for centre in known), key=lambda pair: -pair[0])
    best = [(score, centre) for score, centre in scored if score >= _ALIKE]
    written = normalise(asked.understanding.text)
    if not best:
        # a name with a sign in it ("해·달어린이집") is read as its last word
        best = [(1.0, centre) for centre in known if f" {normalise(centre.name)}" in f" {written}"]
    if not best:
        return asked.answer(asked.say("no_such_centre", name=name), suggestions=names_to_tap(asked, asked.centres))
    exact = [centre for score, centre in best if score == 1.0]
    found = exact or [centre for score, centre in best if score >= best[0][0] - 0.05]
    meant = located(written, found)
    return meant if len(meant) == 1 else which_centre(asked, meant)


def _unknown(asked: Asked) -> Answer:
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


def _says(key: str) -> Callable[[Asked], Answer]:
    return lambda asked: asked.answer(asked.say(key))


_WITHOUT_CENTRE: dict[Intent, Callable[[Asked], Answer]] = {
    Intent.GREET: _says("greeting"),
    Intent.HELP: _says("help"),
    Intent.ENROL: lambda asked: asked.answer(asked.say("already_enrolled", name=asked.person.name)),
    Intent.SUBSCRIBE: _says("subscribe_where"),
    Intent.UNSUBSCRIBE: _says("subscribe_where"),
}
_WITH_CENTRE: dict[Intent, Callable[[Asked], Answer]] = {
    Intent.SUMMARY: summarise,
    Intent.DETAILS: about_incident,
    Intent.STATUS: about_incident,
    Intent.MASKED_COPY: about_incident,
    Intent.COUNT: count_period,
    Intent.COMPARE: compare_periods,
    Intent.COVERAGE: coverage_of_period,
    Intent.TREND: trend_of_period,
    Intent.UNKNOWN: _unknown,
}
