"""What makes the masked copy of a clip, as a service sees it, and what it says about the copy."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from uriai.domain.analysis import Box


class NotWritten(Exception):  # noqa: N818 - it reads as what it says
    """The copy could not be written; the message says where and why. The original is as it was."""


class NoSuchTrack(ValueError):  # noqa: N818 - it reads as what it says
    """The track that was to stay visible is not in the clip."""


class Doubt(StrEnum):
    """Why a person should look at a frame of the copy before it is handed on."""

    APPEARS = "appears"
    """Somebody is first seen in the middle of the picture: where were they a moment before?"""
    LOST = "lost"
    """Somebody was last seen in the middle of the picture: are they still there, turned away or hidden?"""
    WEAK = "weak"
    """A face was found with a low score only: there may be none, or more of it than is covered."""
    BRIDGED = "bridged"
    """Nobody was found for a while where somebody was before and after: what is covered between is a guess."""
    CROSSING = "crossing"
    """Somebody comes close to the one who is left visible: the two may have been taken for each other."""


@dataclass(frozen=True, slots=True)
class DoubtfulFrame:
    """A frame to look at; ``box`` in pixels of the copy, of the face or head in question."""

    frame: int
    t_s: float
    track: int
    doubt: Doubt
    box: Box


@dataclass(frozen=True, slots=True)
class MaskedTrack:
    """One person of the clip: when they were first and last seen, and where their face was at its surest.

    ``best_score`` 0..1, 0.0 where only the body was found; ``masked`` is False for the one left visible.
    """

    track: int
    first_s: float
    last_s: float
    best_t_s: float
    best_box: Box
    best_score: float
    masked: bool


@dataclass(frozen=True, slots=True)
class MaskReport:
    """What was done to one clip. ``covered`` holds the number of covered places of each frame, in order."""

    duration_s: float
    width: int
    height: int
    covered: tuple[int, ...]
    tracks: tuple[MaskedTrack, ...]
    doubtful: tuple[DoubtfulFrame, ...]
    sound_removed: bool
    models: Mapping[str, str] = field(default_factory=dict)
    timing_ms: Mapping[str, float] = field(default_factory=dict)

    def as_object(self) -> dict[str, Any]:
        """As JSON has it: numbers rounded, boxes as [left, top, width, height]."""
        return {
            "duration_s": round(self.duration_s, 3),
            "size": [self.width, self.height],
            "frames": len(self.covered),
            "covered": list(self.covered),
            "tracks": [
                {
                    "track": track.track,
                    "first_s": round(track.first_s, 3),
                    "last_s": round(track.last_s, 3),
                    "best": {
                        "t_s": round(track.best_t_s, 3),
                        "box": _plain(track.best_box),
                        "score": round(track.best_score, 3),
                    },
                    "masked": track.masked,
                }
                for track in self.tracks
            ],
            "look_at": [
                {
                    "frame": doubtful.frame,
                    "t_s": round(doubtful.t_s, 3),
                    "track": doubtful.track,
                    "reason": doubtful.doubt.value,
                    "box": _plain(doubtful.box),
                }
                for doubtful in self.doubtful
            ],
            "sound_removed": self.sound_removed,
            "models": dict(self.models),
            "timing_ms": dict(self.timing_ms),
        }


def _plain(box: Box) -> list[float]:
    return [round(value, 1) for value in (box.x, box.y, box.w, box.h)]


class ClipMasker(ABC):
    """Makes copies of clips in which faces cannot be seen."""

    @abstractmethod
    def mask(self, source: Path, target: Path, except_track: int | None = None) -> MaskReport:
        """Write a copy of ``source`` to ``target``, without sound and metadata, with every face and head covered but
        that of ``except_track``, a number of an earlier report of the same clip.

        Raises
        ------
        NotAVideo
            If the file can never be copied.
        NoSuchTrack
            If nobody of the clip has that number.
        NotWritten
            If there is no room or no right; nothing is left behind.
        FileExistsError
            If there is a ``target`` already.
        FileNotFoundError
            If there is no ``source``.
        """
