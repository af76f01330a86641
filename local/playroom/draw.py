"""Drawing people and toys as depth-sorted rounded parts, with their shadows on the floor."""

import math
from collections.abc import Callable

import cv2
import numpy as np

from playroom.body import MOUTH, SMILE, Build, Colour, Joints, Vector
from playroom.camera import Camera, Point
from playroom.room import Box, Image, box_faces, fill

Part = tuple[float, Callable[[Image], None]]
"""Depth in metres and what draws it."""

_SHIFT = 4
_ONE = 1 << _SHIFT


def person_parts(camera: Camera, build: Build, joints: Joints, pose: Vector) -> list[Part]:
    """The parts of one person, unsorted."""
    parts: list[Part] = []
    limb = build.limb_m
    trousers = build.bottom
    shin = build.bottom if build.long_trousers and not build.skirt else build.skin
    thigh = build.skin if build.skirt else trousers
    sleeve = build.top
    forearm = build.top if build.long_sleeves else build.skin
    for hip, knee, foot, toe in (
        (joints.hip_l, joints.knee_l, joints.foot_l, joints.toe_l),
        (joints.hip_r, joints.knee_r, joints.foot_r, joints.toe_r),
    ):
        parts.append(_limb(camera, foot, limb * 0.85, toe, limb * 0.75, build.shoes, 0.0))
        parts.append(_limb(camera, knee, limb * 1.1, foot, limb * 0.8, shin, 0.0))
        parts.append(_limb(camera, hip, limb * 1.75, knee, limb * 1.2, thigh, 0.0))
    for start, elbow, hand in (
        (joints.shoulder_l, joints.elbow_l, joints.hand_l),
        (joints.shoulder_r, joints.elbow_r, joints.hand_r),
    ):
        parts.append(_limb(camera, start, limb * 1.15, elbow, limb * 0.95, sleeve, -0.03))
        parts.append(_limb(camera, elbow, limb * 0.92, hand, limb * 0.7, forearm, -0.05))
        parts.append(_ball(camera, hand, limb * 0.95, build.skin, -0.07))
    parts.append(_torso(camera, build, joints))
    parts.append(_head(camera, build, joints, pose))
    return parts


def box_parts(camera: Camera, box: Box) -> list[Part]:
    """A toy block."""
    return [(_middle(camera, box), lambda picture: _box(picture, camera, box))]


def table_parts(camera: Camera, box: Box) -> list[Part]:
    """A low table: a board on four legs."""
    (x0, x1), (y0, y1), (_, high) = box.x, box.y, box.z
    leg = 0.035
    board = Box((x0, x1), (y0, y1), (high - 0.04, high), box.colour)
    corners = [(x, y) for x in (x1 - 0.1, x0 + 0.06) for y in (y1 - 0.1, y0 + 0.06)]
    legs = [Box((x, x + leg), (y, y + leg), (0.0, high - 0.04), _shade(box.colour, 0.75)) for x, y in corners]

    def draw(picture: Image) -> None:
        for part in (*legs, board):
            _box(picture, camera, part)

    return [(_middle(camera, box), draw)]


def _box(picture: Image, camera: Camera, box: Box) -> None:
    for corners, colour in box_faces(box):
        fill(picture, camera.polygon(corners), colour)


def _middle(camera: Camera, box: Box) -> float:
    return camera.view(((box.x[0] + box.x[1]) / 2, (box.y[0] + box.y[1]) / 2, box.z[1] / 2))[2]


def ball_parts(camera: Camera, centre: Point, radius_m: float, colour: Colour) -> list[Part]:
    """A toy ball."""
    return [_ball(camera, centre, radius_m, colour, 0.0)]


def shadow_of_person(mask: Image, camera: Camera, build: Build, joints: Joints, slant: tuple[float, float]) -> None:
    """Darken ``mask`` (255 is full light, at any scale of the frame) where the person keeps light from the floor."""
    k = mask.shape[1] / camera.width_px
    for start, end, radius in (
        (joints.pelvis, joints.chest, build.girth_m * 1.25),
        (joints.chest, joints.head, build.head_m),
        (joints.hip_l, joints.knee_l, build.limb_m * 1.5),
        (joints.hip_r, joints.knee_r, build.limb_m * 1.5),
        (joints.knee_l, joints.foot_l, build.limb_m),
        (joints.knee_r, joints.foot_r, build.limb_m),
        (joints.elbow_l, joints.hand_l, build.limb_m),
        (joints.elbow_r, joints.hand_r, build.limb_m),
    ):
        ax, ay, az = camera.project((start[0] + slant[0] * start[2], start[1] + slant[1] * start[2], 0.0))
        bx, by, bz = camera.project((end[0] + slant[0] * end[2], end[1] + slant[1] * end[2], 0.0))
        if min(az, bz) < 0.4:
            continue
        thick = max(1, round(2 * radius * camera.focal_px / (az + bz) * 2 * k * 0.8))
        cv2.line(mask, (round(ax * k), round(ay * k)), (round(bx * k), round(by * k)), (120,), thick)


def _shade(colour: Colour, k: float) -> Colour:
    return min(255, int(colour[0] * k)), min(255, int(colour[1] * k)), min(255, int(colour[2] * k))


def _disc(picture: Image, x: float, y: float, r: float, colour: Colour) -> None:
    cv2.circle(picture, (round(x * _ONE), round(y * _ONE)), max(round(r * _ONE), 8), colour, -1, cv2.LINE_AA, _SHIFT)


def _capsule(picture: Image, a: Point, ra: float, b: Point, rb: float, colour: Colour) -> None:
    dx, dy = b[0] - a[0], b[1] - a[1]
    length = math.hypot(dx, dy)
    if length > 0.5:
        nx, ny = -dy / length, dx / length
        points = (
            (a[0] + nx * ra, a[1] + ny * ra),
            (b[0] + nx * rb, b[1] + ny * rb),
            (b[0] - nx * rb, b[1] - ny * rb),
            (a[0] - nx * ra, a[1] - ny * ra),
        )
        corners = np.array([(round(x * _ONE), round(y * _ONE)) for x, y in points], np.int32)
        cv2.fillConvexPoly(picture, corners, colour, cv2.LINE_AA, _SHIFT)
    _disc(picture, a[0], a[1], ra, colour)
    _disc(picture, b[0], b[1], rb, colour)


def _limb(camera: Camera, a: Point, ra: float, b: Point, rb: float, colour: Colour, nearer: float) -> Part:
    pa, pb = camera.project(a), camera.project(b)
    f = camera.focal_px
    wa, wb = ra * f / pa[2], rb * f / pb[2]
    dark, light = _shade(colour, 0.68), colour

    def draw(picture: Image) -> None:
        if min(pa[2], pb[2]) < 0.5:
            return
        _capsule(picture, pa, wa, pb, wb, dark)
        if wa > 1.2:  # the lit side: an inner core, a little up and to the left
            ua, ub = (pa[0] - wa * 0.18, pa[1] - wa * 0.2, 0.0), (pb[0] - wb * 0.18, pb[1] - wb * 0.2, 0.0)
            _capsule(picture, ua, wa * 0.66, ub, wb * 0.66, light)

    return (pa[2] + pb[2]) / 2 + nearer, draw


def _ball(camera: Camera, centre: Point, radius: float, colour: Colour, nearer: float) -> Part:
    p = camera.project(centre)
    r = radius * camera.focal_px / p[2]

    def draw(picture: Image) -> None:
        if p[2] > 0.5:
            _disc(picture, p[0], p[1], r, _shade(colour, 0.75))
            _disc(picture, p[0] - r * 0.15, p[1] - r * 0.18, r * 0.72, colour)

    return p[2] + nearer, draw


def _torso(camera: Camera, build: Build, j: Joints) -> Part:
    f = camera.focal_px
    drop = build.limb_m * 0.9
    up = tuple((j.chest[k] - j.pelvis[k]) / build.torso_m for k in range(3))

    def lowered(p: Point, by: float) -> Point:
        return p[0] - up[0] * by, p[1] - up[1] * by, p[2] - up[2] * by

    sl, sr = camera.project(lowered(j.shoulder_l, drop)), camera.project(lowered(j.shoulder_r, drop))
    hl, hr = camera.project(j.hip_l), camera.project(j.hip_r)
    depth = (sl[2] + sr[2] + hl[2] + hr[2]) / 4
    r = build.girth_m * f / depth
    neck = camera.project(j.chest)
    chin = camera.project(j.head)
    hem = [camera.project(lowered(p, build.torso_m * 0.28)) for p in (j.hip_l, j.hip_r)]
    toward = _dot(_cross(_minus(j.shoulder_l, j.shoulder_r), up), _minus(camera.position, j.chest)) > 0

    def slab(picture: Image, grow: float, shift: float, colour: Colour) -> None:
        points = [(p[0] - r * shift, p[1] - r * shift, p[2]) for p in (sl, sr, hr, hl)]
        fill(picture, [(p[0], p[1]) for p in points], colour)
        a, b, c, d = points
        _capsule(picture, a, r * grow * 0.85, b, r * grow * 0.85, colour)
        _capsule(picture, d, r * grow * 0.95, c, r * grow * 0.95, colour)
        _capsule(picture, a, r * grow * 0.85, d, r * grow * 0.95, colour)
        _capsule(picture, b, r * grow * 0.85, c, r * grow * 0.95, colour)

    def draw(picture: Image) -> None:
        if depth < 0.6:
            return
        if build.skirt:
            fill(picture, [(p[0], p[1]) for p in (hl, hr, hem[1], hem[0])], build.bottom)
            _capsule(picture, hem[0], r * 1.15, hem[1], r * 1.15, _shade(build.bottom, 0.85))
        _capsule(picture, neck, r * 0.42, chin, r * 0.42, _shade(build.skin, 0.75))
        slab(picture, 1.0, 0.0, _shade(build.top, 0.68))
        slab(picture, 0.72, 0.12, build.top)
        if build.stripe:
            for t in (0.3, 0.55, 0.8):
                a = (sl[0] + (hl[0] - sl[0]) * t, sl[1] + (hl[1] - sl[1]) * t, 0.0)
                b = (sr[0] + (hr[0] - sr[0]) * t, sr[1] + (hr[1] - sr[1]) * t, 0.0)
                _capsule(picture, a, r * 0.16, b, r * 0.16, build.stripe)
        if build.apron and toward:  # from below the shoulders to the thighs, wider at the hem
            top = [_blend(sl, hl, 0.3), _blend(sr, hr, 0.3)]
            bib = [_blend(top[0], top[1], 0.12), _blend(top[1], top[0], 0.12)]
            low = [_blend(hem[1], hem[0], -0.45), _blend(hem[0], hem[1], -0.45)]
            fill(picture, [*bib, *low], build.apron)

    return depth, draw


def _head(camera: Camera, build: Build, j: Joints, pose: Vector) -> Part:
    centre = camera.project(j.head)
    r = build.head_m * camera.focal_px / centre[2]
    mouth, smile = float(pose[MOUTH]), float(pose[SMILE])
    view = _unit(_minus(camera.position, j.head))
    # the face is the cap of the head about an axis that points a little below straight ahead
    axis = _unit((j.facing[0] - 0.28 * j.crown[0], j.facing[1] - 0.28 * j.crown[1], j.facing[2] - 0.28 * j.crown[2]))
    ahead = _dot(axis, view)
    left = _unit(_cross(j.crown, j.facing))

    def at(yaw: float, pitch: float) -> tuple[float, float, float]:
        """Pixel of a point of the head, and how squarely it faces the camera."""
        cy, sy, cp, sp = math.cos(yaw), math.sin(yaw), math.cos(pitch), math.sin(pitch)
        n = tuple(j.facing[k] * cy * cp + left[k] * sy * cp + j.crown[k] * sp for k in range(3))
        m = build.head_m
        x, y, _ = camera.project((j.head[0] + n[0] * m, j.head[1] + n[1] * m, j.head[2] + n[2] * m))
        return x, y, _dot((n[0], n[1], n[2]), view)

    def draw(picture: Image) -> None:
        if centre[2] < 0.6:
            return
        x, y = centre[0], centre[1]
        hair, skin = build.hair, build.skin
        if build.hair_style in ("long", "tail", "bob"):
            back = -0.55 if build.hair_style != "tail" else -1.05
            length = {"long": 1.7, "tail": 1.5, "bob": 0.8}[build.hair_style]
            top = tuple(j.head[k] + j.facing[k] * build.head_m * back for k in range(3))
            end = tuple(top[k] - j.crown[k] * build.head_m * length for k in range(3))
            a, b = camera.project((top[0], top[1], top[2])), camera.project((end[0], end[1], end[2]))
            wide = r * (0.4 if build.hair_style == "tail" else 0.85)
            if ahead > -0.2:
                _capsule(picture, a, wide, b, wide * 0.8, _shade(hair, 0.85))
        _disc(picture, x, y, r * 1.07, hair)
        if ahead > -0.25:
            _face(picture, (x, y, r), axis, ahead, camera, build, j)
            _features(picture, at, r, skin, mouth, smile)
        if build.hair_style in ("long", "tail", "bob") and ahead <= -0.2:
            _capsule(picture, a, wide, b, wide * 0.8, _shade(hair, 1.15))
        if build.hair_style == "bun":
            spot = tuple(
                j.head[k] - j.facing[k] * build.head_m * 0.75 + j.crown[k] * build.head_m * 0.7 for k in range(3)
            )
            p = camera.project((spot[0], spot[1], spot[2]))
            _disc(picture, p[0], p[1], r * 0.42, _shade(hair, 1.2))
        if r > 4:
            _disc(picture, x - r * 0.1, y - r * 0.75, r * 0.2, _shade(hair, 1.35))

    return centre[2] - 0.02, draw


def _face(
    picture: Image,
    head: tuple[float, float, float],
    axis: Point,
    ahead: float,
    camera: Camera,
    build: Build,
    j: Joints,
) -> None:
    """The skin of the face: a circle on the sphere of the head, which the camera sees as an ellipse."""
    x, y, r = head
    tip = camera.project(
        (j.head[0] + axis[0] * 0.1, j.head[1] + axis[1] * 0.1, j.head[2] + axis[2] * 0.1),
    )
    dx, dy = tip[0] - x, tip[1] - y
    length = math.hypot(dx, dy) or 1.0
    away = math.sqrt(max(1 - ahead * ahead, 0.0))
    spread = 1.08  # radians from the axis to the hairline
    cx, cy = x + dx / length * away * r * math.cos(spread), y + dy / length * away * r * math.cos(spread)
    angle = math.degrees(math.atan2(dy, dx))
    minor = r * math.sin(spread) * max(ahead, 0.0) + r * 0.12
    centre = (round(cx * _ONE), round(cy * _ONE))
    axes = (max(round(minor * _ONE), 4), max(round(r * math.sin(spread) * _ONE), 4))
    cv2.ellipse(picture, centre, axes, angle, 0, 360, _shade(build.skin, 0.97), -1, cv2.LINE_AA, _SHIFT)


def _features(
    picture: Image,
    at: Callable[[float, float], tuple[float, float, float]],
    r: float,
    skin: Colour,
    mouth: float,
    smile: float,
) -> None:
    if r < 3.2:
        return
    frown = smile < -0.3
    for side in (0.42, -0.42):
        x, y, square = at(side, 0.02)
        if square > 0.12:
            if r > 8:
                _disc(picture, x, y, r * 0.17, (235, 238, 240))
            _disc(picture, x, y, r * 0.1, (25, 22, 20))
        inner, outer = at(side * 0.5, 0.2 if frown else 0.4), at(side * 1.55, 0.38 if frown else 0.2)
        if r > 6 and min(inner[2], outer[2]) > 0.1:
            _stroke(picture, [inner, outer], (45, 45, 55), r * 0.1)
        cheek = at(side * 1.2, -0.3)
        if r > 8 and cheek[2] > 0.2:
            _disc(picture, cheek[0], cheek[1], r * 0.15, (int(skin[0] * 0.86), int(skin[1] * 0.86), skin[2]))
    nose = at(0, -0.18)
    if r > 7 and nose[2] > 0.1:
        _disc(picture, nose[0], nose[1], r * 0.09, _shade(skin, 0.8))
    middle, lips = at(0, -0.5), (60, 60, 150)
    if middle[2] < 0.08:
        return
    if mouth > 0.25:
        _disc(picture, middle[0], middle[1], r * (0.1 + 0.16 * mouth), (40, 35, 90))
    else:
        curve = 0.16 * smile
        _stroke(picture, [at(0.3, -0.5 + curve), middle, at(-0.3, -0.5 + curve)], lips, r * 0.1)


def _stroke(picture: Image, points: list[tuple[float, float, float]], colour: Colour, width: float) -> None:
    line = np.array([(round(x * _ONE), round(y * _ONE)) for x, y, _ in points], np.int32)
    cv2.polylines(picture, [line], False, colour, max(1, round(width)), cv2.LINE_AA, _SHIFT)


def _blend(a: tuple[float, ...], b: tuple[float, ...], t: float) -> tuple[float, float]:
    return a[0] + (b[0] - a[0]) * t, a[1] + (b[1] - a[1]) * t


def _minus(a: Point, b: Point) -> Point:
    return a[0] - b[0], a[1] - b[1], a[2] - b[2]


def _dot(a: Point, b: Point) -> float:
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


def _cross(a: Point, b: tuple[float, ...]) -> Point:
    return a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]


def _unit(a: Point) -> Point:
    n = math.sqrt(_dot(a, a)) or 1.0
    return a[0] / n, a[1] / n, a[2] / n
