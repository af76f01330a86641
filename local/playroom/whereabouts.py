"""Where everybody is in the picture: the truth that person detectors and trackers are measured against."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from playroom import body
from playroom.actor import STEP_S, Actor
from playroom.acts import Act
from playroom.body import JOINT_NAMES
from playroom.camera import Camera
from playroom.render import frame_count
from playroom.room import make_camera
from playroom.world import World

_AXES = ("facing", "crown")
"""Directions, not places."""


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """One person in one frame: a number that stays theirs, whether grown up, and left, top, width, height in pixels.

    The box is that of the whole body, also where somebody or something stands before it or the picture ends.
    """

    person: int
    adult: bool
    box: tuple[float, float, float, float]


def whereabouts(
    seed: int, acts: Sequence[Act], fps: int, size: tuple[int, int] = (640, 360)
) -> Iterator[tuple[Whereabouts, ...]]:
    """Everybody in the room, for each frame that ``render_programme`` gives for the same arguments."""
    world = World(seed, acts)
    camera = make_camera(world.room, size)
    for k in range(frame_count(acts, fps)):
        while world.time_s < k / fps - STEP_S / 2:
            world.advance()
        yield tuple(
            Whereabouts(number, actor.build.adult, _box(camera, actor))
            for number, actor in enumerate(world.actors)
            if not actor.hidden
        )


def _box(camera: Camera, actor: Actor) -> tuple[float, float, float, float]:
    build = actor.build
    joints = body.solve(build, actor.x, actor.y, actor.heading, actor.pose)
    left, top, right, bottom = [], [], [], []
    for name in JOINT_NAMES:
        if name in _AXES:
            continue
        x, y, depth = camera.project(getattr(joints, name))
        around_m = build.head_m if name == "head" else build.girth_m if name in ("chest", "pelvis") else build.limb_m
        around = around_m * camera.focal_px / depth
        left.append(x - around)
        right.append(x + around)
        top.append(y - around)
        bottom.append(y + around)
    return min(left), min(top), max(right) - min(left), max(bottom) - min(top)
