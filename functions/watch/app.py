"""Every minute: finds what nobody sends. Invoked by EventBridge's schedule, whose event says nothing that is needed."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from uriai import bootstrap
from uriai.service.hold_evidence import hold_evidence
from uriai.service.ports.clock import SystemClock
from uriai.service.ports.holds import Holds, Locks
from uriai.service.watch_coverage import CoverageWatch, watch_coverage
from uriai.settings import Settings

logger = Logger()
metrics = Metrics()
tracer = Tracer()


@lru_cache(maxsize=1)
def coverage() -> CoverageWatch:
    """The database, once per container."""
    return bootstrap.coverage_watch(Settings.from_environment())


@lru_cache(maxsize=1)
def holds() -> tuple[Holds, Locks]:
    """Database and bucket, once per container."""
    return bootstrap.holds(Settings.from_environment(require=("CLIPS_BUCKET",)))


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, int]:
    """Answer how much of each was found that was not on file, and how many incidents' evidence is held now."""
    try:
        found = _watch()
    finally:
        # a fault in the one must not keep the other from its work
        held = _hold()
    return found | held


def _watch() -> dict[str, int]:
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


def _hold() -> dict[str, int]:
    done = hold_evidence(*holds(), SystemClock())
    if done.refused:
        logger.warning("evidence of reported incidents could not be held", extra={"incidents": list(done.refused)})
    metrics.add_metric("HoldsRefused", MetricUnit.Count, len(done.refused))
    return {"held": done.held}
