"""Requests and replies of the chatbot's web interface, and what is refused before anybody looks at a question."""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import urlsplit

from uriai.service.asked import Chat
from uriai.service.converse import Conversation
from uriai.service.ports.chat import People
from uriai.service.ports.dialogues import Deliveries, Dialogues
from uriai.service.ports.later import Later
from uriai.service.ports.subscriptions import Subscriptions
from uriai.settings import is_loopback

LARGEST_BODY = 64 * 1024
"""Bytes. A question has at most a thousand characters; the rest is what a platform wraps it in."""


class BadRequestError(Exception):
    """A body that is no question; the message says why in words that may be sent back."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What is answered: a status, a JSON object (None: an empty body) and headers."""

    status: int
    body: Mapping[str, Any] | None
    headers: Mapping[str, str] = field(default_factory=dict)
    note: Mapping[str, object] = field(default_factory=dict)
    """What may be logged of it: nothing that tells who asked what."""
    page: str = ""
    """HTML instead of a JSON object."""
    unfinished: bool = False
    """Whether work on it goes on in another thread, with this desk's database: nobody else may use that any more."""


@dataclass(frozen=True, slots=True)
class KakaoSecrets:
    """What Kakao's requests have to carry. An empty secret or no bot lets nobody in."""

    header_secret: str = field(repr=False)
    bot_ids: frozenset[str]


@dataclass(frozen=True, slots=True)
class SlackSecrets:
    """What Slack signs its requests with. Empty lets nobody in."""

    signing_secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class TelegramSecrets:
    """What Telegram's requests carry in a header. Empty lets nobody in."""

    header_secret: str = field(repr=False)


class PictureLinks(Protocol):
    """Makes short-lived addresses of objects."""

    def presign(self, key: str, seconds: int) -> str:
        """An address that shows the object for that many seconds."""


@dataclass(frozen=True, slots=True)
class Desk:
    """Everything that the web interface needs; what is costly to load is made when asked for."""

    people: People
    chat: Chat
    pictures: Callable[[], PictureLinks]
    dialogues: Dialogues
    deliveries: Deliveries
    subscriptions: Subscriptions
    later: Callable[[], Later]
    kakao: Callable[[], KakaoSecrets]
    slack: Callable[[], SlackSecrets]
    telegram: Callable[[], TelegramSecrets]
    base_url: str = ""
    """Where links point to; empty: to where the request came in."""
    local: bool = False
    """Whether the cloud is on this machine, so that a platform may be as well."""

    @property
    def conversation(self) -> Conversation:
        """What a turn of a conversation needs."""
        return Conversation(self.people, self.chat, self.dialogues, self.subscriptions)


@dataclass(frozen=True, slots=True)
class Arrival:
    """How a request came in: at which address, and how many seconds of the platform's patience are gone."""

    base_url: str = ""
    waited_s: float = 0.0


UNAUTHORIZED = Reply(401, {"message": "Unauthorized"})
NOT_FOUND = Reply(404, {"message": "Not Found"}, {"Cache-Control": "no-store"})


def bad_request(error: BadRequestError) -> Reply:
    """400 with the reason."""
    return Reply(400, {"message": str(error)})


def same_secret(presented: object, expected: str) -> bool:
    """Compare in constant time; an empty expected secret matches nothing."""
    given = presented.encode("utf-8", "surrogatepass") if isinstance(presented, str) else b""
    return hmac.compare_digest(given, expected.encode()) and expected != ""


def json_object(body: bytes) -> dict[str, Any]:
    """Read a body that has to be one JSON object.

    Raises
    ------
    BadRequestError
        If it is too large, not UTF-8, not JSON, nested beyond reason, or something else than an object.
    """
    if len(body) > LARGEST_BODY:
        raise BadRequestError(f"the body has to be at most {LARGEST_BODY} bytes")
    try:
        value = json.loads(body.decode("utf-8"), parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise BadRequestError("the body has to be a JSON object in UTF-8") from error
    if not isinstance(value, dict):
        raise BadRequestError("the body has to be a JSON object")
    return value


def text_field(value: object, name: str, *, longest: int) -> str:
    """A text that can be stored and sent.

    Raises
    ------
    BadRequestError
        If it is no text, too long, or holds half a character.
    """
    if not isinstance(value, str):
        raise BadRequestError(f"{name} has to be a text")
    if len(value) > longest:
        raise BadRequestError(f"{name} has to have at most {longest} characters")
    try:
        value.encode("utf-8")
    except UnicodeEncodeError as error:
        raise BadRequestError(f"{name} has to be valid Unicode") from error
    return value


def shortened(text: str, limit: int) -> str:
    """At most ``limit`` characters; a long text ends at a line's end where there is one."""
    if len(text) <= limit:
        return text
    line = text.rfind("\n", limit // 2, limit - 1)
    return text[: line if line > 0 else limit - 1].rstrip() + "…"


def address_on(url: str, hosts: frozenset[str], *, local: bool) -> str:
    """``url`` if it is on one of the hosts, or on this machine where ``local`` allows that; else the empty text."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return ""
    theirs = parts.scheme == "https" and parts.hostname in hosts and port in (None, 443) and "@" not in parts.netloc
    ours = local and parts.scheme == "http" and is_loopback(parts.hostname or "")
    return url if theirs or ours else ""


def _no_constant(name: str) -> object:
    raise ValueError(f"{name} is not JSON")
