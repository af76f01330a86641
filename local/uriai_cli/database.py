"""What the commands that work on the database share: the cloud's connection, and failures told in one sentence."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from uriai_cli.errors import CliError

if TYPE_CHECKING:
    from uriai.adapters.database.connection import Database


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
