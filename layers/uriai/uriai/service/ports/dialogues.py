"""What a conversation remembers: where it stands, and which deliveries it has answered."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import datetime

from uriai.domain.person import Person


@dataclass(frozen=True, slots=True)
class State:
    """Where a dialogue stands after an answer.

    ``asks`` is what the answer asked back (empty: nothing); ``text`` the question that it belongs to, as a question
    that stands alone; ``place`` the one centre that it was about; ``offers`` the questions that it offered to tap;
    ``numbers`` the incidents that it listed.
    """

    asks: str = ""
    text: str = ""
    place: str = ""
    offers: tuple[str, ...] = ()
    numbers: tuple[int, ...] = ()


class Dialogues(ABC):
    """One state a person and conversation. It is kept in the database: the next container knows it too."""

    @abstractmethod
    def recall(self, person: Person, conversation: str, since: datetime) -> State | None:
        """Where the dialogue stands; None if nothing was kept since then."""

    @abstractmethod
    def keep(self, person: Person, conversation: str, state: State, now: datetime, old: datetime) -> None:
        """Keep where it stands now, and forget some of what was kept before ``old``."""


class Deliveries(ABC):
    """Which deliveries of messengers were answered. Only the SHA-256 of their ids is kept."""

    @abstractmethod
    def claim(self, key: bytes, now: datetime) -> bool:
        """Begin with a delivery; False if it was answered, or somebody else is at it.

        Who began and said nothing for a minute has died, and the delivery may be claimed again.
        """

    @abstractmethod
    def settle(self, key: bytes) -> None:
        """It was answered: it is never claimed again."""

    @abstractmethod
    def release(self, key: bytes) -> None:
        """It could not be answered: the next delivery may be claimed."""
