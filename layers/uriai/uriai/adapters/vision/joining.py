"""Which face belongs to which person of a clip, decided when the whole clip has been seen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from uriai.domain.analysis import Box, PersonBox

_HEAD = 0.6
"""A face lies in this share of its person's box, from the top."""
_SURE = 0.5
"""The share of the moments both could be seen in which they have to lie together."""


@dataclass(frozen=True, slots=True)
class SeenFace:
    """A face at one moment, under the number its own tracker gave it."""

    t_s: float
    track: int
    box: Box
    emotions: Mapping[str, float]


def joined(faces: Sequence[SeenFace], people: Sequence[PersonBox]) -> dict[int, int]:
    """Old track number (of faces and people, all different) -> new one, from 1 on in order of appearance.

    Face tracks are given to the person in whose head they lie most often; a person has one face at a time.
    """
    owner = _owners(faces, people)
    moments = [(p.track, p.t_s) for p in people] + [(f.track, f.t_s) for f in faces]
    first: dict[int, float] = {}
    for old, t_s in moments:
        track = owner.get(old, old)
        first[track] = min(first.get(track, t_s), t_s)
    numbers = {track: number for number, track in enumerate(sorted(first, key=lambda t: (first[t], t)), start=1)}
    return {old: numbers[owner.get(old, old)] for old, _ in moments}


def _owners(faces: Sequence[SeenFace], people: Sequence[PersonBox]) -> dict[int, int]:
    """Face track -> person track, for those that belong to somebody."""
    beside: dict[float, list[PersonBox]] = {}
    for person in people:
        beside.setdefault(person.t_s, []).append(person)
    votes: Counter[tuple[int, int]] = Counter()
    chances: Counter[int] = Counter()
    for face in faces:
        there = beside.get(face.t_s)
        if there is None:
            continue
        chances[face.track] += 1
        near = [
            (distance, person.track) for person in there if (distance := _from_head(face.box, person.box)) is not None
        ]
        if near:
            votes[face.track, min(near)[1]] += 1
    moments: dict[int, set[float]] = {}
    for face in faces:
        moments.setdefault(face.track, set()).add(face.t_s)
    owner: dict[int, int] = {}
    taken: dict[int, set[float]] = {}
    for (face_track, person_track), together in sorted(votes.items(), key=lambda item: (-item[1], item[0])):
        busy = taken.setdefault(person_track, set())
        if face_track in owner or together < _SURE * chances[face_track] or busy & moments[face_track]:
            continue
        owner[face_track] = person_track
        busy |= moments[face_track]
    return owner


def _from_head(face: Box, person: Box) -> float | None:
    """How far a face is from where a head would be, in widths of the person's box; None outside the upper part."""
    x, y = face.x + face.w / 2, face.y + face.h / 2
    if not (person.x <= x <= person.x + person.w and person.y - 0.1 * person.h <= y <= person.y + _HEAD * person.h):
        return None
    if face.h > _HEAD * person.h:
        return None
    return (abs(x - person.x - person.w / 2) + abs(y - person.y - face.h / 2)) / person.w
