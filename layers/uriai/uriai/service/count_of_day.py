"""How manieth incident of its day one is: the daily running count, which a late clip may change."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from uriai.domain.incident import day_bounds, running_counts
from uriai.domain.person import Language, Person
from uriai.domain.ulid import Ulid
from uriai.domain.words import Status
from uriai.service import phrases
from uriai.service.ports.chat import IncidentView, Questions
from uriai.service.ports.repositories import Repositories, ReviewItem, Transactions


def counted_details(
    language: Language, incident: IncidentView, now: datetime, person: Person, questions: Questions
) -> str:
    """Several lines on an incident, with its place among those of its centre and day that the person may see.

    What is hidden from somebody leaves no hole in what they count.
    """
    day = _day(incident.started_at, incident.centre.time_zone)
    counts = running_counts(questions.begun(person, incident.centre.id, day))
    # None where it was hidden, or merged, this moment
    return phrases.details(language, incident, now, counts.get(incident.id))


def waiting_incidents(
    statuses: tuple[Status, ...], limit: int, transactions: Transactions
) -> tuple[tuple[ReviewItem, int], ...]:
    """Incidents in these statuses, the most urgent first, each with its place among all of its centre and day."""

    def work(rows: Repositories) -> tuple[tuple[ReviewItem, int], ...]:
        counts: dict[tuple[int, tuple[datetime, datetime]], dict[Ulid, int]] = {}
        found = []
        for item in rows.incidents.waiting(statuses, limit):
            day = _day(item.incident.started_at, item.centre.time_zone)
            key = (item.centre.id, day)
            if key not in counts:
                counts[key] = running_counts(rows.incidents.between(item.centre.id, *day))
            if item.incident.id in counts[key]:
                found.append((item, counts[key][item.incident.id]))
        return tuple(found)

    return transactions.run(work)


def _day(instant: datetime, zone_name: str) -> tuple[datetime, datetime]:
    zone = ZoneInfo(zone_name)
    return day_bounds(instant.astimezone(zone).date(), zone)
