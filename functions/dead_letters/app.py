"""Consumes what `analyze` and `mask` gave up: writes the ``failed`` row of the clip, or of the masked copy, so that
nothing stays without an outcome.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from uriai import bootstrap
from uriai.adapters.mask_jobs import MaskJobError, unpack
from uriai.adapters.s3_events import NotificationError, arrivals
from uriai.domain.ulid import Ulid
from uriai.service.fail_clip import FailureRecord, fail_clip
from uriai.service.make_masked_copy import give_up_masked_copy
from uriai.settings import Settings

logger = Logger()
metrics = Metrics()
tracer = Tracer()
processor = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)


@lru_cache(maxsize=1)
def failure_record() -> FailureRecord:
    """What writing needs, once per container."""
    return bootstrap.failure_record(Settings.from_environment(require=("MODEL_SET",)))


@tracer.capture_method(capture_response=False)
def fail_message(record: SQSRecord) -> None:
    """Write the failed row of every clip, or of the masked copy, that a dead letter tells of."""
    finding_id = _masked_copy(record)
    if finding_id is not None:
        outcome = give_up_masked_copy(finding_id, failure_record().transactions, failure_record().clock)
        metrics.add_metric("CopiesGivenUp", MetricUnit.Count, 1)
        logger.warning("masked copy was given up", extra={"finding": str(finding_id), "outcome": outcome.value})
        return
    try:
        found = arrivals(record.body)
    except NotificationError:
        logger.exception("dead letter is no notification and is dropped")
        return
    for arrival in found:
        written = fail_clip(arrival, failure_record())
        metrics.add_metric("ClipsGivenUp", MetricUnit.Count, 1 if written else 0)
        logger.warning("clip was given up", extra={"key": arrival.key, "written": written})


def _masked_copy(record: SQSRecord) -> Ulid | None:
    """The finding whose masked copy was given up; None where the message is about something else."""
    try:
        return unpack(record.body)
    except MaskJobError:
        return None


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer which messages to deliver again: those whose row could not be written."""
    return dict(process_partial_response(event, fail_message, processor, context))
