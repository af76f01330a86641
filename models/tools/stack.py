"""A logistic regression on two models' log odds, learned from what they say of clips they have not learned from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.common import measure
from models.tools import judging, ridge
from models.tools.clips import Labelled, folded
from models.tools.tally import Tally, ToolError
from models.tools.transfer import fold_figures
from models.tools.watching import LEAST, Opened, Watched, log_odds, watch

Floats = NDArray[np.float64]
_STRENGTH = 4.0
"""On all three numbers: as if a few clips spoke for the plain mean."""
_START = np.array([0.5, 0.5, 0.0])


@dataclass(frozen=True)
class Pair:
    """What both models say of windows, log odds [W, 2], of clips that neither has learned from."""

    watched: Watched
    odds: Floats


@dataclass(frozen=True)
class Stacked:
    """Weights of both log odds and offset [3], and out-of-fold log odds [W]."""

    numbers: Floats
    out_of_fold: Floats

    def __call__(self, odds: Floats) -> Floats:
        """Log odds [W] from both models' [W, 2]."""
        return np.asarray(odds @ self.numbers[:2] + self.numbers[2], np.float64)


def ask_both(clips: Sequence[Labelled], sources: Sequence[Opened], folds: int, cache: Path, tally: Tally) -> Pair:
    """Windows that both judge fairly; the clips of one source film in one fold. Raises ``ToolError``."""
    said = []
    for opened in sources:
        found = judging.ask(clips, opened, cache, tally)
        said.append({clip.sha256: (clip, windows) for clip, windows in zip(found.clips, found.windows, strict=True)})
    kept = [clip for clip, _ in said[0].values() if clip.sha256 in said[1]]
    judging.check_enough(kept)
    kept = folded(kept, folds)
    of, starts, odds = [], [], []
    for index, clip in enumerate(kept):
        first, second = (one[clip.sha256][1] for one in said)
        common = sorted(set(first) & set(second))
        if not common:
            raise ToolError(f"{clip.path}: the two models look at different windows: train the later one again")
        of += [index] * len(common)
        starts += common
        odds += [(first[start_s], second[start_s]) for start_s in common]
    nothing = np.zeros((len(of), 0), np.float32)  # what the models made of the windows is of no use here
    watched = Watched(tuple(kept), np.array(of), np.array(starts), np.zeros(len(of), np.float32), nothing)
    limit = np.log((1 - LEAST) / LEAST)
    return Pair(watched, np.clip(np.array(odds), -limit, limit))


def train(pair: Pair) -> Stacked:
    """Fit on all, and fold by fold on the others."""
    fold = pair.watched.fold
    scores = np.zeros(len(fold))
    for number in sorted(set(fold.tolist())):
        held = fold == number
        scores[held] = Stacked(_fit(pair, ~held), scores)(pair.odds[held])
    return Stacked(_fit(pair, np.ones(len(fold), bool)), scores)


def _fit(pair: Pair, chosen: NDArray[np.bool_]) -> Floats:
    label, of = pair.watched.label[chosen], pair.watched.of[chosen]
    columns = np.column_stack([pair.odds[chosen], np.ones(int(chosen.sum()))])
    weight = ridge.weights_of(label, of)
    return ridge.newton(columns, label, weight, np.full(3, _STRENGTH), _START)


def probe(pair: Pair, sources: Sequence[Opened], stacked: Stacked, cache: Path) -> tuple[Watched, Floats]:
    """A fight and a calm clip as both models see them now, and the log odds that their stack has to give."""
    clips = [next(clip for clip in pair.watched.clips if clip.fight == value) for value in (0, 1)]
    seen = [watch(clips, opened, cache, Tally()) for opened in sources]
    odds = np.column_stack([log_odds(one.probability) for one in seen])
    return replace(seen[0], clips=tuple(clips)), stacked(odds)


def measured(pair: Pair, stacked: Stacked, sources: Sequence[Opened], shared: float) -> dict[str, Any]:
    """What manifest and card say: of the stack out of fold, and of both models on the same clips."""

    def chance(scores: Floats) -> Floats:
        return measure.sigmoid(judging.by_clip(scores, pair.watched.of, len(pair.watched.clips)))

    found = fold_figures(pair.watched, chance(stacked.out_of_fold), sources[0].manifest.get("thresholds", {}))
    for column, key in enumerate(("first_model", "second_model")):
        found[key] = judging.figures(pair.watched.clips, chance(pair.odds[:, column]))
    weights = [
        {"of": str(opened.reference.name), "weight": float(weight)}
        for opened, weight in zip(sources, stacked.numbers[:2], strict=True)
    ]
    return found | {"weights": weights, "offset": float(stacked.numbers[2]), "computed_once": shared}
