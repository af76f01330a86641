"""Every minute: finds what nobody sends. Invoked by EventBridge's schedule, whose event says nothing that is needed."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from uriai import bootstrap
from uriai.service.watch_coverage import CoverageWatch, watch_coverage
from uriai.settings import Settings

logger = Logger()
metrics = Metrics()
tracer = Tracer()


@lru_cache(maxsize=1)
def coverage() -> CoverageWatch:
    """The database, once per container."""
    return bootstrap.coverage_watch(Settings.from_environment())


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, int]:
    """Answer how much of each was found that was not on file."""
    found = watch_coverage(coverage())
    if found.silent or found.dark or found.gaps:
        logger.warning(
            "found what nobody sent",
            extra={"silent": list(found.silent), "dark": [f"{name}/{one}" for name, one in found.dark]}
            | {"gaps": found.gaps},
        )
    counts = {"silent": len(found.silent), "dark": len(found.dark), "gaps": found.gaps}
    metrics.add_metric("GatewaysFellSilent", MetricUnit.Count, counts["silent"])
    metrics.add_metric("CamerasWentDark", MetricUnit.Count, counts["dark"])
    return counts
