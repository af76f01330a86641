"""The one violent scene: an adult seizes a child, shakes, strikes and throws it; movement only, no injury is shown.

What tells it from play is its dynamics: bursts of acceleration, repeated strikes of a large body on a small one, a
child who is moved instead of moving. Nothing about place, clothes or light is particular to it.
"""

import math
from random import Random
from typing import TYPE_CHECKING

from playroom import body
from playroom.actor import STEP_S, Actor, between
from playroom.calm import lying, seated

if TYPE_CHECKING:
    from playroom.world import World

_ARM_TO = 0.58  # how far off, in metres, the adult stands while holding the child


class Victim:
    """The child: tries to shrink away, is moved by the adult, falls, curls up, cries."""

    def __init__(self, rng: Random) -> None:
        self.rng = rng
        self.down = False
        self.curled = rng.random() < 0.5
        self.side = rng.choice((-1.0, 1.0))
        self.shake = 0.0
        self.carried = 0.0
        self.afraid = False

    def step(self, actor: Actor, world: "World") -> None:
        """Shrink away, be shaken, lie where thrown."""
        w = actor.want
        if not self.afraid:
            w[body.NOD] = 0.1
            return
        w[body.SMILE], w[body.MOUTH] = -1.0, 0.7
        if self.down:
            lying(actor, 1.35 * self.side, 0.11)
            if self.curled:
                w[body.FOOT_L] *= 0.55
                w[body.FOOT_R] *= 0.5
                w[body.HAND_L : body.HAND_L + 3] = w[body.HAND_R : body.HAND_R + 3] = (0.35 * self.side, 0.05, 0.15)
        else:  # arms before the head, knees giving way
            w[body.HAND_L : body.HAND_L + 3] = (0.35, 0.02, 0.35)
            w[body.HAND_R : body.HAND_R + 3] = (0.35, 0.02, 0.25)
            w[body.PELVIS] -= 0.08
            w[body.PITCH] = 0.15
            actor.quick_s = 0.07
        w[body.PITCH] += 0.5 * self.shake
        w[body.ROLL] += 0.3 * self.shake
        w[body.NOD] += 0.6 * self.shake
        w[body.LIFT] += self.carried
        if self.carried > 0.03:
            w[body.FOOT_L] -= 0.3
            w[body.FOOT_R] -= 0.15


class Assault:
    """The adult's part: stride up, then bursts of shaking, striking and throwing until the act ends."""

    def __init__(self, rng: Random, child: Actor, victim: Victim) -> None:
        self.rng, self.child, self.victim = rng, child, victim
        self.pace = rng.uniform(1.9, 2.8)
        self.move, self.t, self.length = "approach", 0.0, 0.0
        self.right = rng.random() < 0.7
        self.rate, self.blows, self.struck = 5.0, 0, 0
        self.axis, self.spin, self.force = 0.0, 1.0, rng.uniform(0.8, 1.25)
        self.calm_s = 0.0

    def step(self, actor: Actor, world: "World") -> None:
        """Stride up, then one move after the other."""
        child = self.child
        self.t += STEP_S
        actor.want[body.SMILE], actor.want[body.MOUTH] = -1.0, 0.35 + 0.35 * math.sin(actor.clock * 8)
        actor.speed_up = 14.0
        ux, uy, far = between(actor, child)
        child.solid = self.move == "approach"
        if self.move == "approach":
            actor.look_to(child.x, child.y)
            self._close_in(actor, ux, uy, far, self.pace)
            actor.want[body.PITCH] = 0.12
            if far < _ARM_TO + 0.18:
                self.victim.afraid = True
                self._next(actor)
            return
        world.violence()
        if self.move == "shake":
            self._shake(actor, ux, uy, far)
        elif self.move == "strike":
            self._strike(actor, ux, uy, far)
        elif self.move == "throw":
            self._throw(actor, world)
        elif self.move == "yank":
            self._yank(actor, ux, uy, far)
        if self.t >= self.length:
            self._next(actor)

    def _next(self, actor: Actor) -> None:
        """Choose the next move of the attack."""
        rng, last = self.rng, self.move
        self.child.held = False
        self.victim.shake = self.victim.carried = 0.0
        self.t = 0.0
        if last == "approach":
            move = rng.choice(("shake", "strike", "shake"))
        elif self.victim.down:
            move = rng.choice(("strike", "strike", "yank")) if last != "strike" else rng.choice(("yank", "strike"))
        else:
            move = rng.choice(("strike", "strike", "shake", "throw"))
            if move == last == "shake":
                move = "throw"
        self.move = move
        if move == "shake":
            self.length, self.rate = rng.uniform(0.8, 1.6), rng.uniform(3.6, 5.2)
        elif move == "strike":
            self.blows, self.struck = rng.randint(2, 5), 0
            self.rate = rng.uniform(2.0, 3.0)
            self.length = self.blows / self.rate
            self.right = rng.random() < 0.7
        elif move == "throw":
            self.length, self.spin = rng.uniform(0.75, 1.0), rng.choice((-1.0, 1.0))
            self.axis = actor.heading
        else:
            self.length = 0.55

    def _close_in(self, actor: Actor, ux: float, uy: float, far: float, speed: float) -> None:
        """Stay at arm's length of the child."""
        if far > _ARM_TO + 0.08:
            v = min(speed, 0.4 + 4 * (far - _ARM_TO))
            actor.goal = (ux * v, uy * v)
        elif far < _ARM_TO - 0.14:
            actor.goal = (-ux * 0.8, -uy * 0.8)

    def _stoop(self, actor: Actor) -> None:
        """Bend to the child's height."""
        w = actor.want
        if self.victim.down:
            w[body.PITCH] += 0.95
            w[body.PELVIS] = 0.78
            w[body.FOOT_L], w[body.FOOT_R] = w[body.FOOT_L] + 0.18, w[body.FOOT_R] - 0.18
        else:
            w[body.PITCH] += 0.42
            w[body.PELVIS] = 0.9
        w[body.NOD] = 0.0

    def _shake(self, actor: Actor, ux: float, uy: float, far: float) -> None:
        child, victim = self.child, self.victim
        actor.look_to(child.x, child.y)
        self._close_in(actor, ux, uy, far, 1.6)
        self._stoop(actor)
        wave = math.sin(math.tau * self.rate * self.t)
        swing = 0.13 * self.force
        hold = _ARM_TO + swing * wave
        child.held = True
        pull = 0.35
        child.x += (actor.x + ux * hold - child.x) * pull
        child.y += (actor.y + uy * hold - child.y) * pull
        child.face = math.atan2(-uy, -ux)
        victim.shake = 0.75 * math.sin(math.tau * self.rate * self.t - 1.2)
        victim.carried = 0.0 if victim.down else 0.06
        actor.grasp(True, child.spot(0.8, 0, -0.13))
        actor.grasp(False, child.spot(0.8, 0, 0.13))
        actor.want[body.TWIST] = 0.15 * wave
        actor.quick_s = 0.04

    def _strike(self, actor: Actor, ux: float, uy: float, far: float) -> None:
        child, victim = self.child, self.victim
        actor.look_to(child.x, child.y)
        self._close_in(actor, ux, uy, far, 2.4)
        self._stoop(actor)
        w = actor.want
        sign = 1.0 if self.right else -1.0
        beat = self.t * self.rate
        phase = beat % 1.0
        at = body.HAND_R if self.right else body.HAND_L
        if phase < 0.5:  # the arm goes up and back
            w[at : at + 3] = (-0.3, 0.4, 0.85)
            w[body.TWIST] = -0.75 * sign
            w[body.PITCH] -= 0.3
            actor.quick_s = 0.07
        else:  # and comes down on head, back or side
            w[body.TWIST] = 0.7 * sign
            w[body.PITCH] += 0.22
            actor.grasp(not self.right, child.spot(1.05 if int(beat) % 2 else 0.6, 0.0, 0.0))
            actor.quick_s = 0.028
        if not victim.down:  # the other hand holds the child
            actor.grasp(self.right, child.spot(0.85, 0.0, -0.12 * sign))
        if phase > 0.64 and self.struck <= int(beat):
            self.struck = int(beat) + 1
            k = self.force * self.rng.uniform(0.8, 1.3)
            sideways = -sign * self.rng.uniform(0.3, 1.0)
            child.hit(
                (ux * 1.3 - uy * sideways) * k * 1.3,
                (uy * 1.3 + ux * sideways) * k * 1.3,
                -5.0 * k,
                9.0 * k * sideways,
            )
            if not victim.down and self.rng.random() < 0.3:
                victim.down = True
                victim.side = self.rng.choice((-1.0, 1.0))

    def _throw(self, actor: Actor, world: "World") -> None:
        child, victim = self.child, self.victim
        share = self.t / self.length
        w = actor.want
        if share < 0.65:  # swung round at arm's length
            ease = (share / 0.65) ** 2
            angle = self.axis + self.spin * 2.2 * ease
            actor.face = angle
            actor.heading = angle
            child.held = True
            far = _ARM_TO + 0.12
            child.x += (actor.x + far * math.cos(angle) - child.x) * 0.4
            child.y += (actor.y + far * math.sin(angle) - child.y) * 0.4
            victim.carried = 0.22 * math.sin(math.pi * min(1.0, share / 0.5) / 2)
            victim.shake = -self.spin * 0.8 * ease
            actor.grasp(True, child.spot(0.75, 0, -0.1))
            actor.grasp(False, child.spot(0.75, 0, 0.1))
            w[body.PITCH] = 0.3
            actor.quick_s = 0.04
            world.keep_inside(child)
        elif not victim.down:
            angle = actor.heading + self.spin * 0.9
            child.held = False
            k = self.rng.uniform(3.6, 5.2) * self.force
            child.hit(k * math.cos(angle), k * math.sin(angle), -3.0, 6.0 * self.spin)
            victim.down, victim.carried, victim.shake = True, 0.0, 0.0
            victim.side = self.rng.choice((-1.0, 1.0))
        else:
            w[body.TWIST] = 0.5 * self.spin
            w[body.HAND_L : body.HAND_L + 3] = w[body.HAND_R : body.HAND_R + 3] = (0.75, 0.2, -0.1)
            actor.face = actor.heading

    def _yank(self, actor: Actor, ux: float, uy: float, far: float) -> None:
        """Stride after the fallen child and pull it up by one arm."""
        child, victim = self.child, self.victim
        actor.look_to(child.x, child.y)
        self._close_in(actor, ux, uy, far, 2.6)
        if far > _ARM_TO + 0.25 and self.length < 1.6:
            self.length += STEP_S
            return
        if victim.down:
            self._stoop(actor)
            actor.grasp(not self.right, child.spot(1.0))
            if self.t > self.length - 0.3:
                victim.down = False
        else:
            at = body.HAND_R if self.right else body.HAND_L
            actor.want[at : at + 3] = (0.55, 0.1, 0.1)
            victim.carried = 0.14
            hand = body.HAND_L if self.right else body.HAND_R
            child.want[hand : hand + 3] = (0.2, 0.2, 0.95)
        actor.quick_s = 0.06


class Aftermath:
    """The child left alone: lies, then sits up hunched, hands before the face."""

    def __init__(self, rng: Random) -> None:
        self.wait_s, self.t = rng.uniform(1.5, 3.5), 0.0

    def step(self, actor: Actor, world: "World") -> None:
        """Lie still, then sit hunched."""
        self.t += STEP_S
        w = actor.want
        w[body.SMILE], w[body.MOUTH] = -1.0, 0.5
        if self.t < self.wait_s:
            lying(actor, 1.35, 0.3)
            w[body.FOOT_L] *= 0.55
            w[body.FOOT_R] *= 0.55
            return
        seated(actor, 1)
        w[body.FOOT_L] = w[body.FOOT_R] = 0.45
        w[body.PITCH] = 0.5 + 0.05 * math.sin(actor.clock * 7)
        w[body.HAND_L : body.HAND_L + 3] = w[body.HAND_R : body.HAND_R + 3] = (0.45, -0.2, 0.15)
        actor.quick_s = 0.3
