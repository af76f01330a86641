"""Deletes clips whose period has passed; started several times a night, goes on where it had to stop."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from uriai import bootstrap
from uriai.service.expire_clips import Expired, Retention, expire_clips
from uriai.service.ports.clock import SystemClock
from uriai.service.ports.retention import Deletion, Expiring
from uriai.settings import Settings

logger = Logger()
metrics = Metrics()
tracer = Tracer()
RESERVE_MS = 60_000
"""Time in which the clip that is being deleted can be finished."""


@lru_cache(maxsize=1)
def outside() -> tuple[Expiring, Deletion]:
    """Database and bucket, once per container."""
    settings = Settings.from_environment(require=("CLIPS_BUCKET",))
    return bootstrap.expiring(settings), bootstrap.deletion(settings)


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, object]:
    """Answer what `Tally.as_dict` has, or ``{"finished": true}`` where there is nothing to do."""
    del event
    expiring, deletion = outside()
    run = Retention(
        expiring,
        deletion,
        SystemClock(),
        tell=_tell,
        stop=lambda: context.get_remaining_time_in_millis() < RESERVE_MS,
    )
    tally = expire_clips(run)
    if tally is None:
        logger.info("another run is on, or this day's is finished")
        return {"finished": True}
    answer = tally.as_dict()
    logger.info("retention", extra=answer)
    metrics.add_metric("ClipsExpired", MetricUnit.Count, tally.deleted.total())
    metrics.add_metric("PicturesExpired", MetricUnit.Count, tally.pictures.total())
    metrics.add_metric("DeletionsFailed", MetricUnit.Count, tally.failed)
    metrics.add_metric("RetentionUnfinished", MetricUnit.Count, 0 if tally.finished else 1)
    return answer


def _tell(expired: Expired) -> None:
    if expired.failure:
        logger.warning("could not be deleted", extra={"key": expired.object_key, "reason": expired.failure})
