"""Practice material without a single real person: films and labelled pictures of the rendered playroom.

Seeds are those that training may use; nothing made here says anything about real footage.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import cv2

from models.tools import film, labels
from models.tools.film import Shot
from models.tools.geometry import Box, Image
from models.tools.labels import Picture
from models.tools.tally import Tally
from playroom import Act, body, render_clip, require_training_seed
from playroom.room import make_camera
from playroom.world import World

CLASSES = ("person", "assault")
CALM = ("walk", "play", "hug", "sit")
_FIRST_SEED = 90_000
_MARGIN = 0.12
"""A body reaches beyond its joints by about this share of its height."""


def clips(out: Path, rooms: int, length_s: float, fps: int, size: tuple[int, int], tally: Tally) -> None:
    """``rooms`` rooms, in each one assault and one calm scene: ``fight/room3__assault.mp4``, ``no_fight/…``."""
    for number in range(rooms):
        for kind, scene in (("fight", "assault"), ("no_fight", CALM[number % len(CALM)])):
            (out / kind).mkdir(parents=True, exist_ok=True)
            path = out / kind / f"room{number}__{scene}.mp4"
            film.write(_shots(_FIRST_SEED + number, scene, length_s, fps, size), path, crf=23)
            tally.use("clips")


def pictures(out: Path, count: int, size: tuple[int, int], tally: Tally) -> None:
    """``count`` labelled pictures as labelImg would leave them (YOLO and ``classes.txt``)."""
    out.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        seed = _FIRST_SEED + number
        scene = "assault" if number % 2 else "walk"
        (image,) = list(render_clip(seed, scene, 1.0, 1, size))
        path = out / f"room{number}.png"
        boxes = _boxes(seed, scene, size)
        if not cv2.imwrite(str(path), image):
            raise film.FilmError(f"{path} cannot be written")
        labels.write(out, path.stem, "yolo", Picture(path, image, boxes), CLASSES)
        tally.use("pictures")
        tally.use("boxes", len(boxes))
    labels.write_classes(out, CLASSES)


def _shots(seed: int, scene: str, length_s: float, fps: int, size: tuple[int, int]) -> Iterator[Shot]:
    require_training_seed(seed)
    for number, image in enumerate(render_clip(seed, scene, length_s, fps, size)):
        frame: Image = image
        yield Shot(number / fps, number, frame)


def _boxes(seed: int, scene: str, size: tuple[int, int]) -> tuple[Box, ...]:
    """A box round each person in the first frame, and one round child and nearest adult when there is an assault."""
    require_training_seed(seed)
    world = World(seed, (Act(scene, 1.0),))
    camera = make_camera(world.room, size)
    found: list[Box] = []
    struck: list[Box] = []
    for actor in world.actors:
        if actor.hidden:
            continue
        joints = body.solve(actor.build, actor.x, actor.y, actor.heading, actor.pose)
        points = [camera.project(getattr(joints, f.name)) for f in fields(joints) if f.name not in ("facing", "crown")]
        xs, ys = [p[0] for p in points], [p[1] for p in points]
        margin = _MARGIN * max(max(xs) - min(xs), max(ys) - min(ys))
        edges = (min(xs) - margin, min(ys) - margin, max(xs) + margin, max(ys) + margin)
        box = Box("person", *edges).clipped(*size)
        if min(box.width, box.height) < 2:
            continue
        found.append(box)
        if world.victim is not None and (actor is world.victim or actor.build.adult):
            struck.append(box)
    if len(struck) > 1:
        outer = (min(b.left for b in struck), min(b.top for b in struck))
        found.append(Box("assault", *outer, max(b.right for b in struck), max(b.bottom for b in struck)))
    return tuple(found)
