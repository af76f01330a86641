"""What telling people needs of the database, inside the transaction in which there is something to tell."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from uriai.domain.person import Language
from uriai.domain.telling import Audience, Hours, Medium, Occasion
from uriai.domain.ulid import Ulid


class OutboxState(StrEnum):
    """Where a row of the outbox stands.

    ``waiting`` to be due, ``queued`` to be sent, ``delivered``; ``failed``: given up, or nobody to send it to;
    ``overtaken``: pointless before it was sent.
    """

    WAITING = "waiting"
    QUEUED = "queued"
    DELIVERED = "delivered"
    FAILED = "failed"
    OVERTAKEN = "overtaken"


class PoliceReportStatus(StrEnum):
    """How far the police are with a report."""

    BEFORE_DISPATCH = "before_dispatch"
    DISPATCHED = "dispatched"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Channel:
    """How somebody is reached; ``address`` is personal data and never logged."""

    id: int
    medium: Medium
    address: str
    language: Language
    hours: Hours


@dataclass(frozen=True, slots=True)
class Recipient:
    """Somebody to tell. ``key`` is ``person:ID`` or ``station:ID``."""

    key: str
    name: str
    channels: tuple[Channel, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a centre is, for those who have to go there."""

    region: str
    address: str
    phone: str


@dataclass(frozen=True, slots=True)
class NewOutboxRow:
    """Something to tell one recipient by one channel, once: unique in about, occasion, recipient, medium, repetition.

    ``about`` is ``incident:ULID`` or another subject of at most 80 ASCII characters. Without a ``channel`` there is no
    way to tell it, and the row is ``failed`` with that ``reason``.
    """

    id: Ulid
    about: str
    incident_id: Ulid | None
    centre_id: int
    occasion: Occasion
    recipient: str
    channel: Channel | None
    subject: str
    body: str
    due_at: datetime
    repetition: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class OutboxListing:
    """A row of the outbox as people look at it. ``name`` is the recipient's, empty where there is nobody."""

    id: Ulid
    centre: str
    number: int | None
    occasion: Occasion
    name: str
    medium: Medium | None
    repetition: int
    state: OutboxState
    reason: str
    subject: str
    due_at: datetime
    updated_at: datetime


class Outbox(ABC):
    """Rows of the outbox, and those whom they are for."""

    @abstractmethod
    def recipients(self, audience: Audience, centre_id: int) -> Sequence[Recipient]:
        """Everybody of the audience who is in charge of the centre and not disabled, with their channels.

        The police station is the one of the smallest region around the centre that has one.
        """

    @abstractmethod
    def place(self, centre_id: int) -> Place:
        """Where the centre is."""

    @abstractmethod
    def withheld(self, incident_id: Ulid) -> bool:
        """Whether the incident is hidden from the centre's director."""

    @abstractmethod
    def add(self, row: NewOutboxRow, now: datetime) -> None:
        """Keep a row; one that tells the same to the same is left alone."""

    @abstractmethod
    def listing(self, states: Sequence[OutboxState], limit: int) -> Sequence[OutboxListing]:
        """Rows in these states, the latest first."""


class PoliceReports(ABC):
    """Reports to police stations: one an incident."""

    @abstractmethod
    def add(self, incident_id: Ulid, station: int | None, now: datetime) -> None:
        """Keep a report ``before_dispatch``; one that is there is left alone. ``station`` None: none is in charge."""

    @abstractmethod
    def move(self, incident_id: Ulid, status: PoliceReportStatus, now: datetime) -> None:
        """Set how far the police are; an incident without a report has nothing to set."""
