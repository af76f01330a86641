"""Who was apart from the group, from when to when: what ``neglect`` rests on. Pure geometry over people's boxes."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from uriai.domain.analysis import Observations, PersonBox, iou
from uriai.domain.rules.faces import is_adult, milliseconds
from uriai.domain.thresholds import Thresholds

UNSEEN_MS = 3_000
"""A person may go unseen for so long, inside a clip or across a seam, and still count as having been apart throughout:
people are looked for once a second, and one or two looks may miss one.
"""
_SAME_PLACE = 0.3
"""Intersection over union of two boxes at a seam from which on they are of one person."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A track of one clip that was apart from ``start_ms`` to ``end_ms``, counted from the clip's start.

    ``open_before`` and ``open_after`` say that the clip does not show the person with the others before or after it.
    """

    track: int
    start_ms: int
    end_ms: int
    open_before: bool
    open_after: bool


def pieces(observations: Observations, thresholds: Thresholds) -> tuple[Piece, ...]:
    """Every span in which somebody was apart, by start and track.

    A person is apart in a look where at least two others stand together and nobody is within ``neglect_distance``
    person-heights. Where there is no such group the look says nothing. Who is surely an adult is left out: who looks
    after children stands apart from them for a living.
    """
    grown_up = {face.track for face in observations.faces if is_adult(face)}
    looks: dict[int, list[tuple[int, bool]]] = {}
    for together in _looks(observations.people):
        t_ms = milliseconds(together[0].t_s)
        for person in together:
            apart = is_apart(person, together, thresholds.neglect_distance)
            if apart is not None:
                looks.setdefault(person.track, []).append((t_ms, apart))
    found = [piece for track, seen in looks.items() if track not in grown_up for piece in _spans(track, seen)]
    return tuple(sorted(found, key=lambda piece: (piece.start_ms, piece.track)))


def is_apart(person: PersonBox, together: Sequence[PersonBox], distance: float) -> bool | None:
    """Whether a person is farther than ``distance`` person-heights from everybody else; None without a group.

    The measure is the mean height of the two boxes, from feet to feet: people stand on the floor, and a child's height
    beside an adult's is not the same measure.
    """
    others = [other for other in together if other.track != person.track]
    if any(_heights_between(person, other) <= distance for other in others):
        return False
    grouped = any(_heights_between(one, other) <= distance for i, one in enumerate(others) for other in others[i + 1 :])
    return True if grouped else None


def joined_at_seam(before: Observations, after: Observations) -> dict[int, int]:
    """Track of the earlier clip -> track of the later one, by the overlap of their boxes at the seam and nothing else.

    Who overlaps best is taken first, each once.
    """
    end_ms = milliseconds(before.duration_s)
    last, first = _nearest(before.people, end_ms), _nearest(after.people, 0)
    candidates = sorted((-iou(one.box, other.box), one.track, other.track) for one in last for other in first)
    joined: dict[int, int] = {}
    for overlap, track, next_track in candidates:
        if -overlap >= _SAME_PLACE and track not in joined and next_track not in joined.values():
            joined[track] = next_track
    return joined


def _looks(people: Collection[PersonBox]) -> list[list[PersonBox]]:
    """People by moment, in order of time."""
    moments: dict[int, list[PersonBox]] = {}
    for person in people:
        moments.setdefault(milliseconds(person.t_s), []).append(person)
    return [moments[t_ms] for t_ms in sorted(moments)]


def _spans(track: int, seen: list[tuple[int, bool]]) -> list[Piece]:
    runs: list[list[int]] = []
    last_apart = False
    for t_ms, apart in sorted(seen):
        if apart and last_apart and t_ms - runs[-1][-1] <= UNSEEN_MS:
            runs[-1].append(t_ms)
        elif apart:
            runs.append([t_ms])
        last_apart = apart
    first_look, last_look = min(seen)[0], max(seen)[0]
    return [
        Piece(track, run[0], run[-1], open_before=run[0] == first_look, open_after=run[-1] == last_look) for run in runs
    ]


def _nearest(people: Collection[PersonBox], seam_ms: int) -> list[PersonBox]:
    """Each track's box nearest to the seam, of those that are near enough to it."""
    near: dict[int, list[tuple[int, tuple[float, ...], PersonBox]]] = {}
    for person in people:
        away_ms = abs(milliseconds(person.t_s) - seam_ms)
        if away_ms <= UNSEEN_MS:
            box = person.box
            near.setdefault(person.track, []).append((away_ms, (box.x, box.y, box.w, box.h), person))
    return [min(boxes, key=lambda found: found[:2])[2] for boxes in near.values()]


def _heights_between(one: PersonBox, other: PersonBox) -> float:
    """From feet to feet, in the mean height of the two."""
    height = (one.box.h + other.box.h) / 2
    if height <= 0:
        return 0.0
    across = one.box.x + one.box.w / 2 - other.box.x - other.box.w / 2
    along = one.box.y + one.box.h - other.box.y - other.box.h
    return math.hypot(across, along) / height
