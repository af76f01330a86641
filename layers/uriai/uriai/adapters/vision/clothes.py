"""The colours of people's clothes, to tell people of one clip apart. Nobody is recognised by them."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from uriai.adapters.vision.scaling import Image
from uriai.adapters.vision.tracker import Clothes
from uriai.domain.analysis import Box


def clothes(image: Image, box: Box) -> Clothes:
    """The colours of a person's upper and lower body, float32 [512], their sum 1.

    ``image`` is the BGR frame uint8 [H, W, 3].
    """
    left, right = int(box.x + box.w / 4), int(box.x + box.w * 3 / 4) + 1
    top, bottom = int(box.y + box.h / 10), int(box.y + box.h * 3 / 4) + 1
    part = image[max(top, 0) : bottom, max(left, 0) : right]
    small: Any = cv2.resize(part, (12, 24), interpolation=cv2.INTER_AREA)
    lab = np.asarray(cv2.cvtColor(small, cv2.COLOR_BGR2LAB), np.int64).reshape(2, -1, 3)
    light = lab[..., 0] // 64
    # colours of cloth lie around the middle: eight steps between 90 and 166
    green_red, blue_yellow = (np.clip((lab[..., axis] - 90) * 8 // 76, 0, 7) for axis in (1, 2))
    bins = (light * 8 + green_red) * 8 + blue_yellow + np.array([[0], [256]])
    counted = np.bincount(bins.ravel(), minlength=512).astype(np.float32)
    return np.asarray(counted / counted.sum(), np.float32)
