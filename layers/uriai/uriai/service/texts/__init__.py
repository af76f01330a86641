"""Everything the chatbot says, in Korean and English: one catalogue, the same keys and placeholders in both."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from uriai.domain.person import Language
from uriai.domain.utterance.calendar import Range
from uriai.domain.words import Kind, Status, Verdict
from uriai.service.texts import en, ko

_CATALOGUES = {Language.KOREAN: ko.TEXTS, Language.ENGLISH: en.TEXTS}
_PARTICLE = re.compile(r"(?P<last>.)(?P<sign>[)\]\"'”’]*)(?P<pair>은/는|이/가|을/를|과/와|으로/로)")
_FINAL_SOUNDS = dict(zip("0136789", "ㅇㄹㅁㄱㄹㄹㄱ", strict=False)) | dict.fromkeys("lmnrLMNR", "x")


def say(language: Language, key: str, **values: object) -> str:
    """The text of ``key`` with its placeholders filled; Korean particles (은/는 …) follow the sound before them.

    Raises
    ------
    KeyError
        If there is no such text or a placeholder has no value: a mistake in the caller.
    """
    text = _CATALOGUES[language][key].format(**values)
    return with_particles(text) if language is Language.KOREAN else text


def in_both_languages(key: str) -> str:
    """The text of ``key`` for somebody whose language is not known."""
    return "\n\n".join(say(language, key) for language in Language)


def language_of(text: str) -> Language | None:
    """The language that a text is written in; None for one of figures and signs alone."""
    if re.search("[가-힣ㄱ-ㅎ]", text):
        return Language.KOREAN
    return Language.ENGLISH if re.search("[A-Za-z]{2}", text) else None


def with_particles(text: str) -> str:
    """``text`` with each 은/는, 이/가, 을/를, 과/와, 으로/로 decided: "샛별은/는" is read "샛별은"."""
    return _PARTICLE.sub(_particle, text)


def keys(language: Language) -> frozenset[str]:
    """The keys of a language's catalogue."""
    return frozenset(_CATALOGUES[language])


def template(language: Language, key: str) -> str:
    """The unfilled text of ``key``."""
    return _CATALOGUES[language][key]


def kind_name(language: Language, kind: Kind) -> str:
    """What a kind is called."""
    return say(language, f"kind_{kind.value}")


def status_name(language: Language, status: Status) -> str:
    """What a status is called."""
    return say(language, f"status_{status.value}")


def verdict_name(language: Language, verdict: Verdict) -> str:
    """What a verdict is called."""
    return say(language, f"verdict_{verdict.value}")


def range_text(language: Language, span: Range, now: datetime) -> str:
    """The range as it was understood: "7월 22일 00:00-24:00 KST". The year is said where it is not this one."""
    start, end = span.start, span.end.astimezone(span.start.tzinfo)
    years = start.year != now.astimezone(start.tzinfo).year or end.year not in {start.year, start.year + 1}
    last = end - timedelta(microseconds=1)
    end_clock = "24:00" if (end.hour, end.minute, end.second) == (0, 0, 0) else _clock(end)
    first_day = _day(language, start, year=years)
    zone = start.tzname() if start.tzname() == end.tzname() else f"{start.tzname()}/{end.tzname()}"
    if start.date() == last.date():
        return say(language, "range_one_day", day=first_day, start=_clock(start), end=end_clock, zone=zone)
    last_day = _day(language, last, year=last.year != start.year or years)
    return say(language, "range_days", first=first_day, start=_clock(start), last=last_day, end=end_clock, zone=zone)


def span_text(language: Language, start: datetime, end: datetime, now: datetime) -> str:
    """The span of an incident to the second: "7월 22일 14:02:10-14:02:18". Both instants in the zone to show."""
    day = _day(language, start, year=start.year != now.astimezone(start.tzinfo).year)
    ending = f"{end:%H:%M:%S}" if start.date() == end.date() else f"{_day(language, end, year=False)} {end:%H:%M:%S}"
    return f"{day} {start:%H:%M:%S}-{ending}"


def clock_span(language: Language, start: datetime, end: datetime, now: datetime, *, goes_on: bool, dated: bool) -> str:
    """A span on the clock: "14:02-14:31", with its day if ``dated`` or where it is more than one; seconds if short.

    ``goes_on``: it has not ended. Whole minutes are rounded outwards. Both instants in the zone to show.
    """
    if end - start < timedelta(minutes=2):
        first, last = f"{start:%H:%M:%S}", f"{end:%H:%M:%S}"
    else:
        end = end if (end.second, end.microsecond) == (0, 0) else end + timedelta(minutes=1)
        first, last = f"{start:%H:%M}", f"{end:%H:%M}"
    several = (end - timedelta(microseconds=1)).date() != start.date()
    if not several and end.date() != start.date():
        last = "24:00"
    years = start.year != now.astimezone(start.tzinfo).year
    if dated or several:
        first = f"{_day(language, start, year=years)} {first}"
    if several:
        last = f"{_day(language, end, year=years)} {last}"
    if goes_on:
        return say(language, "span_goes_on", start=first)
    return f"{first}-{last}"


def _clock(at: datetime) -> str:
    return f"{at:%H:%M:%S}" if at.second else f"{at:%H:%M}"


def _day(language: Language, at: datetime, *, year: bool) -> str:
    month = at.month if language is Language.KOREAN else en.MONTHS[at.month - 1]
    return say(language, "day_with_year" if year else "day", year=at.year, month=month, day=at.day)


def _particle(match: re.Match[str]) -> str:
    """은 after a closed syllable, 는 after an open one; 으로 becomes 로 after ㄹ too."""
    last, (closed, opened) = match["last"], match["pair"].split("/")
    if "가" <= last <= "힣":
        final = (ord(last) - 0xAC00) % 28
        rieul, has_final = final == 8, final != 0
    else:
        sound = _FINAL_SOUNDS.get(last)
        rieul, has_final = sound in {"ㄹ", "x"} and last in "178lLrR", sound is not None
    if closed == "으로" and rieul:
        has_final = False
    return last + match["sign"] + (closed if has_final else opened)
