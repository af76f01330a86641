"""Fitting the two readers of the tokens, and the three numbers that join and calibrate them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from torch.nn import functional as F

from models.violence.backbone import CHANNELS
from models.violence.network import WEIGHTED, Head, Recurrent, summarise

Floats = NDArray[np.float64]
MOST_SPANNED = 3000
"""With more windows their span is no shortcut any more."""


@dataclass(frozen=True)
class Sample:
    """Windows to learn from: tokens float16 [N, 16, 2944], labels 0/1, weights (1 = as much as one real window)."""

    tokens: NDArray[np.float16]
    label: NDArray[np.int64]
    weight: Floats


def join(samples: Sequence[Sample]) -> Sample:
    """Several samples as one."""
    return Sample(
        np.concatenate([s.tokens for s in samples]),
        np.concatenate([s.label for s in samples]),
        np.concatenate([s.weight for s in samples]),
    )


def summaries(tokens: NDArray[np.float16], batch: int = 256) -> NDArray[np.float32]:
    """``network.summarise`` of many windows, float32 [N, 11776]."""
    with torch.inference_mode():
        starts = range(0, len(tokens), batch)
        parts = [summarise(torch.from_numpy(tokens[i : i + batch]).float()).numpy() for i in starts]
    return np.concatenate(parts)


@dataclass(frozen=True)
class Linear:
    """Log odds = summary @ weights + offset."""

    weights: Floats
    offset: float

    def __call__(self, summary: NDArray[np.float32]) -> Floats:
        """Log odds [N] of summaries [N, 11776]."""
        return summary.astype(np.float64) @ self.weights + self.offset


def fit_linear(summary: NDArray[np.float32], label: NDArray[np.int64], weight: Floats, strength: float) -> Linear:
    """Ridge-regularised logistic regression on standardised summaries; ``strength`` is scikit-learn's C.

    Where there are far fewer windows than values the fit runs in the span of the windows, where the solution lies
    anyway: the same weights in a tenth of the time.
    """
    mean, scale = summary.mean(0), summary.std(0) + 1e-4
    standard = (summary - mean) / scale
    if len(summary) > MOST_SPANNED:
        direct = LogisticRegression(C=strength, max_iter=300, tol=1e-3)
        direct.fit(standard, label, sample_weight=weight)
        weights = direct.coef_[0].astype(np.float64) / scale
        return Linear(weights, float(direct.intercept_[0] - mean @ weights))
    values, vectors = np.linalg.eigh(standard @ standard.T)
    kept = values > values[-1] * 1e-6
    basis = vectors[:, kept] / np.sqrt(values[kept])
    model = LogisticRegression(C=strength, max_iter=400)
    model.fit(vectors[:, kept] * np.sqrt(values[kept]), label, sample_weight=weight)
    weights = (standard.T @ (basis @ model.coef_[0])).astype(np.float64) / scale
    return Linear(weights, float(model.intercept_[0] - mean @ weights))


def fit_recurrent(
    sample: Sample, mean: NDArray[np.float32], scale: NDArray[np.float32], seed: int, epochs: int = 24
) -> Recurrent:
    """One LSTM: AdamW, cosine, time reversal, random spans, noise, mixup, label smoothing."""
    torch.manual_seed(seed)
    generator = np.random.default_rng(seed)
    network = Recurrent()
    optimiser = torch.optim.AdamW(network.parameters(), lr=1e-3, weight_decay=0.02)
    count, batch = len(sample.label), 32
    # an epoch sees as many windows as there is weight, so that augmented copies do not lengthen it
    draws = max(batch, round(float(sample.weight.sum())))
    steps = epochs * (draws // batch)
    chance = sample.weight / sample.weight.sum()
    for step in range(steps):
        chosen = generator.choice(count, batch, p=chance)
        part = torch.from_numpy(sample.tokens[chosen][:, :, WEIGHTED]).float()
        tokens = (part - torch.from_numpy(mean)) * torch.from_numpy(scale)
        target = torch.from_numpy(sample.label[chosen]).float() * 0.9 + 0.05
        tokens = _vary(tokens, generator)
        share = torch.from_numpy(generator.beta(0.4, 0.4, batch)).float()
        other = torch.from_numpy(generator.permutation(batch))
        tokens = share[:, None, None] * tokens + (1 - share)[:, None, None] * tokens[other]
        target = share * target + (1 - share) * target[other]
        for group in optimiser.param_groups:
            group["lr"] = 1e-3 * 0.5 * (1 + math.cos(math.pi * step / steps))
        loss = F.binary_cross_entropy_with_logits(network(tokens), target)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return network.eval()


def _vary(tokens: torch.Tensor, generator: np.random.Generator) -> torch.Tensor:
    if generator.random() < 0.5:
        tokens = tokens.flip(1)
    if generator.random() < 0.5:
        tokens = tokens[:, generator.integers(0, 5) : 16 - generator.integers(0, 5)]
    return tokens + 0.3 * torch.randn_like(tokens)


def scales(tokens: NDArray[np.float16]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Mean and inverse deviation of each value of the LSTMs' input."""
    wide = tokens[:, :, WEIGHTED].astype(np.float32).reshape(-1, CHANNELS)
    return wide.mean(0), 1 / (wide.std(0) + 1e-3)


def recurrent_score(
    members: Sequence[Recurrent], tokens: NDArray[np.float16], mean: NDArray[np.float32], scale: NDArray[np.float32]
) -> Floats:
    """Mean log odds of the LSTMs."""
    with torch.inference_mode():
        part = torch.from_numpy(np.ascontiguousarray(tokens[:, :, WEIGHTED])).float()
        standard = (part - torch.from_numpy(mean)) * torch.from_numpy(scale)
        return np.mean([member(standard).numpy() for member in members], 0).astype(np.float64)


def fit_platt(scores: Floats, label: NDArray[np.int64]) -> tuple[float, float]:
    """Slope and offset that turn scores into calibrated log odds.

    Platt 1999, with his smoothed targets against overconfidence; both classes weigh alike, so the prior is one half.
    """
    positive, negative = int((label == 1).sum()), int((label == 0).sum())
    target = np.where(label == 1, (positive + 1) / (positive + 2), 1 / (negative + 2))
    weight = np.where(label == 1, 0.5 / positive, 0.5 / negative)
    design = np.stack([scores, np.ones(len(scores))], 1)

    def loss(at: Floats) -> float:
        odds = design @ at
        return float((weight * (np.logaddexp(0, odds) - target * odds)).sum())

    found = np.array([1 / (float(scores.std()) + 1e-9), 0.0])
    for _ in range(100):
        chance = 1 / (1 + np.exp(-np.clip(design @ found, -40, 40)))
        gradient = design.T @ (weight * (chance - target))
        hessian = design.T @ (design * (weight * chance * (1 - chance))[:, None]) + 1e-9 * np.eye(2)
        step = np.linalg.solve(hessian, gradient)
        # Newton alone overshoots where the curve is flat
        while loss(found - step) > loss(found) and float(np.abs(step).max()) > 1e-9:
            step = step / 2
        found = found - step
        if float(np.abs(step).max()) < 1e-8:
            break
    return float(found[0]), float(found[1])


def fit_slope(scores: Floats, label: NDArray[np.int64]) -> float:
    """The slope with the lowest negative log likelihood when the offset is zero, both classes weighing alike."""
    weight = np.where(label == 1, 0.5 / (label == 1).sum(), 0.5 / (label == 0).sum())
    signed = np.where(label == 1, scores, -scores)
    grid = np.exp(np.linspace(np.log(0.05), np.log(20), 600))
    losses = [float((weight * np.logaddexp(0, -slope * signed)).sum()) for slope in grid]
    return float(grid[int(np.argmin(losses))])


def assemble(
    readers: tuple[Linear, Linear, Linear],
    members: Sequence[Recurrent],
    standard: tuple[NDArray[np.float32], NDArray[np.float32]],
    calibration: Sequence[float],
) -> Head:
    """The parts as one network: the real, the rendered and the gating reader, the LSTMs, and what joins them."""
    head = Head(len(members))
    with torch.no_grad():
        head.token_mean.copy_(torch.from_numpy(standard[0]))
        head.token_scale.copy_(torch.from_numpy(standard[1]))
        head.linear.weight.copy_(torch.from_numpy(np.stack([r.weights for r in readers])))
        head.linear.bias.copy_(torch.tensor([r.offset for r in readers]))
        head.calibration.copy_(torch.tensor(calibration))
        for own, given in zip(head.recurrent, members, strict=True):
            own.load_state_dict(given.state_dict())
    return head.eval()
