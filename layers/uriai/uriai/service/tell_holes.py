"""Has people told of holes in the coverage. `watch` calls it after it has put them on file."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from uriai.domain.telling import Occasion
from uriai.service.ports.clock import Clock
from uriai.service.ports.repositories import Repositories, Transactions
from uriai.service.tell import announce
from uriai.service.tidings import Tidings

FRESH = timedelta(days=1)
"""A hole found longer ago is history: nobody was told of it because nobody could be, or the system was new."""
AT_ONCE = 100
"""Holes of one transaction; there are more until none is left."""


def tell_holes(
    transactions: Transactions, clock: Clock, stop: Callable[[], bool] = lambda: False, at_once: int = AT_ONCE
) -> int:
    """Put everybody to tell of every hole on file that nobody was told of into the outbox; how many holes.

    Those that are due together go to one person in one message, so a gateway that dies is one message and not sixteen.
    ``stop`` says when time is up; what is left over comes first in the next round.
    """
    now, told = clock.now(), 0
    while not stop():
        some = transactions.run(lambda rows: _tell(rows, now, at_once))
        if not some:
            break
        told += some
    return told


def _tell(rows: Repositories, now: datetime, at_once: int) -> int:
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
