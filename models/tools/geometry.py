"""Boxes and what a rotation of the picture makes of them.

Coordinates are edges, not pixel centres: a picture of ``width`` pixels reaches from x = 0 to x = width, its first pixel
covers 0 to 1. y points down. Angles are degrees counter-clockwise as one looks at the picture.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
Points = NDArray[np.float64]
"""Points, float64 [N, 2], x and y in pixels."""
FILLS = ("black", "gray", "edge")
LEAST_SIDE_PX = 1.0
_GRAY = (114, 114, 114)


@dataclass(frozen=True)
class Box:
    """A named rectangle; edges in pixels, ``left < right`` and ``top < bottom`` in a sound one."""

    name: str
    left: float
    top: float
    right: float
    bottom: float

    @property
    def width(self) -> float:
        """Pixels from left to right."""
        return self.right - self.left

    @property
    def height(self) -> float:
        """Pixels from top to bottom."""
        return self.bottom - self.top

    @property
    def area(self) -> float:
        """Square pixels; 0 for a box turned inside out."""
        return max(0.0, self.width) * max(0.0, self.height)

    @property
    def corners(self) -> Points:
        """The four corners, clockwise from the upper left."""
        return np.array(
            [
                (self.left, self.top),
                (self.right, self.top),
                (self.right, self.bottom),
                (self.left, self.bottom),
            ]
        )

    def clipped(self, width: int, height: int) -> Box:
        """The part inside a picture of that size; has no area when the box lies outside."""
        return replace(
            self,
            left=min(max(self.left, 0.0), width),
            top=min(max(self.top, 0.0), height),
            right=min(max(self.right, 0.0), width),
            bottom=min(max(self.bottom, 0.0), height),
        )


@dataclass(frozen=True)
class Rotation:
    """A turn about the middle of a picture of ``width`` x ``height`` onto a canvas of ``out_width`` x ``out_height``.

    Multiples of 90 degrees are exact: sine and cosine are 0 or 1, and no pixel is interpolated where the canvas lets
    pixels fall on pixels.
    """

    width: int
    height: int
    angle_deg: float
    expanded: bool

    @property
    def out_width(self) -> int:
        """The canvas' width: the picture's own, or what the turned picture needs."""
        return self._needed(self.width, self.height) if self.expanded else self.width

    @property
    def out_height(self) -> int:
        """The canvas' height."""
        return self._needed(self.height, self.width) if self.expanded else self.height

    def points(self, points: Points) -> Points:
        """Where points [N, 2] of the picture lie on the canvas, not clipped."""
        cos, sin = self._cos_sin()
        turn = np.array([[cos, sin], [-sin, cos]])
        middle = np.array([self.width / 2, self.height / 2])
        return np.asarray((points - middle) @ turn.T + np.array([self.out_width / 2, self.out_height / 2]))

    def image(self, image: Image, fill: str = "black") -> Image:
        """The picture on its canvas, uint8 [out_height, out_width, 3]; ``fill`` is what the corners show."""
        cos, sin = self._cos_sin()
        if (cos, sin, self.out_width, self.out_height) == (1.0, 0.0, self.width, self.height):
            return image
        turn = np.array([[cos, sin], [-sin, cos]])
        # OpenCV counts from pixel centres, half a pixel inside the edges
        middle = np.array([self.width / 2, self.height / 2]) - 0.5
        shift = np.array([self.out_width / 2, self.out_height / 2]) - 0.5 - turn @ middle
        border = cv2.BORDER_REPLICATE if fill == "edge" else cv2.BORDER_CONSTANT
        turned = cv2.warpAffine(
            image,
            np.column_stack([turn, shift]),
            (self.out_width, self.out_height),
            flags=cv2.INTER_LINEAR,
            borderMode=border,
            borderValue=_GRAY if fill == "gray" else (0, 0, 0),
        )
        return np.asarray(turned, np.uint8)

    def box(self, box: Box) -> tuple[Box, float]:
        """The smallest upright box round what of the turned box lies on the canvas, and the share of it that does.

        The corners are turned, the polygon is cut at the canvas' edges, and its hull taken. A share of 0 comes with an
        empty box. The hull of a turned box is larger than the object: labels get looser, most at 45 degrees.
        """
        whole = self.points(box.corners)
        seen = _cut(whole, self.out_width, self.out_height)
        if len(seen) < 3 or box.area == 0:
            return replace(box, left=0.0, top=0.0, right=0.0, bottom=0.0), 0.0
        (left, top), (right, bottom) = seen.min(0), seen.max(0)
        share = min(1.0, _area(seen) / box.area)
        return Box(box.name, float(left), float(top), float(right), float(bottom)), share

    def _cos_sin(self) -> tuple[float, float]:
        quarter, rest = divmod(self.angle_deg % 360, 90)
        if rest == 0:
            return ((1.0, 0.0), (0.0, 1.0), (-1.0, 0.0), (0.0, -1.0))[int(quarter) % 4]
        return math.cos(math.radians(self.angle_deg)), math.sin(math.radians(self.angle_deg))

    def _needed(self, along: int, across: int) -> int:
        cos, sin = self._cos_sin()
        return math.ceil(abs(along * cos) + abs(across * sin) - 1e-9)


def _cut(polygon: Points, width: int, height: int) -> Points:
    """The part of a convex polygon inside a picture (Sutherland and Hodgman 1974)."""
    for axis, limit, sign in ((0, 0.0, 1.0), (0, float(width), -1.0), (1, 0.0, 1.0), (1, float(height), -1.0)):
        inside = sign * (polygon[:, axis] - limit)
        kept = []
        for k in range(len(polygon)):
            before, here = inside[k - 1], inside[k]
            if (before >= 0) != (here >= 0):
                met = polygon[k - 1] + before / (before - here) * (polygon[k] - polygon[k - 1])
                met[axis] = limit
                kept.append(met)
            if here >= 0:
                kept.append(polygon[k])
        if not kept:
            return np.zeros((0, 2))
        polygon = np.array(kept)
    return polygon


def _area(polygon: Points) -> float:
    x, y = polygon[:, 0], polygon[:, 1]
    return float(abs(x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2)


def angles(text: str) -> list[float]:
    """``10:350:10`` (first, last, step) or ``-15,0,15``, or both joined by commas. Raises ``ValueError``."""
    found: list[float] = []
    for part in text.split(","):
        numbers = [float(number) for number in part.split(":")]
        if not all(math.isfinite(number) for number in numbers):
            raise ValueError(f"{part!r} is no angle")
        if len(numbers) == 1:
            found += numbers
            continue
        if len(numbers) != 3 or numbers[2] <= 0 or numbers[1] < numbers[0] or numbers[1] - numbers[0] > 720:
            raise ValueError(f"{part!r} has to be FIRST:LAST:STEP with STEP above 0, as 10:350:10")
        first, last, step = numbers
        found += [first + k * step for k in range(int((last - first) / step + 1e-9) + 1)]
    return list(dict.fromkeys(found))


def angle_tag(angle_deg: float) -> str:
    """An angle as part of a file name: 10 -> ``a010``, -7.5 -> ``a352.5``."""
    whole = angle_deg % 360
    return f"a{whole:03.0f}" if whole == int(whole) else f"a{whole:05.1f}"
