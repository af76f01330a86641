"""From 17 frames to the probability of violence: differences, MobileNetV2, a linear summary and a bidirectional LSTM.

Two readers look at the same 16 tokens. The summary (mean, deviation, maximum and change over time, then one linear
layer) is what 240 clips can teach; the LSTM adds what depends on order. Their log odds are added.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from models.violence.backbone import CHANNELS, MIDDLE_CHANNELS, MobileNetV2

TOKEN = 2 * CHANNELS + 2 * MIDDLE_CHANNELS
WEIGHTED = slice(0, CHANNELS)  # the movement-weighted mean in a token, which the LSTMs read
GAIN = 2.0
DARK, DAYLIGHT = 80.0, 200.0
"""Grey levels of a picture's brightest cell: below the first it is dark, at the second it is well lit."""
MOST_BRIGHTENED = 8.0
"""A covered or switched-off camera shows noise, which nobody wants to see enlarged without end."""
_MEAN = (0.485, 0.456, 0.406)
_STD = (0.229, 0.224, 0.225)


def differences(frames: Tensor) -> Tensor:
    """Frames [N, T, H, W, 3] in 0..255 to ImageNet-normalised differences [N*(T-1), 3, H, W].

    A difference is doubled and laid around mid-gray, so that the backbone sees an image of what moved; in the dark it
    is made as strong as in daylight.
    """
    frames = frames.float()
    gain = (GAIN * brightening(frames))[:, :, None, None, None]
    moved = (128.0 + gain * (frames[:, 1:] - frames[:, :-1])).clamp(0, 255) / 255.0
    mean, std = torch.tensor(_MEAN), torch.tensor(_STD)
    return ((moved - mean) / std).flatten(0, 1).permute(0, 3, 1, 2)


def brightening(frames: Tensor) -> Tensor:
    """How much stronger each of the differences [N, T-1] of frames [N, T, H, W, 3] would be in daylight.

    A picture is dark if even its brightest cell of 8x8 px is: no real clip is, as recorded, and no rendered room with
    its light out, but every real clip with a fifth of its light (EXPERIMENTS.md). All others are left as they are.
    """
    cells = F.avg_pool2d(frames[..., 1], 8).amax((2, 3))  # green carries most of the light
    brightest = torch.maximum(cells[:, 1:], cells[:, :-1]).clamp(min=DAYLIGHT / MOST_BRIGHTENED)
    return torch.where(brightest < DARK, DAYLIGHT / brightest, torch.ones_like(brightest))


def movement(images: Tensor) -> Tensor:
    """How much moved in each 32x32 px cell of normalised difference images [N, 3, H, W]: [N, 1, H/32, W/32]."""
    still = (128.0 / 255.0 - torch.tensor(_MEAN)) / torch.tensor(_STD)
    return F.avg_pool2d((images - still[:, None, None]).abs().mean(1, keepdim=True), 32)


class Tokeniser(nn.Module):
    """Frames [N, T, H, W, 3] to tokens [N, T-1, 2944], one for each difference.

    A token holds, of the last feature map, the mean weighted by how much moved in each cell (a soft box around the
    movement, at no cost) and the maximum, and the means and maxima of three earlier maps.
    """

    def __init__(self, backbone: MobileNetV2) -> None:
        super().__init__()
        self.backbone = backbone

    def forward(self, frames: Tensor) -> Tensor:
        """Tokens of raw frames."""
        images = differences(frames)
        moved = movement(images)
        middle, last = self.backbone.maps(images)
        share = (moved + 0.01) / (moved + 0.01).sum((2, 3), keepdim=True)
        tokens = [(last * share).sum((2, 3)), last.amax((2, 3))]
        tokens += [m.mean((2, 3)) for m in middle] + [m.amax((2, 3)) for m in middle]
        return torch.cat(tokens, 1).unflatten(0, (-1, frames.shape[1] - 1))


def summarise(tokens: Tensor) -> Tensor:
    """Tokens [N, T, K] to what they were over the window [N, 4K]: mean, deviation, maximum, mean absolute change."""
    mean = tokens.mean(1)
    deviation = ((tokens - mean[:, None]) ** 2).mean(1).sqrt()
    change = (tokens[:, 1:] - tokens[:, :-1]).abs().mean(1)
    return torch.cat([mean, deviation, tokens.amax(1), change], 1)


class Recurrent(nn.Module):
    """A bidirectional LSTM over the movement-weighted part of the tokens; log odds [N]."""

    def __init__(self, width: int = 64, hidden: int = 32, dropout: float = 0.5) -> None:
        super().__init__()
        self.thin = nn.Dropout(0.2)
        self.project = nn.Linear(CHANNELS, width)
        self.dropout = nn.Dropout(dropout)
        self.lstm = nn.LSTM(width, hidden, batch_first=True, bidirectional=True)
        self.decide = nn.Linear(4 * hidden, 1)

    def forward(self, tokens: Tensor) -> Tensor:
        """Log odds of standardised parts [N, T, 1280]."""
        projected = self.dropout(torch.relu(self.project(self.thin(tokens))))
        states, _ = self.lstm(projected)
        return self.decide(self.dropout(torch.cat([states.mean(1), states.amax(1)], 1)))[:, 0]


class Head(nn.Module):
    """Calibrated log odds [N] from raw tokens [N, 16, 2944].

    ``linear`` gives three log odds: of violence as real footage shows it, of violence as the rendered room shows it,
    and of being rendered at all, which mixes the other two. ``calibration``: weight of the linear reader, weight of the
    LSTMs' mean, offset, then slope and offset of the rendered expert.
    """

    token_mean: Tensor
    token_scale: Tensor
    calibration: Tensor

    def __init__(self, recurrent: int) -> None:
        super().__init__()
        self.register_buffer("token_mean", torch.zeros(CHANNELS))
        self.register_buffer("token_scale", torch.ones(CHANNELS))
        self.register_buffer("calibration", torch.tensor([1.0, 0.0, 0.0, 1.0, 0.0]))
        self.linear = nn.Linear(4 * TOKEN, 3)
        self.recurrent = nn.ModuleList(Recurrent() for _ in range(recurrent))

    def forward(self, tokens: Tensor) -> Tensor:
        """Log odds of violence."""
        real, rendered, gate = self.linear(summarise(tokens)).unbind(1)
        real = self.calibration[0] * real + self.calibration[2]
        if len(self.recurrent):
            standard = (tokens[:, :, WEIGHTED] - self.token_mean) * self.token_scale
            votes = torch.stack([member(standard) for member in self.recurrent])
            real = real + self.calibration[1] * votes.mean(0)
        rendered = self.calibration[3] * rendered + self.calibration[4]
        share = torch.sigmoid(gate)
        return (1 - share) * real + share * rendered


class ExportedViolence(nn.Module):
    """What the committed file computes, half a window at a time, because windows overlap by half.

    Uint8 RGB ``frames`` [N, 9, 224, 224, 3] of the second half and the tokens ``before`` [N, 8, 2944] of the first give
    the window's probability [N] and the second half's own tokens, which are the next window's ``before``.
    """

    def __init__(self, tokeniser: Tokeniser, head: Head) -> None:
        super().__init__()
        self.tokeniser = tokeniser
        self.head = head

    def forward(self, frames: Tensor, before: Tensor) -> tuple[Tensor, Tensor]:
        """Calibrated probability of a window, and the tokens of its second half."""
        tokens = self.tokeniser(frames)
        return torch.sigmoid(self.head(torch.cat([before, tokens], 1))), tokens
