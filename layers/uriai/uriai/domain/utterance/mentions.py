"""Cameras, kinds and incident numbers that a text names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from uriai.domain.utterance.words import ENGLISH_NUMBERS, ENGLISH_ORDINALS, english_number, korean_number
from uriai.domain.words import Kind

MAX_CAMERA = 999
"""A larger number is not a camera of any centre."""

HIDDEN = "\x00"
"""Stands in a text for what was read already, so that a camera's number is not taken for an hour."""

_CAMERA_KO = r"(?:cctv|씨씨티비|시시티비|카메라|캠)"
_ITEM_KO = r"(?:\d{1,4}|[일이삼사오육칠팔구십]{1,3})"
_JOIN_KO = r"(?:\s*(?:,|~|-|/|&|과|와|하고|이랑|랑|및|그리고|또는|부터|에서)\s*|(?<=번)\s+)"
_ITEM_EN = rf"(?:\d{{1,4}}|{'|'.join(word for word in ENGLISH_NUMBERS if word[:2] not in {'a', 'an', 'a '})})"
_JOIN_EN = r"\s*(?:,\s*and|,\s*or|,|~|-|/|&|\band\b|\bor\b|\bto\b|\bthrough\b)\s*"
# a number before one of these is a time or a count, not a camera ("카메라 3, 7월 22일", "camera 2 and 3 pm")
_NOT_CAMERA = (
    r"(?!\d|\s*(?:월|일(?!\s*번)|시|분|주|개|건|명|년|달|:|/|\.\d|a\.?m\b|p\.?m\b|o'clock|days?\b|hours?\b|weeks?\b|minutes?\b|"
    r"st\b|nd\b|rd\b|th\b|january|february|march|april|may\b|june|july|august|september|october|november|december|"
    r"incidents?\b))"
)
_ORDINALS_KO = {"첫": 1, "두": 2, "세": 3, "네": 4, "다섯": 5, "여섯": 6, "일곱": 7, "여덟": 8, "아홉": 9, "열": 10}

_CAMERAS = [
    # 1번과 3번 카메라, 1,2번 cctv, 1~3번 카메라
    re.compile(
        rf"(?<![\d#])(?P<list>{_ITEM_KO}\s*(?:번|호기|호)?(?:{_JOIN_KO}{_ITEM_KO}\s*(?:번|호기|호)?)*)(?<=[번기호])\s*{_CAMERA_KO}"
    ),
    # 3, 4호기
    re.compile(
        rf"(?:{_CAMERA_KO}\s*)?(?<![\d#])(?P<list>{_ITEM_KO}\s*(?:호기)?(?:{_JOIN_KO}{_ITEM_KO}\s*(?:호기)?)*)(?<=호기)"
    ),
    # 카메라 3번, cctv 1번과 2번, cctv3
    re.compile(
        rf"{_CAMERA_KO}\s*(?P<list>(?:no\.?|#|번호)?\s*\d{{1,4}}{_NOT_CAMERA}\s*(?:번|호)?"
        rf"(?:{_JOIN_KO}\d{{1,4}}{_NOT_CAMERA}\s*(?:번|호)?)*)(?!\s*(?:사건|인시던트))"
    ),
    re.compile(rf"{_CAMERA_KO}\s*(?P<list>[일이삼사오육칠팔구십]{{1,3}}번)"),
    # cameras 1, 2 and 3; camera no. 2; cam 2; cctv two
    re.compile(
        rf"\b(?:cameras?|cams?|cctvs?)\s*(?:numbers?|nos?\.?|#)?\s*(?P<list>#?{_ITEM_EN}{_NOT_CAMERA}(?![a-z])"
        rf"(?:{_JOIN_EN}#?{_ITEM_EN}{_NOT_CAMERA}(?![a-z]))*)"
    ),
]
_ORDINAL_CAMERAS = [
    re.compile(rf"(?P<ordinal>{'|'.join(_ORDINALS_KO)})\s*번째\s*{_CAMERA_KO}"),
    re.compile(rf"\b(?P<ordinal>\d{{1,3}}(?:st|nd|rd|th)|{'|'.join(ENGLISH_ORDINALS)})\s+(?:camera|cam|cctv)\b"),
]
_ANY_CAMERA = re.compile(rf"{_CAMERA_KO}|\b(?:cameras?|cams?|cctvs?)\b")
_SPAN_BETWEEN = re.compile(r"~|-|부터|에서|\bto\b|\bthrough\b")

_NUMBERS = [
    re.compile(
        r"(?:사건|인시던트|사고)\s*(?:번호|no\.?)?\s*(?:은|는|이|가)?\s*[#:]?\s*(\d{1,9})\s*(?:번|호)?(?!\s*(?:월|일|시|분|건|개|년|주|번째|:|/|\d))"
    ),
    re.compile(r"(?<![\d#])#?(\d{1,9})\s*(?:번|호)\s*(?:의\s*)?(?:사건|인시던트|사고|건(?!수))"),
    re.compile(
        r"\b(?:incidents?|cases?|events?)\s*(?:numbers?|nos?\.?|id)?\s*[#:]?\s*(\d{1,9})\b(?!\s*(?:am|pm|:|/|days?|hours?|weeks?))"
    ),
    re.compile(r"(?<![\w#])#\s*(\d{1,9})\b"),
    re.compile(r"\b(?:number|no\.|no)\s*(\d{1,9})\b(?!\s*(?:am|pm|:|/))"),
]
_LONE_NUMBERS = [
    # only where the intent is about one incident: "status of 12", "12번 어떻게 됐어?"
    re.compile(
        r"\b(?:of|for|about|on)\s+(\d{1,9})\b(?!\s*(?:am|pm|:|/|-|days?|hours?|weeks?|months?|st|nd|rd|th|[가-힣]))"
    ),
    re.compile(r"(?<!\d)(\d{1,9})\s*번(?!째|\s*(?:정도|이나|이상))"),
    re.compile(r"^(?:status|details?|show|masked copy|mask)\s+(\d{1,9})\b"),
    re.compile(r"^(\d{1,9})\s+(?:status|details?|masked copy)"),
]

_KINDS: list[tuple[Kind, re.Pattern[str]]] = [
    (
        Kind.PHYSICAL,
        re.compile(
            r"신체\s*(?:적\s*)?학대|신체\s*폭력|폭행|폭력|구타|체벌|때[리렸린릴려]|맞[았은는]|밀[쳤치친]|꼬집|\bphysical(?:ly)?\b|\bviolen(?:ce|t)\b|"
            r"\bassault(?:s|ed)?\b|"
            r"\bhit(?:s|ting)?\b|\bbeat(?:s|en|ing)?\b|\bslap(?:s|ped|ping)?\b|\bfights?\b|\bpush(?:ed|ing)\b"
        ),
    ),
    (
        Kind.EMOTIONAL,
        re.compile(
            r"정서\s*(?:적\s*)?학대|정서|\bemotional(?:ly)?\b|\bpsychological\b|고함|소리\s*(?:를\s*)?[지질]|\bshout(?:ed|ing)\b|\byell(?:ed|ing)\b"
        ),
    ),
    (Kind.NEGLECT, re.compile(r"방임|방치|\bneglect(?:ed|ful)?\b|\bleft alone\b")),
    (
        Kind.TAMPER,
        re.compile(
            r"(?:기기|장비|카메라|cctv)\s*(?:의\s*)?이상(?!\s*(?:은|이|는)?\s*없)|기기\s*이상|훼손|조작|가[려렸린]\s*(?:진|졌|져)|가림|"
            r"\btamper(?:s|ed|ing)?\b|"
            r"\b(?:device|equipment|camera) (?:faults?|problems?|trouble|failures?|malfunctions?)\b|\bcovered\b|"
            r"\bdefocused\b|"
            r"\bturned away\b|\bfrozen\b|\bobstructed\b|\bblocked\b"
        ),
    ),
]


@dataclass(frozen=True, slots=True)
class Mentions:
    """What was found, and the text with it hidden."""

    cameras: tuple[int, ...]
    kinds: tuple[Kind, ...]
    number: int | None
    rest: str
    speaks_of_cameras: bool
    wrong_camera: bool = False
    """A camera number that none can have, so the question is not about what it seems to be."""
    several_numbers: bool = False


def find_mentions(text: str) -> Mentions:
    """Cameras (rising, each once), kinds (in the order of `Kind`) and the number of a lower-case normalised text."""
    speaks_of_cameras = bool(_ANY_CAMERA.search(text)) or "호기" in text
    cameras: set[int] = set()
    for pattern in _CAMERAS:
        text = _take(pattern, text, cameras)
    for pattern in _ORDINAL_CAMERAS:
        for match in pattern.finditer(text):
            ordinal = match["ordinal"]
            cameras.add(_ORDINALS_KO.get(ordinal) or english_number(re.sub(r"(?<=\d)\D+$", "", ordinal)) or 0)
        text = hide(pattern, text)
    numbers: list[int] = []
    for pattern in _NUMBERS:
        numbers += [int(match[1]) for match in pattern.finditer(text)]
        text = hide(pattern, text)
    kinds = tuple(kind for kind, pattern in _KINDS if pattern.search(text))
    for _, pattern in _KINDS:
        text = hide(pattern, text)
    right = tuple(sorted(camera for camera in cameras if 1 <= camera <= MAX_CAMERA))
    different = set(numbers)
    return Mentions(
        cameras=right,
        kinds=kinds,
        number=numbers[0] if len(different) == 1 else None,
        rest=text,
        speaks_of_cameras=speaks_of_cameras,
        wrong_camera=len(right) < len(cameras),
        several_numbers=len(different) > 1,
    )


def lone_number(text: str) -> tuple[int | None, str]:
    """The number of a text that is about one incident without saying so, and the text with it hidden."""
    for pattern in _LONE_NUMBERS:
        match = pattern.search(text)
        if match:
            return int(match[1]), text[: match.start()] + HIDDEN * len(match[0]) + text[match.end() :]
    return None, text


def hide(pattern: re.Pattern[str], text: str) -> str:
    """``text`` with every match replaced by as many `HIDDEN`."""
    return pattern.sub(lambda match: HIDDEN * len(match[0]), text)


def _take(pattern: re.Pattern[str], text: str, cameras: set[int]) -> str:
    def replace(match: re.Match[str]) -> str:
        numbers = list(_listed(match["list"]))
        if not numbers:
            return match[0]
        cameras.update(numbers)
        return HIDDEN * len(match[0])

    return pattern.sub(replace, text)


def _listed(text: str) -> Iterator[int]:
    """The numbers of "1, 3", "1~3번", "1번부터 3번", "one and three"."""
    last: int | None = None
    end = 0
    for match in re.finditer(r"\d+|[일이삼사오육칠팔구십]+(?=\s*(?:번|호|$|,|~))|[a-z]+", text):
        word = match[0]
        number = english_number(word) if word.isascii() else korean_number(word)
        if number is None:
            continue
        if (
            last is not None
            and _SPAN_BETWEEN.search(text[end : match.start()])
            and last < number <= min(last + 64, MAX_CAMERA)
        ):
            yield from range(last + 1, number)
        yield number
        last, end = number, match.end()
