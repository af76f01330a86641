"""Letting a gateway enter its own key: an operator draws a token, the device proves that the key is its own."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, field
from datetime import timedelta

from uriai.service.ports.clips import SignatureChecker
from uriai.service.ports.clock import Clock
from uriai.service.ports.invitations import Invitations, Outcome

TOKEN_BYTES = 32
TOKEN_LASTS = timedelta(hours=24)

WINDOW = timedelta(minutes=10)
MOST_OF_ONE = 10
MOST_OF_ALL = 300
"""Refusals within the window after which one address, or everybody, is told to wait. The token needs no such guard, it
cannot be guessed: the database does."""


class TooManyRefusalsError(Exception):
    """Somebody tries tokens; whoever has a good one may come again in ten minutes."""


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What a device sends: its name, the token it was given, its public key (32 bytes) and a signature (64 bytes)."""

    gateway_id: str
    token: str = field(repr=False)
    public_key: bytes
    signature: bytes


def new_invitation() -> tuple[str, bytes]:
    """A token to hand over, and the hash to keep."""
    token = secrets.token_urlsafe(TOKEN_BYTES)
    return token, hash_of(token)


def hash_of(token: str) -> bytes:
    """SHA-256. A fast hash will do for secrets that are drawn and not chosen."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def message_of(gateway_id: str, token: str) -> bytes:
    """What the device signs: whoever has only seen the token cannot enter somebody else's key with it."""
    return b"uriai-enrol-v1\n" + gateway_id.encode() + b"\n" + token.encode("utf-8", "surrogatepass")


def enrol_gateway(
    asked: Enrolment, source: str, invitations: Invitations, signatures: SignatureChecker, clock: Clock
) -> Outcome:
    """Enter the device's key if its token is good and it holds the private half; ``source`` is its network address.

    Raises
    ------
    TooManyRefusalsError
        If too many were refused lately.
    """
    now = clock.now()
    address = hashlib.sha256(source.encode()).digest()
    of_one, of_all = invitations.failures_since(address, now - WINDOW)
    if of_one >= MOST_OF_ONE or of_all >= MOST_OF_ALL:
        raise TooManyRefusalsError
    holds = signatures.signed_by(asked.public_key, asked.signature, message_of(asked.gateway_id, asked.token))
    outcome = Outcome.REFUSED
    if holds:
        outcome = invitations.use(hash_of(asked.token), asked.gateway_id, asked.public_key, now)
    if outcome is Outcome.REFUSED:
        invitations.note_failure(address, now)
    return outcome
