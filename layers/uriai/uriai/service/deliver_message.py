"""Sends one message, once: whoever delivers it to `notify` again, or at the same time, finds its receipt.

docs/decisions/0019-receipts.md says why a receipt and not a lock, and which window remains.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from uriai.domain.telling import Medium
from uriai.service.ports.clock import Clock
from uriai.service.ports.messaging import (
    Message,
    Messenger,
    Receipt,
    ReceiptChangedError,
    Receipts,
    ReceiptState,
    RefusedError,
    TryAgainError,
)

LEASE = timedelta(seconds=60)
"""A sending that said nothing for so long has died: longer than `notify` may run, shorter than its queue's patience."""
FIRST_WAIT_S = 15.0
LONGEST_WAIT_S = 600.0
"""Between attempts: doubling from the first to the longest; over the queue's 20 attempts more than two hours."""


@dataclass(frozen=True, slots=True)
class Post:
    """What sending needs of the outside. ``messenger`` gives that of a medium, or says why there is none."""

    messenger: Callable[[Medium], Messenger]
    receipts: Receipts
    clock: Clock


def deliver_message(message: Message, post: Post) -> Receipt:
    """Send the message unless it was sent or refused before; the receipt that says how it ended.

    Raises
    ------
    TryAgainError
        If it was not sent and may be later, or another attempt is at it right now.
    """
    known = post.receipts.find(message.id)
    now = post.clock.now()
    if known is not None and known.settled:
        return known
    if known is not None and known.state is ReceiptState.SENDING and now - known.at < LEASE:
        raise TryAgainError("another attempt is sending it", LEASE.total_seconds())
    try:
        begun = post.receipts.write(message.id, Receipt(ReceiptState.SENDING, now), over=known)
    except ReceiptChangedError as error:
        raise TryAgainError("another attempt began to send it", LEASE.total_seconds()) from error
    try:
        post.messenger(message.medium).send(message)
    except RefusedError as error:
        return post.receipts.write(message.id, Receipt(ReceiptState.REFUSED, post.clock.now(), str(error)), over=begun)
    except TryAgainError as error:
        post.receipts.write(message.id, Receipt(ReceiptState.TRYING, post.clock.now(), str(error)), over=begun)
        raise
    return post.receipts.write(message.id, Receipt(ReceiptState.SENT, post.clock.now()), over=begun)


def wait_s(attempt: int, asked_s: float | None) -> float:
    """Seconds before the next attempt after the ``attempt``-th (from 1); what the platform asked for is respected.

    A platform that asks for more than the longest wait gets the longest: it will ask again.
    """
    backoff = min(LONGEST_WAIT_S, FIRST_WAIT_S * 2.0 ** (attempt - 1)) if attempt < 32 else LONGEST_WAIT_S
    return min(LONGEST_WAIT_S, max(backoff, asked_s or 0.0))
