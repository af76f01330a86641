"""What the commands that work on the database share: the cloud's connection, and failures told in one sentence."""

from __future__ import annotations

import getpass
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from uriai_cli.errors import CliError

if TYPE_CHECKING:
    from uriai.adapters.database.connection import Database
    from uriai.domain.person import Person


@contextmanager
def cloud_database() -> Iterator[Database]:
    """The running cloud's database, with the operator's credentials.

    Raises
    ------
    CloudNotRunning
        If the cloud does not run.
    CliError
        If its database cannot be reached.
    """
    import pymysql

    from uriai.adapters.database.connection import Database
    from uriai_cloud import state

    database = Database(state.load().connect)
    try:
        database.connection()
    except pymysql.MySQLError as error:
        raise CliError(f"the database does not answer ({error}): see `uriai status`") from error
    try:
        yield database
    finally:
        database.close()


def person_called(database: Database, name: str) -> Person:
    """Who is enrolled under that name.

    Raises
    ------
    CliError
        If there is nobody, or they may no longer ask.
    """
    from uriai.adapters.database.people import SqlPeople

    person = SqlPeople(database).named(name)
    if person is None:
        raise CliError(f"there is nobody called {name} who may ask: see `uriai people list`")
    return person


def actor_of(person: Person | None) -> str:
    """Who did it, for the audit: an enrolled person, or whoever sits at this machine."""
    return person.name if person else f"command line: {getpass.getuser()}"
