"""Answers about one incident."""

from __future__ import annotations

from uriai.domain.utterance.intents import Intent
from uriai.service.answer_masked_copy import copies_of
from uriai.service.answer_period import tell_period
from uriai.service.asked import LISTED, Asked, ask_range, cards_of, names_to_tap
from uriai.service.count_of_day import counted_details
from uriai.service.dialogue import Answer


def about_incident(asked: Asked) -> Answer:
    """Everything that may be told of the incident of a number; without a number, of the range."""
    number = asked.understanding.number
    if number is None:
        span = asked.understanding.range
        if span is None:
            return ask_range(asked)
        return tell_period(asked, span)
    centres = [centre.id for centre in asked.chosen]
    found = asked.chat.questions.numbered(asked.person, number, centres)
    if not found:
        return asked.answer(asked.say("no_such_incident", number=number))
    if len(found) > 1:
        offers = names_to_tap(asked, [incident.centre for incident in found])
        lines = [f"· {incident.centre.name} ({incident.centre.region})" for incident in found[:LISTED]]
        return asked.answer(asked.say("which_incident", number=number), *lines, suggestions=offers)
    incident = found[0]
    merged = incident.number != number
    other = asked.say("part_of", number=number, other=incident.number) if merged else ""
    if asked.understanding.intent is Intent.MASKED_COPY and asked.chat.copies is not None:
        return asked.answer(other, *copies_of(asked, incident, asked.chat.copies), incidents=(incident,))
    pictures = {picture.incident_id: picture for picture in asked.chat.questions.pictures(asked.person, [incident.id])}
    return asked.answer(
        other,
        asked.say("not_yet_masked_copy") if asked.understanding.intent is Intent.MASKED_COPY else "",
        counted_details(asked.language, incident, asked.now, asked.person, asked.chat.questions),
        incidents=(incident,),
        cards=cards_of(asked, [incident], pictures),
    )
