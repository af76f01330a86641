"""A question with everything that was found out about it, and what several answers say alike."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from uriai.domain.person import Language, Person
from uriai.domain.ulid import Ulid
from uriai.domain.utterance.calendar import Range
from uriai.domain.utterance.understand import Understanding
from uriai.service import phrases
from uriai.service.answer_question_place import told_apart
from uriai.service.dialogue import Answer, Ask, Card
from uriai.service.open_evidence import make_link
from uriai.service.ports.chat import CentreView, Filter, IncidentView, Links, Picture, Questions
from uriai.service.ports.clock import Clock
from uriai.service.request_masked_copy import CopyDesk
from uriai.service.texts import say

LISTED = 5
"""Incidents told one by one; a messenger shows about a thousand characters."""
PICTURED = 3


@dataclass(frozen=True, slots=True)
class Chat:
    """What answering needs of the outside; ``copies`` None: there is nobody to make masked copies."""

    questions: Questions
    links: Links
    clock: Clock
    copies: CopyDesk | None = None


@dataclass(frozen=True, slots=True)
class Asked:
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
        """The catalogue's text in the answer's language."""
        return say(self.language, key, **values)

    def about(self, span: Range) -> Filter:
        """What to look for in ``span``."""
        said = self.understanding
        return Filter(span, tuple(centre.id for centre in self.chosen), said.cameras, said.kinds)

    def answer(self, *texts: str, **more: object) -> Answer:
        """An answer of these lines, empty ones left out; ``more`` are further fields of `Answer`."""
        text = "\n".join(text for text in texts if text)
        fields: dict[str, Any] = {"suggestions": self.offers(), "place": self.place(), **more}
        return Answer(self.language, text, self.understanding, **fields)

    def place(self) -> str | None:
        """What to call the one centre that the answer is about, so that no other is meant; None for several."""
        return told_apart(self.chosen[0], self.centres) if len(self.chosen) == 1 else None

    def offers(self) -> tuple[str, ...]:
        """What can be asked next."""
        return tuple(self.say(f"suggest_{key}") for key in ("today", "yesterday", "week"))


def which_centre(asked: Asked, centres: Sequence[CentreView]) -> Answer:
    """Ask back which of several centres is meant."""
    lines = [f"· {centre.name} ({centre.region})" for centre in centres[:LISTED]]
    return asked.answer(asked.say("which_centre"), *lines, suggestions=names_to_tap(asked, centres), asks=Ask.CENTRE)


def names_to_tap(asked: Asked, centres: Sequence[CentreView]) -> tuple[str, ...]:
    """What to tap to ask the same of one centre; of several with one name, each with as much of its region as tells."""
    typed = asked.understanding.centre
    rest = asked.understanding.text.replace(typed, " ", 1) if typed else asked.understanding.text
    told = (told_apart(centre, [*asked.centres, *centres]) for centre in centres)
    # one by one, because telling each of thousands apart would compare all with all
    names = itertools.islice((name for name in told if name), LISTED)
    return tuple(" ".join(f"{name} {rest}".split())[:100] for name in dict.fromkeys(names))


def ask_range(asked: Asked) -> Answer:
    """Ask back which range is meant."""
    if len(asked.chosen) == 1 and asked.understanding.centre:
        centre = asked.chosen[0]
        offers = tuple(
            asked.say("suggest_centre_range", centre=centre.name, range=asked.say(f"suggest_{day}").lower())
            for day in ("today", "yesterday")
        )
        text = asked.say("centre_chosen", name=centre.name, region=centre.region)
        return asked.answer(text, suggestions=offers, asks=Ask.RANGE)
    return asked.answer(asked.say("which_range"), asks=Ask.RANGE)


def heading(asked: Asked, span: Range) -> str:
    """Where and when: what the question was understood as."""
    place = asked.chosen[0].name if len(asked.chosen) == 1 else asked.say("every_centre")
    if asked.understanding.cameras:
        place += ", " + asked.say("camera_filter", cameras=", ".join(map(str, asked.understanding.cameras)))
    return asked.say("heading", place=place, range=phrases.range_text(asked.language, span, asked.now))


def cards_of(asked: Asked, incidents: Sequence[IncidentView], pictures: Mapping[Ulid, Picture]) -> tuple[Card, ...]:
    """A card for each of the incidents that has a picture; every address opens once."""
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
                    _link(asked, picture, by_hand=False),
                    _link(asked, picture, by_hand=True),
                    incident.number,
                )
            )
    return tuple(cards)


def _link(asked: Asked, picture: Picture, *, by_hand: bool) -> str:
    chat = asked.chat
    return make_link(picture.evidence_id, asked.person, chat.links, chat.clock, asked.base_url, by_hand=by_hand)
