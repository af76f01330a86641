"""Which of several centres is meant, by name and by where it is."""

from __future__ import annotations

from collections.abc import Sequence
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from uriai.domain.person import Person
from uriai.domain.utterance.names import bare_name, likeness
from uriai.domain.utterance.normalise import normalise
from uriai.service.ports.chat import CentreView, Questions

DEFAULT_ZONE = "Asia/Seoul"
MOST_FOUND = 2000
"""More centres than this never share the letters of a name that somebody types out."""


def centres_called(
    name: str, person: Person, centres: Sequence[CentreView], questions: Questions, *, whole: bool
) -> Sequence[CentreView]:
    """The centres that may be called ``name``.

    Parameters
    ----------
    centres:
        Those of the person's scope that were read.
    whole:
        Whether that is all of them. If not, the others are searched by name, because there may be tens of thousands.
    """
    if whole:
        return centres
    found = questions.centres_named(person, name, MOST_FOUND)
    if not found and " " in name:
        # "분당구 샛별어린이집": the last word is the name
        found = questions.centres_named(person, name.rpartition(" ")[2], MOST_FOUND)
    return list({centre.id: centre for centre in [*found, *centres]}.values())


def likeness_in(typed: str, centre: CentreView) -> float:
    """How alike a typed name and a centre's are, 0 to 1; its region may stand before it ("정자동 샛별어린이집")."""
    region = set(normalise(centre.region).split())
    words = typed.split()
    bare = [word for word in words if word not in region]
    if not bare or len(bare) == len(words):
        return likeness(typed, centre.name)
    return max(likeness(typed, centre.name), likeness(" ".join(bare), centre.name))


def located(text: str, centres: Sequence[CentreView]) -> Sequence[CentreView]:
    """Those of ``centres`` whose region a normalised text names best; all of them if it tells none apart."""
    if len(centres) < 2:
        return centres
    said = [_said(text, centre) for centre in centres]
    best = max(sum(words) for words in said)
    found = [(centre, words) for centre, words in zip(centres, said, strict=True) if sum(words) == best]
    # "경기도 성남시 분당구" is that district's own centre and not one of a neighbourhood in it
    whole = [centre for centre, words in found if all(words)]
    return whole if best and whole else [centre for centre, _ in found]


def told_apart(centre: CentreView, centres: Sequence[CentreView]) -> str | None:
    """The centre's name, behind as much of its region as tells it from ``centres`` of the same name.

    None where the region cannot tell them apart.
    """
    name = bare_name(centre.name)
    same = {one.id: one for one in [*centres, centre] if bare_name(one.name) == name}
    if len(same) == 1:
        return centre.name
    region = centre.region.split()
    for count in range(1, len(region) + 1):
        told = " ".join([*region[-count:], centre.name])
        if [one.id for one in located(normalise(told), list(same.values()))] == [centre.id]:
            return told
    return None


def zone_of(centres: Sequence[CentreView]) -> ZoneInfo:
    """The zone of the centres if they share one, else Korea's."""
    zones = {centre.time_zone for centre in centres}
    try:
        return ZoneInfo(zones.pop() if len(zones) == 1 else DEFAULT_ZONE)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo(DEFAULT_ZONE)


def _said(text: str, centre: CentreView) -> list[bool]:
    words = set(text.split())
    return [word in words for word in normalise(centre.region).split()]
