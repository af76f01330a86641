"""A question and its answer, as every platform has them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from uriai.domain.person import Language, Person
from uriai.domain.utterance.understand import Understanding
from uriai.service.ports.chat import IncidentView


class Ask(StrEnum):
    """What an answer asks back: the next text may be no more than that."""

    CENTRE = "centre"
    RANGE = "range"


@dataclass(frozen=True, slots=True)
class Question:
    """What somebody typed. ``language`` None: that of the text, else the person's. ``now`` None: the clock's."""

    person: Person
    text: str
    language: Language | None = None
    now: datetime | None = None
    base_url: str = ""


@dataclass(frozen=True, slots=True)
class Card:
    """A masked picture with two lines; ``picture`` and ``link`` each open once.

    ``picture`` is for the platform to show, ``link`` for the person, who finds a button there.
    """

    title: str
    text: str
    picture: str
    link: str
    number: int


@dataclass(frozen=True, slots=True)
class Answer:
    """What is sent back, before a platform gives it its form."""

    language: Language
    text: str
    understanding: Understanding
    incidents: tuple[IncidentView, ...] = ()
    cards: tuple[Card, ...] = ()
    suggestions: tuple[str, ...] = ()
    asks: Ask | None = None
    place: str | None = None
    """The one centre that it is about, by a name that no other in the person's scope has."""
