"""How good a set of probabilities is: accuracy, AUC, calibration, with intervals."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def softmax(logits: NDArray[Any]) -> Floats:
    """Rows to probabilities."""
    shifted = np.exp(logits.astype(np.float64) - logits.max(1, keepdims=True))
    return shifted / shifted.sum(1, keepdims=True)


def sigmoid(logits: NDArray[Any]) -> Floats:
    """Log odds to probability."""
    return 1 / (1 + np.exp(-logits.astype(np.float64)))


def fit_temperature(logits: NDArray[Any], labels: NDArray[np.int64]) -> float:
    """The temperature with the lowest negative log likelihood (arXiv 1706.04599), searched between 0.2 and 5."""
    rows = np.arange(len(labels))
    grid = np.exp(np.linspace(np.log(0.2), np.log(5), 400))
    losses = [-np.log(softmax(logits / t)[rows, labels] + 1e-12).mean() for t in grid]
    return float(grid[int(np.argmin(losses))])


def ece_by_confidence(probabilities: NDArray[Any], labels: NDArray[np.int64], bins: int = 15) -> float:
    """Expected calibration error of the chosen class over equal-width confidence bins (arXiv 1706.04599)."""
    confidence = probabilities.max(1)
    correct = probabilities.argmax(1) == labels
    which = np.minimum((confidence * bins).astype(int), bins - 1)
    gaps = [
        abs(float(correct[which == b].mean()) - float(confidence[which == b].mean())) * float((which == b).mean())
        for b in range(bins)
        if (which == b).any()
    ]
    return float(sum(gaps))


def ece_equal_mass(probability: NDArray[Any], truth: NDArray[Any], bins: int = 5) -> float:
    """Expected calibration error of a binary probability over bins that hold equally many cases."""
    order = np.argsort(probability, kind="stable")
    parts = np.array_split(order, bins)
    return float(sum(abs(truth[p].mean() - probability[p].mean()) * len(p) for p in parts if len(p)) / len(order))


def brier(probability: NDArray[Any], truth: NDArray[Any]) -> float:
    """Mean squared difference of probability and outcome."""
    return float(((probability - truth) ** 2).mean())


def auc(score: NDArray[Any], truth: NDArray[Any]) -> float:
    """Area under the ROC curve: the chance that a positive scores above a negative, ties counting half."""
    positive, negative = score[truth == 1], score[truth == 0]
    if not len(positive) or not len(negative):
        return float("nan")
    above = (positive[:, None] > negative[None]).mean() + 0.5 * (positive[:, None] == negative[None]).mean()
    return float(above)


def bootstrap(
    measure: Callable[..., float], *columns: NDArray[Any], repeats: int = 1000, seed: int = 0
) -> tuple[float, float]:
    """95 % interval of a measure by drawing cases with replacement."""
    generator = np.random.default_rng(seed)
    count = len(columns[0])
    values = [measure(*(c[chosen] for c in columns)) for chosen in generator.integers(0, count, (repeats, count))]
    return float(np.nanquantile(values, 0.025)), float(np.nanquantile(values, 0.975))
