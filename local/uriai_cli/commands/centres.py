"""`uriai centres`: the daycare centres."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any
from zoneinfo import ZoneInfo

import click

from uriai_cli.database import cloud_database


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
                f"{centre.cameras} cameras  {centre.time_zone}  auto report: {reporting}"
            )
