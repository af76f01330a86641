"""Has people told that nothing is recorded: by one camera, or by a gateway as a whole."""

from __future__ import annotations

from datetime import datetime

from uriai.domain.centre import Centre, Gateway
from uriai.domain.coverage import GRACE
from uriai.domain.identity import silence_id
from uriai.domain.telling import Occasion
from uriai.service.ports.records import Hole
from uriai.service.ports.repositories import Repositories
from uriai.service.tell import announce
from uriai.service.tidings import Tidings


def tell_hole(rows: Repositories, centre: Centre, camera_number: int, hole: Hole, now: datetime) -> None:
    """Put a hole that nobody knew of into the outbox, once.

    One that is over and was shorter than `GRACE` is on file and in answers, but nobody is called for it.
    """
    if hole.ended_at is not None and hole.ended_at - hole.began_at < GRACE:
        return
    _announce(rows, centre, camera_number, f"hole:{hole.id}", hole.began_at, hole.ended_at, now)


def tell_silence(rows: Repositories, gateway: Gateway, since: datetime, now: datetime) -> None:
    """Put into the outbox, once, that no camera of the gateway is known to record: one message and not one a camera."""
    _announce(rows, gateway.centre, None, f"silence:{silence_id(gateway.id, since)}", since, None, now)


def _announce(
    rows: Repositories,
    centre: Centre,
    camera_number: int | None,
    about: str,
    began_at: datetime,
    ended_at: datetime | None,
    now: datetime,
) -> None:
    tidings = Tidings(
        about=about,
        centre=centre,
        place=rows.outbox.place(centre.id),
        camera_number=camera_number,
        started_at=began_at,
        ended_at=ended_at,
    )
    announce(rows, tidings, Occasion.HOLE, withheld=False, now=now)
