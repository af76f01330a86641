"""Centres of a register on a real MariaDB: each once, however often it is imported."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from uriai.adapters.database.centres import Imported, NewCentre, import_centres, list_centres
from uriai.adapters.database.connection import Database

pytestmark = pytest.mark.integration

NOW = datetime(2026, 7, 22, tzinfo=UTC)
CENTRES = [
    NewCentre("샘물어린이집", "경기도", "가상시", "가상동", "가상로 1", "031-000-0001"),
    NewCentre("샘물어린이집", "경기도", "가상시", "가상동", "가상로 2", "031-000-0002"),
    NewCentre("푸른샘어린이집", "서울특별시", "모의구", "", "모의로 1", "02-000-0001"),
]


def imported(database: Database, centres: list[NewCentre]) -> Imported:
    return database.run(lambda cursor: import_centres(cursor, centres, "test", NOW))


def test_an_import_may_be_repeated_and_brings_phones_up_to_date(database: Database) -> None:
    assert imported(database, CENTRES) == Imported(3, 0)
    assert imported(database, CENTRES) == Imported(0, 0)
    changed = [replace(CENTRES[0], phone="031-000-0009"), *CENTRES[1:]]
    assert imported(database, changed) == Imported(0, 1)
    with database.transaction() as cursor:
        listed = list_centres(cursor)
        cursor.execute("SELECT COUNT(*) AS imports FROM audit WHERE action = 'centres.imported'")
        assert (cursor.fetchone() or {})["imports"] == 2
    assert {centre.address: centre.phone for centre in listed} == {
        "가상로 1": "031-000-0009", "가상로 2": "031-000-0002", "모의로 1": "02-000-0001",
    }  # fmt: skip


def test_an_import_leaves_a_centres_zone_and_reporting_alone(database: Database) -> None:
    imported(database, CENTRES)
    with database.transaction() as cursor:
        cursor.execute("UPDATE centre SET auto_report = 'on', time_zone = 'Europe/Berlin'")
    imported(database, [replace(centre, phone="1") for centre in CENTRES])
    with database.transaction() as cursor:
        assert {(one.auto_report, one.time_zone) for one in list_centres(cursor)} == {(True, "Europe/Berlin")}
