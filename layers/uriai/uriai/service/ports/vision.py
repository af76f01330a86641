"""What looks at a clip: the models as a service sees them, and the permanent failures of a clip that cannot be looked
at.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from uriai.domain.analysis import Observations
from uriai.domain.finding import Finding


class ClipFault(StrEnum):
    """Why a file can never be analysed, however often it is tried. The values stand in ``analysis.reason_code``."""

    ZERO_BYTES = "zero_bytes"
    NOT_A_VIDEO = "not_a_video"
    NO_VIDEO_STREAM = "no_video_stream"
    TRUNCATED = "truncated"
    UNDECODABLE = "undecodable"
    TOO_LONG = "too_long"
    TOO_SMALL = "too_small"
    TOO_LARGE = "too_large"


class NotAVideo(Exception):  # noqa: N818 - it reads as what it says, and callers of this port know it by that name
    """The file is no clip that can be analysed, and trying again will not change that.

    ``fault`` says which way; ``reason_code`` is its text for the database, ``message`` a sentence for people.
    """

    def __init__(self, fault: ClipFault, message: str) -> None:
        super().__init__(message)
        self.fault = fault
        self.message = message

    @property
    def reason_code(self) -> str:
        """At most 40 ASCII characters, see `ClipFault`."""
        return self.fault.value


@dataclass(frozen=True, slots=True)
class KeyFrames:
    """One moment of a clip as JPEG, four times; ``t_s`` is the time of the frame taken, in seconds from the clip's
    start.

    ``plain_jpeg`` is the frame as it is; ``annotated_jpeg`` carries boxes, and the caption below. The two masked ones
    show the same with every face mosaicked, and are the only ones that may leave the system.
    """

    t_s: float
    plain_jpeg: bytes
    annotated_jpeg: bytes
    masked_jpeg: bytes
    annotated_masked_jpeg: bytes


Caption = Callable[[float], Sequence[str]]
"""The lines below an annotated picture that shows the given second of its clip."""


class ClipAnalyser(ABC):
    """Looks at clips with one set of models."""

    @property
    @abstractmethod
    def models(self) -> Mapping[str, str]:
        """Role -> ``name@version+sha256``."""

    @property
    @abstractmethod
    def model_set_hash(self) -> bytes:
        """`uriai.domain.model_set.model_set_hash` of `models`: 32 bytes."""

    @abstractmethod
    def observe(self, path: Path) -> Observations:
        """Look at the whole clip.

        Raises
        ------
        NotAVideo
            If the file can never be analysed.
        FileNotFoundError
            If there is no such file.
        """

    @abstractmethod
    def key_frames(self, path: Path, t_s: float, observations: Observations, caption: Caption) -> KeyFrames:
        """The frame nearest ``t_s``, plain and annotated with what was seen and the caption, each also masked.

        ``t_s`` is clamped to the clip. For the strongest moment of a finding pass ``peak_s(finding)``.

        Raises
        ------
        NotAVideo
            If the file can never be analysed.
        """


def peak_s(finding: Finding) -> float:
    """The strongest moment of a finding, seconds from the clip's start: ``basis["peak_s"]``, else the middle of its
    span.
    """
    peak = finding.basis.get("peak_s")
    if isinstance(peak, int | float):
        return float(peak)
    return (finding.start_s + finding.end_s) / 2
