"""The emotion network: a face network's maps, averaged and classified; and the graph that is exported around it."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from models.emotion.backbone import CHANNELS, FaceResNet
from models.emotion.data import CLASSES

VIEW_PX = 96
"""The size at which the network looks at a face: that at which its first layers learnt what faces are made of."""


class EmotionNet(nn.Module):
    """Logits [N, 7] from gray faces float32 [N, 1, S, S] in 0..255, S = 48 (enlarged first) or 96."""

    def __init__(self, dropout: float = 0.4) -> None:
        super().__init__()
        self.features = FaceResNet()
        self.dropout = nn.Dropout(dropout)
        self.classify = nn.Linear(CHANNELS, len(CLASSES))

    def forward(self, faces: Tensor) -> Tensor:
        """Logits of raw faces."""
        maps = self.features(view(faces).contiguous(memory_format=torch.channels_last))
        return self.classify(self.dropout(maps.mean((2, 3)).float()))


def view(faces: Tensor) -> Tensor:
    """What the network looks at: the standardised face, enlarged to ``VIEW_PX`` if it is smaller."""
    faces = standardise(faces)
    if faces.shape[-1] == VIEW_PX:
        return faces
    return F.interpolate(faces, (VIEW_PX, VIEW_PX), mode="bilinear", align_corners=False)


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
        both = self.network(torch.cat([faces, faces.flip(3)]))
        return torch.softmax(both.reshape(2, -1, len(CLASSES)).mean(0) / self.temperature, 1)
