"""ULIDs: 48 bits of milliseconds and 80 random bits, written as 26 Crockford base-32 characters (ulid/spec)."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_VALUES = {character: value for value, character in enumerate(_ALPHABET)}
_PATTERN = re.compile(r"[0-7][0-9A-HJKMNP-TV-Z]{25}")


@dataclass(frozen=True, slots=True, order=True)
class Ulid:
    """A ULID as its 16 bytes; sorts by time of making, which says nothing about the order of records (``seq`` does)."""

    value: bytes

    def __post_init__(self) -> None:
        if len(self.value) != 16:
            raise ValueError(f"a ULID has 16 bytes, not {len(self.value)}")

    @classmethod
    def new(cls, now: datetime) -> Ulid:
        """Make one for the aware instant ``now``."""
        milliseconds = int(now.timestamp() * 1000)
        return cls(milliseconds.to_bytes(6, "big") + secrets.token_bytes(10))

    @classmethod
    def parse(cls, text: str) -> Ulid:
        """Read the 26-character upper-case form.

        Raises
        ------
        ValueError
            If ``text`` is anything else.
        """
        if not _PATTERN.fullmatch(text):
            raise ValueError(f"not a ULID: {text[:40]!r}")
        number = 0
        for character in text:
            number = number * 32 + _VALUES[character]
        return cls(number.to_bytes(16, "big"))

    @property
    def made_at(self) -> datetime:
        """The instant in its first 48 bits, aware, UTC."""
        return datetime.fromtimestamp(int.from_bytes(self.value[:6], "big") / 1000, UTC)

    def __str__(self) -> str:
        number = int.from_bytes(self.value, "big")
        characters = []
        for _ in range(26):
            number, digit = divmod(number, 32)
            characters.append(_ALPHABET[digit])
        return "".join(reversed(characters))
