"""The protocol: four group-disjoint folds, several seeds, real footage only; the rendered playroom apart.

Nothing is chosen on a fold that is reported: the strength of the regularisation is fixed by an inner group-disjoint
validation within the training folds, and a fold is calibrated on out-of-fold predictions of the other folds.

Real and rendered footage have an expert each, and a gate says which of them a window resembles. One reader for both was
tried: learning from rendered play-fights then costs accuracy on real ones (EXPERIMENTS.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import GroupKFold

from models.common import measure
from models.violence import data, heads
from models.violence.features import Summaries, Windows
from models.violence.network import Recurrent

Floats = NDArray[np.float64]
STRENGTHS = (0.001, 0.003, 0.01)
RENDERED_STRENGTH = 0.01
RENDERED_PRIOR = 0.01
"""The share of violent windows that the rendered expert is calibrated to: calm hours should stay calm."""
GATE_STRENGTH = 0.03
GATE_WINDOWS = 1000  # rendered ones, evenly chosen: plenty to tell the domains apart
RECURRENT_SHARE = 0.25


@dataclass(frozen=True)
class Corpus:
    """Everything that can be learned from: the clips, each view of them (``plain`` first), and the rendered windows.

    ``poor``: the clips as poor recordings show them, from which only the gate learns: without them a tenth of the
    infrared windows passes for rendered.
    """

    clips: Sequence[data.Clip]
    views: dict[str, Windows]
    rendered: Summaries | None = None
    poor: Sequence[Windows] = ()

    def of(self, attribute: str) -> NDArray[Any]:
        """An attribute of every clip, as an array."""
        return np.array([getattr(clip, attribute) for clip in self.clips])


@dataclass(frozen=True)
class Scores:
    """Log odds of windows, uncalibrated: of violence by the real expert and the rendered one, and of being rendered."""

    real: Floats
    rendered: Floats
    gate: Floats

    def mean_with(self, others: Sequence[Scores]) -> Scores:
        """The mean of these and other runs' scores."""
        runs = [self, *others]
        return Scores(*(np.mean([getattr(r, name) for r in runs], 0) for name in ("real", "rendered", "gate")))

    def __getitem__(self, chosen: NDArray[np.bool_]) -> Scores:
        """The scores of the chosen windows."""
        return Scores(self.real[chosen], self.rendered[chosen], self.gate[chosen])

    def log_odds(self, real: Platt, rendered: Platt) -> Floats:
        """Both experts calibrated and mixed by the gate, as the exported graph does it."""
        share = measure.sigmoid(self.gate)
        return (1 - share) * real(self.real) + share * rendered(self.rendered)


@dataclass(frozen=True)
class Platt:
    """Calibrated log odds = slope * score + offset."""

    slope: float
    offset: float

    def __call__(self, scores: Floats) -> Floats:
        """Calibrate."""
        return self.slope * scores + self.offset


@dataclass(frozen=True)
class Trained:
    """Fitted readers: the real expert (a linear one and LSTMs), and with a rendered domain its expert and the gate."""

    linear: heads.Linear
    members: list[Recurrent]
    mean: NDArray[np.float32]
    scale: NDArray[np.float32]
    rendered: heads.Linear | None
    gate: heads.Linear | None

    def scores(self, tokens: NDArray[np.float16], summary: NDArray[np.float32]) -> Scores:
        """Scores of windows."""
        real = self.linear(summary)
        if self.members:
            voted = heads.recurrent_score(self.members, tokens, self.mean, self.scale)
            real = (1 - RECURRENT_SHARE) * real + RECURRENT_SHARE * voted
        return self._with_domains(real, summary)

    def of_summaries(self, summary: NDArray[np.float32]) -> Scores:
        """Scores of rendered windows, of which only summaries are kept: what the LSTMs would add is left out.

        Where the gate says "rendered", which it does of these, the real expert's share is nothing.
        """
        return self._with_domains(self.linear(summary), summary)

    def _with_domains(self, real: Floats, summary: NDArray[np.float32]) -> Scores:
        if self.rendered is None or self.gate is None:
            return Scores(real, np.zeros(len(real)), np.full(len(real), -np.inf))
        return Scores(real, self.rendered(summary), self.gate(summary))


class Protocol:
    """Fits and scores; keeps what every fit needs again: the summaries, and the strengths chosen for a set of clips."""

    def __init__(self, corpus: Corpus) -> None:
        self.corpus = corpus
        self.plain = corpus.views["plain"]
        self.summaries = {name: heads.summaries(view.tokens) for name, view in corpus.views.items()}
        self.rendered_summary = corpus.rendered.summary if corpus.rendered else None
        self._poor = [heads.summaries(windows.tokens) for windows in corpus.poor]
        self._strengths: dict[bytes, float] = {}
        self._linear: dict[bytes, tuple[heads.Linear, heads.Linear | None]] = {}
        self._expert: heads.Linear | None = None
        self._members: dict[tuple[bytes, int], Recurrent] = {}

    def fit(self, chosen: NDArray[np.bool_], seeds: Sequence[int]) -> Trained:
        """Fit on the ``chosen`` clips (a mask) in every view and on the rendered windows; an LSTM for each seed."""
        linear, gate = self._seedless(chosen)
        sample, _ = self._real(chosen)
        mean, scale = heads.scales(self.plain.tokens[chosen[self.plain.of]])
        for seed in seeds:
            if (chosen.tobytes(), seed) not in self._members:
                self._members[chosen.tobytes(), seed] = heads.fit_recurrent(sample, mean, scale, seed)
        members = [self._members[chosen.tobytes(), seed] for seed in seeds]
        expert = self._rendered_expert() if gate is not None else None
        return Trained(linear, members, mean, scale, expert, gate)

    def _seedless(self, chosen: NDArray[np.bool_]) -> tuple[heads.Linear, heads.Linear | None]:
        """The linear reader and the gate of the chosen clips, which no seed touches."""
        key = chosen.tobytes()
        if key not in self._linear:
            self._linear[key] = self._fit_seedless(chosen)
        return self._linear[key]

    def _fit_seedless(self, chosen: NDArray[np.bool_]) -> tuple[heads.Linear, heads.Linear | None]:
        sample, summary = self._real(chosen)
        linear = heads.fit_linear(summary, sample.label, sample.weight, self.strength(chosen))
        if self.rendered_summary is None:
            return linear, None
        poor = zip(self.corpus.poor, self._poor, strict=True)
        real = [summary, *(of_windows[chosen[windows.of]] for windows, of_windows in poor)]
        some = self.rendered_summary[:: -(-len(self.rendered_summary) // GATE_WINDOWS)]
        domain = np.repeat([0, 1], [sum(map(len, real)), len(some)])
        gate = heads.fit_linear(np.concatenate([*real, some]), domain, balanced(domain), GATE_STRENGTH)
        return linear, gate

    def scores(self, trained: Trained) -> Scores:
        """Scores of every window of the plain view."""
        return trained.scores(self.plain.tokens, self.summaries["plain"])

    def strength(self, chosen: NDArray[np.bool_]) -> float:
        """The strength with the best AUC in a group-disjoint validation inside the chosen clips, without the LSTMs."""
        key = chosen.tobytes()
        if key not in self._strengths:
            found = [self._inner_auc(chosen, strength) for strength in STRENGTHS]
            self._strengths[key] = STRENGTHS[int(np.argmax(found))]
        return self._strengths[key]

    def out_of_fold(self, seeds: Sequence[int], windows: Windows | None = None) -> Scores:
        """Scores of every window (of the plain view, if no other) by readers that never saw a clip of its fold."""
        fold = self.corpus.of("fold")
        windows = windows or self.plain
        found = Scores(*(np.zeros(len(windows.of)) for _ in range(3)))
        for number in sorted(set(fold.tolist())):
            learn = fold != number
            held = ~learn[windows.of]
            tokens = windows.tokens[held]
            of_fold = self.fit(learn, seeds).scores(tokens, heads.summaries(tokens))
            for name in ("real", "rendered", "gate"):
                getattr(found, name)[held] = getattr(of_fold, name)
        return found

    def rendered_platt(self, folds: int = 4) -> Platt:
        """Calibration of the rendered expert to its low prior, on windows of programmes that its fit did not see."""
        rendered, summary = self.corpus.rendered, self.rendered_summary
        if rendered is None or summary is None:
            return Platt(1.0, 0.0)
        scores = np.zeros(len(rendered.of))
        for number in range(folds):
            learn = rendered.of % folds != number
            label = rendered.label[learn]
            fitted = heads.fit_linear(summary[learn], label, balanced(label), RENDERED_STRENGTH)
            scores[~learn] = fitted(summary[~learn])
        slope, offset = heads.fit_platt(scores, rendered.label)
        return Platt(slope, offset + float(np.log(RENDERED_PRIOR / (1 - RENDERED_PRIOR))))

    def real_platt(self, scores: Scores, kept: NDArray[np.bool_] | slice = slice(None)) -> Platt:
        """Calibration of the real expert on out-of-fold scores of the kept windows: the slope only.

        The clips are half fights, half calm, so even odds are where the fit puts them; an offset estimated from a few
        dozen source videos carries their peculiarities over to the next ones (EXPERIMENTS.md).
        """
        return Platt(heads.fit_slope(scores.real[kept], self.plain.label[kept]), 0.0)

    def cross_calibrated(self, scores: Scores, rendered: Platt, others: tuple[Windows, Scores] | None = None) -> Floats:
        """Probability of every window: each fold calibrated on the plain out-of-fold ``scores`` of the other folds.

        ``others`` are the windows and scores to calibrate so, if not the plain ones.
        """
        clip_fold = self.corpus.of("fold")
        windows, wanted = others or (self.plain, scores)
        chance = np.zeros(len(windows.of))
        for number in sorted(set(clip_fold.tolist())):
            platt = self.real_platt(scores, clip_fold[self.plain.of] != number)
            held = clip_fold[windows.of] == number
            chance[held] = measure.sigmoid(wanted[held].log_odds(platt, rendered))
        return chance

    def _rendered_expert(self) -> heads.Linear:
        """Fitted once: it sees no clip, so it is the same for every fold and seed."""
        if self._expert is None and self.corpus.rendered is not None and self.rendered_summary is not None:
            label = self.corpus.rendered.label
            self._expert = heads.fit_linear(self.rendered_summary, label, balanced(label), RENDERED_STRENGTH)
        if self._expert is None:
            raise ValueError("a corpus without rendered windows has no rendered expert")
        return self._expert

    def _inner_auc(self, chosen: NDArray[np.bool_], strength: float) -> float:
        groups, fights = self.corpus.of("group"), self.corpus.of("fight")
        indices = np.flatnonzero(chosen)
        scores = np.zeros(len(fights))
        for learn, check in GroupKFold(3).split(indices, fights[indices], groups[indices]):
            inner = np.zeros(len(fights), bool)
            inner[indices[learn]] = True
            sample, summary = self._real(inner)
            linear = heads.fit_linear(summary, sample.label, sample.weight, strength)
            clip = by_clip(linear(self.summaries["plain"]), self.plain, len(fights))
            scores[indices[check]] = clip[indices[check]]
        return measure.auc(scores[indices], fights[indices])

    def _real(self, chosen: NDArray[np.bool_]) -> tuple[heads.Sample, NDArray[np.float32]]:
        samples, summaries = [], []
        for name, view in self.corpus.views.items():
            kept = chosen[view.of]
            # every view weighs alike, and all views together as much as the plain one alone
            weight = len(self.plain.of) / len(view.of) / len(self.corpus.views)
            samples.append(heads.Sample(view.tokens[kept], view.label[kept], np.full(int(kept.sum()), weight)))
            summaries.append(self.summaries[name][kept])
        return heads.join(samples), np.concatenate(summaries)


def balanced(label: NDArray[np.int64]) -> Floats:
    """Weights with mean 1 under which both labels count alike."""
    share = float(label.mean())
    return np.where(label == 1, 0.5 / share, 0.5 / (1 - share))


def by_clip(scores: Floats, windows: Windows | Summaries, clips: int) -> Floats:
    """A clip's score is the highest of its windows', as in the product."""
    found = np.full(clips, -np.inf)
    np.maximum.at(found, windows.of, scores)
    return found


def figures(probability: Floats, fight: NDArray[np.int64], fold: NDArray[np.int64]) -> dict[str, float]:
    """Accuracy at 0.5 and AUC, each the mean of the folds'; Brier score and calibration over all clips."""
    folds = sorted(set(fold.tolist()))
    return {
        "accuracy": float(np.mean([((probability > 0.5) == fight)[fold == k].mean() for k in folds])),
        "auc": float(np.mean([measure.auc(probability[fold == k], fight[fold == k]) for k in folds])),
        "brier": measure.brier(probability, fight),
        "ece": measure.ece_equal_mass(probability, fight),
    }
