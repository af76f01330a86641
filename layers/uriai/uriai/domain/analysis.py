"""What one set of models saw in one clip. Times are seconds from the clip's start; boxes are in source pixels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

EMOTIONS = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
"""The seven FER2013 classes, in the order of the emotion model's output."""


@dataclass(frozen=True, slots=True)
class Box:
    """An axis-aligned box: left, top, width, height in source pixels."""

    x: float
    y: float
    w: float
    h: float

    def rounded(self) -> Box:
        """To a tenth of a pixel."""
        return Box(round(self.x, 1), round(self.y, 1), round(self.w, 1), round(self.h, 1))


def iou(one: Box, other: Box) -> float:
    """Intersection over union, 0..1."""
    width = min(one.x + one.w, other.x + other.w) - max(one.x, other.x)
    height = min(one.y + one.h, other.y + other.h) - max(one.y, other.y)
    if width <= 0 or height <= 0:
        return 0.0
    shared = width * height
    return shared / (one.w * one.h + other.w * other.h - shared)


@dataclass(frozen=True, slots=True)
class Window:
    """The calibrated probability (0..1) of violence in one window of about 2 s."""

    start_s: float
    end_s: float
    probability: float


@dataclass(frozen=True, slots=True)
class Face:
    """One face at one moment. ``adult`` is P(adult), or None where nothing sure can be said, see `adulthood`."""

    t_s: float
    track: int
    box: Box
    emotions: Mapping[str, float]
    adult: float | None = None


@dataclass(frozen=True, slots=True)
class PersonBox:
    """One person at one moment. A track lives inside one clip and is nobody's identity; a person's faces share it."""

    t_s: float
    track: int
    box: Box


@dataclass(frozen=True, slots=True)
class DetectedBox:
    """What a box detector saw at one moment: ``label`` is its class (``assault``, ``person``), ``confidence`` 0..1."""

    t_s: float
    label: str
    confidence: float
    box: Box


@dataclass(frozen=True, slots=True)
class Observations:
    """Everything the models said of one clip.

    ``calibrated`` says whether the windows' values are probabilities; where they are a detector's bare confidences, no
    rule may go beyond ``review`` on them. ``boxes`` are there where the model of role ``violence`` sees boxes.

    ``models`` maps a role (``violence``, ``face``, ``emotion``, ``person``, ``age``) to ``name@version+sha256``;
    ``timing_ms`` a stage to milliseconds, with ``total``.
    """

    duration_s: float
    windows: tuple[Window, ...]
    faces: tuple[Face, ...] = ()
    people: tuple[PersonBox, ...] = ()
    models: Mapping[str, str] = field(default_factory=dict)
    timing_ms: Mapping[str, float] = field(default_factory=dict)
    calibrated: bool = True
    boxes: tuple[DetectedBox, ...] = ()

    @property
    def violence_probability(self) -> float:
        """The largest window probability, 0.0 when there is no window."""
        return max((window.probability for window in self.windows), default=0.0)

    def rounded(self) -> Observations:
        """As they are stored: probabilities to four places, boxes to a tenth of a pixel.

        Rules judge these, so that judging what was stored comes to the same as judging what was seen.
        """
        return replace(
            self,
            windows=tuple(replace(window, probability=_places(window.probability)) for window in self.windows),
            faces=tuple(
                replace(
                    face,
                    box=face.box.rounded(),
                    emotions={name: _places(p) for name, p in face.emotions.items()},
                    adult=None if face.adult is None else _places(face.adult),
                )
                for face in self.faces
            ),
            people=tuple(replace(person, box=person.box.rounded()) for person in self.people),
            boxes=tuple(
                replace(seen, confidence=_places(seen.confidence), box=seen.box.rounded()) for seen in self.boxes
            ),
        )


def _places(probability: float) -> float:
    return round(probability, 4)
