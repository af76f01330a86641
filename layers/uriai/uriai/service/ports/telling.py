"""What telling people needs of the database, inside the transaction in which there is something to tell."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from uriai.domain.centre import Centre
from uriai.domain.person import Language
from uriai.domain.record import Trouble
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


@dataclass(frozen=True, slots=True)
class UntoldHole:
    """A hole in a camera's coverage that nobody was told of; ``about`` is its key. ``ended_at`` None: it goes on."""

    about: str
    centre: Centre
    camera_number: int
    began_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class UntoldTrouble:
    """What is wrong with a gateway's records of one day and nobody was told of; ``about`` is its key.

    ``count`` records between ``since`` and ``until``, None where it goes on.
    """

    about: str
    centre: Centre
    gateway: str
    trouble: Trouble
    count: int
    since: datetime
    until: datetime | None


NOT_IN_CHARGE = "whose it was is no longer in charge of the centre"
"""Why a row is overtaken whose recipient's role or scope has changed since it was written."""


@dataclass(frozen=True, slots=True)
class DueRow:
    """A row with how its recipient is reached now. ``first_subject`` is that of what it repeats, or its own.

    ``unreachable`` says why it cannot be sent any more, empty if it can; ``overtaken`` why it is not to be told to
    them any more, whether or not it could be: their scope is asked again whenever something is about to be sent.
    """

    id: Ulid
    about: str
    incident_id: Ulid | None
    centre_id: int
    occasion: Occasion
    recipient: str
    repetition: int
    subject: str
    first_subject: str
    body: str
    channel_id: int
    medium: Medium
    address: str
    language: Language
    unreachable: str
    overtaken: str

    @property
    def to_station(self) -> bool:
        """Whether it is for a police station."""
        return self.recipient.startswith("station:")


@dataclass(frozen=True, slots=True)
class QueuedMessage:
    """A message that was queued for `notify`, and when."""

    message_id: Ulid
    queued_at: datetime


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
    def untold_holes(self, found_since: datetime, limit: int) -> Sequence[UntoldHole]:
        """Holes in coverage found since then, not filled, that are in nobody's row yet; the oldest first.

        A part of a hole that people were told of is none of its own.
        """

    @abstractmethod
    def untold_troubles(self, found_since: datetime, limit: int) -> Sequence[UntoldTrouble]:
        """What is wrong with records of gateways in force and stands in nobody's row yet, the oldest first.

        One a gateway, kind and day (UTC), however many records; a wrong clock until it is right again.
        """

    @abstractmethod
    def add(self, row: NewOutboxRow, now: datetime) -> None:
        """Keep a row; one that tells the same to the same is left alone."""

    @abstractmethod
    def listing(self, states: Sequence[OutboxState], limit: int) -> Sequence[OutboxListing]:
        """Rows in these states, the latest first."""

    @abstractmethod
    def retry(self, row_id: Ulid, now: datetime) -> bool:
        """Make a ``failed`` row that has a channel due again, in a message of its own; whether there was one."""


class Outgoing(ABC):
    """Rows of the outbox on their way out."""

    @abstractmethod
    def overtake(self, now: datetime) -> None:
        """Mark what became pointless: pages and reviews of decided or merged incidents, what is withheld by now."""

    @abstractmethod
    def hold_back(self, now: datetime, claim_lasts: timedelta) -> None:
        """Put the pages of incidents that somebody has taken off to the end of the claim."""

    @abstractmethod
    def due(self, now: datetime, limit: int) -> Sequence[DueRow]:
        """Rows that are due and in no message yet, the most urgent first; locked, those locked by others left out."""

    @abstractmethod
    def fix(self, message_id: Ulid, row_ids: Sequence[Ulid]) -> None:
        """Make the rows one message."""

    @abstractmethod
    def fixed(self, now: datetime, limit: int) -> Sequence[Ulid]:
        """Messages that are due and not queued, the most urgent first."""

    @abstractmethod
    def content(self, message_id: Ulid, state: OutboxState) -> Sequence[DueRow]:
        """Rows of a message in that state; locked, those locked by others left out."""

    @abstractmethod
    def mark_queued(self, message_id: Ulid, now: datetime) -> None:
        """Note that the message was queued; ``due_at`` becomes when, which tells how long it has been under way."""

    @abstractmethod
    def drop(self, row_id: Ulid, reason: str, now: datetime) -> None:
        """Mark a ``waiting`` row as ``overtaken``."""

    @abstractmethod
    def settle(self, message_id: Ulid, state: OutboxState, reason: str, now: datetime) -> None:
        """Set the state of a message's rows that are ``waiting`` or ``queued``."""

    @abstractmethod
    def repeat(
        self, row_id: Ulid, new_id: Ulid, repetition: int, subject: str, due_at: datetime, now: datetime
    ) -> None:
        """Keep a row like another, to be told later; one of that repetition is left alone."""

    @abstractmethod
    def queued(self, now: datetime, limit: int) -> Sequence[QueuedMessage]:
        """Queued messages, those first that were looked at longest ago; they count as looked at now."""

    @abstractmethod
    def requeue(self, message_id: Ulid, now: datetime) -> None:
        """Make a queued message due again, the same one."""


@dataclass(frozen=True, slots=True)
class Claim:
    """Who has taken an incident that waits for a decision, and when."""

    taken_by: str
    taken_at: datetime


class Claims(ABC):
    """Who has taken which incident."""

    @abstractmethod
    def take(self, incident_id: Ulid, claim: Claim, *, lapsed_before: datetime) -> Claim:
        """Keep the claim unless another holds one that has not lapsed; the claim that stands now."""


class PoliceReports(ABC):
    """Reports to police stations: one an incident."""

    @abstractmethod
    def add(self, incident_id: Ulid, station: int | None, now: datetime) -> None:
        """Keep a report ``before_dispatch``; one that is there is left alone. ``station`` None: none is in charge."""

    @abstractmethod
    def move(self, incident_id: Ulid, status: PoliceReportStatus, now: datetime) -> None:
        """Set how far the police are; an incident without a report has nothing to set."""
