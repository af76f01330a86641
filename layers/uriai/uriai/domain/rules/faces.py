"""What the rules about faces share: which emotions mean what, who counts as an adult or a child, and clip times."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from uriai.domain.adulthood import UNSURE
from uriai.domain.analysis import Face

ANGER = ("angry", "disgust")
"""What an adult's face may show that a child's fear may come from."""
DISTRESS = ("fear", "sad", "surprise")
"""What a child's face shows that is afraid, sad or startled."""


@dataclass(frozen=True, slots=True)
class FaceLook:
    """One face at one moment with the strongest of some emotions; ``t_ms`` from the start of whatever is looked at."""

    t_ms: int
    track: int
    emotion: str
    probability: float

    def as_mapping(self) -> dict[str, object]:
        """For a finding's basis."""
        return {
            "t_s": self.t_ms / 1000, "track": self.track, "emotion": self.emotion, "probability": self.probability,
        }  # fmt: skip


def milliseconds(seconds: float) -> int:
    """Whole milliseconds: times are compared in them, so that rounding of seconds decides nothing."""
    return round(seconds * 1000)


def look_at(face: Face, emotions: Collection[str]) -> FaceLook:
    """The strongest of ``emotions`` in the face: 0.0 where the face was too small to tell."""
    probability, emotion = max((face.emotions.get(emotion, 0.0), emotion) for emotion in emotions)
    return FaceLook(milliseconds(face.t_s), face.track, emotion, probability)


def is_adult(face: Face) -> bool:
    """Whether the face is surely an adult's; unknown is not."""
    return face.adult is not None and face.adult >= UNSURE[1]


def is_child(face: Face) -> bool:
    """Whether the face is surely a child's; unknown is not."""
    return face.adult is not None and face.adult <= UNSURE[0]
