"""Adult or child: what a face's apparent age and a body's size against the others say together, and "unknown" where
they do not say enough.

None of the numbers here has been fitted to children: the age model has never been tried on them, and the sizes are from
what bodies are like. They are set so that one weak sign is never enough. A body alone may say adult, where it stands
far above somebody near it; it never says child, because adults sit down.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import fmean, median

from uriai.domain.analysis import PersonBox

UNSURE = (0.3, 0.7)
"""Between these nothing is said."""
_MOST_FROM_AGE = 2.0
_ENOUGH_LOOKS = 3
"""Fewer looks at a face weigh less: the model's answers about one face differ from look to look."""
_MOST_FROM_TALLER = 1.5
_MOST_FROM_SHORTER = 0.8
"""In log odds: what each sign can contribute at most. A shorter body alone stays within `UNSURE`."""
_NOT_TALLER, _FAR_TALLER = 1.6, 2.6
"""Heights one may have against the other and say nothing, and from where it says all it can: children of one group
differ by up to 1.5, one of them standing beside one sitting by 2, an adult stands 1.4 to 2 times as high as a standing
child and 3 times as high as a sitting one.
"""
_SAME_DEPTH = 0.5
"""Two people are compared where their feet differ by less than this many heights of the larger box: farther apart in
the picture, perspective makes the difference.
"""
_AT_EDGE_PX = 2.0


def adult_probability(ages: Sequence[float], size_ratios: Sequence[float]) -> float | None:
    """P(adult) 0..1, or None where the signs are too weak or contradict each other.

    Parameters
    ----------
    ages:
        P(adult) by the face, one for each look, 0..1.
    size_ratios:
        Height against each other person, see `size_ratios`; above 1 is taller.
    """
    log_odds = _from_age(ages) + _from_size(size_ratios)
    probability = 1 / (1 + math.exp(-log_odds))
    return None if UNSURE[0] < probability < UNSURE[1] else probability


def size_ratios(people: Sequence[PersonBox], picture: tuple[int, int]) -> Mapping[int, tuple[float, ...]]:
    """For each track its height against each other track it was seen beside: the median over the looks.

    Boxes at an edge of the ``picture`` (width, height in pixels) are left out: nobody knows how they go on.
    """
    looks: dict[float, list[PersonBox]] = {}
    for person in people:
        if _is_whole(person, picture):
            looks.setdefault(person.t_s, []).append(person)
    seen: dict[tuple[int, int], list[float]] = {}
    for together in looks.values():
        for one in together:
            for other in together:
                if one.track != other.track and _at_one_depth(one, other):
                    seen.setdefault((one.track, other.track), []).append(one.box.h / other.box.h)
    ratios: dict[int, list[float]] = {person.track: [] for person in people}
    for (track, _), values in sorted(seen.items()):
        ratios[track].append(median(values))
    return {track: tuple(values) for track, values in ratios.items()}


def _from_age(ages: Sequence[float]) -> float:
    if not ages:
        return 0.0
    mean = min(max(fmean(ages), 1e-6), 1 - 1e-6)
    most = _MOST_FROM_AGE * min(len(ages), _ENOUGH_LOOKS) / _ENOUGH_LOOKS
    return min(max(math.log(mean / (1 - mean)), -most), most)


def _from_size(ratios: Sequence[float]) -> float:
    if not ratios:
        return 0.0
    return _MOST_FROM_TALLER * _strength(max(ratios)) - _MOST_FROM_SHORTER * _strength(1 / min(ratios))


def _strength(ratio: float) -> float:
    """0..1: how much a height ratio says."""
    return min(max(math.log(ratio / _NOT_TALLER) / math.log(_FAR_TALLER / _NOT_TALLER), 0.0), 1.0)


def _is_whole(person: PersonBox, picture: tuple[int, int]) -> bool:
    box, (width, height) = person.box, picture
    return (
        box.x > _AT_EDGE_PX
        and box.y > _AT_EDGE_PX
        and box.x + box.w < width - _AT_EDGE_PX
        and box.y + box.h < height - _AT_EDGE_PX
    )


def _at_one_depth(one: PersonBox, other: PersonBox) -> bool:
    apart = abs(one.box.y + one.box.h - other.box.y - other.box.h)
    return apart <= _SAME_DEPTH * max(one.box.h, other.box.h)
