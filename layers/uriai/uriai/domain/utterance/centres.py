"""The name of a centre in a text, as it was written."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass

from uriai.domain.utterance.mentions import HIDDEN
from uriai.domain.utterance.vocabulary import ENGLISH, KOREAN, KOREAN_ENDINGS, KOREAN_STEMS, NEVER_IN_NAMES, OWN, SOME
from uriai.domain.utterance.words import DAY_WORDS

_SUFFIX_KO = re.compile(r"(?P<head>[가-힣ㄱ-ㅎa-zA-Z0-9]*)(?P<space>\s?)(?P<suffix>어린이\s?집|유치원|놀이방)")
_SUFFIX_EN = re.compile(
    r"\b(?:day\s?-?care|kindergarten|nursery|preschool|childcare|child care|eorinijip|"
    r"children's house)(?:\s+cent(?:re|er))?\b|\bcent(?:re|er)\b(?!\s+of)",
    re.IGNORECASE,
)
_PARTICLES = re.compile(
    r"(?:에서는|에서의|에서도|에서|에는|에도|에게|으로|이랑|이요|이에요|입니다|한테|까지|부터|은|는|이|가|을|를|의|에|도|로|만|과|와|랑|요)$"
)
_PLACE_EN = re.compile(r"\b(?:at|in|for|from|of|about)\s+(?:the\s+)?([A-Za-z][A-Za-z'-]*(?:\s+[A-Z][A-Za-z'-]*)*)")
_DAYS = "|".join(sorted((word for word in DAY_WORDS if word >= "가"), key=len, reverse=True))
_DAYS_FUSED = re.compile(
    rf"^(?:(?:{_DAYS}|지난주|이번주|저번주|지난달|이번달|\d{{1,2}}월|\d{{1,2}}일|우리|저희)(?=.{{2,}}))+"
)
_WORD = re.compile(r"[가-힣]+|[A-Za-z][A-Za-z'-]*")
# one-syllable nouns that people count and ask with, whatever hangs on them: 일이, 건이나, 번이야
_SMALL = re.compile(
    r"(?:일|원|건|번|개|명|것|거|게|수|때|곳|데|중|점|회|분|초|시|애|총|몇|등|왜|뭐|좀|더|꼭|안|못|한|두|세|이|그|저)(?:이|가|은|는|을|를|에|도|만|의|로|들|인|야|나|라|고|지|요|서|면|니|까|엔|요)*"
)
_HANGUL = re.compile(r"[가-힣]{2,12}")
_INITIALS = re.compile(r"(?<![가-힣ㄱ-ㅣ])[ㄱ-ㅎ]{2,10}(?![가-힣ㄱ-ㅣ])")
# laughter, thanks, yes and no as people type them
_SLANG = re.compile(r"ㅋ+|ㅎ+|ㅇㅇ+|ㅇㅋ|ㄴㄴ+|ㄱㅅ|ㄱㄱ+|ㅊㅋ|ㅈㅅ|ㅂㅂ+|ㄷㄷ+|ㅎㅇ|ㄹㅇ|ㅁㄹ|ㅇㅈ|ㄱㄷ|ㅅㄱ")


@dataclass(frozen=True, slots=True)
class Named:
    """A centre's name as written, or None; ``own`` if the text says "our centre"; where in the text it stood."""

    name: str | None = None
    own: bool = False
    start: int = 0
    end: int = 0


def named_with_suffix(shown: str) -> Named:
    """Find "샛별어린이집", "샛별 어린이집", "Saetbyeol daycare" in a normalised text with its case kept."""
    match = _SUFFIX_KO.search(shown)
    if match:
        return _korean(shown, match)
    english = _SUFFIX_EN.search(shown)
    return _english(shown, english) if english else Named()


def named_alone(shown: str, rest: str, *, only: bool) -> str | None:
    """Find a name that no suffix gives away: what is left when everything known is taken out.

    Parameters
    ----------
    shown:
        The normalised text, case kept.
    rest:
        As long as ``shown``, lower case, with all that was understood replaced by `HIDDEN`.
    only:
        Whether nothing else was understood, so that only a text that is the name and nothing more can be one.
    """
    left = "".join(letter if hidden != HIDDEN else HIDDEN for letter, hidden in zip(shown, rest, strict=True))
    korean = [match for match in _HANGUL.finditer(left) if _is_name(match[0]) and _is_name(_bare(match[0]))]
    if korean:
        words = list(_WORD.finditer(left))
        if only and len(words) > 1:
            return None
        first = korean[0]
        names = [_bare(first[0])]
        for one, two in itertools.pairwise(korean):
            if left[one.end() : two.start()] != " " or _bare(one[0]) != one[0]:
                break
            names.append(_bare(two[0]))
        return " ".join(names)
    return _english_alone(left, only=only) or _initials_alone(left, only=only)


def _initials_alone(left: str, *, only: bool) -> str | None:
    """Find "ㅅㅂ" for 샛별."""
    if only and len(left.split()) > 1:
        return None
    return next((match[0] for match in _INITIALS.finditer(left) if not _SLANG.fullmatch(match[0])), None)


def _english_alone(left: str, *, only: bool) -> str | None:
    words = [match[0] for match in _WORD.finditer(left)]
    if only:
        lone = len(words) == 1 and words[0][0].isupper() and words[0].isascii() and len(words[0]) > 2
        return words[0] if lone and not _is_known(words[0]) else None
    for match in _PLACE_EN.finditer(left):
        name = _leading_name(match[1])
        if name:
            return name
    for match in re.finditer(r"[A-Z][a-z'-]+(?:\s+[A-Z][a-z'-]+)*", left):
        name = _leading_name(match[0])
        if name:
            return name
    return None


def _leading_name(text: str) -> str | None:
    words: list[str] = []
    for word in text.split():
        if _is_known(word):
            break
        words.append(word)
    name = re.sub(r"'s?$", "", " ".join(words))
    return name if len(name) > 2 else None


def _is_known(word: str) -> bool:
    bare = re.sub(r"'(?:s|re|ve|ll|d|t|m)?$", "", word.lower())
    return bare in ENGLISH or (bare.endswith("s") and bare[:-1] in ENGLISH)


def _bare(word: str) -> str:
    """A Korean word without its particle and without a day written onto it."""
    word = _DAYS_FUSED.sub("", word)
    match = _PARTICLES.search(word)
    return word[: match.start()] if match and match.start() >= 2 else word


def _is_name(word: str) -> bool:
    return (
        len(word) >= 2
        and not _SMALL.fullmatch(word)
        and word not in KOREAN
        and not KOREAN_STEMS.match(word)
        and not KOREAN_ENDINGS.search(word)
        and word not in OWN
    )


def _korean(shown: str, match: re.Match[str]) -> Named:
    head, start = match["head"], match.start("head")
    fused = _DAYS_FUSED.match(head)
    if fused:
        start += fused.end()
        head = head[fused.end() :]
    if not head and not match["space"]:
        return Named(None, own=False, start=match.start("suffix"), end=match.end())
    own = head in OWN or bool(re.search(r"(?:우리|저희)\s*$", shown[: match.start("suffix")]))
    # "아침 어린이집" is a morning and a centre, "아침어린이집" is one word, and there are centres of such names
    may_be_name = _may_be_part(head) if match["space"] else head not in SOME and not re.search("에서$|에$|의$", head)
    if head in OWN or not head or not may_be_name:
        return Named(None, own=own, start=match.start("suffix"), end=match.end())
    # "꿈나무 동산 어린이집": words before that are no question's words belong to the name
    for before in reversed(list(re.finditer(r"\S+", shown[:start]))):
        word = before[0]
        if (
            not _HANGUL.fullmatch(word)
            or not _is_name(word)
            or _bare(word) != word
            or shown[before.end() : start] != " "
        ):
            break
        start = before.start()
    return Named(shown[start : match.end()], own=False, start=start, end=match.end())


def _may_be_part(head: str) -> bool:
    if re.fullmatch(r"[가-힣]+", head):
        return (
            head not in KOREAN
            and not (KOREAN_STEMS.match(head) and KOREAN_ENDINGS.search(head))
            and not re.search("에서$|에$|의$", head)
        )
    return not head.isdecimal()


def _english(shown: str, match: re.Match[str]) -> Named:
    before = list(re.finditer(r"\S+", shown[: match.start()]))
    start, names = match.start(), 0
    for word in reversed(before[-4:]):
        text = word[0]
        if not re.fullmatch(r"[A-Za-z0-9'-]+", text) or text.isdecimal() or text.lower() in NEVER_IN_NAMES:
            break
        if _is_known(text) and not text[0].isupper():
            break
        start, names = word.start(), names + 1
    own = bool(re.search(r"\b(?:our|my|the|this)\s*$", shown[:start], re.IGNORECASE)) and not names
    if not names:
        after = re.match(r"\s+([A-Z][A-Za-z'-]+)", shown[match.end() :])
        if after and not _is_known(after[1]):
            return Named(after[1], own=False, start=match.start(), end=match.end() + after.end())
        return Named(None, own=own, start=match.start(), end=match.end())
    return Named(shown[start : match.end()], own=False, start=start, end=match.end())
