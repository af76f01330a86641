"""A YOLOv5 with a class ``assault`` as the detector of physical abuse: boxes on frames become probabilities of windows.

Of every frame looked at, the strongest ``assault`` box counts (0 where there is none). A window's score is the mean of
its ``best_frames`` strongest frames: one frame that errs makes no window, and an assault need not last the whole one.
What the score is worth as a probability, only labelled clips can say: without a calibration in the manifest it is
passed on as it is and marked so, and no rule goes beyond ``review`` on it.
"""

from __future__ import annotations

import ast
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from uriai.adapters.vision.contracts import Model
from uriai.adapters.vision.detector_settings import ASSAULT, PERSON, Calibration, DetectorSettings
from uriai.adapters.vision.letterbox import Letterbox, canvas_for
from uriai.adapters.vision.manifests import ModelRefused
from uriai.adapters.vision.sampling import Cut
from uriai.adapters.vision.scaling import Image
from uriai.adapters.vision.yolo_outputs import OutputReader
from uriai.domain.analysis import Box, DetectedBox, Window

DEFAULT_SIZE_PX = 640
DEFAULT_STRIDE = 32
_LARGEST_SIDE_PX = 2048
_LONGEST_NAMES = 100_000
_CLOSEST_S = 1 / 30
"""A short clip has each of its frames kept: those closer than this share one look."""


@dataclass(slots=True)
class Look:
    """One frame that may be looked at: its canvas until then, afterwards what was seen."""

    t_s: float
    letterbox: Letterbox
    canvas: Image | None
    score: float = 0.0


class YoloDetector:
    """Looks for boxes on frames; each frame once, however many windows share it.

    Parameters
    ----------
    model:
        Role ``violence``, its manifest with ``classes`` and ``detector``. It is tried on a gray picture at once, so
        that an export that cannot be read is refused before a clip has been touched.

    Raises
    ------
    ModelRefused
        If input, output, classes or the names in the file's metadata do not fit.
    """

    def __init__(self, model: Model) -> None:
        if model.manifest is None or model.manifest.detector is None:
            raise ModelRefused(f"model {model.reference.name}: a detector needs its manifest")
        self._model = model
        self._name = model.reference.name
        self._settings: DetectorSettings = model.manifest.detector
        self._classes = model.manifest.classes
        self._assault = self._classes.index(ASSAULT)
        self._shown = {self._classes.index(name): name for name in (ASSAULT, PERSON) if name in self._classes}
        self._check_names()
        self._input = self._checked_input()
        self._outputs = [tensor.name for tensor in model.outputs]
        settings = self._settings
        self._reader = OutputReader(
            self._name, len(self._classes), settings.layout, settings.least_confidence, settings.overlap
        )
        self.instants = settings.frames
        self.calibrated = settings.calibration is not None
        self._boxes: list[DetectedBox] = []
        self._last: Look | None = None
        self._seen(self.prepare(np.full((480, 640, 3), 114, np.uint8), 0.0))
        self.begin()

    def begin(self) -> None:
        """Forget the last clip."""
        self._boxes, self._last = [], None

    def boxes(self) -> tuple[DetectedBox, ...]:
        """What was seen since `begin`, in order of time, in the pixels of the pictures."""
        return tuple(sorted(self._boxes, key=lambda box: (box.t_s, -box.confidence)))

    def prepare(self, image: Image, t_s: float = 0.0) -> Look:
        """A BGR frame as the model wants it, on its canvas; it is looked at when a window needs it."""
        if self._last is not None and 0 <= t_s - self._last.t_s < _CLOSEST_S:
            return self._last
        height, width = image.shape[:2]
        letterbox = Letterbox(width, height, *self._canvas(width, height))
        self._last = Look(t_s, letterbox, letterbox.apply(image))
        return self._last

    def judge(self, cuts: Sequence[Cut[Look]]) -> list[Window]:
        """One window for each cut.

        Raises
        ------
        ModelRefused
            If the model answers what cannot be: a wrong model must not read as "nothing happened".
        """
        windows = []
        for cut in cuts:
            scores = sorted((self._seen(look) for look in cut.images), reverse=True)
            best = scores[: self._settings.best_frames]
            score = sum(best) / len(best)
            windows.append(Window(cut.start_s, cut.end_s, probability(score, self._settings.calibration)))
        return windows

    def _seen(self, look: Look) -> float:
        """The highest confidence of an assault on a frame, which is looked at now unless it has been."""
        if look.canvas is None:
            return look.score
        rgb: Any = cv2.cvtColor(look.canvas, cv2.COLOR_BGR2RGB)
        tensor = np.ascontiguousarray(rgb.transpose(2, 0, 1)[None])
        if self._input[1] != np.uint8:
            tensor = (tensor.astype(np.float32) / 255).astype(self._input[1])
        found = self._reader.read(dict(zip(self._outputs, self._run(tensor), strict=True)))
        corners = look.letterbox.to_picture(found.boxes)
        for (left, top, right, bottom), score, number in zip(corners, found.scores, found.classes, strict=True):
            confidence = min(float(score), 1.0)
            if number == self._assault:
                look.score = max(look.score, confidence)
            box = _clipped(float(left), float(top), float(right), float(bottom), look.letterbox)
            if number in self._shown and box is not None:
                self._boxes.append(DetectedBox(look.t_s, self._shown[int(number)], confidence, box))
        look.canvas = None
        return look.score

    def _run(self, tensor: Any) -> list[Any]:
        try:
            return self._model.run(**{self._input[0]: tensor})
        except Exception as error:
            raise ModelRefused(
                f"model {self._name} fails on a picture of {tensor.shape[3]}x{tensor.shape[2]} px: {str(error)[:300]}"
            ) from error

    def _canvas(self, width: int, height: int) -> tuple[int, int]:
        fixed = self._input[2]
        return fixed or canvas_for(width, height, self._settings.size_px or DEFAULT_SIZE_PX, self._stride())

    def _stride(self) -> int:
        stated = (self._model.metadata or {}).get("stride", "")
        exported = int(stated) if stated.isdigit() and 0 < int(stated) <= 256 else DEFAULT_STRIDE
        return self._settings.stride or exported

    def _checked_input(self) -> tuple[str, Any, tuple[int, int] | None]:
        """Name and type of the input, and its (width, height) where they are fixed."""
        wanted = "one input of shape [1, 3, height, width], float32, float16 or uint8"
        if len(self._model.inputs) != 1:
            names = [tensor.name for tensor in self._model.inputs]
            raise ModelRefused(f"model {self._name}: inputs are {names}, a YOLOv5 has {wanted}")
        (tensor,) = self._model.inputs
        shape = tensor.shape
        fits = len(shape) == 4 and (isinstance(shape[0], str) or shape[0] == 1) and shape[1] == 3
        if not fits or tensor.dtype not in ("float32", "float16", "uint8"):
            raise ModelRefused(
                f"model {self._name}: input {tensor.name!r} is {tensor.dtype} {list(shape)}, a YOLOv5 has {wanted}"
            )
        height, width = shape[2:]
        dtype = np.dtype(tensor.dtype)
        if isinstance(height, str) or isinstance(width, str):
            return tensor.name, dtype, None
        stride, asked = self._stride(), self._settings.size_px
        if height % stride or width % stride or not 0 < max(height, width) <= _LARGEST_SIDE_PX:
            raise ModelRefused(
                f"model {self._name}: its pictures have {width}x{height} px; both have to be multiples of {stride} and "
                f"at most {_LARGEST_SIDE_PX}"
            )
        if asked not in (0, max(height, width)):
            raise ModelRefused(
                f"model {self._name}: the manifest's 'detector.size_px' is {asked}, the graph takes {width}x{height} px"
            )
        return tensor.name, dtype, (width, height)

    def _check_names(self) -> None:
        """The classes that the exporter wrote into the file are those of the manifest, in the same order."""
        text = (self._model.metadata or {}).get("names", "")
        if not text:
            return
        exported = _names(text)
        if exported is None:
            raise ModelRefused(f"model {self._name}: the class names in its metadata cannot be read: {text[:80]!r}")
        if exported != self._classes:
            raise ModelRefused(
                f"model {self._name}: its metadata names the classes {list(exported)}, the manifest "
                f"{list(self._classes)}: put them into the manifest as they were trained"
            )


def probability(score: float, calibration: Calibration | None) -> float:
    """The probability that a window's score stands for; the score itself where nobody has calibrated it."""
    if calibration is None:
        return score
    inner = min(max(score, 1e-4), 1 - 1e-4)
    logit = calibration.slope * math.log(inner / (1 - inner)) + calibration.offset
    return 1 / (1 + math.exp(-min(max(logit, -500.0), 500.0)))


def _names(text: str) -> tuple[str, ...] | None:
    """``{0: 'person', 1: 'assault'}`` or a list, as Python or JSON; None if it is neither."""
    if len(text) > _LONGEST_NAMES:
        return None
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            return None
    try:
        if isinstance(value, dict):
            numbered = {int(key): str(name) for key, name in value.items()}
            return tuple(numbered[number] for number in range(len(numbered)))
    except (TypeError, ValueError, KeyError):
        return None
    return tuple(map(str, value)) if isinstance(value, list | tuple) else None


def _clipped(left: float, top: float, right: float, bottom: float, picture: Letterbox) -> Box | None:
    """The part of the box on the picture, None where nothing is left of it."""
    left, top = max(left, 0.0), max(top, 0.0)
    right, bottom = min(right, float(picture.width)), min(bottom, float(picture.height))
    return Box(left, top, right - left, bottom - top) if right > left and bottom > top else None
