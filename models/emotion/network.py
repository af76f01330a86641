"""A small residual network with squeeze-and-excitation for 48x48 gray faces, and the graph exported around it."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from models.emotion.data import CLASSES


def _conv(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)
    )


class _Excite(nn.Module):
    """Squeeze-and-excitation (arXiv 1709.01507): scales each channel by what the whole map holds."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.gate = nn.Sequential(
            nn.Linear(channels, channels // 8), nn.ReLU(inplace=True), nn.Linear(channels // 8, channels), nn.Sigmoid()
        )

    def forward(self, x: Tensor) -> Tensor:
        return x * self.gate(x.mean((2, 3)))[:, :, None, None]


class _Block(nn.Module):
    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__()
        self.first = _conv(inputs, outputs, stride)
        self.second = nn.Sequential(nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False), nn.BatchNorm2d(outputs))
        self.excite = _Excite(outputs)
        self.skip: nn.Module = nn.Identity()
        if stride != 1 or inputs != outputs:
            # average first: a strided 1x1 convolution would throw three quarters of the map away
            self.skip = nn.Sequential(
                nn.AvgPool2d(stride), nn.Conv2d(inputs, outputs, 1, bias=False), nn.BatchNorm2d(outputs)
            )

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(self.skip(x) + self.excite(self.second(self.first(x))))


class EmotionNet(nn.Module):
    """Logits [N, 7] from gray faces float32 [N, 1, H, W] in 0..255, H and W multiples of 8 (trained at 40 and 48)."""

    def __init__(self, dropout: float = 0.3) -> None:
        super().__init__()
        self.features = nn.Sequential(
            _conv(1, 16),
            _conv(16, 48, 2),
            _Block(48, 48),
            _Block(48, 96, 2),
            _Block(96, 96),
            _Block(96, 192, 2),
            _Block(192, 192),
        )
        self.dropout = nn.Dropout(dropout)
        self.classify = nn.Linear(192, len(CLASSES))

    def forward(self, faces: Tensor) -> Tensor:
        """Logits of raw faces."""
        return self.classify(self.dropout(self.features(standardise(faces)).mean((2, 3)).float()))


def standardise(faces: Tensor) -> Tensor:
    """Each face to zero mean and unit deviation, so that the lighting of the room drops out."""
    mean = faces.mean((2, 3), keepdim=True)
    deviation = ((faces - mean) ** 2).mean((2, 3), keepdim=True).sqrt()
    return (faces - mean) / (deviation + 8.0)


class ExportedEmotion(nn.Module):
    """What the committed file computes: the mean logits of a face and its mirror image, tempered, as probabilities.

    The temperature is the one that calibrates the hold-out (arXiv 1706.04599).
    """

    def __init__(self, network: EmotionNet, temperature: float) -> None:
        super().__init__()
        self.network = network
        self.temperature = temperature

    def forward(self, faces: Tensor) -> Tensor:
        """Calibrated probabilities [N, 7] of raw faces."""
        logits = 0.5 * (self.network(faces) + self.network(faces.flip(3)))
        return torch.softmax(logits / self.temperature, 1)
