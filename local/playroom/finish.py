"""From a clean drawing to a picture of a cheap camera: vignette, exposure, infrared, blur, grain, ghosting."""

from random import Random

import cv2
import numpy as np
from numpy.typing import NDArray

from playroom.room import Image

_GRAIN_MARGIN = 64


class Finish:
    """The camera's electronics, by seed. Frames must be given in order, as the ghost of the last one stays."""

    def __init__(self, seed: int, size: tuple[int, int]) -> None:
        rng = Random(seed * 7919 + 41)
        width, height = size
        self._rng = Random(seed * 7919 + 42)
        self._vignette = _vignette(rng, width, height)
        self._infrared_pool = cv2.GaussianBlur(_vignette(rng, width, height, 0.55), (0, 0), 3)
        self._blur = rng.uniform(0.35, 0.8) * width / 640 if rng.random() < 0.75 else 0.0
        self._soft = rng.uniform(0.55, 0.85) if rng.random() < 0.3 else 1.0
        self._ghost = rng.uniform(0.0, 0.28) if rng.random() < 0.6 else 0.0
        self._contrast = rng.uniform(0.85, 1.15)
        self._black = rng.uniform(0, 14)
        self._tint = np.array([rng.uniform(0.94, 1.06), 1.0, rng.uniform(0.94, 1.06)])
        mix = np.array([rng.uniform(0.1, 0.4), rng.uniform(0.3, 0.6), rng.uniform(0.3, 0.6)])
        self._gray = np.tile(mix / mix.sum(), (3, 1)).astype(np.float32)
        strength = rng.uniform(1.0, 5.0)
        self._grain = _grain(seed, size, strength, rng.uniform(0.2, 1.0), colour=True)
        self._night_grain = _grain(seed + 1, size, strength * 1.5 + 1, rng.uniform(0.2, 1.0), colour=False)
        self._last: Image | None = None

    def __call__(self, picture: Image, exposure: float, infrared: bool) -> Image:
        """The finished frame: height x width x 3, BGR."""
        height, width = picture.shape[:2]
        out: NDArray[np.uint8]
        if infrared:
            out = _u8(cv2.transform(picture, self._gray))
            out = _u8(cv2.multiply(out, self._infrared_pool, scale=1 / 255))
        else:
            out = _u8(cv2.multiply(picture, self._vignette, scale=1 / 255))
        out = _u8(cv2.convertScaleAbs(out, alpha=exposure * self._contrast, beta=self._black))
        if self._soft < 1:
            small = cv2.resize(out, None, fx=self._soft, fy=self._soft, interpolation=cv2.INTER_AREA)
            out = _u8(cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR))
        elif self._blur > 0:
            out = _u8(cv2.GaussianBlur(out, (0, 0), self._blur))
        if self._ghost > 0 and self._last is not None:
            out = _u8(cv2.addWeighted(out, 1 - self._ghost, self._last, self._ghost, 0))
        self._last = out
        bank = self._night_grain if infrared else self._grain
        x, y = self._rng.randrange(_GRAIN_MARGIN), self._rng.randrange(_GRAIN_MARGIN)
        return _u8(cv2.add(out, bank[y : y + height, x : x + width], dtype=cv2.CV_8U))


def _u8(array: object) -> Image:
    return np.asarray(array, dtype=np.uint8)


def _vignette(rng: Random, width: int, height: int, edge: float | None = None) -> Image:
    """Brightness over the frame as 0..255 in three equal channels: lamp pool, fall-off to the corners."""
    cx, cy = width * rng.uniform(0.35, 0.65), height * rng.uniform(0.3, 0.7)
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    far = ((x - cx) / width) ** 2 + ((y - cy) / width) ** 2
    drop = (edge if edge is not None else rng.uniform(0.1, 0.45)) * far / 0.33
    side = rng.uniform(-0.12, 0.12) * (x - cx) / width
    shade = np.clip(1 - drop + side, 0.25, 1)
    return np.repeat(np.round(shade * 255).astype(np.uint8)[:, :, None], 3, axis=2)


def _grain(seed: int, size: tuple[int, int], strength: float, soft: float, *, colour: bool) -> NDArray[np.int16]:
    """Sensor noise, larger than the frame so that each frame takes another part."""
    rng = np.random.default_rng([seed, 43])
    shape = (size[1] + _GRAIN_MARGIN, size[0] + _GRAIN_MARGIN)
    gray = rng.normal(0, strength, shape).astype(np.float32)
    if soft > 0.4:
        gray = np.asarray(cv2.GaussianBlur(gray, (0, 0), soft), dtype=np.float32)
        gray *= strength / max(float(gray.std()), 1e-6)
    noise = np.repeat(gray[:, :, None], 3, axis=2)
    if colour:
        noise += rng.normal(0, strength * 0.4, (*shape, 3)).astype(np.float32)
    return np.round(noise).astype(np.int16)
