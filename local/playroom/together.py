"""What two people do together in friendship: hug, clap hands, roll a ball, play-fight, whirl."""

import math
from random import Random
from typing import TYPE_CHECKING

from playroom import body
from playroom.actor import STEP_S, Actor, between
from playroom.calm import seated

if TYPE_CHECKING:
    from playroom.world import World


class Hug:
    """Walk slowly to each other and embrace."""

    def __init__(self, rng: Random, partner: Actor, leads: bool) -> None:
        self.partner, self.leads = partner, leads
        self.pace, self.rock = rng.uniform(0.45, 0.8), rng.uniform(0.6, 1.6)
        self.delay = rng.uniform(0.0, 0.8)
        self.since = 0.0

    def step(self, actor: Actor, world: "World") -> None:
        """Approach, then hold."""
        other = self.partner
        ux, uy, far = between(actor, other)
        actor.look_to(other.x, other.y)
        near = 0.30 if actor.build.adult == other.build.adult else 0.36
        self.since += STEP_S
        if self.since > self.delay and (self.leads or far < 1.2) and far > near:
            actor.goal = (ux * self.pace, uy * self.pace) if far > near + 0.15 else (ux * 0.25, uy * 0.25)
        w = actor.want
        w[body.SMILE] = 0.9
        if actor.build.adult and not other.build.adult and far < 1.3:
            # kneel down to the child's height
            w[body.PELVIS], w[body.PITCH] = 0.5, 0.25
            w[body.FOOT_L : body.FOOT_L + 3] = (0.15, 0.05, 0.0)
            w[body.FOOT_R : body.FOOT_R + 3] = (-0.4, 0.05, 0.0)
            actor.quick_s = 0.25
        if far < 0.85:
            sway = 0.08 * math.sin(world.time_s * self.rock * 2)
            w[body.ROLL] += sway if self.leads else -sway
            w[body.TURN] = 0.5
            back = -0.12
            gap = 0.1
            if far < 0.6:
                actor.grasp(True, other.spot(0.75, back, -gap))
                actor.grasp(False, other.spot(0.6, back, gap))
            else:
                for at in (body.HAND_L, body.HAND_R):
                    w[at : at + 3] = (0.75, 0.3, -0.15)
            actor.quick_s = max(actor.quick_s, 0.2) if far < 0.6 else actor.quick_s


class Clap:
    """A clapping game face to face; an adult kneels for it."""

    def __init__(self, rng: Random, partner: Actor, beat_hz: float) -> None:
        self.partner, self.beat = partner, beat_hz
        self.pace = rng.uniform(0.7, 1.2)

    def step(self, actor: Actor, world: "World") -> None:
        """Approach, then clap in time."""
        other = self.partner
        ux, uy, far = between(actor, other)
        actor.look_to(other.x, other.y)
        if far > 0.75:
            actor.goal = (ux * self.pace, uy * self.pace)
            return
        if far < 0.55:
            actor.goal = (-ux * 0.3, -uy * 0.3)
        w = actor.want
        w[body.SMILE], w[body.MOUTH] = 1.0, 0.5
        if actor.build.adult:
            seated(actor, 2)
        s = math.sin(world.time_s * self.beat * math.tau)
        high = max(actor.spot(0.8)[2], other.spot(0.8)[2]) * 0.5 + min(actor.spot(0.8)[2], other.spot(0.8)[2]) * 0.5
        mx, my = (actor.x + other.x) / 2, (actor.y + other.y) / 2
        back = 0.02 + 0.2 * max(0.0, s)
        for left in (True, False):
            side = (0.16 if left else -0.16) * (1 - 0.6 * max(0.0, s))
            actor.grasp(left, (mx - ux * back - uy * side, my - uy * back + ux * side, high + 0.1))
        actor.quick_s = 0.06


class Whirl:
    """An adult lifts a child under the arms and turns round and round, both laughing."""

    def __init__(self, rng: Random, partner: Actor, leads: bool) -> None:
        self.partner, self.leads = partner, leads
        self.spin = rng.choice((-1, 1)) * rng.uniform(1.6, 2.8)
        self.up = 0.0

    def step(self, actor: Actor, world: "World") -> None:
        """The adult moves both; the child laughs."""
        other = self.partner
        ux, uy, far = between(actor, other)
        actor.want[body.SMILE], actor.want[body.MOUTH] = 1.0, 0.6
        if not self.leads:
            return
        child = other
        if self.up == 0.0 and far > 0.55:
            actor.look_to(child.x, child.y)
            actor.goal = (ux * 1.0, uy * 1.0)
            return
        self.up = min(1.0, self.up + STEP_S / 1.2)
        ease = self.up * self.up * (3 - 2 * self.up)
        actor.face = actor.heading + self.spin * 0.13 * ease
        child.held, child.solid = True, False
        reach = 0.5
        child.x += (actor.x + reach * math.cos(actor.heading) - child.x) * 0.3
        child.y += (actor.y + reach * math.sin(actor.heading) - child.y) * 0.3
        child.face = actor.heading + math.pi
        child.want[body.LIFT] = ease * (0.35 + 0.12 * math.sin(world.time_s * 1.7))
        child.want[body.FOOT_L] = child.want[body.FOOT_R] = -0.35 * ease
        child.want[body.HAND_L : body.HAND_L + 3] = child.want[body.HAND_R : body.HAND_R + 3] = (0.6, 0.35, 0.1)
        actor.grasp(True, child.spot(0.75, 0, -0.12))
        actor.grasp(False, child.spot(0.75, 0, 0.12))
        actor.quick_s = 0.1


class BallGame:
    """Two sit opposite each other and roll a ball."""

    def __init__(self, rng: Random, partner: Actor, x: float, y: float, starts: bool) -> None:
        self.partner, self.x, self.y, self.starts = partner, x, y, starts
        self.pace = rng.uniform(0.7, 1.1)
        self.next_s = rng.uniform(0.5, 2.0)
        self.sat = False
        self.rng = rng

    def step(self, actor: Actor, world: "World") -> None:
        """Sit, and roll the ball back when it comes."""
        far = math.hypot(self.x - actor.x, self.y - actor.y)
        if far > (0.5 if self.sat else 0.12):
            self.sat = False
            actor.go(self.x, self.y, self.pace)
            return
        self.sat = True
        other = self.partner
        actor.look_to(other.x, other.y)
        seated(actor, 1)
        w, ball = actor.want, world.ball
        w[body.SMILE] = 0.8
        ux, uy, _ = between(actor, other)
        if ball is None:
            return
        dist = math.hypot(ball.x - actor.x, ball.y - actor.y)
        if dist < 0.75:
            actor.grasp(True, (ball.x - uy * 0.1, ball.y + ux * 0.1, 0.15))
            actor.grasp(False, (ball.x + uy * 0.1, ball.y - ux * 0.1, 0.15))
            self.next_s -= STEP_S
            if self.next_s < 0:
                self.next_s = self.rng.uniform(0.6, 1.8)
                gap = math.hypot(other.x - ball.x, other.y - ball.y)
                push = min(2.2, 0.5 + gap * 0.9)
                ball.vx, ball.vy = ux * push, uy * push
        elif self.starts and math.hypot(ball.x - other.x, ball.y - other.y) > 0.75 and ball.slow():
            ball.x, ball.y = actor.x + ux * 0.5, actor.y + uy * 0.5
        w[body.PITCH] += 0.15 if dist < 0.9 else 0.0


class PlayFight:
    """Two children bounce, push each other lightly in turn, wrestle standing, chase, laugh."""

    def __init__(self, rng: Random, partner: Actor, first: bool) -> None:
        self.rng, self.partner, self.first = rng, partner, first
        self.mode, self.left_s = "bounce", rng.uniform(0.3, 0.9)
        self.push_at, self.pushing = rng.uniform(0.2, 0.9) + (0.0 if first else 0.45), 0.0
        self.spin = rng.choice((-1, 1)) * rng.uniform(0.8, 2.0)
        self.hop = rng.uniform(1.8, 2.8)
        self.mate: PlayFight | None = None

    def step(self, actor: Actor, world: "World") -> None:
        """Bounce, push, wrestle or chase, as both have agreed."""
        other = self.partner
        ux, uy, far = between(actor, other)
        w = actor.want
        actor.look_to(other.x, other.y)
        laugh = math.sin(actor.clock * 9)
        w[body.SMILE], w[body.MOUTH] = 1.0, 0.45 + 0.35 * laugh
        actor.speed_up = 7.0
        self._choose()
        if self.mode != "chase" and far > 0.75:
            actor.goal = (ux * 1.3, uy * 1.3)
        elif far < 0.42:
            actor.goal = (-ux * 0.6, -uy * 0.6)
        if self.mode == "chase":
            self._chase(actor, world, ux, uy, far)
        elif self.mode == "wrestle":
            actor.grasp(True, other.spot(0.9, 0.0, -0.1))
            actor.grasp(False, other.spot(0.9, 0.0, 0.1))
            actor.goal = (actor.goal[0] - uy * self.spin * 0.45, actor.goal[1] + ux * self.spin * 0.45)
            w[body.ROLL] = 0.22 * math.sin(actor.clock * 5 + (0 if self.first else 1.5))
            w[body.PITCH] = 0.25 + 0.12 * math.sin(actor.clock * 6.3)
            actor.quick_s = 0.09
        else:
            self._bounce(actor, other, ux, uy, far)

    def _choose(self) -> None:
        if not self.first:
            return
        self.left_s -= STEP_S
        if self.left_s > 0:
            return
        self.mode = self.rng.choice(("bounce", "bounce", "wrestle", "wrestle", "chase"))
        self.left_s = self.rng.uniform(1.2, 3.0)
        if self.mate:
            self.mate.mode, self.mate.spin = self.mode, self.spin

    def _chase(self, actor: Actor, world: "World", ux: float, uy: float, far: float) -> None:
        x0, y0, x1, y1 = world.room.walkable
        cx, cy = (x0 + x1) / 2, (y0 + y1) / 2
        rx, ry = actor.x - cx, actor.y - cy
        r = math.hypot(rx, ry) or 1.0
        turn = 1 if self.spin > 0 else -1
        ring = 0.9
        if self.first or far > 0.8:
            actor.goal = (
                (-ry / r * turn + rx / r * (ring - r)) * (1.9 if self.first else 2.0),
                (rx / r * turn + ry / r * (ring - r)) * (1.9 if self.first else 2.0),
            )
        else:
            actor.goal = (ux * 1.6, uy * 1.6)
        actor.face = math.atan2(actor.goal[1], actor.goal[0])

    def _bounce(self, actor: Actor, other: Actor, ux: float, uy: float, far: float) -> None:
        w = actor.want
        beat = math.sin(actor.clock * self.hop * math.tau)
        w[body.LIFT] = 0.06 * max(0.0, beat)
        w[body.PELVIS] -= 0.08 * max(0.0, -beat)
        guard = 0.08 * math.sin(actor.clock * 7)
        w[body.HAND_L : body.HAND_L + 3] = (0.42 + guard, 0.1, -0.2)
        w[body.HAND_R : body.HAND_R + 3] = (0.42 - guard, 0.1, -0.2)
        actor.quick_s = 0.08
        self.push_at -= STEP_S
        if self.push_at < 0 and far < 0.85:
            if self.pushing == 0.0:
                k = self.rng.uniform(0.5, 1.0)
                other.hit(ux * k, uy * k, -2.2 * k, self.rng.uniform(-1.5, 1.5))
            self.pushing += STEP_S
            actor.grasp(True, other.spot(0.85, 0.08, -0.08))
            actor.grasp(False, other.spot(0.85, 0.08, 0.08))
            w[body.PITCH] += 0.18
            actor.quick_s = 0.05
            if self.pushing > 0.3:
                self.pushing, self.push_at = 0.0, self.rng.uniform(0.5, 1.3)
