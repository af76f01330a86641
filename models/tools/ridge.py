"""Logistic regression for far more values than clips: numpy only, no randomness.

Log odds = share * base + summary @ weights + offset. The penalty draws weights and offset to nothing and the share to
one, so a strong one gives the base model back; without a base the share is 0 and the offset free.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.tools.tally import ToolError

Floats = NDArray[np.float64]
Summary = NDArray[np.float32]
STRENGTHS = (1e2, 1e3, 1e4, 1e5, 1e6)
"""Penalties on standardised values, to choose from; the loss is a sum over clips."""
RANK = 300
"""Directions kept of the windows' span: the penalty leaves nothing of the rest."""
_BASE_STRENGTH = 4.0
"""On share and offset: as if a few clips spoke for the base model as it is."""
_LEAST_SLOPE, _LARGEST_SLOPE = 0.05, 20.0


@dataclass(frozen=True)
class Linear:
    """A fitted reader."""

    share: float
    weights: Floats
    offset: float

    def __call__(self, base: Floats, summary: Summary) -> Floats:
        """Log odds [N] from the base's [N] and summaries [N, D]."""
        return self.share * base + summary.astype(np.float64) @ self.weights + self.offset

    def times(self, slope: float) -> Linear:
        """With all log odds multiplied."""
        return Linear(self.share * slope, self.weights * slope, self.offset * slope)


def fit(
    base: Floats, summary: Summary, label: NDArray[np.int64], weight: Floats, strengths: Sequence[float], scratch: bool
) -> list[Linear]:
    """One reader for each of ``strengths``. Windows [N] with labels 0/1 and weights; ``scratch``: without the base."""
    mean, scale = summary.mean(0, dtype=np.float64), summary.std(0, dtype=np.float64) + 1e-4
    standard = ((summary - mean) / scale).astype(np.float32)
    values, vectors = np.linalg.eigh((standard @ standard.T).astype(np.float64))
    kept = np.flatnonzero(values > values[-1] * 1e-6)[-RANK:]
    roots = np.sqrt(values[kept])
    columns = np.column_stack([vectors[:, kept] * roots, base, np.ones(len(base))])
    start = np.zeros(columns.shape[1])
    start[-2] = 0.0 if scratch else 1.0
    back = standard.T.astype(np.float64) @ (vectors[:, kept] / roots)
    found = []
    for strength in strengths:
        penalty = np.full(columns.shape[1], strength)
        penalty[-2:] = (1e12, 1e-6) if scratch else (_BASE_STRENGTH, _BASE_STRENGTH)
        solved = newton(columns, label, weight, penalty, start)
        weights = (back @ solved[:-2]) / scale
        found.append(Linear(0.0 if scratch else float(solved[-2]), weights, float(solved[-1] - mean @ weights)))
    return found


def newton(columns: Floats, label: NDArray[np.int64], weight: Floats, penalty: Floats, start: Floats) -> Floats:
    """The coefficients with the lowest weighted log loss plus half of ``penalty`` times their squared way from
    ``start``; Newton's steps, each halved until it helps.
    """
    sign = np.where(label == 1, 1.0, -1.0)

    def loss(at: Floats) -> float:
        return float(weight @ np.logaddexp(0, -sign * (columns @ at)) + 0.5 * penalty @ (at - start) ** 2)

    at, least = start.copy(), loss(start)
    for _ in range(50):
        chance = 1 / (1 + np.exp(-np.clip(columns @ at, -60, 60)))
        slope = columns.T @ (weight * (chance - label)) + penalty * (at - start)
        curve = (columns * (weight * np.maximum(chance * (1 - chance), 1e-9))[:, None]).T @ columns + np.diag(penalty)
        step = np.linalg.solve(curve, slope)
        size = 1.0
        while size > 1e-6 and loss(at - size * step) > least:
            size /= 2
        at = at - size * step
        before, least = least, loss(at)
        if size <= 1e-6 or before - least < 1e-9 * (1 + abs(least)):
            break
    return at


def weights_of(label: NDArray[np.int64], of: NDArray[np.int64]) -> Floats:
    """Weights of windows: every clip of a class alike, both classes alike, in sum the number of clips.

    Raises ``ToolError`` when a class is missing.
    """
    clips, counts = np.unique(of, return_counts=True)
    each = 1 / counts[np.searchsorted(clips, of)]
    weight = np.zeros(len(of))
    for value in (0, 1):
        chosen = label == value
        if not chosen.any():
            raise ToolError("a part of the folds holds one class only: more source films of both classes are needed")
        weight[chosen] = each[chosen] / each[chosen].sum() * len(clips) / 2
    return weight


def log_loss(scores: Floats, label: NDArray[np.int64], weight: Floats) -> float:
    """Weighted mean."""
    return float(weight @ np.logaddexp(0, np.where(label == 1, -scores, scores)) / weight.sum())


def fit_slope(scores: Floats, label: NDArray[np.int64], weight: Floats) -> float:
    """What to multiply log odds by so that they are calibrated at even odds.

    Aims at (n + 1) / (n + 2) instead of 1 for n clips of a class (Platt 1999): a dozen clips told apart without a
    mistake are no reason to be certain. Raises ``ToolError`` when no slope helps: the scores tell nothing of films that
    were not learned from.
    """
    grid = np.exp(np.linspace(np.log(_LEAST_SLOPE), np.log(_LARGEST_SLOPE), 600))
    clips = float(weight.sum()) / 2
    doubt = 1 / (clips + 2)

    def loss(slope: float) -> float:
        odds = slope * scores
        return (1 - doubt) * log_loss(odds, label, weight) + doubt * log_loss(-odds, label, weight)

    best = int(np.argmin([loss(float(slope)) for slope in grid]))
    if best == 0:
        raise ToolError(
            "what was learned tells nothing of films that were not learned from: no model is made of it. More source "
            "films, clips in which the class is visible throughout, or right labels are needed"
        )
    return float(grid[best])
