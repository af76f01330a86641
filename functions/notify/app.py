"""Sends one message to a person or a police station, or the answer to a question.

They come complete, one at a time: messages from a queue a medium, answers from a queue of their own.
"""

from __future__ import annotations

import traceback
from functools import lru_cache
from typing import Any

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from uriai import bootstrap
from uriai.adapters.messaging.envelope import unpack
from uriai.adapters.messaging.queues import postpone, sqs_client
from uriai.adapters.messaging.replies import is_reply
from uriai.adapters.messaging.replies import unpack as unpack_reply
from uriai.service.deliver_message import Post, deliver_message, wait_s
from uriai.service.ports.messaging import TryAgainError
from uriai.settings import NotifySettings

logger = Logger()
metrics = Metrics()
tracer = Tracer()
processor = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)
sqs = lru_cache(maxsize=1)(sqs_client)


class SendingFailedError(Exception):
    """Something that was not foreseen; the message has its type alone, for its text may quote a token."""


@lru_cache(maxsize=1)
def post() -> Post:
    """Messengers and receipts, once per container."""
    return bootstrap.post(NotifySettings.from_environment())


@lru_cache(maxsize=1)
def reply_post() -> Post:
    """What sends answers, once per container."""
    return bootstrap.reply_post(NotifySettings.from_environment())


# a trace keeps no error either: a library may quote an address, a text or a token in its own
@tracer.capture_method(capture_response=False, capture_error=False)
def send_message(record: SQSRecord) -> None:
    """Send it, or have it come again later; what cannot be read goes the way of what cannot be sent."""
    answers = is_reply(record.body)
    message = unpack_reply(record.body) if answers else unpack(record.body)
    # never the text, the address or the subject: they are for one person
    told = {"message_id": str(message.id), "medium": message.medium.value}
    try:
        receipt = deliver_message(message, reply_post() if answers else post())
    except TryAgainError as error:
        attempt = int(record.attributes.approximate_receive_count or 1)
        seconds = wait_s(attempt, error.after_s)
        logger.warning("not sent yet", extra=told | {"reason": str(error), "attempt": attempt, "again_in_s": seconds})
        metrics.add_metric("MessagesPostponed", MetricUnit.Count, 1)
        postpone(sqs(), record.event_source_arn, record.receipt_handle, seconds)
        raise
    except Exception as error:  # noqa: BLE001 - whatever it is, it is delivered again
        # X-Ray keeps the text of what leaves a subsegment, whatever capture_error says
        where = traceback.extract_tb(error.__traceback__)[-1]
        place = {"error": type(error).__name__, "at": f"{where.filename}:{where.lineno}"}
        logger.error("sending failed", extra=told | place)  # noqa: TRY400 - a traceback quotes the error's text
        raise SendingFailedError(f"sending failed with {type(error).__name__}, see the log") from None
    logger.info("message settled", extra=told | {"state": receipt.state.value, "reason": receipt.reason})
    metrics.add_metric(f"Messages_{receipt.state.value}", MetricUnit.Count, 1)


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False, capture_error=False)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer which messages to deliver again."""
    return dict(process_partial_response(event, send_message, processor, context))
