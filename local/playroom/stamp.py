"""What is burned into every frame: the camera's time stamp at the top, and that nobody in it is real."""

from datetime import datetime, timedelta
from random import Random

import cv2
import numpy as np
from numpy.typing import NDArray

from playroom.room import Image

LABEL = "RENDERED SCENE - no real people"


class Stamp:
    """Text over a clip's frames: ``started_at`` is the first one's time, ``camera`` the number (None: by seed)."""

    def __init__(self, seed: int, size: tuple[int, int], started_at: datetime, camera: int | None = None) -> None:
        rng = Random(seed * 7919 + 51)
        self._size, self._started_at = size, started_at
        self._right, by_seed = rng.random() < 0.5, rng.randint(1, 8)
        self._camera = by_seed if camera is None else camera
        self._label = text_mask(LABEL, size, label_height(size))
        self._shown, self._clock = "", self._label
        self._label_right = rng.random() < 0.5

    def __call__(self, frame: Image, time_s: float) -> None:
        """Write onto ``frame`` what belongs to ``time_s`` after the start."""
        now = self._started_at + timedelta(seconds=time_s)
        text = f"{now:%Y-%m-%d %H:%M:%S}  CAM {self._camera}"
        if text != self._shown:
            self._shown, self._clock = text, text_mask(text, self._size, label_height(self._size) * 1.35)
        margin = max(3, self._size[1] // 60)
        _put(frame, self._clock, (margin, margin), self._right)
        bottom = self._size[1] - margin - self._label.shape[0]
        _put(frame, self._label, (margin, bottom), self._label_right)


def label_height(size: tuple[int, int]) -> float:
    """Height of a capital letter of the label in pixels, for frames of ``size`` (width, height)."""
    return max(6.0, min(size[1] * 0.026, size[0] * 0.017))


def text_mask(text: str, size: tuple[int, int], height_px: float) -> NDArray[np.uint8]:
    """White letters (255) on a dark rim (1) on nothing (0): rows x columns."""
    scale = height_px / 21.0
    (wide, high), below = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, scale, 1)
    mask = np.zeros((high + below + 4, min(wide + 6, size[0])), np.uint8)
    cv2.putText(mask, text, (3, high + 2), cv2.FONT_HERSHEY_SIMPLEX, scale, (255,), 1, cv2.LINE_AA)
    rim = cv2.dilate(mask, np.ones((3, 3), np.uint8))
    return np.where(mask > 0, np.maximum(mask, 2), np.where(rim > 40, 1, 0)).astype(np.uint8)


def _put(frame: Image, mask: NDArray[np.uint8], at: tuple[int, int], right: bool) -> None:
    height, width = mask.shape
    x = max(0, frame.shape[1] - at[0] - width) if right else at[0]
    part = frame[at[1] : at[1] + height, x : x + width]
    mask = mask[: part.shape[0], : part.shape[1]]
    part[mask > 0] = 24
    np.maximum(part, np.where(mask > 1, mask, 0)[:, :, None], out=part)
