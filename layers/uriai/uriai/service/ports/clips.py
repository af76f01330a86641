"""Where clips lie and who signed them, as services see it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path


class ClipMissingError(Exception):
    """There is no object of that key: it was deleted before it was read."""


class ClipTooLargeError(Exception):
    """The object has more bytes than may be read to the function's disk."""


@dataclass(frozen=True, slots=True)
class FetchedClip:
    """A clip as it was read. ``sha256`` is of the bytes in ``path``; ``arrived_at`` is the store's time, aware, UTC."""

    path: Path
    sha256: bytes
    size: int
    arrived_at: datetime


@dataclass(frozen=True, slots=True)
class DatedObject:
    """A small object with the store's time of its arrival, aware, UTC."""

    data: bytes
    arrived_at: datetime


class ClipStore(ABC):
    """The bucket of clips and of what is derived from them."""

    @abstractmethod
    def fetch(self, key: str) -> AbstractContextManager[FetchedClip]:
        """Read a clip to a file that is gone when the block ends.

        Raises
        ------
        ClipMissingError
            If there is no such object.
        ClipTooLargeError
            If it is larger than a clip can be.
        """

    @abstractmethod
    def read_small(self, key: str, *, limit: int) -> bytes | None:
        """The bytes of a small object (a manifest, a signature), None if there is none.

        Of an object larger than ``limit`` bytes the first ``limit`` + 1 are given, which no check accepts.
        """

    @abstractmethod
    def read_dated(self, key: str, *, limit: int) -> DatedObject | None:
        """As `read_small`, with when the object arrived."""

    @abstractmethod
    def put(self, key: str, data: bytes, *, content_type: str) -> None:
        """Write a derived object; the same bytes under the same key may be written again."""


class SignatureChecker(ABC):
    """Ed25519."""

    @abstractmethod
    def signed_by(self, public_key: bytes, signature: bytes, message: bytes) -> bool:
        """Whether ``signature`` (64 bytes) is ``public_key``'s (32 bytes) over exactly ``message``."""
