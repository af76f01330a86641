"""Kakao i Open Builder: skill requests in, skill responses out (version 2.0).

Kakao signs nothing. A request has to carry our secret in a header and name one of our bots; its user has to be
enrolled.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from uriai.adapters.chat.http import (
    LARGEST_BODY,
    UNAUTHORIZED,
    BadRequestError,
    Desk,
    Reply,
    bad_request,
    json_object,
    same_secret,
    text_field,
)
from uriai.domain.person import Language, Platform
from uriai.domain.utterance.intents import CODE
from uriai.domain.utterance.normalise import normalise
from uriai.service.answer_question import answer_question
from uriai.service.dialogue import Answer, Card, Question
from uriai.service.enrol_person import enrol_chat
from uriai.service.texts import say

TEXT_LIMIT = 1000
TITLE_LIMIT = 50
DESCRIPTION_LIMIT = 230
LABEL_LIMIT = 14
QUICK_REPLIES = 10


@dataclass(frozen=True, slots=True)
class SkillRequest:
    """What a skill request says that we use."""

    bot: str
    user: str
    utterance: str


def webhook(desk: Desk, secret: str | None, body: bytes, base_url: str) -> Reply:
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
    person = desk.people.by_chat(Platform.KAKAO, request.user)
    code = CODE.search(normalise(request.utterance[:200]).lower())
    if code is not None:
        return _enrol(desk, request, code[1])
    if person is None:
        return _plain("enrol_help", {"intent": "enrol", "enrolled": False})
    answer = answer_question(Question(person, request.utterance, None, None, desk.base_url or base_url), desk.chat)
    note = {"role": person.role.value, "intent": answer.understanding.intent.value, "incidents": len(answer.incidents)}
    return Reply(200, write(answer), note=note)


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
    return SkillRequest(
        text_field(bot.get("id"), "bot.id", longest=190),
        identity,
        text_field(request.get("utterance"), "userRequest.utterance", longest=LARGEST_BODY),
    )


def write(answer: Answer) -> dict[str, Any]:
    """A skill response: the text, the pictures as cards, and quick replies."""
    outputs: list[dict[str, Any]] = [{"simpleText": {"text": _cut(answer.text, TEXT_LIMIT)}}]
    if answer.cards:
        cards = [_card(card, answer.language) for card in answer.cards]
        outputs.append(
            {"basicCard": cards[0]} if len(cards) == 1 else {"carousel": {"type": "basicCard", "items": cards}}
        )
    return _response(outputs, answer.suggestions)


def _enrol(desk: Desk, request: SkillRequest, code: str) -> Reply:
    person = enrol_chat(code, Platform.KAKAO, request.user, desk.people, desk.chat.clock)
    if person is None:
        return _plain("enrol_wrong_code", {"intent": "enrol", "enrolled": False})
    text = say(person.language, "enrolled", name=person.name)
    suggestions = [say(person.language, f"suggest_{key}") for key in ("today", "yesterday", "week")]
    body = _response([{"simpleText": {"text": text}}], suggestions)
    return Reply(200, body, note={"intent": "enrol", "enrolled": True})


def _plain(key: str, note: Mapping[str, object]) -> Reply:
    """A text for somebody whose language is not known: both."""
    text = "\n\n".join(say(language, key) for language in Language)
    return Reply(200, _response([{"simpleText": {"text": text}}], ()), note=note)


def _card(card: Card, language: Language) -> dict[str, Any]:
    return {
        "title": _cut(card.title, TITLE_LIMIT),
        "description": _cut(card.text, DESCRIPTION_LIMIT),
        "thumbnail": {"imageUrl": card.picture},
        "buttons": [
            {"action": "webLink", "label": _cut(say(language, "open_picture"), LABEL_LIMIT), "webLinkUrl": card.link}
        ],
    }


def _response(outputs: list[dict[str, Any]], suggestions: Sequence[str]) -> dict[str, Any]:
    replies = [
        {"label": _cut(text, LABEL_LIMIT), "action": "message", "messageText": text}
        for text in suggestions[:QUICK_REPLIES]
    ]
    return {"version": "2.0", "template": {"outputs": outputs} | ({"quickReplies": replies} if replies else {})}


def _cut(text: str, limit: int) -> str:
    """At most ``limit`` characters; a long text ends at a line's end where there is one."""
    if len(text) <= limit:
        return text
    line = text.rfind("\n", limit // 2, limit - 1)
    return text[: line if line > 0 else limit - 1].rstrip() + "…"
