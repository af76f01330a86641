"""What keeping evidence of reported incidents from being deleted needs of the outside."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from uriai.domain.ulid import Ulid


class HoldRefusedError(Exception):
    """An object could not be put under hold; the message names it."""


@dataclass(frozen=True, slots=True)
class DueHold:
    """A reported incident whose evidence is not under hold yet: the keys of all that has to be."""

    incident_id: Ulid
    number: int
    keys: tuple[str, ...]


class Holds(ABC):
    """Rows of incidents whose evidence has to be held. Every method is a transaction of its own."""

    @abstractmethod
    def due(self, limit: int) -> Sequence[DueHold]:
        """Reported incidents whose evidence is not held: those never refused first, otherwise by chance.

        So some that are refused for ever never keep others waiting.
        """

    @abstractmethod
    def held(self, hold: DueHold, now: datetime) -> None:
        """All of it is held: audited; still due if evidence was added meanwhile."""

    @abstractmethod
    def refused(self, hold: DueHold, reason: str) -> None:
        """Keep why it failed this time."""


class Locks(ABC):
    """The bucket, as far as holding goes. There is no way to release: a person does that with the cloud's own tools."""

    @abstractmethod
    def hold(self, key: str, until: datetime) -> None:
        """Put the object under legal hold, which has no end, and lock it until the instant; again does no harm.

        Raises
        ------
        HoldRefusedError
            If there is no such object, or the store refuses or is away.
        """
