"""Telegram: updates of a bot's webhook in, a sendMessage in the answer's body.

Requests carry the secret that the webhook was set with in a header. The bot talks in private chats only: in a group
everybody would read what only one may see.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from uriai.adapters.chat.http import (
    LARGEST_BODY,
    UNAUTHORIZED,
    Arrival,
    BadRequestError,
    Desk,
    Reply,
    bad_request,
    json_object,
    same_secret,
    shortened,
    text_field,
)
from uriai.adapters.chat.turns import Form, answer_in_time
from uriai.domain.person import Platform
from uriai.service.converse import TAP, Spoken, tap_key
from uriai.service.dialogue import Answer
from uriai.service.ports.later import Job
from uriai.service.texts import in_both_languages, say

LIMIT_S = 5.0
"""Telegram names no limit, but shows nothing while it waits; what takes longer is sent after the question."""
WAITED_FOR = timedelta(minutes=30)
TEXT_LIMIT = 4096
LABEL_LIMIT = 60
BUTTONS = 8
DATA_BYTES = 64


@dataclass(frozen=True, slots=True)
class Incoming:
    """A message, or a press of a button, of a private chat."""

    key: str
    chat: int
    text: str


def webhook(desk: Desk, secret: str | None, body: bytes, arrival: Arrival) -> Reply:
    """Answer an update; 401 and nothing else without the secret."""
    if not same_secret(secret, desk.telegram().header_secret):
        return UNAUTHORIZED
    try:
        incoming = read(body)
    except BadRequestError as error:
        return bad_request(error)
    if incoming is None:
        return Reply(200, None, note={"ignored": True})
    chat = str(incoming.chat)
    spoken = Spoken(Platform.TELEGRAM, chat, incoming.text, desk.base_url or arrival.base_url)
    until = desk.chat.clock.now() + WAITED_FOR
    job = Job(spoken.platform, chat, spoken.text, spoken.base_url, incoming.key, "", chat, until)
    form = Form(
        LIMIT_S,
        lambda turn: {"method": "sendMessage", "chat_id": incoming.chat, **write(turn.answer)},
        lambda: None,
        lambda: {"method": "sendMessage", "chat_id": incoming.chat, "text": in_both_languages("answer_slow")},
    )
    return answer_in_time(desk, spoken, incoming.key, arrival, form, job)


def read(body: bytes) -> Incoming | None:
    """Read an update; None for what is no text or button of a person's own chat.

    Raises
    ------
    BadRequestError
        If it is no update.
    """
    sent = json_object(body)
    key = sent.get("update_id")
    if not isinstance(key, int) or isinstance(key, bool) or not 0 <= key < 2**63:
        raise BadRequestError("update_id has to be a whole number")
    pressed = sent.get("callback_query")
    message = pressed.get("message") if isinstance(pressed, Mapping) else sent.get("message")
    text = pressed.get("data") if isinstance(pressed, Mapping) else _of(message, "text")
    chat, sender = _of(message, "chat"), _of(pressed if isinstance(pressed, Mapping) else message, "from")
    number = _of(chat, "id")
    if _of(chat, "type") != "private" or _of(sender, "is_bot") or text is None:
        return None
    # in a private chat the chat is the person; somebody else's button would be another chat's
    if not isinstance(number, int) or isinstance(number, bool) or abs(number) >= 2**63 or _of(sender, "id") != number:
        return None
    return Incoming(str(key), number, _command(text_field(text, "text", longest=LARGEST_BODY)))


def write(answer: Answer) -> dict[str, Any]:
    """A message: the text, with the first picture below it, links to the pictures, and buttons."""
    rows = [
        [{"text": shortened(f"{say(answer.language, 'open_picture')}: {card.title}", LABEL_LIMIT), "url": card.link}]
        for card in answer.cards
    ]
    rows += [
        [{"text": shortened(offer, LABEL_LIMIT), "callback_data": _data(offer)}]
        for offer in answer.suggestions[:BUTTONS]
    ]
    preview = {"url": answer.cards[0].picture, "prefer_large_media": True} if answer.cards else {"is_disabled": True}
    message: dict[str, Any] = {"text": shortened(answer.text, TEXT_LIMIT), "link_preview_options": preview}
    return message | ({"reply_markup": {"inline_keyboard": rows}} if rows else {})


def later_content(answer: Answer, job: Job) -> dict[str, Any]:
    """What is sent after the question, by the bot's API."""
    return {"chat_id": job.address, **write(answer)}


def _data(offer: str) -> str:
    """The offer itself, or what stands for it where it has more than 64 bytes."""
    return offer if len(offer.encode()) <= DATA_BYTES else TAP + tap_key(offer)


def _command(text: str) -> str:
    """A bot's commands as words: "/start ABC12-34DEF" is a code, "/start" alone a greeting."""
    if not text.startswith("/"):
        return text
    word, _, rest = text[1:].partition(" ")
    return rest or {"start": "hello", "help": "help", "stop": "stop"}.get(word.partition("@")[0], text)


def _of(value: object, name: str) -> Any:
    return value.get(name) if isinstance(value, Mapping) else None
