"""Kakao i Open Builder: skill requests in, skill responses out (version 2.0).

Kakao signs nothing. A request has to carry our secret in a header and name one of our bots; its user has to be
enrolled.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
    address_on,
    bad_request,
    json_object,
    same_secret,
    shortened,
    text_field,
)
from uriai.adapters.chat.turns import Form, answer_in_time
from uriai.domain.person import Language, Platform
from uriai.service.converse import Spoken
from uriai.service.dialogue import Answer, Ask, Card
from uriai.service.ports.later import Job
from uriai.service.texts import in_both_languages, say

LIMIT_S = 3.8
"""Kakao waits for five seconds; the rest is for queueing the question where this is not enough."""
CALLBACK_HOSTS = frozenset({"bot-api.kakao.com"})
CALLBACK_LASTS = timedelta(minutes=1)
TEXT_LIMIT = 1000
LIST_ITEMS = 5
TITLE_LIMIT = 50
DESCRIPTION_LIMIT = 230
LABEL_LIMIT = 14
QUICK_REPLIES = 10


@dataclass(frozen=True, slots=True)
class SkillRequest:
    """What a skill request says that we use. ``callback``: what to answer to later, empty where it gave nothing."""

    bot: str
    user: str
    utterance: str
    callback: str = ""


def webhook(desk: Desk, secret: str | None, body: bytes, arrival: Arrival) -> Reply:
    """Answer a skill request; 401 and nothing else without the secret or for another bot."""
    secrets = desk.kakao()
    if not same_secret(secret, secrets.header_secret):
        return UNAUTHORIZED
    try:
        request = read(body)
    except BadRequestError as error:
        return bad_request(error)
    if request.bot not in secrets.bot_ids:
        return UNAUTHORIZED
    spoken = Spoken(Platform.KAKAO, request.user, request.utterance, desk.base_url or arrival.base_url)
    callback = address_on(request.callback, CALLBACK_HOSTS, local=desk.local)
    until = desk.chat.clock.now() + CALLBACK_LASTS
    job = Job(spoken.platform, spoken.user, spoken.text, spoken.base_url, callback, callback, spoken.user, until)
    form = Form(
        LIMIT_S,
        lambda turn: write(turn.answer),
        lambda: {"version": "2.0", "useCallback": True, "data": {"text": in_both_languages("answer_later")}},
        lambda: _response([{"simpleText": {"text": in_both_languages("answer_slow")}}], ()),
    )
    return answer_in_time(desk, spoken, "", arrival, form, job if callback else None)


def read(body: bytes) -> SkillRequest:
    """Read a skill request.

    Raises
    ------
    BadRequestError
        If it lacks a bot, a user or an utterance, or they are no texts.
    """
    sent = json_object(body)
    request, bot = sent.get("userRequest"), sent.get("bot")
    user = request.get("user") if isinstance(request, Mapping) else None
    if not isinstance(request, Mapping) or not isinstance(bot, Mapping) or not isinstance(user, Mapping):
        raise BadRequestError("the body has to have bot and userRequest with its user")
    identity = text_field(user.get("id"), "userRequest.user.id", longest=190)
    if not identity:
        raise BadRequestError("userRequest.user.id has to name a user")
    callback = request.get("callbackUrl") or sent.get("callbackUrl") or ""
    return SkillRequest(
        text_field(bot.get("id"), "bot.id", longest=190),
        identity,
        text_field(request.get("utterance"), "userRequest.utterance", longest=LARGEST_BODY),
        text_field(callback, "callbackUrl", longest=1000),
    )


def write(answer: Answer) -> dict[str, Any]:
    """A skill response: the text, what there is to choose from as a list, the pictures as cards, and quick replies."""
    outputs: list[dict[str, Any]] = [{"simpleText": {"text": shortened(answer.text, TEXT_LIMIT)}}]
    if answer.asks is Ask.CENTRE and answer.suggestions:
        outputs.append({"listCard": _list(answer)})
    if answer.cards:
        cards = [_card(card, answer.language) for card in answer.cards]
        outputs.append(
            {"basicCard": cards[0]} if len(cards) == 1 else {"carousel": {"type": "basicCard", "items": cards}}
        )
    return _response(outputs, answer.suggestions)


def later_content(answer: Answer, job: Job) -> dict[str, Any]:
    """What is sent after the question, to its callbackUrl."""
    del job
    return write(answer)


def _list(answer: Answer) -> dict[str, Any]:
    """What there is to choose from, each a tap."""
    return {
        "header": {"title": shortened(say(answer.language, "which_centre"), TITLE_LIMIT)},
        "items": [
            {"title": shortened(offer, TITLE_LIMIT), "action": "message", "messageText": offer}
            for offer in answer.suggestions[:LIST_ITEMS]
        ],
    }


def _card(card: Card, language: Language) -> dict[str, Any]:
    return {
        "title": shortened(card.title, TITLE_LIMIT),
        "description": shortened(card.text, DESCRIPTION_LIMIT),
        "thumbnail": {"imageUrl": card.picture},
        "buttons": [
            {
                "action": "webLink",
                "label": shortened(say(language, "open_picture"), LABEL_LIMIT),
                "webLinkUrl": card.link,
            }
        ],
    }


def _response(outputs: list[dict[str, Any]], suggestions: Sequence[str]) -> dict[str, Any]:
    replies = [
        {"label": shortened(text, LABEL_LIMIT), "action": "message", "messageText": text}
        for text in suggestions[:QUICK_REPLIES]
    ]
    return {"version": "2.0", "template": {"outputs": outputs} | ({"quickReplies": replies} if replies else {})}
