"""Sending messages as services see it: the queues to `notify`, the receipts of what was sent, the messengers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from uriai.domain.telling import Medium
from uriai.domain.ulid import Ulid


@dataclass(frozen=True, slots=True)
class Message:
    """A message as it goes out: nothing is looked up any more. ``id`` is the same however often it is queued."""

    id: Ulid
    medium: Medium
    address: str
    subject: str
    body: str


@dataclass(frozen=True, slots=True)
class Reply(Message):
    """The answer to a question, in the platform's own form; after ``until`` nobody waits for it any more.

    ``content`` is a JSON object. It goes to ``url``, which the platform gave with the question, or, where that is
    empty, to ``address`` by the platform's API.
    """

    content: str
    url: str
    until: datetime


class ReceiptState(StrEnum):
    """What is known of a message's sending.

    ``sending``: somebody began; ``trying``: it failed, and will be tried again; ``sent``; ``refused`` for good.
    """

    SENDING = "sending"
    TRYING = "trying"
    SENT = "sent"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Receipt:
    """The last word on a message. ``version`` is what the store calls this state of it; ``reason`` names no person."""

    state: ReceiptState
    at: datetime
    reason: str = ""
    version: str = ""

    @property
    def settled(self) -> bool:
        """Whether nothing more is to be done for the message."""
        return self.state in (ReceiptState.SENT, ReceiptState.REFUSED)


class ReceiptChangedError(Exception):
    """Somebody else wrote the message's receipt in between: they are sending it."""


class Receipts(ABC):
    """One receipt a message, written only over what the writer has read: two writers never both believe they won."""

    @abstractmethod
    def find(self, message_id: Ulid) -> Receipt | None:
        """The message's receipt, None if nobody began to send it."""

    @abstractmethod
    def write(self, message_id: Ulid, receipt: Receipt, *, over: Receipt | None) -> Receipt:
        """Keep the receipt in place of ``over`` (None: of none); as kept, with its version.

        Raises
        ------
        ReceiptChangedError
            If what is kept is not ``over`` any more.
        """


class MessengerError(Exception):
    """A message was not sent. The text says why and holds neither an address nor a secret."""


class RefusedError(MessengerError):
    """It will never be taken: an address that does not exist, a person who blocked us."""


class TryAgainError(MessengerError):
    """It may be taken later; ``after_s``: not before so many seconds, where the platform said so."""

    def __init__(self, reason: str, after_s: float | None = None) -> None:
        super().__init__(reason)
        self.after_s = after_s


class Messenger(ABC):
    """One platform."""

    @abstractmethod
    def send(self, message: Message) -> None:
        """Send it.

        Raises
        ------
        RefusedError, TryAgainError
            If it was not taken.
        """


@dataclass(frozen=True, slots=True)
class GivenUp:
    """A message that `notify` could not send in all its attempts; ``handle`` is the queue's."""

    message_id: Ulid
    medium: Medium
    handle: str


class MessageQueues(ABC):
    """A queue to `notify` for each medium, and what `notify` gave up."""

    @abstractmethod
    def put(self, message: Message) -> None:
        """Queue it."""

    @abstractmethod
    def given_up(self) -> Sequence[GivenUp]:
        """Some of what was given up; empty when there is no more. What is not forgotten comes again."""

    @abstractmethod
    def forget(self, one: GivenUp) -> None:
        """It is on file that it was given up."""
