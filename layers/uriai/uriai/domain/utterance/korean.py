"""How Korean says when: rules from words to pieces."""

from __future__ import annotations

import re
from collections.abc import Iterable

from uriai.domain.utterance.pieces import Piece, Rule, either, group, is_24, piece, rule, says
from uriai.domain.utterance.words import DAY_COUNTS, DAY_WORDS, MONTH_WORDS, PERIOD_WORDS, korean_number

_SINO = "일이삼사오육칠팔구"
_HOUR = r"\d{1,2}|열두|열한|열|아홉|여덟|일곱|여섯|다섯|네|세|두|한"
_NUMBER = rf"\d{{1,4}}|열두|열한|열|아홉|여덟|일곱|여섯|다섯|네|세|두|한|[{_SINO[1:]}]?십[{_SINO}]?|[{_SINO}]"
_COUNT = either(DAY_COUNTS)
_UNIT = "시간|분|일|주일|주|개월|달|년"
_UNITS = {
    "시간": "hours",
    "분": "minutes",
    "일": "days",
    "주일": "weeks",
    "주": "weeks",
    "개월": "months",
    "달": "months",
    "년": "years",
}
_WHICH = {"지난": "past", "저번": "past", "지난번": "past", "저번의": "past", "이번": "this"}
# what may follow a one-syllable word without making it another word (밤비, 낮잠, 햇님반)
_ENDS = r"(?=$|[^가-힣]|에|의|중|동안|늦|사이|부터|까지|쯤|경|이|무슨|사건)"
_UNSAID = (
    r"초순|중순|하순|[월연년주]초(?![가-힣])|월말|연말|년말|요즘|요새|최근|근래|방금|아까|며칠|몇\s*(?:일|주|달|개월|년|시)|"
    r"엊그제|엊그저께|설날|추석|명절|연휴|크리스마스|성탄절|어린이날|방학|휴일|공휴일|분기|상반기|하반기|여름|겨울|가을|봄에|"
    r"낮잠|등원|하원|간식\s*시간|퇴근|출근|그날|그때|전날|다음\s*날|이튿날|초저녁|늦은|이른|평일|[조좀]금?\s*전|얼마\s*전|한참\s*전|"
    r"\d+\s*(?:개월|달|년)\s*전|[한두세네]\s*달\s*전|[일이삼]\s*년\s*전|일주일|한\s*달|"
    # another time's month or hour, which is not named: 작년 같은 달, 어제 이 시간, 작년 이맘때
    r"같은\s*(?:날|달|주(?![가-힣])|주(?=[에와의])|해|월|년|시간|시각|시기|때|요일|기간)|[이그]\s*(?:시간|시각|무렵|즈음)(?!대?별|마다)|[이그]맘\s*때|"
    r"(?:마지막|첫|첫째|둘째|셋째|넷째|다섯째|끝)\s*(?:날|주(?![가-힣])|주(?=[에의])|달)|[첫둘셋넷]째\s*[주월화수목금토일](?:요일|욜)?|\d\s*주\s*차|말일|"
    r"지*지지난(?!\s*[주달](?!말))|저저번(?!\s*[주달](?!말))|(?<![가-힣])(?:전전|전년|전일|익일|동월|동기|익월|익년)|"
    r"(?<![가-힣])전주의?\s*(?=[월화수목금토일](?:요일|욜)|주말)|(?<![안완발개충])전후(?![가-힣]{2})|직전|직후|"
    r"(?<=[주달월해년])\s*(?:초|말)(?=$|[^가-힣]|에|까지|부터|쯤)|(?:다음|담)\s*[월화수목금토일]요일|"
    r"(?<!\d)\d+\s*(?:시(?!설|립)|분(?!기|류|의)|주일?(?![가-힣])|개월|달(?!라)|년|월|일)(?!간|대별)"
)


def _date(match: re.Match[str]) -> Iterable[Piece]:
    month = MONTH_WORDS.get(match["month"] + "월") or korean_number(match["month"])
    day, year = group(match, "day"), group(match, "year")
    full_year = None if year is None else int(year) if len(year) == 4 else 2000 + int(year)
    yield piece(match, year=full_year, month=month, day=korean_number(day) if day else None)


def _day(match: re.Match[str]) -> Iterable[Piece]:
    yield piece(match, day=int(match["day"]))


def _month(match: re.Match[str]) -> Iterable[Piece]:
    yield piece(match, month=int(match["month"]), which="past" if match[0].startswith("지난") else None)


def _time(match: re.Match[str]) -> Iterable[Piece]:
    hour = korean_number(match["hour"])
    minute = 30 if group(match, "half") else int(group(match, "minute") or 0)
    yield piece(match, hour=hour, minute=minute, clock24=is_24(hour, padded=match["hour"].startswith("0")))


def _days_ago(match: re.Match[str]) -> Iterable[Piece]:
    count = DAY_COUNTS.get(match["number"]) or korean_number(match["number"])
    yield piece(match, day_offset=-count) if count else piece(match, unclear=True)


def _weeks_ago(match: re.Match[str]) -> Iterable[Piece]:
    """A week ago is a day; two weeks ago may be a day or a week, so it needs a weekday beside it."""
    count = korean_number(match["number"])
    weekday_follows = re.match(r"\s*(?:의\s*)?[월화수목금토일](?:요일|욜)", match.string[match.end() :])
    if count is None or (count > 1 and not weekday_follows):
        yield piece(match, unclear=True)
    elif weekday_follows:
        yield piece(match, week_offset=-count)
    else:
        yield piece(match, day_offset=-7)


def _ago(match: re.Match[str]) -> Iterable[Piece]:
    hours = korean_number(group(match, "hours") or "0")
    minutes = korean_number(group(match, "minutes") or "0")
    if hours is None or minutes is None:
        yield piece(match, unclear=True)
    else:
        yield piece(match, ago=hours * 60 + minutes + (30 if group(match, "half") else 0))


def _rolling(match: re.Match[str]) -> Iterable[Piece]:
    count = korean_number(match["number"])
    if count is None or (match["prefix"] == "지난" and match["unit"] == "일" and not match["during"]):
        # "지난 7일" is both the 7th that has passed and the last seven days
        yield piece(match, unclear=True)
    else:
        yield piece(match, rolling=(count, _UNITS[match["unit"]]))


def _rolling_days(match: re.Match[str]) -> Iterable[Piece]:
    yield piece(match, rolling=(DAY_COUNTS[match["number"]], "days"))


def _weekday(match: re.Match[str]) -> Iterable[Piece]:
    which = group(match, "which")
    yield piece(match, weekday="월화수목금토일".index(match["weekday"]), which=_WHICH[which] if which else None)


def _weekend(match: re.Match[str]) -> Iterable[Piece]:
    which = match["which"]
    yield piece(match, weekend=True, which=_WHICH[which] if which else None)


def _weekdays(match: re.Match[str]) -> Iterable[Piece]:
    """월화수, 월·수·금: several days, if the letters rise as a week does."""
    days = ["월화수목금토일".index(letter) for letter in match[0] if letter in "월화수목금토일"]
    if days == sorted(set(days)):
        yield piece(match, unclear=True)


def _offsets(field: str, tail: str, **patterns: str) -> list[Rule]:
    numbers = {"two_before": -2, "before": -1, "this": 0, "after": 1}
    return [rule(f"(?:{pattern}){tail}", says(**{field: numbers[name]})) for name, pattern in patterns.items()]


_KO_DAYS = [word for word in DAY_WORDS if word >= "가"]
_KO_PERIODS = [word for word in PERIOD_WORDS if word >= "가" and word not in {"밤", "낮"}]
_YEAR = r"(?:(?P<year>(?<!\d)\d{4}|(?<!\d)\d{2})\s*년\s*)?"
_NOT_DAYS = r"(?!요일|간|\s*동안|\s*전|\s*내내|째|차|별|마다|\s*이내|\s*정도)"
_SPELLED_MONTH = either(word[:-1] for word in MONTH_WORDS)

RULES: list[Rule] = [
    # dates
    rule(rf"{_YEAR}(?<!\d)(?P<month>\d{{1,2}})\s*월\s*(?P<day>\d{{1,2}})\s*일(?!요일|간|\s*동안)", _date),
    rule(rf"{_YEAR}(?<!\d)(?P<month>\d{{1,2}})\s*월\s*(?P<day>\d{{1,2}})(?=\s*[~-]\s*\d{{1,2}}\s*일)", _date),
    rule(rf"{_YEAR}(?P<month>{_SPELLED_MONTH})\s*월\s*(?P<day>[이삼]?십[{_SINO}]?|[{_SINO}])\s*일(?!요일|간)", _date),
    rule(rf"{_YEAR}(?<!\d)(?P<month>\d{{1,2}})\s*월(?!요일|별)", _date),
    rule(r"지난\s*(?P<month>\d{1,2})\s*월(?!요일|별|\s*\d{1,2}\s*일)", _month),
    rule(r"(?<!\d)(?P<year>\d{4})\s*년(?!간|\s*전)", lambda match: (piece(match, year=int(match["year"])),)),
    rule(r"지난\s*(?P<day>\d{1,2})\s*일(?=에(?!서\s*\d))", _day),
    rule(rf"(?<![\d.])(?P<day>\d{{1,2}})\s*일{_NOT_DAYS}", _day),
    rule(r"(?<![\d:.])(?P<day>\d{1,2})(?=\s*[~-]\s*\d{1,2}\s*일(?!간|\s*동안|\s*전))", _day),
    # days, weeks, months and years by name
    rule(either(_KO_DAYS), lambda match: (piece(match, day_offset=DAY_WORDS[match[0]]),)),
    rule(rf"(?P<number>{_NUMBER})\s*일\s*전(?!체)", _days_ago),
    rule(rf"(?P<number>{_COUNT})\s*전(?!체)", _days_ago),
    rule(r"(?P<number>\d{1,2}|[일한두세네이삼사])\s*주일?\s*전(?!체)", _weeks_ago),
    *_offsets(
        "week_offset",
        r"(?!말|일(?!요일)|간)(?:\s*한\s*주)?",
        two_before=r"지지난\s*주|저저번\s*주",
        before=r"지난\s*주|저번\s*주|지난번\s*주",
        this=r"이번\s*주|금주|요번\s*주|이번\s*한\s*주",
        after=r"다음\s*주|담주|내주(?=$|[^가-힣]|에)",
    ),
    *_offsets(
        "month_offset",
        "(?!간)",
        two_before=r"지지난\s*달|저저번\s*달",
        before=r"지난\s*달|저번\s*달|전월(?=$|[^가-힣]|에)",
        this=r"이번\s*달|이달|금월|당월|요번\s*달",
        after=r"다음\s*달|담달|내달",
    ),
    *_offsets("year_offset", "", two_before="재작년", before="작년|지난해|지난 해", this="올해|금년", after="내년"),
    rule(r"(?:(?P<which>지난번|지난|저번|이번)\s*)?(?P<weekday>[월화수목금토일])(?:요일|욜)(?!별)", _weekday),
    rule(r"(?<![가-힣])(?P<weekday>[월화수목금토일])(?=\s*[~-]\s*[월화수목금토일](?![가-힣]))", _weekday),
    rule(r"(?<=[월화수목금토일][~-])(?P<weekday>[월화수목금토일])(?![가-힣])", _weekday),
    rule(r"(?:(?P<which>지난번|지난|저번|이번)\s*)?주말", _weekend),
    # parts of a day and times
    rule(r"어젯\s*밤|간밤|지난\s*밤", says(day_offset=-1, period="night")),
    rule(either(_KO_PERIODS), lambda match: (piece(match, period=PERIOD_WORDS[match[0]]),)),
    rule(rf"밤(?:{_ENDS}|(?=\s*(?:{_HOUR})\s*시))", says(period="night")),
    rule(rf"낮(?:{_ENDS}|(?=\s*(?:{_HOUR})\s*시))", says(period="daytime")),
    rule(
        rf"(?<![\d:])(?P<hour>{_HOUR})\s*시(?!간|도|작|설|립|청|민|스|선)"
        rf"(?:\s*(?P<minute>\d{{1,2}})\s*분|\s*(?P<half>반){_ENDS})?",
        _time,
    ),
    rule(r"(?<![\d:월/.])(?P<hour>\d{1,2})(?=\s*[~-]\s*\d{1,2}\s*시(?!간))", _time),
    # spans that end now
    rule(r"(?:지금|현재)(?=\s*까지)", says(ago=0)),
    rule(rf"(?P<hours>{_NUMBER})\s*시간\s*(?:(?P<half>반)|(?P<minutes>\d{{1,3}})\s*분)?\s*전(?!체)", _ago),
    rule(r"(?<!\d)(?P<minutes>\d{1,3}|[이삼사오]?십)\s*분\s*전(?!체)", _ago),
    rule(
        rf"(?P<prefix>최근|지난|과거)\s*(?P<number>{_NUMBER})\s*(?P<unit>{_UNIT})(?!요일|초|말(?!고))"
        r"(?P<during>간|\s*동안|\s*내내|\s*사이)?(?!\s*전)",
        _rolling,
    ),
    rule(rf"(?P<prefix>)(?<!\d)(?P<number>{_NUMBER})\s*(?P<unit>{_UNIT})(?P<during>간|\s*동안|\s*내내)", _rolling),
    rule(rf"(?:최근|지난|과거)\s*(?P<number>{_COUNT})(?:간|\s*동안|\s*내내)?(?!\s*전)", _rolling_days),
    rule(rf"(?P<number>{_COUNT})(?:간|\s*동안|\s*내내)", _rolling_days),
    # "3시 10분 전" is ten to three and before ten past three
    rule(rf"(?<![\d:])(?:{_HOUR})\s*시\s*\d{{1,2}}\s*분\s*전(?!체)", says(unclear=True)),
    rule(rf"(?:{either(_KO_DAYS)})의\s*(?:{either(_KO_DAYS)})", says(unclear=True)),
    # several days that do not follow one another
    rule(r"(?<![가-힣])[월화수목금토일](?:\s*[,/]?\s*[월화수목금토일])+(?![가-힣])", _weekdays),
    rule(
        rf"(?:지난|저번|최근|과거|요)\s*(?:{_NUMBER}|몇)\s*(?:번|차례|개)?의?\s*(?:[월화수목금토일](?:요일|욜)|주말)",
        says(unclear=True),
    ),
    rule(r"(?:[월화수목금토일](?:요일|욜)|주말)(?:들|\s*(?:두|세|네|여러)\s*(?:번|주)(?!째))", says(unclear=True)),
    rule(_UNSAID, says(unclear=True)),
]
"""In order of preference where two rules match the same stretch."""
