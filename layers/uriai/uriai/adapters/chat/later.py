"""What `answer` does with a question from its queue: the turn, in the platform's form, on its way to `notify`."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from uriai.adapters.chat import kakao, slack, telegram
from uriai.adapters.chat.turns import delivery_key
from uriai.domain.person import Platform
from uriai.domain.telling import Medium
from uriai.domain.ulid import Ulid
from uriai.service.converse import Conversation, Spoken, converse
from uriai.service.dialogue import Answer
from uriai.service.ports.dialogues import Deliveries
from uriai.service.ports.later import Job, Replies
from uriai.service.ports.messaging import Reply

_CONTENT: dict[Platform, Callable[[Answer, Job], dict[str, Any]]] = {
    Platform.KAKAO: kakao.later_content,
    Platform.SLACK: slack.later_content,
    Platform.TELEGRAM: telegram.later_content,
}


@dataclass(frozen=True, slots=True)
class AnswerDesk:
    """What answering later needs."""

    conversation: Conversation
    deliveries: Deliveries
    replies: Replies


def answer_later(job: Job, desk: AnswerDesk) -> Mapping[str, object]:
    """Answer a queued question once, however often it is delivered; what may be logged of it."""
    now = desk.conversation.chat.clock.now()
    if now > job.until:
        return {"expired": True}
    known = delivery_key("later", job.platform.value, job.key)
    if not desk.deliveries.claim(known, now):
        return {"duplicate": True}
    try:
        turn = converse(Spoken(job.platform, job.user, job.text, job.base_url), desk.conversation)
        content = json.dumps(_CONTENT[job.platform](turn.answer, job), ensure_ascii=False)
        # the same question has the same id, so that `notify` sends its answer once even if it was queued twice
        reply = Reply(
            Ulid(known[:16]), Medium(job.platform.value), job.address, "", "", content, job.url, job.until
        )  # fmt: skip
        desk.replies.put(reply)
    except Exception:
        desk.deliveries.release(known)
        raise
    desk.deliveries.settle(known)
    return turn.note
