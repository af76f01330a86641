"""Frames of a clip or a programme, and the truth about them."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta, timezone
from random import Random

import cv2
import numpy as np

from playroom import body, draw
from playroom.actor import STEP_S
from playroom.acts import Act, Span, total_s
from playroom.camera import Camera
from playroom.finish import Finish
from playroom.room import Image, make_camera, paint_room
from playroom.stamp import Stamp
from playroom.world import World

DEFAULT_START = datetime(2026, 3, 2, 10, 0, 0, tzinfo=timezone(timedelta(hours=9)))
"""The time stamp of the first frame when none is given: fixed, so that the same arguments give the same bytes."""


def render_clip(
    seed: int,
    scene: str,
    duration_s: float,
    fps: int = 15,
    size: tuple[int, int] = (640, 360),
    started_at: datetime | None = None,
) -> Iterator[Image]:
    """Frames of one scene: height x width x 3, uint8, BGR.

    The same arguments give the same bytes (for one version of numpy and OpenCV). ``size`` is (width, height), both
    even. Seeds below ``FIRST_DEMO_SEED`` are for training, the others for the demonstration and the tests.
    Raises UnknownSceneError for a scene that is not in ``SCENES`` and ValueError for numbers that make no film.
    """
    return render_programme(seed, (Act(scene, duration_s),), fps, size, started_at)


def render_programme(
    seed: int,
    acts: Sequence[Act],
    fps: int = 15,
    size: tuple[int, int] = (640, 360),
    started_at: datetime | None = None,
    camera: int | None = None,
) -> Iterator[Image]:
    """Frames of several scenes on end, with the same people in the same room. Otherwise as ``render_clip``.

    ``camera`` is the number burned in beside the clock; without it the seed chooses one.
    """
    if not 1 <= fps <= 60:
        raise ValueError(f"fps must be 1 to 60, not {fps}")
    if min(size) < 64 or max(size) > 4096 or size[0] % 2 or size[1] % 2:
        raise ValueError(f"size must be even numbers from 64 to 4096, not {size[0]}x{size[1]}")
    return _frames(World(seed, acts), fps, size, started_at or DEFAULT_START, camera)


def frame_count(acts: Sequence[Act], fps: int) -> int:
    """How many frames ``render_programme`` gives."""
    return max(1, round(total_s(acts) * fps))


def truth(seed: int, acts: Sequence[Act]) -> list[Span]:
    """When somebody is being assaulted: from the first hand laid on the child to the last, kind ``physical``.

    Computed by running the same simulation that is drawn, so the frame rate does not matter.
    """
    world = World(seed, acts)
    end = total_s(acts)
    while world.time_s < end - STEP_S / 2:
        world.advance()
    return [Span(span.start_s, min(span.end_s, end), span.kind) for span in world.spans]


def _frames(world: World, fps: int, size: tuple[int, int], started_at: datetime, number: int | None) -> Iterator[Image]:
    camera = make_camera(world.room, size)
    empty = paint_room(world.room, camera)
    finish, stamp = Finish(world.seed, size), Stamp(world.seed, size, started_at, number)
    rng = Random(world.seed * 7919 + 61)
    slant = (rng.uniform(-0.35, 0.35), rng.uniform(-0.35, 0.35))
    for k in range(frame_count(world.acts, fps)):
        while world.time_s < k / fps - STEP_S / 2:
            world.advance()
        picture = picture_of(world, camera, slant, empty)
        frame = finish(picture, world.light.exposure, world.light.infrared)
        stamp(frame, k / fps)
        yield frame


def picture_of(world: World, camera: Camera, slant: tuple[float, float], empty: Image) -> Image:
    """The room with its people, in even light."""
    people = [
        (actor.build, body.solve(actor.build, actor.x, actor.y, actor.heading, actor.pose), actor.pose)
        for actor in world.actors
        if not actor.hidden
    ]
    shade = np.full((camera.height_px // 2, camera.width_px // 2), 255, np.uint8)
    for build, joints, _ in people:
        draw.shadow_of_person(shade, camera, build, joints, slant)
    shade = np.asarray(cv2.resize(cv2.blur(shade, (5, 5)), (camera.width_px, camera.height_px)), np.uint8)
    picture = np.asarray(cv2.multiply(empty, cv2.merge([shade, shade, shade]), scale=1 / 255), np.uint8)
    parts: list[draw.Part] = []
    for build, joints, pose in people:
        parts += draw.person_parts(camera, build, joints, pose)
    for table in world.room.tables:
        parts += draw.table_parts(camera, table)
    for block in world.blocks:
        parts += draw.box_parts(camera, block)
    if world.ball:
        ball = world.ball
        parts += draw.ball_parts(camera, (ball.x, ball.y, ball.radius_m), ball.radius_m, ball.colour)
    parts.sort(key=lambda part: -part[0])
    for _, paint in parts:
        paint(picture)
    return picture
