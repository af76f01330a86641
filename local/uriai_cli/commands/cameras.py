"""`uriai cameras`: the cameras of a gateway, entered by a person."""

from __future__ import annotations

import click

from uriai_cli.commands.gateways import GATEWAY
from uriai_cli.database import cloud_database
from uriai_cli.errors import CliError


@click.group()
def command() -> None:
    """The cameras of a gateway."""


@command.command("add")
@click.argument("gateway", type=GATEWAY)
@click.argument("number", type=click.IntRange(1, 65535))
@click.option("--name", default="", help="What people call it, for example 햇살반.")
def add(gateway: str, number: int, name: str) -> None:
    """Enter camera NUMBER of GATEWAY (CCTV n호기), also one that has sent clips before anybody entered it."""
    from uriai.adapters.database.centres import CentreNotFoundError, add_camera
    from uriai.service.ports.clock import SystemClock

    now = SystemClock().now()
    with cloud_database() as database:
        try:
            database.run(lambda cursor: add_camera(cursor, gateway, number, name, now))
        except CentreNotFoundError as error:
            raise CliError(str(error)) from error
    click.echo(f"{gateway} camera {number}  {name}".rstrip())
