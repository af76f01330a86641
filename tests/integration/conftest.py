"""A private MariaDB for the tests: real, on a free port of 127.0.0.1, in a folder of its own, gone afterwards."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pymysql
import pytest

from tests.missing import missing
from uriai.adapters.database.connection import Connection, Database, open_connection
from uriai.adapters.database.migrate import migrate

START_S = 30.0


@dataclass(frozen=True)
class Server:
    """A running server; ``root`` has no password and exists on loopback only."""

    host: str
    port: int
    folder: Path

    def open(self, database: str | None = None, *, user: str = "root", password: str = "") -> Connection:
        return open_connection(
            host=self.host, port=self.port, user=user, password=password, database=database, ca_file=None
        )


def program(*names: str) -> str | None:
    """The first of these programs there is, also where a user's PATH does not look."""
    path = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])
    return next((found for name in names if (found := shutil.which(name, path=path))), None)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start_server(folder: Path, *options: str) -> tuple[subprocess.Popen[bytes], Server]:
    """Install an empty database below ``folder`` and start a server on it; the caller ends the process."""
    install, daemon = program("mariadb-install-db"), program("mariadbd")
    if install is None or daemon is None:
        missing("mariadbd is not installed: apt-get install --no-install-recommends mariadb-server")
    data = folder / "data"
    # every server that starts, or is installed, deletes the temporary tables of others that lie where its own do
    temporary = folder / "tmp"
    temporary.mkdir(exist_ok=True)
    as_user = ["--user=root"] if os.geteuid() == 0 else []
    subprocess.run(
        [install, "--no-defaults", f"--datadir={data}", f"--tmpdir={temporary}",
         "--auth-root-authentication-method=normal", "--skip-test-db", *as_user],
        check=True,
        capture_output=True,
    )  # fmt: skip
    port = free_port()
    log = (folder / "server.log").open("wb")
    process = subprocess.Popen(
        [daemon, "--no-defaults", f"--datadir={data}", f"--tmpdir={temporary}", f"--socket={folder / 's'}",
         f"--pid-file={folder / 'pid'}", "--bind-address=127.0.0.1", f"--port={port}",
         "--innodb-flush-log-at-trx-commit=0", "--skip-log-bin", "--innodb-buffer-pool-size=64M",
         "--performance-schema=OFF", *as_user, *options],
        stdout=log,
        stderr=log,
    )  # fmt: skip
    log.close()
    server = Server("127.0.0.1", port, folder)
    deadline = time.monotonic() + START_S
    while True:
        try:
            server.open().close()
        except pymysql.MySQLError:
            if process.poll() is not None or time.monotonic() > deadline:
                process.terminate()
                pytest.fail(f"mariadbd did not start:\n{(folder / 'server.log').read_text()[-2000:]}")
            time.sleep(0.05)
        else:
            return process, server


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    process, server = start_server(tmp_path_factory.mktemp("mariadb"))
    yield server
    process.terminate()
    process.wait(timeout=30)


_counter = iter(range(1_000_000))


@pytest.fixture
def empty_schema(server: Server) -> Iterator[str]:
    """The name of a schema without a table, of this test alone."""
    name = f"test_{os.getpid()}_{next(_counter)}"
    with server.open() as connection, connection.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name} CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_520_ci")
    yield name
    with server.open() as connection, connection.cursor() as cursor:
        cursor.execute(f"DROP DATABASE {name}")


@pytest.fixture(scope="session")
def migrated_schema(server: Server) -> str:
    """The name of a schema with the migrations applied; making one takes a second, so the tests take turns with it."""
    name = f"test_{os.getpid()}_shared"
    with server.open() as connection, connection.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name} CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_520_ci")
        cursor.execute(f"USE {name}")
        migrate(connection)
    return name


@pytest.fixture
def schema(server: Server, migrated_schema: str) -> Iterator[str]:
    """The name of a migrated schema without a row; what a test leaves in it is removed."""
    yield migrated_schema
    with server.open(migrated_schema) as connection, connection.cursor() as cursor:
        cursor.execute("SET SESSION foreign_key_checks = 0")
        cursor.execute(
            "SELECT TABLE_NAME AS name FROM information_schema.TABLES "
            "WHERE TABLE_SCHEMA = %s AND TABLE_NAME <> 'schema_migration'",
            (migrated_schema,),
        )
        for row in cursor.fetchall():
            cursor.execute(f"DELETE FROM `{row['name']}`")


@pytest.fixture
def connect(server: Server, schema: str) -> Callable[[], Connection]:
    """Opens further connections to this test's schema."""
    return lambda: server.open(schema)


@pytest.fixture
def database(connect: Callable[[], Connection]) -> Iterator[Database]:
    database = Database(connect)
    yield database
    database.close()
