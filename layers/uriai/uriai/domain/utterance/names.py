"""How alike a typed name and a centre's name are: spacing, suffix, single letters and Roman letters do not matter."""

from __future__ import annotations

import re
import unicodedata
from difflib import SequenceMatcher

from uriai.domain.utterance.normalise import normalise

_SUFFIX = re.compile(
    r"(?:어린이집|유치원|놀이방)$|(?:day\s?-?care|kindergarten|nursery|preschool|childcare|child care|"
    r"eorinijip)?\s*(?:cent(?:re|er))?$",
    re.IGNORECASE,
)
_SOUNDS = (
    "g kk n d tt r m b pp s ss - j jj ch k t p h",
    "a ae ya yae eo e yeo ye o wa wae oe yo u wo we wi yu eu ui i",
    "- k k k n n n t l k m l l l p l m p p t t ng t t k t p t",
)
# in the order of the Hangul code block; "-" is no sound
_INITIALS = tuple(part.strip("-") for part in _SOUNDS[0].split())
_VOWELS = tuple(_SOUNDS[1].split())
_FINALS = tuple(part.strip("-") for part in _SOUNDS[2].split())
_INITIAL_LETTERS = "ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ"
_FIRST_SYLLABLE, _LAST_SYLLABLE = 0xAC00, 0xD7A3


def bare_name(name: str) -> str:
    """``name`` normalised, in lower case, without spaces, signs and the word for a daycare centre."""
    text = normalise(name).lower()
    text = _SUFFIX.sub("", re.sub(r"어린이\s+집", "어린이집", text).strip()) or text
    return re.sub(r"[^0-9a-z가-힣ㄱ-ㅎ]", "", text)


def romanise(text: str) -> str:
    """Hangul in Roman letters, syllable by syllable (Revised Romanisation without the changes between syllables)."""
    letters = []
    for character in text:
        code = ord(character)
        if _FIRST_SYLLABLE <= code <= _LAST_SYLLABLE:
            initial, rest = divmod(code - _FIRST_SYLLABLE, 588)
            vowel, final = divmod(rest, 28)
            letters.append(_INITIALS[initial] + _VOWELS[vowel] + _FINALS[final])
        else:
            letters.append(character)
    return "".join(letters)


def initials(text: str) -> str:
    """The first letters of the syllables: 샛별 gives ㅅㅂ."""
    return "".join(
        _INITIAL_LETTERS[(ord(character) - _FIRST_SYLLABLE) // 588]
        if _FIRST_SYLLABLE <= ord(character) <= _LAST_SYLLABLE
        else character
        for character in text
    )


def likeness(typed: str, name: str) -> float:
    """From 0 to 1: 1.0 the same name, 0.95 a part of it, less for a slip of the finger.

    Compared letter by letter (새별 and 샛별 differ in one of six), and in Roman letters where the typed name has those.
    """
    wanted, found = bare_name(typed), bare_name(name)
    if not wanted or not found:
        return 0.0
    if wanted == found:
        return 1.0
    if len(wanted) >= 2 and wanted in found:
        return 0.95
    if len(found) >= 2 and found in wanted:
        return 0.9  # "분당 샛별어린이집": more was said than its name
    if len(wanted) >= 2 and re.fullmatch("[ㄱ-ㅎ]+", wanted):
        return 0.9 if initials(found).startswith(wanted) else 0.0
    if wanted.isascii():
        found = romanise(found)
        if wanted == found:
            return 1.0
        return 0.9 if len(wanted) >= 4 and wanted in found else SequenceMatcher(None, wanted, found).ratio()
    return SequenceMatcher(None, unicodedata.normalize("NFD", wanted), unicodedata.normalize("NFD", found)).ratio()
