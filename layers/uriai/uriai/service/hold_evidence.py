"""Puts evidence of reported incidents under Object Lock and legal hold, so that nobody deletes it; `watch` calls it.

It looks at what incidents are instead of waiting to be told, so nothing is forgotten, and what fails is tried again a
minute later. Nothing here ever releases a hold.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from uriai.service.ports.clock import Clock
from uriai.service.ports.holds import HoldRefusedError, Holds, Locks

LOCKED_FOR = timedelta(days=365)
"""Beside the legal hold, so that lifting a hold by mistake deletes nothing at once."""
AT_ONCE = 100
GIVE_UP_AFTER = 5
"""Refusals in a row: then it is the store that fails, and not an incident's objects."""


@dataclass(frozen=True, slots=True)
class Holding:
    """How many incidents' evidence is held now that was not, and the numbers of those where that failed."""

    held: int
    refused: tuple[int, ...]


def hold_evidence(holds: Holds, locks: Locks, clock: Clock, stop: Callable[[], bool] = lambda: False) -> Holding:
    """Hold what is due, at most `AT_ONCE` incidents' evidence; what is refused stays due and says why.

    ``stop`` says when time is up, asked before each incident: what is left over stays due.
    """
    held, refused, in_row = 0, [], 0
    for due in holds.due(AT_ONCE):
        if stop():
            break
        try:
            for key in due.keys:
                locks.hold(key, clock.now() + LOCKED_FOR)
        except HoldRefusedError as error:
            holds.refused(due, str(error))
            refused.append(due.number)
            in_row += 1
            if in_row == GIVE_UP_AFTER:
                break
        else:
            holds.held(due, clock.now())
            held, in_row = held + 1, 0
    return Holding(held, tuple(refused))
