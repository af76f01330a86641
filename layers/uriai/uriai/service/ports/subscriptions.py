"""Summaries that people have asked to be sent every day."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from uriai.domain.person import Language, Person, Platform


@dataclass(frozen=True, slots=True)
class Subscription:
    """A chat that is sent the day's summary at ``minute`` (0..1439) of its zone's clock, next at ``next_at``."""

    platform: Platform
    user: str
    minute: int
    time_zone: str
    base_url: str
    next_at: datetime
    language: Language = Language.KOREAN


class Subscriptions(ABC):
    """One a chat. Every change leaves an audit row."""

    @abstractmethod
    def put(self, person: Person, subscription: Subscription, now: datetime) -> None:
        """Send it from now on, in place of what was sent before."""

    @abstractmethod
    def stop(self, person: Person, platform: Platform, user: str, now: datetime) -> bool:
        """Send it no more; whether it was sent."""

    @abstractmethod
    def due(self, now: datetime, limit: int) -> Sequence[Subscription]:
        """Those whose time has come, of people who are not disabled and whose chat is still theirs; oldest first."""

    @abstractmethod
    def move(self, subscription: Subscription, next_at: datetime) -> None:
        """The one that was due is on its way; unless somebody changed it meanwhile, the next is due then."""
