"""`uriai centres`: the daycare centres."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any
from zoneinfo import ZoneInfo

import click

from uriai.domain.retention import LEAST_DAYS, MOST_DAYS
from uriai_cli.database import actor_of, cloud_database
from uriai_cli.errors import CliError


def _zone(_ctx: click.Context, _param: click.Parameter, value: Any) -> str:
    try:
        ZoneInfo(value)
    except (KeyError, ValueError, OSError) as error:
        raise click.BadParameter(f"{value!r} is no time zone; for example Asia/Seoul") from error
    return str(value)


@click.group()
def command() -> None:
    """The daycare centres."""


@command.command("add")
@click.argument("name")
@click.option(
    "--region", required=True, nargs=2, metavar="PROVINCE DISTRICT", help="For example: --region 경기도 수원시"
)
@click.option("--neighbourhood", default="", help="For example: 영통동")
@click.option("--address", default="")
@click.option("--phone", default="")
@click.option("--time-zone", default="Asia/Seoul", show_default=True, callback=_zone)
@click.option(
    "--auto-report",
    type=click.Choice(["on", "confirm"]),
    default="confirm",
    show_default=True,
    help="on: what the rules call a report is reported without a person; confirm: an expert decides first.",
)
def add(
    *,
    name: str,
    region: tuple[str, str],
    neighbourhood: str,
    address: str,
    phone: str,
    time_zone: str,
    auto_report: str,
) -> None:
    """Add a centre called NAME, or change phone, zone and reporting of the one there is."""
    from uriai.adapters.database.centres import NewCentre, add_centre
    from uriai.service.ports.clock import SystemClock

    centre = NewCentre(
        name=name,
        province=region[0],
        district=region[1],
        neighbourhood=neighbourhood,
        address=address,
        phone=phone,
        time_zone=time_zone,
        auto_report=auto_report == "on",
    )
    now = SystemClock().now()
    with cloud_database() as database:
        centre_id = database.run(lambda cursor: add_centre(cursor, centre, now))
    click.echo(f"{centre_id}  {name}")


@command.command("retention")
@click.argument("name")
@click.argument("days", type=click.IntRange(LEAST_DAYS, MOST_DAYS))
@click.option("--reason", required=True, help="Why; it is kept in the audit.")
def retention(name: str, days: int, reason: str) -> None:
    """Keep the clips of the centre NAME (or of that number) for DAYS from their arrival; the law asks for 60.

    It holds for what is there already as well: with fewer days than before, more goes tonight. `uriai retention
    --dry-run` says what.
    """
    from uriai.adapters.database.centres import CentreNotFoundError, centre_of, set_retention
    from uriai.service.ports.clock import SystemClock

    now = SystemClock().now()
    with cloud_database() as database:
        try:
            before = database.run(
                lambda cursor: set_retention(cursor, centre_of(cursor, name), days, actor_of(None), reason, now)
            )
        except (CentreNotFoundError, ValueError) as error:
            raise CliError(str(error)) from error
    click.echo(f"{days} days for {name}, {before} before")


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def list_them(as_json: bool) -> None:
    """Print every centre with its region, gateways and cameras."""
    from uriai.adapters.database.centres import list_centres

    with cloud_database() as database, database.transaction() as cursor:
        found = list_centres(cursor)
    for centre in found:
        if as_json:
            click.echo(json.dumps(asdict(centre), ensure_ascii=False))
        else:
            reporting = "on" if centre.auto_report else "confirm"
            click.echo(
                f"{centre.id:>5}  {centre.name}  {centre.region}  {centre.gateways} gateways  "
                f"{centre.cameras} cameras  {centre.time_zone}  auto report: {reporting}  "
                f"clips kept for {centre.retention_days} days"
            )
