"""Train the emotion network: ``python -m models.emotion.train``; ``models.emotion.export`` then writes the model.

Seeded, resumes from its last checkpoint, computes in bfloat16. About 100 s an epoch on one core that can do that.
"""

from __future__ import annotations

import argparse
import copy
import json
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from tqdm import tqdm

from models.emotion import augment, data
from models.emotion.network import EmotionNet

HERE = Path(__file__).parent


def main() -> None:
    """Parse the command line and train."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="fer2013.zip (default: under URIAI_DATA)")
    parser.add_argument("--checkpoints", type=Path, default=HERE / "checkpoints")
    parser.add_argument("--epochs", type=int, default=32)
    parser.add_argument("--refine", type=int, default=9, help="further epochs on whole faces at a low rate")
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--rate", type=float, default=0.1, help="peak learning rate")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    train(parser.parse_args())


def train(options: argparse.Namespace) -> None:
    """Run the epochs that are still missing, saving after each."""
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    split = data.load(options.data, options.seed)
    print(
        f"train {len(split.train)}, hold-out {len(split.hold_out)}, public_test {len(split.public_test)}; dropped "
        f"{split.dropped_in_public_test} that occur in public_test, {split.dropped_copies} copies, "
        f"{len(split.unreadable)} unreadable"
    )
    network = EmotionNet().to(memory_format=torch.channels_last)
    average = copy.deepcopy(network).eval()
    optimiser = torch.optim.SGD(_groups(network), lr=options.rate, momentum=0.9, nesterov=True)
    learner = _Learner(network, average, optimiser)
    options.checkpoints.mkdir(parents=True, exist_ok=True)
    latest = options.checkpoints / "latest.pt"
    first = 0
    if latest.is_file():
        state = torch.load(latest, weights_only=True)
        network.load_state_dict(state["network"])
        average.load_state_dict(state["average"])
        optimiser.load_state_dict(state["optimiser"])
        first = int(state["epoch"]) + 1
    for epoch in range(first, options.epochs + options.refine):
        loss = _epoch(learner, split.train, options, epoch)
        logits = predict(average, split.hold_out.pixels)
        accuracy = float((logits.argmax(1) == split.hold_out.labels).mean())
        line = {"epoch": epoch, "loss": round(loss, 4), "hold_out_accuracy": round(accuracy, 4)}
        print(json.dumps(line), flush=True)
        state = {"network": network.state_dict(), "average": average.state_dict(), "epoch": epoch}
        torch.save(state | {"optimiser": optimiser.state_dict()}, latest.with_suffix(".part"))
        latest.with_suffix(".part").replace(latest)


def predict(network: nn.Module, pixels: np.ndarray, batch: int = 256) -> np.ndarray:
    """Logits [N, 7] of uint8 faces [N, 48, 48], each the mean of the face's and its mirror image's."""
    network.eval()
    rows: list[np.ndarray] = []
    with torch.inference_mode():
        for start in range(0, len(pixels), batch):
            faces = torch.from_numpy(pixels[start : start + batch]).float()[:, None]
            faces = faces.contiguous(memory_format=torch.channels_last)
            rows.append((0.5 * (network(faces) + network(faces.flip(3)))).numpy())
    return np.concatenate(rows)


@dataclass(frozen=True)
class _Learner:
    """The network, the running average of its weights (what is kept), and what moves it."""

    network: nn.Module
    average: nn.Module
    optimiser: torch.optim.Optimizer


def _epoch(learner: _Learner, faces: data.Faces, options: argparse.Namespace, epoch: int) -> float:
    network, optimiser, steps = learner.network, learner.optimiser, len(faces) // options.batch
    # one generator an epoch, so that a resumed run sees what an unbroken one would have seen
    generator = torch.Generator().manual_seed(options.seed * 10_000 + epoch)
    order = torch.randperm(len(faces), generator=generator).numpy()
    network.train()
    total = 0.0
    for step in tqdm(range(steps), desc=f"epoch {epoch}", mininterval=10):
        done = epoch * steps + step
        for group in optimiser.param_groups:
            group["lr"] = options.rate * _rate(done / steps, options)
        chosen = order[step * options.batch : (step + 1) * options.batch]
        pixels = torch.from_numpy(faces.pixels[chosen]).float()[:, None]
        targets = F.one_hot(torch.from_numpy(faces.labels[chosen]), len(data.CLASSES)).float()
        if epoch < options.epochs:
            # mirroring, hiding and light are enough towards the end; mixing labels then only blurs them
            share = 0.3 if epoch < 0.85 * options.epochs else 0.0
            pixels, targets = augment.mix(augment.augment(pixels, generator), targets, generator, share)
        else:
            pixels = augment.augment(pixels, generator, data.SIDE_PX, hide=0.1)
        pixels = pixels.contiguous(memory_format=torch.channels_last)
        with torch.autocast("cpu", torch.bfloat16):
            logits = network(pixels)
        loss = F.cross_entropy(logits.float(), targets, label_smoothing=0.1)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        _follow(learner.average, network, done)
        total += float(loss.detach())
    return total / steps


def _rate(epoch: float, options: argparse.Namespace) -> float:
    """Share of the peak rate: warm-up and cosine over the main epochs, a second small cosine over the refining ones."""
    warm_up = 0.05 * options.epochs
    if epoch < warm_up:
        return (epoch + 0.01) / warm_up
    if epoch < options.epochs:
        return 0.5 * (1 + math.cos(math.pi * (epoch - warm_up) / (options.epochs - warm_up)))
    return 0.05 * (1 + math.cos(math.pi * (epoch - options.epochs) / max(options.refine, 1)))


def _follow(average: nn.Module, network: nn.Module, step: int) -> None:
    """Exponential moving average of the weights, quicker in the beginning."""
    keep = min(0.998, (1 + step) / (10 + step))
    with torch.no_grad():
        targets: list[Tensor] = [*average.parameters(), *average.buffers()]
        for slow, fast in zip(targets, [*network.parameters(), *network.buffers()], strict=True):
            if slow.dtype.is_floating_point:
                slow.lerp_(fast, 1 - keep)
            else:
                slow.copy_(fast)


def _groups(network: nn.Module) -> list[dict[str, object]]:
    """Weight decay for the filters only: on biases and normalisations it only slows."""
    decayed = [p for p in network.parameters() if p.ndim > 1]
    plain = [p for p in network.parameters() if p.ndim <= 1]
    return [{"params": decayed, "weight_decay": 5e-4}, {"params": plain, "weight_decay": 0.0}]


if __name__ == "__main__":
    main()
