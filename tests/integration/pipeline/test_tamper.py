"""Edge events of tampering become incidents, however their records come. On a real MariaDB."""

from __future__ import annotations

import itertools
from datetime import timedelta

import pytest

from tests.unit.pipeline.fakes import GATEWAY, NOON
from uriai.domain.tampering import TamperSighting, TamperState, TamperWhat
from uriai.domain.thresholds import Thresholds
from uriai.domain.ulid import Ulid
from uriai.domain.words import Status
from uriai.service.decide_review import Named, move_incident
from uriai.service.file_tamper import file_tamper

pytestmark = pytest.mark.integration

EVENT = Ulid(b"e" * 16)
BEGINS, ENDS = TamperState.BEGINS, TamperState.ENDS


def told(state, lasted_s, event=EVENT, after_s=0, what=TamperWhat.COVERED):
    started_at = NOON + timedelta(seconds=after_s)
    return TamperSighting(what, state, event, started_at, started_at + timedelta(seconds=lasted_s))


def file(world, *sightings, verified=True, camera=1):
    def work(rows):
        gateway = rows.gateways.find(GATEWAY)
        place = rows.gateways.camera(gateway, camera, NOON)
        rows.gateways.lock_camera(place.id)
        return file_tamper(rows, gateway.centre, place, sightings, Thresholds(), verified=verified, now=NOON)

    return world.outside.transactions.run(work)


def standing(world):
    return world.rows("SELECT * FROM incident WHERE merged_into IS NULL ORDER BY started_at")


def lasts_s(row):
    return (row["ended_at"] - row["started_at"]).total_seconds()


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_beginning_end_and_a_repetition_are_one_finding_and_one_open_incident(world, order):
    records = [told(BEGINS, 31), told(ENDS, 900), told(BEGINS, 31)]
    for n in order:
        file(world, records[n])
    (incident,) = standing(world)
    assert (incident["kind"], incident["status"], lasts_s(incident)) == ("tamper", "open", 900.0)
    finding = world.row("SELECT * FROM finding")
    assert (finding["analysis_id"], finding["event_id"], finding["end_ms"]) == (None, EVENT.value, 900_000)
    assert '"over":true' in finding["basis"].replace(" ", "")


def test_troubles_less_than_a_minute_apart_are_one_incident_and_another_cameras_its_own(world):
    other = Ulid(b"f" * 16)
    file(world, told(ENDS, 60))
    file(world, told(BEGINS, 40, other, after_s=110, what=TamperWhat.TURNED))
    file(world, told(ENDS, 60), camera=2)
    assert [lasts_s(row) for row in standing(world)] in ([150.0, 60.0], [60.0, 150.0])
    assert world.count("finding") == 3, "one event name of two cameras is two findings"


def test_what_is_too_short_is_no_incident(world):
    assert file(world, told(ENDS, 12)) == ()
    assert world.count("finding") == 0


def test_a_record_that_nobody_vouches_for_is_flagged_and_not_suppressed(world):
    file(world, told(BEGINS, 40), verified=False)
    assert standing(world)[0]["unverified"] == 1


def test_the_end_of_what_was_resolved_changes_nothing(world):
    file(world, told(BEGINS, 40))
    named = Named(1, "the lens was cleaned", "operator")
    move_incident(named, Status.RESOLVED, world.outside.transactions, world.outside.clock)
    before = (standing(world), world.rows("SELECT * FROM finding"))
    assert before[0][0]["status"] == "resolved"
    file(world, told(ENDS, 600))
    assert (standing(world), world.rows("SELECT * FROM finding")) == before


def test_tampering_that_lasts_two_months_is_kept(world):
    file(world, told(ENDS, 60 * 86_400))
    assert lasts_s(standing(world)[0]) == 60 * 86_400
    assert world.row("SELECT end_ms FROM finding")["end_ms"] == 2**32 - 1


def test_a_tamper_incident_is_never_decided_by_an_expert(world):
    from uriai.domain.incident import Decision
    from uriai.service.decide_review import NotWaitingError, Ruling, decide_review

    file(world, told(BEGINS, 40))
    with pytest.raises(NotWaitingError, match="is open"):
        decide_review(Ruling(1, Decision.SAFE, "x", "operator"), world.outside.transactions, world.outside.clock)
