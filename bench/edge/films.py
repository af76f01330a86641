"""Scripted films of the rendered playroom: when somebody moves is known to the frame, and so is when nobody does.

People come into view, cross the room and are gone; lamps are switched, infrared comes on, a curtain sways, the camera
shakes, streaks of rain pass before the lens. The same film goes to several encoders at once.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from fractions import Fraction
from pathlib import Path
from random import Random
from typing import Any, cast

import av
import cv2
import numpy as np
from av.video.stream import VideoStream
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "local"))

from playroom import body
from playroom.actor import STEP_S, Actor
from playroom.acts import Act
from playroom.finish import Finish
from playroom.render import picture_of
from playroom.room import make_camera, paint_room
from playroom.world import World

FPS = 15
Image = NDArray[np.uint8]

MIN_SCRIPTED_SHARE = 0.003
"""A scripted movement changes at least this share of the picture between two moments 0.2 s apart."""


@dataclass(slots=True)
class Movement:
    """Somebody crosses the room. Times in seconds from the film's start; ``share`` is measured while drawing."""

    start_s: float
    end_s: float
    adult: bool
    speed: float
    switch: bool
    """Whether a lamp is switched in the midst of it."""
    share: float = 0.0


@dataclass(frozen=True, slots=True)
class Trouble:
    """What must not make a clip: ``switch`` (lamp), ``infrared``, ``curtain``, ``shake``, ``rain``, ``exposure``."""

    kind: str
    start_s: float
    end_s: float


@dataclass(slots=True)
class Script:
    """One film."""

    name: str
    seed: int
    length_s: float
    size: tuple[int, int] = (640, 360)
    movements: list[Movement] = field(default_factory=list)
    troubles: list[Trouble] = field(default_factory=list)
    night: bool = False
    noise: float | None = None
    """Standard deviation of sensor noise, gray levels, fresh in every frame; None: what the seed's camera has."""

    steady: bool = False
    """Whether lamps neither flicker nor clouds pass, as on most days in most rooms; else as the seed's room has it."""

    @property
    def frames(self) -> int:
        return round(self.length_s * FPS)


def movements_script(name: str, seed: int, count: int, *, gap_s: float = 18.0, night: bool = False) -> Script:
    """``count`` movements of varied size, speed, length and light, with ``gap_s`` of quiet before each."""
    chance = Random(seed)
    at, movements = 20.0, []
    for number in range(count):
        length_s = chance.choice((1.2, 2.0, 3.0, 5.0, 8.0))
        movements.append(
            Movement(
                at + chance.uniform(0, 2.0),
                at + 2.0 + length_s,
                adult=chance.random() < 0.4,
                speed=chance.choice((0.3, 0.6, 1.0, 1.6, 2.4)),
                switch=not night and number % 8 == 7,
            )
        )
        movements[-1].end_s = movements[-1].start_s + length_s
        at = movements[-1].end_s + gap_s
    return Script(name, seed, math.ceil(at), movements=movements, night=night)


def quiet_script(name: str, seed: int, length_s: float, kinds: Sequence[str], every_s: float = 30.0) -> Script:
    """Nobody moves; the ``kinds`` of trouble come in turn, one every ``every_s``."""
    chance = Random(seed)
    troubles, at, number = [], 25.0, 0
    while kinds and at + 12 < length_s:
        kind = kinds[number % len(kinds)]
        lasts_s = chance.uniform(4.0, 9.0)
        troubles.append(Trouble(kind, at, at + lasts_s))
        at += max(every_s, lasts_s + 10)
        number += 1
    return Script(name, seed, length_s, troubles=troubles)


class _Walker:
    """A behaviour: to and fro between points of the room at one speed."""

    def __init__(self, movement: Movement, points: list[tuple[float, float]]) -> None:
        self.movement, self.points, self.next = movement, points, 1

    def step(self, actor: Actor, _world: World) -> None:
        if actor.go(*self.points[self.next], self.movement.speed) < 0.25:
            self.next = (self.next + 1) % len(self.points)


class _Film:
    def __init__(self, script: Script) -> None:
        self.script = script
        self.world = World(script.seed, [Act("empty", script.length_s + 1)])
        light = self.world.light
        light.night, light.lamp = script.night, not script.night
        light.lamp_level, light.infrared = (0.05, True) if script.night else (1.0, False)
        light.dark_s, light.gain = (1.0, 1.0) if script.night else (0.0, 0.95)
        if script.steady:
            light.flicker = light.clouds = 0.0
        self.camera = make_camera(self.world.room, script.size)
        self.empty = paint_room(self.world.room, self.camera)
        self.finish = Finish(script.seed, script.size)
        self.chance = Random(script.seed + 5)
        self.slant = (0.2, -0.2)
        self._cast()
        if script.noise is not None:
            for name in ("_grain", "_night_grain"):
                setattr(self.finish, name, np.zeros_like(getattr(self.finish, name)))
        self.noise = np.random.default_rng(script.seed + 6)

    def _cast(self) -> None:
        self.actors: list[tuple[Movement, Actor]] = []
        for movement in self.script.movements:
            points = [self.world.free_spot(self.chance) for _ in range(2)]
            while math.dist(points[0], points[1]) < 1.2:
                points[1] = self.world.free_spot(self.chance)
            build = body.make_build(self.chance, movement.adult)
            actor = Actor(build, *points[0], self.chance.uniform(0, math.tau), Random(self.chance.random()))
            actor.hidden = True
            self.actors.append((movement, actor))
            self.world.actors.append(actor)
            self.world.roles.append(_Walker(movement, points))

    def frames(self) -> Iterator[Image]:
        before: list[Image] = []
        for number in range(self.script.frames):
            now = number / FPS
            for movement, actor in self.actors:
                actor.hidden = not movement.start_s <= now < movement.end_s
            self._light(now)
            while self.world.time_s < now - STEP_S / 2:
                self.world.advance()
            anybody = any(not actor.hidden for _, actor in self.actors)
            picture = picture_of(self.world, self.camera, self.slant, self.empty) if anybody else self.empty
            self._measure(now, picture, before)
            before = [*before[-2:], picture]
            picture = self._disturb(picture, now)
            frame = self.finish(picture, self.world.light.exposure, self.world.light.infrared)
            if self.script.noise is not None:
                noise = self.noise.standard_normal(frame.shape[:2], np.float32)[:, :, None] * self.script.noise
                frame = np.clip(np.round(frame + noise), 0, 255).astype(np.uint8)
            yield self._after(frame, now)

    def _measure(self, now: float, picture: Image, before: list[Image]) -> None:
        for movement in self.script.movements:
            if movement.start_s + 0.3 <= now < movement.end_s and len(before) == 3:
                changed = np.abs(picture[::2, ::2, 1].astype(np.int16) - before[0][::2, ::2, 1]) > 12
                movement.share = max(movement.share, float(changed.mean()))

    def _light(self, now: float) -> None:
        """Switch lamps when the script says so; the world's light follows with its exposure and infrared."""
        light = self.world.light
        off = self.script.night
        for movement in self.script.movements:
            middle = (movement.start_s + movement.end_s) / 2
            if movement.switch and now >= middle:
                off = not off  # stays so until the next one
        for trouble in self.script.troubles:
            if trouble.kind in ("switch", "infrared") and trouble.start_s <= now < trouble.end_s:
                # shorter than the 0.7 s after which infrared comes on, or as long as the trouble lasts
                dark_s = 0.5 if trouble.kind == "switch" else 1e9
                off = off != ((now - trouble.start_s) % 2.5 < dark_s)
        light.lamp = not off

    def _disturb(self, picture: Image, now: float) -> Image:
        if any(trouble.kind == "curtain" for trouble in self.script.troubles):
            sways = any(t.kind == "curtain" and t.start_s <= now < t.end_s for t in self.script.troubles)
            picture = self._curtain(picture, now if sways else 0.0)
        for trouble in self.script.troubles:
            if not trouble.start_s <= now < trouble.end_s:
                continue
            if trouble.kind == "shake":
                dx, dy = (self.chance.gauss(0, picture.shape[1] * 0.003) for _ in range(2))
                moved = np.array([[1, 0, dx], [0, 1, dy]], np.float32)
                size = (picture.shape[1], picture.shape[0])
                picture = np.asarray(cv2.warpAffine(picture, moved, size, borderMode=cv2.BORDER_REPLICATE), np.uint8)
            elif trouble.kind == "exposure":
                gain = 1 + 0.35 * math.sin((now - trouble.start_s) * 1.7)
                picture = np.asarray(cv2.convertScaleAbs(picture, alpha=gain), np.uint8)
        return picture

    def _curtain(self, picture: Image, now: float) -> Image:
        """A strip with folds, a tenth of the picture wide, whose lower end swings by 1 % of the width."""
        height, width = picture.shape[:2]
        left, wide, high = round(width * 0.72), round(width * 0.1), round(height * 0.45)
        picture = picture.copy()
        y, x = np.mgrid[0:high, 0:wide].astype(np.float32)
        swing = width * 0.01 * math.sin(now * 2.4) * (y / high)
        folds = 168 + 28 * np.sin((x + swing) * (math.tau / (wide / 5)))
        picture[:high, left : left + wide] = folds[:, :, None].astype(np.uint8)
        return picture

    def _after(self, frame: Image, now: float) -> Image:
        if any(t.kind == "rain" and t.start_s <= now < t.end_s for t in self.script.troubles):
            height, width = frame.shape[:2]
            for _ in range(40):
                x, y = self.chance.randrange(width), self.chance.randrange(height)
                long = self.chance.randrange(height // 24, height // 8)
                cv2.line(frame, (x, y), (x + long // 8, y + long), (205, 205, 205), 1, cv2.LINE_AA)
        return frame


@dataclass(frozen=True, slots=True)
class Coding:
    """How a camera codes. ``bit_rate`` None: constant quality; else held constant, padded where it needs less."""

    name: str
    gop: int
    bit_rate: int | None = None
    codec: str = "libx264"
    quality: float = 23
    """libx264's constant rate factor where there is no ``bit_rate``."""


VBR = Coding("variable", 30)
CBR = Coding("constant", 30, 500_000)
LONG = Coding("long-gop", 150)


def write(script: Script, codings: Sequence[Coding], folder: Path) -> dict[str, Path]:
    """Film ``script`` with every coding, beside a file of the truth; what is there already is kept."""
    paths = {coding.name: folder / f"{script.name}-{coding.name}.mp4" for coding in codings}
    truth = folder / f"{script.name}.json"
    if truth.is_file() and all(path.is_file() for path in paths.values()):
        return paths
    encoders = [_Encoder(paths[coding.name], coding, script.size) for coding in codings]
    film = _Film(script)
    for frame in film.frames():
        picture = av.VideoFrame.from_ndarray(frame, format="bgr24").reformat(format="yuv420p")
        for encoder in encoders:
            encoder.write(picture)
    for encoder in encoders:
        encoder.close()
    truth.write_text(json.dumps(asdict(script)), encoding="utf-8")
    return paths


def read_truth(folder: Path, name: str) -> dict[str, Any]:
    """What `write` noted."""
    truth: dict[str, Any] = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
    return truth


class _Encoder:
    def __init__(self, path: Path, coding: Coding, size: tuple[int, int]) -> None:
        self.path, self.count = path, 0
        self.part = path.with_suffix(".part")
        parameters = [f"keyint={coding.gop}", f"min-keyint={coding.gop}", "scenecut=0", "threads=1", "log-level=error"]
        if coding.bit_rate is not None:
            kilo = coding.bit_rate // 1000
            parameters += [f"bitrate={kilo}", f"vbv-maxrate={kilo}", f"vbv-bufsize={kilo}", "nal-hrd=cbr"]
        options = {"preset": "veryfast", "tune": "zerolatency", "x264-params": ":".join(parameters)}
        if coding.codec == "libx265":
            options = {"preset": "ultrafast", "x265-params": ":".join([*parameters[:3], "pools=1", "log-level=error"])}
        if coding.bit_rate is None:
            options["crf"] = str(coding.quality)
        self.container = av.open(str(self.part), "w", format="mp4", options={"movflags": "+faststart"})
        self.stream = cast(VideoStream, self.container.add_stream(coding.codec, rate=FPS, options=options))
        self.stream.width, self.stream.height = size
        self.stream.pix_fmt = "yuv420p"
        self.stream.codec_context.max_b_frames = 0

    def write(self, picture: av.VideoFrame) -> None:
        picture.pts, picture.time_base = self.count, Fraction(1, FPS)
        picture.pict_type = av.video.frame.PictureType.NONE
        self.container.mux(self.stream.encode(picture))
        self.count += 1

    def close(self) -> None:
        self.container.mux(self.stream.encode(None))
        self.container.close()
        self.part.rename(self.path)
