"""One person in motion: where they are, how they stand, and how fast they can change either."""

import math
from random import Random

from playroom import body
from playroom.body import Build, Vector
from playroom.camera import Point

STEP_S = 1 / 60
"""The simulation always advances by this much, so that the frame rate changes nothing in what happens."""


class Actor:
    """A person. Behaviours set ``want`` (pose), ``goal`` (velocity) and ``face``; ``advance`` follows them smoothly."""

    def __init__(self, build: Build, x: float, y: float, heading: float, rng: Random) -> None:
        self.build = build
        self.rng = rng
        self.x, self.y, self.heading = x, y, heading
        self.pose = body.standing()
        self.want = body.standing()
        self.quick_s = 0.15
        self.goal = (0.0, 0.0)
        self.face: float | None = None
        self.speed_up = 4.0
        self.vx = self.vy = 0.0
        self.kick = (0.0, 0.0)
        self.jolt = [0.0, 0.0, 0.0, 0.0]  # pitch, roll and their speeds
        self.stride = rng.uniform(0, math.tau)
        self.clock = rng.uniform(0, 20)
        self.hidden = False
        self.held = False
        self.solid = True

    @property
    def speed(self) -> float:
        """Metres a second over the floor, pushes by others left out."""
        return math.hypot(self.vx, self.vy)

    def begin(self) -> None:
        """Forget last step's wishes: stand, do not move."""
        self.want = body.standing()
        self.quick_s, self.goal, self.face, self.speed_up = 0.15, (0.0, 0.0), None, 4.0
        self.held = False
        self.solid = True

    def go(self, x: float, y: float, speed: float, stop_m: float = 0.0) -> float:
        """Wish to walk towards (x, y) at ``speed`` m/s, ``stop_m`` short of it; returns the distance left."""
        dx, dy = x - self.x, y - self.y
        far = math.hypot(dx, dy)
        left = far - stop_m
        if left > 0.03:
            v = min(speed, 0.15 + left * 2.6)
            self.goal = (dx / far * v, dy / far * v)
        return left

    def look_to(self, x: float, y: float) -> None:
        """Wish to turn the whole body towards (x, y)."""
        self.face = math.atan2(y - self.y, x - self.x)

    def glance(self, x: float, y: float) -> None:
        """Turn the head towards (x, y) as far as a neck turns."""
        turn = _angle(math.atan2(y - self.y, x - self.x) - self.heading)
        self.want[body.TURN] = max(-1.1, min(1.1, turn))

    def grasp(self, left: bool, target: Point) -> None:
        """Wish to bring a hand to a room point."""
        at = body.HAND_L if left else body.HAND_R
        self.want[at : at + 3] = body.reach(self.build, self.x, self.y, self.heading, self.pose, left, target)

    def spot(self, height: float, ahead_m: float = 0.0, left_m: float = 0.0) -> Point:
        """A room point at ``height`` along the body (0 pelvis, 1 chest, 1.3 head) and beside it."""
        up, left, front = body.torso_axes(self.heading, self.pose)
        z = float(self.pose[body.LIFT]) + float(self.pose[body.PELVIS]) * self.build.leg_m
        t = height * self.build.torso_m
        return (
            self.x + up[0] * t + front[0] * ahead_m + left[0] * left_m,
            self.y + up[1] * t + front[1] * ahead_m + left[1] * left_m,
            z + up[2] * t + front[2] * ahead_m + left[2] * left_m,
        )

    def hit(self, vx: float, vy: float, pitch: float, roll: float) -> None:
        """A push by somebody else: metres a second over the floor, radians a second of the trunk."""
        self.kick = (self.kick[0] + vx, self.kick[1] + vy)
        self.jolt[2] += pitch
        self.jolt[3] += roll

    def advance(self) -> None:
        """Follow the wishes for one step."""
        dt = STEP_S
        self.clock += dt
        dvx, dvy = self.goal[0] - self.vx, self.goal[1] - self.vy
        change = math.hypot(dvx, dvy)
        most = self.speed_up * dt
        k = 1.0 if change <= most else most / change
        self.vx, self.vy = self.vx + dvx * k, self.vy + dvy * k
        if not self.held:
            self.x += (self.vx + self.kick[0]) * dt
            self.y += (self.vy + self.kick[1]) * dt
        fade = math.exp(-dt / 0.16)
        self.kick = (self.kick[0] * fade, self.kick[1] * fade)
        speed = self.speed
        if self.face is None and speed > 0.12:
            self.face = math.atan2(self.vy, self.vx)
        if self.face is not None:
            self.heading += _angle(self.face - self.heading) * (1 - math.exp(-dt / 0.13))
        if speed > 0.08:
            self._walk(speed)
        j = self.jolt
        for a, b in ((0, 2), (1, 3)):
            j[b] += (-160 * j[a] - 14 * j[b]) * dt
            j[a] = max(-1.1, min(1.1, j[a] + j[b] * dt))
        self.want[body.PITCH] += j[0]
        self.want[body.ROLL] += j[1]
        self.pose += (self.want - self.pose) * (1 - math.exp(-dt / self.quick_s))

    def _walk(self, speed: float) -> None:
        """Add a gait to the wished pose: feet swing against each other, arms against the feet."""
        leg = self.build.leg_m
        relative = speed / math.sqrt(9.81 * leg)
        swing = min(0.2 + 0.42 * relative, 0.55)
        backwards = self.vx * math.cos(self.heading) + self.vy * math.sin(self.heading) < 0
        self.stride += STEP_S * speed / (swing * leg) * 1.25 * (-1 if backwards else 1)
        s, c = math.sin(self.stride), math.cos(self.stride)
        blend = min(1.0, speed / 0.4)
        run = max(0.0, min(1.0, (relative - 0.55) / 0.35))
        w: Vector = self.want
        lift = 0.16 + 0.25 * run
        w[body.FOOT_L] += blend * swing * s
        w[body.FOOT_R] -= blend * swing * s
        w[body.FOOT_L + 2] += blend * lift * max(0.0, c) * (0.5 + swing)
        w[body.FOOT_R + 2] += blend * lift * max(0.0, -c) * (0.5 + swing)
        w[body.PELVIS] -= blend * 0.03 * abs(s)
        w[body.LIFT] += blend * run * 0.05 * abs(c)
        w[body.TWIST] -= blend * 0.18 * s * swing
        w[body.PITCH] += blend * (0.04 + 0.2 * run)
        if w[body.HAND_L + 2] < -0.6:
            w[body.HAND_L] += blend * (-0.75 * swing * s + 0.22 * run)
            w[body.HAND_L + 2] += blend * 0.4 * run
        if w[body.HAND_R + 2] < -0.6:
            w[body.HAND_R] += blend * (0.75 * swing * s + 0.22 * run)
            w[body.HAND_R + 2] += blend * 0.4 * run
        self.quick_s = min(self.quick_s, 0.05)


def _angle(a: float) -> float:
    """The same angle between -pi and pi."""
    return (a + math.pi) % math.tau - math.pi


def between(a: Actor, b: Actor) -> tuple[float, float, float]:
    """Unit vector over the floor from ``a`` to ``b``, and their distance in metres."""
    dx, dy = b.x - a.x, b.y - a.y
    far = math.hypot(dx, dy)
    if far < 1e-6:
        return 1.0, 0.0, 0.0
    return dx / far, dy / far, far
