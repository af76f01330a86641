"""Analyses the clip that an S3 notification tells of. Messages come from SQS, one at a time."""

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
from uriai.service.analyse_clip import Outcome, Outside, analyse_clip
from uriai.service.fail_clip import FailureRecord, note_failed_attempt
from uriai.service.locate_clip import Arrival
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
def outside() -> Outside:
    """Models, bucket and database, once per container."""
    return bootstrap.clip_analysis(settings())


@lru_cache(maxsize=1)
def failure_record() -> FailureRecord:
    """What noting a failed attempt needs, also where the models do not load."""
    return bootstrap.failure_record(settings())


@tracer.capture_method(capture_response=False)
def analyse_message(record: SQSRecord) -> None:
    """Analyse every clip that a message tells of; what raises is delivered again."""
    try:
        found = arrivals(record.body)
    except NotificationError:
        logger.exception("message is no notification and is dropped")
        return
    for arrival in found:
        try:
            outcome = analyse_clip(arrival, outside())
        except Exception as error:
            _note(arrival, error)
            raise
        _tell(arrival, outcome)


def _note(arrival: Arrival, error: Exception) -> None:
    """Leave this attempt's error for the row that is written should every attempt fail."""
    logger.exception("attempt failed, the message will be delivered again", extra={"key": arrival.key})
    metrics.add_metric("AttemptsFailed", MetricUnit.Count, 1)
    try:
        note_failed_attempt(arrival, f"{type(error).__name__}: {error}", failure_record())
    except Exception:
        # the first error is the one to raise; this one most likely has the same cause
        logger.warning("the attempt's error could not be written down", exc_info=True)


def _tell(arrival: Arrival, outcome: Outcome) -> None:
    manifest = outcome.manifest.value if outcome.manifest else None
    logger.info(
        "clip analysed",
        extra={
            "key": arrival.key,
            "state": outcome.state.value,
            "verdict": outcome.verdict.value if outcome.verdict else None,
            "manifest": manifest,
            "reason_code": outcome.failure.code if outcome.failure else None,
            "incidents": [incident.number for incident in outcome.incidents],
        },
    )
    metrics.add_metric(f"Clips_{outcome.state.value}", MetricUnit.Count, 1)
    if manifest not in (None, "verified"):
        metrics.add_metric("ClipsUnverified", MetricUnit.Count, 1)


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics(capture_cold_start_metric=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer which messages to deliver again."""
    return dict(process_partial_response(event, analyse_message, processor, context))
