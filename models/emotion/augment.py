"""Random changes a face may undergo without its expression changing, for a whole batch at once."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F


def augment(
    faces: Tensor, generator: torch.Generator, side_px: int, hide: float = 0.4, strength: float = 1.0
) -> Tensor:
    """Mirror, rotate, scale, stretch and shift, show at ``side_px``, change light, add noise, hide a patch.

    ``faces``: float32 [N, 1, 48, 48] in 0..255; returns float32 [N, 1, S, S] in the same range. A share ``hide`` of the
    faces lose a patch; ``strength`` is a share of the angles, scales and shifts. Turning and enlarging are one
    interpolation, so that nothing is blurred twice.
    """
    count = len(faces)

    def uniform(low: float, high: float, *shape: int) -> Tensor:
        return torch.rand(count, *shape, generator=generator) * (high - low) + low

    angle = strength * uniform(-15, 15) * math.pi / 180
    scale = torch.exp(-strength * uniform(-0.18, 0.18))
    stretch = torch.exp(strength * uniform(-0.06, 0.06))
    mirror = torch.where(uniform(0, 1) < 0.5, -1.0, 1.0)
    theta = torch.zeros(count, 2, 3)
    theta[:, 0, 0] = torch.cos(angle) * scale * stretch * mirror
    theta[:, 0, 1] = -torch.sin(angle) * scale * stretch
    theta[:, 1, 0] = torch.sin(angle) * scale / stretch * mirror
    theta[:, 1, 1] = torch.cos(angle) * scale / stretch
    theta[:, :, 2] = strength * uniform(-0.14, 0.14, 2)
    grid = F.affine_grid(theta, [count, 1, side_px, side_px], align_corners=False)
    changed = F.grid_sample(faces, grid, padding_mode="border", align_corners=False)
    gamma = torch.exp(uniform(-0.3, 0.3, 1, 1, 1))
    changed = 255 * (changed.clamp(0, 255) / 255 + 1e-4) ** gamma
    changed = changed + torch.randn(changed.shape, generator=generator) * uniform(0, 5, 1, 1, 1)
    return _hide_patch(changed.clamp(0, 255), generator, hide)


def _hide_patch(faces: Tensor, generator: torch.Generator, chance: float) -> Tensor:
    """A share of the faces lose a rectangle of 2 to 25 % of their area to noise (arXiv 1708.04896)."""
    count, _, height, width = faces.shape
    random = torch.rand(count, 5, generator=generator)
    area = 0.02 + 0.23 * random[:, 0]
    aspect = torch.exp((random[:, 1] - 0.5) * 2 * math.log(2.5))
    tall, wide = (area * aspect).sqrt() * height, (area / aspect).sqrt() * width
    top, left = random[:, 2] * (height - tall), random[:, 3] * (width - wide)
    rows, columns = torch.arange(height)[None, :, None], torch.arange(width)[None, None, :]
    inside = (rows >= top[:, None, None]) & (rows < (top + tall)[:, None, None])
    inside = inside & (columns >= left[:, None, None]) & (columns < (left + wide)[:, None, None])
    inside = inside & (random[:, 4] < chance)[:, None, None]
    noise = torch.rand(faces.shape, generator=generator) * 255
    return torch.where(inside[:, None], noise, faces)


def mix(faces: Tensor, targets: Tensor, generator: torch.Generator, chance: float = 0.3) -> tuple[Tensor, Tensor]:
    """Mixup (arXiv 1710.09412) of a share of the batch: a weighted mean of two faces carries both labels."""
    count = len(faces)
    other = torch.randperm(count, generator=generator)
    weight = 1 - 0.5 * torch.rand(count, generator=generator) * (torch.rand(count, generator=generator) < chance)
    pixels = weight[:, None, None, None]
    share = weight[:, None]
    return pixels * faces + (1 - pixels) * faces[other], share * targets + (1 - share) * targets[other]
