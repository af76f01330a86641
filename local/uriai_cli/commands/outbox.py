"""`uriai outbox`: what people have been told, and what could not be told."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from uriai_cli.database import cloud_database
from uriai_cli.errors import CliError

if TYPE_CHECKING:
    from uriai.service.ports.telling import OutboxListing

STATES = ("waiting", "queued", "delivered", "failed", "overtaken")


@click.group()
def command() -> None:
    """What people have been told of incidents, what they will be, and what could not be told."""


@command.command("list")
@click.option("--state", "states", multiple=True, type=click.Choice(STATES), help="Only these; may be repeated.")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def list_them(states: tuple[str, ...], limit: int, as_json: bool) -> None:
    """Print the outbox, the latest first."""
    from uriai.adapters.database.transactions import SqlTransactions
    from uriai.service.ports.telling import OutboxState

    chosen = [OutboxState(state) for state in states or STATES]
    with cloud_database() as database:
        found = SqlTransactions(database).run(lambda rows: rows.outbox.listing(chosen, limit))
    for row in found:
        click.echo(json.dumps(_row(row), ensure_ascii=False) if as_json else _line(row))
    if not found and not as_json:
        click.echo("Nothing of the kind is in the outbox.", err=True)


@command.command("retry")
@click.argument("row_id", metavar="ID")
def retry(row_id: str) -> None:
    """Tell what failed once more; ID is the `id` of `uriai outbox list --state failed --json`."""
    from uriai.adapters.database.transactions import SqlTransactions
    from uriai.domain.ulid import Ulid
    from uriai.service.ports.clock import SystemClock

    try:
        wanted = Ulid.parse(row_id)
    except ValueError as error:
        raise CliError(f"{row_id} is no id of the outbox: see `uriai outbox list --json`", exit_code=2) from error
    now = SystemClock().now()
    with cloud_database() as database:
        if not SqlTransactions(database).run(lambda rows: rows.outbox.retry(wanted, now)):
            raise CliError(f"row {row_id} has not failed, or there is nobody to send it to: see `uriai outbox list`")
    click.echo("It is due now, and goes out within a minute.")


def _row(row: OutboxListing) -> dict[str, object]:
    return {
        "id": str(row.id),
        "centre": row.centre,
        "number": row.number,
        "occasion": row.occasion.value,
        "recipient": row.name or None,
        "medium": row.medium.value if row.medium else None,
        "repetition": row.repetition,
        "state": row.state.value,
        "reason": row.reason or None,
        "subject": row.subject,
        "due_at": row.due_at.isoformat(),
        "updated_at": row.updated_at.isoformat(),
    }


def _line(row: OutboxListing) -> str:
    number = f" no. {row.number}" if row.number else ""
    again = f" (repetition {row.repetition})" if row.repetition else ""
    medium = row.medium.value if row.medium else "-"
    reason = f"  {row.reason}" if row.reason else ""
    return (
        f"{row.due_at:%Y-%m-%d %H:%M:%S}  {row.state.value:<9} {row.occasion.value:<10}{again} {medium:<8} "
        f"{row.name or 'NOBODY'}  {row.centre}{number}{reason}"
    )
