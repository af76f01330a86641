"""Masked copies that were asked for: their rows, the queue to `mask`, and where the copies lie."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from uriai.domain.centre import Centre
from uriai.domain.person import Person
from uriai.domain.ulid import Ulid
from uriai.service.ports.telling import Channel

RETRIES_EXHAUSTED = "retries_exhausted"
"""Reason code after the last attempt: asking again tries again. Any other will never change."""
CLIP_DELETED, OBJECT_MISSING, ALTERED = "clip_deleted", "object_missing", "altered"
"""Reason codes of copies that there will never be; the others are those of `ClipFault`."""


class CopyState(StrEnum):
    """Where a masked copy stands."""

    WAITING = "waiting"
    READY = "ready"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class CopyOf:
    """A clip of an incident, and the finding whose masked copy it gets. ``shown_at`` aware; ``deleted``: it goes."""

    finding_id: Ulid
    clip_id: Ulid
    shown_at: datetime
    deleted: bool


@dataclass(frozen=True, slots=True)
class StoredCopy:
    """A row. ``queued_at`` is None where its job may not have got into the queue; ``reason_code`` of a failed one."""

    finding_id: Ulid
    clip_id: Ulid
    state: CopyState
    reason_code: str | None
    queued_at: datetime | None

    @property
    def settled(self) -> bool:
        """Whether there is nothing left to be done."""
        return self.state is CopyState.READY or (
            self.state is CopyState.FAILED and self.reason_code != RETRIES_EXHAUSTED
        )


@dataclass(frozen=True, slots=True)
class CopyJob:
    """What making a copy starts from. ``sha256`` (32 bytes) is the original's, by its row of evidence."""

    copy: StoredCopy
    camera_id: int
    object_key: str
    sha256: bytes
    shown_at: datetime


@dataclass(frozen=True, slots=True)
class Wish:
    """Somebody who waits to be told, and of which incident; ``channels`` is how they are reached, by now."""

    person: Person
    base_url: str
    incident_id: Ulid
    number: int
    centre: Centre
    channels: tuple[Channel, ...]


class MaskedCopies(ABC):
    """Rows of masked copies, inside one transaction."""

    @abstractmethod
    def of_incident(self, person: Person, incident_id: Ulid) -> Sequence[CopyOf]:
        """The clips of an incident in the person's scope, by time: none where there is no such incident.

        Of several findings of one clip that one stands for it which has a copy already, else the surest.
        """

    @abstractmethod
    def claim(self, copy: CopyOf, now: datetime) -> StoredCopy:
        """Make the row, or give the one that stands there; locked."""

    @abstractmethod
    def retry(self, finding_id: Ulid, now: datetime) -> None:
        """Have a failed copy wait again."""

    @abstractmethod
    def wish(self, finding_id: Ulid, person: Person, base_url: str, now: datetime) -> None:
        """Keep who wants to be told."""

    @abstractmethod
    def reachable(self, person: Person) -> bool:
        """Whether there is a channel by which the person can be told."""

    @abstractmethod
    def mark_queued(self, finding_id: Ulid, now: datetime) -> None:
        """Note that the job is in the queue."""

    @abstractmethod
    def job(self, finding_id: Ulid) -> CopyJob | None:
        """What making the copy starts from; None if nobody asked for it or there is no original."""

    @abstractmethod
    def lock(self, finding_id: Ulid) -> StoredCopy | None:
        """The row, locked."""

    @abstractmethod
    def note(self, finding_id: Ulid, reason: str, now: datetime) -> None:
        """Keep what went wrong with an attempt that will be repeated."""

    @abstractmethod
    def noted(self, finding_id: Ulid) -> str:
        """What went wrong with the last attempt; empty if it left no word."""

    @abstractmethod
    def make_ready(self, finding_id: Ulid, to_look_at: int, now: datetime) -> None:
        """Note that the copy is there; ``to_look_at`` frames of it should be looked at."""

    @abstractmethod
    def fail(self, finding_id: Ulid, reason_code: str, reason: str, now: datetime) -> None:
        """Note that there will be none."""

    @abstractmethod
    def wishes(self, finding_id: Ulid) -> Sequence[Wish]:
        """Who waits to be told and was not, those left out who may not ask any more."""

    @abstractmethod
    def told(self, finding_id: Ulid, now: datetime) -> None:
        """Note that all of them are."""

    @abstractmethod
    def add_link(
        self, token_hash: bytes, evidence_id: Ulid, person: Person, now: datetime, expires_at: datetime
    ) -> None:
        """Keep a one-time link, as `Links.add` does, in this transaction."""


class MaskQueue(ABC):
    """The queue to `mask`."""

    @abstractmethod
    def put(self, finding_id: Ulid) -> None:
        """Queue the making of a finding's masked copy; a second time does no harm."""


class CopyStore(ABC):
    """Where copies lie."""

    @abstractmethod
    def keep(self, key: str, path: Path, *, content_type: str) -> bytes:
        """Write a file under a key under which nothing lies; SHA-256 (32 bytes) of what lies there now.

        What another attempt has written stays: no copy that somebody may have seen is ever replaced.
        """
