"""The connection on a real MariaDB: session, instants, retries, loss, TLS."""

from __future__ import annotations

import subprocess
import threading
from datetime import UTC, datetime, timedelta, timezone

import pymysql
import pytest

from tests.integration.conftest import start_server
from uriai.adapters.database.connection import (
    Database,
    InsecureConnectionError,
    NestedTransactionError,
    open_connection,
)

pytestmark = pytest.mark.integration


@pytest.fixture
def table(database):
    with database.transaction() as cursor:
        cursor.execute("CREATE TABLE t (id INT PRIMARY KEY, n INT NOT NULL, at DATETIME(6) NULL) ENGINE=InnoDB")
        cursor.execute("INSERT INTO t (id, n) VALUES (1, 0), (2, 0)")
    yield "t"
    with database.transaction() as cursor:
        cursor.execute("DROP TABLE t")


def number(database, row):
    with database.transaction() as cursor:
        cursor.execute("SELECT n FROM t WHERE id = %s", (row,))
        return cursor.fetchone()["n"]


def test_the_session_is_strict_in_utc_and_read_committed(database):
    with database.transaction() as cursor:
        cursor.execute("SELECT @@session.time_zone AS zone, @@session.sql_mode AS mode")
        row = cursor.fetchone()
        cursor.execute("SELECT VARIABLE_VALUE AS level FROM information_schema.SESSION_VARIABLES "
                       "WHERE VARIABLE_NAME = 'TX_ISOLATION'")  # fmt: skip
        level = cursor.fetchone()["level"]
    assert row["zone"] == "+00:00"
    assert "STRICT_ALL_TABLES" in row["mode"]
    assert level == "READ-COMMITTED"


def test_a_value_that_does_not_fit_is_refused_and_not_cut(database):
    with pytest.raises(pymysql.DataError), database.transaction() as cursor:
        cursor.execute("INSERT INTO gateway (gateway_id, centre_id, created_at) VALUES (%s, 1, %s)",
                       ("g" * 64, datetime.now(UTC)))  # fmt: skip


def test_instants_come_back_aware_in_utc_whatever_zone_they_went_in(database, table):
    seoul = timezone(timedelta(hours=9))
    instant = datetime(2026, 11, 22, 0, 30, 0, 123456, tzinfo=seoul)
    with database.transaction() as cursor:
        cursor.execute("UPDATE t SET at = %s WHERE id = 1", (instant,))
        cursor.execute("SELECT at FROM t WHERE id = 1")
        read = cursor.fetchone()["at"]
    assert read == instant
    assert read.tzinfo is UTC


def test_an_instant_without_a_zone_is_refused(database, table):
    with pytest.raises(ValueError, match="no time zone"), database.transaction() as cursor:
        cursor.execute("UPDATE t SET at = %s", (datetime(2026, 11, 22),))  # noqa: DTZ001


def test_what_fails_in_the_middle_leaves_nothing_behind(database, table):
    with pytest.raises(KeyError), database.transaction() as cursor:
        cursor.execute("UPDATE t SET n = 5 WHERE id = 1")
        raise KeyError("stop")
    assert number(database, 1) == 0


def test_a_transaction_inside_a_transaction_is_refused(database):
    with database.transaction(), pytest.raises(NestedTransactionError), database.transaction():
        pass


def test_a_connection_killed_between_two_units_is_made_anew(database, table, server):
    with database.transaction() as cursor:
        cursor.execute("SELECT CONNECTION_ID() AS id")
        connection_id = cursor.fetchone()["id"]
    with server.open() as other, other.cursor() as cursor:
        cursor.execute(f"KILL {connection_id}")
    database.run(lambda cursor: cursor.execute("UPDATE t SET n = 1 WHERE id = 1"))
    assert number(database, 1) == 1


def test_a_unit_whose_connection_dies_in_the_middle_is_done_again_whole(database, table, server):
    tries = []

    def work(cursor):
        tries.append(1)
        cursor.execute("UPDATE t SET n = n + 1 WHERE id = 1")
        if len(tries) == 1:
            cursor.execute("SELECT CONNECTION_ID() AS id")
            connection_id = cursor.fetchone()["id"]
            with server.open() as other, other.cursor() as killer:
                killer.execute(f"KILL {connection_id}")
        cursor.execute("UPDATE t SET n = n + 1 WHERE id = 2")

    database.run(work)
    assert len(tries) == 2
    assert (number(database, 1), number(database, 2)) == (1, 1)


def test_two_units_that_lock_each_other_out_both_succeed(connect, table):
    """A deadlock on purpose: each takes its first row, waits for the other to have done so, then wants the second."""
    both_hold_one = threading.Barrier(2, timeout=10)
    tries = {"up": 0, "down": 0}

    def unit(name, first, second):
        def work(cursor):
            tries[name] += 1
            cursor.execute("UPDATE t SET n = n + 1 WHERE id = %s", (first,))
            if tries[name] == 1:
                both_hold_one.wait()
            cursor.execute("UPDATE t SET n = n + 1 WHERE id = %s", (second,))

        own = Database(connect)
        own.run(work)
        own.close()

    threads = [threading.Thread(target=unit, args=args) for args in (("up", 1, 2), ("down", 2, 1))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    database = Database(connect)
    assert (number(database, 1), number(database, 2)) == (2, 2)
    assert sum(tries.values()) == 3, "one of the two was the deadlock's victim and was done again"
    database.close()


def test_another_machine_without_a_ca_is_refused_before_any_password_is_sent():
    with pytest.raises(InsecureConnectionError, match="DATABASE_CA_BUNDLE"):
        open_connection(host="db.example", port=3306, user="u", password="p", database="d", ca_file=None)


def openssl(folder, *arguments):
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)


def certificate(folder, ca, name, subject_alternative):
    openssl(folder, "req", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{name}.key", "-out", f"{name}.csr",
            "-subj", f"/CN={name}")  # fmt: skip
    (folder / f"{name}.ext").write_text(f"subjectAltName={subject_alternative}\n")
    openssl(folder, "x509", "-req", "-in", f"{name}.csr", "-CA", f"{ca}.pem", "-CAkey", f"{ca}.key", "-CAcreateserial",
            "-days", "2", "-extfile", f"{name}.ext", "-out", f"{name}.pem")  # fmt: skip


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    for ca in ("ca", "stranger"):
        openssl(folder, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{ca}.key", "-out", f"{ca}.pem",
                "-days", "2", "-subj", f"/CN={ca}", "-addext", "keyUsage=critical,keyCertSign,cRLSign")  # fmt: skip
    certificate(folder, "ca", "server", "IP:127.0.0.1")
    certificate(folder, "ca", "other-host", "DNS:other.example")
    return folder


def tls_server(folder, certificates, name):
    return start_server(folder, f"--ssl-ca={certificates}/ca.pem", f"--ssl-cert={certificates}/{name}.pem",
                        f"--ssl-key={certificates}/{name}.key")  # fmt: skip


def open_with(server, ca):
    return open_connection(host=server.host, port=server.port, user="root", password="", database=None, ca_file=str(ca))


def test_with_a_ca_the_connection_is_encrypted_and_a_strangers_certificate_is_refused(tmp_path, certificates):
    process, server = tls_server(tmp_path, certificates, "server")
    try:
        with open_with(server, certificates / "ca.pem") as connection, connection.cursor() as cursor:
            cursor.execute("SHOW SESSION STATUS LIKE 'Ssl_cipher'")
            assert cursor.fetchone()["Value"]
        with pytest.raises(pymysql.OperationalError, match="certificate verify failed"):
            open_with(server, certificates / "stranger.pem")
    finally:
        process.terminate()
        process.wait(timeout=30)


def test_a_certificate_for_another_host_is_refused(tmp_path, certificates):
    process, server = tls_server(tmp_path, certificates, "other-host")
    try:
        with pytest.raises(pymysql.OperationalError, match=r"(?i)not valid for|mismatch"):
            open_with(server, certificates / "ca.pem")
    finally:
        process.terminate()
        process.wait(timeout=30)
