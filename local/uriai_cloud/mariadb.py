"""A private MariaDB: its own data folder, port, passwords and certificate; nobody else's server is touched."""

from __future__ import annotations

import getpass
import os
import secrets
import shutil
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from uriai_cloud import certificates, ports
from uriai_cloud.errors import ServiceFailed
from uriai_cloud.home import Home, read_json, system_tool, write_json
from uriai_cloud.processes import Service

DATABASE = "uriai"
USER = "uriai"
PACKAGE = "mariadb-server"


@dataclass(frozen=True, slots=True)
class DatabaseAddress:
    """Where the database is and how to get in; `ca` is the path of the PEM file to verify it with."""

    host: str
    port: int
    name: str
    username: str
    password: str
    ca: str


def service(home: Home) -> Service:
    """Return the server as a background process."""
    return Service("mariadb", home.path / "mariadb.pid", home.logs / "mariadb.log")


def address(home: Home) -> DatabaseAddress:
    """Return where the database is, or was when it last ran."""
    return DatabaseAddress(
        host=ports.LOOPBACK,
        port=ports.remembered(home, "mariadb") or 0,
        name=DATABASE,
        username=USER,
        password=_passwords(home)["database_password"],
        ca=str(home.path / "tls" / "ca.pem"),
    )


def start(home: Home, progress: Callable[[str], None], port: int | None = None) -> DatabaseAddress:
    """Start the server unless it runs, and wait until it answers.

    Parameters
    ----------
    port:
        The port to listen on; None for that of last time, or any.

    Raises
    ------
    ToolMissing, PortTaken, ServiceFailed
        One sentence each, with the remedy.
    """
    process = service(home)
    if process.pid() is not None:
        return address(home)
    server = system_tool("mariadbd", PACKAGE)
    data = _install(home, progress)
    tls = certificates.ensure(home.path / "tls")
    number = ports.choose(home, "mariadb", port)
    # read by the server before it listens: the root password and the application's user are set at every start
    init_file = home.path / "mariadb-init.sql"
    init_file.touch(mode=0o600)
    init_file.write_text(_init_sql(_passwords(home)), encoding="utf-8")
    progress(f"MariaDB on {ports.LOOPBACK}:{number}")
    process.start(
        [
            server,
            "--no-defaults",
            f"--datadir={data}",
            f"--tmpdir={_temporary(home)}",
            f"--user={getpass.getuser()}",
            f"--bind-address={ports.LOOPBACK}",
            f"--port={number}",
            # relative to the data folder: a path of a socket may have 107 bytes only
            "--socket=mariadb.sock",
            f"--pid-file={data}/mariadb.pid",
            f"--init-file={init_file}",
            f"--ssl-ca={tls.ca}",
            f"--ssl-cert={tls.certificate}",
            f"--ssl-key={tls.key}",
            "--character-set-server=utf8mb4",
            "--collation-server=utf8mb4_unicode_520_ci",
            "--default-time-zone=+00:00",
            "--skip-name-resolve",
            "--skip-log-bin",
            "--skip-slave-start",
            "--performance-schema=OFF",
            "--innodb-buffer-pool-size=128M",
            "--max-connections=200",
        ],
        # nothing of the caller's environment reaches a server that outlives it, but its path and its language
        {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C.UTF-8"},
        data,
    )
    _wait(process, number)
    return address(home)


def stop(home: Home) -> bool:
    """Shut the server down in good order; return whether it ran."""
    return service(home).stop(patience_s=60)


def _wait(process: Service, port: int, patience_s: float = 30.0) -> None:
    deadline = time.monotonic() + patience_s
    while not ports.answers(port):
        if process.pid() is None:
            raise ServiceFailed(f"MariaDB ended while starting: {process.last_lines()} (all of it: {process.log_file})")
        if time.monotonic() > deadline:
            raise ServiceFailed(f"MariaDB is silent on port {port} after {patience_s:.0f} s: see {process.log_file}")
        time.sleep(0.05)


def _install(home: Home, progress: Callable[[str], None]) -> Path:
    """Return the data folder, made on first use; a kill in between leaves no half-made folder under that name."""
    data = home.path / "mariadb"
    if data.exists():
        return data
    installer = system_tool("mariadb-install-db", PACKAGE)
    progress("making the database's data folder")
    unfinished = home.path / "mariadb.unfinished"
    shutil.rmtree(unfinished, ignore_errors=True)
    done = subprocess.run(
        [
            str(installer),
            "--no-defaults",
            f"--datadir={unfinished}",
            f"--tmpdir={_temporary(home)}",
            f"--user={getpass.getuser()}",
            "--auth-root-authentication-method=normal",
            "--skip-test-db",
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        output = f"{done.stdout}\n{done.stderr}".strip().splitlines()
        raise ServiceFailed(f"mariadb-install-db failed with exit code {done.returncode}: {' | '.join(output[-3:])}")
    unfinished.chmod(0o700)
    unfinished.rename(data)
    return data


def _temporary(home: Home) -> Path:
    """Return the folder for this server's temporary tables.

    In a shared one every server that starts, or is installed, deletes the others': it takes them for its own leftovers.
    """
    folder = home.path / "mariadb-tmp"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder


def _passwords(home: Home) -> dict[str, str]:
    kept = read_json(home.secrets_file)
    made = {
        name: kept.get(name) or secrets.token_urlsafe(32) for name in ("database_root_password", "database_password")
    }
    if any(name not in kept for name in made):
        write_json(home.secrets_file, kept | made)
    return made


def _init_sql(passwords: dict[str, str]) -> str:
    """Return what the server runs before it listens; the passwords are URL-safe base64, so they need no escapes."""
    root, application = passwords["database_root_password"], passwords["database_password"]
    return (
        f"ALTER USER 'root'@'localhost' IDENTIFIED BY '{root}';\n"
        f"CREATE DATABASE IF NOT EXISTS {DATABASE} CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_520_ci;\n"
        f"CREATE OR REPLACE USER '{USER}'@'{ports.LOOPBACK}' IDENTIFIED BY '{application}' REQUIRE SSL;\n"
        f"GRANT ALL PRIVILEGES ON {DATABASE}.* TO '{USER}'@'{ports.LOOPBACK}';\n"
    )
