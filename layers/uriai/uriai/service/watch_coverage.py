"""Finds what nobody sends: gateways that fell silent, cameras without coverage, numbers that did not come.

`watch` calls it every minute. Each gateway and camera is looked at in a transaction of its own, behind the gateway's
lock, so that a record that arrives meanwhile is either seen or waits.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from uriai.domain.coverage import GRACE, LEAST_HOLE
from uriai.domain.record import SEQUENCE_GRACE
from uriai.service.file_record import put_gaps_on_file
from uriai.service.ports.clock import Clock
from uriai.service.ports.records import Cause
from uriai.service.ports.repositories import Repositories, Transactions
from uriai.service.settle_coverage import settle

AT_ONCE = 500
"""Rows taken up in one look; there are more looks until none is left."""


@dataclass(frozen=True, slots=True)
class CoverageWatch:
    """What watching needs of the outside."""

    transactions: Transactions
    clock: Clock


@dataclass(frozen=True, slots=True)
class Watching:
    """What one round found that was not on file: gateways now silent, cameras now dark, gaps in sequences."""

    silent: tuple[str, ...]
    dark: tuple[tuple[str, int], ...]
    gaps: int


def watch_coverage(outside: CoverageWatch) -> Watching:
    """Look once at everything that is overdue, and put it on file.

    Raises
    ------
    Exception
        What may pass with time (database): the next minute's round does it again.
    """
    now, run = outside.clock.now(), outside.transactions.run
    silent: list[str] = []
    while names := run(lambda rows: rows.records.silent(now - GRACE, AT_ONCE)):
        silent += [name for name in names if run(partial(_silence, gateway_id=name, now=now))]
    dark: list[tuple[str, int]] = []
    while cameras := run(lambda rows: rows.coverage.dark(now - GRACE, AT_ONCE)):
        dark += [
            (name, number) for name, number in cameras if run(partial(_darken, gateway_id=name, number=number, now=now))
        ]
    overdue = run(lambda rows: rows.records.gapped(now - SEQUENCE_GRACE, AT_ONCE))
    gaps = sum(run(partial(_gaps, gateway_id=name, now=now)) for name in overdue)
    return Watching(tuple(silent), tuple(dark), gaps)


def _silence(rows: Repositories, gateway_id: str, now: datetime) -> bool:
    watch = rows.records.lock(gateway_id)
    if watch.silent_since or watch.heard_until is None or watch.heard_until > now - GRACE:
        # a record came between the look and the lock
        return False
    rows.records.save(replace(watch, silent_since=watch.heard_until))
    return True


def _darken(rows: Repositories, gateway_id: str, number: int, now: datetime) -> bool:
    heard = rows.records.lock(gateway_id)
    watch = rows.coverage.watches(gateway_id)[number]
    if watch.dark_since is not None or watch.covered_until > now - GRACE:
        return False
    # a gateway that tells of the time since without this camera is alive
    told = heard.heard_until is not None and heard.heard_until - watch.covered_until >= LEAST_HOLE
    cause = Cause.CAMERA_SILENT if told else Cause.NO_RECORDS
    rows.coverage.save(settle(rows.coverage, watch, now, cause=cause))
    return True


def _gaps(rows: Repositories, gateway_id: str, now: datetime) -> int:
    watch, gaps = put_gaps_on_file(rows.records, rows.records.lock(gateway_id), now)
    rows.records.save(watch)
    return len(gaps)
