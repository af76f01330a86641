"""`uriai review`: the expert's decision on what the rules call ambiguous."""

from __future__ import annotations

import getpass
import json
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import click

from uriai_cli.database import cloud_database
from uriai_cli.errors import CliError

if TYPE_CHECKING:
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

    statuses = tuple(Status) if everything else (Status.PENDING_REVIEW,)
    with cloud_database() as database:
        found = SqlTransactions(database).run(lambda rows: rows.incidents.waiting(statuses, limit))
    for item in found:
        click.echo(json.dumps(_row(item), ensure_ascii=False) if as_json else _line(item))
    if not found and not as_json:
        click.echo("Nothing waits for a decision.", err=True)


@command.command("decide")
@click.argument("number", type=click.IntRange(1))
@click.argument("decision", type=click.Choice(["report", "safe"]))
@click.option("--reason", required=True, help="Why; it is kept in the audit.")
@click.option("--centre", help="The centre's name, needed where several centres have that number.")
@click.option("--json", "as_json", is_flag=True, help="Print the incident as one JSON object.")
def decide(number: int, decision: str, reason: str, centre: str | None, as_json: bool) -> None:
    """Decide that incident NUMBER is a case to report, or that it is safe."""
    from uriai.adapters.database.transactions import SqlTransactions
    from uriai.domain.incident import Decision
    from uriai.service.decide_review import ReviewError, Ruling, decide_review
    from uriai.service.ports.clock import SystemClock

    ruling = Ruling(number, Decision(decision), reason, f"command line: {getpass.getuser()}", centre)
    with cloud_database() as database:
        try:
            item = decide_review(ruling, SqlTransactions(database), SystemClock())
        except ReviewError as error:
            raise CliError(str(error)) from error
    click.echo(json.dumps(_row(item), ensure_ascii=False) if as_json else _line(item))


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
