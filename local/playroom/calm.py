"""What people do alone: stand, sit, wander, run, build with blocks, dance, leave."""

import math
from random import Random
from typing import TYPE_CHECKING, Protocol

from playroom import body
from playroom.actor import Actor

if TYPE_CHECKING:
    from playroom.world import World


class Behaviour(Protocol):
    """Sets an actor's wishes for the next step."""

    def step(self, actor: Actor, world: "World") -> None:
        """Called 60 times a second, after ``Actor.begin``."""
        ...


def seated(actor: Actor, style: int) -> None:
    """Wish to sit on the floor: cross-legged, legs out, or kneeling."""
    w = actor.want
    if style == 0:
        w[body.PELVIS], w[body.KNEES] = 0.2, 0.95
        w[body.FOOT_L : body.FOOT_L + 3] = w[body.FOOT_R : body.FOOT_R + 3] = (0.42, -0.12, 0.02)
    elif style == 1:
        w[body.PELVIS], w[body.KNEES] = 0.19, 0.1
        w[body.FOOT_L : body.FOOT_L + 3] = w[body.FOOT_R : body.FOOT_R + 3] = (0.86, 0.1, 0.05)
    else:
        w[body.PELVIS], w[body.KNEES] = 0.42, 0.1
        w[body.FOOT_L : body.FOOT_L + 3] = w[body.FOOT_R : body.FOOT_R + 3] = (-0.35, 0.05, 0.0)
    w[body.PITCH] = 0.16
    w[body.HAND_L : body.HAND_L + 3] = w[body.HAND_R : body.HAND_R + 3] = (0.42, 0.1, -0.72)
    actor.quick_s = 0.22


class Stand:
    """Stand about, shift the weight, look around, sometimes watch somebody."""

    def __init__(self, rng: Random) -> None:
        self.until, self.turn, self.watch, self.arms = 0.0, 0.0, -1, 0
        self.rng = rng

    def step(self, actor: Actor, world: "World") -> None:
        """Shift the weight and look about."""
        if actor.clock > self.until:
            self.until = actor.clock + self.rng.uniform(1.0, 3.5)
            self.turn = self.rng.uniform(-0.9, 0.9)
            self.watch = self.rng.randrange(-2, len(world.actors))
            self.arms = self.rng.randrange(4)
        w, t = actor.want, actor.clock
        w[body.ROLL] = 0.03 * math.sin(t * 0.9)
        w[body.TURN] = self.turn
        w[body.NOD] = 0.25 if actor.build.adult else -0.05
        if self.arms == 1:  # hands together
            w[body.HAND_L : body.HAND_L + 3] = w[body.HAND_R : body.HAND_R + 3] = (0.5, -0.2, -0.5)
        elif self.arms == 2:  # pointing or explaining
            wave = 0.12 * math.sin(t * 3.1)
            w[body.HAND_R : body.HAND_R + 3] = (0.6, 0.15 + wave, -0.25 + wave)
        if 0 <= self.watch < len(world.actors) and world.actors[self.watch] is not actor:
            other = world.actors[self.watch]
            actor.look_to(other.x, other.y)


class Sit:
    """Go to a place, sit down, fiddle with what lies in front."""

    def __init__(self, rng: Random, x: float, y: float, towards: tuple[float, float]) -> None:
        self.x, self.y, self.towards = x, y, towards
        self.style = rng.randrange(3)
        self.pace = rng.uniform(0.6, 1.1)
        self.busy = rng.uniform(0.2, 1.0)
        self.rate = rng.uniform(1.2, 3.6)
        self.down = False
        self.rng = rng

    def step(self, actor: Actor, world: "World") -> None:
        """Go there, then sit and fiddle."""
        far = math.hypot(self.x - actor.x, self.y - actor.y)
        if far > (0.7 if self.down else 0.12):
            self.down = False
            actor.go(self.x, self.y, self.pace)
            return
        self.down = True
        actor.look_to(*self.towards)
        seated(actor, self.style)
        w, t = actor.want, actor.clock
        a, b = math.sin(t * self.rate), math.sin(t * self.rate * 1.31 + 1)
        slow = math.sin(t * 0.37)
        w[body.HAND_L] += 0.14 * self.busy * a * (slow > -0.3)
        w[body.HAND_L + 2] += 0.12 * self.busy * max(0.0, b)
        w[body.HAND_R] += 0.16 * self.busy * b * (slow < 0.4)
        w[body.HAND_R + 1] += 0.15 * self.busy * a
        w[body.NOD] = 0.45 + 0.3 * slow
        w[body.TURN] = 0.5 * math.sin(t * 0.53) * (slow < 0)
        w[body.PITCH] += 0.05 * math.sin(t * 0.8)


class Wander:
    """Walk from place to place with rests."""

    def __init__(self, rng: Random, pace: tuple[float, float], rest: tuple[float, float]) -> None:
        self.rng, self.pace, self.rest = rng, pace, rest
        self.target: tuple[float, float] | None = None
        self.speed = rng.uniform(*pace)
        self.wait_until = -1.0
        self.idle = Stand(rng)

    def step(self, actor: Actor, world: "World") -> None:
        """Walk to the next place or rest."""
        if self.target is None:
            if actor.clock < self.wait_until:
                self.idle.step(actor, world)
                return
            self.target = world.free_spot(self.rng, away_from=(actor.x, actor.y))
            self.speed = self.rng.uniform(*self.pace)
            self.until = actor.clock + 6
        if self.speed > 1.6:
            actor.want[body.SMILE], actor.want[body.MOUTH] = 0.8, 0.5
        if actor.go(*self.target, self.speed) < 0.25 or actor.clock > self.until:
            self.target = None
            self.wait_until = actor.clock + self.rng.uniform(*self.rest)


class Trip(Wander):
    """Run about, stumble once, sit up, run on."""

    def __init__(self, rng: Random) -> None:
        super().__init__(rng, (1.6, 2.3), (0.0, 0.5))
        self.fall_in = rng.uniform(0.4, 3.0)
        self.started: float | None = None

    def step(self, actor: Actor, world: "World") -> None:
        """Run, and fall when it is time."""
        self.started = actor.clock if self.started is None else self.started
        t = actor.clock - self.started - self.fall_in
        if t < 0 or t > 2.6:
            super().step(actor, world)
            return
        if t < 1.1:
            lying(actor, 1.35, 0.12)
            if t < 0.3:
                actor.goal = (1.2 * math.cos(actor.heading), 1.2 * math.sin(actor.heading))
                actor.face = actor.heading
        else:
            seated(actor, 2)
            actor.quick_s = 0.3


def lying(actor: Actor, pitch: float, quick_s: float) -> None:
    """Wish to lie: ``pitch`` above 0 on the belly, below 0 on the back."""
    w = actor.want
    side = 1.0 if pitch > 0 else -1.0
    w[body.PELVIS], w[body.PITCH], w[body.NOD] = 0.2, pitch, -0.35 * side
    w[body.FOOT_L : body.FOOT_L + 3] = (-0.82 * side, 0.12, 0.04)
    w[body.FOOT_R : body.FOOT_R + 3] = (-0.6 * side, 0.2, 0.1)
    w[body.HAND_L : body.HAND_L + 3] = (0.55 * side, 0.45, -0.25)
    w[body.HAND_R : body.HAND_R + 3] = (0.75 * side, 0.2, -0.25)
    actor.quick_s = quick_s


class Dance:
    """Move on the spot to a beat."""

    def __init__(self, rng: Random, beat_hz: float, x: float, y: float) -> None:
        self.beat, self.x, self.y = beat_hz, x, y
        self.style, self.energy = rng.randrange(4), rng.uniform(0.5, 1.3)
        self.lag = rng.uniform(-0.5, 0.5)
        self.spin = rng.choice((-1, 1)) * rng.uniform(0.0, 1.5)

    def step(self, actor: Actor, world: "World") -> None:
        """Follow the beat."""
        if math.hypot(self.x - actor.x, self.y - actor.y) > 0.4:
            actor.go(self.x, self.y, 1.1)
            return
        w, e = actor.want, self.energy
        a = math.tau * self.beat * world.time_s + self.lag
        s, c, half = math.sin(a), math.cos(a), math.sin(a / 2)
        w[body.ROLL] = 0.2 * e * half
        w[body.TWIST] = 0.45 * e * half
        w[body.PELVIS] -= 0.07 * e * (1 + s) / 2
        w[body.LIFT] = 0.09 * e * max(0.0, s) * (self.style != 1)
        w[body.SMILE], w[body.MOUTH] = 1.0, 0.4 * (s > 0)
        w[body.FOOT_L + 2] += 0.2 * e * max(0.0, half)
        w[body.FOOT_R + 2] += 0.2 * e * max(0.0, -half)
        if self.style == 0:  # arms up, waving
            w[body.HAND_L : body.HAND_L + 3] = (0.2, 0.35 + 0.35 * half, 0.8)
            w[body.HAND_R : body.HAND_R + 3] = (0.2, 0.35 - 0.35 * half, 0.8)
        elif self.style == 1:  # twist
            w[body.HAND_L : body.HAND_L + 3] = (0.5 + 0.3 * half, 0.2, -0.3)
            w[body.HAND_R : body.HAND_R + 3] = (0.5 - 0.3 * half, 0.2, -0.3)
        elif self.style == 2:  # flap
            up = -0.2 + 0.75 * c
            w[body.HAND_L : body.HAND_L + 3] = w[body.HAND_R : body.HAND_R + 3] = (0.1, 0.85, up)
        else:  # clap overhead
            gap = 0.02 + 0.4 * (1 + c)
            w[body.HAND_L : body.HAND_L + 3] = w[body.HAND_R : body.HAND_R + 3] = (0.55, gap - 0.25, 0.35)
        actor.quick_s = 0.06
        actor.face = actor.heading + self.spin * 0.12


class Wipe:
    """An adult bent over a table or the floor, wiping with quick strokes."""

    def __init__(self, rng: Random, x: float, y: float, towards: tuple[float, float]) -> None:
        self.x, self.y, self.towards, self.rate = x, y, towards, rng.uniform(6.0, 11.0)

    def step(self, actor: Actor, world: "World") -> None:
        """Go there, bend and wipe."""
        if actor.go(self.x, self.y, 1.1) > 0.15:
            return
        actor.look_to(*self.towards)
        w, s = actor.want, math.sin(actor.clock * self.rate)
        w[body.PITCH], w[body.NOD], w[body.PELVIS] = 0.85, 0.0, 0.86
        w[body.HAND_L : body.HAND_L + 3] = (0.3, 0.2, -0.85)
        w[body.HAND_R : body.HAND_R + 3] = (0.55 + 0.15 * s, -0.15 + 0.4 * s, -0.75)
        w[body.TWIST] = 0.12 * s
        actor.quick_s = 0.07


class Leave:
    """Walk out through the door."""

    def step(self, actor: Actor, world: "World") -> None:
        """Head for the door."""
        x, y = world.door
        actor.solid = False
        if actor.go(x, y, 1.4) < 0.35:
            actor.hidden = True


class Freeze:
    """Stand still, frightened, and back away from somebody."""

    def __init__(self, rng: Random, who: Actor) -> None:
        self.who, self.keep_m, self.late = who, rng.uniform(1.2, 2.4), rng.uniform(0.2, 1.2)
        self.hands = rng.random() < 0.5
        self.begun: float | None = None

    def step(self, actor: Actor, world: "World") -> None:
        """Notice after a moment, then back away."""
        self.begun = actor.clock if self.begun is None else self.begun
        if actor.clock - self.begun < self.late:
            actor.look_to(self.who.x, self.who.y)
            return
        dx, dy = actor.x - self.who.x, actor.y - self.who.y
        far = math.hypot(dx, dy) or 1.0
        actor.look_to(self.who.x, self.who.y)
        if far < self.keep_m:
            actor.goal = (dx / far * 0.7, dy / far * 0.7)
        w = actor.want
        w[body.SMILE], w[body.MOUTH], w[body.NOD] = -0.8, 0.3, -0.1
        if self.hands:
            w[body.HAND_L : body.HAND_L + 3] = w[body.HAND_R : body.HAND_R + 3] = (0.35, -0.1, 0.2)
