"""The playroom: size, furniture, colours and camera by seed, and its picture without people."""

import math
from dataclasses import dataclass
from random import Random

import cv2
import numpy as np
from numpy.typing import NDArray

from playroom.body import Colour, cloth
from playroom.camera import Camera, Point

Image = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Box:
    """A piece of furniture: x, y and z ranges in metres."""

    x: tuple[float, float]
    y: tuple[float, float]
    z: tuple[float, float]
    colour: Colour


@dataclass(frozen=True, slots=True)
class Room:
    """A room of ``width_m`` x ``depth_m`` with its furniture; ``walkable`` is (x0, y0, x1, y1)."""

    seed: int
    width_m: float
    depth_m: float
    height_m: float
    furniture: tuple[Box, ...]
    tables: tuple[Box, ...]
    rug: tuple[float, float, float]
    door_m: float
    walkable: tuple[float, float, float, float]


def make_room(seed: int) -> Room:
    """The room of a seed."""
    rng = Random(seed * 7919 + 11)
    width, depth = rng.uniform(4.6, 6.6), rng.uniform(4.6, 6.6)
    shelves: list[Box] = []
    y = rng.uniform(0.6, 1.6)
    while y < depth - 1.2:  # along the far right wall
        long, deep, high = rng.uniform(0.7, 1.4), rng.uniform(0.3, 0.42), rng.uniform(0.55, 1.15)
        if rng.random() < 0.62:
            shelves.append(Box((width - deep, width), (y, min(y + long, depth)), (0.0, high), _wood(rng)))
        y += long + rng.uniform(0.1, 0.8)
    x = rng.uniform(0.8, 1.8)
    while x < width - 1.4:  # along the far left wall
        long, deep, high = rng.uniform(0.7, 1.5), rng.uniform(0.3, 0.45), rng.uniform(0.5, 1.1)
        if rng.random() < 0.55:
            colour = _wood(rng) if rng.random() < 0.6 else cloth(rng)
            shelves.append(Box((x, min(x + long, width)), (depth - deep, depth), (0.0, high), colour))
        x += long + rng.uniform(0.1, 0.9)
    tables: list[Box] = []
    if rng.random() < 0.6:
        tx, ty = width * rng.uniform(0.68, 0.8), depth * rng.uniform(0.7, 0.82)
        if rng.random() < 0.5:
            tx = width * rng.uniform(0.25, 0.35)
        a, b = rng.uniform(0.35, 0.55), rng.uniform(0.3, 0.45)
        tables.append(Box((tx - a, tx + a), (ty - b, ty + b), (0.0, rng.uniform(0.38, 0.5)), _wood(rng)))
    return Room(
        seed,
        width,
        depth,
        rng.uniform(2.5, 3.1),
        tuple(shelves),
        tuple(tables),
        (width * rng.uniform(0.4, 0.6), depth * rng.uniform(0.4, 0.6), rng.uniform(0.9, 1.6)),
        rng.uniform(0.3, 0.8),
        (1.25, 1.25, width - 0.7, depth - 0.75),
    )


def make_camera(room: Room, size: tuple[int, int]) -> Camera:
    """The camera under the ceiling in the corner, for frames of ``size`` (width, height)."""
    rng = Random(room.seed * 7919 + 12)
    height = room.height_m - rng.uniform(0.08, 0.35)
    target = (room.width_m * rng.uniform(0.5, 0.62), room.depth_m * rng.uniform(0.5, 0.62), rng.uniform(0.2, 0.7))
    place = (rng.uniform(0.05, 0.4), rng.uniform(0.05, 0.4), height)
    return Camera.looking_at(place, target, rng.gauss(0, 0.02), math.radians(rng.uniform(66, 84)), size)


def paint_room(room: Room, camera: Camera) -> Image:
    """The empty room in even light: height x width x 3, BGR."""
    rng = Random(room.seed * 7919 + 13)
    noise = np.random.default_rng([room.seed, 13])
    picture = np.zeros((camera.height_px, camera.width_px, 3), np.uint8)
    w, d, h = room.width_m, room.depth_m, room.height_m
    wall = _pale(rng)
    dado = _mix(wall, cloth(rng), rng.uniform(0.0, 0.5))
    _plane(picture, camera, (0, 0, h), (w, 0, 0), (0, d, 0), _flat((235, 236, 238)))
    sides: tuple[tuple[Point, Point, float], ...] = (
        ((0, 0, 0), (w, 0, 0), 0.86),
        ((0, 0, 0), (0, d, 0), 0.86),
        ((w, 0, 0), (0, d, 0), 0.97),
        ((0, d, 0), (w, 0, 0), 0.9),
    )
    for origin, along, bright in sides:
        _plane(picture, camera, origin, along, (0, 0, h), _wall(rng, wall, dado, bright))
    _plane(picture, camera, (0, 0, 0), (w, 0, 0), (0, d, 0), _floor(rng, noise, w, d))
    _rug(picture, camera, room, rng)
    _on_walls(picture, camera, room, rng)
    for box in sorted(room.furniture, key=lambda b: -(b.x[0] + b.y[0])):
        _shelf(picture, camera, box, rng)
    return picture


def box_faces(box: Box) -> list[tuple[list[Point], Colour]]:
    """The faces of a box that a camera in the corner of the room can see, farthest first, with their colours."""
    (x0, x1), (y0, y1), (z0, z1) = box.x, box.y, box.z
    dark, mid = _times(box.colour, 0.62), _times(box.colour, 0.78)
    return [
        ([(x0, y0, z0), (x0, y1, z0), (x0, y1, z1), (x0, y0, z1)], mid),
        ([(x0, y0, z0), (x1, y0, z0), (x1, y0, z1), (x0, y0, z1)], dark),
        ([(x0, y0, z1), (x1, y0, z1), (x1, y1, z1), (x0, y1, z1)], box.colour),
    ]


def fill(picture: Image, polygon: list[tuple[float, float]], colour: Colour) -> None:
    """Fill a convex polygon given in fractional pixels."""
    if len(polygon) >= 3:
        points = np.clip(np.array(polygon), -20000, 20000)
        cv2.fillConvexPoly(picture, np.round(points * 16).astype(np.int32), colour, cv2.LINE_AA, 4)


def _plane(picture: Image, camera: Camera, origin: Point, u: Point, v: Point, texture: Image) -> None:
    """Paint ``texture`` (its columns along ``u``, rows along ``v``) on a parallelogram of the room."""
    corners = [origin, _sum(origin, u), _sum(_sum(origin, u), v), _sum(origin, v)]
    polygon = camera.polygon(corners)
    if len(polygon) < 3:
        return
    basis = np.zeros((4, 3))
    basis[:3, 0], basis[:3, 1], basis[:3, 2], basis[3, 2] = u, v, origin, 1
    scale = np.diag([1 / texture.shape[1], 1 / texture.shape[0], 1])
    size = (picture.shape[1], picture.shape[0])
    warped = cv2.warpPerspective(
        texture, camera.matrix() @ basis @ scale, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    mask = np.zeros(picture.shape[:2], np.uint8)
    points = np.clip(np.array(polygon), -20000, 20000)
    cv2.fillConvexPoly(mask, np.round(points * 16).astype(np.int32), 255, cv2.LINE_AA, 4)
    alpha = mask[:, :, None].astype(np.float32) / 255
    picture[:] = np.round(picture * (1 - alpha) + warped * alpha).astype(np.uint8)


def _flat(colour: Colour, shape: tuple[int, int] = (8, 8)) -> Image:
    return np.full((*shape, 3), colour, np.uint8)


def _wall(rng: Random, wall: Colour, dado: Colour, bright: float) -> Image:
    texture = _flat(_times(wall, bright), (256, 256))
    band = int(256 * rng.uniform(0.28, 0.42))
    texture[:band] = _times(dado, bright)
    texture[band : band + 3] = _times(wall, bright * 0.8)
    texture[:6] = _times(dado, 0.6)
    return texture


def _floor(rng: Random, noise: np.random.Generator, width: float, depth: float) -> Image:
    kind = rng.choice(("planks", "tiles", "mats", "plain"))
    size = (720, 720)
    base = _wood(rng) if kind == "planks" else _pale(rng)
    texture = _flat(base, size).astype(np.float32)
    if kind in ("planks", "tiles"):
        nx, ny = (int(width / 0.14), int(depth / 1.1)) if kind == "planks" else (int(width / 0.4), int(depth / 0.4))
        spread = 0.05 if kind == "planks" else 0.02
        tones = noise.normal(1, spread, (max(ny, 1), max(nx, 1), 1)).astype(np.float32)
        texture *= cv2.resize(tones, size, interpolation=cv2.INTER_NEAREST)[:, :, None]
        for k in range(nx):
            texture[:, int(k * 720 / nx)] *= 0.88
        if kind == "tiles":
            for k in range(ny):
                texture[int(k * 720 / ny)] *= 0.88
    elif kind == "mats":
        other = cloth(rng)
        cells = max(int(width), 2)
        for i in range(cells):
            for j in range(cells):
                if (i + j) % 2:
                    a, b = 720 // cells * i, 720 // cells * j
                    texture[a : a + 720 // cells, b : b + 720 // cells] = _mix(base, other, 0.45)
    texture *= noise.normal(1, 0.012, (*size, 1)).astype(np.float32)
    return np.asarray(np.clip(texture, 0, 255), dtype=np.uint8)


def _rug(picture: Image, camera: Camera, room: Room, rng: Random) -> None:
    x, y, r = room.rug
    colours = [cloth(rng) for _ in range(rng.randint(1, 3))]
    round_rug = rng.random() < 0.6
    for k, colour in enumerate(colours):
        size = r * (1 - k / len(colours) * 0.8)
        if round_rug:
            ring: list[Point] = [
                (x + size * math.cos(a / 24 * math.tau), y + size * math.sin(a / 24 * math.tau), 0.0) for a in range(24)
            ]
        else:
            ring = [(x - size, y - size, 0), (x + size, y - size, 0), (x + size, y + size, 0), (x - size, y + size, 0)]
        fill(picture, camera.polygon(ring), _mix(colour, (150, 150, 150), 0.25))


def _on_walls(picture: Image, camera: Camera, room: Room, rng: Random) -> None:
    w, d = room.width_m, room.depth_m
    # a door in the far left wall, near the left corner
    a, b = room.door_m, room.door_m + 0.85
    door = _wood(rng)
    fill(picture, camera.polygon([(a, d, 0), (b, d, 0), (b, d, 2.05), (a, d, 2.05)]), _times(door, 0.7))
    fill(
        picture,
        camera.polygon([(a + 0.06, d, 0), (b - 0.06, d, 0), (b - 0.06, d, 1.99), (a + 0.06, d, 1.99)]),
        door,
    )
    glass: Colour = (225, 215, 200) if rng.random() < 0.7 else (120, 95, 80)
    y = d * rng.uniform(0.15, 0.3)
    for _ in range(rng.randint(0, 2)):  # windows in the far right wall
        long = rng.uniform(0.8, 1.4)
        if y + long < d - 0.3:
            low, high = 1.2, 2.15
            fill(
                picture,
                camera.polygon([(w, y, low), (w, y + long, low), (w, y + long, high), (w, y, high)]),
                (240, 240, 240),
            )
            for k in range(2):
                p, q = y + 0.05 + k * long / 2, y + long / 2 - 0.02 + k * long / 2
                fill(
                    picture,
                    camera.polygon([(w, p, low + 0.05), (w, q, low + 0.05), (w, q, high - 0.05), (w, p, high - 0.05)]),
                    glass,
                )
        y += long + rng.uniform(0.3, 0.8)
    for _ in range(rng.randint(0, 6)):  # children's drawings
        at, low = rng.uniform(1.3, w - 0.5), rng.uniform(1.0, 1.6)
        s = rng.uniform(0.15, 0.3)
        paper = [(at, d, low), (at + s, d, low), (at + s, d, low + s * 0.8), (at, d, low + s * 0.8)]
        fill(picture, camera.polygon(paper), (240, 240, 240))
        inner = [(at + 0.04, d, low + 0.04), (at + s - 0.04, d, low + 0.04), (at + s / 2, d, low + s * 0.7)]
        fill(picture, camera.polygon(inner), cloth(rng))


def _shelf(picture: Image, camera: Camera, box: Box, rng: Random) -> None:
    """A shelf with open cubbies full of coloured things on its two visible sides."""
    for (corners, colour), front in zip(
        box_faces(box), (box.x[1] - box.x[0] < 0.5, box.y[1] - box.y[0] < 0.5), strict=False
    ):
        fill(picture, camera.polygon(corners), colour)
        if not front:
            continue
        (o, p, _, q) = corners
        columns = max(1, int((abs(p[0] - o[0]) + abs(p[1] - o[1])) / 0.36))
        rows = max(1, int(box.z[1] / 0.33))
        for i in range(columns):
            for j in range(rows):
                _cubby(picture, camera, (o, p, q), (i / columns, j / rows), (1 / columns, 1 / rows), rng)
    top = box_faces(box)[2]
    fill(picture, camera.polygon(top[0]), top[1])


def _cubby(
    picture: Image,
    camera: Camera,
    face: tuple[Point, Point, Point],
    at: tuple[float, float],
    size: tuple[float, float],
    rng: Random,
) -> None:
    o, p, q = face

    def on(s: float, t: float) -> Point:
        return (
            o[0] + (p[0] - o[0]) * s + (q[0] - o[0]) * t,
            o[1] + (p[1] - o[1]) * s + (q[1] - o[1]) * t,
            o[2] + (p[2] - o[2]) * s + (q[2] - o[2]) * t,
        )

    def rectangle(s0: float, s1: float, t0: float, t1: float, colour: Colour) -> None:
        fill(picture, camera.polygon([on(s0, t0), on(s1, t0), on(s1, t1), on(s0, t1)]), colour)

    s, t = at
    ds, dt = size
    rectangle(s + ds * 0.07, s + ds * 0.93, t + dt * 0.08, t + dt * 0.94, (52, 56, 62))
    for k in range(rng.randint(0, 3)):
        low = s + ds * (0.1 + 0.27 * k)
        rectangle(low, low + ds * 0.24, t + dt * 0.08, t + dt * rng.uniform(0.35, 0.8), _times(cloth(rng), 0.8))


def _wood(rng: Random) -> Colour:
    tone = rng.uniform(0.6, 1.0)
    return int(150 * tone), int(185 * tone), int(218 * tone)


def _pale(rng: Random) -> Colour:
    c = cloth(rng)
    return _mix((205, 212, 216), c, rng.uniform(0.05, 0.3))


def _mix(a: Colour, b: Colour, t: float) -> Colour:
    return int(a[0] * (1 - t) + b[0] * t), int(a[1] * (1 - t) + b[1] * t), int(a[2] * (1 - t) + b[2] * t)


def _times(colour: Colour, k: float) -> Colour:
    return min(int(colour[0] * k), 255), min(int(colour[1] * k), 255), min(int(colour[2] * k), 255)


def _sum(a: Point, b: Point) -> Point:
    return a[0] + b[0], a[1] + b[1], a[2] + b[2]
