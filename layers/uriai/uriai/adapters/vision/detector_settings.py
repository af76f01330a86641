"""``detector`` in a manifest: how a box detector's answers are read, and what they are worth.

What is not stated has the value YOLOv5 itself uses.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

ASSAULT, PERSON = "assault", "person"
YOLOV5 = "yolov5"
LAYOUTS = ("auto", "raw", "rows", "lists", "tensors")
"""See `uriai.adapters.vision.yolo_outputs`."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """From a window's score s to its probability: sigmoid(slope * ln(s / (1 - s)) + offset).

    ``prior`` is the share of violent windows (0..1) it holds for; ``windows``: how many labelled ones it was fitted on.
    """

    slope: float
    offset: float
    prior: float
    windows: int


@dataclass(frozen=True, slots=True)
class DetectorSettings:
    """How a box detector stands in for a window model; ``docs/yolo-detector.md`` explains each.

    ``size_px`` and ``stride`` are 0 where the graph and its metadata say them. ``frames`` a window of 2 s are looked
    at; a window's score is the mean over its ``best_frames`` strongest. Confidences and ``overlap`` (intersection over
    union) are 0..1.
    """

    layout: str = "auto"
    size_px: int = 0
    stride: int = 0
    least_confidence: float = 0.25
    overlap: float = 0.45
    frames: int = 9
    best_frames: int = 3
    calibration: Calibration | None = None


def parse_detector(value: Any, classes: tuple[str, ...]) -> DetectorSettings:
    """Check the object of a manifest whose ``classes`` are these. Raises ValueError."""
    _only(value, "detector", ("type", *DetectorSettings.__dataclass_fields__))
    if value.get("type") != YOLOV5:
        raise ValueError(f"'detector.type' is {shown(value.get('type'))}: only {YOLOV5!r} is known")
    if ASSAULT not in classes:
        raise ValueError(
            f"key 'classes' is {list(classes)}: a detector needs its names in the order it was trained with, and "
            f"{ASSAULT!r} among them"
        )
    layout = value.get("layout", "auto")
    if layout not in LAYOUTS:
        raise ValueError(f"'detector.layout' is {shown(layout)}: it has to be one of {', '.join(LAYOUTS)}")
    frames = int(_number(value, "frames", 9, 3, 33, whole=True))
    if frames % 2 == 0:
        raise ValueError(f"'detector.frames' is {frames}: it has to be odd, so that windows can share their frames")
    settings = DetectorSettings(
        layout=layout,
        size_px=int(_number(value, "size_px", 0, 32, 2048, whole=True)),
        stride=int(_number(value, "stride", 0, 1, 256, whole=True)),
        least_confidence=_number(value, "least_confidence", 0.25, 0.001, 0.9),
        overlap=_number(value, "overlap", 0.45, 0.0, 1.0),
        frames=frames,
        best_frames=int(_number(value, "best_frames", min(3, frames), 1, frames, whole=True)),
        calibration=_calibration(value["calibration"]) if "calibration" in value else None,
    )
    if settings.size_px % (settings.stride or 32):
        raise ValueError(
            f"'detector.size_px' is {settings.size_px}: it has to be a multiple of the stride, {settings.stride or 32}"
        )
    return settings


def _calibration(value: Any) -> Calibration:
    keys = ("slope", "offset", "prior", "windows")
    _only(value, "detector.calibration", keys)
    missing = [key for key in keys if key not in value]
    if missing:
        raise ValueError(
            f"'detector.calibration' lacks {', '.join(missing)}: leave it out, or fit it on labelled clips"
        )
    where = "calibration."
    return Calibration(
        slope=_number(value, "slope", 0, 0.01, 100, where=where),
        offset=_number(value, "offset", 0, -100, 100, where=where),
        prior=_number(value, "prior", 0, 0.0001, 0.9999, where=where),
        windows=int(_number(value, "windows", 0, 1, 10**9, whole=True, where=where)),
    )


def _only(value: Any, name: str, keys: tuple[str, ...]) -> None:
    if not isinstance(value, dict):
        raise ValueError(f"key {name!r} has to be an object, not {shown(value)}")  # noqa: TRY004
    unknown = sorted(set(value) - set(keys))
    if unknown:
        raise ValueError(f"unknown key '{name}.{unknown[0]}'; there are {', '.join(keys)}")


def _number(
    values: Mapping[str, Any], key: str, default: float, least: float, most: float, *, whole: bool = False,
    where: str = "",
) -> float:  # fmt: skip
    value = values.get(key, default)
    if key not in values:
        return default
    kinds = (int,) if whole else (int, float)
    if (
        isinstance(value, bool)
        or not isinstance(value, kinds)
        or not math.isfinite(value)
        or not least <= value <= most
    ):
        kind = "a whole number" if whole else "a number"
        raise ValueError(f"'detector.{where}{key}' is {shown(value)}: it has to be {kind} from {least} to {most}")
    return value


def shown(value: Any) -> str:
    """A value as messages show it, cut short."""
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "…"
