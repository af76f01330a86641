"""Takes what is due from the outbox to the queues of `notify`, and writes down what became of it. `watch` calls it.

The order is what keeps a crash from losing anything: first it is fixed in a transaction what goes into which message,
then the message is queued, then the rows say so. A crash before the last step queues the message again, under the same
id, which `notify` finds sent.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

from uriai.domain.telling import CLAIM_LASTS, Audience, Occasion, audiences, paged_again, undelivered
from uriai.domain.ulid import Ulid
from uriai.service.ports.clock import Clock
from uriai.service.ports.messaging import Message, MessageQueues, Receipts, ReceiptState
from uriai.service.ports.repositories import Repositories, Transactions
from uriai.service.ports.telling import NOT_IN_CHARGE, DueRow, NewOutboxRow, OutboxState
from uriai.service.tell import announce, tidings_of
from uriai.service.tidings import LONGEST_BODY, again, digest, head

ROUND = 200
"""Rows and messages that one round works on: what is more waits for the next minute's."""
LOST_AFTER = timedelta(hours=6)
"""Queued so long without a receipt or a dead letter, a message was lost by its queue: it is queued again."""


@dataclass(frozen=True, slots=True)
class Relay:
    """What relaying needs of the outside; ``at_once`` rows and messages in one round.

    ``stop`` says when time is up, asked before each message: what is left over is still due in the next round.
    """

    transactions: Transactions
    queues: MessageQueues
    receipts: Receipts
    clock: Clock
    at_once: int = ROUND
    stop: Callable[[], bool] = lambda: False


@dataclass(frozen=True, slots=True)
class Relayed:
    """What one round did: messages queued, delivered, failed for good."""

    queued: int
    delivered: int
    failed: int


def relay_outbox(relay: Relay) -> Relayed:
    """Queue what is due, then look what became of what was queued.

    Raises
    ------
    Exception
        What may pass with time (database, SQS, S3): the next minute's round goes on.
    """
    run, now = relay.transactions.run, relay.clock.now()
    run(lambda rows: rows.outgoing.overtake(now))
    run(lambda rows: rows.outgoing.hold_back(now, CLAIM_LASTS))
    run(partial(_fix, now=now, limit=relay.at_once))
    queued = 0
    for message_id in run(lambda rows: rows.outgoing.fixed(now, relay.at_once)):
        if relay.stop():
            break
        queued += run(partial(_queue, message_id=message_id, queues=relay.queues, now=now))
    delivered, failed = _settle(relay, now)
    return Relayed(queued, delivered, failed + _give_up(relay, now))


def bundles(rows: Sequence[DueRow]) -> list[list[DueRow]]:
    """What goes into one message each: of one channel and one occasion what may be told together, as much as fits."""
    packed: list[list[DueRow]] = []
    room: dict[tuple[int, Occasion], int] = {}
    where: dict[tuple[int, Occasion], list[DueRow]] = {}
    for row in rows:
        size = len(head(row.body)) + 2
        key = (row.channel_id, row.occasion)
        if row.occasion.bundled and room.get(key, 0) >= size:
            where[key].append(row)
            room[key] -= size
            continue
        where[key] = [row]
        # what a digest says itself has a third of the room
        room[key] = LONGEST_BODY * 2 // 3 - size
        packed.append(where[key])
    return packed


def _fix(rows: Repositories, now: datetime, limit: int) -> None:
    """Decide what goes into which message; decided once, so that a message is the same whenever it is queued."""
    for bundle in bundles(rows.outgoing.due(now, limit)):
        rows.outgoing.fix(Ulid.new(now), [row.id for row in bundle])


def _queue(rows: Repositories, message_id: Ulid, queues: MessageQueues, now: datetime) -> int:
    """Queue a message and note it; 0 if another round has it, or nothing of it is left to be told."""
    content = _still_theirs(rows, rows.outgoing.content(message_id, OutboxState.WAITING), now)
    if not content:
        return 0
    first = content[0]
    if first.unreachable:
        _fail(rows, message_id, content, first.unreachable, now)
        return 0
    if len(content) == 1:
        subject, body = first.subject, first.body
    else:
        subject, body = digest(first.language, first.occasion, [row.body for row in content])
    queues.put(Message(message_id, first.medium, first.address, subject, body))
    rows.outgoing.mark_queued(message_id, now)
    for row in content:
        if row.occasion is Occasion.PAGE:
            _page_again(rows, row, now)
    return 1


def _still_theirs(rows: Repositories, content: Sequence[DueRow], now: datetime) -> list[DueRow]:
    """What of a message may still be told to whom it was written for; the rest is overtaken.

    What was meant for somebody who is no longer in charge goes to those who are now.
    """
    kept = []
    for row in content:
        if not row.overtaken:
            kept.append(row)
            continue
        rows.outgoing.drop(row.id, row.overtaken, now)
        if row.overtaken != NOT_IN_CHARGE:
            continue
        if row.incident_id is not None:
            _announce(rows, row.incident_id, row.occasion, now)
        else:
            _hand_over(rows, row, now)
    return kept


def _hand_over(rows: Repositories, row: DueRow, now: datetime) -> None:
    """Give what is about no incident, as it was written, to those who are in charge now and were not told."""
    for audience in audiences(row.occasion, withheld=False):
        for recipient in rows.outbox.recipients(audience, row.centre_id):
            for channel in recipient.channels:
                theirs = NewOutboxRow(
                    id=Ulid.new(now),
                    about=row.about,
                    incident_id=None,
                    centre_id=row.centre_id,
                    occasion=row.occasion,
                    recipient=recipient.key,
                    channel=channel,
                    subject=row.first_subject,
                    body=row.body,
                    due_at=now,
                )
                rows.outbox.add(theirs, now)


def _page_again(rows: Repositories, row: DueRow, now: datetime) -> None:
    repetition = row.repetition + 1
    subject = again(row.language, row.first_subject, repetition)
    rows.outgoing.repeat(row.id, Ulid.new(now), repetition, subject, paged_again(row.repetition, now), now)


def _settle(relay: Relay, now: datetime) -> tuple[int, int]:
    """Write down what the receipts say of queued messages; how many were delivered and refused."""
    delivered = failed = 0
    run = relay.transactions.run
    for queued in run(lambda rows: rows.outgoing.queued(now, relay.at_once)):
        if relay.stop():
            break
        message_id = queued.message_id
        receipt = relay.receipts.find(message_id)
        if receipt is not None and receipt.state is ReceiptState.SENT:
            run(partial(_delivered, message_id=message_id, at=receipt.at))
            delivered += 1
        elif receipt is not None and receipt.state is ReceiptState.REFUSED:
            run(partial(_failed, message_id=message_id, reason=receipt.reason, now=now))
            failed += 1
        elif queued.queued_at < now - LOST_AFTER:
            run(partial(_requeue, message_id=message_id, now=now))
    return delivered, failed


def _give_up(relay: Relay, now: datetime) -> int:
    """Write down what `notify` gave up, unless it was sent after all; then the dead letter may go."""
    failed = 0
    while not relay.stop() and (letters := relay.queues.given_up()):
        for letter in letters:
            receipt = relay.receipts.find(letter.message_id)
            if receipt is None or receipt.state is not ReceiptState.SENT:
                last = receipt.reason if receipt and receipt.reason else "no attempt left a word"
                reason = f"given up after every attempt: {last}"
                relay.transactions.run(partial(_failed, message_id=letter.message_id, reason=reason, now=now))
                failed += 1
            relay.queues.forget(letter)
    return failed


def _delivered(rows: Repositories, message_id: Ulid, at: datetime) -> None:
    rows.outgoing.settle(message_id, OutboxState.DELIVERED, "", at)


def _requeue(rows: Repositories, message_id: Ulid, now: datetime) -> None:
    rows.outgoing.requeue(message_id, now)


def _failed(rows: Repositories, message_id: Ulid, reason: str, now: datetime) -> None:
    _fail(rows, message_id, rows.outgoing.content(message_id, OutboxState.QUEUED), reason, now)


def _fail(rows: Repositories, message_id: Ulid, content: Sequence[DueRow], reason: str, now: datetime) -> None:
    """Mark a message as failed; of what must not go unheard, others are told."""
    for row in content:
        occasion = undelivered(row.occasion, to_station=row.to_station)
        if occasion is not None and row.incident_id is not None:
            _announce(rows, row.incident_id, occasion, now)
    rows.outgoing.settle(message_id, OutboxState.FAILED, reason, now)


def _announce(rows: Repositories, incident_id: Ulid, occasion: Occasion, now: datetime) -> None:
    """Have everybody told whom the occasion concerns now and who was not told of it."""
    item = rows.incidents.find(incident_id)
    if item is None:
        return
    stations = rows.outbox.recipients(Audience.STATION, item.centre.id)
    tidings = tidings_of(rows, item.centre, item.camera_number, item.incident)
    # of what could not be told to the police, people read which station that was
    named = stations and (stations[0].channels or occasion is not Occasion.REPORTED)
    tidings = replace(tidings, station=stations[0].name if named else None)
    announce(rows, tidings, occasion, withheld=rows.outbox.withheld(incident_id), now=now)
