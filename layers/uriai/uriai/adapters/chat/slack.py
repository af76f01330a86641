"""Slack: a slash command, messages to the app, and buttons, all at one address; answers as blocks.

Every request is signed over its raw body with the app's signing secret. What is answered is for the one who asked: a
command's answer only they see, a message's goes to their own conversation with the app, whichever channel it came from.
"""

from __future__ import annotations

import hashlib
import hmac
import html
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

from uriai.adapters.chat.http import (
    LARGEST_BODY,
    UNAUTHORIZED,
    Arrival,
    BadRequestError,
    Desk,
    Reply,
    address_on,
    bad_request,
    json_object,
    same_secret,
    shortened,
    text_field,
)
from uriai.adapters.chat.turns import Form, answer_in_time
from uriai.domain.person import Platform
from uriai.service.converse import Spoken
from uriai.service.dialogue import Answer
from uriai.service.ports.later import Job
from uriai.service.texts import in_both_languages, say

WINDOW = timedelta(minutes=5)
"""An older request, or one from further in the future, may be a replay."""
LIMIT_S = 2.0
"""Slack waits for three seconds; the rest is for queueing the question where this is not enough."""
RESPONSE_HOST = "hooks.slack.com"
RESPONSE_LASTS = timedelta(minutes=30)
"""How long a response_url is good for; an answer to a message is not waited for longer either."""
LARGEST_FORM = 4 * LARGEST_BODY
"""Bytes. A form writes a letter of Korean with nine."""
TEXT_LIMIT = 3000
LABEL_LIMIT = 75
BUTTONS = 5
VALUE_LIMIT = 2000

_MENTION = re.compile(r"<@[A-Z0-9]{1,40}(?:\|[^>]{0,80})?>")
_ID = re.compile(r"[A-Z0-9]{1,40}")


@dataclass(frozen=True, slots=True)
class Incoming:
    """What a request asks. ``url``: what to answer to, empty for a message; ``at_once``: whether its reply is shown."""

    team: str
    user: str
    text: str
    key: str
    url: str
    at_once: bool


def webhook(desk: Desk, signature: str | None, timestamp: str | None, body: bytes, arrival: Arrival) -> Reply:
    """Answer a command, a message or a button; 401 and nothing else without Slack's signature."""
    now = desk.chat.clock.now()
    if not signed(desk.slack().signing_secret, signature, timestamp, body, now):
        return UNAUTHORIZED
    try:
        if body[:1] == b"{":
            sent = json_object(body)
            if sent.get("type") == "url_verification":
                return Reply(200, {"challenge": text_field(sent.get("challenge"), "challenge", longest=500)})
            incoming = read_event(sent)
        else:
            incoming = read_form(body, local=desk.local)
    except BadRequestError as error:
        return bad_request(error)
    if incoming is None:
        return Reply(200, None, note={"ignored": True})
    spoken = Spoken(
        Platform.SLACK, f"{incoming.team}/{incoming.user}", incoming.text, desk.base_url or arrival.base_url
    )
    key = incoming.key or str(signature)
    job = Job(
        spoken.platform,
        spoken.user,
        spoken.text,
        spoken.base_url,
        key,
        incoming.url,
        incoming.user,
        now + RESPONSE_LASTS,
    )
    if not incoming.at_once:
        desk.later().put(job)
        return Reply(200, None, note={"queued": True})
    form = Form(
        LIMIT_S,
        lambda turn: only_for_them(write(turn.answer)),
        lambda: _plain("answer_later"),
        lambda: _plain("answer_slow"),
    )
    return answer_in_time(desk, spoken, key, arrival, form, job if incoming.url else None)


def signed(secret: str, signature: str | None, timestamp: str | None, body: bytes, now: datetime) -> bool:
    """Whether Slack signed these bytes within the last five minutes. Without a secret nobody did."""
    given = timestamp if isinstance(timestamp, str) and re.fullmatch(r"[0-9]{1,12}", timestamp) else "0"
    base = b"v0:" + given.encode() + b":" + body
    expected = "v0=" + hmac.new(secret.encode(), base, hashlib.sha256).hexdigest()
    fresh = abs(now.timestamp() - int(given)) <= WINDOW.total_seconds()
    # compared whatever the rest says, so that the time taken tells nothing
    return same_secret(signature, expected) and fresh and secret != ""


def read_event(sent: Mapping[str, Any]) -> Incoming | None:
    """A message to the app; None for what is no person's message.

    Raises
    ------
    BadRequestError
        If it is no event.
    """
    event = sent.get("event")
    if sent.get("type") != "event_callback" or not isinstance(event, Mapping):
        raise BadRequestError("the body has to be an event_callback or a url_verification")
    key = text_field(sent.get("event_id"), "event_id", longest=100)
    to_app = event.get("type") == "app_mention" or (event.get("type"), event.get("channel_type")) == ("message", "im")
    # the app's own messages come back as events: answering them would never end
    if not key or not to_app or "bot_id" in event or "subtype" in event:
        return None
    text = text_field(event.get("text"), "event.text", longest=LARGEST_BODY)
    return Incoming(
        _id(sent.get("team_id"), "team_id"), _id(event.get("user"), "event.user"), _plain_text(text), key, "", False
    )


def read_form(body: bytes, *, local: bool) -> Incoming | None:
    """A slash command, or a press of a button; None for another kind of interaction.

    Raises
    ------
    BadRequestError
        If it is neither, too large, or not UTF-8.
    """
    fields = _form(body)
    if "payload" not in fields:
        if "command" not in fields:
            raise BadRequestError("the body has to be a slash command, an interaction or an event")
        return Incoming(
            _id(fields.get("team_id"), "team_id"), _id(fields.get("user_id"), "user_id"),
            _plain_text(fields.get("text", "")), "", _respond_to(fields.get("response_url", ""), local=local), True,
        )  # fmt: skip
    sent = json_object(fields["payload"].encode())
    actions, team, user = sent.get("actions"), sent.get("team"), sent.get("user")
    if not isinstance(team, Mapping) or not isinstance(user, Mapping):
        raise BadRequestError("payload has to have a team and a user")
    action = actions[0] if isinstance(actions, list) and actions else None
    if sent.get("type") != "block_actions" or not isinstance(action, Mapping) or not action.get("value"):
        return None
    text = text_field(action.get("value"), "value", longest=VALUE_LIMIT)
    url = _respond_to(text_field(sent.get("response_url", ""), "response_url", longest=500), local=local)
    return Incoming(_id(team.get("id"), "team.id"), _id(user.get("id"), "user.id"), text, "", url, False)


def write(answer: Answer) -> dict[str, Any]:
    """A message: the text, the pictures with their links, and buttons; nothing in it becomes a mention."""
    text = shortened(answer.text, TEXT_LIMIT)
    blocks: list[dict[str, Any]] = [{"type": "section", "text": {"type": "plain_text", "text": text or " "}}]
    for card in answer.cards:
        label = _label(say(answer.language, "open_picture"))
        blocks += [
            {
                "type": "image",
                "image_url": card.picture,
                "alt_text": shortened(card.title, 200),
                "title": {"type": "plain_text", "text": shortened(f"{card.title} · {card.text}", 200)},
            },
            {
                "type": "actions",
                "elements": [{"type": "button", "action_id": f"open_{card.number}", "text": label, "url": card.link}],
            },
        ]
    buttons = [
        {"type": "button", "action_id": f"ask_{place}", "text": _label(offer), "value": offer}
        for place, offer in enumerate(answer.suggestions[:BUTTONS])
        if len(offer) <= VALUE_LIMIT
    ]
    if buttons:
        blocks.append({"type": "actions", "elements": buttons})
    return {"text": html.escape(text, quote=False), "blocks": blocks}


def only_for_them(message: Mapping[str, Any]) -> dict[str, Any]:
    """The message as an answer that only who asked can see."""
    return {"response_type": "ephemeral", "replace_original": False, **message}


def later_content(answer: Answer, job: Job) -> dict[str, Any]:
    """What is sent after the question: to its response_url, or to the person's conversation with the app."""
    message = write(answer)
    return only_for_them(message) if job.url else message


def _plain(key: str) -> dict[str, Any]:
    return only_for_them({"text": in_both_languages(key)})


def _form(body: bytes) -> dict[str, str]:
    if len(body) > LARGEST_FORM:
        raise BadRequestError(f"the body has to be at most {LARGEST_FORM} bytes")
    try:
        pairs = parse_qsl(
            body.decode("ascii"), keep_blank_values=True, strict_parsing=True, errors="strict", max_num_fields=60
        )
    except ValueError as error:
        raise BadRequestError("the body has to be a form in UTF-8") from error
    return dict(pairs)


def _respond_to(url: str, *, local: bool) -> str:
    return address_on(url, frozenset({RESPONSE_HOST}), local=local)


def _id(value: object, name: str) -> str:
    text = text_field(value, name, longest=40)
    if not _ID.fullmatch(text):
        raise BadRequestError(f"{name} has to be an id of Slack")
    return text


def _plain_text(text: str) -> str:
    """What was typed: without the mention of the app, with Slack's three escapes undone."""
    typed = _MENTION.sub(" ", text)
    return typed.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&").strip()


def _label(text: str) -> dict[str, str]:
    return {"type": "plain_text", "text": shortened(text, LABEL_LIMIT)}
