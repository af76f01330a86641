"""Has people told of holes in the coverage and of what is wrong with gateways' records.

`watch` calls it after it has put them on file.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from uriai.domain.telling import Occasion
from uriai.service.ports.clock import Clock
from uriai.service.ports.repositories import Repositories, Transactions
from uriai.service.tell import announce
from uriai.service.tidings import Tidings

FRESH = timedelta(days=1)
"""What was found longer ago is history: nobody was told of it because nobody could be, or the system was new."""
AT_ONCE = 100
"""Told of in one transaction; there are more until nothing is left."""


def tell_holes(
    transactions: Transactions, clock: Clock, stop: Callable[[], bool] = lambda: False, at_once: int = AT_ONCE
) -> int:
    """Put everybody to tell of every hole on file that nobody was told of into the outbox; how many holes.

    Those that are due together go to one person in one message, so a gateway that dies is one message and not sixteen.
    ``stop`` says when time is up; what is left over comes first in the next round.
    """
    now = clock.now()
    return _until_told(transactions, stop, lambda rows: _holes(rows, now, at_once))


def tell_troubles(
    transactions: Transactions, clock: Clock, stop: Callable[[], bool] = lambda: False, at_once: int = AT_ONCE
) -> int:
    """The same of records that did not come or contradict each other, and of wrong clocks; how many troubles.

    One of each kind a gateway and day, however many records: a gateway that was put back to an older state forks with
    everything that it sends.
    """
    now = clock.now()
    return _until_told(transactions, stop, lambda rows: _troubles(rows, now, at_once))


def _until_told(transactions: Transactions, stop: Callable[[], bool], some: Callable[[Repositories], int]) -> int:
    told = 0
    while not stop() and (more := transactions.run(some)):
        told += more
    return told


def _holes(rows: Repositories, now: datetime, at_once: int) -> int:
    holes = rows.outbox.untold_holes(now - FRESH, at_once)
    for hole in holes:
        tidings = Tidings(
            about=hole.about,
            centre=hole.centre,
            place=rows.outbox.place(hole.centre.id),
            camera_number=hole.camera_number,
            started_at=hole.began_at,
            ended_at=hole.ended_at,
        )
        announce(rows, tidings, Occasion.HOLE, withheld=False, now=now)
    return len(holes)


def _troubles(rows: Repositories, now: datetime, at_once: int) -> int:
    troubles = rows.outbox.untold_troubles(now - FRESH, at_once)
    for trouble in troubles:
        tidings = Tidings(
            about=trouble.about,
            centre=trouble.centre,
            place=rows.outbox.place(trouble.centre.id),
            camera_number=None,
            started_at=trouble.since,
            ended_at=trouble.until,
            trouble=trouble,
        )
        announce(rows, tidings, Occasion.RECORDS, withheld=False, now=now)
    return len(troubles)
