"""Letting somebody ask: a bearer token for programs, a one-time code for a chat."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from uriai.domain.person import Person, Platform
from uriai.service.ports.chat import NewPerson, People
from uriai.service.ports.clock import Clock

TOKEN_BYTES = 32
CODE_LASTS = timedelta(days=7)
_LETTERS = "ABCDEFGHJKMNPQRSTVWXYZ"
_FIGURES = "0123456789"


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a person is given, shown once and kept nowhere: the bearer token and the enrolment code."""

    person: Person
    token: str
    code: str
    code_expires_at: datetime

    def __repr__(self) -> str:
        return f"Credentials(person={self.person!r})"


def enrol_person(new: NewPerson, people: People, clock: Clock, actor: str) -> Credentials:
    """Enter somebody and draw their token and code.

    Raises
    ------
    PersonExistsError
        If the name is taken.
    """
    now = clock.now()
    person = people.add(new, actor, now)
    return Credentials(person, new_token(person, people, clock, actor), *new_code(person, people, clock, actor))


def new_token(person: Person, people: People, clock: Clock, actor: str) -> str:
    """Draw a 256-bit bearer token; older ones stop working."""
    token = secrets.token_urlsafe(TOKEN_BYTES)
    people.add_token(person, hash_of(token), actor, clock.now())
    return token


def new_code(person: Person, people: People, clock: Clock, actor: str) -> tuple[str, datetime]:
    """Draw an enrolment code of about 48 bits to type into a chat once, and when it expires."""
    expires_at = clock.now() + CODE_LASTS
    code = _draw_code()
    people.add_code(person, hash_of(code), expires_at, actor, clock.now())
    return code, expires_at


def enrol_chat(code: str, platform: Platform, platform_user: str, people: People, clock: Clock) -> Person | None:
    """Bind a chat to whoever was given ``code``; None if it is unknown, used or expired."""
    return people.use_code(hash_of(code.strip().upper()), platform, platform_user, clock.now())


def person_of_token(token: str, people: People) -> Person | None:
    """Whose bearer token it is. The same work is done whatever is presented."""
    return people.by_token(hash_of(token))


def hash_of(secret: str) -> bytes:
    """SHA-256. A fast hash will do for secrets that are drawn and not chosen."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


def _draw_code() -> str:
    """Five and five characters, the first a letter, at least two figures: so that no word looks like one."""
    while True:
        characters = [secrets.choice(_LETTERS), *(secrets.choice(_LETTERS + _FIGURES) for _ in range(9))]
        if sum(character in _FIGURES for character in characters) >= 2:
            return "".join(characters[:5]) + "-" + "".join(characters[5:])
