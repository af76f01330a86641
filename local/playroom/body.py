"""Bodies: proportions and looks of a person, the pose vector, and the joints it puts where in the room."""

import math
from dataclasses import dataclass, fields
from random import Random

import numpy as np
from numpy.typing import NDArray

from playroom.camera import Point

Colour = tuple[int, int, int]
"""Blue, green, red, 0..255."""

Vector = NDArray[np.float64]

# The pose vector. Lengths are in units of the limb, so that one pose fits an adult and a child.
PELVIS, PITCH, ROLL, TWIST, NOD, TURN = range(6)
"""Pelvis height (legs), torso lean forward and to the left, shoulder twist, head down and head left (radians)."""
HAND_L, HAND_R = 6, 9
"""Each hand from its own shoulder: forward, outward, up (arms)."""
FOOT_L, FOOT_R = 12, 15
"""Each foot from the floor below its hip: forward, outward, up (legs)."""
KNEES, MOUTH, SMILE, LIFT = 18, 19, 20, 21
"""Knees outward 0..1, mouth open 0..1, smile -1..1, height of a jump or of being carried (metres)."""
POSE_SIZE = 22


@dataclass(frozen=True, slots=True)
class Build:
    """Proportions in metres and looks of one person."""

    adult: bool
    height_m: float
    leg_m: float
    torso_m: float
    arm_m: float
    head_m: float
    shoulders_m: float
    hips_m: float
    girth_m: float
    limb_m: float
    skin: Colour
    hair: Colour
    top: Colour
    stripe: Colour | None
    bottom: Colour
    shoes: Colour
    apron: Colour | None
    long_sleeves: bool
    long_trousers: bool
    skirt: bool
    hair_style: str


@dataclass(frozen=True, slots=True)
class Joints:
    """Where a body is, as room points."""

    pelvis: Point
    chest: Point
    head: Point
    facing: Point
    crown: Point
    shoulder_l: Point
    shoulder_r: Point
    elbow_l: Point
    elbow_r: Point
    hand_l: Point
    hand_r: Point
    hip_l: Point
    hip_r: Point
    knee_l: Point
    knee_r: Point
    foot_l: Point
    foot_r: Point
    toe_l: Point
    toe_r: Point


JOINT_NAMES = tuple(field.name for field in fields(Joints))

_SKINS: tuple[Colour, ...] = ((178, 205, 240), (160, 190, 228), (140, 172, 215), (110, 145, 195), (70, 100, 150))
_HAIRS: tuple[Colour, ...] = ((28, 24, 22), (36, 34, 40), (30, 45, 66), (42, 64, 96), (60, 60, 64), (70, 110, 150))


def cloth(rng: Random) -> Colour:
    """A plausible colour of clothes or toys."""
    hue, saturation, value = rng.random() * 6, rng.uniform(0.05, 0.75), rng.uniform(0.25, 0.95)
    chroma = value * saturation
    x = chroma * (1 - abs(hue % 2 - 1))
    r, g, b = ((chroma, x, 0), (x, chroma, 0), (0, chroma, x), (0, x, chroma), (x, 0, chroma), (chroma, 0, x))[int(hue)]
    low = value - chroma
    return int(255 * (b + low)), int(255 * (g + low)), int(255 * (r + low))


def make_build(rng: Random, adult: bool) -> Build:
    """A random person: an adult of 1.55 to 1.82 m or a child of 0.80 to 1.22 m."""
    height = rng.uniform(1.55, 1.82) if adult else rng.uniform(0.80, 1.22)
    slim = rng.uniform(0.9, 1.18)
    return Build(
        adult=adult,
        height_m=height,
        leg_m=height * (0.475 if adult else 0.42),
        torso_m=height * 0.305,
        arm_m=height * (0.43 if adult else 0.40),
        head_m=height * 0.066 if adult else 0.062 + 0.046 * height,
        shoulders_m=height * 0.195 * slim**0.5,
        hips_m=height * (0.125 if adult else 0.12) * slim**0.5,
        girth_m=height * (0.058 if adult else 0.075) * slim,
        limb_m=height * (0.030 if adult else 0.036) * slim,
        skin=rng.choice(_SKINS),
        hair=rng.choice(_HAIRS),
        top=cloth(rng),
        stripe=cloth(rng) if rng.random() < 0.35 else None,
        bottom=cloth(rng) if rng.random() < 0.5 else rng.choice(((90, 60, 40), (60, 50, 48), (110, 110, 105))),
        shoes=cloth(rng) if rng.random() < 0.5 else (225, 225, 225),
        apron=cloth(rng) if adult and rng.random() < 0.45 else None,
        long_sleeves=rng.random() < 0.55,
        long_trousers=rng.random() < (0.8 if adult else 0.6),
        skirt=rng.random() < 0.25,
        hair_style=rng.choice(("short", "short", "bob", "tail", "bun", "long")),
    )


def standing() -> Vector:
    """A relaxed standing pose."""
    pose = np.zeros(POSE_SIZE)
    pose[PELVIS] = 0.975
    pose[HAND_L : HAND_L + 3] = pose[HAND_R : HAND_R + 3] = (0.08, 0.14, -0.93)
    pose[FOOT_L : FOOT_L + 3] = pose[FOOT_R : FOOT_R + 3] = (0.0, 0.03, 0.0)
    pose[NOD] = 0.1
    pose[SMILE] = 0.2
    return pose


def torso_axes(heading: float, pose: Vector) -> tuple[Point, Point, Point]:
    """Unit vectors of the torso: up along the spine, to the left through the shoulders, out of the chest."""
    cos, sin = math.cos(heading), math.sin(heading)
    pitch, roll, twist = float(pose[PITCH]), float(pose[ROLL]), float(pose[TWIST])
    ahead, side, high = math.sin(pitch) * math.cos(roll), math.sin(roll), math.cos(pitch) * math.cos(roll)
    up = (ahead * cos - side * sin, ahead * sin + side * cos, high)
    tc, ts = math.cos(heading + twist), math.sin(heading + twist)
    left = (-ts, tc, 0.0)
    along = left[0] * up[0] + left[1] * up[1]
    left = (left[0] - along * up[0], left[1] - along * up[1], -along * up[2])
    length = math.sqrt(left[0] ** 2 + left[1] ** 2 + left[2] ** 2) or 1.0
    left = (left[0] / length, left[1] / length, left[2] / length)
    front = (
        left[1] * up[2] - left[2] * up[1],
        left[2] * up[0] - left[0] * up[2],
        left[0] * up[1] - left[1] * up[0],
    )
    return up, left, front


def shoulder(build: Build, x: float, y: float, heading: float, pose: Vector, left: bool) -> Point:
    """Room point of one shoulder."""
    up, side, _ = torso_axes(heading, pose)
    half = build.shoulders_m / 2 * (1 if left else -1)
    z = float(pose[LIFT]) + float(pose[PELVIS]) * build.leg_m
    t = build.torso_m
    return x + up[0] * t + side[0] * half, y + up[1] * t + side[1] * half, z + up[2] * t + side[2] * half


def reach(build: Build, x: float, y: float, heading: float, pose: Vector, left: bool, target: Point) -> Point:
    """The hand's three numbers of the pose vector that bring it to ``target`` (or as near as the arm allows)."""
    sx, sy, sz = shoulder(build, x, y, heading, pose, left)
    dx, dy, dz = target[0] - sx, target[1] - sy, target[2] - sz
    angle = heading + float(pose[TWIST])
    cos, sin = math.cos(angle), math.sin(angle)
    ahead, side = dx * cos + dy * sin, -dx * sin + dy * cos
    arm = build.arm_m
    return ahead / arm, (side if left else -side) / arm, dz / arm


def solve(build: Build, x: float, y: float, heading: float, pose: Vector) -> Joints:
    """Joints of a body whose pelvis is above (x, y), looking along ``heading`` (radians from the x axis)."""
    p = [float(v) for v in pose]
    cos, sin = math.cos(heading), math.sin(heading)
    up, side, front = torso_axes(heading, pose)
    z = p[LIFT] + p[PELVIS] * build.leg_m
    pelvis = (x, y, z)
    chest = _along(pelvis, up, build.torso_m)
    # the head turns about the spine and nods about the shoulders
    ct, st = math.cos(p[TURN]), math.sin(p[TURN])
    look = tuple(front[k] * ct + side[k] * st for k in range(3))
    cn, sn = math.cos(p[NOD]), math.sin(p[NOD])
    facing = (look[0] * cn - up[0] * sn, look[1] * cn - up[1] * sn, look[2] * cn - up[2] * sn)
    crown = (up[0] * cn + look[0] * sn, up[1] * cn + look[1] * sn, up[2] * cn + look[2] * sn)
    neck = _along(chest, up, build.head_m * 0.55)
    head = _along(neck, crown, build.head_m * 0.85)
    head = (head[0], head[1], max(head[2], build.head_m))

    ta, tb = math.cos(heading + p[TWIST]), math.sin(heading + p[TWIST])
    limbs: list[Point] = []
    for sign, at in ((1.0, HAND_L), (-1.0, HAND_R)):
        start = _along(chest, side, sign * build.shoulders_m / 2)
        a, o, u = p[at] * build.arm_m, sign * p[at + 1] * build.arm_m, p[at + 2] * build.arm_m
        target = (start[0] + a * ta - o * tb, start[1] + a * tb + o * ta, max(start[2] + u, 0.03))
        pole = (-0.45 * ta - sign * 0.5 * tb, -0.45 * tb + sign * 0.5 * ta, -0.75)
        middle, end = _bend(start, target, pole, build.arm_m)
        limbs += [start, middle, end]
    for sign, at in ((1.0, FOOT_L), (-1.0, FOOT_R)):
        start = (x - sin * sign * build.hips_m / 2, y + cos * sign * build.hips_m / 2, z)
        a, o = p[at] * build.leg_m, sign * (build.hips_m / 2 + p[at + 1] * build.leg_m)
        ankle = 0.03 + 0.02 * build.height_m
        target = (x + a * cos - o * sin, y + a * sin + o * cos, max(p[LIFT] + p[at + 2] * build.leg_m, 0.0) + ankle)
        out = p[KNEES]
        pole = (cos * (1 - out) - sin * sign * out, sin * (1 - out) + cos * sign * out, 0.35 + 0.1 * out)
        middle, end = _bend(start, target, pole, build.leg_m)
        middle = (middle[0], middle[1], max(middle[2], build.limb_m))
        toe_m = 0.075 * build.height_m + 0.03
        toe = (end[0] + cos * toe_m - sin * sign * toe_m * 0.25, end[1] + sin * toe_m + cos * sign * toe_m * 0.25)
        limbs += [start, middle, end, (toe[0], toe[1], max(end[2] - ankle * 0.6, 0.02))]
    (sl, el, hl, sr, er, hr, pl, kl, fl, tl, pr, kr, fr, tr) = limbs
    return Joints(pelvis, chest, head, facing, crown, sl, sr, el, er, hl, hr, pl, pr, kl, kr, fl, fr, tl, tr)


def _along(start: Point, axis: Point, length: float) -> Point:
    return start[0] + axis[0] * length, start[1] + axis[1] * length, start[2] + axis[2] * length


def _bend(start: Point, target: Point, pole: Point, length: float) -> tuple[Point, Point]:
    """Middle joint and end of a two-bone limb of equal halves: the end at ``target``, the joint towards ``pole``."""
    dx, dy, dz = target[0] - start[0], target[1] - start[1], target[2] - start[2]
    far = math.sqrt(dx * dx + dy * dy + dz * dz) or 1e-6
    reach_m = min(far, length * 0.995)
    ux, uy, uz = dx / far, dy / far, dz / far
    along = pole[0] * ux + pole[1] * uy + pole[2] * uz
    px, py, pz = pole[0] - along * ux, pole[1] - along * uy, pole[2] - along * uz
    norm = math.sqrt(px * px + py * py + pz * pz) or 1e-6
    out = math.sqrt(max((length / 2) ** 2 - (reach_m / 2) ** 2, 0.0)) / norm
    half = reach_m / 2
    middle = (start[0] + ux * half + px * out, start[1] + uy * half + py * out, start[2] + uz * half + pz * out)
    return middle, (start[0] + ux * reach_m, start[1] + uy * reach_m, start[2] + uz * reach_m)
