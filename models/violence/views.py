"""Ways to look at a clip while training: as the product does, mirrored, shifted in time, sped up, cropped, degraded.

Every view is deterministic for a clip's name. Only ``plain`` is ever used to report or to decide.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from models.violence import data

Pixels = NDArray[np.uint8]
View = Callable[[data.Frames, str], list[Pixels]]


def plain(frames: data.Frames, name: str) -> list[Pixels]:
    """The product's own windows."""
    del name
    return data.windows(frames)


def mirrored(frames: data.Frames, name: str) -> list[Pixels]:
    """The product's windows, left and right exchanged."""
    return [np.ascontiguousarray(window[:, :, ::-1]) for window in plain(frames, name)]


def varied(salt: int) -> View:
    """One window a clip: other time, speed, crop, tilt, light and noise, drawn from the clip's name and ``salt``."""

    def view(frames: data.Frames, name: str) -> list[Pixels]:
        generator = np.random.default_rng(zlib.crc32(f"{name}/{salt}".encode()))
        last_s = float(frames.at_s[-1] - frames.at_s[0])
        length = min(last_s, data.WINDOW_S * generator.uniform(0.75, 1.15))
        chosen = data.window_indices(frames.at_s, generator.uniform(0, last_s - length), length)
        window = np.asarray(frames.rgb[chosen])
        return [_degraded(_framed(window, generator), generator)]

    return view


def _framed(window: Pixels, generator: np.random.Generator) -> Pixels:
    """Crop to 70-100 % of each side, tilt up to 8 degrees, mirror every other one."""
    side = data.SIDE_PX
    scale = 1 / generator.uniform(0.7, 1.0, 2)
    shift = (1 - scale) * side * generator.uniform(0, 1, 2)
    angle = np.deg2rad(generator.uniform(-8, 8))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    middle = np.full(2, side / 2)
    matrix = np.zeros((2, 3))
    matrix[:, :2] = turn @ np.diag(scale)
    matrix[:, 2] = turn @ (shift - middle) + middle
    if generator.random() < 0.5:
        matrix[0] = -matrix[0]
        matrix[0, 2] += side - 1
    border = cv2.BORDER_REPLICATE
    return np.stack([cv2.warpAffine(f, matrix, (side, side), borderMode=border).astype(np.uint8) for f in window])


def _degraded(window: Pixels, generator: np.random.Generator) -> Pixels:
    """Light, infrared gray, blur, sensor noise and low resolution, each on some of the windows."""
    moving: NDArray[np.floating[Any]] = window.astype(np.float32)
    moving = (moving - 128) * generator.uniform(0.6, 1.3) + 128 + generator.uniform(-25, 25)
    if generator.random() < 0.25:
        moving = np.repeat(moving.mean(3, keepdims=True), 3, 3)
    if generator.random() < 0.3:
        small = int(generator.uniform(80, 160))
        moving = np.stack([cv2.resize(cv2.resize(f, (small, small)), (data.SIDE_PX,) * 2) for f in moving])
    if generator.random() < 0.3:
        moving = moving + generator.normal(0, generator.uniform(1, 6), moving.shape)
    return moving.clip(0, 255).astype(np.uint8)


VIEWS: dict[str, View] = {"plain": plain, "mirrored": mirrored} | {f"varied{n}": varied(n) for n in range(8)}
