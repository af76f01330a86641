"""Questions that take longer than a platform waits: queued for `answer`, which sends the answer after them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import datetime

from uriai.domain.person import Platform
from uriai.service.ports.messaging import Reply


@dataclass(frozen=True, slots=True)
class Job:
    """A question to be answered later, and where the answer goes.

    ``key`` is the platform's own id of the delivery; ``url`` what it gave to answer to, empty where ``address`` is to
    be written to by its API; after ``until`` nobody waits for it any more.
    """

    platform: Platform
    user: str
    text: str
    base_url: str
    key: str
    url: str
    address: str
    until: datetime


class Later(ABC):
    """The queue to `answer`."""

    @abstractmethod
    def put(self, job: Job) -> None:
        """Queue a question."""


class Replies(ABC):
    """The queue of answers to `notify`."""

    @abstractmethod
    def put(self, reply: Reply) -> None:
        """Queue an answer."""
