"""Answers questions that took longer than their platform waits: from a queue, to `notify`, which sends the answer."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from uriai import bootstrap
from uriai.adapters.chat.later import AnswerDesk, answer_later
from uriai.adapters.chat.queue import unpack
from uriai.settings import Settings

logger = Logger()
metrics = Metrics()
tracer = Tracer()
processor = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)


@lru_cache(maxsize=1)
def desk() -> AnswerDesk:
    """Database and queue, once per container."""
    return bootstrap.answer_desk(Settings.from_environment(require=("CLIPS_BUCKET", "REPLY_QUEUE_URL")))


@tracer.capture_method(capture_response=False)
def answer_question(record: SQSRecord) -> None:
    """Answer one; what cannot be read goes the way of what cannot be answered."""
    job = unpack(record.body)
    # never the text or the user: they are one person's
    note = answer_later(job, desk())
    logger.info("question answered later", extra={"platform": job.platform.value, **note})
    metrics.add_metric("QuestionsAnsweredLater", MetricUnit.Count, 1)


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer which questions to deliver again."""
    return dict(process_partial_response(event, answer_question, processor, context))
