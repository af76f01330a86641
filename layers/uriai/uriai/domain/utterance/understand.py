"""What a text asks, as one value."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime

from uriai.domain.utterance.calendar import Range
from uriai.domain.utterance.centres import Named, named_alone, named_with_suffix
from uriai.domain.utterance.dates import Reading, read_dates
from uriai.domain.utterance.intents import CODE, Intent, is_off_topic, is_thanks, repeats, wished, without_greeting
from uriai.domain.utterance.mentions import HIDDEN, Mentions, find_mentions, hide, lone_number
from uriai.domain.utterance.moments import has_date
from uriai.domain.utterance.normalise import MAX_CHARACTERS, normalise
from uriai.domain.utterance.problems import Problem
from uriai.domain.words import Kind

# words about time that are no range: groupings of a trend, "all day" behind a day
_GROUPINGS = re.compile(
    r"(?:시간대|요일|날짜|일자|시간|주차|일|주|월)\s*별(?:로)?|하루\s*종일|종일|(?<=오늘)\s*하루(?:\s*동안|\s*내내)?|(?<=[어그]제)\s*하루(?:\s*동안|"
    r"\s*내내)?|온종일|(?<=[주달제])\s*동안|"
    r"\b(?:by|per|for each|each)\s+(?:the\s+)?(?:day|hour|week|month|weekday)s?(?:\s+of\s+(?:the\s+)?(?:day|week|"
    r"month))?\b|\bday of (?:the )?week\b|\bhour of (?:the )?(?:day|week)\b|"
    r"\ball (?:day|night)(?: long)?\b|\bwhole day\b|\bthe whole (?=week|month)|\bentire (?=week|month|day)|"
    r"\b(?:hourly|daily|weekly|monthly)\b|\bwhat time\b|\bat (?:any|what) time\b|"
    r"몇\s*시(?:에|쯤|경)?|\bso far\b|\bearlier(?=\s+(?:today|this))|(?<!부터 )(?<!부터)(?:지금|현재)까지"
)
_TIMETABLE = {Intent.SUBSCRIBE, Intent.UNSUBSCRIBE, Intent.GREET, Intent.HELP, Intent.ENROL}
_EVERY = re.compile(r"매[일주월달]|날마다|마다|\bevery\b|\beach\b")
_ABOUT_ONE = {Intent.STATUS, Intent.DETAILS, Intent.MASKED_COPY}
_WORDS = re.compile(r"[0-9A-Za-z가-힣ㄱ-ㅣ]")


@dataclass(frozen=True, slots=True)
class Understanding:
    """What was made of a text.

    ``range`` is None when no time is named and when it is not understood: then ``problem`` says why and ``intent``
    is unknown, unless
    the intent needs no range. ``asked`` is the intent that the words show, whatever became of the date.
    """

    text: str
    intent: Intent
    asked: Intent
    range: Range | None = None
    other_ranges: tuple[Range, ...] = ()
    centre: str | None = None
    own_centre: bool = False
    cameras: tuple[int, ...] = ()
    kinds: tuple[Kind, ...] = ()
    number: int | None = None
    problem: Problem | None = None
    wrong_camera: bool = False
    code: str | None = field(default=None, repr=False)

    def as_dict(self) -> dict[str, object]:
        """The line that `uriai understand --json` prints."""
        return {
            "text": self.text,
            "intent": self.intent.value,
            "range": None
            if self.range is None
            else {"start": self.range.start.isoformat(), "end": self.range.end.isoformat()},
            "centre": self.centre,
            "cameras": list(self.cameras),
            "kinds": [kind.value for kind in self.kinds],
            "number": self.number,
        }


def understand(text: str, now: datetime) -> Understanding:
    """Understand ``text`` as asked at ``now``, an aware instant in the centre's zone. Never raises for any text."""
    shown = normalise(text)
    if len(shown) > MAX_CHARACTERS:
        return Understanding(text, Intent.UNKNOWN, Intent.UNKNOWN, problem=Problem.TOO_LONG)
    lower = _lower(shown)
    if not _WORDS.search(lower):
        intent = Intent.HELP if lower and not lower.strip("? ") else Intent.UNKNOWN
        return Understanding(text, intent, intent)
    code = CODE.search(lower)
    if code:
        return Understanding(text, Intent.ENROL, Intent.ENROL, code=code[1].upper())
    if is_thanks(lower):
        return Understanding(text, Intent.GREET, Intent.GREET)
    lower, greeted = without_greeting(lower)
    if greeted and not _WORDS.search(lower):
        return Understanding(text, Intent.GREET, Intent.GREET)
    # a centre may be called after what nobody asks about here: a film, a song, love
    named = named_with_suffix(shown)
    if named.end:
        lower = lower[: named.start] + HIDDEN * (named.end - named.start) + lower[named.end :]
    if is_off_topic(lower):
        return Understanding(text, Intent.UNKNOWN, Intent.UNKNOWN)
    return _read(text, shown, lower, named, now, greeted=greeted)


def _read(text: str, shown: str, lower: str, named: Named, now: datetime, *, greeted: bool) -> Understanding:
    mentions = find_mentions(lower)
    undated = hide(_GROUPINGS, mentions.rest)
    reading = read_dates(undated, now)
    dated = any(has_date(piece) or piece.rolling for piece in reading.pieces) and not _EVERY.search(lower)
    asked = wished(_without(reading, lower), dated=dated, repeating=repeats(lower))
    if asked is Intent.COMPARE:
        reading = read_dates(undated, now, comparing=True)
    number, rest = mentions.number, mentions.rest
    if (
        number is None
        and not mentions.several_numbers
        and (asked in _ABOUT_ONE or (asked is None and not reading.pieces))
    ):
        number, rest = lone_number(rest)
        if number is not None:
            reading = read_dates(hide(_GROUPINGS, rest), now)
    if asked in _TIMETABLE:
        reading = Reading(pieces=reading.pieces)
    for piece in reading.pieces:
        rest = rest[: piece.start] + HIDDEN * (piece.end - piece.start) + rest[piece.end :]
    something = asked is not None or bool(reading.pieces or mentions.cameras or mentions.kinds or number)
    centre = named.name
    if centre is None and not named.own and asked not in _TIMETABLE:
        centre = named_alone(shown, hide(_GROUPINGS, rest), only=not something)
    if asked is Intent.SUMMARY and number is not None:
        asked = Intent.DETAILS
    asked = asked or _from_mentions(named, mentions, reading, number, centre, greeted=greeted)
    problem = reading.problem or _leftover(rest, asked, reading)
    unread = problem is not None and not (asked in _ABOUT_ONE and number is not None)
    intent = Intent.UNKNOWN if unread and asked not in _TIMETABLE else asked
    return Understanding(
        text=text,
        intent=intent,
        asked=asked,
        range=None if problem else reading.range,
        other_ranges=() if problem else reading.others,
        centre=centre,
        own_centre=named.own,
        cameras=mentions.cameras,
        kinds=mentions.kinds,
        number=number,
        problem=problem,
        wrong_camera=mentions.wrong_camera,
    )


def _lower(text: str) -> str:
    """Lower case of the same length, letter by letter, so that places in one are places in the other."""
    return "".join(letter.lower() if len(letter.lower()) == 1 else letter for letter in text)


def _without(reading: Reading, text: str) -> str:
    """The words that can show an intent: dates are blanked, since "밤 사이" and "last night" say nothing of it."""
    for piece in reading.pieces:
        if not piece.unclear:
            text = text[: piece.start] + " " * (piece.end - piece.start) + text[piece.end :]
    return text


def _from_mentions(
    named: Named, mentions: Mentions, reading: Reading, number: int | None, centre: str | None, *, greeted: bool
) -> Intent:
    """The intent of a text that names things and asks nothing in so many words."""
    if number is not None:
        return Intent.DETAILS
    if reading.pieces or mentions.cameras or mentions.kinds or centre or named.own or named.end:
        return Intent.SUMMARY
    return Intent.GREET if greeted else Intent.UNKNOWN


_STRAY = re.compile(r"\d")
_COUNTED = re.compile(
    r"\d+\s*(?:개|건|명|장|가지|위|점|%|퍼센트|초|살|세|반|층|회|번째|times?|incidents?|cases?|cameras?|clips?|children|kids|people|"
    r"most|percent|seconds?)|(?:top|first|last|상위|최근)\s*\d+"
)


def _leftover(rest: str, asked: Intent | None, reading: Reading) -> Problem | None:
    """A number that nothing explains beside a date may be part of that date, which is then not understood."""
    if not reading.pieces or asked in _TIMETABLE:
        return None
    return Problem.UNCLEAR_DATE if _STRAY.search(hide(_COUNTED, rest)) else None
