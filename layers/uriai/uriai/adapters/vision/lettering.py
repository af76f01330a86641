"""Text on pictures, Hangul included: OpenCV 5 draws TrueType fonts and carries one that has Korean (decision page
`docs/decisions/0011-hangul-on-pictures.md`).
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

import cv2
import numpy as np

from uriai.adapters.vision.scaling import Image

_FONT = "uni"
"""OpenCV's built-in WenQuanYi Micro Hei; its other fonts take Hangul from it too, but Latin letters from elsewhere."""
_REGULAR = 400
_LEAST_PX = 12
"""Below this Hangul cannot be read."""
_BAR_COLOUR = (32, 32, 32)
_WHITE = (255, 255, 255)


class LetteringError(Exception):
    """This OpenCV cannot draw Korean: it was built without its Unicode font."""


@lru_cache(maxsize=1)
def _font() -> Any:
    """The font, read once per process.

    Raises
    ------
    LetteringError
        If the font lacks Hangul, which OpenCV would draw as question marks without a word.
    """
    font = cv2.FontFace(_FONT)
    if np.array_equal(_drawn(font, "의"), _drawn(font, "심")):
        raise LetteringError(f"OpenCV {cv2.__version__} has no font with Hangul: install the version of the lock file")
    return font


def _drawn(font: Any, text: str) -> Image:
    picture: Any = np.zeros((48, 48, 3), np.uint8)
    cv2.putText(picture, text, (4, 36), _WHITE, font, 32, _REGULAR)
    return picture  # type: ignore[no-any-return]


def width_px(text: str, size_px: int) -> int:
    """How far the text reaches to the right of its beginning."""
    left, _, wide, _ = cv2.getTextSize((0, 0), text, (0, 0), _font(), size_px, _REGULAR)
    return int(left + wide)


def write_label(image: Image, text: str, left: int, top: int, colour: tuple[int, int, int]) -> None:
    """Write on the picture, above the point where there is room, dark behind it so that it shows on anything.

    ``image`` is BGR uint8 (height, width, 3) and is changed.
    """
    height, width = image.shape[:2]
    size = max(_LEAST_PX, height // 45)
    line = size * 5 // 4
    x = max(0, min(left, width - width_px(text, size) - 4))
    y = max(0, top - line if top >= line else min(top, height - line))
    cv2.rectangle(image, (x, y), (x + width_px(text, size) + 4, y + line), _BAR_COLOUR, -1)
    cv2.putText(image, text, (x + 2, y + size), colour, _font(), size, _REGULAR)


def with_caption(image: Image, lines: Iterable[str]) -> Image:
    """A copy with a bar of text below, so that the text covers nothing; what is too wide goes on in the next line."""
    height, width = image.shape[:2]
    size = max(_LEAST_PX, min(height, width) // 36)
    rows = [row for text in lines for row in _broken(text, width - size, size)]
    line = size * 3 // 2
    result: Any = cv2.copyMakeBorder(
        image, 0, line * len(rows) + size // 2, 0, 0, cv2.BORDER_CONSTANT, value=_BAR_COLOUR
    )
    for number, row in enumerate(rows):
        cv2.putText(result, row, (size // 2, height + line * number + size * 5 // 4), _WHITE, _font(), size, _REGULAR)
    return result  # type: ignore[no-any-return]


def _broken(text: str, room_px: int, size_px: int) -> list[str]:
    """The text in lines that fit; a single word that does not is left whole."""
    rows: list[str] = []
    for word in text.split(" "):
        longer = f"{rows[-1]} {word}" if rows else word
        if rows and width_px(longer, size_px) <= room_px:
            rows[-1] = longer
        else:
            rows.append(word)
    return rows
