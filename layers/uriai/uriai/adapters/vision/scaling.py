"""Pictures of another size: by OpenCV where it is installed, else by FFmpeg's scaler through PyAV.

A Lambda holds one of the two: the layer of `analyze` has OpenCV, that of `mask` PyAV, and both together are over
Lambda's limit on x86_64. Their results differ by less than one (0..255) on average.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

try:
    import cv2
except ImportError:
    cv2 = None  # type: ignore[assignment]

Image = NDArray[np.uint8]
"""Pixels uint8 [H, W, 3]: BGR as OpenCV has them, unless a docstring says RGB."""

_WORTH_HALVING = 3.0


def shrink(image: Image, width: int, height: int) -> Image:
    """Resize by area to ``width`` x ``height``, the aspect ratio given up, as the models' training does.

    A large frame is first halved, which OpenCV does many times faster; the values differ from those of one step by less
    than one (0..255) on average.
    """
    rows, columns = image.shape[:2]
    while rows % 2 == 0 and columns % 2 == 0 and min(rows / height, columns / width) >= _WORTH_HALVING:
        rows, columns = rows // 2, columns // 2
        image = _resized(image, columns, rows, "AREA")
    return _resized(image, width, height, "AREA")


def resize(image: Image, width: int, height: int) -> Image:
    """To ``width`` x ``height``: by area where that is smaller, else linearly."""
    rows, columns = image.shape[:2]
    return _resized(image, width, height, "AREA" if width < columns and height < rows else "BILINEAR")


def _resized(image: Image, width: int, height: int, how: str) -> Image:
    if image.shape[:2] == (height, width):
        return image
    if cv2 is None:
        return _by_ffmpeg(image, width, height, how)
    resized: Any = cv2.resize(
        image, (width, height), interpolation=cv2.INTER_AREA if how == "AREA" else cv2.INTER_LINEAR
    )
    return np.asarray(resized, np.uint8)


def _by_ffmpeg(image: Image, width: int, height: int, how: str) -> Image:
    import av

    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="bgr24")
    return np.asarray(frame.reformat(width=width, height=height, interpolation=how).to_ndarray(), np.uint8)
