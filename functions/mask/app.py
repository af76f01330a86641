"""Makes the masked copy of a clip that somebody asked for. Messages come from SQS, one at a time."""

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
from uriai.domain.ulid import Ulid
from uriai.service.make_masked_copy import CopyWorkshop, make_masked_copy, note_failed_attempt
from uriai.service.ports.clock import SystemClock
from uriai.settings import Settings

logger = Logger()
metrics = Metrics()
tracer = Tracer()
# the batch is one message: its failure is told to SQS as a partial failure and not as an error of the function
processor = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)


@lru_cache(maxsize=1)
def settings() -> Settings:
    """The environment, read once per container."""
    return Settings.from_environment(require=("CLIPS_BUCKET", "MODELS_BUCKET", "MODEL_SET"))


@lru_cache(maxsize=1)
def workshop() -> CopyWorkshop:
    """Models, bucket and database, once per container."""
    return bootstrap.copy_workshop(settings())


@tracer.capture_method(capture_response=False)
def mask_message(record: SQSRecord) -> None:
    """Make the copy that a message tells of; what raises is delivered again."""
    try:
        finding_id = unpack(record.body)
    except MaskJobError:
        logger.exception("message is no job and is dropped")
        return
    try:
        made = make_masked_copy(finding_id, workshop())
    except Exception as error:
        _note(finding_id, error)
        raise
    logger.info("job done", extra={"finding": str(finding_id), "outcome": made.value})
    metrics.add_metric(f"Copies_{made.value}", MetricUnit.Count, 1)


def _note(finding_id: Ulid, error: Exception) -> None:
    """Leave this attempt's error for the row that is written should every attempt fail."""
    logger.exception("attempt failed, the message will be delivered again", extra={"finding": str(finding_id)})
    metrics.add_metric("AttemptsFailed", MetricUnit.Count, 1)
    try:
        told = f"{type(error).__name__}: {error}"
        note_failed_attempt(finding_id, told, bootstrap.transactions(settings()), SystemClock())
    except Exception:
        # the first error is the one to raise; this one most likely has the same cause
        logger.warning("the attempt's error could not be written down", exc_info=True)


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics(capture_cold_start_metric=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer which messages to deliver again."""
    return dict(process_partial_response(event, mask_message, processor, context))
