"""S3's notifications as SQS delivers them, read into arrivals of clips."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from urllib.parse import unquote_plus

from uriai.service.locate_clip import Arrival


class NotificationError(ValueError):
    """A message that is no S3 notification; it will never become one."""


def arrivals(body: str) -> tuple[Arrival, ...]:
    """The created objects that a message's body tells of.

    The notification that S3 sends once when the queue is set up (``s3:TestEvent``) and events that are not of a created
    object tell of none.

    Raises
    ------
    NotificationError
        If the body is something else.
    """
    try:
        message = json.loads(body)
    except ValueError as error:
        raise NotificationError(f"the message is not JSON: {error}") from error
    if not isinstance(message, dict):
        raise NotificationError("the message is not a JSON object")
    if message.get("Event") == "s3:TestEvent":
        return ()
    records = message.get("Records")
    if not isinstance(records, list):
        raise NotificationError("the message has no Records: it is no S3 notification")
    return tuple(_arrival(record) for record in records if _tells_of_creation(record))


def _tells_of_creation(record: object) -> bool:
    return isinstance(record, dict) and str(record.get("eventName", "")).removeprefix("s3:").startswith(
        "ObjectCreated:"
    )


def _arrival(record: dict[str, object]) -> Arrival:
    try:
        # keys come as in a form: a space is a plus sign, everything unusual is percent-encoded
        key = unquote_plus(record["s3"]["object"]["key"])  # type: ignore[index]
        at = datetime.fromisoformat(str(record["eventTime"]))
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise NotificationError(
            f"a record lacks eventTime or s3.object.key ({type(error).__name__}: {error})"
        ) from error
    return Arrival(key, at if at.tzinfo else at.replace(tzinfo=UTC))
