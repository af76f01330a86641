"""At which time of the day somebody wants something every day."""

from __future__ import annotations

import re

from uriai.domain.utterance.problems import Problem

_HALF = r"(?P<half>오전|오후|아침|점심|저녁|밤|새벽|낮)?\s*"
_KOREAN = re.compile(_HALF + r"(?P<hour>\d{1,2})\s*시(?:\s*(?P<thirty>반)|\s*(?P<minute>\d{1,2})\s*분)?")
_CLOCK = re.compile(_HALF + r"(?<![\d:])(?P<hour>\d{1,2}):(?P<minute>\d{2})(?![\d:])\s*(?P<m>[ap]\.?m\b)?")
_ENGLISH = re.compile(r"(?<![\d:])(?P<hour>\d{1,2})\s*(?P<m>[ap]\.?m\b)")
_BARE = re.compile(r"\bat\s+(?P<hour>\d{1,2})(?![\d:])(?!\s*[ap]\.?m\b)(?:\s*o'?clock)?")
_WORDS = {"정오": 720, "자정": 0, "noon": 720, "midnight": 0}
_MORNING, _LATER = {"오전", "아침", "새벽"}, {"오후", "저녁", "밤", "점심", "낮"}


def daily_minute(text: str) -> int | Problem | None:
    """The minute of the day (0..1439) that a lower-case normalised text names; None if it names none.

    "8시" alone is half a time: `Problem.WHICH_HALF`. "25시" is none: `Problem.NO_SUCH_TIME`.
    """
    for word, minute in _WORDS.items():
        if re.search(rf"(?<![가-힣a-z]){word}", text):
            return minute
    clock = _CLOCK.search(text)
    if clock:
        whole_day = "24" if int(clock["hour"]) > 12 or clock["hour"].startswith("0") else ""
        return _minute(int(clock["hour"]), int(clock["minute"]), clock["half"] or clock["m"] or whole_day)
    english = _ENGLISH.search(text)
    if english:
        return _minute(int(english["hour"]), 0, english["m"])
    korean = _KOREAN.search(text)
    if korean:
        minute = 30 if korean["thirty"] else int(korean["minute"] or 0)
        hour = int(korean["hour"])
        return _minute(hour, minute, korean["half"] or ("24" if hour > 12 or hour == 0 else ""))
    bare = _BARE.search(text)
    if bare is None:
        return None
    hour = int(bare["hour"])
    if re.search(r"\bmorning\b", text):
        return _minute(hour, 0, "am")
    if re.search(r"\b(?:afternoon|evening|night)\b", text):
        return _minute(hour, 0, "pm")
    return _minute(hour, 0, "24" if hour > 12 else "")


def _minute(hour: int, minute: int, half: str) -> int | Problem:
    if hour > 24 or minute > 59 or (half not in ("", "24") and hour > 12 and half[0] in "ap"):
        return Problem.NO_SUCH_TIME
    if not half:
        return Problem.WHICH_HALF
    if half in _LATER or half[0] == "p":
        # "밤 12시" is midnight, "오후 12시" and "12 pm" noon
        late_night = half == "밤" and (hour == 12 or hour < 6)
        hour = (hour % 12) if late_night else hour if hour >= 12 else hour + 12
    elif half in _MORNING or half[0] == "a":
        hour = 0 if hour == 12 else hour
    return (hour % 24) * 60 + minute
