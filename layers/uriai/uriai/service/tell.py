"""Puts into the outbox what people have to be told, in the transaction in which there comes to be something to tell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

from uriai.domain.centre import Centre
from uriai.domain.incident import Incident
from uriai.domain.person import Language
from uriai.domain.telling import Audience, Occasion, audiences, due_at, missing, occasion_of
from uriai.domain.ulid import Ulid
from uriai.domain.words import Status
from uriai.service.ports.repositories import Repositories
from uriai.service.ports.telling import Channel, NewOutboxRow, PoliceReportStatus, Recipient
from uriai.service.tidings import Tidings, message

ACTOR = "telling"
"""Who did it, in the audit."""
NOBODY = "nobody"
"""The recipient of a row that there is nobody to send to."""
NO_CHANNEL = (
    "no operator can be reached either: enter one with `uriai people add`, and a way to reach them with "
    "`uriai channels add`"
)
_POLICE = {Status.DISPATCHED: PoliceReportStatus.DISPATCHED, Status.CLOSED: PoliceReportStatus.CLOSED}


def tell(
    rows: Repositories,
    centre: Centre,
    camera_number: int,
    incident: Incident,
    *,
    before: Incident | None,
    now: datetime,
) -> None:
    """Put what an incident's change has people told of into the outbox, inside the caller's transaction.

    Whoever tells the same twice, in parallel too, tells it once: the outbox has a unique key.

    Parameters
    ----------
    incident:
        As it is now, its row written.
    before:
        As it was before the change, None if it was opened.
    """
    if incident.status in _POLICE:
        rows.police_reports.move(incident.id, _POLICE[incident.status], now)
    occasion = occasion_of(before, incident)
    if occasion is None:
        return
    tidings = tidings_of(rows, centre, camera_number, incident)
    if occasion is Occasion.REPORTED:
        tidings = _reported(rows, tidings, incident, now)
    announce(rows, tidings, occasion, withheld=rows.outbox.withheld(incident.id), now=now)


def tidings_of(rows: Repositories, centre: Centre, camera_number: int, incident: Incident) -> Tidings:
    """What there is to tell of an incident."""
    return Tidings(
        about=f"incident:{incident.id}",
        centre=centre,
        place=rows.outbox.place(centre.id),
        camera_number=camera_number,
        started_at=incident.started_at,
        ended_at=incident.ended_at,
        incident=incident,
    )


def announce(rows: Repositories, tidings: Tidings, occasion: Occasion, *, withheld: bool, now: datetime) -> None:
    """Put a row for everybody whom the occasion concerns; the operators are told which of them cannot be reached."""
    for audience in audiences(occasion, withheld=withheld):
        recipients = rows.outbox.recipients(audience, tidings.centre.id)
        if _put(rows, tidings, occasion, audience, recipients, now):
            continue
        unreached = missing(audience) or occasion
        operators = rows.outbox.recipients(Audience.OPERATOR, tidings.centre.id)
        if audience is Audience.OPERATOR or not _put(rows, tidings, unreached, Audience.OPERATOR, operators, now):
            rows.outbox.add(_row(tidings, unreached, Audience.OPERATOR, NOBODY, None, now), now)


def _reported(rows: Repositories, tidings: Tidings, incident: Incident, now: datetime) -> Tidings:
    """File the report to the police; the tidings then name the station that can be told, if there is one."""
    stations = rows.outbox.recipients(Audience.STATION, tidings.centre.id)
    station = stations[0] if stations else None
    rows.police_reports.add(incident.id, int(station.key.partition(":")[2]) if station else None, now)
    rows.audit.add(
        now, ACTOR, "police_report.before_dispatch", tidings.about,
        {"number": incident.number, "station": station.name if station else None},
    )  # fmt: skip
    return replace(tidings, station=station.name if station and station.channels else None)


def _put(
    rows: Repositories,
    tidings: Tidings,
    occasion: Occasion,
    audience: Audience,
    recipients: Sequence[Recipient],
    now: datetime,
) -> bool:
    """Put a row for every channel of everybody; whether there was one."""
    told = [(recipient, channel) for recipient in recipients for channel in recipient.channels]
    for recipient, channel in told:
        rows.outbox.add(_row(tidings, occasion, audience, recipient.key, channel, now), now)
    return bool(told)


def _row(
    tidings: Tidings, occasion: Occasion, audience: Audience, recipient: str, channel: Channel | None, now: datetime
) -> NewOutboxRow:
    language = channel.language if channel else Language.KOREAN
    subject, body = message(language, tidings, occasion, audience, now)
    return NewOutboxRow(
        id=Ulid.new(now),
        about=tidings.about,
        incident_id=tidings.incident.id if tidings.incident else None,
        centre_id=tidings.centre.id,
        occasion=occasion,
        recipient=recipient,
        channel=channel,
        subject=subject,
        body=body,
        due_at=due_at(occasion, channel.hours, now, ZoneInfo(tidings.centre.time_zone)) if channel else now,
        reason="" if channel else NO_CHANNEL,
    )
