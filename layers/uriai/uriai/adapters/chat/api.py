"""POST /v1/ask and /v1/evidence/{token}: the interface for any program."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from uriai.adapters.chat.http import (
    LARGEST_BODY,
    NOT_FOUND,
    UNAUTHORIZED,
    Arrival,
    BadRequestError,
    Desk,
    Reply,
    bad_request,
    json_object,
    text_field,
)
from uriai.domain.person import Language
from uriai.service.answer_question import answer_question
from uriai.service.converse import continue_dialogue, note_of
from uriai.service.dialogue import Answer, Question
from uriai.service.enrol_person import person_of_token
from uriai.service.open_evidence import open_evidence
from uriai.service.ports.chat import IncidentView

PICTURE_S = 60
"""How long the address of a picture works once its link was opened."""


_PAGE = """<!doctype html>
<html lang="ko">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex, nofollow">
<title>Uri-AI</title>
<style>
body { font: 1.1rem/1.6 system-ui, sans-serif; max-width: 30rem; margin: 20vh auto; padding: 0 1rem; }
button { font: inherit; font-weight: 600; width: 100%; padding: 0.8rem; }
</style>
</head>
<body>
<p>이 링크는 한 번만 열립니다.<br><span lang="en">This link opens once.</span></p>
<form method="post"><button type="submit">열기 · <span lang="en">Open</span></button></form>
</body>
</html>
"""
_PAGE_HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'",
}


def ask(desk: Desk, authorization: str | None, body: bytes, arrival: Arrival) -> Reply:
    """Answer ``{"text", "language"?, "now"?, "conversation"?}`` of whoever holds the bearer token; without one 401.

    A question stands alone unless it names a conversation: then it may be half of one, as on a messenger.
    """
    scheme, _, token = (authorization or "").partition(" ")
    # the token is looked up whatever was sent, so that the time taken tells nothing
    person = person_of_token(token.strip(), desk.people)
    if person is None or scheme.lower() != "bearer":
        return UNAUTHORIZED
    try:
        sent = json_object(body)
        question = Question(
            person,
            text_field(sent.get("text"), "text", longest=LARGEST_BODY),
            _language(sent.get("language")),
            _instant(sent.get("now")),
            desk.base_url or arrival.base_url,
        )
        conversation = _conversation(sent.get("conversation"))
    except BadRequestError as error:
        return bad_request(error)
    if conversation is None:
        answer = answer_question(question, desk.chat)
    else:
        answer = continue_dialogue(question, conversation, desk.chat, desk.dialogues)
    return Reply(200, answer_object(answer), {"Cache-Control": "no-store"}, note_of(person, answer))


def evidence_page() -> Reply:
    """A page with a button that opens the picture or the copy; the same whatever the link, and it uses nothing up.

    Messengers, mail filters and scanners open a link before the person it was sent to. None of them presses a button,
    whatever it calls itself.
    """
    return Reply(200, None, _PAGE_HEADERS, page=_PAGE)


def evidence(desk: Desk, token: str, *, pressed: bool = False) -> Reply:
    """Redirect to what is masked, the first time a link is opened; one and the same 404 for everything else.

    ``pressed``: by the page's button, so that the browser goes on with a GET.
    """
    key = open_evidence(token, desk.chat.links, desk.chat.clock)
    if key is None:
        return NOT_FOUND
    headers = {
        "Location": desk.pictures().presign(key, PICTURE_S),
        "Cache-Control": "no-store",
        "Referrer-Policy": "no-referrer",
    }
    return Reply(303 if pressed else 302, None, headers)


def answer_object(answer: Answer) -> dict[str, Any]:
    """An answer as JSON: what was understood, the reply, incidents and cards."""
    return answer.understanding.as_dict() | {
        "language": answer.language.value,
        "reply": answer.text,
        "incidents": [incident_object(incident) for incident in answer.incidents],
        "cards": [
            {"title": card.title, "text": card.text, "number": card.number, "picture": card.picture, "link": card.link}
            for card in answer.cards
        ],
        "suggestions": list(answer.suggestions),
    }


def incident_object(incident: IncidentView) -> Mapping[str, Any]:
    """An incident as JSON; instants in UTC."""
    return {
        "number": incident.number,
        "centre": incident.centre.name,
        "camera": incident.camera,
        "kind": incident.kind.value,
        "status": incident.status.value,
        "started_at": incident.started_at.astimezone(UTC).isoformat(),
        "ended_at": incident.ended_at.astimezone(UTC).isoformat(),
        "confidence": incident.confidence,
        "verified": not incident.unverified,
    }


def _conversation(value: object) -> str | None:
    """What a program calls the dialogue that a question belongs to."""
    if value is None:
        return None
    name = text_field(value, "conversation", longest=64)
    if not re.fullmatch(r"[A-Za-z0-9._-]{1,64}", name):
        raise BadRequestError("conversation has to be 1 to 64 of A-Z, a-z, 0-9, dot, dash and underscore")
    return f"api:{name}"


def _language(value: object) -> Language | None:
    if value is None:
        return None
    if not isinstance(value, str) or value not in {"ko", "en"}:
        raise BadRequestError("language has to be ko or en")
    return Language(value)


def _instant(value: object) -> datetime | None:
    """When the question is asked, for a reader of the past; without an offset it is UTC."""
    if value is None:
        return None
    try:
        at = datetime.fromisoformat(text_field(value, "now", longest=40))
    except ValueError as error:
        raise BadRequestError("now has to be an instant such as 2026-07-22T14:00:00+09:00") from error
    if not 2000 <= at.year <= 2100:
        raise BadRequestError("now has to be in the years 2000 to 2100")
    return at if at.tzinfo else at.replace(tzinfo=UTC)
