"""Who is in a clip: people and faces with their tracks, emotions and adulthood, as its frames go by.

What costs is kept to where it can matter, by a cascade. Once a second the heads of the people known, and the places
where faces were, are searched for faces. The people themselves are looked for every two seconds, every second while
somebody is apart from a group. A face that shows what a rule may ask for is looked at twice a second, in its place
only. Nothing is looked for where the picture stands still. The whole frame is searched for faces at a reduced size and
more rarely; faces too small for that are found in heads. An age is asked for on the first looks at a track only.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import count

import numpy as np

from uriai.adapters.vision import age, emotion
from uriai.adapters.vision.age import AgeModel
from uriai.adapters.vision.clothes import clothes
from uriai.adapters.vision.emotion import EmotionClassifier
from uriai.adapters.vision.faces import DetectedFace, FaceDetector, merged
from uriai.adapters.vision.heads import find_in_parts, head_of
from uriai.adapters.vision.joining import SeenFace, joined
from uriai.adapters.vision.people import PersonDetector, steady
from uriai.adapters.vision.sampling import Every
from uriai.adapters.vision.scaling import Image, shrink
from uriai.adapters.vision.tracker import PEOPLE, Tracker
from uriai.adapters.vision.video import Frame
from uriai.domain.adulthood import adult_probability, size_ratios
from uriai.domain.analysis import Box, Face, PersonBox, iou
from uriai.domain.rules.apartness import is_apart
from uriai.domain.rules.faces import ANGER, DISTRESS
from uriai.domain.thresholds import bounds

LOOK_EVERY_S = 0.5
_FULL_EVERY = 2
"""Every second look is a full one: heads, where faces were, and people and the whole frame when they are due."""
_PEOPLE_EVERY = 2
"""People are looked for at every second full look where nobody is apart."""
_WHOLE_EVERY = 2
_ALONE_EVERY = 4
"""The whole frame is searched at every second full look where there are people, at every fourth where they show no
face: heads, and where faces were, are searched at each.
"""
_AROUND = 3.0
"""Sides of a face that are searched for it at the next look: within half a second it moves by its own width."""
_TELLING = 0.3
"""A face that shows anger or distress with so much is looked at twice a second; rules ask for 0.6 unless told."""
_STILL_SIDE_PX = 64
_STILL_CHANGE = 12
"""Noise and compression change the values (0..255) of the 64 x 64 px picture by less; what moves by a face's width, by
more.
"""
_AGES_A_TRACK = 3
_STAKE_LASTS = 3
"""Full looks for which something stays at stake: a detector misses somebody now and then."""
_APART_HEIGHTS = bounds("neglect_distance")[0]
_FACES_IN_A_HEIGHT = 4
"""A person's height in faces, at the least, those of the youngest: in a smaller body no emotion can be read."""

Stage = Callable[[str], AbstractContextManager[object]]
"""Times what is done inside under a name."""


@dataclass(frozen=True, slots=True)
class Detectors:
    """The models that look at people."""

    faces: FaceDetector
    people: PersonDetector
    emotion: EmotionClassifier
    age: AgeModel


@dataclass(frozen=True, slots=True)
class _Look:
    """What one search found in one picture, kept small to tell whether the next picture differs; ``complete`` where
    people were looked for as well.
    """

    picture: Image
    faces: tuple[DetectedFace, ...]
    people: tuple[Box, ...]
    complete: bool = True


class Presence:
    """Feed it every frame with `see`, then take `result` once."""

    def __init__(self, detectors: Detectors, stage: Stage, *, cascade: bool = True) -> None:
        """``cascade`` False spares nothing, to measure what the cascade misses."""
        self._detectors = detectors
        self._stage = stage
        self._cascade = cascade
        self._calm = self._faceless = _STAKE_LASTS
        self._schedule = Every(LOOK_EVERY_S)
        numbers = count(1)
        self._face_tracks = Tracker(numbers)
        self._people_tracks = Tracker(numbers, PEOPLE)
        self._last: _Look | None = None
        self._full: _Look | None = None
        self._places: list[Box] = []
        self._telling: list[Box] = []
        self._faces: list[SeenFace] = []
        self._people: list[PersonBox] = []
        self._ages: dict[int, list[float]] = {}
        self._picture = (0, 0)

    def see(self, frame: Frame) -> None:
        """Look at a frame, if a look is due."""
        due = self._schedule.due(frame)
        full = [look // _FULL_EVERY for look in due if look % _FULL_EVERY == 0]
        if not due or not (full or not self._cascade or self._telling):
            return
        image = frame.image()
        self._picture = (image.shape[1], image.shape[0])
        look = self._full_look(image, full[0]) if full else self._quick_look(image)
        self._last = look
        if full and look.complete:
            self._full = look
            self._calm = 0 if _somebody_apart(look.people) else self._calm + 1
            worn = [clothes(image, box) for box in look.people]
            tracks = self._people_tracks.update(frame.t_s, look.people, worn)
            boxes = zip(look.people, tracks, strict=True)
            self._people += [PersonBox(frame.t_s, track, box) for box, track in boxes]
        self._telling = self._take(frame.t_s, image, look.faces)
        found = [face.box for face in look.faces]
        # a quick look is at some faces only: the others are where they were
        rest = [] if full else [box for box in self._places if not any(iou(box, other) for other in found)]
        self._places = found + rest

    def result(self) -> tuple[tuple[Face, ...], tuple[PersonBox, ...]]:
        """Faces and people in order of time; a face and the person it belongs to have one track, from 1 on."""
        renamed = joined(self._faces, self._people)
        people = tuple(PersonBox(p.t_s, renamed[p.track], p.box) for p in self._people)
        ratios = size_ratios(people, self._picture)
        ages: dict[int, list[float]] = {}
        for track, values in self._ages.items():
            ages.setdefault(renamed[track], []).extend(values)
        adult = {
            track: adult_probability(ages.get(track, ()), ratios.get(track, ())) for track in set(renamed.values())
        }
        faces = tuple(
            Face(seen.t_s, renamed[seen.track], seen.box, seen.emotions, adult[renamed[seen.track]])
            for seen in self._faces
        )
        return faces, people

    def _full_look(self, image: Image, number: int) -> _Look:
        picture = _small(image)
        if self._full is not None and _alike(picture, self._full.picture):
            return self._full
        people, complete = self._full.people if self._full is not None else (), self._people_due(number)
        if complete:
            with self._stage("people"):
                people = tuple(person.box for person in steady(self._detectors.people.find(image), people))
        with self._stage("faces"):
            found = self._in_parts(image, people)
            self._faceless = 0 if found else self._faceless + 1
            if self._whole_due(number, people):
                found = merged([*self._detectors.faces.find(image), *found])
                self._faceless = 0 if found else self._faceless
        return _Look(picture, found, people, complete)

    def _people_due(self, number: int) -> bool:
        """Whether the people are looked for, or are where they were at the last look."""
        if not self._cascade or self._calm < _STAKE_LASTS or number % _PEOPLE_EVERY == 0:
            return True
        # where nobody is found, a face near the camera may be all there is to be seen of somebody
        return self._full is None or not self._full.people

    def _whole_due(self, number: int, people: tuple[Box, ...]) -> bool:
        """Whether faces are looked for everywhere, and not only where there may be one."""
        every = _WHOLE_EVERY if self._faceless < _STAKE_LASTS else _ALONE_EVERY
        return not self._cascade or not people or number % every == 0

    def _in_parts(self, image: Image, people: tuple[Box, ...]) -> tuple[DetectedFace, ...]:
        """Faces in the heads of people, and where there were some."""
        least_px = emotion.LEAST_PX * _FACES_IN_A_HEIGHT if self._cascade else 0
        parts = [head_of(box) for box in people if box.h >= least_px]
        if self._cascade:
            parts += [_around(face) for face in self._places if not any(_holds(part, face) for part in parts)]
        return merged(find_in_parts(self._detectors.faces, image, parts))

    def _quick_look(self, image: Image) -> _Look:
        picture = _small(image)
        if self._last is not None and _alike(picture, self._last.picture):
            return self._last
        with self._stage("faces"):
            if not self._cascade:
                return _Look(picture, self._detectors.faces.find(image), ())
            places = [_around(face) for face in self._telling]
            return _Look(picture, merged(find_in_parts(self._detectors.faces, image, places)), ())

    def _take(self, t_s: float, image: Image, faces: tuple[DetectedFace, ...]) -> list[Box]:
        """Note the faces of a moment; returns those that show what a rule may ask for."""
        boxes = [face.box for face in faces]
        tracks = self._face_tracks.update(t_s, boxes)
        large = [box for box in boxes if min(box.w, box.h) >= emotion.LEAST_PX]
        with self._stage("emotion"):
            emotions = iter(self._detectors.emotion.classify([emotion.crop(image, box) for box in large]))
        telling = []
        for box, track in zip(boxes, tracks, strict=True):
            shown = next(emotions) if min(box.w, box.h) >= emotion.LEAST_PX else {}
            self._faces.append(SeenFace(t_s, track, box, shown))
            if max(shown.get(name, 0.0) for name in (*ANGER, *DISTRESS)) >= _TELLING:
                telling.append(box)
        asked = [
            (track, age.chip(image, face))
            for face, track in zip(faces, tracks, strict=True)
            if min(face.box.w, face.box.h) >= age.LEAST_PX and len(self._ages.get(track, ())) < _AGES_A_TRACK
        ]
        if asked:
            with self._stage("age"):
                answers = self._detectors.age.adult([chip for _, chip in asked])
            for (track, _), answer in zip(asked, answers, strict=True):
                self._ages.setdefault(track, []).append(answer)
        return telling


def _around(face: Box) -> Box:
    """The square in which a face is looked for that was here a moment before."""
    side = _AROUND * max(face.w, face.h)
    return Box(face.x + face.w / 2 - side / 2, face.y + face.h / 2 - side / 2, side, side)


def _holds(part: Box, face: Box) -> bool:
    """Whether a face is well inside a part of the picture: half its size from the edge."""
    return (
        part.x <= face.x - face.w / 2
        and part.y <= face.y - face.h / 2
        and face.x + 1.5 * face.w <= part.x + part.w
        and face.y + 1.5 * face.h <= part.y + part.h
    )


def _somebody_apart(people: tuple[Box, ...]) -> bool:
    """Whether somebody may be apart by the rule for neglect, however low its limit is set."""
    together = [PersonBox(0.0, number, box) for number, box in enumerate(people)]
    return any(is_apart(person, together, _APART_HEIGHTS) for person in together)


def _small(image: Image) -> Image:
    return shrink(image, _STILL_SIDE_PX, _STILL_SIDE_PX)


def _alike(one: Image, other: Image) -> bool:
    """Whether nothing moved between two pictures; where nothing did, people and faces are where they were."""
    return int(np.abs(one.astype(np.int16) - other.astype(np.int16)).max()) < _STILL_CHANGE
