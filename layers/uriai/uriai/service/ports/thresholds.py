"""Thresholds as services see them: what was set, by whom, and what was in force when."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import datetime

from uriai.domain.threshold_history import ThresholdEntry


class ThresholdHistory(ABC):
    """Rows of thresholds, inside one transaction."""

    @abstractmethod
    def lock(self, centre_id: int) -> None:
        """Wait until no other transaction sets thresholds of the centre; held to the end of this one."""

    @abstractmethod
    def entries(self, centre_id: int) -> Sequence[ThresholdEntry]:
        """Everything that was ever set for the centre and its cameras and came into force, or will, by start."""

    @abstractmethod
    def end(self, centre_id: int, camera_id: int | None, name: str, at: datetime) -> None:
        """Let what is set for the name, of that camera or of the centre, hold no longer than up to the instant."""

    @abstractmethod
    def add(self, centre_id: int, entry: ThresholdEntry, person_id: int, reason: str, now: datetime) -> None:
        """Keep a new entry."""
