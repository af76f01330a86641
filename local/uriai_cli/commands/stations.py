"""`uriai stations`: the police stations in charge of regions."""

from __future__ import annotations

import json
from dataclasses import asdict

import click

from uriai_cli.database import cloud_database
from uriai_cli.errors import CliError


@click.group()
def command() -> None:
    """The police stations that reports go to."""


@command.command("add")
@click.argument("name")
@click.option("--region", required=True, help='For example "경기도 수원시"; the station is in charge of all below it.')
@click.option("--phone", default="")
def add(name: str, region: str, phone: str) -> None:
    """Enter the police station NAME, or change the phone of the one there is.

    A centre's reports go to the station of its neighbourhood, else of its district, else of its province. How a station
    is reached is entered with `uriai channels add --station NAME`.
    """
    from uriai.adapters.database.channels import add_station
    from uriai.adapters.database.people import find_region

    if not name.strip() or len(name) > 80:
        raise CliError("a name has to have 1 to 80 characters", exit_code=2)
    with cloud_database() as database:
        region_id = find_region(database, region)
        if region_id is None:
            raise CliError(f"there is no region {region}: `uriai centres list` shows those that centres are in")
        station_id = database.run(lambda cursor: add_station(cursor, name.strip(), region_id, phone))
    click.echo(f"{station_id}  {name.strip()}")


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def list_them(as_json: bool) -> None:
    """Print every police station with its region and how it is reached."""
    from uriai.adapters.database.channels import list_stations

    with cloud_database() as database:
        found = database.run(list_stations)
    for station in found:
        if as_json:
            click.echo(json.dumps(asdict(station), ensure_ascii=False))
        else:
            reached = ", ".join(station.media) or "NO CHANNEL"
            click.echo(f"{station.id:>5}  {station.name}  {station.region}  {station.phone or '-'}  {reached}")
