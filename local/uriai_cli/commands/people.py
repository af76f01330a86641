"""`uriai people`: who may ask the chatbot."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from uriai_cli.database import actor_of, cloud_database, person_called
from uriai_cli.errors import CliError

if TYPE_CHECKING:
    from uriai.adapters.database.connection import Database
    from uriai.service.ports.chat import PersonListing

ROLES = ("director", "policy_officer", "expert", "police_liaison", "operator")


@click.group()
def command() -> None:
    """The people who may ask the chatbot."""


@command.command("add")
@click.argument("name")
@click.option("--role", required=True, type=click.Choice(ROLES))
@click.option("--centre", "centres", multiple=True, help="A director's centre, by name or number; may be repeated.")
@click.option(
    "--region",
    "regions",
    multiple=True,
    help='The region of an officer, expert or liaison, for example "경기도 수원시 영통동"; may be repeated.',
)
@click.option("--lang", type=click.Choice(["ko", "en"]), default="ko", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def add(*, name: str, role: str, centres: tuple[str, ...], regions: tuple[str, ...], lang: str, as_json: bool) -> None:
    """Add NAME; print their bearer token and their enrolment code for a chat. Neither is shown again.

    The token is also noted in people.json beside the local cloud's state, for `uriai ask --as NAME`.
    """
    from uriai.adapters.database.people import SqlPeople
    from uriai.domain.person import Language
    from uriai.domain.words import Role
    from uriai.service.enrol_person import enrol_person
    from uriai.service.ports.chat import NewPerson, PersonExistsError
    from uriai.service.ports.clock import SystemClock
    from uriai_cli import tokens

    if not name.strip() or len(name) > 80:
        raise CliError("a name has to have 1 to 80 characters", exit_code=2)
    _check_scope(role, centres, regions)
    with cloud_database() as database:
        new = NewPerson(
            name.strip(), Role(role), Language(lang), _centres(database, centres), _regions(database, regions)
        )
        try:
            given = enrol_person(new, SqlPeople(database), SystemClock(), actor_of(None))
        except PersonExistsError as error:
            raise CliError(str(error)) from error
    tokens.note(given.person.name, given.token)
    if as_json:
        click.echo(
            json.dumps(
                {
                    "name": given.person.name,
                    "role": role,
                    "token": given.token,
                    "code": given.code,
                    "code_expires_at": given.code_expires_at.isoformat(),
                },
                ensure_ascii=False,
            )
        )
        return
    click.echo(f"{given.person.name} may ask as {role}.")
    click.echo(f"bearer token: {given.token}")
    click.echo(f"enrolment code for a chat: {given.code} (once, until {given.code_expires_at:%Y-%m-%d %H:%M} UTC)")


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def list_them(as_json: bool) -> None:
    """Print everybody, with what they may see."""
    from uriai.adapters.database.people import SqlPeople

    with cloud_database() as database:
        found = SqlPeople(database).listing()
    for listing in found:
        click.echo(_json(listing) if as_json else _line(listing))
    if not found and not as_json:
        click.echo("Nobody may ask yet: add somebody with `uriai people add`.", err=True)


@command.command("disable")
@click.argument("name")
def disable(name: str) -> None:
    """Take all rights away from NAME: tokens, codes, links and chats stop at once."""
    from uriai.adapters.database.people import SqlPeople
    from uriai.service.ports.clock import SystemClock
    from uriai_cli import tokens

    with cloud_database() as database:
        people = SqlPeople(database)
        people.disable(person_called(database, name), actor_of(None), SystemClock().now())
    tokens.forget(name)
    click.echo(f"{name} may no longer ask.")


@command.command("token")
@click.argument("name")
def token(name: str) -> None:
    """Give NAME a new bearer token and a new enrolment code; the older token stops at once."""
    from uriai.adapters.database.people import SqlPeople
    from uriai.service.enrol_person import new_code, new_token
    from uriai.service.ports.clock import SystemClock
    from uriai_cli import tokens

    with cloud_database() as database:
        people = SqlPeople(database)
        person = person_called(database, name)
        given = new_token(person, people, SystemClock(), actor_of(None))
        code, expires_at = new_code(person, people, SystemClock(), actor_of(None))
    tokens.note(person.name, given)
    click.echo(f"bearer token: {given}")
    click.echo(f"enrolment code for a chat: {code} (once, until {expires_at:%Y-%m-%d %H:%M} UTC)")


def _check_scope(role: str, centres: tuple[str, ...], regions: tuple[str, ...]) -> None:
    """Refuse a scope that the role does not use: whoever typed it meant something else."""
    if role == "director" and (regions or not centres):
        raise CliError("a director has centres: give --centre, and no --region", exit_code=2)
    if role in {"policy_officer", "expert", "police_liaison"} and (centres or not regions):
        raise CliError(f"a {role} has regions: give --region, and no --centre", exit_code=2)
    if role == "operator" and (centres or regions):
        raise CliError("an operator sees every centre: give neither --centre nor --region", exit_code=2)


def _centres(database: Database, names: tuple[str, ...]) -> tuple[int, ...]:
    from uriai.adapters.database.centres import CentreNotFoundError, centre_of

    try:
        return tuple(database.run(lambda cursor, name=name: centre_of(cursor, name)) for name in names)  # type: ignore[misc]
    except CentreNotFoundError as error:
        raise CliError(str(error)) from error


def _regions(database: Database, names: tuple[str, ...]) -> tuple[int, ...]:
    from uriai.adapters.database.people import find_region

    found = []
    for name in names:
        region = find_region(database, name)
        if region is None:
            raise CliError(f"there is no region {name}: `uriai centres list` shows those that centres are in")
        found.append(region)
    return tuple(found)


def _json(listing: PersonListing) -> str:
    return json.dumps(
        {
            "name": listing.person.name,
            "role": listing.person.role.value,
            "language": listing.person.language.value,
            "centres": list(listing.centres),
            "regions": list(listing.regions),
            "chats": list(listing.platforms),
            "tokens": listing.tokens,
            "disabled_at": listing.disabled_at.isoformat() if listing.disabled_at else None,
        },
        ensure_ascii=False,
    )


def _line(listing: PersonListing) -> str:
    scope = ", ".join((*listing.centres, *listing.regions)) or (
        "every centre" if listing.person.role.value == "operator" else "nothing"
    )
    state = f"disabled {listing.disabled_at:%Y-%m-%d}" if listing.disabled_at else f"{listing.tokens} token"
    chats = f"; chats: {', '.join(listing.platforms)}" if listing.platforms else ""
    return f"{listing.person.name}  {listing.person.role.value}  {scope}  ({state}{chats})"
