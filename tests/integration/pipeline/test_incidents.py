"""Findings become incidents: joined, bridged, linked, decided. On a real MariaDB."""

from __future__ import annotations

import itertools
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.unit.pipeline.fakes import DOUBTFUL, NOON, VIOLENT, ScriptedAnalyser, script
from uriai.domain.incident import Decision, day_bounds, running_counts
from uriai.service.decide_review import (
    AmbiguousNumberError,
    IncidentNotFoundError,
    NotWaitingError,
    ReviewError,
    Ruling,
    decide_review,
)

pytestmark = pytest.mark.integration


def clip_at(world, seconds, seq, windows=DOUBTFUL, camera=1):
    return world.place(script(*windows), started_at=NOON + timedelta(seconds=seconds), seq=seq, camera=camera)


def standing(world):
    return world.rows("SELECT * FROM incident WHERE merged_into IS NULL ORDER BY started_at")


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_three_clips_in_a_row_are_one_incident_in_whatever_order_they_arrive(world, order):
    keys = [clip_at(world, 30 * n, n + 1) for n in range(3)]
    for n in order:
        world.analyse(keys[n])
    (incident,) = standing(world)
    spans = world.rows("SELECT MIN(started_at) AS first, MAX(ended_at) AS last FROM finding")
    assert (incident["started_at"], incident["ended_at"]) == (spans[0]["first"], spans[0]["last"])
    assert world.count("incident_finding") == 3


@pytest.mark.parametrize(("seconds", "incidents"), [(61.9, 1), (62.0, 2)])
def test_what_is_a_minute_or_more_apart_is_two_incidents(world, seconds, incidents):
    """The finding is in seconds 2 to 4 of each clip, so the second begins 60 s after the first has ended, or sooner."""
    world.analyse(clip_at(world, 0, 1))
    world.analyse(clip_at(world, seconds, 2))
    assert [(row["start_ms"], row["end_ms"]) for row in world.rows("SELECT * FROM finding")] == [(2000, 4000)] * 2
    assert len(standing(world)) == incidents


def test_two_cameras_are_two_incidents(world):
    for camera in (1, 2):
        world.analyse(clip_at(world, 0, camera, camera=camera))
    assert len(standing(world)) == 2


def test_a_late_clip_bridges_two_incidents_into_the_earlier(world):
    for n, seconds in enumerate((0, 100), start=1):
        world.analyse(clip_at(world, seconds, n))
    assert len(standing(world)) == 2
    world.analyse(clip_at(world, 50, 3, VIOLENT))
    survivor, merged = world.rows("SELECT * FROM incident ORDER BY started_at")
    assert survivor["merged_into"] is None
    assert merged["merged_into"] == survivor["incident_id"]
    assert survivor["verdict"] == "report"
    assert world.count("incident_finding") == 3
    assert {row["incident_id"] for row in world.rows("SELECT incident_id FROM incident_finding")} == {
        survivor["incident_id"]
    }
    assert world.row("SELECT subject FROM audit WHERE action = 'incident.merged'")


def test_a_decided_incident_takes_nothing_more_and_the_new_one_is_linked_to_it(world):
    world.analyse(clip_at(world, 0, 1))
    decide_review(
        Ruling(1, Decision.SAFE, "they were dancing", "operator"), world.outside.transactions, world.outside.clock
    )
    before = world.row("SELECT * FROM incident")
    world.analyse(clip_at(world, 30, 2))
    decided, new = world.rows("SELECT * FROM incident ORDER BY number")
    assert decided == before
    assert new["linked_to"] == decided["incident_id"]
    assert (decided["status"], new["status"]) == ("dismissed", "pending_review")


def withhold(world, number):
    with world.database.transaction() as cursor:
        assert cursor.execute("UPDATE incident SET withhold_from_director = TRUE WHERE number = %s", (number,)) == 1


def withheld(world):
    return {row["number"]: bool(row["withhold_from_director"]) for row in world.rows("SELECT * FROM incident")}


@pytest.mark.parametrize("number", [1, 2])
def test_what_is_withheld_from_the_director_stays_so_when_incidents_are_merged(world, number):
    for n, seconds in enumerate((0, 100), start=1):
        world.analyse(clip_at(world, seconds, n))
    withhold(world, number)
    world.analyse(clip_at(world, 50, 3))
    (survivor,) = standing(world)
    assert survivor["number"] == 1
    assert survivor["withhold_from_director"]


@pytest.mark.parametrize("hidden", [True, False])
def test_what_continues_a_withheld_incident_is_withheld_too(world, hidden):
    world.analyse(clip_at(world, 0, 1))
    decide_review(Ruling(1, Decision.SAFE, "seen", "operator"), world.outside.transactions, world.outside.clock)
    if hidden:
        withhold(world, 1)
    world.analyse(clip_at(world, 30, 2))
    assert withheld(world) == {1: hidden, 2: hidden}


def test_an_open_incident_that_reaches_a_withheld_decided_one_is_withheld_from_then_on(world):
    for n, seconds in enumerate((0, 100), start=1):
        world.analyse(clip_at(world, seconds, n))
    decide_review(Ruling(1, Decision.SAFE, "seen", "operator"), world.outside.transactions, world.outside.clock)
    withhold(world, 1)
    assert withheld(world) == {1: True, 2: False}
    world.analyse(clip_at(world, 50, 3))
    assert withheld(world) == {1: True, 2: True}


def test_newer_models_findings_do_not_touch_a_decision_and_open_a_linked_incident(world):
    key = clip_at(world, 0, 1)
    world.analyse(key)
    decide_review(Ruling(1, Decision.SAFE, "seen", "operator"), world.outside.transactions, world.outside.clock)
    world.beside(analyser=ScriptedAnalyser("2")).analyse(key)
    decided, new = world.rows("SELECT * FROM incident ORDER BY number")
    assert (decided["status"], new["status"]) == ("dismissed", "pending_review")
    assert new["linked_to"] == decided["incident_id"]


@pytest.mark.parametrize(("decision", "status"), [(Decision.REPORT, "reported"), (Decision.SAFE, "dismissed")])
def test_an_experts_decision_sets_the_status_and_is_audited(world, decision, status):
    world.analyse(clip_at(world, 0, 1))
    item = decide_review(Ruling(1, decision, "seen twice", "operator"), world.outside.transactions, world.outside.clock)
    assert item.incident.status.value == status
    assert world.row("SELECT status FROM incident")["status"] == status
    audit = world.row("SELECT actor, detail FROM audit WHERE action = %s", (f"incident.{status}",))
    assert audit["actor"] == "operator"
    assert "seen twice" in audit["detail"]


def test_a_decision_is_taken_once(world):
    world.analyse(clip_at(world, 0, 1))
    ruling = Ruling(1, Decision.SAFE, "nothing there", "operator")
    decide_review(ruling, world.outside.transactions, world.outside.clock)
    with pytest.raises(NotWaitingError, match="is dismissed"):
        decide_review(ruling, world.outside.transactions, world.outside.clock)


def test_a_number_that_is_not_there_and_a_decision_without_a_reason_are_refused(world):
    with pytest.raises(IncidentNotFoundError, match="no incident 7"):
        decide_review(Ruling(7, Decision.SAFE, "x", "operator"), world.outside.transactions, world.outside.clock)
    with pytest.raises(ReviewError, match="needs a reason"):
        decide_review(Ruling(7, Decision.SAFE, " ", "operator"), world.outside.transactions, world.outside.clock)


def test_a_number_that_two_centres_have_needs_the_centres_name(world):
    from tests.unit.pipeline.fakes import KEY
    from uriai.adapters.database.centres import NewCentre, add_centre
    from uriai.adapters.database.gateways import add_gateway

    with world.database.transaction() as cursor:
        other = add_centre(cursor, NewCentre("한빛어린이집", "서울특별시", "강서구"), NOON)
        add_gateway(cursor, "hanbit-1", other, bytes(KEY.verify_key), NOON - timedelta(days=1))
    world.analyse(clip_at(world, 0, 1))
    world.analyse(world.place(script(*DOUBTFUL), gateway="hanbit-1", seq=9))
    assert [row["number"] for row in standing(world)] == [1, 1], "each centre counts for itself"
    ruling = Ruling(1, Decision.REPORT, "seen", "operator")
    with pytest.raises(AmbiguousNumberError, match="say which with --centre"):
        decide_review(ruling, world.outside.transactions, world.outside.clock)
    item = decide_review(
        Ruling(1, Decision.REPORT, "seen", "operator", "한빛어린이집"), world.outside.transactions, world.outside.clock
    )
    assert item.centre.id == other


def test_the_running_count_is_the_days_order_of_starts_and_changes_when_a_late_clip_arrives(world):
    afternoon, morning = clip_at(world, 3600, 1), clip_at(world, 0, 2)
    start, end = day_bounds(date(2026, 11, 22), ZoneInfo("Asia/Seoul"))

    def counts():
        found = world.outside.transactions.run(lambda rows: rows.incidents.between(world.centre_id, start, end))
        running = running_counts(found)
        return {incident.number: running[incident.id] for incident in found}

    world.analyse(afternoon)
    assert counts() == {1: 1}
    world.analyse(morning)
    assert counts() == {2: 1, 1: 2}


def test_an_incident_before_midnight_in_seoul_is_not_of_the_next_day(world):
    midnight = day_bounds(date(2026, 11, 23), ZoneInfo("Asia/Seoul"))[0]
    key = world.place(script((0.0, 2.0, 0.95)), started_at=midnight - timedelta(milliseconds=1), seq=1)
    world.analyse(key)
    of = {
        day: world.outside.transactions.run(
            lambda rows, day=day: rows.incidents.between(
                world.centre_id, *day_bounds(date(2026, 11, day), ZoneInfo("Asia/Seoul"))
            )
        )
        for day in (22, 23)
    }
    assert (len(of[22]), len(of[23])) == (1, 0)
