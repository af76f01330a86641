"""Every minute: finds what nobody sends, and takes to `notify` what people are to be told.

Invoked by EventBridge's schedule, whose event says nothing that is needed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from functools import lru_cache
from typing import Any

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from uriai import bootstrap
from uriai.service.hold_evidence import hold_evidence
from uriai.service.ports.clock import SystemClock
from uriai.service.ports.holds import Holds, Locks
from uriai.service.relay_outbox import Relay, relay_outbox
from uriai.service.send_digests import Digests, send_digests
from uriai.service.tell_holes import tell_holes, tell_troubles
from uriai.service.watch_coverage import CoverageWatch, watch_coverage
from uriai.settings import Settings

logger = Logger()
metrics = Metrics()
tracer = Tracer()


@lru_cache(maxsize=1)
def settings() -> Settings:
    """The environment, read once per container."""
    return Settings.from_environment(require=("CLIPS_BUCKET", "RECEIPTS_BUCKET", "NOTIFY_QUEUES", "ANSWER_QUEUE_URL"))


@lru_cache(maxsize=1)
def coverage() -> CoverageWatch:
    """The database, once per container."""
    return bootstrap.coverage_watch(settings())


@lru_cache(maxsize=1)
def relay() -> Relay:
    """Database, queues and receipts, once per container."""
    return bootstrap.relay(settings())


@lru_cache(maxsize=1)
def holds() -> tuple[Holds, Locks]:
    """Database and bucket, once per container."""
    return bootstrap.holds(settings())


@lru_cache(maxsize=1)
def digests() -> Digests:
    """Database and queue, once per container."""
    return bootstrap.digests(settings())


RESERVES_MS = {"first": 45_000, "hold": 35_000, "watch": 15_000, "tell": 5_000, "digest": 3_000}
"""What has to be left of the round's time for a job to go on. Each leaves enough for those that come after it."""
_Stop = Callable[[], bool]


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, int]:
    """Answer what was found that was not on file, how many incidents' evidence is held now, what became of messages."""
    del event
    counts: Counter[str] = Counter()

    def left_for(job: str) -> _Stop:
        return lambda: context.get_remaining_time_in_millis() < RESERVES_MS[job]

    with ExitStack() as jobs:
        # A fault in one must not keep the others from their work; the last one entered begins. Telling begins: where a
        # whole region falls silent, looking may take longer than there is time, and nobody's page may wait for that.
        for name, job in (("digest", _digest), ("tell", _tell), ("watch", _watch), ("hold", _hold), ("first", _tell)):
            jobs.callback(lambda name=name, job=job: counts.update(job(left_for(name))))
    return dict(counts)


def _watch(stop: _Stop) -> dict[str, int]:
    found = watch_coverage(replace(coverage(), stop=stop))
    if found.silent or found.dark or found.gaps:
        logger.warning(
            "found what nobody sent",
            extra={"silent": list(found.silent), "dark": [f"{name}/{one}" for name, one in found.dark]}
            | {"gaps": found.gaps},
        )
    counts = {"silent": len(found.silent), "dark": len(found.dark), "gaps": found.gaps}
    metrics.add_metric("GatewaysFellSilent", MetricUnit.Count, counts["silent"])
    metrics.add_metric("CamerasWentDark", MetricUnit.Count, counts["dark"])
    metrics.add_metric("WatchUnfinished", MetricUnit.Count, 0 if found.finished else 1)
    return counts


def _hold(stop: _Stop) -> dict[str, int]:
    done = hold_evidence(*holds(), SystemClock(), stop)
    if done.refused:
        logger.warning("evidence of reported incidents could not be held", extra={"incidents": list(done.refused)})
    metrics.add_metric("HoldsRefused", MetricUnit.Count, len(done.refused))
    return {"held": done.held}


def _digest(stop: _Stop) -> dict[str, int]:
    sent = send_digests(digests(), stop)
    metrics.add_metric("DigestsQueued", MetricUnit.Count, sent)
    return {"digests": sent}


def _tell(stop: _Stop) -> dict[str, int]:
    outside = replace(relay(), stop=stop)
    tell_holes(outside.transactions, outside.clock, stop)
    tell_troubles(outside.transactions, outside.clock, stop)
    relayed = relay_outbox(outside)
    counts = {"queued": relayed.queued, "delivered": relayed.delivered, "failed": relayed.failed}
    if any(counts.values()):
        logger.info("outbox relayed", extra=counts)
    metrics.add_metric("MessagesQueued", MetricUnit.Count, counts["queued"])
    metrics.add_metric("MessagesDelivered", MetricUnit.Count, counts["delivered"])
    metrics.add_metric("MessagesFailed", MetricUnit.Count, counts["failed"])
    return counts
