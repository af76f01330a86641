"""What of each frame of a film is covered, decided when the whole film has been looked at.

Faces are looked for a few times a second. Between two finds of one track its box is taken to move evenly; before the
first and after the last it stays and grows; so no face shows for a frame between detections, and none in the moment
before it was first found. Where a person is found and no sure face, the place where the head is expected is covered.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count, pairwise

from uriai.adapters.vision.faces import DetectedFace
from uriai.adapters.vision.joining import SeenFace, joined
from uriai.adapters.vision.masking import ENLARGED, Cover, enlarge
from uriai.adapters.vision.people import DetectedPerson
from uriai.adapters.vision.tracker import FACES, PEOPLE, Tracker
from uriai.domain.analysis import Box, PersonBox
from uriai.service.ports.masking import Doubt, DoubtfulFrame, MaskedTrack

SURE = 0.5
"""A face from this score on says where the head is; below it the expected place of the head is covered as well."""
_WEAK = 0.35
_HELD_S, _HELD_WEAK_S = 1.0, 0.4
"""How long a box stays before the first and after the last find; the shorter where it was found once, and weakly."""
_BRIDGED_S = 3.0
"""Of two finds that lie farther apart each stands for itself; `FACES` gives a new number by then anyway."""
_GROWTH_PER_S = 1.0
"""What a box grows for each second to the nearest find, in sizes of it: a head turns away within half a second."""
_MOST_GROWTH = 0.8
_DOUBTED_GAP_S = 1.0
_HEAD_HEIGHT, _HEAD_WIDTH = 0.3, 0.4
"""The part of a standing person's box, from its top, that is covered as the head: shares of the box's height."""
_HEAD_ENLARGED = 1.2
"""An expected head is given as a large place already."""
_BENT_HEIGHT = 0.5
"""The same where the box is broader than high: who bends, crawls or lies has the head somewhere in its upper half."""


@dataclass(frozen=True, slots=True)
class Looked:
    """What was found in the frame at ``t_s``, in pixels of the upright picture."""

    t_s: float
    frame: int
    faces: tuple[DetectedFace, ...]
    people: tuple[DetectedPerson, ...]


@dataclass(frozen=True, slots=True)
class _Find:
    t_s: float
    frame: int
    box: Box
    score: float


class _Line:
    """The boxes of one face, or of one head, in order of time."""

    def __init__(self, number: int, track: int, finds: Sequence[_Find], enlarged: float = ENLARGED) -> None:
        self.number, self.track, self.finds, self._enlarged = number, track, finds, enlarged
        self._times = [find.t_s for find in finds]
        sure = len(finds) > 2 or max(find.score for find in finds) >= SURE
        self._held_s = _HELD_S if sure else _HELD_WEAK_S

    def at(self, t_s: float) -> tuple[Box, float] | None:
        """The box at that time and how much it has to be enlarged; None where nothing is to be covered."""
        after = bisect_right(self._times, t_s)
        before = after - 1
        near = [find for find in (before, after) if 0 <= find < len(self.finds)]
        distance_s = min(abs(self._times[find] - t_s) for find in near)
        if len(near) == 2 and self._times[after] - self._times[before] <= _BRIDGED_S:
            one, other = self.finds[before], self.finds[after]
            box = _between(one.box, other.box, (t_s - one.t_s) / (other.t_s - one.t_s))
        elif distance_s <= self._held_s:
            box = self.finds[min(near, key=lambda find: abs(self._times[find] - t_s))].box
        else:
            return None
        return box, self._enlarged + min(distance_s * _GROWTH_PER_S, _MOST_GROWTH)


class Covers:
    """The covers of a film's frames.

    Parameters
    ----------
    looked:
        All looks, in order of time.
    size:
        Width and height of the upright picture in pixels.
    duration_s:
        Of the film.
    """

    def __init__(self, looked: Sequence[Looked], size: tuple[int, int], duration_s: float) -> None:
        self._size, self._duration_s = size, duration_s
        self._faces, self._heads = _lines(looked)

    @property
    def tracks(self) -> tuple[int, ...]:
        """The numbers of everybody in the film, from 1 on in order of appearance."""
        return tuple(sorted({line.track for line in (*self._faces, *self._heads)}))

    def at(self, t_s: float, except_track: int | None = None) -> tuple[Cover, ...]:
        """What is covered at that time, all but the one who stays visible."""
        width, height = self._size
        covers = []
        for line in (*self._faces, *self._heads):
            found = line.at(t_s) if line.track != except_track else None
            if found is None:
                continue
            left, top, right, bottom = enlarge(found[0], width, height, found[1])
            # whole pixels of the colour planes, which have half the size
            box = (left // 2 * 2, top // 2 * 2, min(right + right % 2, width), min(bottom + bottom % 2, height))
            if box[2] > box[0] and box[3] > box[1]:
                covers.append(Cover(line.number, box))
        return tuple(covers)

    def described(self, except_track: int | None) -> tuple[MaskedTrack, ...]:
        """Everybody, in order of their numbers."""
        described = []
        for track in self.tracks:
            faces = [find for line in self._faces if line.track == track for find in line.finds]
            heads = [find for line in self._heads if line.track == track for find in line.finds]
            best = max(faces or heads, key=lambda find: find.score)
            moments = [find.t_s for find in (*faces, *heads)]
            score = best.score if faces else 0.0
            masked = track != except_track
            described.append(MaskedTrack(track, min(moments), max(moments), best.t_s, best.box, score, masked))
        return tuple(described)

    def doubtful(self, except_track: int | None) -> tuple[DoubtfulFrame, ...]:
        """The frames a person should look at, in order."""
        doubts: list[tuple[_Find, int, Doubt]] = []
        for track in self.tracks:
            finds = sorted(
                (find for line in (*self._faces, *self._heads) if line.track == track for find in line.finds),
                key=lambda find: find.t_s,
            )
            doubts += [(find, track, doubt) for find, doubt in self._doubts(finds)]
        if except_track is not None:
            doubts += [(find, track, Doubt.CROSSING) for find, track in self._crossings(except_track)]
        return tuple(
            DoubtfulFrame(find.frame, find.t_s, track, doubt, find.box)
            for find, track, doubt in sorted(doubts, key=lambda entry: (entry[0].frame, entry[1], entry[2].value))
        )

    def _doubts(self, finds: Sequence[_Find]) -> Iterator[tuple[_Find, Doubt]]:
        first, last, best = finds[0], finds[-1], max(finds, key=lambda find: find.score)
        if best.score < _WEAK:
            yield best, Doubt.WEAK
            return
        if first.t_s > _HELD_WEAK_S and not self._at_border(first.box):
            yield first, Doubt.APPEARS
        if last.t_s < self._duration_s - _HELD_S and not self._at_border(last.box):
            yield last, Doubt.LOST
        for before, after in pairwise(finds):
            if after.t_s - before.t_s > _DOUBTED_GAP_S:
                yield before, Doubt.BRIDGED

    def _crossings(self, except_track: int) -> Iterator[tuple[_Find, int]]:
        """The finds of others that touch the one who stays visible, once a second and person."""
        shown = [line for line in (*self._faces, *self._heads) if line.track == except_track]
        told: dict[int, float] = {}
        for line in (*self._faces, *self._heads):
            if line.track == except_track:
                continue
            for find in line.finds:
                near = [found for other in shown if (found := other.at(find.t_s)) is not None]
                if find.t_s - told.get(line.track, -1.0) < 1.0 or not any(_touch(find.box, box) for box, _ in near):
                    continue
                told[line.track] = find.t_s
                yield find, line.track

    def _at_border(self, box: Box) -> bool:
        width, height = self._size
        return box.x < box.w or box.y < box.h or box.x + 2 * box.w > width or box.y + 2 * box.h > height


def head(person: Box) -> Box:
    """Where a person's head is expected, in pixels of the picture."""
    if person.w > person.h:
        return Box(person.x, person.y, person.w, _BENT_HEIGHT * person.h)
    width = min(person.w, _HEAD_WIDTH * person.h)
    return Box(person.x + (person.w - width) / 2, person.y, width, _HEAD_HEIGHT * person.h)


def _lines(looked: Sequence[Looked]) -> tuple[list[_Line], list[_Line]]:
    """The lines of faces and of heads, a person's under one track."""
    numbers = count(1)
    face_tracks, people_tracks = Tracker(numbers, FACES), Tracker(numbers, PEOPLE)
    faces: dict[int, list[_Find]] = {}
    people: dict[int, list[_Find]] = {}
    for look in looked:
        for face, track in zip(look.faces, face_tracks.update(look.t_s, [f.box for f in look.faces]), strict=True):
            faces.setdefault(track, []).append(_Find(look.t_s, look.frame, face.box, face.score))
        for person, track in zip(
            look.people, people_tracks.update(look.t_s, [p.box for p in look.people]), strict=True
        ):
            people.setdefault(track, []).append(_Find(look.t_s, look.frame, person.box, person.score))
    renamed = joined(
        [SeenFace(find.t_s, track, find.box, {}) for track, finds in faces.items() for find in finds],
        [PersonBox(find.t_s, track, find.box) for track, finds in people.items() for find in finds],
    )
    sure = {(renamed[track], find.frame) for track, finds in faces.items() for find in finds if find.score >= SURE}
    face_lines = [_Line(track, renamed[track], finds) for track, finds in faces.items()]
    return face_lines, list(_head_lines(people, renamed, sure))


def _head_lines(
    people: dict[int, list[_Find]], renamed: dict[int, int], sure: Iterable[tuple[int, int]]
) -> Iterator[_Line]:
    for track, finds in people.items():
        hidden = [
            _Find(find.t_s, find.frame, head(find.box), find.score)
            for find in finds
            if (renamed[track], find.frame) not in sure
        ]
        if hidden:
            yield _Line(track, renamed[track], hidden, _HEAD_ENLARGED)


def _between(one: Box, other: Box, share: float) -> Box:
    def mixed(before: float, after: float) -> float:
        return before + (after - before) * share

    return Box(mixed(one.x, other.x), mixed(one.y, other.y), mixed(one.w, other.w), mixed(one.h, other.h))


def _touch(one: Box, other: Box) -> bool:
    """Whether the enlarged boxes overlap."""
    return (
        abs(one.x + one.w / 2 - other.x - other.w / 2) < (one.w + other.w) / 2 * ENLARGED
        and abs(one.y + one.h / 2 - other.y - other.h / 2) < (one.h + other.h) / 2 * ENLARGED
    )
