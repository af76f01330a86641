"""The simulation: people, toys and light of one seed, act after act, in steps of 1/60 s."""

import math
from collections.abc import Sequence
from random import Random

from playroom.actor import STEP_S, Actor
from playroom.acts import Act, Span
from playroom.body import Colour, cloth, make_build
from playroom.calm import Behaviour
from playroom.casting import cast
from playroom.light import Light
from playroom.room import Box, make_camera, make_room

PREROLL_S = 3.0
"""People have been in the room for this long when the first frame is taken."""


class Ball:
    """A ball that rolls and slows down."""

    def __init__(self, x: float, y: float, radius_m: float, colour: Colour) -> None:
        self.x, self.y, self.radius_m, self.colour = x, y, radius_m, colour
        self.vx = self.vy = 0.0

    def slow(self) -> bool:
        """Whether it has nearly stopped."""
        return math.hypot(self.vx, self.vy) < 0.15

    def advance(self) -> None:
        """One simulation step."""
        self.x, self.y = self.x + self.vx * STEP_S, self.y + self.vy * STEP_S
        fade = math.exp(-STEP_S / 1.1)
        self.vx, self.vy = self.vx * fade, self.vy * fade


class World:
    """Everything that moves. ``advance`` makes one step; the caller looks at it when a frame is due."""

    def __init__(self, seed: int, acts: Sequence[Act]) -> None:
        if seed < 0:
            raise ValueError(f"a seed is 0 or more, not {seed}")
        if not acts:
            raise ValueError("a programme needs at least one act")
        self.seed, self.acts = seed, tuple(acts)
        self.room = make_room(seed)
        self.light = Light(seed)
        rng = Random(seed * 7919 + 31)
        self.rng = rng
        self._eye = make_camera(self.room, (640, 360))
        self.time_s = -PREROLL_S
        self.act_index = 0
        self.spans: list[Span] = []
        self.victim: Actor | None = None
        self._claimed: list[tuple[float, float]] | None = None
        self.ball: Ball | None = None
        self.actors: list[Actor] = []
        self.roles: list[Behaviour] = []
        if any(act.scene != "empty" for act in acts):
            adults = 1 if any(act.scene in ("assault", "hug") for act in acts) or rng.random() < 0.88 else 0
            adults += rng.random() < 0.12
            for adult in [False] * rng.randint(3, 6) + [True] * adults:
                x, y = self.free_spot(rng)
                actor = Actor(make_build(rng, adult), x, y, rng.uniform(0, math.tau), Random(rng.random()))
                self.actors.append(actor)
            x, y = self.free_spot(rng)
            if rng.random() < 0.8:
                self.ball = Ball(x, y, rng.uniform(0.08, 0.14), cloth(rng))
        self.blocks = self._scatter(rng)
        self._begin_act()
        if acts[0].scene == "empty":
            for actor in self.actors:
                actor.hidden = True
        while self.time_s < -STEP_S / 2:
            self.advance()
        self.spans = [span for span in self.spans if span.end_s > 0]

    @property
    def door(self) -> tuple[float, float]:
        """The place on the floor where people enter and leave."""
        return self.room.door_m + 0.45, self.room.depth_m - 0.2

    def violence(self) -> None:
        """Behaviours call this in every step in which somebody is being assaulted."""
        end = self.time_s + STEP_S
        if self.spans and self.time_s - self.spans[-1].end_s < 0.5:
            self.spans[-1] = Span(self.spans[-1].start_s, end, "physical")
        else:
            self.spans.append(Span(max(self.time_s, 0.0), end, "physical"))

    def visible(self, x: float, y: float, margin_px: float = 25.0) -> bool:
        """Whether somebody standing at (x, y) is in the picture (as seen in 640 x 360)."""
        for z, below_px in ((0.0, margin_px), (0.9, 0.0)):
            px, py, depth = self._eye.project((x, y, z))
            if not (margin_px < px < 640 - margin_px and 0 < py < 360 - below_px) or depth < 1.0:
                return False
        return True

    def free_spot(
        self, rng: Random, away_from: tuple[float, float] | None = None, near: tuple[float, float, float] | None = None
    ) -> tuple[float, float]:
        """A place to stand: in the picture, off the tables, apart from others, perhaps ``near`` (x, y, radius)."""
        x0, y0, x1, y1 = self.room.walkable
        best, x, y = -1.0, (x0 + x1) / 2, (y0 + y1) / 2
        for _ in range(14):
            if near:
                a, r = rng.uniform(0, math.tau), near[2] * rng.uniform(0.6, 1.0)
                px, py = near[0] + r * math.cos(a), near[1] + r * math.sin(a)
            else:
                px, py = rng.uniform(x0, x1), rng.uniform(y0, y1)
            if not (x0 <= px <= x1 and y0 <= py <= y1) or not self.visible(px, py):
                continue
            if any(t.x[0] - 0.4 < px < t.x[1] + 0.4 and t.y[0] - 0.4 < py < t.y[1] + 0.4 for t in self.room.tables):
                continue
            taken = self._claimed if self._claimed is not None else [(a.x, a.y) for a in self.actors]
            gaps = [math.hypot(px - tx, py - ty) for tx, ty in taken]
            score = min([1.0, *gaps])
            if away_from and math.hypot(px - away_from[0], py - away_from[1]) < 0.8:
                score *= 0.3
            if score > best:
                best, x, y = score, px, py
        if self._claimed is not None:
            self._claimed.append((x, y))
        return x, y

    def keep_inside(self, actor: Actor) -> None:
        """Hold somebody within the walls and the picture."""
        x0, y0, x1, y1 = self.room.walkable
        actor.x, actor.y = min(max(actor.x, x0), x1), min(max(actor.y, y0), y1)
        if not self.visible(actor.x, actor.y, 18.0):
            cx, cy = self.room.width_m * 0.56, self.room.depth_m * 0.56  # about where the camera looks
            far = math.hypot(cx - actor.x, cy - actor.y) or 1.0
            back = 1.2 if self.visible(actor.x, actor.y, 2.0) else 3.0
            actor.x += (cx - actor.x) / far * back * STEP_S
            actor.y += (cy - actor.y) / far * back * STEP_S

    def advance(self) -> None:
        """One step of 1/60 s."""
        ends = sum(act.duration_s for act in self.acts[: self.act_index + 1])
        if self.time_s >= ends - STEP_S / 2 and self.act_index + 1 < len(self.acts):
            self.act_index += 1
            self._begin_act()
        for actor in self.actors:
            actor.begin()
        for actor, role in zip(self.actors, self.roles, strict=True):
            if not actor.hidden:
                role.step(actor, self)
        for actor in self.actors:
            actor.advance()
            if actor.solid:
                self.keep_inside(actor)
        self._part()
        for actor in self.actors:
            if not actor.solid and not actor.hidden and not self._leaving():
                self.keep_inside(actor)
        if self.ball:
            self._roll(self.ball)
        self.light.advance()
        self.time_s += STEP_S

    def _leaving(self) -> bool:
        return self.acts[self.act_index].scene == "empty"

    def _begin_act(self) -> None:
        scene = self.acts[self.act_index].scene
        self.light.act(scene == "lights")
        rng = Random(self.seed * 7919 + 1000 + self.act_index)
        if scene != "empty":
            for actor in self.actors:
                if actor.hidden:
                    actor.hidden = False
                    actor.x, actor.y = self.door
        self._claimed = []  # while the parts are given out, nobody is sent where another is sent
        self.roles = cast(self, scene, rng)
        self._claimed = None

    def _part(self) -> None:
        """Keep people out of each other and of the tables, softly."""
        standing = [actor for actor in self.actors if actor.solid and not actor.hidden]
        for k, a in enumerate(standing):
            for b in standing[:k]:
                dx, dy = a.x - b.x, a.y - b.y
                far = math.hypot(dx, dy)
                room = 0.28
                if 1e-6 < far < room:
                    push = (room - far) * 0.12
                    a.x, a.y = a.x + dx / far * push, a.y + dy / far * push
                    b.x, b.y = b.x - dx / far * push, b.y - dy / far * push
            for table in self.room.tables:
                self._off(a, table)

    def _off(self, actor: Actor, table: Box) -> None:
        left, right = actor.x - (table.x[0] - 0.25), (table.x[1] + 0.25) - actor.x
        near, far = actor.y - (table.y[0] - 0.25), (table.y[1] + 0.25) - actor.y
        least = min(left, right, near, far)
        if least <= 0:
            return
        step = min(least, 2.5 * STEP_S)
        if least in (left, right):
            actor.x += -step if least == left else step
            actor.y += 0.6 * STEP_S  # slide along, so that nobody is stuck behind a table
        else:
            actor.y += -step if least == near else step
            actor.x += 0.6 * STEP_S

    def _roll(self, ball: Ball) -> None:
        ball.advance()
        x0, y0, x1, y1 = self.room.walkable
        if not x0 < ball.x < x1:
            ball.vx, ball.x = -ball.vx * 0.6, min(max(ball.x, x0), x1)
        if not y0 < ball.y < y1:
            ball.vy, ball.y = -ball.vy * 0.6, min(max(ball.y, y0), y1)
        for actor in self.actors:
            dx, dy = ball.x - actor.x, ball.y - actor.y
            far = math.hypot(dx, dy)
            if 1e-6 < far < 0.3 and actor.speed > 0.5:
                ball.vx, ball.vy = dx / far * actor.speed * 1.2, dy / far * actor.speed * 1.2

    def _scatter(self, rng: Random) -> list[Box]:
        """Building blocks on the floor."""
        blocks: list[Box] = []
        for _ in range(rng.randint(0, 3)):
            x, y = self.free_spot(rng)
            for _ in range(rng.randint(2, 6)):
                s = rng.uniform(0.05, 0.11)
                bx, by = x + rng.uniform(-0.3, 0.3), y + rng.uniform(-0.3, 0.3)
                blocks.append(Box((bx, bx + s), (by, by + s), (0.0, s * rng.choice((1, 1, 2))), cloth(rng)))
        return blocks
