"""What looks for physical abuse: a window model, or a box detector whose manifest says that it is one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from uriai.adapters.vision.contracts import Model
from uriai.adapters.vision.sampling import Cut
from uriai.adapters.vision.scaling import Image
from uriai.adapters.vision.violence import ViolenceDetector
from uriai.adapters.vision.yolo import YoloDetector
from uriai.domain.analysis import DetectedBox, Window


class PhysicalDetector(Protocol):
    """The model of role ``violence``, of whichever kind.

    ``instants`` is how many images a window of 2 s it wants; ``calibrated``: whether what it says are probabilities.
    """

    instants: int
    calibrated: bool

    def begin(self) -> None:
        """A new clip."""

    def prepare(self, image: Image, t_s: float = 0.0) -> Any:
        """A BGR frame, uint8 [H, W, 3], at its time in seconds, as it is to be kept for the windows it is part of."""

    def judge(self, cuts: Sequence[Cut[Any]]) -> list[Window]:
        """One window for each cut, of prepared images."""

    def boxes(self) -> tuple[DetectedBox, ...]:
        """What it has seen where, since `begin`; nothing from a model that sees no boxes."""


def open_physical(model: Model) -> PhysicalDetector:
    """The detector that the model's manifest asks for.

    Raises
    ------
    ModelRefused
        If the model cannot be one.
    """
    if model.manifest is not None and model.manifest.detector is not None:
        return YoloDetector(model)
    return ViolenceDetector(model)
