"""One turn of a conversation, the same on every platform: who speaks, what they mean by it after what was said, answer.

A text that is no whole question is made one with what was said before (a centre's name after "which centre?", a date
after "which day?", "details" after a list, the number of an offer), and that question is answered as if it had been
typed. So whatever is answered can also be asked in one sentence, and the answer's heading says what was understood.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from uriai.domain.person import Language, Person, Platform
from uriai.domain.utterance.intents import CODE, Intent
from uriai.domain.utterance.normalise import normalise
from uriai.domain.utterance.understand import Understanding, understand
from uriai.service.answer_question import CENTRES_READ, answer_question
from uriai.service.answer_question_place import DEFAULT_ZONE, zone_of
from uriai.service.asked import Chat
from uriai.service.dialogue import Answer, Ask, Question
from uriai.service.enrol_person import enrol_chat
from uriai.service.ports.chat import People
from uriai.service.ports.dialogues import Dialogues, State
from uriai.service.ports.subscriptions import Subscriptions
from uriai.service.subscribe import subscribe, unsubscribe
from uriai.service.texts import in_both_languages, language_of, say

REMEMBERED = timedelta(minutes=30)
"""A text after that begins a new dialogue."""
LONGEST_KEPT = 300
"""Characters of a question that is remembered; a longer one is no half of a dialogue."""
TAP = "~"
"""Begins the text of a button that stands for an offer too long for the platform: the sign, then `tap_key`."""

_CHOICE = re.compile(r"^\W*(?:(\d{1,2})\s*(?:번(?:째)?|st|nd|rd|th)?|(첫|두|세|네|다섯)\s*(?:번째|째))\W*$")
_ORDINALS = {"첫": 1, "두": 2, "세": 3, "네": 4, "다섯": 5}
_ALL = re.compile(r"전체|전부|모든\s*(?:어린이집|곳)|\ball\s+(?:the\s+)?(?:cent(?:re|er)s|daycares?)\b|\bevery\s+cent")


@dataclass(frozen=True, slots=True)
class Spoken:
    """What somebody wrote on a platform; ``user`` is the platform's own name for them."""

    platform: Platform
    user: str
    text: str
    base_url: str = ""


@dataclass(frozen=True, slots=True)
class Conversation:
    """What a turn needs of the outside."""

    people: People
    chat: Chat
    dialogues: Dialogues
    subscriptions: Subscriptions


@dataclass(frozen=True, slots=True)
class Turn:
    """An answer, and what may be logged of it: nothing that tells who asked what."""

    answer: Answer
    note: Mapping[str, object]


def converse(spoken: Spoken, with_whom: Conversation) -> Turn:
    """Answer a text on a messenger: enrolment and help for the unknown, everything else for who is enrolled."""
    people, clock = with_whom.people, with_whom.chat.clock
    code = CODE.search(normalise(spoken.text[:200]).lower())
    if code is not None:
        enrolled = enrol_chat(code[1], spoken.platform, spoken.user, people, clock)
        if enrolled is None:
            return _plain("enrol_wrong_code")
        suggestions = tuple(say(enrolled.language, f"suggest_{key}") for key in ("today", "yesterday", "week"))
        text = say(enrolled.language, "enrolled", name=enrolled.name)
        return Turn(
            Answer(enrolled.language, text, _ENROL, suggestions=suggestions), {"intent": "enrol", "enrolled": True}
        )
    person = people.by_chat(spoken.platform, spoken.user)
    if person is None:
        return _plain("enrol_help")
    answer = continue_dialogue(
        Question(person, spoken.text, base_url=spoken.base_url), spoken.platform.value, with_whom.chat,
        with_whom.dialogues,
    )  # fmt: skip
    if answer.understanding.intent in (Intent.SUBSCRIBE, Intent.UNSUBSCRIBE):
        answer = _subscription(answer, person, spoken, with_whom)
    return Turn(answer, note_of(person, answer))


def continue_dialogue(question: Question, conversation: str, chat: Chat, dialogues: Dialogues) -> Answer:
    """Answer what somebody enrolled wrote, after what was said in that conversation, and remember where it stands."""
    person, now = question.person, chat.clock.now()
    state = dialogues.recall(person, conversation, now - REMEMBERED)
    text = question.text if state is None else whole_question(question.text, state, question.now or now)
    # the language is that of what was typed, not of what it was made whole with
    typed = text if question.text.startswith(TAP) else question.text
    language = question.language or language_of(typed or "") or person.language
    if text is None:
        answer = Answer(language, say(language, "offer_gone"), understand("", now))
    else:
        answer = answer_question(Question(person, text, language, question.now, question.base_url), chat)
    said = answer.understanding
    kept = State(
        answer.asks.value if answer.asks else "",
        said.text if len(said.text) <= LONGEST_KEPT else "",
        answer.place or (state.place if state and said.intent in _ASIDE else ""),
        tuple(offer for offer in answer.suggestions if len(offer) <= LONGEST_KEPT),
        tuple(incident.number for incident in answer.incidents),
    )
    dialogues.keep(person, conversation, kept, now, now - REMEMBERED)
    return answer


def whole_question(typed: str, state: State, now: datetime) -> str | None:
    """What somebody means by ``typed`` after what was said, as a question that stands alone.

    None where they tapped an offer that is no longer remembered.
    """
    if typed.startswith(TAP):
        return next((offer for offer in state.offers if TAP + tap_key(offer) == typed.strip()), None)
    choice = _CHOICE.match(normalise(typed))
    if state.asks == Ask.CENTRE and choice:
        number = int(choice[1]) if choice[1] else _ORDINALS[choice[2]]
        return state.offers[number - 1] if 1 <= number <= len(state.offers) else typed
    said = understand(typed, now.astimezone(ZoneInfo(DEFAULT_ZONE)))
    if state.asks == Ask.CENTRE and state.text:
        return _with_centre(typed, said, state, now)
    if said.asked in (Intent.DETAILS, Intent.STATUS, Intent.MASKED_COPY) and _bare(said):
        return _about_last(typed, state)
    if state.place and said.range is not None and not said.centre and said.number is None and not _ALL.search(typed):
        # "7월 22일" after "샛별": the centre that was spoken of; the heading says so
        return f"{state.place} {typed}"
    return typed


def tap_key(offer: str) -> str:
    """Twelve characters that stand for an offer on a button."""
    return hashlib.sha256(offer.encode()).hexdigest()[:12]


def note_of(person: Person, answer: Answer) -> Mapping[str, object]:
    """What may be logged of an answer."""
    return {
        "role": person.role.value,
        "intent": answer.understanding.intent.value,
        "incidents": len(answer.incidents),
    }


def _with_centre(typed: str, said: Understanding, state: State, now: datetime) -> str:
    """The centre, or the part of its region, that was asked back for, put before the question it was asked for."""
    if said.range is not None or said.number is not None:
        return typed
    words = normalise(typed).split()
    fitting = [offer for offer in state.offers if all(word in normalise(offer).split() for word in words)]
    if len(fitting) == 1:
        return fitting[0]
    if said.centre is None:
        return typed
    asked_before = understand(state.text, now.astimezone(ZoneInfo(DEFAULT_ZONE)))
    rest = state.text.replace(asked_before.centre, " ", 1) if asked_before.centre else state.text
    return " ".join(f"{typed} {rest}".split())


def _subscription(answer: Answer, person: Person, spoken: Spoken, with_whom: Conversation) -> Answer:
    """What becomes of a wish to be sent the day's summary, or not to be any more."""
    now, kept = with_whom.chat.clock.now(), with_whom.subscriptions
    if answer.understanding.intent is Intent.UNSUBSCRIBE:
        return unsubscribe(answer, person, spoken.platform, spoken.user, now, kept)
    zone = zone_of(with_whom.chat.questions.centres(person, CENTRES_READ))
    return subscribe(answer, person, (spoken.platform, spoken.user, spoken.base_url), zone, now, kept)


def _bare(said: Understanding) -> bool:
    return said.range is None and said.number is None and said.centre is None and said.problem is None


def _about_last(typed: str, state: State) -> str:
    """ "자세히" after one incident is about that, after several about all that were asked for."""
    if len(state.numbers) == 1:
        place = f"{state.place} " if state.place else ""
        return f"{place}#{state.numbers[0]} {typed}"
    return f"{state.text} {typed}" if state.text else typed


def _plain(key: str) -> Turn:
    """A text for somebody whose language is not known: both."""
    return Turn(Answer(Language.KOREAN, in_both_languages(key), _ENROL), {"intent": "enrol", "enrolled": False})


_ENROL = Understanding("", Intent.ENROL, Intent.ENROL)
_ASIDE = {Intent.GREET, Intent.HELP, Intent.SUBSCRIBE, Intent.UNSUBSCRIBE, Intent.UNKNOWN}
"""Intents that leave open which centre was spoken of."""
