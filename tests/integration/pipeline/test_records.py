"""Gateways' records into a real database: the chain, what cameras recorded, and the holes that nobody sends."""

from __future__ import annotations

import json
import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypeVar, cast

import pytest
from nacl.signing import SigningKey
from pymysql.cursors import DictCursor

from tests.integration.pipeline.conftest import World
from tests.unit.pipeline.fakes import GATEWAY, NOON, QUIET, StoppedClock, place_clip, script
from tests.unit.pipeline.teller import Teller
from tests.unit.telling.fakes import QueuesInMemory, ReceiptsInMemory
from uriai.adapters.database.connection import Connection, Database
from uriai.adapters.database.coverage import SqlCoverage
from uriai.adapters.database.gateways import revoke_gateway
from uriai.adapters.database.outbox import UNTOLD_TROUBLES
from uriai.adapters.database.transactions import SqlTransactions, repositories
from uriai.domain.coverage import INSTALLED_WITHIN, LEAST_HOLE, Span, gaps, merged
from uriai.service.file_record import Filed, RecordDesk, file_record
from uriai.service.locate_clip import Arrival
from uriai.service.ports.repositories import Repositories
from uriai.service.relay_outbox import Relay, relay_outbox
from uriai.service.tell_holes import FRESH, tell_holes, tell_troubles
from uriai.service.watch_coverage import CoverageWatch, Watching, watch_coverage
from uriai_cli import status_rows

pytestmark = pytest.mark.integration
MINUTE = timedelta(minutes=1)
Result = TypeVar("Result")


@dataclass
class Records:
    """The cloud's side: files what arrives at the moment it arrives, and makes rounds."""

    world: World
    teller: Teller
    desk: RecordDesk
    clock: StoppedClock

    def file(self, arrival: Arrival, at: datetime | None = None) -> Filed:
        self.clock.instant = max(at or arrival.at, self.clock.instant)
        return file_record(arrival, self.desk)

    def minutes(self, count: int, start: datetime = NOON, **more: object) -> None:
        """So many minutes of camera 1, each filed when it arrives."""
        for minute in range(count):
            self.file(self.teller.coverage(start + minute * MINUTE, **more))

    def round(self, at: datetime) -> Watching:
        self.clock.instant = at
        return watch_coverage(CoverageWatch(self.desk.transactions, self.clock))

    def coverage(self, camera: int = 1) -> list[tuple[float, float]]:
        """Seconds from noon."""
        rows = self.world.rows(
            "SELECT c.started_at, c.ended_at FROM coverage c JOIN camera m ON m.camera_id = c.camera_id "
            "WHERE m.number = %s ORDER BY c.started_at",
            (camera,),
        )
        return [(seconds(row["started_at"]), seconds(row["ended_at"])) for row in rows]

    def holes(self, camera: int = 1, filled: bool = False) -> list[tuple[float, float | None, str]]:
        rows = self.world.rows(
            "SELECT h.began_at, h.ended_at, h.cause FROM coverage_hole h JOIN camera m ON m.camera_id = h.camera_id "
            f"WHERE m.number = %s AND h.filled_at IS {'NOT' if filled else ''} NULL ORDER BY h.began_at",
            (camera,),
        )
        return [
            (seconds(row["began_at"]), seconds(row["ended_at"]) if row["ended_at"] else None, row["cause"])
            for row in rows
        ]

    def outcomes(self) -> dict[int | None, str]:
        return {row["seq"]: row["outcome"] for row in self.world.rows("SELECT seq, outcome FROM record")}


def seconds(instant: object) -> float:
    assert isinstance(instant, datetime)
    return (instant - NOON).total_seconds()


def at(second: float) -> datetime:
    return NOON + timedelta(seconds=second)


@pytest.fixture
def records(world: World) -> Iterator[Records]:
    clock = StoppedClock(NOON - timedelta(days=1))
    desk = RecordDesk(world.bucket, world.outside.signatures, world.outside.transactions, clock)
    yield Records(world, Teller(world.bucket), desk, clock)


def test_an_hour_told_minute_by_minute_is_one_row(records: Records) -> None:
    records.minutes(60)
    assert records.coverage() == [(0, 3600)]
    assert set(records.outcomes().values()) == {"present"}
    assert records.round(at(3610)) == Watching((), (), 0)
    assert records.holes() == []


def test_a_day_of_a_camera_is_a_row_for_each_day_of_utc(records: Records) -> None:
    start = NOON + timedelta(hours=20)
    records.minutes(120, start)
    midnight = seconds((NOON + timedelta(days=1)).replace(hour=0))
    assert records.coverage() == [(20 * 3600, midnight), (midnight, 22 * 3600)]
    assert records.holes() == []


def test_a_record_of_every_type_is_kept_with_what_it_says(records: Records) -> None:
    records.file(records.teller.coverage())
    records.file(records.teller.record("drop", at(60), at(60), camera=2, detail={"reason": "disk_full", "clips": 1}))
    records.file(records.teller.record("tamper", at(70), at(110), camera=2))
    rows = records.world.rows("SELECT * FROM record ORDER BY seq")
    assert [(row["type"], row["camera"], row["outcome"]) for row in rows] == [
        ("coverage", None, "present"), ("drop", 2, "present"), ("tamper", 2, "present"),
    ]  # fmt: skip
    assert rows[1]["prev"] == rows[0]["sha256"]
    assert rows[2]["started_at"] == at(70)
    assert rows[2]["received_at"] == at(112)


def test_a_clips_manifest_is_a_link_of_the_same_chain(records: Records) -> None:
    records.file(records.teller.coverage())
    clip = place_clip(records.world.bucket, b"clip", seq=2, claims={"prev": records.teller.prev})
    assert records.file(Arrival(clip.replace(".mp4", ".sig"), at(20))).status.value == "present"
    assert records.outcomes() == {1: "present", 2: "present"}


# ---- what counts for nothing


def test_a_record_that_nobody_can_vouch_for_is_kept_and_flagged_and_covers_nothing(records: Records) -> None:
    stranger = Teller(records.world.bucket, key=SigningKey(b"\x07" * 32))
    assert records.file(stranger.coverage()).status.value == "bad_signature"
    unsigned = records.teller.record("coverage", NOON, at(60), sign=False)
    assert records.file(unsigned).status.value == "bad_signature"
    unknown = Teller(records.world.bucket, gateway="nobody-knows-it")
    assert records.file(unknown.coverage()).status.value == "bad_signature"
    moved = records.teller.coverage(at(60))
    copy = moved.key.replace(moved.key[-30:-4], "01KB2WXYZ0000000000000000A")
    for ending in (".json", ".sig"):
        stored = records.world.bucket.objects[moved.key.replace(".sig", ending)]
        records.world.bucket.place(copy.replace(".sig", ending), stored.data, stored.arrived_at)
    assert records.file(Arrival(copy, moved.at)).status.value == "reordered"
    records.world.bucket.place("records/saetbyeol-1/2026-11-22/000000000009-X.json", b"{", NOON)
    assert records.file(Arrival("records/saetbyeol-1/2026-11-22/000000000009-X.sig", NOON)).status.value == "malformed"
    assert records.file(Arrival("records/x.sig", NOON)).status.value == "missing"
    assert records.coverage() == []
    assert records.world.count("record") == 6
    assert records.world.count("record", "reason IS NULL") == 0


def test_what_a_revoked_key_signed_covers_nothing_even_if_it_is_told_of_again(records: Records) -> None:
    before = records.teller.coverage()
    records.file(before)
    with records.world.database.transaction() as cursor:
        revoke_gateway(cursor, GATEWAY, None, at(65))
    after = records.teller.coverage(at(60))
    assert records.file(after).status.value == "bad_signature"
    assert records.file(replace(after, at=at(30))).status.value == "bad_signature"
    records.file(before)
    assert records.coverage() == [(0, 60)]
    assert records.outcomes() == {1: "present", 2: "bad_signature"}


def test_a_record_that_can_be_believed_at_last_counts_when_it_is_told_of_again(records: Records) -> None:
    late = Teller(records.world.bucket, key=SigningKey(b"\x09" * 32))
    arrival = late.coverage()
    assert records.file(arrival).status.value == "bad_signature"
    with records.world.database.transaction() as cursor:
        cursor.execute(
            "INSERT INTO gateway_key (gateway_id, public_key, valid_from) VALUES (%s, %s, %s)",
            (GATEWAY, bytes(late.key.verify_key), NOON),
        )
    assert records.file(arrival).status.value == "present"
    assert records.coverage() == [(0, 60)]
    assert records.outcomes() == {1: "present"}


def test_an_instant_of_the_first_millennium_does_not_stop_the_queue(records: Records) -> None:
    arrival = records.teller.record("coverage", NOON, at(60), claims={"started_at": "0001-01-01T00:00:00+00:00"})
    assert records.file(arrival).status.value == "reordered"
    assert records.world.row("SELECT started_at FROM record")["started_at"] is None


def test_a_gateway_whose_clock_is_an_hour_behind_covers_the_time_that_it_was(records: Records) -> None:
    records.teller.clock_behind_s = 3600.0
    records.minutes(3, clock_offset_s=3600.0)
    assert records.coverage() == [(0, 180)]
    watch = records.world.row("SELECT clock_offset_s, clock_wrong_since FROM gateway_watch")
    assert watch == {"clock_offset_s": 3600.0, "clock_wrong_since": at(62)}
    records.teller.clock_behind_s = 0.0
    records.minutes(1, at(180), clock_offset_s=0.2)
    assert records.coverage() == [(0, 240)]
    assert records.world.row("SELECT clock_wrong_since FROM gateway_watch")["clock_wrong_since"] is None


def test_a_record_from_a_clock_years_off_is_kept_and_covers_nothing(records: Records) -> None:
    records.teller.clock_behind_s = 10 * 365 * 86_400.0
    filed = records.file(records.teller.coverage())
    assert filed.status.value == "present"
    assert "30 days" in filed.refused
    assert records.coverage() == []
    assert records.world.count("camera_watch") == 0


# ---- holes


def test_a_dead_gateway_is_a_hole_of_every_camera_within_five_minutes(records: Records) -> None:
    records.minutes(5, cameras={1: [(0, 60)], 2: [(0, 60)]})
    assert records.round(at(300 + 149)) == Watching((), (), 0)
    found = records.round(at(300 + 209))
    assert found == Watching((GATEWAY,), ((GATEWAY, 1), (GATEWAY, 2)), 0)
    assert records.holes(1) == records.holes(2) == [(300, None, "no_records")]
    assert records.world.row("SELECT silent_since FROM gateway_watch")["silent_since"] == at(300)
    assert records.round(at(300 + 269)) == Watching((), (), 0)
    assert records.world.count("coverage_hole") == 2


def test_a_hole_ends_where_coverage_begins_again(records: Records) -> None:
    records.minutes(5)
    records.round(at(600))
    records.minutes(2, at(900))
    assert records.holes() == [(300, 900, "no_records")]
    watch = records.world.row("SELECT silent_since FROM gateway_watch")
    assert watch["silent_since"] is None
    assert records.round(at(1020)) == Watching((), (), 0)


def test_a_camera_that_goes_dark_while_its_gateway_lives_is_a_hole_of_that_camera_alone(records: Records) -> None:
    records.minutes(2, cameras={1: [(0, 60)], 2: [(0, 60)]})
    records.minutes(3, at(120), cameras={1: [(0, 60)], 2: []})
    assert records.round(at(305)) == Watching((), ((GATEWAY, 2),), 0)
    assert records.holes(1) == []
    assert records.holes(2) == [(120, None, "camera_silent")]


def test_a_silence_inside_a_minute_is_a_hole_once_nothing_can_come_any_more(records: Records) -> None:
    records.file(records.teller.coverage(cameras={1: [(0, 10), (50, 60)]}))
    assert records.holes() == []
    records.minutes(3, at(60))
    assert records.holes() == [(10, 50, "no_records")]


def test_a_camera_that_reconnects_within_half_a_minute_has_no_hole(records: Records) -> None:
    records.minutes(3, cameras={1: [(0, 31), (60.9, 60)]})
    records.minutes(1, at(180), cameras={1: [(0, 20), (49, 60)]})
    records.minutes(5, at(240))
    assert [round(end - begin) for begin, end, _ in records.holes()] == []


def test_the_last_seconds_before_a_gateway_died_are_looked_at_too(records: Records) -> None:
    records.minutes(2)
    records.file(records.teller.coverage(at(120), cameras={1: [(0, 5), (45, 60)]}))
    records.round(at(400))
    assert records.holes() == [(125, 165, "no_records"), (180, None, "no_records")]


def test_downtime_that_the_agent_tells_of_explains_the_hole(records: Records) -> None:
    records.minutes(2)
    records.round(at(400))
    down = records.teller.coverage(at(120), cameras={1: []}, seconds=480.0, down=True)
    records.file(down)
    assert records.holes() == [(120, None, "agent_down")]
    records.minutes(3, at(600))
    assert records.holes() == [(120, 600, "agent_down")]


def test_a_gateway_that_was_offline_and_tells_later_had_no_hole(records: Records) -> None:
    records.minutes(3)
    told_later = [records.teller.coverage(at(180 + 60 * minute), arrives=at(7205)) for minute in range(117)]
    assert records.round(at(600)) == Watching((GATEWAY,), ((GATEWAY, 1),), 0)
    assert records.holes() == [(180, None, "no_records")]
    # the agent sends what is newest first
    for arrival in reversed(told_later):
        records.file(arrival)
    records.minutes(3, at(7200))
    assert records.coverage() == [(0, 7380)]
    assert records.holes() == []
    assert [hole[0] for hole in records.holes(filled=True)] == [180]
    assert records.world.count("coverage_hole") == 1


def test_what_late_records_leave_of_a_hole_keeps_its_row_and_a_second_part_says_what_it_is_part_of(
    records: Records,
) -> None:
    records.minutes(3)
    late = records.teller.coverage(at(600), arrives=at(2000))
    records.round(at(900))
    records.minutes(1, at(1200))
    (first,) = records.world.rows("SELECT hole_id FROM coverage_hole")
    records.file(late)
    assert records.holes() == [(180, 600, "no_records"), (660, 1200, "no_records")]
    rows = records.world.rows("SELECT hole_id, split_from FROM coverage_hole ORDER BY began_at")
    assert rows[0] == first | {"split_from": None}
    assert rows[1]["split_from"] == first["hole_id"]


def test_a_camera_that_is_left_out_of_the_records_is_missed(records: Records) -> None:
    records.minutes(2, cameras={1: [(0, 60)], 2: [(0, 60)]})
    records.minutes(4, at(120))
    assert records.round(at(380)).dark == ((GATEWAY, 2),)


def test_a_revoked_gateway_is_not_missed(records: Records) -> None:
    records.minutes(2)
    with records.world.database.transaction() as cursor:
        revoke_gateway(cursor, GATEWAY, None, at(130))
    assert records.round(at(900)) == Watching((), (), 0)


@pytest.mark.parametrize("seed", range(8))
def test_whatever_the_order_and_however_often_the_same_rows_come_of_the_same_records(
    records: Records, seed: int
) -> None:
    chance = random.Random(seed)
    told, minutes = [], 25
    for minute in range(minutes):
        if chance.random() < 0.3:
            continue
        spans = [(0, 60)] if chance.random() < 0.7 else [(0, 12.5), (13, 15), (chance.choice([20, 47.0]), 60)]
        cameras = {1: spans, 2: [] if chance.random() < 0.3 else [(5, 60)]}
        told.append((records.teller.coverage(at(60 * minute), cameras), minute, cameras))
    end = at(60 * minutes + 1000)
    deliveries = sorted(
        (arrival.at + timedelta(seconds=chance.choice([0, 1, 70, 400, 1500]) * chance.random()), index, arrival)
        for index, (arrival, _, _) in enumerate([*told, *chance.choices(told, k=5)])
    )
    expected_from = at(60 * min(minute for _, minute, _ in told))
    for delivered_at, _, arrival in deliveries:
        if chance.random() < 0.4:
            records.round(delivered_at)
        records.file(arrival, delivered_at)
    end = max(end, records.clock.instant)
    records.round(end)
    for camera in (1, 2):
        spans = [
            Span(at(60 * minute + start), at(60 * minute + stop))
            for _, minute, cameras in told
            for start, stop in cameras[camera]
        ]
        assert records.coverage(camera) == [(seconds(one.start), seconds(one.end)) for one in merged(spans)]
        expected = [
            (seconds(gap.start), None if gap.end == end else seconds(gap.end))
            for gap in gaps(spans, Span(expected_from, end), LEAST_HOLE)
        ]
        assert [hole[:2] for hole in records.holes(camera)] == expected
    assert set(records.outcomes().values()) == {"present"}


# ---- people are told


def told(records: Records) -> list[tuple[str, str]]:
    """Occasion and first line of what waits in the outbox for the officer."""
    rows = records.world.rows(
        "SELECT o.occasion, o.body FROM outbox o WHERE o.recipient LIKE 'person:%%' ORDER BY o.created_at, o.outbox_id"
    )
    return [(row["occasion"], row["body"].splitlines()[1]) for row in rows]


@pytest.fixture
def officer(records: Records) -> None:
    """A policy officer of the centre's region with a way to reach them."""
    with records.world.database.transaction() as cursor:
        cursor.execute(
            "INSERT INTO person (name, role, language, created_at) VALUES ('officer', 'policy_officer', 'en', %s)",
            (NOON,),
        )
        person = cursor.lastrowid
        cursor.execute("INSERT INTO person_region SELECT %s, region_id FROM centre", (person,))
        cursor.execute(
            "INSERT INTO channel (person_id, medium, address, created_at) VALUES (%s, 'email', 'o@example.org', %s)",
            (person, NOON),
        )


def test_of_a_camera_that_went_dark_people_are_told_once_whatever_comes_later(records: Records, officer: None) -> None:
    records.minutes(3, cameras={1: [(0, 60)], 2: [(0, 60)]})
    late = records.teller.coverage(at(240), {1: [(0, 60)], 2: [(0, 60)]}, arrives=at(900))
    records.minutes(3, at(300), cameras={1: [(0, 60)], 2: []})
    for second in (490, 500):
        records.round(at(second))
        tell_holes(records.desk.transactions, records.clock)
    records.minutes(1, at(600), cameras={1: [(0, 60)], 2: [(0, 60)]})
    records.file(late)
    tell_holes(records.desk.transactions, records.clock)
    found = told(records)
    # camera 1 had two silences of two minutes, which the late record shortens; camera 2 has one hole, split by it
    assert sorted("camera 2" in text for _, text in found) == [False, False, True]
    assert {occasion for occasion, _ in found} == {"hole"}
    assert [hole[:2] for hole in records.holes(2)] == [(180, 240), (300, 600)]


def test_clips_and_minutes_long_past_do_not_hide_that_nobody_tells_of_now(records: Records) -> None:
    records.minutes(2)
    for second in (150, 210, 270):
        records.file(records.teller.coverage(at(second - 3600), arrives=at(second)))
        records.file(records.teller.record("drop", at(second), at(second), detail={}))
    assert records.round(at(271)).silent == (GATEWAY,)
    assert records.holes()[-1] == (120, None, "no_records")


def test_a_gateway_that_says_it_is_down_for_years_to_come_is_missed_all_the_same(records: Records) -> None:
    records.minutes(2)
    down = {"cameras": [{"camera": 1, "spans": []}], "down": True}
    filed = records.file(
        records.teller.record("coverage", at(120), at(120 + 86400 * 3650), detail=down, arrives=at(125))
    )
    assert filed.refused == "it is about a time after it arrived"
    assert records.world.row("SELECT heard_until FROM gateway_watch")["heard_until"] == at(120)
    assert records.round(at(500)).silent == (GATEWAY,)


# ---- tampering


def tamper(
    records: Records, state: str, start: float, end: float, *, event: str = "01KB2WXYZ0000000000000000E", **more: object
) -> Arrival:
    what = str(more.pop("what", "covered"))
    detail = {"what": what, "state": state, "event": event}
    return records.teller.record("tamper", at(start), at(end), camera=2, detail=detail, **more)


def incidents(records: Records) -> list[tuple[str, str, float, float, int]]:
    rows = records.world.rows("SELECT * FROM incident ORDER BY number")
    return [
        (row["kind"], row["status"], seconds(row["started_at"]), seconds(row["ended_at"]), row["unverified"])
        for row in rows
    ]


def test_a_covered_camera_opens_an_incident_that_its_end_resolves(records: Records, officer: None) -> None:
    records.file(tamper(records, "begins", 100, 131))
    assert incidents(records) == [("tamper", "open", 100, 131, 0)]
    assert [occasion for occasion, _ in told(records)] == ["tamper"]
    end = tamper(records, "ends", 100, 900)
    records.file(end)
    assert incidents(records) == [("tamper", "resolved", 100, 900, 0)]
    for arrival in (*records.teller.told, end):
        records.file(arrival)
    assert incidents(records) == [("tamper", "resolved", 100, 900, 0)]
    actions = records.world.rows("SELECT action FROM audit WHERE action LIKE 'incident.%%' ORDER BY audit_id")
    assert [row["action"] for row in actions] == ["incident.open", "incident.resolved"]
    assert len(told(records)) == 1


def test_an_end_that_overtakes_its_beginning_is_one_resolved_incident(records: Records) -> None:
    begin = tamper(records, "begins", 100, 131)
    records.file(tamper(records, "ends", 100, 900))
    records.file(begin, at(910))
    assert incidents(records) == [("tamper", "resolved", 100, 900, 0)]


def test_an_incident_of_two_troubles_is_resolved_when_both_are_over(records: Records) -> None:
    other = "01KB2WXYZ0000000000000000F"
    records.file(tamper(records, "begins", 100, 131))
    records.file(tamper(records, "begins", 140, 171, event=other, what="turned"))
    records.file(tamper(records, "ends", 100, 200))
    assert [row[1] for row in incidents(records)] == ["open"]
    records.file(tamper(records, "ends", 140, 300, event=other, what="turned"))
    assert [row[1:4] for row in incidents(records)] == [("resolved", 100, 300)]


def test_a_gateway_does_not_end_what_its_own_clip_has_opened(records: Records) -> None:
    clip = records.world.place(script(*QUIET), camera=2, seq=900, started_at=at(60), signed=False)
    records.world.analyse(clip)
    records.file(tamper(records, "begins", 100, 131))
    records.file(tamper(records, "ends", 100, 900))
    assert [row[:2] for row in incidents(records)] == [("tamper", "open")]


def test_whoever_has_no_key_can_raise_an_alarm_and_never_end_one(records: Records) -> None:
    records.file(tamper(records, "begins", 100, 131))
    records.teller.key = SigningKey(b"\x08" * 32)
    assert records.file(tamper(records, "ends", 100, 140)).status.value == "bad_signature"
    assert incidents(records) == [("tamper", "open", 100, 140, 1)]


def test_tampering_by_a_clock_years_off_is_filed_where_it_arrived(records: Records) -> None:
    records.teller.clock_behind_s = -10 * 365 * 86_400.0
    records.file(tamper(records, "begins", 100, 131))
    assert incidents(records) == [("tamper", "open", 102, 133, 0)]


def test_tampering_by_a_clock_that_is_known_to_be_wrong_is_put_right(records: Records) -> None:
    records.teller.clock_behind_s = 1800.0
    records.minutes(2, clock_offset_s=1800.0)
    records.file(tamper(records, "begins", 130, 161))
    assert [row[2:4] for row in incidents(records)] == [(130, 161)]


@pytest.mark.parametrize(
    "detail", [{}, {"what": "covered", "state": "begins"}, {"what": "hit", "state": "ends", "event": "0" * 26}]
)
def test_a_tamper_record_that_says_nothing_is_kept_and_flagged(records: Records, detail: dict[str, object]) -> None:
    filed = records.file(records.teller.record("tamper", at(0), at(40), camera=2, detail=detail))
    assert (filed.status.value, "does not say" in filed.refused) == ("present", True)
    assert incidents(records) == []
    assert records.outcomes() == {1: "present"}


# ---- the chain


def troubles_told(records: Records) -> list[tuple[str, str]]:
    """What this round has the officer told of the gateways' records: the key and the line that says what it is."""
    before = {row["about"] for row in records.world.rows("SELECT about FROM outbox")}
    tell_troubles(records.desk.transactions, records.clock)
    rows = records.world.rows("SELECT about, body, recipient FROM outbox WHERE occasion = 'records' ORDER BY about")
    assert {row["recipient"][:7] for row in rows} <= {"person:"}
    return [(row["about"], row["body"].split("\n")[1]) for row in rows if row["about"] not in before]


def test_the_officer_is_told_of_numbers_that_did_not_come_once_a_day_and_gateway(
    records: Records, officer: None
) -> None:
    records.file(records.teller.coverage(NOON))
    records.teller.coverage(at(60))
    records.teller.coverage(at(120))
    records.file(records.teller.coverage(at(180)))
    records.teller.coverage(at(240))
    records.file(records.teller.coverage(at(300)))
    assert records.round(at(1000)).gaps == 0
    assert troubles_told(records) == [], "they may still be under way"
    assert records.round(at(4000)).gaps == 2
    assert troubles_told(records) == [(f"gap:{GATEWAY}:20261122", f"3 of its records did not come · gateway {GATEWAY}")]
    assert troubles_told(records) == []
    records.teller.coverage(at(360))
    records.file(records.teller.coverage(at(420)), at(5000))
    assert records.round(at(90_000)).gaps == 1
    assert [about for about, _ in troubles_told(records)] == [f"gap:{GATEWAY}:20261123"]


def test_numbers_that_came_before_anybody_was_told_are_not_told(records: Records, officer: None) -> None:
    records.file(records.teller.coverage(NOON))
    late = records.teller.coverage(at(60))
    records.file(records.teller.coverage(at(120)))
    assert records.round(at(4000)).gaps == 1
    records.file(late, at(4001))
    assert troubles_told(records) == []


def test_a_gateway_put_back_to_an_older_state_is_told_once_however_many_records_fork(
    records: Records, officer: None
) -> None:
    records.minutes(3)
    records.teller.seq, records.teller.prev = 1, "0" * 64
    for minute in range(3, 6):
        records.file(records.teller.coverage(at(60 * minute)))
    assert "forked" in records.outcomes().values()
    (told,) = troubles_told(records)
    assert told[0] == f"order:{GATEWAY}:20261122"
    assert "of its records contradict each other or their order" in told[1]
    records.file(records.teller.coverage(at(400)))
    assert troubles_told(records) == []


def test_a_broken_link_of_long_ago_that_shows_only_now_is_told_now(records: Records, officer: None) -> None:
    first = records.teller.coverage(NOON, arrives=at(62))
    records.teller.prev = "1" * 64
    records.file(records.teller.coverage(at(60)))
    records.file(first, at(5 * 86400))
    assert records.outcomes()[2] == "broken_link"
    assert [about for about, _ in troubles_told(records)] == [f"order:{GATEWAY}:20261127"]


def test_the_officer_is_told_of_a_clock_that_is_wrong_and_again_when_it_is_wrong_anew(
    records: Records, officer: None
) -> None:
    records.teller.clock_behind_s = 90.0
    records.file(records.teller.coverage(NOON, clock_offset_s=90.0))
    assert [line for _, line in troubles_told(records)] == [f"its clock is wrong · gateway {GATEWAY}"]
    records.file(records.teller.coverage(at(60), clock_offset_s=90.0))
    assert troubles_told(records) == []
    records.teller.clock_behind_s = 0.0
    records.file(records.teller.coverage(at(120), clock_offset_s=0.0))
    records.teller.clock_behind_s = 90.0
    records.file(records.teller.coverage(at(90_000), clock_offset_s=90.0))
    assert [about for about, _ in troubles_told(records)] == [f"clock:{GATEWAY}:20261123"]


def test_of_a_revoked_gateway_nobody_is_told(records: Records, officer: None) -> None:
    records.teller.clock_behind_s = 90.0
    records.file(records.teller.coverage(NOON, clock_offset_s=90.0))
    with records.world.database.transaction() as cursor:
        revoke_gateway(cursor, GATEWAY, None, at(100))
    assert troubles_told(records) == []


def test_what_is_wrong_with_records_is_found_by_indexes_and_not_by_looking_at_every_record(records: Records) -> None:
    long_ago = NOON - timedelta(days=30)
    with records.world.database.transaction() as cursor:
        cursor.executemany(
            "INSERT INTO record (record_id, gateway_id, seq, object_key, received_at, outcome, flagged_at) "
            "VALUES (%s, %s, %s, 'k', %s, 'present', %s)",
            [
                (n.to_bytes(16, "big"), GATEWAY, n, long_ago, NOON if n < 5 else long_ago if n % 3 == 0 else None)
                for n in range(6000)
            ],
        )
        cursor.executemany(
            "INSERT INTO sequence_gap (gateway_id, first_seq, last_seq, found_at) VALUES (%s, %s, %s, %s)",
            [(GATEWAY, n, n, NOON if n < 5 else long_ago) for n in range(3000)],
        )
        for table in ("record", "sequence_gap"):
            cursor.execute(f"ANALYZE TABLE {table}")
            cursor.fetchall()
        cursor.execute("EXPLAIN " + UNTOLD_TROUBLES, (NOON - FRESH, NOON - FRESH, 100))
        steps = {row["table"]: row for row in cursor.fetchall()}
    for table, key in (("record", "record_flagged"), ("sequence_gap", "sequence_gap_open")):
        assert (steps[table]["key"], steps[table]["type"], int(steps[table]["rows"]) < 20) == (key, "range", True)


def entered(records: Records) -> None:
    """The gateway's key came with its cameras, at noon."""
    records.world.rows("UPDATE gateway_key SET valid_from = %s", (NOON,))


def test_a_camera_that_was_entered_and_never_sent_anything_is_a_hole_after_a_day(
    records: Records, officer: None
) -> None:
    entered(records)
    assert records.round(NOON + INSTALLED_WITHIN - timedelta(seconds=1)) == Watching((), (), 0)
    assert status_rows.rows(records.world.database.connection())["never_recorded"] == 4
    found = records.round(NOON + INSTALLED_WITHIN)
    assert found.dark == tuple((GATEWAY, number) for number in range(1, 5))
    assert records.holes(3) == [(0, None, "no_records")], "since it was entered"
    assert tell_holes(records.desk.transactions, records.clock) == 4
    queues = QueuesInMemory()
    relay_outbox(Relay(records.desk.transactions, queues, ReceiptsInMemory(), records.clock))
    assert [message.subject for message in queues.put_messages] == ["[Uri-AI] 4 holes in the recording"], "one message"
    assert records.round(NOON + 2 * INSTALLED_WITHIN) == Watching((), (), 0)
    assert status_rows.rows(records.world.database.connection())["never_recorded"] == 0


def test_what_a_camera_sends_at_last_ends_the_hole_that_it_began_with(records: Records) -> None:
    entered(records)
    day = INSTALLED_WITHIN.total_seconds()
    records.round(at(day))
    records.file(records.teller.coverage(at(day + 600)))
    assert records.holes(1) == [(0, day + 600, "no_records")]
    assert records.holes(2) == [(0, None, "no_records")]
    assert records.coverage() == [(day + 600, day + 660)]


def test_a_camera_beside_others_that_record_is_missed_too(records: Records) -> None:
    entered(records)
    late = INSTALLED_WITHIN - 10 * MINUTE
    records.minutes(15, NOON + late)
    assert records.round(NOON + INSTALLED_WITHIN + 5 * MINUTE).dark == ((GATEWAY, 2), (GATEWAY, 3), (GATEWAY, 4))
    assert records.holes(2) == [(0, None, "camera_silent")], "its gateway is alive"


def test_a_gateway_that_has_no_key_yet_or_none_any_more_is_expected_to_send_nothing(records: Records) -> None:
    records.world.rows("UPDATE gateway_key SET revoked_at = %s", (NOON,))
    assert records.round(NOON + 10 * INSTALLED_WITHIN) == Watching((), (), 0)
    records.world.rows("DELETE FROM gateway_key")
    assert records.round(NOON + 10 * INSTALLED_WITHIN) == Watching((), (), 0)


def test_a_camera_that_nobody_entered_is_expected_once_a_clip_of_it_was_verified(records: Records) -> None:
    entered(records)
    records.world.rows("DELETE FROM camera")
    records.world.analyse(place_clip(records.world.bucket, script(*QUIET), camera=7, signed=False))
    later = NOON + INSTALLED_WITHIN + MINUTE
    assert records.round(later) == Watching((), (), 0), "anybody can make up a number"
    records.world.analyse(place_clip(records.world.bucket, script(*QUIET), camera=7, seq=2))
    assert records.round(later).dark == ((GATEWAY, 7),)


def test_a_number_that_does_not_come_is_on_file_after_an_hour_and_filled_when_it_comes(records: Records) -> None:
    records.minutes(2)
    lost = [records.teller.coverage(at(120)), records.teller.coverage(at(180))]
    records.minutes(2, at(240))
    assert records.round(at(3000)).gaps == 0
    assert records.round(at(4000)).gaps == 1
    assert records.world.row("SELECT first_seq, last_seq, filled_at FROM sequence_gap") == {
        "first_seq": 3, "last_seq": 4, "filled_at": None,
    }  # fmt: skip
    assert records.round(at(4060)).gaps == 0
    records.minutes(1, at(300))
    records.file(lost[0])
    assert records.world.count("sequence_gap", "filled_at IS NULL") == 1
    records.file(lost[1])
    assert records.world.count("sequence_gap", "filled_at IS NULL") == 0
    assert records.world.row("SELECT chain_seq, last_seq, gap_since FROM gateway_watch") == {
        "chain_seq": 7, "last_seq": 7, "gap_since": None,
    }  # fmt: skip


def test_a_round_whose_time_is_up_leaves_the_rest_to_the_next_and_starves_nothing(records: Records) -> None:
    cameras = {number: [(0.0, 60.0)] for number in range(1, 5)}
    records.file(records.teller.coverage(NOON, cameras))
    records.teller.coverage(at(60), cameras)  # its number never comes
    records.file(records.teller.coverage(at(120), cameras))
    records.clock.instant = at(8000)
    rounds = []
    for _ in range(10):
        asked = iter(range(100))
        outside = CoverageWatch(
            records.desk.transactions, records.clock, stop=lambda asked=asked: next(asked) > 3, at_once=1
        )
        found = watch_coverage(outside)
        rounds.append((len(found.silent), len(found.dark), found.gaps, found.finished))
        if found.finished:
            break
    assert rounds == [(1, 1, 1, False), (0, 2, 0, False), (0, 1, 0, True)], "each kind gets its turn in the first"
    assert [records.holes(number)[-1] for number in cameras] == [(180, None, "no_records")] * 4


def test_a_dead_gateway_of_four_cameras_is_one_message_to_each(records: Records, officer: None) -> None:
    records.file(records.teller.coverage(NOON, {number: [(0.0, 60.0)] for number in range(1, 5)}))
    assert len(records.round(at(300)).dark) == 4
    tell_holes(records.desk.transactions, records.clock)
    queues = QueuesInMemory()
    relay_outbox(Relay(records.desk.transactions, queues, ReceiptsInMemory(), records.clock))
    (message,) = queues.put_messages
    assert message.subject == "[Uri-AI] 4 holes in the recording"
    assert all(f"camera {number}" in message.body for number in range(1, 5))
    records.round(at(400))
    assert tell_holes(records.desk.transactions, records.clock) == 0


def test_two_gaps_are_two_and_a_young_one_waits(records: Records) -> None:
    records.minutes(1)
    for start in (120, 3700):
        records.teller.coverage(at(start - 60))
        records.minutes(1, at(start))
    assert records.round(at(3900)).gaps == 1
    assert records.round(at(3900 + 3600)).gaps == 1
    rows = records.world.rows("SELECT first_seq FROM sequence_gap ORDER BY first_seq")
    assert [row["first_seq"] for row in rows] == [2, 4]


def test_a_gateway_put_back_to_an_older_state_forks_and_the_next_link_breaks(records: Records) -> None:
    records.minutes(2)
    older = replace(records.teller, told=[])
    records.minutes(2, at(120))
    older.coverage(at(300))
    records.file(older.told[0])
    records.file(older.coverage(at(360)))
    rows = records.world.rows("SELECT seq, outcome FROM record ORDER BY seq, started_at")
    assert [(row["seq"], row["outcome"]) for row in rows] == [
        (1, "present"), (2, "present"), (3, "forked"), (3, "forked"), (4, "forked"), (4, "forked"),
    ]  # fmt: skip
    for arrival in records.teller.told:
        records.file(arrival)
    assert records.world.count("record", "outcome = 'forked'") == 4


def test_a_record_that_does_not_continue_the_one_before_is_a_broken_link_in_whatever_order_they_come(
    records: Records,
) -> None:
    first = records.teller.coverage()
    records.teller.prev = "ab" * 32
    second = records.teller.coverage(at(60))
    third = records.teller.coverage(at(120))
    for arrival in (third, second, first):
        records.file(arrival)
    assert records.outcomes() == {1: "present", 2: "broken_link", 3: "present"}


def test_eight_containers_at_once_file_each_record_once(records: Records) -> None:
    arrivals = [records.teller.coverage(at(60 * minute), {1: [(0, 60)], 2: [(0, 60)]}) for minute in range(24)]
    records.clock.instant = at(60 * 24 + 10)
    failures: list[BaseException] = []

    def work(mine: list[Arrival]) -> None:
        database = Database(records.world.connect)
        desk = replace(records.desk, transactions=SqlTransactions(database))
        try:
            for arrival in mine:
                file_record(arrival, desk)
        except Exception as error:  # noqa: BLE001 - told by the test's own thread
            failures.append(error)
        finally:
            database.close()

    threads = [threading.Thread(target=work, args=(arrivals[one::4] + arrivals[one::8],)) for one in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert records.world.count("record") == 24
    assert records.coverage(1) == records.coverage(2) == [(0, 1440)]
    assert records.world.row("SELECT chain_seq FROM gateway_watch")["chain_seq"] == 24


class Interrupted:
    """A cursor that calls ``meanwhile`` after a statement with the words ``after`` in it."""

    def __init__(self, cursor: DictCursor, after: str, meanwhile: Callable[[], None]) -> None:
        self._cursor, self._after, self._meanwhile = cursor, after, meanwhile

    def __getattr__(self, name: str) -> object:
        return getattr(self._cursor, name)

    def execute(self, statement: str, values: object = None) -> int:
        changed = self._cursor.execute(statement, values)
        if self._after in statement:
            self._meanwhile()
        return changed

    def executemany(self, statement: str, values: Sequence[object]) -> int | None:
        changed = self._cursor.executemany(statement, values)
        if self._after in statement:
            self._meanwhile()
        return changed


@pytest.mark.parametrize(
    ("by", "after"), [("record", "INTO coverage "), ("record", "INTO camera_watch "), ("round", "INTO camera_watch ")]
)
def test_a_clip_that_comes_while_its_camera_is_first_heard_of_waits_and_nobody_is_locked_out(
    records: Records, by: str, after: str
) -> None:
    entered(records)
    arrival, clip = records.teller.coverage(), records.world.place(script(*QUIET))
    beside, looking = records.world.beside(), records.world.beside()
    filing, waited = threading.Thread(target=lambda: beside.analyse(clip)), []

    def meanwhile() -> None:
        """Have the clip filed; go on when it is, or when it waits."""
        if filing.ident is None:
            filing.start()
        deadline = time.monotonic() + 10
        while filing.is_alive() and time.monotonic() < deadline:
            if looking.count("information_schema.INNODB_TRX", "trx_state = 'LOCK WAIT'"):
                waited.append(after)
                return
            time.sleep(0.15)  # looked at more often than ten times a second the table stays as it was

    class Slow(SqlTransactions):
        def run(self, work: Callable[[Repositories], Result]) -> Result:
            return self._database.run(
                lambda cursor: work(repositories(cast(DictCursor, Interrupted(cursor, after, meanwhile))))
            )

    before = deadlocks(looking)
    slow = Slow(records.world.database)
    if by == "record":
        file_record(arrival, replace(records.desk, transactions=slow))
    else:
        records.clock.instant = NOON + INSTALLED_WITHIN
        watch_coverage(CoverageWatch(slow, records.clock))
    filing.join(20)
    assert waited, "the clip came when the camera was locked"
    assert deadlocks(looking) == before
    assert records.world.count("analysis", "state = 'done'") == 1
    assert records.world.count("camera_watch") == (1 if by == "record" else 4)
    for one in (beside, looking):
        one.database.close()


def deadlocks(world: World) -> int:
    """How many this server has seen, those included that were retried."""
    return int(str(world.row("SHOW GLOBAL STATUS LIKE 'Innodb_deadlocks'")["Value"]))


def test_what_a_camera_recorded_between_two_instants_is_one_indexed_range(records: Records) -> None:
    records.minutes(10)
    with records.world.database.transaction() as cursor:
        cursor.execute("SELECT camera_id FROM camera WHERE number = 1")
        camera = cursor.fetchone()["camera_id"]
        cursor.executemany(
            "INSERT INTO coverage (camera_id, started_at, ended_at) VALUES (%s, %s, %s)",
            [(camera, at(3600 * hour), at(3600 * hour + 1800)) for hour in range(1, 24 * 200)],
        )
        assert SqlCoverage(cursor).spans(camera, Span(at(300), at(4000))) == [
            Span(at(0), at(600)), Span(at(3600), at(5400)),
        ]  # fmt: skip


# ---- what an operator sees


def test_status_names_silent_gateways_dark_cameras_missing_numbers_and_flagged_records(
    records: Records, connect: Callable[[], Connection], capsys: pytest.CaptureFixture[str]
) -> None:
    records.teller.clock_behind_s = 600.0
    records.minutes(2, clock_offset_s=600.0)
    records.teller.coverage(at(120))
    records.minutes(1, at(180), clock_offset_s=600.0)
    stranger = Teller(records.world.bucket, key=SigningKey(b"\x07" * 32), seq=50)
    records.file(stranger.coverage(at(200)))
    records.round(at(8000))
    with connect() as connection:
        found = status_rows.rows(connection)
    assert [one["gateway"] for one in found["silent_gateways"]] == [GATEWAY]
    assert [one["clock_offset_s"] for one in found["wrong_clocks"]] == [600.0]
    assert (found["dark_cameras"], found["last_dark"][0]["camera"]) == (1, 1)
    assert [(one["first_seq"], one["last_seq"]) for one in found["last_gaps"]] == [(3, 3)]
    assert found["flagged_records"] == {"bad_signature": 1}
    json.dumps(found)
    status_rows.show(found)
    said = capsys.readouterr().out
    for words in ("silent gateway saetbyeol-1", "S3's is +600 s ahead", "saetbyeol-1 camera 1", "saetbyeol-1 3 to 3",
                  "bad_signature 1", "no key of the gateway"):  # fmt: skip
        assert words in said
