"""The ceiling-corner camera: pinhole projection of room coordinates (metres, z up) to pixels."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Point = tuple[float, float, float]
NEAR_M = 0.12


@dataclass(frozen=True, slots=True)
class Camera:
    """A pinhole at ``position``; ``right``, ``down`` and ``ahead`` are its axes as unit vectors of the room."""

    position: Point
    right: Point
    down: Point
    ahead: Point
    focal_px: float
    width_px: int
    height_px: int

    @classmethod
    def looking_at(
        cls, position: Point, target: Point, roll_rad: float, across_rad: float, size: tuple[int, int]
    ) -> "Camera":
        """A camera at ``position`` turned to ``target``, ``across_rad`` wide; ``size`` is (width, height) in pixels."""
        ahead = np.subtract(target, position)
        ahead = ahead / np.linalg.norm(ahead)
        right = np.cross(ahead, (0.0, 0.0, 1.0))
        right = right / np.linalg.norm(right)
        down = np.cross(ahead, right)
        cos, sin = math.cos(roll_rad), math.sin(roll_rad)
        rolled_right, rolled_down = cos * right + sin * down, cos * down - sin * right
        return cls(
            position,
            _point(rolled_right),
            _point(rolled_down),
            _point(ahead),
            size[0] / 2 / math.tan(across_rad / 2),
            size[0],
            size[1],
        )

    def view(self, point: Point) -> Point:
        """Room point to camera axes; the third number is the depth in metres, negative behind the camera."""
        dx, dy, dz = point[0] - self.position[0], point[1] - self.position[1], point[2] - self.position[2]
        r, d, a = self.right, self.down, self.ahead
        return (
            r[0] * dx + r[1] * dy + r[2] * dz,
            d[0] * dx + d[1] * dy + d[2] * dz,
            a[0] * dx + a[1] * dy + a[2] * dz,
        )

    def project(self, point: Point) -> Point:
        """Room point to (x_px, y_px, depth_m); the depth is held at the near plane."""
        x, y, depth = self.view(point)
        depth = max(depth, NEAR_M)
        scale = self.focal_px / depth
        return self.width_px / 2 + x * scale, self.height_px / 2 + y * scale, depth

    def matrix(self) -> NDArray[np.float64]:
        """The 3 x 4 projection matrix (homogeneous room point to homogeneous pixel)."""
        k = np.array([[self.focal_px, 0, self.width_px / 2], [0, self.focal_px, self.height_px / 2], [0, 0, 1]])
        rotation = np.array([self.right, self.down, self.ahead])
        return np.asarray(k @ np.column_stack([rotation, -rotation @ np.array(self.position)]), dtype=np.float64)

    def polygon(self, corners: list[Point]) -> list[tuple[float, float]]:
        """Project a planar polygon, cut at the near plane; empty when it lies behind the camera."""
        inside = [self.view(corner) for corner in corners]
        clipped: list[Point] = []
        for k, here in enumerate(inside):
            before = inside[k - 1]
            if (here[2] >= NEAR_M) != (before[2] >= NEAR_M):
                t = (NEAR_M - before[2]) / (here[2] - before[2])
                clipped.append((before[0] + t * (here[0] - before[0]), before[1] + t * (here[1] - before[1]), NEAR_M))
            if here[2] >= NEAR_M:
                clipped.append(here)
        f, cx, cy = self.focal_px, self.width_px / 2, self.height_px / 2
        return [(cx + f * x / z, cy + f * y / z) for x, y, z in clipped]


def _point(vector: NDArray[np.float64]) -> Point:
    return float(vector[0]), float(vector[1]), float(vector[2])
