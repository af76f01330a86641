"""The pieces of a date in a text: words and figures with what each says, not yet put together.

Every piece states one thing (a day, a month, an hour, "last three days"). ``dates`` puts them together and decides
whether the whole is understood. Text that looks like time and is not read becomes a piece with ``unclear`` set, so that
it is never ignored.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any, NamedTuple


@dataclass(frozen=True, slots=True)
class Piece:
    """What one stretch ``text[start:end]`` says of time; everything it does not say is None.

    Offsets count from now: ``week_offset`` -1 is last week. ``rolling`` is (n, unit) for "the last n units", ``ago``
    the minutes before now. ``which`` reads a weekday, weekend or month: ``past`` (before today), ``this``, or None
    (the latest). ``clock24`` tells that the hour was written the 24-hour way.
    """

    start: int
    end: int
    year: int | None = None
    year_offset: int | None = None
    month: int | None = None
    month_offset: int | None = None
    day: int | None = None
    day_offset: int | None = None
    week_offset: int | None = None
    weekday: int | None = None
    weekend: bool | None = None
    which: str | None = None
    period: str | None = None
    hour: int | None = None
    minute: int | None = None
    clock24: bool | None = None
    rolling: tuple[int, str] | None = None
    ago: int | None = None
    unclear: bool | None = None


Build = Callable[[re.Match[str]], Iterable[Piece]]


class Rule(NamedTuple):
    """A pattern and what it says; no pieces means that the match was no time after all."""

    pattern: re.Pattern[str]
    build: Build


def rule(pattern: str, build: Build) -> Rule:
    """A rule over lower-case text."""
    return Rule(re.compile(pattern), build)


def says(**fields: Any) -> Build:
    """Build one piece that says ``fields`` whatever was matched."""
    return lambda match: (piece(match, **fields),)


def piece(match: re.Match[str], group: str | int = 0, **fields: Any) -> Piece:
    """One piece over a group of the match."""
    return replace(Piece(match.start(group), match.end(group)), **fields)


def either(words: Iterable[str]) -> str:
    """An alternation, longest word first."""
    return "|".join(sorted(map(re.escape, words), key=len, reverse=True))


def group(match: re.Match[str], name: str) -> str | None:
    """The text of a group, None where the pattern has none of that name or it took no part."""
    return match.groupdict().get(name)


def is_24(hour: int | None, *, padded: bool) -> bool:
    """Whether an hour can only be meant on the 24-hour clock."""
    return padded or hour == 0 or (hour is not None and hour > 12)


def find_pieces(text: str, rules: Iterable[Rule]) -> list[Piece]:
    """All pieces from left to right; where two overlap, the one that starts first, then the longer, wins."""
    found: list[tuple[int, int, int, tuple[Piece, ...]]] = []
    for order, (pattern, build) in enumerate(rules):
        for match in pattern.finditer(text):
            pieces = tuple(build(match))
            if pieces:
                found.append((pieces[0].start, -pieces[-1].end, order, pieces))
    taken: list[Piece] = []
    reached = 0
    for start, minus_end, _, pieces in sorted(found, key=lambda item: item[:3]):
        if start >= reached:
            taken.extend(pieces)
            reached = -minus_end
    return taken
