"""How English, and figures in either language, say when: rules from words to pieces."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from uriai.domain.utterance.pieces import Piece, Rule, either, group, is_24, piece, rule, says
from uriai.domain.utterance.words import (
    DAY_WORDS,
    ENGLISH_MONTHS,
    ENGLISH_NUMBERS,
    ENGLISH_ORDINALS,
    PERIOD_WORDS,
    WEEKDAYS,
    english_number,
)

_B = r"(?<![a-z0-9])"  # an English word starts here
_E = r"(?![a-z])"  # and ends here
_NUMBER = rf"(?:\d{{1,4}}|{either(ENGLISH_NUMBERS)})"
_CLOCK_NUMBER = rf"(?:\d{{1,2}}|{either(word for word in ENGLISH_NUMBERS if word[:2] not in {'a', 'an', 'a '})})"
_ORDINAL = rf"(?:\d{{1,2}}(?:st|nd|rd|th)|{either(ENGLISH_ORDINALS)})"
_MONTH = rf"(?P<month>{either(ENGLISH_MONTHS)})"
_YEAR = r"(?:,?\s+(?P<year>20\d\d|19\d\d))?"
_HALF = r"am|pm|a\.m\.?|p\.m\.?"
_SPAN = r"(?:~|-|to|till|until|through|and)"
_WEEKDAYS = either(word for word in WEEKDAYS if word < "가")
_WEEKDAY = f"(?P<weekday>{_WEEKDAYS})"
_PLURALS = {word for word in WEEKDAYS if word.endswith("days")}
_WHICH = {"last": "past", "past": "past", "previous": "past", "this": "this"}
# words that are more often something else: only read as dates beside a preposition or a year
_UNSURE = {"may", "march", "sun", "sat", "wed", "mon", *(name for name in ENGLISH_MONTHS if len(name) < 5), "sept"} - {
    "june",
    "july",
}
_BEFORE_DATE = re.compile(r"(?:\b(?:on|since|from|to|until|till|and|between|before|after|of|in|last|this)|,|-|~|^)\s*$")
_UNSAID = (
    rf"{_B}(?:recently|lately|just now|a while ago|the other day|early|late|mid|beginning of|end of|start of|"
    rf"first half|"
    rf"second half|quarter|holidays?|christmas|easter|thanksgiving|new year(?:'s)?(?: day| eve)?|halloween|spring|"
    rf"summer|autumn|"
    rf"winter|nap|naptime|pick-?up|drop-?off|fortnight|decade|weekdays?|weekends|ago|weeks?|months?|years?|days?|hours?|"
    rf"minutes?|"
    rf"o'clock|next (?:{_WEEKDAYS})){_E}"
)


def _ordinal(text: str) -> int | None:
    return english_number(re.sub(r"(?<=\d)(?:st|nd|rd|th)$", "", text))


def _three_numbers(match: re.Match[str]) -> Iterable[Piece]:
    """07/22/2026, 22.07.2026, 26.7.22: only where one reading is possible."""
    first, second, third = int(match[1]), int(match[3]), int(match[4])
    if len(match[4]) == 4:
        if first <= 12 and (second > 12 or first == second):
            yield piece(match, year=third, month=first, day=second)
        elif second <= 12 < first:
            yield piece(match, year=third, month=second, day=first)
        else:
            yield piece(match, unclear=True)
    elif first > 12 and re.search("[가-힣]", match.string):
        # Koreans write the year first, in two figures too; elsewhere three small numbers have three readings
        yield piece(match, year=2000 + first, month=second, day=third)
    else:
        yield piece(match, unclear=True)


def _year_first(match: re.Match[str]) -> Iterable[Piece]:
    yield piece(match, year=int(match[1]), month=int(match[2]), day=int(match[3]))


def _month_day(match: re.Match[str]) -> Iterable[Piece]:
    first, second = int(match[1]), int(match[2])
    if second <= 12 < first <= 31 and not re.search("[가-힣]", match.string):
        first, second = second, first  # 22/7 can only be the 22nd of July
    yield piece(match, month=first, day=second)


def _date(match: re.Match[str]) -> Iterable[Piece]:
    year = match["year"]
    month, day = ENGLISH_MONTHS[match["month"]], _ordinal(match["day"])
    yield piece(match, month=month, day=day, year=int(year) if year else None)


def _dates(match: re.Match[str]) -> Iterable[Piece]:
    """July 20 to 22, 20-22 July: two days of one month."""
    year = int(match["year"]) if match["year"] else None
    month = ENGLISH_MONTHS[match["month"]]
    first = piece(match, "day", year=year, month=month, day=_ordinal(match["day"]))
    last = piece(match, "last", year=year, month=month, day=_ordinal(match["last"]))
    yield replace(first, start=match.start())
    yield replace(last, end=match.end())


def _month(match: re.Match[str]) -> Iterable[Piece]:
    name, year, which = match["month"], match["year"], match["which"]
    sure = year or which or (_BEFORE_DATE.search(match.string[: match.start()]) and match.start() > 0)
    if name not in _UNSURE or sure:
        which = {"last": "past", "this": "this"}.get(which or "")
        yield piece(match, month=ENGLISH_MONTHS[name], year=int(year) if year else None, which=which)


def _day(match: re.Match[str]) -> Iterable[Piece]:
    if match["day"][0].isdecimal() or match[0].startswith("the"):
        yield piece(match, day=_ordinal(match["day"]))


def _weekday(match: re.Match[str]) -> Iterable[Piece]:
    name, which = match["weekday"], match["which"]
    if name in _PLURALS and not match[0].endswith(name + "'s"):
        yield piece(match, unclear=True)  # "on Mondays" are several days
    elif name not in _UNSURE or which or _BEFORE_DATE.search(match.string[: match.start()]):
        yield piece(match, weekday=WEEKDAYS[name], which=_WHICH[which] if which else None)


def _weekend(match: re.Match[str]) -> Iterable[Piece]:
    yield piece(match, weekend=True, which=_WHICH[match["which"]] if match["which"] else None)


def _period(match: re.Match[str]) -> Iterable[Piece]:
    yield piece(match, period=PERIOD_WORDS[match["period"]])


def _time(match: re.Match[str]) -> Iterable[Piece]:
    """An hour, with minutes and a.m. or p.m. where said. Two figures before a colon are the 24-hour way to write it."""
    text, minute, half = match["hour"], group(match, "minute"), group(match, "half")
    hour = english_number(text)
    padded = text.startswith("0") or (minute is not None and len(text) == 2)
    yield piece(
        match,
        hour=hour,
        minute=30 if "half past" in match[0] else int(minute or 0),
        period=PERIOD_WORDS[half.rstrip(".").replace(".", "")] if half else None,
        clock24=None if half else is_24(hour, padded=padded and text.isdecimal()),
    )


def _two_times(match: re.Match[str]) -> Iterable[Piece]:
    """2-4 pm, from 2 to 4: two pieces; the gap between them says that it is a span."""
    for side in ("a", "b"):
        text, minute, half = match[f"hour_{side}"], match[f"minute_{side}"], match[f"half_{side}"]
        hour = english_number(text)
        padded = text.isdecimal() and (text.startswith("0") or (minute is not None and len(text) == 2))
        yield Piece(
            match.start(f"hour_{side}"),
            max(match.end(f"hour_{side}"), match.end(f"minute_{side}"), match.end(f"half_{side}")),
            hour=hour,
            minute=int(minute or 0),
            period=PERIOD_WORDS[half.replace(".", "")] if half and half != "o'clock" else None,
            clock24=None if half else is_24(hour, padded=padded),
        )


def _days_ago(match: re.Match[str]) -> Iterable[Piece]:
    yield piece(match, day_offset=-(english_number(match["number"]) or 0))


def _weeks_ago(match: re.Match[str]) -> Iterable[Piece]:
    """A week ago is a day; two weeks ago may be a day or a week, so it needs a weekday beside it."""
    count = english_number(match["number"]) or 0
    before, after = match.string[: match.start()], match.string[match.end() :]
    if re.search(rf"{_B}{_WEEKDAY}\s*$", before) or re.match(rf"\s*(?:on\s+)?{_WEEKDAY}{_E}", after):
        yield piece(match, week_offset=-count)
    else:
        yield piece(match, day_offset=-7) if count == 1 else piece(match, unclear=True)


def _ago(match: re.Match[str]) -> Iterable[Piece]:
    hours, minutes = group(match, "hours"), group(match, "minutes")
    total = 60 * (english_number(hours) or 0) if hours else 0
    total += (english_number(minutes) or 0) if minutes else 0
    yield piece(match, ago=total + (30 if "half" in match[0] else 0))


def _rolling(match: re.Match[str]) -> Iterable[Piece]:
    number, unit = group(match, "number"), match["unit"].rstrip("s") + "s"
    count = english_number(number) if number else 1
    yield piece(match, unclear=True) if unit == "days" and not number else piece(match, rolling=(count, unit))


def _offsets(field: str, unit: str) -> list[Rule]:
    patterns = {
        rf"(?:the )?{unit} before last": -2,
        rf"(?:last|previous) {unit}": -1,
        rf"this {unit}": 0,
        rf"next {unit}": 1,
    }
    return [rule(rf"{_B}{words}(?:'?s)?(?!end){_E}", says(**{field: number})) for words, number in patterns.items()]


_EN_DAYS = either(word for word in DAY_WORDS if word < "가")
_EN_PERIODS = either(word for word in PERIOD_WORDS if word < "가" and not re.fullmatch(r"[ap]\.?m\.?", word))
_UNITS = "days?|hours?|minutes?|weeks?|months?|years?"
_DAY_PART = r"(?:in the (?:morning|afternoon|evening)|at night)"
_TIMES_A = rf"(?P<hour_a>{_CLOCK_NUMBER})(?::(?P<minute_a>\d\d))?\s*(?P<half_a>{_HALF}|o'clock)?"
_TIMES_B = rf"(?P<hour_b>{_CLOCK_NUMBER})(?::(?P<minute_b>\d\d))?\s*(?P<half_b>{_HALF}|o'clock)?(?![a-z\d:/])"
_NOT_TIME = (
    rf"(?!\d|:|/|[a-z%.-]|\s*(?:{_HALF}|{_UNITS}|cameras?|incidents?|cases?|times|{either(ENGLISH_MONTHS)}){_E}|"
    rf"\s*[가-힣])"
)

RULES: list[Rule] = [
    # figures
    rule(r"(?<![\d.])(\d{4})\s*[-./]\s*(\d{1,2})\s*[-./]\s*(\d{1,2})(?:\.(?!\d))?(?:t(?=\d\d:))?(?!\d)", _year_first),
    rule(r"(?<![\d./-])(\d{1,2})([-./])(\d{1,2})\2(\d{4}|\d{2})(?![\d/])", _three_numbers),
    rule(r"(?<![\d./])(\d{1,2})/(\d{1,2})(?![\d/])", _month_day),
    rule(r"(?<![\d./#])(\d{1,2})\.(\d{1,2})(?=$|[^\d.a-z%:]|\.\s|\.$)", _month_day),
    rule(r"(?<!\d)(20\d\d)(\d\d)(\d\d)(?!\d)", _year_first),
    # dates
    rule(
        rf"{_B}{_MONTH}\.?\s+(?:the\s+)?(?P<day>{_ORDINAL}|\d{{1,2}}){_YEAR}(?!\d|\s*(?:{_HALF}|:\d|days|weeks))", _date
    ),
    rule(rf"{_B}(?:the\s+)?(?P<day>{_ORDINAL}|\d{{1,2}})\s+(?:day\s+)?(?:of\s+)?{_MONTH}\.?{_YEAR}{_E}", _date),
    rule(
        rf"{_B}{_MONTH}\.?\s+(?:the\s+)?(?P<day>{_ORDINAL}|\d{{1,2}})\s*{_SPAN}\s*(?:the\s+)?(?P<last>{_ORDINAL}|"
        rf"\d{{1,2}})"
        rf"{_YEAR}(?!\d|\s*(?:{_HALF}|:|/|o'clock))",
        _dates,
    ),
    rule(
        rf"{_B}(?:the\s+)?(?P<day>{_ORDINAL}|\d{{1,2}})\s*{_SPAN}\s*(?:the\s+)?(?P<last>{_ORDINAL}|"
        rf"\d{{1,2}})\s+(?:of\s+)?"
        rf"{_MONTH}{_YEAR}{_E}",
        _dates,
    ),
    rule(rf"{_B}(?:(?P<which>last|this)\s+)?{_MONTH}(?:'s)?{_YEAR}{_E}(?!\s*\d{{1,2}}(?!\d))", _month),
    rule(
        rf"{_B}(?:the\s+)?(?P<day>{_ORDINAL}){_E}(?!\s+(?:camera|cam|time|cctv|incident|case|half|quarter|one|child|room))",
        _day,
    ),
    rule(
        r"(?<![\d:/.#-])(?P<year>20\d\d)(?![\d:/.-])(?!\s*(?:년|건|번|호))",
        lambda match: (piece(match, year=int(match[0])),),
    ),
    # days, weeks, months and years by name
    rule(rf"{_B}(?:{_EN_DAYS}){_E}", lambda match: (piece(match, day_offset=DAY_WORDS[match[0]]),)),
    rule(rf"{_B}(?P<number>{_NUMBER})\s+days?\s+(?:ago|before today|earlier){_E}", _days_ago),
    rule(rf"{_B}(?P<number>{_NUMBER})\s+weeks?\s+ago{_E}", _weeks_ago),
    *_offsets("week_offset", "week"),
    *_offsets("month_offset", "month"),
    *_offsets("year_offset", "year"),
    rule(rf"{_B}(?:(?P<which>last|past|this|previous)\s+)?{_WEEKDAY}(?:'s)?{_E}", _weekday),
    rule(rf"{_B}(?:(?P<which>last|past|this|previous)\s+)?weekend(?:'s)?{_E}", _weekend),
    # parts of a day and times
    rule(rf"{_B}last\s+night(?:'s)?{_E}", says(day_offset=-1, period="night")),
    rule(rf"{_B}last\s+evening(?:'s)?{_E}", says(day_offset=-1, period="evening")),
    rule(rf"{_B}(?:tonight(?:'s)?|this\s+night){_E}", says(day_offset=0, period="night")),
    rule(
        rf"{_B}this\s+(?P<period>morning|afternoon|evening)(?:'s)?{_E}",
        lambda match: (piece(match, day_offset=0, period=match["period"]),),
    ),
    rule(rf"{_B}(?P<period>{_EN_PERIODS})(?:'s|s)?{_E}", _period),
    rule(rf"(?<![a-z0-9:.])(?P<hour>{_CLOCK_NUMBER})(?:[:.](?P<minute>\d\d))?\s*(?P<half>{_HALF}){_E}", _time),
    rule(r"(?<![\d:])(?P<hour>\d{1,2}):(?P<minute>\d\d)(?::\d\d)?(?![\d:])", _time),
    # "ten to three pm" is also ten minutes before three
    rule(
        rf"(?<!from )(?<!between ){_B}(?:five|ten|twenty|twenty-five|quarter)\s+"
        rf"(?:minutes?\s+)?(?:to|past|before|after)\s+{_CLOCK_NUMBER}(?::\d\d)?\s*(?:{_HALF}|o'clock)?{_E}",
        says(unclear=True),
    ),
    rule(rf"(?<![a-z\d:./])(?:(?<=from )|(?<=between )){_TIMES_A}\s*{_SPAN}\s*{_TIMES_B}", _two_times),
    rule(
        rf"(?<![a-z\d:./#]){_TIMES_A}\s*{_SPAN}\s*(?={_CLOCK_NUMBER}(?::\d\d)?\s*(?:{_HALF}|o'clock|"
        rf"{_DAY_PART})){_TIMES_B}",
        _two_times,
    ),
    rule(
        rf"(?:(?<=at )|(?<=after )|(?<=before )|(?<=until )|(?<=since )|(?<=around )|"
        rf"(?<=about ))(?P<hour>{_CLOCK_NUMBER})"
        rf"{_NOT_TIME}",
        _time,
    ),
    rule(rf"{_B}(?P<hour>{_CLOCK_NUMBER})\s*o'?clock", _time),
    rule(rf"{_B}(?P<hour>{_CLOCK_NUMBER})(?:[:.](?P<minute>\d\d))?(?=\s+{_DAY_PART})", _time),
    rule(rf"{_B}half\s+past\s+(?P<hour>{_CLOCK_NUMBER}){_E}", _time),
    # spans that end now
    rule(rf"(?:(?<=to )|(?<=until )|(?<=till ))now{_E}", says(ago=0)),
    rule(rf"{_B}(?P<hours>{_NUMBER})\s+(?:and a half\s+)?hours?\s+(?:and a half\s+)?ago{_E}", _ago),
    rule(rf"{_B}(?P<minutes>{_NUMBER})\s+min(?:ute)?s?\s+ago{_E}", _ago),
    rule(rf"{_B}half an hour\s+ago{_E}", _ago),
    rule(rf"{_B}(?:the\s+)?(?:last|past)\s+(?P<number>{_NUMBER})\s+(?P<unit>{_UNITS}){_E}", _rolling),
    rule(rf"{_B}(?:the\s+)?past\s+(?P<unit>day|hour|week|month|year){_E}", _rolling),
    rule(rf"{_B}(?:the\s+)?last\s+(?P<unit>hour|minute){_E}", _rolling),
    # another time's month or hour, which is not named
    rule(
        rf"{_B}(?:same|this|that|such)\s+(?:day|date|weekday|time|hour|moment|period|week(?=\s+last)|month(?=\s+last)){_E}"
        rf"|{_B}same\s+(?:week|month|year|quarter|night|morning|afternoon|evening|{_WEEKDAYS}){_E}",
        says(unclear=True),
    ),
    rule(
        rf"{_B}(?:the\s+)?(?:first|last|second|third|fourth|fifth|final)\s+"
        rf"(?:days?|weeks?|weekends?|{_WEEKDAYS})\s+(?:of|in){_E}",
        says(unclear=True),
    ),
    # the last Friday is a matter of taste, so the one before it is too
    rule(
        rf"{_B}(?:{_WEEKDAYS}|weekend|night|day|morning)\s+before\s+(?:the\s+)?(?:last|that){_E}(?!\s+(?:{_WEEKDAYS}){_E})",
        says(unclear=True),
    ),
    rule(rf"{_B}(?:today|yesterday|tomorrow)(?:'s|s)\s+(?:today|yesterday|tomorrow){_E}", says(unclear=True)),
    # several days that do not follow one another
    rule(
        rf"{_B}(?:(?:last|past|previous)\s+)?(?:{_NUMBER}|few|several|couple(?:\s+of)?|both|all)\s+"
        rf"(?:{_WEEKDAYS}|weekends?|mornings|afternoons|evenings|nights){_E}",
        says(unclear=True),
    ),
    rule(_UNSAID, says(unclear=True)),
]
"""In order of preference where two rules match the same stretch."""
