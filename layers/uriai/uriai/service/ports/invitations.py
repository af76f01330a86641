"""What letting a gateway enter its own key needs of the database."""

from __future__ import annotations

from abc import ABC, abstractmethod
from datetime import datetime
from enum import StrEnum


class Outcome(StrEnum):
    """What became of a gateway's request to enter its key."""

    ENTERED = "entered"
    REFUSED = "refused"
    REVOKED_KEY = "revoked_key"


class Invitations(ABC):
    """One-time invitations, kept as SHA-256, and how often somebody came without a good one."""

    @abstractmethod
    def use(self, token_hash: bytes, gateway_id: str, public_key: bytes, now: datetime) -> Outcome:
        """Enter the key of the gateway that the token was given for, once.

        ``REFUSED`` if the token is unknown, expired, another gateway's, or was used with another key; ``REVOKED_KEY``
        if that key of the gateway was revoked. The same request again, as after a lost answer, is ``ENTERED`` again.
        """

    @abstractmethod
    def failures_since(self, source: bytes, since: datetime) -> tuple[int, int]:
        """How often ``source`` (32 bytes), and how often anybody, was refused since an instant."""

    @abstractmethod
    def note_failure(self, source: bytes, now: datetime) -> None:
        """Count a refusal."""
