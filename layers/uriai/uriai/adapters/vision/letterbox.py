"""A picture inside a larger one: reduced with its aspect ratio kept, centred, the rest filled; and the way back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from uriai.adapters.vision.scaling import Image, shrink

FILLING = 114
"""The gray (0..255) around the picture that YOLOv5 is trained with."""


@dataclass(frozen=True, slots=True)
class Letterbox:
    """Where a picture of ``width`` x ``height`` px lies on a canvas of ``canvas_width`` x ``canvas_height`` px: it
    takes ``inner_width`` x ``inner_height`` px, ``left`` and ``top`` px from the corner.

    The scales of both axes differ by the rounding to whole pixels; the way back takes each as it is, so it is exact.
    """

    width: int
    height: int
    canvas_width: int
    canvas_height: int

    @property
    def _scale(self) -> float:
        return min(self.canvas_width / self.width, self.canvas_height / self.height)

    @property
    def inner_width(self) -> int:
        """Pixels, at least one."""
        return max(1, min(self.canvas_width, round(self.width * self._scale)))

    @property
    def inner_height(self) -> int:
        """Pixels, at least one."""
        return max(1, min(self.canvas_height, round(self.height * self._scale)))

    @property
    def left(self) -> int:
        """Pixels of filling left of the picture; right of it as many or one more."""
        return (self.canvas_width - self.inner_width) // 2

    @property
    def top(self) -> int:
        """Pixels of filling above the picture; below it as many or one more."""
        return (self.canvas_height - self.inner_height) // 2

    def apply(self, image: Image) -> Image:
        """The canvas, uint8 [canvas_height, canvas_width, 3], with the picture of this size on it."""
        if self.inner_width <= self.width and self.inner_height <= self.height:
            inner = shrink(image, self.inner_width, self.inner_height)
        else:
            size = (self.inner_width, self.inner_height)
            enlarged: Any = cv2.resize(image, size, interpolation=cv2.INTER_LINEAR)
            inner = np.asarray(enlarged, np.uint8)
        canvas = np.full((self.canvas_height, self.canvas_width, 3), FILLING, np.uint8)
        canvas[self.top : self.top + self.inner_height, self.left : self.left + self.inner_width] = inner
        return canvas

    def to_canvas(self, boxes: NDArray[np.float64]) -> NDArray[np.float64]:
        """Boxes [K, 4] (left, top, right, bottom) of the picture, on the canvas."""
        return boxes * self._scales() + self._corner()

    def to_picture(self, boxes: NDArray[np.float64]) -> NDArray[np.float64]:
        """Boxes [K, 4] (left, top, right, bottom) of the canvas, in the picture's pixels; not cut off at its edges."""
        return (boxes - self._corner()) / self._scales()

    def _scales(self) -> NDArray[np.float64]:
        return np.array([self.inner_width / self.width, self.inner_height / self.height] * 2)

    def _corner(self) -> NDArray[np.float64]:
        return np.array([self.left, self.top] * 2, np.float64)


def canvas_for(width: int, height: int, long_side: int, stride: int) -> tuple[int, int]:
    """The smallest canvas (width, height) of multiples of ``stride`` px whose longer side has ``long_side`` px, for a
    model that takes any.
    """
    scale = long_side / max(width, height)

    def padded(side: int) -> int:
        return min(long_side, -(-max(1, round(side * scale)) // stride) * stride)

    return padded(width), padded(height)
