"""Making and opening one-time links to masked pictures and masked copies."""

from __future__ import annotations

import secrets
from datetime import timedelta

from uriai.domain.person import Person
from uriai.domain.ulid import Ulid
from uriai.service.enrol_person import TOKEN_BYTES, hash_of
from uriai.service.ports.chat import Links
from uriai.service.ports.clock import Clock

LINK_LASTS = timedelta(hours=24)


def make_link(
    evidence_id: Ulid, person: Person, links: Links, clock: Clock, base_url: str, *, by_hand: bool = False
) -> str:
    """A link that shows the picture once, within a day; opening it is audited as the person's.

    ``by_hand``: as in `address_of`.
    """
    token, now = new_token(), clock.now()
    links.add(hash_of(token), evidence_id, person, now, now + LINK_LASTS)
    return address_of(token, base_url, by_hand=by_hand)


def new_token() -> str:
    """What a link is known by; only its hash is ever kept."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def address_of(token: str, base_url: str, *, by_hand: bool) -> str:
    """What opens a link.

    ``by_hand``: it leads to a page with a button, which whoever only looks ahead does not press. Without it, it is for
    a platform that shows the picture itself.
    """
    return f"{base_url.rstrip('/')}/v1/evidence/{token}{'/open' if by_hand else ''}"


def open_evidence(token: str, links: Links, clock: Clock) -> str | None:
    """The object key behind a link, the first time it is opened; None ever after."""
    return links.use(hash_of(token), clock.now())
