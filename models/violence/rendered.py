"""Windows of the rendered playroom: a domain of its own with perfect labels, reported apart from real footage.

Only seeds below 1,000,000 may come here; half of them (from 500,000 on) are kept for checking and never trained on.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from models.violence import data
from playroom import Act, render_programme, require_training_seed, truth

STEPS_PER_S = (data.FRAMES - 1) / data.WINDOW_S
FIRST_CHECK_SEED = 500_000
CALM = ("empty", "sit", "walk", "run", "play", "playfight", "hug", "dance", "lights")
RATES = (10, 15, 15, 15, 25)
VIOLENT_FROM_S, CALM_UP_TO_S = 1.0, 0.1


@dataclass(frozen=True)
class Programme:
    """Scenes to render on end, ``fps`` and picture size; ``name`` says what it is for in tables."""

    name: str
    seed: int
    acts: tuple[Act, ...]
    fps: int = 15
    size: tuple[int, int] = (640, 360)


def programmes(
    first_seed: int, calm: int, violent: int, mixed: int, scenes: tuple[str, ...] = CALM, rates: tuple[int, ...] = RATES
) -> list[Programme]:
    """``calm`` programmes of each of ``scenes``, ``violent`` ones of the assault, ``mixed`` ones that lead into it."""
    chosen: list[Programme] = []
    seed = first_seed
    generator = np.random.default_rng(first_seed)
    kinds = [(scene,) for scene in scenes for _ in range(calm)] + [("assault",)] * violent
    for _ in range(mixed):
        before, after = generator.choice(["sit", "walk", "play", "playfight", "dance", "lights"], 2)
        kinds.append((str(before), "assault", str(after)))
    for kind in kinds:
        require_training_seed(seed)
        length = 8.0 if len(kind) == 1 else 6.0
        fps = int(generator.choice(rates))
        acts = tuple(Act(scene, length) for scene in kind)
        chosen.append(Programme("mixed" if len(kind) > 1 else kind[0], seed, acts, fps))
        seed += 1
    return chosen


def frames(programme: Programme) -> Iterator[NDArray[np.uint8]]:
    """What the analyser would see at its instants, 8 a second: 224x224 RGB, after a camera's compression."""
    require_training_seed(programme.seed)
    quality = int(np.random.default_rng(zlib.crc32(f"{programme.seed}".encode())).integers(45, 96))
    seconds = sum(act.duration_s for act in programme.acts)
    wanted = [round(k / STEPS_PER_S * programme.fps) for k in range(int(seconds * STEPS_PER_S) + 1)]
    due = 0
    small: NDArray[np.uint8] | None = None
    for number, bgr in enumerate(render_programme(programme.seed, programme.acts, programme.fps, programme.size)):
        if due < len(wanted) and wanted[due] == number:
            _, packed = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])
            small = data.resize(cv2.imdecode(packed, cv2.IMREAD_COLOR).astype(np.uint8))
        while due < len(wanted) and wanted[due] == number and small is not None:
            due += 1
            yield small
    while due < len(wanted) and small is not None:
        due += 1
        yield small


def labels(programme: Programme, windows: int) -> NDArray[np.int64]:
    """1, 0 or -1 (neither: touches the assault only briefly) for windows starting every half second."""
    spans = [span for span in truth(programme.seed, programme.acts) if span.kind == "physical"]
    found = []
    for index in range(windows):
        start = index / 2
        shared = sum(max(0.0, min(s.end_s, start + data.WINDOW_S) - max(s.start_s, start)) for s in spans)
        found.append(1 if shared >= VIOLENT_FROM_S else 0 if shared <= CALM_UP_TO_S else -1)
    return np.array(found, np.int64)


TRAINING = [
    programmes(1000, calm=8, violent=30, mixed=10),
    # what looks most like an assault, and more assaults; at the analyser's own rate, which renders fastest
    *(
        programmes(first, calm=3, violent=10, mixed=5, scenes=("run", "playfight", "sit", "dance", "play"), rates=(8,))
        for first in (2000, 2100, 2200)
    ),
]
CHECKING = programmes(FIRST_CHECK_SEED, calm=5, violent=16, mixed=8)
