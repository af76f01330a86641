"""Who does what in an act: the principals of the scene, and everyday business for everybody else."""

import math
from random import Random
from typing import TYPE_CHECKING

from playroom.actor import Actor
from playroom.assault import Aftermath, Assault, Victim
from playroom.calm import Behaviour, Dance, Freeze, Leave, Sit, Stand, Trip, Wander, Wipe
from playroom.together import BallGame, Clap, Hug, PlayFight, Whirl

if TYPE_CHECKING:
    from playroom.world import World

_CHILD_PACE, _ADULT_PACE, _RUN = (0.5, 1.1), (0.7, 1.5), (1.6, 2.5)
Roles = dict[int, Behaviour]
"""Behaviour by the actor's index; whoever is missing gets everyday business."""


def cast(world: "World", scene: str, rng: Random) -> list[Behaviour]:
    """Behaviours for the actors of ``world`` in an act, in their order."""
    children = [k for k, actor in enumerate(world.actors) if not actor.build.adult]
    adults = [k for k, actor in enumerate(world.actors) if actor.build.adult]
    rng.shuffle(children)
    roles: Roles = {}
    if world.victim is not None and scene != "assault":
        hurt = world.actors.index(world.victim)
        roles[hurt] = Aftermath(rng)
        children.remove(hurt)
        world.victim = None
    if scene == "empty":
        return [Leave() for _ in world.actors]
    people = children + adults
    match scene:
        case "sit" | "lights":
            _sitting(world, rng, roles, people)
        case "walk":
            _walking(world, rng, roles, people)
        case "run":
            for k in children[: rng.randint(2, 5)]:
                roles[k] = Trip(rng) if rng.random() < 0.3 else Wander(rng, _RUN, (0.0, 0.6))
        case "play":
            _play(world, rng, roles, children, adults)
        case "playfight":
            _play_fight(world, rng, roles, children)
        case "hug":
            _hug(world, rng, roles, children, adults)
        case "dance":
            _dancing(world, rng, roles, people)
        case "assault":
            _assault(world, rng, roles, children, adults)
    return _everyday(world, rng, roles, children)


def _sitting(world: "World", rng: Random, roles: Roles, people: list[int]) -> None:
    for k in people:
        if rng.random() < (0.5 if world.actors[k].build.adult else 0.92):
            roles.setdefault(k, _sit(world, rng))


def _walking(world: "World", rng: Random, roles: Roles, people: list[int]) -> None:
    for k in people:
        if rng.random() < 0.85:
            pace = _ADULT_PACE if world.actors[k].build.adult else _CHILD_PACE
            roles.setdefault(k, Wander(rng, pace, (0.0, 1.2)))


def _dancing(world: "World", rng: Random, roles: Roles, people: list[int]) -> None:
    beat = rng.uniform(1.4, 2.3)
    for k in people:
        if rng.random() < 0.85:
            actor = world.actors[k]
            x, y = (actor.x, actor.y) if rng.random() < 0.7 else world.free_spot(rng)
            roles.setdefault(k, Dance(rng, beat, x, y))


def _sit(world: "World", rng: Random) -> Sit:
    x, y = world.free_spot(rng)
    if world.blocks and rng.random() < 0.5:
        block = rng.choice(world.blocks)
        x, y = world.free_spot(rng, near=(block.x[0], block.y[0], 0.6))
        return Sit(rng, x, y, (block.x[0], block.y[0]))
    angle = rng.uniform(0, math.tau)
    towards = (0.5, 0.5) if rng.random() < 0.4 else (x + math.cos(angle), y + math.sin(angle))
    return Sit(rng, x, y, towards)


def _near(world: "World", rng: Random, first: Actor, second: Actor, gap_m: float) -> None:
    """Before the first frame only: put two who belong together near each other."""
    if world.time_s < 0:
        second.x, second.y = world.free_spot(rng, near=(first.x, first.y, gap_m))


def _play(world: "World", rng: Random, roles: Roles, children: list[int], adults: list[int]) -> None:
    free = [k for k in children if k not in roles]
    kind = rng.randrange(4)
    if kind == 0 and adults and free:
        a, b = world.actors[adults[0]], world.actors[free[0]]
        _near(world, rng, a, b, 0.9)
        roles[adults[0]], roles[free[0]] = Whirl(rng, b, leads=True), Whirl(rng, a, leads=False)
        free = free[1:]
    elif kind == 1 and free:
        other = adults[0] if adults and rng.random() < 0.6 else free[-1]
        if other != free[0]:
            a, b, beat = world.actors[free[0]], world.actors[other], rng.uniform(1.2, 2.2)
            _near(world, rng, b, a, 0.9)
            roles[free[0]], roles[other] = Clap(rng, b, beat), Clap(rng, a, beat)
            free = [k for k in free[1:] if k != other]
    if world.ball and len(free) >= 2:
        a, b = world.actors[free[0]], world.actors[free[1]]
        ax, ay = world.free_spot(rng)
        bx, by = world.free_spot(rng, near=(ax, ay, 1.8))
        world.ball.x, world.ball.y = (ax * 2 + bx) / 3, (ay * 2 + by) / 3
        roles[free[0]] = BallGame(rng, b, ax, ay, starts=True)
        roles[free[1]] = BallGame(rng, a, bx, by, starts=False)
        free = free[2:]
    for k in free:
        if rng.random() < 0.65:
            roles[k] = _sit(world, rng)


def _play_fight(world: "World", rng: Random, roles: Roles, children: list[int]) -> None:
    free = [k for k in children if k not in roles]
    if len(free) < 2:
        return
    a, b = world.actors[free[0]], world.actors[free[1]]
    _near(world, rng, a, b, 0.9)
    one, two = PlayFight(rng, b, first=True), PlayFight(rng, a, first=False)
    one.mate = two
    roles[free[0]], roles[free[1]] = one, two


def _hug(world: "World", rng: Random, roles: Roles, children: list[int], adults: list[int]) -> None:
    free = [k for k in children if k not in roles]
    if not free:
        return
    first, second = free[0], (adults[0] if rng.random() < 0.65 or len(free) < 2 else free[1])
    a, b = world.actors[first], world.actors[second]
    _near(world, rng, a, b, rng.uniform(0.9, 1.8))
    roles[first], roles[second] = Hug(rng, b, leads=True), Hug(rng, a, leads=False)


def _assault(world: "World", rng: Random, roles: Roles, children: list[int], adults: list[int]) -> None:
    adult, child = world.actors[adults[0]], world.actors[children[0]]
    world.victim = child
    _near(world, rng, child, adult, rng.uniform(0.9, 1.8))
    victim = Victim(rng)
    roles[children[0]], roles[adults[0]] = victim, Assault(rng, child, victim)
    if rng.random() < 0.6:  # otherwise nobody takes notice
        for k in children[1:]:
            if rng.random() < 0.6:
                roles[k] = Freeze(rng, adult)


def _everyday(world: "World", rng: Random, roles: Roles, children: list[int]) -> list[Behaviour]:
    """Fill up with what goes on in any playroom, whatever the scene, so that the background tells nothing."""
    if len([k for k in children if k not in roles]) >= 2 and rng.random() < 0.12:
        _play_fight(world, rng, roles, children)
    return [roles[k] if k in roles else _business(world, rng, actor) for k, actor in enumerate(world.actors)]


def _business(world: "World", rng: Random, actor: Actor) -> Behaviour:
    draw = rng.random()
    if actor.build.adult:
        if draw < 0.45:
            return Stand(rng)
        if draw < 0.75:
            return Wander(rng, _ADULT_PACE, (0.3, 2.5))
        if draw < 0.88:
            x, y = world.free_spot(rng)
            return Wipe(rng, x, y, (x + rng.uniform(-1, 1), y + rng.uniform(-1, 1)))
        return _sit(world, rng)
    if draw < 0.5:
        return _sit(world, rng)
    if draw < 0.65:
        return Stand(rng)
    if draw < 0.82:
        return Wander(rng, _CHILD_PACE, (0.2, 2.0))
    if draw < 0.92:
        return Wander(rng, _RUN, (0.1, 1.5))
    return Dance(rng, rng.uniform(1.4, 2.3), actor.x, actor.y)
