"""`uriai review`: the expert's decision on what the rules call ambiguous."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import click

from uriai_cli.database import actor_of, cloud_database, person_called
from uriai_cli.errors import CliError

if TYPE_CHECKING:
    from uriai.adapters.database.connection import Database
    from uriai.domain.person import Person
    from uriai.service.ports.repositories import ReviewItem


@click.group()
def command() -> None:
    """The incidents that wait for an expert, and the expert's decision."""


@command.command("list")
@click.option("--all", "everything", is_flag=True, help="Also what has been decided.")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def list_them(everything: bool, limit: int, as_json: bool) -> None:
    """Print what waits for a decision, the gravest and most certain first."""
    from uriai.adapters.database.transactions import SqlTransactions
    from uriai.domain.words import Status
    from uriai.service.count_of_day import waiting_incidents

    statuses = tuple(Status) if everything else (Status.PENDING_REVIEW,)
    with cloud_database() as database:
        found = waiting_incidents(statuses, limit, SqlTransactions(database))
    for item, of_day in found:
        click.echo(
            json.dumps({**_row(item), "of_day": of_day}, ensure_ascii=False)
            if as_json
            else f"{_line(item)}  ({of_day} of its day)"
        )
    if not found and not as_json:
        click.echo("Nothing waits for a decision.", err=True)


_reason = click.option("--reason", required=True, help="Why; it is kept in the audit.")
_centre = click.option("--centre", help="The centre's name, needed where several centres have that number.")
_as_person = click.option(
    "--as",
    "person",
    metavar="PERSON",
    help="Who does it: their role and scope are checked. Else whoever runs the cloud.",
)
_json_option = click.option("--json", "as_json", is_flag=True, help="Print the incident as one JSON object.")


@command.command("decide")
@click.argument("number", type=click.IntRange(1))
@click.argument("decision", type=click.Choice(["report", "safe"]))
@_reason
@_centre
@_as_person
@_json_option
def decide(number: int, decision: str, reason: str, centre: str | None, person: str | None, as_json: bool) -> None:
    """Decide that incident NUMBER is a case to report, or that it is safe."""
    from uriai.adapters.database.transactions import SqlTransactions
    from uriai.domain.incident import Decision
    from uriai.service.decide_review import Ruling, decide_review
    from uriai.service.ports.clock import SystemClock

    with _told(person) as (database, speaker):
        ruling = Ruling(number, Decision(decision), reason, actor_of(speaker), centre, speaker)
        item = decide_review(ruling, SqlTransactions(database), SystemClock())
    click.echo(json.dumps(_row(item), ensure_ascii=False) if as_json else _line(item))


@command.command("take")
@click.argument("number", type=click.IntRange(1))
@_centre
@_as_person
@_json_option
def take(number: int, centre: str | None, person: str | None, as_json: bool) -> None:
    """Say that you see to incident NUMBER: nobody is paged for it for four hours, unless it is decided before."""
    from uriai.adapters.database.transactions import SqlTransactions
    from uriai.service.decide_review import Named
    from uriai.service.ports.clock import SystemClock
    from uriai.service.take_review import take_review

    with _told(person) as (database, speaker):
        named = Named(number, "", actor_of(speaker), centre, speaker)
        item = take_review(named, SqlTransactions(database), SystemClock())
    click.echo(json.dumps(_row(item), ensure_ascii=False) if as_json else _line(item))


@command.command("move")
@click.argument("number", type=click.IntRange(1))
@click.argument("status", type=click.Choice(["dispatched", "closed", "resolved"]))
@_reason
@_centre
@_as_person
@_json_option
def move(number: int, status: str, reason: str, centre: str | None, person: str | None, as_json: bool) -> None:
    """Say that the police went (dispatched), that a case is closed, or that a tamper incident is resolved."""
    from uriai.adapters.database.transactions import SqlTransactions
    from uriai.domain.words import Status
    from uriai.service.decide_review import Named, move_incident
    from uriai.service.ports.clock import SystemClock

    with _told(person) as (database, speaker):
        named = Named(number, reason, actor_of(speaker), centre, speaker)
        item = move_incident(named, Status(status), SqlTransactions(database), SystemClock())
    click.echo(json.dumps(_row(item), ensure_ascii=False) if as_json else _line(item))


@command.command("withhold")
@click.argument("number", type=click.IntRange(1))
@_reason
@_centre
@_as_person
@click.option("--undo", is_flag=True, help="Show it to the director again, it alone.")
def withhold(number: int, reason: str, centre: str | None, person: str | None, undo: bool) -> None:
    """Hide incident NUMBER, with all it is linked to, from the directors of its centre."""
    from uriai.adapters.database.transactions import SqlTransactions
    from uriai.service.decide_review import Named, withhold_from_director
    from uriai.service.ports.clock import SystemClock

    with _told(person) as (database, speaker):
        named = Named(number, reason, actor_of(speaker), centre, speaker)
        changed = withhold_from_director(named, not undo, SqlTransactions(database), SystemClock())
    told = ", ".join(map(str, changed)) or "nothing: it was so already"
    click.echo(f"{'Shown to the director again' if undo else 'Withheld from the director'}: {told}.")


@contextmanager
def _told(person: str | None) -> Iterator[tuple[Database, Person | None]]:
    """The cloud's database and who speaks; what is refused is said in one sentence."""
    from uriai.domain.incident import IllegalTransitionError
    from uriai.service.authorise import NotAllowedError
    from uriai.service.decide_review import ReviewError

    with cloud_database() as database:
        try:
            yield database, person_called(database, person) if person else None
        except (ReviewError, IllegalTransitionError, NotAllowedError) as error:
            raise CliError(str(error)) from error


def _row(item: ReviewItem) -> dict[str, Any]:
    incident, zone = item.incident, ZoneInfo(item.centre.time_zone)
    return {
        "number": incident.number,
        "centre": item.centre.name,
        "camera": item.camera_number,
        "kind": incident.kind.value,
        "verdict": incident.verdict.value,
        "status": incident.status.value,
        "started_at": incident.started_at.astimezone(zone).isoformat(timespec="milliseconds"),
        "ended_at": incident.ended_at.astimezone(zone).isoformat(timespec="milliseconds"),
        "confidence": incident.confidence,
        "unverified": incident.unverified,
    }


def _line(item: ReviewItem) -> str:
    row = _row(item)
    zone = ZoneInfo(item.centre.time_zone)
    start = item.incident.started_at.astimezone(zone)
    end = item.incident.ended_at.astimezone(zone)
    flag = "  UNVERIFIED" if row["unverified"] else ""
    return (
        f"{row['number']:>5}  {row['status']:<14} {row['kind']:<9} {row['verdict']:<6} {row['confidence']:.3f}  "
        f"{start:%Y-%m-%d %H:%M:%S}-{end:%H:%M:%S}  {row['centre']} CCTV {row['camera']}{flag}"
    )
