"""What a finding becomes part of: pure decisions."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uriai.domain.incident import (
    Decision,
    IllegalTransitionError,
    Incident,
    Sighting,
    day_bounds,
    decided_status,
    first_status,
    joined,
    moved,
    place,
    running_counts,
)
from uriai.domain.ulid import Ulid
from uriai.domain.words import Kind, Status, Verdict

START = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)


def sighting(start_s, end_s, verdict=Verdict.REVIEW, confidence=0.85, verified=True, kind=Kind.PHYSICAL):
    started_at, ended_at = START + timedelta(seconds=start_s), START + timedelta(seconds=end_s)
    return Sighting(kind, verdict, started_at, ended_at, confidence, verified)


def incident(number, start_s, end_s, status=Status.PENDING_REVIEW, verdict=Verdict.REVIEW, confidence=0.85):
    return Incident(
        Ulid(number.to_bytes(16, "big")), 1, 1, number, Kind.PHYSICAL, verdict, status,
        START + timedelta(seconds=start_s), START + timedelta(seconds=end_s), confidence,
    )  # fmt: skip


@pytest.mark.parametrize(("gap", "joins"), [(0.0, True), (59.999, True), (60.0, False), (60.001, False)])
def test_a_gap_of_less_than_a_minute_joins_on_either_side(gap, joins):
    earlier, later = incident(1, 0, 10), incident(1, 20 + gap, 30 + gap)
    assert (place(sighting(10 + gap, 20 + gap), [earlier]).joins is not None) == joins
    assert (place(sighting(10, 20), [later]).joins is not None) == joins


def test_what_lies_inside_another_joins_it():
    assert place(sighting(3, 4), [incident(1, 0, 10)]).joins.number == 1


def test_the_earlier_of_two_bridged_incidents_survives_whatever_their_numbers():
    placement = place(sighting(40, 50), [incident(1, 90, 100), incident(2, 0, 10)])
    assert (placement.joins.number, [later.number for later in placement.merges]) == (2, [1])


def test_a_decided_incident_takes_nothing_and_is_linked_to():
    for status in (Status.REPORTED, Status.DISMISSED, Status.DISPATCHED, Status.CLOSED, Status.RESOLVED):
        placement = place(sighting(5, 6), [incident(1, 0, 10, status)])
        assert (placement.joins, placement.linked_to.number) == (None, 1)


def test_an_undecided_incident_is_joined_even_if_a_decided_one_is_nearer():
    near = [incident(1, 0, 10, Status.DISMISSED), incident(2, 40, 50)]
    placement = place(sighting(11, 12), near)
    assert (placement.joins.number, placement.linked_to.number) == (2, 1)
    assert joined(placement, sighting(11, 12), auto_report=False).linked_to == near[0].id


def test_joining_takes_the_whole_span_the_worst_verdict_and_the_highest_confidence():
    seen = sighting(20, 30, Verdict.REPORT, 0.97, verified=False)
    after = joined(place(seen, [incident(1, 0, 10), incident(2, 70, 80)]), seen, auto_report=True)
    assert (after.started_at, after.ended_at) == (START, START + timedelta(seconds=80))
    assert (after.verdict, after.confidence, after.unverified) == (Verdict.REPORT, 0.97, True)
    assert after.status is Status.PENDING_REVIEW, "what nobody vouches for is not reported automatically"


def test_a_clear_case_that_joins_a_doubtful_one_is_reported_at_once_where_the_centre_wants_that():
    seen = sighting(20, 30, Verdict.REPORT, 0.97)
    placement = place(seen, [incident(1, 0, 10)])
    assert joined(placement, seen, auto_report=True).status is Status.REPORTED
    assert joined(placement, seen, auto_report=False).status is Status.PENDING_REVIEW


@pytest.mark.parametrize("auto_report", [False, True])
@pytest.mark.parametrize("verified", [False, True])
@pytest.mark.parametrize("verdict", [Verdict.REVIEW, Verdict.REPORT])
def test_only_a_verified_report_under_auto_report_starts_reported(verdict, verified, auto_report):
    status = first_status(Kind.PHYSICAL, verdict, auto_report=auto_report, verified=verified)
    assert (status is Status.REPORTED) == (verdict is Verdict.REPORT and verified and auto_report)
    assert first_status(Kind.TAMPER, verdict, auto_report=auto_report, verified=verified) is Status.OPEN


def test_only_what_waits_for_review_can_be_decided():
    assert decided_status(Status.PENDING_REVIEW, Decision.REPORT) is Status.REPORTED
    assert decided_status(Status.PENDING_REVIEW, Decision.SAFE) is Status.DISMISSED
    for status in set(Status) - {Status.PENDING_REVIEW}:
        assert decided_status(status, Decision.REPORT) is None


@pytest.mark.parametrize("before", list(Status))
@pytest.mark.parametrize("after", list(Status))
def test_an_incident_takes_no_step_but_those_of_the_design(before, after):
    legal = {
        ("pending_review", "reported"), ("pending_review", "dismissed"), ("reported", "dispatched"),
        ("dispatched", "closed"), ("open", "resolved"),
    }  # fmt: skip
    one = incident(7, 0, 10, before)
    if (before, after) in legal:
        assert moved(one, after) == replace(one, status=after)
    else:
        with pytest.raises(IllegalTransitionError, match=f"incident 7 is {before} and cannot become {after}"):
            moved(one, after)


def file_all(sightings):
    """File them in order as the service does; the incidents that stand, as (start, end, how many sightings)."""
    standing, sizes = {}, {}
    for number, seen in enumerate(sightings, start=1):
        placement = place(seen, standing.values())
        if placement.joins is None:
            new = incident(number, 0, 0)
            standing[number] = Incident(
                new.id, 1, 1, number, seen.kind, seen.verdict, Status.PENDING_REVIEW, seen.started_at, seen.ended_at,
                seen.confidence,
            )  # fmt: skip
            sizes[number] = 1
            continue
        survivor = joined(placement, seen, auto_report=False)
        standing[survivor.number] = survivor
        sizes[survivor.number] += 1 + sum(sizes.pop(later.number) for later in placement.merges)
        for later in placement.merges:
            del standing[later.number]
    return sorted((i.started_at, i.ended_at, i.confidence, sizes[n]) for n, i in standing.items())


spans = st.tuples(st.integers(0, 2000), st.integers(1, 30), st.floats(0.8, 1.0)).map(
    lambda span: sighting(span[0], span[0] + span[1], confidence=span[2])
)


@given(st.lists(spans, max_size=12).flatmap(lambda seen: st.tuples(st.just(seen), st.permutations(seen))))
def test_the_order_of_arrival_changes_no_incident(orders):
    in_one_order, in_another = orders
    assert file_all(in_one_order) == file_all(in_another)


@given(st.lists(spans, max_size=12))
def test_incidents_that_stand_are_a_minute_apart_and_hold_every_finding(seen):
    standing = file_all(seen)
    for (_, ended_at, _, _), (started_at, _, _, _) in itertools.pairwise(standing):
        assert started_at - ended_at >= timedelta(seconds=60)
    assert sum(size for *_, size in standing) == len(seen)


def test_a_day_is_the_calendar_day_of_the_centres_zone_also_when_clocks_change():
    assert day_bounds(date(2026, 11, 22), ZoneInfo("Asia/Seoul")) == (
        datetime(2026, 11, 21, 15, tzinfo=UTC), datetime(2026, 11, 22, 15, tzinfo=UTC)
    )  # fmt: skip
    start, end = day_bounds(date(2026, 10, 25), ZoneInfo("Europe/Berlin"))
    assert end - start == timedelta(hours=25)


def test_the_running_count_follows_the_starts_and_not_the_numbers():
    counts = running_counts([incident(1, 500, 510), incident(2, 0, 10)])
    assert [counts[incident(n, 0, 0).id] for n in (1, 2)] == [2, 1]
