"""What is put into the outbox as incidents come about. On a real MariaDB."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.integration.pipeline.at_once import at_once
from tests.integration.pipeline.staff import everybody, person, reach, region, station
from tests.unit.pipeline.fakes import DOUBTFUL, NOON, VIOLENT, script
from uriai.adapters.database.channels import remove_channel
from uriai.adapters.database.people import SqlPeople
from uriai.domain.incident import Decision
from uriai.domain.person import Language
from uriai.domain.telling import Hours, Medium
from uriai.domain.words import Role, Status
from uriai.service.decide_review import Named, Ruling, decide_review, move_incident
from uriai.service.ports.telling import OutboxState
from uriai.service.tell import tell

pytestmark = pytest.mark.integration


@pytest.fixture
def staff(world):
    return everybody(world)


def told(world):
    """Occasion and recipient's name of every row."""
    found = world.outside.transactions.run(lambda rows: rows.outbox.listing(tuple(OutboxState), 1000))
    return sorted((row.occasion.value, row.name, row.state.value) for row in found)


def violent(world, seconds=0, seq=1, windows=VIOLENT):
    world.analyse(world.place(script(*windows), started_at=NOON + timedelta(seconds=seconds), seq=seq))


def decide(world, decision=Decision.REPORT):
    return decide_review(Ruling(1, decision, "seen", "expert"), world.outside.transactions, world.outside.clock)


def test_a_report_at_once_tells_station_officer_and_director_and_is_before_dispatch(world, staff):
    world.set_auto_report(True)
    violent(world)
    assert told(world) == [
        ("reported", "director", "waiting"),
        ("reported", "officer", "waiting"),
        ("reported", "수원영통경찰서", "waiting"),
    ]
    report = world.row("SELECT * FROM police_report")
    assert (report["status"], report["police_station_id"]) == ("before_dispatch", staff["station"].id)
    assert world.row("SELECT incident_id FROM incident")["incident_id"] == report["incident_id"]
    assert world.row("SELECT detail FROM audit WHERE action = 'police_report.before_dispatch'")


def test_under_confirm_the_expert_is_paged_and_the_report_comes_with_the_decision(world, staff):
    violent(world)
    assert told(world) == [("page", "expert", "waiting")]
    assert world.count("police_report") == 0
    decide(world)
    assert [row[:2] for row in told(world)] == [
        ("page", "expert"), ("reported", "director"), ("reported", "officer"), ("reported", "수원영통경찰서"),
    ]  # fmt: skip
    assert world.count("police_report") == 1


def test_the_police_report_follows_what_the_police_did(world, staff):
    violent(world)
    decide(world)
    for status in (Status.DISPATCHED, Status.CLOSED):
        move_incident(Named(1, "told by phone", "liaison"), status, world.outside.transactions, world.outside.clock)
        assert world.row("SELECT status FROM police_report")["status"] == status.value
    assert len(told(world)) == 4, "nobody is told again"


def test_what_is_judged_safe_is_told_to_nobody(world, staff):
    violent(world)
    decide(world, Decision.SAFE)
    assert told(world) == [("page", "expert", "waiting")]
    assert world.count("police_report") == 0


def test_a_doubtful_incident_that_becomes_grave_is_a_review_and_then_a_page_once(world, staff):
    for n, windows in enumerate((DOUBTFUL, VIOLENT, VIOLENT)):
        violent(world, 20 * n, n + 1, windows)
    assert told(world) == [("page", "expert", "waiting"), ("review", "expert", "waiting")]


def test_a_director_hears_nothing_of_what_is_withheld(world, staff):
    violent(world, windows=DOUBTFUL)
    with world.database.transaction() as cursor:
        cursor.execute("UPDATE incident SET withhold_from_director = TRUE")
    decide(world)
    assert [name for occasion, name, _ in told(world) if occasion == "reported"] == ["officer", "수원영통경찰서"]


def test_in_a_rolled_back_transaction_nothing_was_told(world, staff):
    class CrashError(Exception):
        pass

    def work(rows):
        item = rows.incidents.numbered(1, None, None)[0]
        reported = replace(item.incident, status=Status.REPORTED)
        rows.incidents.update(reported, NOON)
        tell(rows, item.centre, item.camera_number, reported, before=item.incident, now=NOON)
        raise CrashError

    violent(world, windows=DOUBTFUL)
    with pytest.raises(CrashError):
        world.outside.transactions.run(work)
    assert told(world) == [("review", "expert", "waiting")]
    assert world.count("police_report") == 0
    assert world.row("SELECT status FROM incident")["status"] == "pending_review"


def test_told_by_eight_connections_at_once_everybody_is_told_once(world, staff):
    """Not through the incident's lock: the unique key alone has to hold."""
    violent(world, windows=DOUBTFUL)
    item = world.outside.transactions.run(lambda rows: rows.incidents.numbered(1, None, None)[0])
    reported = replace(item.incident, status=Status.REPORTED)

    def thrice(beside):
        for _ in range(3):
            beside.outside.transactions.run(
                lambda rows: tell(rows, item.centre, 1, reported, before=item.incident, now=NOON)
            )

    at_once(world, thrice)
    assert [row[:2] for row in told(world)] == [
        ("reported", "director"), ("reported", "officer"), ("reported", "수원영통경찰서"), ("review", "expert"),
    ]  # fmt: skip
    assert world.count("police_report") == 1


@pytest.mark.parametrize(
    ("stations", "nearest"),
    [
        ({"동": "영통동", "시": "", "도": None}, "동"),
        ({"시": "", "도": None}, "시"),
        ({"도": None}, "도"),
    ],
)
def test_the_station_in_charge_is_the_nearest_that_there_is(world, stations, nearest):
    for name, neighbourhood in stations.items():
        station(world, name, region(world, district="") if neighbourhood is None else region(world, neighbourhood))
    station(world, "elsewhere", region(world, "매탄동"))
    world.set_auto_report(True)
    violent(world)
    assert ("reported", nearest, "waiting") in told(world)
    assert {name for occasion, name, _ in told(world) if occasion == "reported"} == {nearest}


def test_a_region_without_a_station_has_the_operator_told_and_nobody_believes_the_police_know(world, staff):
    with world.database.transaction() as cursor:
        cursor.execute("DELETE FROM channel WHERE police_station_id IS NOT NULL")
        cursor.execute("DELETE FROM police_station")
    world.set_auto_report(True)
    violent(world)
    assert told(world) == [
        ("no_station", "operator", "waiting"),
        ("reported", "director", "waiting"),
        ("reported", "officer", "waiting"),
    ]
    assert world.row("SELECT police_station_id FROM police_report")["police_station_id"] is None
    for row in world.rows("SELECT body FROM outbox"):
        assert "112" in row["body"]


def test_a_station_that_cannot_be_reached_is_like_none_but_the_report_names_it(world, staff):
    with world.database.transaction() as cursor:
        assert remove_channel(cursor, staff["station"], Medium.TELEGRAM, "test", NOON)
    world.set_auto_report(True)
    violent(world)
    assert ("no_station", "operator", "waiting") in told(world)
    assert world.row("SELECT police_station_id FROM police_report")["police_station_id"] == staff["station"].id


def test_where_nobody_at_all_can_be_told_rows_that_failed_say_so(world):
    world.set_auto_report(True)
    violent(world)
    assert told(world) == [
        ("no_director", "", "failed"), ("no_policy_officer", "", "failed"), ("no_station", "", "failed"),
    ]  # fmt: skip
    assert all("uriai channels add" in row["reason"] for row in world.rows("SELECT reason FROM outbox"))


def test_people_of_other_regions_and_disabled_people_are_told_nothing(world, staff):
    other = region(world, "정자동", district="성남시")
    person(world, "stranger", Role.EXPERT, regions=[other])
    gone = person(world, "gone", Role.EXPERT, regions=[region(world)])
    SqlPeople(world.database).disable(SqlPeople(world.database).named("gone"), "test", NOON)
    assert gone
    violent(world)
    assert told(world) == [("page", "expert", "waiting")]


def test_each_is_told_in_their_language_by_each_of_their_channels(world, staff):
    english = person(world, "English", Role.EXPERT, regions=[region(world)], language=Language.ENGLISH)
    reach(world, english, "telegram")
    violent(world)
    rows = world.rows(
        "SELECT medium, subject FROM outbox WHERE recipient = %s ORDER BY medium", (f"person:{english.id}",)
    )
    assert [row["medium"] for row in rows] == ["slack", "telegram"]
    assert all(row["subject"].startswith("[Uri-AI] urgent: 샛별어린이집 no. 1") for row in rows)


def test_a_review_waits_for_the_end_of_quiet_hours_and_a_page_does_not(world, staff):
    reach(world, staff["expert"], "email", Hours(11 * 60, 15 * 60))
    violent(world, windows=DOUBTFUL)
    violent(world, 20, 2)
    due = {row["occasion"]: row["due_at"] for row in world.rows("SELECT occasion, due_at FROM outbox")}
    assert due == {"review": NOON + timedelta(hours=3), "page": NOON}


def test_the_address_is_in_no_audit_line(world, staff):
    details = [row["detail"] for row in world.rows("SELECT detail FROM audit WHERE action LIKE 'channel.%%'")]
    assert len(details) == len(staff)
    assert not any("address of" in detail for detail in details)
