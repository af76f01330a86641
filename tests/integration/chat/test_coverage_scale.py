"""Every statement on records and coverage uses an index, in a database of 120 centres and 20 days."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from pymysql.cursors import DictCursor

from tests.integration.chat.conftest import Country, seoul
from tests.integration.chat.test_scale import ExplainedQuestions, rows_read
from uriai.adapters.database.coverage import SqlCoverage
from uriai.adapters.database.questions import SqlQuestions
from uriai.adapters.database.records import SqlRecords
from uriai.adapters.database.watch_status import watch_status
from uriai.domain.chain import RecordStatus
from uriai.domain.coverage import Span
from uriai.domain.ulid import Ulid
from uriai.domain.utterance.calendar import Range
from uriai.domain.words import Role
from uriai.service.ports.chat import Filter
from uriai.service.ports.records import CameraWatch, Cause, Hole, RecordRow, SequenceGap

pytestmark = pytest.mark.integration
LARGE = {
    "record",
    "coverage",
    "coverage_hole",
    "camera_watch",
    "gateway_watch",
    "sequence_gap",
    "v",
    "h",
    "w",
    "m",
    "g",
}
"""Tables that grow with the country, and their aliases."""
CENTRES, DISTRICTS, DAYS, RECORDS = 120, 12, 20, 40
CAMERAS = CENTRES * 2
CAMERA = 400_000 * 10 + 1
GATEWAY = "gw-400000"


class ExplainingCursor:
    """Asks the server how it runs each statement before it does; ``steps`` are the plans, each with its statement."""

    def __init__(self, cursor: DictCursor) -> None:
        self._cursor = cursor
        self.steps: list[dict[str, Any]] = []

    def execute(self, statement: str, parameters: Sequence[Any] = ()) -> int:
        if not statement.lstrip().startswith("INSERT"):
            self._cursor.execute("EXPLAIN " + statement, parameters)
            self.steps += [row | {"statement": statement} for row in self._cursor.fetchall()]
        return self._cursor.execute(statement, parameters)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cursor, name)


def fill_records(country: Country) -> None:
    start, end = seoul(1, 0), seoul(1, 0) + timedelta(days=DAYS)

    def work(cursor: DictCursor) -> None:
        centres = range(400_000, 400_000 + CENTRES)
        cursor.executemany(
            "INSERT INTO region (region_id, province, district) VALUES (%s, '서울특별시', %s)",
            [(30_000 + district, f"{district}구") for district in range(DISTRICTS)],
        )
        cursor.executemany(
            "INSERT INTO centre (centre_id, region_id, name, created_at) VALUES (%s, %s, %s, %s)",
            [(centre, 30_000 + centre % DISTRICTS, f"{centre}어린이집", start) for centre in centres],
        )
        cursor.executemany(
            "INSERT INTO gateway (gateway_id, centre_id, created_at) VALUES (%s, %s, %s)",
            [(f"gw-{centre}", centre, start) for centre in centres],
        )
        cursor.executemany(
            "INSERT INTO camera (camera_id, centre_id, gateway_id, number, created_at, heard_at) "
            "VALUES (%s, %s, %s, %s, %s, %s)",
            [
                (centre * 10 + number, centre, f"gw-{centre}", number, start, None if centre == centres[-1] else start)
                for centre in centres
                for number in (1, 2)
            ],
        )
        cameras = [centre * 10 + number for centre in centres for number in (1, 2)]
        days = [start + timedelta(days=day) for day in range(DAYS)]
        cursor.executemany(
            "INSERT INTO coverage (camera_id, started_at, ended_at) VALUES (%s, %s, %s)",
            [(camera, day, day + timedelta(hours=20)) for camera in cameras for day in days],
        )
        cursor.executemany(
            "INSERT INTO camera_watch (camera_id, expected_from, covered_until, settled_until) VALUES (%s, %s, %s, %s)",
            [(camera, start, end, end) for camera in cameras],
        )
        cursor.executemany(
            "INSERT INTO coverage_hole (hole_id, camera_id, began_at, ended_at, cause, found_at) "
            "VALUES (%s, %s, %s, %s, 'camera_silent', %s)",
            [
                (Ulid.new(day).value, camera, day + timedelta(hours=20), day + timedelta(hours=24), day)
                for camera in cameras
                for day in days[::6]
            ],
        )
        cursor.executemany(
            "INSERT INTO gateway_watch (gateway_id, heard_until, last_seq, chain_seq) VALUES (%s, %s, %s, %s)",
            [(f"gw-{centre}", end, RECORDS, RECORDS) for centre in centres],
        )
        cursor.executemany(
            "INSERT INTO record (record_id, gateway_id, seq, type, object_key, sha256, prev, received_at, outcome) "
            "VALUES (%s, %s, %s, 'coverage', '', %s, %s, %s, 'present')",
            [
                (Ulid.new(end).value, f"gw-{centre}", seq, bytes(32), bytes(32), start + timedelta(hours=seq))
                for centre in centres
                for seq in range(1, RECORDS + 1)
            ],
        )
        cursor.executemany(
            "INSERT INTO sequence_gap (gateway_id, first_seq, last_seq, found_at, filled_at) VALUES (%s, 3, 5, %s, %s)",
            [(f"gw-{centre}", start, end) for centre in centres],
        )
        # Built anew: a plan's numbers of rows would count those that tests before have deleted.
        cursor.execute(
            "OPTIMIZE TABLE coverage, camera_watch, coverage_hole, gateway_watch, record, sequence_gap, camera, "
            "gateway, centre, region, person_region, person_centre"
        )
        cursor.fetchall()

    country.database.run(work)


def test_every_statement_of_filing_watching_and_asking_uses_an_index(country: Country) -> None:
    fill_records(country)
    noon, end = seoul(12, 12), seoul(1, 0) + timedelta(days=DAYS)
    some = Span(noon, noon + timedelta(hours=1))

    def work(cursor: DictCursor) -> list[dict[str, Any]]:
        explaining = ExplainingCursor(cursor)
        records, coverage = SqlRecords(explaining), SqlCoverage(explaining)
        watch = records.lock(GATEWAY)
        records.add(
            RecordRow(Ulid.new(noon), GATEWAY, "k", noon, RecordStatus.PRESENT, "", bytes(32), 99, "coverage"), noon
        )
        records.save(watch)
        assert len(records.links(GATEWAY, 6, 8)) == 3
        records.mark(Ulid.new(noon), RecordStatus.FORKED, noon)
        assert [number for number, _ in records.numbers_after(GATEWAY, 38, 9)] == [39, 40, 99]
        records.add_gap(SequenceGap(GATEWAY, 41, 98), noon)
        records.fill_gap(GATEWAY, 50, noon)
        assert records.silent(end - timedelta(seconds=150), 500) == []
        assert records.gapped(end, 500) == []
        cameras = coverage.watches(GATEWAY)
        assert sorted(cameras) == [1, 2]
        coverage.save(CameraWatch(CAMERA, noon, end, end))
        assert coverage.add(CAMERA, [Span(seoul(13, 20), seoul(13, 21))])
        assert len(coverage.spans(CAMERA, some)) == 1
        assert coverage.start_before(CAMERA, noon) == seoul(12, 0)
        assert coverage.start_from(CAMERA, noon) == seoul(13, 0)
        assert len(coverage.holes(CAMERA, Span(seoul(7, 0), seoul(8, 0)))) == 1
        coverage.put(Hole(Ulid.new(noon), CAMERA, noon, None, Cause.NO_RECORDS), noon)
        coverage.explain(CAMERA, some, Cause.AGENT_DOWN)
        assert coverage.dark(end - timedelta(seconds=150), 500) == []
        assert coverage.unheard(end, 500) == []  # nobody entered a key for its gateway
        status = watch_status(explaining)
        assert (status.dark_cameras, status.sequence_gaps) == (1, 1)
        return explaining.steps

    steps = country.database.run(work)
    seen = {step["table"] for step in steps}
    assert {"record", "coverage", "coverage_hole", "gateway_watch", "sequence_gap", "h", "w", "m"} <= seen
    for step in steps:
        if step["table"] in LARGE:
            assert step["key"] is not None, (step["statement"], step)
            assert int(step["rows"]) <= CAMERAS // 10, (step["statement"], step)
    _ask(country)


def _ask(country: Country) -> None:
    country.centres["400007어린이집"] = 400_007
    director = country.person("김원장", Role.DIRECTOR, centres=("400007어린이집",)).person
    officer = country.person("이주무관", Role.POLICY_OFFICER, regions=("서울특별시 7구",)).person
    about = Filter(Range(seoul(11, 0), seoul(12, 0)))
    for person, cameras in ((director, 2), (officer, 20)):
        questions = ExplainedQuestions(country.database)
        found = questions.coverage(person, about)
        assert found is not None
        assert len(found) == cameras
        assert all(len(camera.spans) == 1 for camera in found)
        for step in questions.steps:
            if step["table"] in LARGE:
                assert step["key"] is not None, (step["statement"], step)
                assert int(step["rows"]) <= CAMERAS // 10, (step["statement"], step)
    plain = SqlQuestions(country.database)
    rows = rows_read(country.database, lambda: plain.coverage(officer, about))
    assert rows < CENTRES // DISTRICTS * 2 * 5, "of twenty days' coverage it reads two days', and no other day's"
