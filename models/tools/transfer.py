"""Training on a folder of labelled clips: a reader of a model's tokens, alone or on top of what that model says.

Every figure is of clips whose source films the reader that judged them had not learned from, calibrated on other films:
the strength of the penalty is chosen by leaving folds out inside the training folds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.common import measure
from models.tools import judging, ridge
from models.tools.ridge import Linear
from models.tools.tally import Tally, ToolError
from models.tools.watching import Watched, log_odds

Floats = NDArray[np.float64]
MOST_WINDOWS = 3000
"""Windows that one fit takes: of more, every clip gives its share, evenly spaced."""


@dataclass(frozen=True)
class Trained:
    """The final reader, calibrated; the calibrated out-of-fold log odds of every window; how it came to be."""

    reader: Linear
    out_of_fold: Floats
    strength: float
    slope: float


def thinned(watched: Watched, tally: Tally) -> Watched:
    """At most about ``MOST_WINDOWS`` windows, fewer of every clip that has several."""
    count = len(watched.of)
    if count <= MOST_WINDOWS:
        return watched
    step = -(-count // MOST_WINDOWS)
    place = np.arange(count) - np.searchsorted(watched.of, watched.of)
    chosen = place % step == 0
    tally.skip(f"{count - int(chosen.sum())} windows", f"only every {step}. window of a clip is used")
    parts = {name: getattr(watched, name)[chosen] for name in ("of", "start_s", "probability", "summary")}
    return replace(watched, **parts)


def train(watched: Watched, scratch: bool) -> Trained:
    """Fit, judge out of fold, calibrate. Raises ``ToolError`` when there is too little to learn from."""
    learning = _Learning(watched, scratch)
    folds = sorted(set(learning.fold.tolist()))
    if len(folds) < 3:
        raise ToolError(f"{len(folds)} folds: at least 3 are needed, one to judge, two to choose and calibrate")
    scores = np.zeros(len(learning.fold))
    for fold in folds:
        held = learning.fold == fold
        strength = learning.choose([other for other in folds if other != fold], ~held)
        (reader,) = learning.fit(~held, [strength])
        scores[held] = learning.score(reader, held)
    slopes = {fold: learning.slope(scores, learning.fold != fold) for fold in folds}
    strength = learning.choose(folds, np.ones(len(scores), bool))
    (reader,) = learning.fit(np.ones(len(scores), bool), [strength])
    slope = learning.slope(scores, np.ones(len(scores), bool))
    calibrated = scores * np.array([slopes[fold] for fold in learning.fold.tolist()])
    return Trained(reader.times(slope), calibrated, strength, slope)


class _Learning:
    def __init__(self, watched: Watched, scratch: bool) -> None:
        self._watched, self._scratch = watched, scratch
        self._base, self._label = log_odds(watched.probability), watched.label
        self.fold = watched.fold

    def fit(self, chosen: NDArray[np.bool_], strengths: Sequence[float]) -> list[Linear]:
        w = self._watched
        weight = ridge.weights_of(self._label[chosen], w.of[chosen])
        return ridge.fit(self._base[chosen], w.summary[chosen], self._label[chosen], weight, strengths, self._scratch)

    def score(self, reader: Linear, chosen: NDArray[np.bool_]) -> Floats:
        return reader(self._base[chosen], self._watched.summary[chosen])

    def slope(self, scores: Floats, chosen: NDArray[np.bool_]) -> float:
        weight = ridge.weights_of(self._label[chosen], self._watched.of[chosen])
        return ridge.fit_slope(scores[chosen], self._label[chosen], weight)

    def choose(self, folds: Sequence[int], chosen: NDArray[np.bool_]) -> float:
        """The penalty with the least loss on each of ``folds``, fitted on the others of them."""
        scores = np.zeros((len(ridge.STRENGTHS), len(self.fold)))
        for fold in folds:
            held = chosen & (self.fold == fold)
            for row, reader in zip(scores, self.fit(chosen & ~held, ridge.STRENGTHS), strict=True):
                row[held] = self.score(reader, held)
        weight = ridge.weights_of(self._label[chosen], self._watched.of[chosen])
        losses = [ridge.log_loss(row[chosen], self._label[chosen], weight) for row in scores]
        return ridge.STRENGTHS[int(np.argmin(losses))]


def measured(watched: Watched, trained: Trained, thresholds: dict[str, Any]) -> dict[str, Any]:
    """What manifest and card say: out of fold, by fold, at the thresholds; and of the base model on the same clips."""
    clips = watched.clips
    highest = judging.by_clip(trained.out_of_fold, watched.of, len(clips))
    chance = measure.sigmoid(highest)
    base = judging.by_clip(watched.probability.astype(np.float64), watched.of, len(clips))
    return fold_figures(watched, chance, thresholds) | {"base_model": judging.figures(clips, base)}


def fold_figures(watched: Watched, chance: Floats, thresholds: dict[str, Any]) -> dict[str, Any]:
    """Of calibrated out-of-fold probabilities of clips [C]."""
    clips = watched.clips
    fold = np.array([clip.fold for clip in clips])
    truth = np.array([clip.fight for clip in clips])
    return {
        "out_of_fold": judging.figures(clips, chance),
        "by_fold": [
            {
                "fold": int(k),
                "clips": int((fold == k).sum()),
                "source films": len({clip.group for clip in clips if clip.fold == k}),
                "accuracy": float(((chance > 0.5) == (truth == 1))[fold == k].mean()),
            }
            for k in sorted(set(fold.tolist()))
        ],
        "at_thresholds": judging.at_thresholds(clips, chance, thresholds),
    }
