"""`uriai channels`: how people and police stations are reached."""

from __future__ import annotations

import getpass
import json
import re
from typing import TYPE_CHECKING

import click

from uriai_cli.database import cloud_database
from uriai_cli.errors import CliError

if TYPE_CHECKING:
    from uriai.adapters.database.channels import ChannelListing, Owner
    from uriai.adapters.database.connection import Database

MEDIA = ("slack", "telegram", "email", "kakao")
_ADDRESSES = {
    "slack": (r"[CDGUW][A-Z0-9]{2,20}", "the id of a Slack channel or member, such as C012AB3CD"),
    "telegram": (r"-?[0-9]{1,20}|@[A-Za-z][A-Za-z0-9_]{4,31}", "a Telegram chat's number, or @channel"),
    "email": (r"[^@\s<>,;\"]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+", "an e-mail address"),
    "kakao": (r"[A-Za-z0-9_-]{1,100}", "a botUserKey of the Kakao channel's bot"),
}
"""Medium -> form of its addresses, and what to call it."""


class Clock(click.ParamType[int]):
    """HH:MM as minutes since midnight."""

    name = "HH:MM"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Read it, or say what is wrong."""
        if isinstance(value, int):
            return value
        match = re.fullmatch(r"([01]?\d|2[0-3]):([0-5]\d)", str(value))
        if match is None:
            self.fail(f"{value!r} is no time of day; for example 22:00", param, ctx)
        return int(match[1]) * 60 + int(match[2])


@click.group()
def command() -> None:
    """How people and police stations are reached."""


@command.command("add")
@click.option("--person", help="Whose it is, by name.")
@click.option("--station", help="Or the police station, by name or number.")
@click.option("--medium", required=True, type=click.Choice(MEDIA))
@click.option("--address", required=True, help="; ".join(what for _, what in _ADDRESSES.values()))
@click.option("--lang", type=click.Choice(["ko", "en"]), help="The person's own if not given; ko for a station.")
@click.option(
    "--quiet", nargs=2, type=Clock(), help="From and until: no reviews are told between; pages and reports are."
)
@click.option("--digest", type=Clock(), help="Reviews all together, at that time of the day.")
def add(
    *,
    person: str | None,
    station: str | None,
    medium: str,
    address: str,
    lang: str | None,
    quiet: tuple[int, int] | None,
    digest: int | None,
) -> None:
    """Reach somebody by a medium; an address given before for it is replaced. Times are those of the centre's zone."""
    from uriai.adapters.database.channels import set_channel
    from uriai.domain.person import Language
    from uriai.domain.telling import Hours, Medium
    from uriai.service.ports.clock import SystemClock

    _check_owner(person, station)
    form, what = _ADDRESSES[medium]
    if not re.fullmatch(form, address) or len(address) > 254:
        raise CliError(f"{address!r} is no address for {medium}: it has to be {what}", exit_code=2)
    if quiet is not None and quiet[0] == quiet[1]:
        raise CliError("quiet hours have to begin and end at different times", exit_code=2)
    quiet_from, quiet_until = quiet or (None, None)
    hours = Hours(quiet_from, quiet_until, digest)
    now = SystemClock().now()
    with cloud_database() as database:
        owner = _owner(database, person, station)
        database.run(
            lambda cursor: set_channel(
                cursor, owner, Medium(medium), address, hours, Language(lang) if lang else None, _actor(), now
            )
        )
    click.echo(f"{owner.name} is reached by {medium}.")


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def list_them(as_json: bool) -> None:
    """Print everybody who is reached, and how."""
    from uriai.adapters.database.channels import list_channels

    with cloud_database() as database:
        found = database.run(list_channels)
    for channel in found:
        click.echo(json.dumps(_row(channel), ensure_ascii=False) if as_json else _line(channel))
    if not found and not as_json:
        click.echo("Nobody is reached yet: see `uriai channels add --help`.", err=True)


@command.command("remove")
@click.option("--person", help="Whose it is, by name.")
@click.option("--station", help="Or the police station, by name or number.")
@click.option("--medium", required=True, type=click.Choice(MEDIA))
def remove(person: str | None, station: str | None, medium: str) -> None:
    """Reach somebody by a medium no more. What waits to be sent by it is not sent, which `uriai outbox list` shows."""
    _check_owner(person, station)
    from uriai.adapters.database.channels import remove_channel
    from uriai.domain.telling import Medium
    from uriai.service.ports.clock import SystemClock

    now = SystemClock().now()
    with cloud_database() as database:
        owner = _owner(database, person, station)
        if not database.run(lambda cursor: remove_channel(cursor, owner, Medium(medium), _actor(), now)):
            raise CliError(f"{owner.name} is not reached by {medium}: see `uriai channels list`")
    click.echo(f"{owner.name} is no longer reached by {medium}.")


def _owner(database: Database, person: str | None, station: str | None) -> Owner:
    from uriai.adapters.database.channels import Owner, StationNotFoundError, station_named
    from uriai.adapters.database.people import SqlPeople

    if station is not None:
        try:
            return database.run(lambda cursor: station_named(cursor, station))
        except StationNotFoundError as error:
            raise CliError(str(error)) from error
    found = SqlPeople(database).named(str(person))
    if found is None:
        raise CliError(f"there is nobody called {person}: see `uriai people list`")
    return Owner(found.id, found.name, is_station=False)


def _check_owner(person: str | None, station: str | None) -> None:
    if (person is None) == (station is None):
        raise CliError("say whose channel it is: give either --person or --station", exit_code=2)


def _actor() -> str:
    return f"command line: {getpass.getuser()}"


def _clock(minute: int | None) -> str | None:
    return None if minute is None else f"{minute // 60:02}:{minute % 60:02}"


def _row(channel: ChannelListing) -> dict[str, object]:
    return {
        "owner": channel.owner,
        "station": channel.is_station,
        "medium": channel.medium.value,
        "address": channel.address,
        "language": channel.language.value if channel.language else None,
        "quiet_from": _clock(channel.hours.quiet_from),
        "quiet_until": _clock(channel.hours.quiet_until),
        "digest_at": _clock(channel.hours.digest_at),
    }


def _line(channel: ChannelListing) -> str:
    row = _row(channel)
    quiet = f"  quiet {row['quiet_from']}-{row['quiet_until']}" if row["quiet_from"] else ""
    digest = f"  digest at {row['digest_at']}" if row["digest_at"] else ""
    kind = "station" if channel.is_station else "person"
    return f"{channel.owner} ({kind})  {channel.medium.value}  {channel.address}{quiet}{digest}"
