"""ULIDs, as github.com/ulid/spec has them: 48 bits of milliseconds, 80 random bits, 26 Crockford base-32 characters.

They name clips and records. Their order means nothing to the evidence (``seq`` does), but within one process they never
go backwards, so that a listing of a folder reads in the order of making even when the clock was set back.
"""

from __future__ import annotations

import re
import secrets
import threading
from datetime import UTC, datetime

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_PATTERN = re.compile(r"[0-7][0-9A-HJKMNP-TV-Z]{25}")
_RANDOM_BITS = 80

_lock = threading.Lock()
_last = 0


def encode(number: int) -> str:
    """Write a 128-bit ``number`` as 26 upper-case Crockford characters."""
    if not 0 <= number < 1 << 128:
        raise ValueError("a ULID has 128 bits")
    characters = []
    for _ in range(26):
        number, digit = divmod(number, 32)
        characters.append(_ALPHABET[digit])
    return "".join(reversed(characters))


def new(now: datetime | None = None) -> str:
    """Make a ULID for the aware instant ``now`` (default: this one), larger than every one made before here."""
    global _last  # noqa: PLW0603 - one generator per process is the point
    milliseconds = int((now or datetime.now(UTC)).timestamp() * 1000)
    candidate = (milliseconds << _RANDOM_BITS) | secrets.randbits(_RANDOM_BITS)
    with _lock:
        # The clock may stand still or be set back; stepping the last one keeps the order.
        _last = candidate if candidate > _last else _last + 1
        return encode(_last)


def is_ulid(text: str) -> bool:
    """Whether ``text`` is a ULID in its 26-character upper-case form."""
    return _PATTERN.fullmatch(text) is not None
