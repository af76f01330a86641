from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

import pytest

from uriai.domain.rules import tamper
from uriai.domain.rules.tamper import TamperFinding
from uriai.domain.tampering import TamperSighting, TamperState, TamperWhat
from uriai.domain.thresholds import Thresholds
from uriai.domain.ulid import Ulid
from uriai.domain.words import Kind, Verdict

START = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
EVENT = Ulid(b"e" * 16)


def told(
    state: TamperState, lasted_s: float, event: Ulid = EVENT, what: TamperWhat = TamperWhat.COVERED
) -> TamperSighting:
    return TamperSighting(what, state, event, START, START + timedelta(seconds=lasted_s))


def found(*sightings: TamperSighting, **limits: float) -> tuple[TamperFinding, ...]:
    return tamper.find(sightings, Thresholds.from_mapping(limits))


def test_a_covered_camera_is_a_finding_from_when_it_began_to_when_it_was_told() -> None:
    (seen,) = found(told(TamperState.BEGINS, 31))
    assert (seen.event, seen.started_at, seen.ended_at, seen.over) == (
        EVENT,
        START,
        START + timedelta(seconds=31),
        False,
    )
    finding = seen.finding
    assert (finding.kind, finding.verdict, finding.confidence) == (Kind.TAMPER, Verdict.REVIEW, 1.0)
    assert (finding.start_s, finding.end_s) == (0.0, 31.0)
    assert finding.thresholds == {"tamper_least_s": 30.0}
    assert finding.basis == {"what": "covered", "event": str(EVENT), "over": False}


def test_its_end_makes_the_same_finding_longer_in_whatever_order_and_number_records_come() -> None:
    records = [told(TamperState.BEGINS, 31), told(TamperState.ENDS, 900), told(TamperState.BEGINS, 31)]
    answers = {found(*order)[0].ended_at for order in itertools.permutations(records)}
    assert answers == {START + timedelta(seconds=900)}
    assert found(*records)[0].over


def test_an_end_whose_beginning_never_came_speaks_for_both() -> None:
    (seen,) = found(told(TamperState.ENDS, 60))
    assert (seen.started_at, seen.over) == (START, True)


@pytest.mark.parametrize(("lasted_s", "findings"), [(29.4, 0), (29.6, 1), (30.0, 1)])
def test_half_a_minute_is_the_least_but_for_what_a_clock_is_slewed(lasted_s: float, findings: int) -> None:
    assert len(found(told(TamperState.ENDS, lasted_s))) == findings


def test_a_camera_that_is_left_longer_in_peace() -> None:
    assert found(told(TamperState.ENDS, 60), tamper_least_s=120) == ()
    assert len(found(told(TamperState.ENDS, 121), tamper_least_s=120)) == 1


def test_a_beginning_is_never_held_back_because_nobody_tells_how_it_goes_on() -> None:
    (seen,) = found(told(TamperState.BEGINS, 31), tamper_least_s=600)
    assert (seen.ended_at, seen.over) == (START + timedelta(seconds=31), False)
    (ended,) = found(told(TamperState.BEGINS, 31), told(TamperState.ENDS, 45), tamper_least_s=600)
    assert ended.over, "its end resolves what the beginning has opened"


def test_every_event_is_a_finding_of_its_own() -> None:
    other = Ulid(b"f" * 16)
    seen = found(told(TamperState.BEGINS, 40, other, TamperWhat.OFFLINE), told(TamperState.ENDS, 50))
    assert [(f.event, f.finding.basis["what"]) for f in seen] == [(EVENT, "covered"), (other, "offline")]


def test_a_record_that_ends_before_it_began_is_no_finding() -> None:
    assert found(told(TamperState.ENDS, -60)) == ()


def test_nothing_told_is_nothing_found() -> None:
    assert found() == ()
