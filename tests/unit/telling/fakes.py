"""Fakes of the ports of messaging: receipts and queues in memory, a messenger that does as it is told."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import replace

from uriai.domain.telling import Medium
from uriai.domain.ulid import Ulid
from uriai.service.ports.messaging import (
    GivenUp,
    Message,
    MessageQueues,
    Messenger,
    Receipt,
    ReceiptChangedError,
    Receipts,
)


class ReceiptsInMemory(Receipts):
    """A dict that is written over only by who has read it."""

    def __init__(self) -> None:
        self.kept: dict[Ulid, Receipt] = {}
        self._writes = 0

    def find(self, message_id: Ulid) -> Receipt | None:
        return self.kept.get(message_id)

    def write(self, message_id: Ulid, receipt: Receipt, *, over: Receipt | None) -> Receipt:
        if self.kept.get(message_id) != over:
            raise ReceiptChangedError(f"{message_id} was changed")
        self._writes += 1
        self.kept[message_id] = replace(receipt, version=str(self._writes))
        return self.kept[message_id]


class QueuesInMemory(MessageQueues):
    """Lists; ``dead`` holds what was given up."""

    def __init__(self) -> None:
        self.put_messages: list[Message] = []
        self.dead: list[Message] = []

    def put(self, message: Message) -> None:
        self.put_messages.append(message)

    def given_up(self) -> Sequence[GivenUp]:
        return [GivenUp(message.id, message.medium, str(message.id)) for message in self.dead[:10]]

    def forget(self, one: GivenUp) -> None:
        self.dead = [message for message in self.dead if message.id != one.message_id]


class ScriptedMessenger(Messenger):
    """Raises what is next in ``answers``, or takes the message; ``sent`` is what it took."""

    def __init__(self, *answers: Exception | None) -> None:
        self._answers = deque(answers)
        self.sent: list[Message] = []

    def send(self, message: Message) -> None:
        answer = self._answers.popleft() if self._answers else None
        if answer is not None:
            raise answer
        self.sent.append(message)


def a_message(medium: Medium = Medium.SLACK, salt: int = 0) -> Message:
    return Message(Ulid(salt.to_bytes(16, "big")), medium, "C012AB3CD", "[우리AI] 신고", "샛별어린이집 12번 사건")
