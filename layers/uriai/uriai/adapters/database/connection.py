"""One connection per container to MariaDB or MySQL: verified TLS, UTC, strict mode, whole units of work retried."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, TypeAlias, TypeVar

import pymysql
from pymysql.constants import CR, ER, FIELD_TYPE
from pymysql.converters import convert_datetime, escape_datetime
from pymysql.cursors import DictCursor

from uriai.settings import is_loopback

Result = TypeVar("Result")
Connection: TypeAlias = "pymysql.connections.Connection[DictCursor]"

ATTEMPTS = 6
"""How often a unit of work is begun before its deadlock or lost connection is given up and the message retried."""

_SESSION = (
    "SET SESSION time_zone = '+00:00'",
    "SET SESSION sql_mode = 'STRICT_ALL_TABLES,ONLY_FULL_GROUP_BY,NO_ZERO_DATE,NO_ZERO_IN_DATE,"
    "ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION'",
    # locks rows, not gaps: parallel deliveries of different clips do not wait for each other
    "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
    "SET SESSION innodb_lock_wait_timeout = 10",
)
_RETRIED = frozenset({ER.LOCK_DEADLOCK, ER.LOCK_WAIT_TIMEOUT})
_CONNECTION_LOST = frozenset({CR.CR_SERVER_GONE_ERROR, CR.CR_SERVER_LOST, CR.CR_SERVER_LOST_EXTENDED, 0})
_REFUSED = frozenset({ER.ACCESS_DENIED_ERROR, ER.DBACCESS_DENIED_ERROR})


class InsecureConnectionError(Exception):
    """A connection to another machine was asked for without a CA to verify it by."""


class NestedTransactionError(Exception):
    """A transaction was begun inside another on one connection: a mistake in the code that did it."""


def open_connection(
    *, host: str, port: int, user: str, password: str, database: str | None, ca_file: str | None
) -> Connection:
    """Connect, with verified TLS whenever ``ca_file`` is given, and set the session up.

    Every datetime that comes from this connection is aware and in UTC; every one that goes in has to be aware.

    Parameters
    ----------
    database:
        The schema to use; None to connect without one.
    ca_file:
        Path of a PEM file with the certificate authorities to trust. Without it only loopback is allowed.

    Raises
    ------
    InsecureConnectionError
        If ``host`` is another machine and there is no ``ca_file``.
    pymysql.MySQLError
        If the server cannot be reached, is not who it should be, or refuses the credentials.
    """
    if not ca_file and not is_loopback(host):
        raise InsecureConnectionError(
            f"no connection to database {host}:{port} without verified TLS: set DATABASE_CA_BUNDLE to the CA's PEM file"
        )
    tls: dict[str, Any] = (
        {"ssl_ca": ca_file, "ssl_verify_cert": True, "ssl_verify_identity": True} if ca_file else {"ssl_disabled": True}
    )
    connection: Connection = pymysql.connect(
        host=host,
        port=port,
        user=user,
        password=password,
        database=database,
        charset="utf8mb4",
        autocommit=True,
        cursorclass=DictCursor,
        connect_timeout=5,
        read_timeout=30,
        write_timeout=30,
        **tls,
    )
    prepare(connection)
    return connection


def prepare(connection: Connection) -> None:
    """Give a connection made elsewhere the session and the conversions that this library relies on."""
    connection.encoders = {**connection.encoders, datetime: _encode_instant}
    connection.decoders = {
        **connection.decoders,
        FIELD_TYPE.DATETIME: _decode_instant,
        FIELD_TYPE.TIMESTAMP: _decode_instant,
    }
    connection.cursorclass = DictCursor
    connection.autocommit(True)
    with connection.cursor() as cursor:
        for statement in _SESSION:
            cursor.execute(statement)


def is_refused(error: pymysql.MySQLError) -> bool:
    """Whether the server refused the credentials, as it does after they were rotated."""
    return bool(error.args) and error.args[0] in _REFUSED


class Database:
    """A connection that is made when first used, reused while it lives, and remade when it has died.

    Not for use by several threads: each takes its own.

    Parameters
    ----------
    connect:
        Opens a connection. It is called again after a loss, so it should look up credentials each time.
    sleep, jitter:
        How to wait between attempts and a number from 0 to 1; real ones by default.
    """

    def __init__(
        self,
        connect: Callable[[], Connection],
        *,
        sleep: Callable[[float], None] = time.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._connect = connect
        self._connection: Connection | None = None
        self._in_transaction = False
        self._sleep = sleep
        self._jitter = jitter

    def connection(self) -> Connection:
        """The living connection, checked by a ping, made anew if needed.

        Raises
        ------
        pymysql.MySQLError
            If no connection can be made.
        """
        if self._connection is not None:
            try:
                self._connection.ping(reconnect=False)
            except pymysql.MySQLError:
                self.close()
        if self._connection is None:
            connection = self._connect()
            prepare(connection)
            self._connection = connection
        return self._connection

    def close(self) -> None:
        """Close the connection; the next use opens another."""
        connection, self._connection = self._connection, None
        self._in_transaction = False
        if connection is not None and connection.open:
            try:
                connection.close()
            except pymysql.MySQLError:
                # it was dead already, which is why we close it
                return

    @contextmanager
    def transaction(self) -> Iterator[DictCursor]:
        """One transaction: committed at the end of the block, rolled back if the block raises.

        It is not retried; give work that may meet a deadlock to `run`.

        Yields
        ------
        DictCursor
            Rows are dicts by column name.
        """
        if self._in_transaction:
            raise NestedTransactionError("a transaction is open on this connection: pass its cursor on instead")
        connection = self.connection()
        connection.begin()
        self._in_transaction = True
        try:
            with connection.cursor(DictCursor) as cursor:
                yield cursor
            connection.commit()
        except BaseException:
            self._roll_back(connection)
            raise
        finally:
            self._in_transaction = False

    def run(self, work: Callable[[DictCursor], Result]) -> Result:
        """Do ``work`` in one transaction; all of it again after a deadlock, a lock wait timeout or a lost connection.

        ``work`` therefore has to be repeatable: it reads what it decides on inside the transaction and its inserts are
        kept single by unique keys, so that even a commit whose answer was lost does no harm when repeated.

        Raises
        ------
        pymysql.MySQLError
            If it fails for another reason, or `ATTEMPTS` times for these.
        """
        attempt = 1
        while True:
            try:
                with self.transaction() as cursor:
                    return work(cursor)
            except pymysql.MySQLError as error:
                code = error.args[0] if error.args else None
                lost = code in _CONNECTION_LOST
                if attempt == ATTEMPTS or not (lost or code in _RETRIED):
                    raise
                if lost:
                    self.close()
                # full jitter over a doubling span: those that collided do not collide again in step
                self._sleep(self._jitter() * min(2.0, 0.05 * 2**attempt))
                attempt += 1

    def _roll_back(self, connection: Connection) -> None:
        try:
            connection.rollback()
        except pymysql.MySQLError:
            # the server rolls back a connection that is gone; ours must not hide the error being raised
            self.close()


def _encode_instant(value: datetime, mapping: Any = None) -> str:
    if value.tzinfo is None:
        raise ValueError(f"{value.isoformat()} has no time zone: only aware instants go to the database")
    return escape_datetime(value.astimezone(UTC).replace(tzinfo=None), mapping)


def _decode_instant(text: str | bytes) -> datetime | str:
    value = convert_datetime(text)
    return value.replace(tzinfo=UTC) if isinstance(value, datetime) else value
