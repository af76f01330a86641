"""A turn of a conversation within the time that a platform gives: answered at once, or acknowledged and queued."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from uriai.adapters.chat.http import Arrival, Desk, Reply
from uriai.service.converse import Spoken, Turn, converse
from uriai.service.ports.later import Job


@dataclass(frozen=True, slots=True)
class Form:
    """How a platform is answered: within ``limit_s`` seconds; ``write`` makes its JSON of a turn.

    ``later`` is what it is told where the answer comes after that, ``again`` where it cannot.
    """

    limit_s: float
    write: Callable[[Turn], Mapping[str, Any]]
    later: Callable[[], Mapping[str, Any] | None]
    again: Callable[[], Mapping[str, Any]]


def answer_in_time(desk: Desk, spoken: Spoken, key: str, arrival: Arrival, form: Form, job: Job | None) -> Reply:
    """Answer, or acknowledge and have ``job`` answered by `answer`.

    Parameters
    ----------
    key:
        The platform's own id of the delivery; what was answered is not answered again. Empty where it has none.
    job:
        The same question to be answered later; None where the platform gave no way to.
    """
    began = time.monotonic() - arrival.waited_s
    turn: list[Turn | None] = []
    failure: list[Exception] = []

    def work() -> None:
        try:
            turn.append(_once(desk, spoken, key))
        except Exception as error:  # noqa: BLE001 - it is raised where somebody waits for it
            failure.append(error)

    left_s = form.limit_s - (time.monotonic() - began)
    thread = threading.Thread(target=work, daemon=True)
    unfinished = False
    if left_s > 0 or job is None:
        thread.start()
        thread.join(max(left_s, 0.1))
        unfinished = thread.is_alive()
        if failure:
            raise failure[0]
        if turn:
            done = turn[0]
            return Reply(200, None) if done is None else Reply(200, form.write(done), note=done.note)
    if job is None:
        return Reply(200, form.again(), note={"late": True}, unfinished=unfinished)
    desk.later().put(job)
    return Reply(200, form.later(), note={"late": True, "queued": True}, unfinished=unfinished)


def delivery_key(*parts: str) -> bytes:
    """What a delivery is remembered by."""
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).digest()


def _once(desk: Desk, spoken: Spoken, key: str) -> Turn | None:
    """The turn; None for a delivery that was answered before."""
    if not key:
        return converse(spoken, desk.conversation)
    known = delivery_key(spoken.platform.value, key)
    if not desk.deliveries.claim(known, desk.chat.clock.now()):
        return None
    try:
        turn = converse(spoken, desk.conversation)
    except Exception:
        desk.deliveries.release(known)
        raise
    desk.deliveries.settle(known)
    return turn
