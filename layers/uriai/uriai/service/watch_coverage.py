"""Finds what nobody sends: gateways that fell silent, cameras without coverage, also those that never had any, numbers
that did not come.

`watch` calls it every minute. Each gateway and camera is looked at in a transaction of its own, behind the gateway's
lock, so that a record that arrives meanwhile is either seen or waits.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from uriai.domain.coverage import GRACE, INSTALLED_WITHIN, LEAST_HOLE
from uriai.domain.record import SEQUENCE_GRACE
from uriai.service.file_record import put_gaps_on_file
from uriai.service.ports.clock import Clock
from uriai.service.ports.records import CameraWatch, Cause, Unheard
from uriai.service.ports.repositories import Repositories, Transactions
from uriai.service.settle_coverage import settle

AT_ONCE = 100
"""Rows of a kind taken up in one look; there are more looks until none is left."""


@dataclass(frozen=True, slots=True)
class CoverageWatch:
    """What watching needs of the outside; ``stop`` says when time is up, asked before each gateway and camera."""

    transactions: Transactions
    clock: Clock
    stop: Callable[[], bool] = lambda: False
    at_once: int = AT_ONCE


@dataclass(frozen=True, slots=True)
class Watching:
    """What one round found that was not on file: gateways now silent, cameras now dark, gaps in sequences.

    ``finished``: it saw all before its time was up.
    """

    silent: tuple[str, ...]
    dark: tuple[tuple[str, int], ...]
    gaps: int
    finished: bool = True


def watch_coverage(outside: CoverageWatch) -> Watching:
    """Look once at everything that is overdue, and put it on file, as far as there is time.

    The kinds take turns, so that none waits for the end of another; what is left over is the first thing that the
    next round looks at, because it is overdue for longest.

    Raises
    ------
    Exception
        What may pass with time (database): the next minute's round does it again.
    """
    now, run = outside.clock.now(), outside.transactions.run
    silent: list[str] = []
    dark: list[tuple[str, int]] = []
    gaps = 0
    looked = True
    while looked and not outside.stop():
        looked = False
        for name in run(lambda rows: rows.records.silent(now - GRACE, outside.at_once)):
            if outside.stop():
                break
            looked = True
            silent += [name] if run(partial(_silence, gateway_id=name, now=now)) else []
        for camera in run(lambda rows: rows.coverage.unheard(now - INSTALLED_WITHIN, outside.at_once)):
            if outside.stop():
                break
            looked = True
            run(partial(_expect, camera=camera))
        for name, number in run(lambda rows: rows.coverage.dark(now - GRACE, outside.at_once)):
            if outside.stop():
                break
            looked = True
            dark += [(name, number)] if run(partial(_darken, gateway_id=name, number=number, now=now)) else []
        for name in run(lambda rows: rows.records.gapped(now - SEQUENCE_GRACE, outside.at_once)):
            if outside.stop():
                break
            looked = True
            gaps += run(partial(_gaps, gateway_id=name, now=now))
    return Watching(tuple(silent), tuple(dark), gaps, finished=not looked)


def _silence(rows: Repositories, gateway_id: str, now: datetime) -> bool:
    watch = rows.records.lock(gateway_id)
    if watch.silent_since or watch.heard_until is None or watch.heard_until > now - GRACE:
        # a record came between the look and the lock
        return False
    rows.records.save(replace(watch, silent_since=watch.heard_until))
    return True


def _expect(rows: Repositories, camera: Unheard) -> None:
    """Expect coverage of a camera since it was entered: what it did not send since is a hole like any other's."""
    rows.records.lock(camera.gateway_id)
    if camera.number not in rows.coverage.watches(camera.gateway_id):
        rows.gateways.lock_camera(camera.camera_id)
        rows.coverage.save(CameraWatch(camera.camera_id, camera.since, camera.since, camera.since))


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
