"""People and faces for the rules: a child alone by the wall, two others together, whose heights are 100 px each."""

from __future__ import annotations

from collections.abc import Iterable

from uriai.domain.analysis import Box, Face, Observations, PersonBox

ADULT, CHILD = 0.95, 0.05
HEIGHT = 100.0
ALONE = 1
"""Track of the one who is apart."""


def face(t_s: float, track: int, adult: float | None = None, **emotions: float) -> Face:
    return Face(t_s, track, Box(100.0 * track, 100, 30, 30), emotions, adult)


def body(t_s: float, track: int, feet_x: float, feet_y: float = 400.0, height: float = HEIGHT) -> PersonBox:
    return PersonBox(t_s, track, Box(feet_x - height / 8, feet_y - height, height / 4, height))


def group(t_s: float, first_track: int = 2) -> list[PersonBox]:
    """Two people beside each other, right in the picture."""
    return [body(t_s, first_track, 900), body(t_s, first_track + 1, 980)]


def alone(t_s: float, track: int = ALONE, away: float = 6.0) -> PersonBox:
    """One person ``away`` person-heights left of the group."""
    return body(t_s, track, 900 - away * HEIGHT)


def watched(
    seconds: int, *, sad_at: Iterable[float] = (), sad: float = 0.8, away: float = 6.0, adult: float | None = None,
    track: int = ALONE,
) -> Observations:  # fmt: skip
    """A clip with a look a second, in which one person is apart throughout and sad at some moments."""
    people = [person for t in range(seconds) for person in (alone(float(t), track, away), *group(float(t), track + 1))]
    faces = [face(t, track, adult, sad=sad) for t in sad_at]
    return Observations(duration_s=float(seconds), windows=(), faces=tuple(faces), people=tuple(people))
