"""The clips that masked copies are measured on, and where the faces in them are; see `bench.masking`."""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np

REPOSITORY = Path(__file__).resolve().parents[1]
for _folder in ("layers/uriai", "local"):
    sys.path.append(str(REPOSITORY / _folder))

from playroom import body  # noqa: E402
from playroom.actor import STEP_S  # noqa: E402
from playroom.acts import Act  # noqa: E402
from playroom.render import frame_count, render_programme  # noqa: E402
from playroom.room import make_camera  # noqa: E402
from playroom.video import encode  # noqa: E402
from playroom.world import World  # noqa: E402
from uriai.adapters.vision.faces import FaceDetector  # noqa: E402
from uriai.adapters.vision.registry import LocalModels, open_model  # noqa: E402

WIDTH, HEIGHT, FPS = 1280, 720, 25
SEED = 4711
MOVING = 5
_ENLARGED_PX, _SURE, _LEAST_PX = 1920, 0.5, 36
Face = tuple[float, float, float, float]
"""Left, top, width, height in pixels."""


@dataclass(frozen=True, slots=True)
class Clip:
    """A clip and the faces of those frames (by number) that are counted."""

    name: str
    path: Path
    truth: dict[int, list[Face]]


@dataclass(frozen=True, slots=True)
class _Sprite:
    """A picture of a head, and where the face is in it."""

    picture: Any
    face: Face


def made(folder: Path, seconds: int, real: int) -> Iterator[Clip]:
    """Make the clips one after the other; what footage is missing for is left out by name."""
    yield _rendered(folder / "rendered.mp4", seconds)
    data = Path(os.environ.get("URIAI_DATA", REPOSITORY.parent / "shared" / "data"))
    sources = [path for path in sorted((data / "violence" / "clips").glob("*.mp4")) if _size(path) == (WIDTH, HEIGHT)]
    if not sources:
        print(f"no clips of {WIDTH}x{HEIGHT} under {data} (set URIAI_DATA): rendered only", file=sys.stderr)
        return
    detector = FaceDetector(open_model(LocalModels(REPOSITORY / "models"), "face"))
    rng = np.random.default_rng(SEED)
    stills = [_first(path) for path in sources[:: max(1, len(sources) // 24)]]
    heads = [head for still in stills for head in _heads(detector, still)]
    backdrop = cv2.blur(stills[0], (9, 9))
    if heads:
        chosen = [heads[number] for number in rng.permutation(len(heads))[:MOVING]]
        yield _moved("heads", folder / "heads.mp4", chosen, backdrop, seconds, rng)
    for number, source in enumerate(sources[:: max(1, len(sources) // max(real, 1))][:real]):
        yield _real(f"real {number + 1}", source, folder / f"real{number + 1}.mp4", detector)


def _rendered(path: Path, seconds: int) -> Clip:
    acts = (Act("playfight", float(seconds)),)
    encode(render_programme(SEED, acts, FPS, (WIDTH, HEIGHT)), path, FPS)
    world = World(SEED, acts)
    camera = make_camera(world.room, (WIDTH, HEIGHT))
    truth: dict[int, list[Face]] = {}
    for number in range(frame_count(acts, FPS)):
        while world.time_s < number / FPS - STEP_S / 2:
            world.advance()
        truth[number] = []
        for actor in world.actors:
            if actor.hidden:
                continue
            joints = body.solve(actor.build, actor.x, actor.y, actor.heading, actor.pose)
            x, y, depth = camera.project(joints.head)
            around = actor.build.head_m * camera.focal_px / depth
            truth[number].append((x - around, y - around, 2 * around, 2 * around))
    return Clip("rendered", path, truth)


def _heads(detector: FaceDetector, still: Any) -> Iterator[_Sprite]:
    for found in detector.find(still, 0.6, long_side_px=WIDTH):
        box = found.box
        if math.sqrt(box.w * box.h) < _LEAST_PX:
            continue
        side = 5 * max(box.w, box.h)
        left, top = int(max(0, box.x + box.w / 2 - side / 2)), int(max(0, box.y + box.h / 2 - side / 2))
        picture = still[top : int(top + side), left : int(left + side)]
        yield _Sprite(picture, (box.x - left, box.y - top, box.w, box.h))


def _moved(
    name: str, path: Path, sprites: Sequence[_Sprite], backdrop: Any, seconds: int, rng: np.random.Generator
) -> Clip:
    """The sprites on their way over the backdrop: they swing, tilt to both sides and grow dim now and then."""
    lanes = [(number + 0.5) * WIDTH / len(sprites) for number in range(len(sprites))]
    sizes, phases = rng.uniform(22, 60, len(sprites)), rng.uniform(0, math.tau, (len(sprites), 4))
    truth: dict[int, list[Face]] = {}

    def pictures() -> Iterator[Any]:
        for number in range(seconds * FPS):
            t_s, picture = number / FPS, backdrop.copy()
            truth[number] = []
            for sprite, lane, size, phase in zip(sprites, lanes, sizes, phases, strict=True):
                x = lane + 90 * math.sin(1.3 * t_s + phase[0])
                y = HEIGHT / 2 + 220 * math.sin(0.9 * t_s + phase[1])
                tilt, light = 40 * math.sin(1.7 * t_s + phase[2]), 0.65 + 0.35 * math.sin(2.1 * t_s + phase[3])
                truth[number].append(_laid(picture, sprite, (x, y), size, tilt, light))
            yield picture

    encode(pictures(), path, FPS)
    return Clip(name, path, truth)


def _laid(picture: Any, sprite: _Sprite, at: tuple[float, float], size: float, tilt: float, light: float) -> Face:
    """Lay a sprite into the picture so that its face has that size and place; returns the face's box."""
    left, top, width, height = sprite.face
    by = size / math.sqrt(width * height)
    middle = (left + width / 2, top + height / 2)
    matrix = cv2.getRotationMatrix2D(middle, tilt, by)
    matrix[:, 2] += np.array(at) - np.array(middle)
    shape = (picture.shape[1], picture.shape[0])
    rows, columns = sprite.picture.shape[:2]
    weight = np.zeros((rows, columns), np.float32)
    rim = max(1, min(rows, columns) // 12)
    weight[rim:-rim, rim:-rim] = 1
    weight = cv2.warpAffine(cv2.blur(weight, (2 * rim + 1, 2 * rim + 1)), matrix, shape)
    laid = cv2.warpAffine(sprite.picture, matrix, shape, flags=cv2.INTER_AREA).astype(np.float32) * light
    picture[:] = picture * (1 - weight[..., None]) + laid * weight[..., None]
    return at[0] - width * by / 2, at[1] - height * by / 2, width * by, height * by


def _real(name: str, source: Path, path: Path, detector: FaceDetector) -> Clip:
    """A real clip, coded anew so that it has an even rate, and what the detector finds in it enlarged."""
    with av.open(str(source)) as container:
        frames = [np.asarray(frame.to_ndarray(format="bgr24"), np.uint8) for frame in container.decode(video=0)][
            : 2 * FPS
        ]
    encode(frames, path, FPS)
    truth: dict[int, list[Face]] = {}
    enlarged = (_ENLARGED_PX, _ENLARGED_PX * HEIGHT // WIDTH)
    by = WIDTH / _ENLARGED_PX
    for number in range(0, len(frames), 2):
        picture = np.asarray(cv2.resize(frames[number], enlarged, interpolation=cv2.INTER_CUBIC), np.uint8)
        found = detector.find(picture, _SURE, long_side_px=_ENLARGED_PX)
        truth[number] = [(f.box.x * by, f.box.y * by, f.box.w * by, f.box.h * by) for f in found]
    return Clip(name, path, truth)


def _first(path: Path) -> Any:
    with av.open(str(path)) as container:
        return next(container.decode(video=0)).to_ndarray(format="bgr24")


def _size(path: Path) -> tuple[int, int]:
    with av.open(str(path)) as container:
        return container.streams.video[0].width, container.streams.video[0].height
