"""What can be said of the age model here: ``python -m models.age.measure`` measures anew and writes manifest and card.

There are no pictures with ages at hand, of children least of all, so nothing here is accuracy. Measured is how much the
answer depends on how well a face is seen (FER2013 public_test, gray, 48 px), and what body size alone says of the
adults and children of the rendered playroom, whose true boxes are given to the rule.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from models.common import deployed, remeasure
from models.emotion import data
from playroom import Act
from playroom.whereabouts import whereabouts
from uriai.adapters.vision import age
from uriai.domain.adulthood import adult_probability, size_ratios
from uriai.domain.analysis import Box, PersonBox

HERE = Path(__file__).parent
FACES = 200
FIRST_SEED, SEEDS, SECONDS, SIZE = 610_000, 60, 8, (1280, 720)
Gray = NDArray[np.uint8]
SCENES = ("walk", "play", "sit", "hug", "run")


def measured() -> dict[str, Any]:
    """Everything the card says."""
    return {"stability": stability(), "body_size": body_size()}


def stability() -> list[dict[str, Any]]:
    """How the answer about one face moves when the face is smaller or blurred."""
    model = deployed.ages()
    pictures = _faces()
    plain = np.array(model.adult([_chip(p) for p in pictures]))
    changes: tuple[tuple[str, Callable[[Gray], Gray]], ...] = (
        ("32 px", lambda p: _at(p, 32)),
        ("24 px", lambda p: _at(p, 24)),
        ("16 px", lambda p: _at(p, 16)),
        ("blurred, sigma 1.5 px of 48", lambda p: np.asarray(cv2.GaussianBlur(p, (0, 0), 1.5), np.uint8)),
        ("mirrored", lambda p: p[:, ::-1].copy()),
        ("darker by half", lambda p: (p // 2).astype(np.uint8)),
    )
    rows = []
    for name, change in changes:
        changed = np.array(model.adult([_chip(change(p)) for p in pictures]))
        rows.append(
            {
                "face as": name,
                "mean change of P": float(np.abs(changed - plain).mean()),
                "on the other side of 0.5": float(((changed > 0.5) != (plain > 0.5)).mean()),
            }
        )
    return rows


def body_size() -> dict[str, Any]:
    """What the rule says of adults and children by size alone, from true boxes of whole clips of the playroom."""
    counts = {(adult, said): 0 for adult in (True, False) for said in ("adult", "child", "unknown")}
    for number in range(SEEDS):
        acts = (Act(SCENES[number % len(SCENES)], float(SECONDS)),)
        seen: list[PersonBox] = []
        grown: dict[int, bool] = {}
        for second, everybody in enumerate(whereabouts(FIRST_SEED + number, acts, 1, SIZE)):
            for one in everybody:
                grown[one.person] = one.adult
                seen.append(PersonBox(float(second), one.person, Box(*one.box)))
        ratios = size_ratios(seen, SIZE)
        for person, adult in grown.items():
            probability = adult_probability((), ratios.get(person, ()))
            counts[adult, "unknown" if probability is None else "adult" if probability > 0.5 else "child"] += 1
    table = [
        {
            "is": "adult" if adult else "child",
            **{f"said {said}": counts[adult, said] for said in ("adult", "child", "unknown")},
        }
        for adult in (True, False)
    ]
    said_adult = counts[True, "adult"] + counts[False, "adult"]
    return {"table": table, "said_adult": said_adult, "of_these_adults": counts[True, "adult"] / max(said_adult, 1)}


def _faces() -> list[NDArray[np.uint8]]:
    images = data.load().public_test.pixels
    step = max(1, len(images) // FACES)
    return [np.asarray(image, np.uint8) for image in images[::step][:FACES]]


def _at(picture: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    small = cv2.resize(picture, (side, side), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, picture.shape[::-1], interpolation=cv2.INTER_LINEAR), np.uint8)


def _chip(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """FER2013 shows the face alone and upright: the whole picture takes the chip's inner part."""
    side = age.SIDE_PX
    large = cv2.resize(picture, (side, side), interpolation=cv2.INTER_LINEAR)
    return np.repeat(np.asarray(large, np.uint8)[..., None], 3, axis=2)


def main() -> None:
    """Measure the committed file; nothing but the metrics changes."""
    remeasure.enter(HERE, measured())


if __name__ == "__main__":
    main()
