"""Files the records of gateways that S3 notifications tell of: coverage, tampering, drops, manifests of clips."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from uriai import bootstrap
from uriai.adapters.s3_events import NotificationError, arrivals
from uriai.service.file_record import RecordDesk, file_record
from uriai.settings import Settings

logger = Logger()
metrics = Metrics()
tracer = Tracer()
# what could not be filed is told to SQS message by message: one that fails holds no other up
processor = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)


@lru_cache(maxsize=1)
def desk() -> RecordDesk:
    """Bucket and database, once per container."""
    return bootstrap.record_desk(Settings.from_environment(require=("CLIPS_BUCKET",)))


@tracer.capture_method(capture_response=False)
def file_message(record: SQSRecord) -> None:
    """File every record that a message tells of; what raises is delivered again."""
    try:
        found = arrivals(record.body)
    except NotificationError:
        logger.exception("message is no notification and is dropped")
        return
    for arrival in found:
        try:
            filed = file_record(arrival, desk())
        except Exception:
            logger.exception(
                "record could not be filed, the message will be delivered again", extra={"key": arrival.key}
            )
            raise
        told = {"key": arrival.key, "type": filed.type, "seq": filed.seq, "outcome": filed.status.value}
        if filed.status.holds and not filed.refused:
            logger.info("record filed", extra=told)
        else:
            logger.warning("record filed and flagged", extra=told | {"why": filed.reason or filed.refused})
            metrics.add_metric("RecordsFlagged", MetricUnit.Count, 1)
        metrics.add_metric("RecordsFiled", MetricUnit.Count, 1)


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer which messages to deliver again."""
    return dict(process_partial_response(event, file_message, processor, context))
