"""The words of time, Korean and English, as tables."""

from __future__ import annotations

PERIODS: dict[str, tuple[int, int]] = {
    # name -> hours on the clock's face, half-open; night ends on the next day
    "morning": (0, 12),
    "early_morning": (6, 12),
    "afternoon": (12, 18),
    "evening": (18, 24),
    "night": (18, 30),
    "dawn": (0, 6),
    "lunch": (12, 13),
    "noon": (12, 13),
}
"""오전/morning, 아침, 오후/afternoon, 저녁/evening, 밤/night, 새벽, 점심, 정오."""

PERIOD_WORDS: dict[str, str] = {
    "오전": "morning",
    "아침": "early_morning",
    "오후": "afternoon",
    "저녁": "evening",
    "밤": "night",
    "새벽": "dawn",
    "점심시간": "lunch",
    "점심때": "lunch",
    "점심": "lunch",
    "정오": "noon",
    "자정": "midnight",
    "한낮": "daytime",
    "대낮": "daytime",
    "낮": "daytime",
    "morning": "morning",
    "afternoon": "afternoon",
    "evening": "evening",
    "night": "night",
    "dawn": "dawn",
    "lunch time": "lunch",
    "lunchtime": "lunch",
    "lunch": "lunch",
    "noon": "noon",
    "midday": "noon",
    "midnight": "midnight",
    "daytime": "daytime",
    "am": "am",
    "a.m.": "am",
    "a.m": "am",
    "pm": "pm",
    "p.m.": "pm",
    "p.m": "pm",
}
"""``midnight`` and ``daytime`` are no spans of their own: they only read an hour, or end a range."""

DAY_WORDS: dict[str, int] = {
    "오늘": 0,
    "금일": 0,
    "당일": 0,
    "어제께": -1,
    "어제": -1,
    "어저께": -1,
    "어젠": -1,
    "작일": -1,
    "그저께": -2,
    "그제": -2,
    "그끄저께": -3,
    "그끄제": -3,
    "그그저께": -3,
    "그그제": -3,
    "내일": 1,
    "낼": 1,
    "명일": 1,
    "모레": 2,
    "today": 0,
    "todays": 0,
    "today's": 0,
    "yesterday": -1,
    "yesterdays": -1,
    "yesterday's": -1,
    "the day before yesterday": -2,
    "day before yesterday": -2,
    "tomorrow": 1,
    "the day after tomorrow": 2,
    "day after tomorrow": 2,
}

DAY_COUNTS: dict[str, int] = {
    "하루": 1,
    "이틀": 2,
    "사흘": 3,
    "나흘": 4,
    "닷새": 5,
    "엿새": 6,
    "이레": 7,
    "여드레": 8,
    "아흐레": 9,
    "열흘": 10,
    "보름": 15,
}
"""Native Korean counts of days."""

HOUR_WORDS: dict[str, int] = {
    "열두": 12,
    "열한": 11,
    "열": 10,
    "아홉": 9,
    "여덟": 8,
    "일곱": 7,
    "여섯": 6,
    "다섯": 5,
    "네": 4,
    "세": 3,
    "두": 2,
    "한": 1,
}
"""Native Korean numbers, as hours and counts are said."""

SINO: dict[str, int] = {character: value for value, character in enumerate("일이삼사오육칠팔구", start=1)}
MONTH_WORDS: dict[str, int] = {
    "십이월": 12,
    "십일월": 11,
    "시월": 10,
    "십월": 10,
    "구월": 9,
    "팔월": 8,
    "칠월": 7,
    "유월": 6,
    "육월": 6,
    "오월": 5,
    "사월": 4,
    "삼월": 3,
    "이월": 2,
    "일월": 1,
}

ENGLISH_MONTHS: dict[str, int] = {
    name: number
    for number, names in enumerate(
        (
            ("january", "jan"),
            ("february", "feb"),
            ("march", "mar"),
            ("april", "apr"),
            ("may",),
            ("june", "jun"),
            ("july", "jul"),
            ("august", "aug"),
            ("september", "sept", "sep"),
            ("october", "oct"),
            ("november", "nov"),
            ("december", "dec"),
        ),
        start=1,
    )
    for name in names
}

WEEKDAYS: dict[str, int] = {
    **{f"{character}요일": number for number, character in enumerate("월화수목금토일")},
    **{
        name: number
        for number, names in enumerate(
            (
                ("monday", "mondays", "mon"),
                ("tuesday", "tuesdays", "tues", "tue"),
                ("wednesday", "wednesdays", "weds", "wed"),
                ("thursday", "thursdays", "thurs", "thur", "thu"),
                ("friday", "fridays", "fri"),
                ("saturday", "saturdays", "sat"),
                ("sunday", "sundays", "sun"),
            )
        )
        for name in names
    },
}

_COUNTED = (
    "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen twenty"
)
_ORDERED = (
    "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth fifteenth "
    "sixteenth seventeenth eighteenth nineteenth twentieth twenty-first twenty-second twenty-third twenty-fourth "
    "twenty-fifth twenty-sixth twenty-seventh twenty-eighth twenty-ninth thirtieth thirty-first"
)
ENGLISH_NUMBERS: dict[str, int] = {word: value for value, word in enumerate(_COUNTED.split(), start=1)} | {
    "a": 1,
    "an": 1,
    "a couple of": 2,
    "thirty": 30,
}
ENGLISH_ORDINALS: dict[str, int] = {word: value for value, word in enumerate(_ORDERED.split(), start=1)}


def korean_number(text: str) -> int | None:
    """Read 일..구십구 (Sino-Korean) or 한..열두 (native) or digits; None if it is neither."""
    if text.isdecimal():
        return int(text)
    if text in HOUR_WORDS:
        return HOUR_WORDS[text]
    tens, ten, ones = text.partition("십")
    if not ten:
        return SINO.get(text)
    if (tens and tens not in SINO) or (ones and ones not in SINO):
        return None
    return (SINO[tens] if tens else 1) * 10 + (SINO[ones] if ones else 0)


def english_number(text: str) -> int | None:
    """Read digits, one..twenty, thirty, a, an, a couple of, first..thirty-first; None if it is no number."""
    text = text.strip()
    if text.isdecimal():
        return int(text)
    if text in ENGLISH_NUMBERS:
        return ENGLISH_NUMBERS[text]
    return ENGLISH_ORDINALS.get(text)
