"""Windows of the rendered playroom: a domain of its own with perfect labels, reported apart from real footage.

Only seeds below 1,000,000 may come here; half of them (from 500,000 on) are kept for checking and never trained on.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from models.violence import data
from playroom import Act, render_programme, require_training_seed, truth

STEPS_PER_S = (data.FRAMES - 1) / data.WINDOW_S
FIRST_CHECK_SEED = 500_000
RATE = round(STEPS_PER_S)
"""Frames a second at which the playroom renders fastest: exactly those the analyser looks at."""
SMALL, LARGE = (320, 180), (640, 360)
"""Picture sizes. The small one costs half as much and is enough for 224x224; the large one keeps the readers honest."""
CALM = ("empty", "sit", "walk", "run", "play", "playfight", "hug", "dance", "lights")
LIVELY = {"playfight": 5, "run": 3, "hug": 3, "dance": 3, "play": 3, "lights": 2, "sit": 2, "walk": 2}
"""Calm scenes and their weights in an afternoon that is hard to tell from an assault."""
VIOLENT_FROM_S, CALM_UP_TO_S = 1.0, 0.1


@dataclass(frozen=True)
class Programme:
    """Scenes to render on end, ``fps`` and picture size; ``name`` says what it is for in tables."""

    name: str
    seed: int
    acts: tuple[Act, ...]
    fps: int = RATE
    size: tuple[int, int] = SMALL

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return sum(act.duration_s for act in self.acts)


def afternoon(seed: int, length_s: float, scenes: Mapping[str, float] = LIVELY) -> Programme:
    """A calm programme of ``length_s``: scenes drawn by their weights, 8 to 20 s each."""
    generator = np.random.default_rng([seed, 1])
    acts: list[Act] = []
    while (left := length_s - sum(act.duration_s for act in acts)) > 0:
        duration = min(left, float(generator.integers(8, 21)))
        acts.append(Act(_drawn(generator, scenes), duration))
    return Programme("calm", require_training_seed(seed), tuple(acts), size=_size(seed))


def outrage(seed: int) -> Programme:
    """Half a minute with an assault in the middle: calm before and after."""
    generator = np.random.default_rng([seed, 2])
    before, after = _drawn(generator, LIVELY), _drawn(generator, LIVELY)
    acts = (
        Act(before, float(generator.integers(8, 13))),
        Act("assault", float(generator.integers(7, 13))),
        Act(after, 8.0),
    )
    return Programme("assault", require_training_seed(seed), acts, size=_size(seed))


def _drawn(generator: np.random.Generator, scenes: Mapping[str, float]) -> str:
    weights = np.array(list(scenes.values()), float)
    return str(generator.choice(list(scenes), p=weights / weights.sum()))


def _size(seed: int) -> tuple[int, int]:
    return LARGE if seed % 8 == 0 else SMALL


def programmes(first_seed: int, calm: int, violent: int, mixed: int, scenes: tuple[str, ...] = CALM) -> list[Programme]:
    """``calm`` programmes of each of ``scenes``, ``violent`` ones of the assault, ``mixed`` ones that lead into it."""
    chosen: list[Programme] = []
    seed = first_seed
    generator = np.random.default_rng(first_seed)
    kinds: list[tuple[str, ...]] = [(scene,) for scene in scenes for _ in range(calm)]
    kinds += [("assault",)] * violent
    for _ in range(mixed):
        before, after = generator.choice(["sit", "walk", "play", "playfight", "dance", "lights"], 2)
        kinds.append((str(before), "assault", str(after)))
    for kind in kinds:
        require_training_seed(seed)
        length = 8.0 if len(kind) == 1 else 6.0
        acts = tuple(Act(scene, length) for scene in kind)
        chosen.append(Programme("mixed" if len(kind) > 1 else kind[0], seed, acts, size=_size(seed)))
        seed += 1
    return chosen


def frames(programme: Programme) -> Iterator[NDArray[np.uint8]]:
    """What the analyser would see at its instants, 8 a second: 224x224 RGB, after a camera's compression."""
    require_training_seed(programme.seed)
    quality = int(np.random.default_rng(zlib.crc32(f"{programme.seed}".encode())).integers(45, 96))
    wanted = [round(k / STEPS_PER_S * programme.fps) for k in range(int(programme.duration_s * STEPS_PER_S) + 1)]
    due = 0
    small: NDArray[np.uint8] | None = None
    for number, bgr in enumerate(render_programme(programme.seed, programme.acts, programme.fps, programme.size)):
        if due < len(wanted) and wanted[due] == number:
            _, packed = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])
            small = data.resize(np.asarray(cv2.imdecode(packed, cv2.IMREAD_COLOR), np.uint8))
        while due < len(wanted) and wanted[due] == number and small is not None:
            due += 1
            yield small
    while due < len(wanted) and small is not None:
        due += 1
        yield small


def labels(programme: Programme, windows: int) -> NDArray[np.int64]:
    """1, 0 or -1 (neither: touches the assault only briefly) for windows starting every half second."""
    if all(act.scene != "assault" for act in programme.acts):
        return np.zeros(windows, np.int64)  # nothing violent can happen: no need to play it all again
    spans = [span for span in truth(programme.seed, programme.acts) if span.kind == "physical"]
    found = []
    for index in range(windows):
        start = index / 2
        shared = sum(max(0.0, min(s.end_s, start + data.WINDOW_S) - max(s.start_s, start)) for s in spans)
        found.append(1 if shared >= VIOLENT_FROM_S else 0 if shared <= CALM_UP_TO_S else -1)
    return np.array(found, np.int64)


def training(calm: int, violent: int) -> list[Programme]:
    """Minutes of lively calm, and assaults with calm around them, half a minute each."""
    chosen = [afternoon(10_000 + k, 60.0) for k in range(calm)] + [outrage(20_000 + k) for k in range(violent)]
    return [replace(p, fps=15) if p.size == LARGE else p for p in chosen]


def long_training(calm: int, violent: int) -> list[Programme]:
    """What takes hours to render: lively calm in programmes of five minutes, and ``violent`` more assaults."""
    return [afternoon(400_000 + k, 300.0) for k in range(calm)] + [outrage(450_000 + k) for k in range(violent)]


CHECKING = programmes(FIRST_CHECK_SEED, calm=5, violent=16, mixed=8)
