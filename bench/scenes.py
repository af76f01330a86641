"""Scripted scenes of emotional abuse and of neglect whose people and faces the real detectors can see.

Bodies are the rendered playroom's, seen by a camera at a grown person's height; the faces on them are real ones of
FER2013's public test set, as large as the heads. They stay in memory and in the caller's temporary folder. FER2013
tells no ages: who plays a child and who an adult is chosen by the project's own age model, and of the faces labelled
with an emotion those are taken that the emotion model reads so. So the scenes show what the rules need to see: they ask
what a way of looking misses of it, and say nothing about how good these models are.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import cv2
import numpy as np
from numpy.typing import NDArray

from models.emotion.data import CLASSES, load
from playroom import body
from playroom.actor import STEP_S, Actor
from playroom.acts import Act
from playroom.body import Build, make_build, solve
from playroom.camera import Camera
from playroom.finish import Finish
from playroom.render import picture_of
from playroom.room import paint_room
from playroom.video import encode
from playroom.world import World
from uriai.adapters.vision.age import AgeModel, chip
from uriai.adapters.vision.emotion import EmotionClassifier, crop
from uriai.adapters.vision.faces import FaceDetector
from uriai.domain.rules.faces import ANGER, DISTRESS

SIZE, FPS = (1280, 720), 8
_SKIN = (140, 172, 215)
_FACE_IN_HEADS = 2.1
"""The side of a FER2013 picture in radii of the head: it shows a face from ear to ear and from brow to chin."""
_LOOKS_ADULT, _LOOKS_CHILD = 0.9, 0.2
_CLEAR = 0.7
_SEED = 1_000_300
_EYE_Y = 0.2
"""Metres from the near wall to the camera."""
Gray = NDArray[np.uint8]


@dataclass(frozen=True)
class Cast:
    """Faces by age (``adult``, ``child``) and emotion, each gray uint8 [48, 48]."""

    faces: Mapping[tuple[str, str], Sequence[Gray]]


@dataclass(frozen=True)
class Role:
    """One person: where (metres right of the middle and away from the camera), and what the face shows when.

    ``shows``: (from, to, emotion) in seconds; neutral else. ``away``: spans in which the face is turned away.
    ``paces``: metres to and fro.
    """

    adult: bool
    x: float
    depth: float
    shows: tuple[tuple[float, float, str], ...] = ()
    away: tuple[tuple[float, float], ...] = ()
    paces: float = 0.0


@dataclass(frozen=True)
class Scene:
    """``kind``: what it was written to show, or ``calm``."""

    name: str
    kind: str
    seconds: float
    seed: int
    roles: tuple[Role, ...] = field(repr=False)


def cast_of(detector: FaceDetector, ages: AgeModel, emotions: EmotionClassifier, wanted: int = 12) -> Cast:
    """Look for so many faces of each age and emotion that the models see as such.

    Raises
    ------
    EmotionDataError
        If FER2013 is not there.
    """
    test = load().public_test
    order = np.random.default_rng(7).permutation(len(test))
    faces: dict[tuple[str, str], list[Gray]] = {}
    for index in order:
        emotion = CLASSES[test.labels[index]]
        groups = [group for group in ("adult", "child") if len(faces.get((group, emotion), ())) < wanted]
        if emotion not in ("neutral", *ANGER, *DISTRESS) or not groups:
            continue
        picture = np.full((160, 160, 3), _SKIN, np.uint8)
        _lay(picture, test.pixels[index], (56, 56), 48, _SKIN)
        found = detector.find(picture)
        if len(found) != 1:
            continue
        (shown,) = emotions.classify([crop(picture, found[0].box)])
        if shown[emotion] < _CLEAR:
            continue
        (adult,) = ages.adult([chip(picture, found[0])])
        group = "adult" if adult >= _LOOKS_ADULT else "child" if adult <= _LOOKS_CHILD else None
        if group in groups:
            faces.setdefault((group, emotion), []).append(test.pixels[index])
    return Cast(faces)


def scripts(number: int) -> list[Scene]:
    """So many scenes of each kind, and a third as many calm ones; the same for a number."""
    scenes = []
    for n in range(number):
        scenes += [_emotional(_SEED + n), _neglect(_SEED + 1000 + n)]
    return scenes + [_calm(_SEED + 2000 + n) for n in range(number // 3)]


def _emotional(seed: int) -> Scene:
    """An adult angry at a child for some seconds, the child's fear beginning before or after; others about."""
    rng = Random(seed)
    begins, lasts = rng.uniform(1.0, 5.0), rng.uniform(1.5, 4.0)
    answer = max(0.0, begins + rng.uniform(-1.0, 1.5))
    child_shows = (answer, answer + rng.uniform(1.5, 4.0), rng.choice(DISTRESS))
    x = rng.uniform(-1.2, 0.6)
    roles = [
        Role(True, x, rng.uniform(2.9, 3.3), ((begins, begins + lasts, rng.choice(ANGER)),), _turned(rng, begins)),
        Role(False, x + rng.uniform(0.75, 1.0), rng.uniform(2.7, 3.0), (child_shows,), _turned(rng, answer)),
    ]
    roles += [
        Role(False, x + side, rng.uniform(3.0, 3.8), away=_turned(rng, 99.0), paces=rng.choice((0.0, 0.3)))
        for side in rng.sample((-0.9, 1.8, 2.4), rng.randint(0, 2))
    ]
    return Scene(f"emotional-{seed}", "emotional", 10.0, seed, tuple(roles))


def _neglect(seed: int) -> Scene:
    """A child apart from a group for the whole clip, whose face is distressed for some seconds and at times unseen."""
    rng = Random(seed)
    side = rng.choice((-1, 1))
    begins = rng.uniform(2.0, 18.0)
    cries = (begins, begins + rng.uniform(2.0, 6.0), rng.choice(DISTRESS))
    alone = Role(False, side * rng.uniform(1.75, 1.9), rng.uniform(2.9, 3.2), (cries,), _turned(rng, begins), 0.1)
    middle = -side * rng.uniform(1.45, 1.6)
    group = [
        Role(False, middle + offset, rng.uniform(3.0, 3.4), away=_turned(rng, 99.0), paces=rng.choice((0.0, 0.1)))
        for offset in (-0.35, 0.35)
    ]
    return Scene(f"neglect-{seed}", "neglect", 24.0, seed, (alone, *group))


def _calm(seed: int) -> Scene:
    """An adult among children, all with neutral faces."""
    rng = Random(seed)
    roles = [
        Role(n == 0, -1.4 + 0.85 * n, rng.uniform(2.9, 3.6), away=_turned(rng, 99.0), paces=rng.choice((0.0, 0.2)))
        for n in range(4)
    ]
    return Scene(f"calm-{seed}", "calm", 10.0, seed, tuple(roles))


def _turned(rng: Random, shows_at: float) -> tuple[tuple[float, float], ...]:
    """Spans in which a face is turned away: not in the four seconds after it shows something."""
    starts = [rng.uniform(0.0, 20.0) for _ in range(3)]
    spans = [(start, start + rng.uniform(0.5, 2.0)) for start in starts]
    return tuple(span for span in spans if span[1] < shows_at or span[0] > shows_at + 4.0)


class _Player:
    """A role on a body: sways, paces, and turns away."""

    def __init__(self, role: Role, middle_m: float, rng: Random) -> None:
        self.role, self.rng, self.home = role, rng, (middle_m + role.x, _EYE_Y + role.depth)

    def step(self, actor: Actor, world: World) -> None:
        """Called 60 times a second."""
        t_s = world.time_s
        actor.want[body.ROLL] = 0.03 * math.sin(t_s * 0.9 + self.home[0])
        actor.want[body.NOD] = -0.05 if not self.role.adult else 0.1
        actor.x = self.home[0] + self.role.paces * math.sin(t_s * 0.8)
        actor.y = self.home[1]
        turned = any(start <= t_s < end for start, end in self.role.away)
        actor.heading = math.pi / 2 if turned else -math.pi / 2


def film(scene: Scene, cast: Cast, folder: Path) -> Path:
    """Render a scene as MP4."""
    path = folder / f"{scene.name}.mp4"
    encode(_frames(scene, cast), path, FPS)
    return path


def _frames(scene: Scene, cast: Cast) -> Iterator[NDArray[np.uint8]]:
    rng = Random(scene.seed)
    world = World(scene.seed, (Act("sit", scene.seconds),))
    middle = world.room.width_m / 2
    builds = [_build(rng, role.adult) for role in scene.roles]
    world.actors = [Actor(build, 0.0, 0.0, 0.0, Random(rng.random())) for build in builds]
    world.roles = [_Player(role, middle, rng) for role in scene.roles]
    world.victim, world.blocks, world.ball = None, [], None
    eye = (middle, _EYE_Y, 1.35)
    camera = Camera.looking_at(eye, (middle, _EYE_Y + 3.2, 0.75), 0.0, math.radians(78), SIZE)
    empty, finish = paint_room(world.room, camera), Finish(scene.seed, SIZE)
    looks = [_looks(role, cast, rng) for role in scene.roles]
    for number in range(round(scene.seconds * FPS)):
        while world.time_s < number / FPS - STEP_S / 2:
            world.advance()
        for player, actor in zip(world.roles, world.actors, strict=True):
            player.step(actor, world)
        picture = picture_of(world, camera, (0.1, 0.1), empty)
        for actor, role, faces in zip(world.actors, scene.roles, looks, strict=True):
            _put_face(picture, camera, actor, faces[_shown(role, world.time_s)])
        yield finish(picture, 1.0, False)


def _build(rng: Random, adult: bool) -> Build:
    while True:
        build = make_build(rng, adult)
        if adult or 0.95 <= build.height_m <= 1.1:
            return build


def _looks(role: Role, cast: Cast, rng: Random) -> dict[str, Gray]:
    """One face for each emotion that the role shows."""
    age = "adult" if role.adult else "child"
    return {
        emotion: rng.choice(cast.faces[age, emotion]) for emotion in ("neutral", *(shown for *_, shown in role.shows))
    }


def _shown(role: Role, t_s: float) -> str:
    return next((emotion for start, end, emotion in role.shows if start <= t_s < end), "neutral")


def _put_face(picture: NDArray[np.uint8], camera: Camera, actor: Actor, gray: Gray) -> None:
    """Lay a face over a head that is turned to the camera."""
    if math.sin(actor.heading) > 0:
        return
    joints = solve(actor.build, actor.x, actor.y, actor.heading, actor.pose)
    x, y, depth = camera.project(joints.head)
    radius = actor.build.head_m * camera.focal_px / depth
    side = round(_FACE_IN_HEADS * radius)
    left, top = round(x - side / 2), round(y - side / 2 + 0.1 * radius)
    if left < 0 or top < 0 or left + side > picture.shape[1] or top + side > picture.shape[0]:
        return
    _lay(picture, gray, (left, top), side, actor.build.skin)


def _lay(picture: NDArray[np.uint8], gray: Gray, at: tuple[int, int], side: int, skin: body.Colour) -> None:
    """A face as an ellipse with a soft edge in a square at (left, top), in the colour of a skin."""
    face = cv2.resize(gray, (side, side), interpolation=cv2.INTER_CUBIC).astype(np.float32)[:, :, None]
    tint = np.array(skin, np.float32) / max(skin)
    shape = np.zeros((side, side), np.float32)
    cv2.ellipse(shape, (side // 2, side // 2), (round(0.44 * side), round(0.5 * side)), 0, 0, 360, 1.0, -1, cv2.LINE_AA)
    mask = cv2.GaussianBlur(shape, (0, 0), side / 24)[:, :, None]
    part = picture[at[1] : at[1] + side, at[0] : at[0] + side]
    part[:] = np.clip(part * (1 - mask) + face * tint * mask, 0, 255).astype(np.uint8)
