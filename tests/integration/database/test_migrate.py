"""Schema migrations on a real MariaDB."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from uriai.adapters.database.migrate import (
    ChangedMigrationError,
    FailedStatementError,
    MigrationError,
    migrate,
    read_migrations,
    shipped_migrations,
)

pytestmark = pytest.mark.integration

ONE = b"CREATE TABLE one (id INT NOT NULL PRIMARY KEY);"
TWO = b"CREATE TABLE two (id INT NOT NULL PRIMARY KEY);\nINSERT INTO two (id) VALUES (7);"
BROKEN = b"CREATE TABLE two (id INT NOT NULL PRIMARY KEY);\nINSERT INTO nowhere (id) VALUES (7);"


def count(connection, table):
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT COUNT(*) AS n FROM {table}")
        return cursor.fetchone()["n"]


def test_the_shipped_schema_is_applied_once_and_then_left_alone(server, empty_schema):
    with server.open(empty_schema) as connection:
        first = migrate(connection)
        second = migrate(connection)
    assert first.applied == tuple(migration.label for migration in shipped_migrations())
    assert second.applied == ()
    assert first.version == second.version == len(first.applied)


def test_every_table_keeps_text_in_four_byte_utf8(server, schema):
    with server.open(schema) as connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = %s AND "
            "(ENGINE <> 'InnoDB' OR TABLE_COLLATION <> 'utf8mb4_unicode_520_ci')",
            (schema,),
        )
        assert list(cursor.fetchall()) == []


def test_two_deployments_at_once_apply_each_file_once(server, empty_schema):
    migrations = read_migrations({"0001_one.sql": ONE, "0002_two.sql": TWO})

    def deploy(_):
        with server.open(empty_schema) as connection:
            return migrate(connection, migrations).applied

    with ThreadPoolExecutor(4) as pool:
        outcomes = list(pool.map(deploy, range(4)))
    assert sorted(outcomes) == [(), (), (), ("0001_one", "0002_two")]
    with server.open(empty_schema) as connection:
        assert count(connection, "two") == 1


def test_a_changed_file_is_refused_by_name(server, empty_schema):
    with server.open(empty_schema) as connection:
        migrate(connection, read_migrations({"0001_one.sql": ONE}))
        with pytest.raises(ChangedMigrationError, match=r"0001_one\.sql was applied with other bytes"):
            migrate(connection, read_migrations({"0001_one.sql": ONE + b" "}))


def test_a_failing_statement_is_named_and_the_next_run_goes_on_from_it(server, empty_schema):
    with server.open(empty_schema) as connection:
        with pytest.raises(FailedStatementError, match=r"0001_two.sql, statement 2 of 2.*INSERT INTO nowhere"):
            migrate(connection, read_migrations({"0001_two.sql": BROKEN}))
        outcome = migrate(connection, read_migrations({"0001_two.sql": TWO}))
        assert outcome.applied == ("0001_two",)
        assert count(connection, "two") == 1


def test_older_code_refuses_a_newer_database(server, empty_schema):
    with server.open(empty_schema) as connection:
        migrate(connection, read_migrations({"0001_one.sql": ONE, "0002_two.sql": TWO}))
        with pytest.raises(MigrationError, match="the database is at version 2, this code knows 1"):
            migrate(connection, read_migrations({"0001_one.sql": ONE}))
