"""A message as it lies in a queue: JSON of version 1."""

from __future__ import annotations

import json

from uriai.domain.telling import Medium
from uriai.domain.ulid import Ulid
from uriai.service.ports.messaging import Message

VERSION = 1


class EnvelopeError(Exception):
    """What lies in the queue is no message; the text does not quote it."""


def pack(message: Message) -> str:
    """The message as JSON."""
    return json.dumps(
        {
            "v": VERSION,
            "id": str(message.id),
            "medium": message.medium.value,
            "address": message.address,
            "subject": message.subject,
            "body": message.body,
        },
        ensure_ascii=False,
    )


def unpack(text: str) -> Message:
    """Read what `pack` wrote.

    Raises
    ------
    EnvelopeError
        If it is anything else.
    """
    try:
        fields = json.loads(text)
        if fields["v"] != VERSION:
            raise EnvelopeError(f"the message is of version {fields['v']!r:.20}, not {VERSION}")
        texts = [fields[name] for name in ("address", "subject", "body")]
        if not all(isinstance(value, str) for value in texts):
            raise EnvelopeError("address, subject and body of a message have to be texts")
        return Message(Ulid.parse(fields["id"]), Medium(fields["medium"]), *texts)
    except (ValueError, KeyError, TypeError) as error:
        # the error's own text may quote what people are told
        raise EnvelopeError(f"the message cannot be read ({type(error).__name__})") from None
