"""Who is told what, and when: the rules alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uriai.domain.incident import Incident
from uriai.domain.telling import (
    FIRST_PAGES,
    PAGE_AGAIN,
    PAGE_AGAIN_LATER,
    Audience,
    Hours,
    Occasion,
    audiences,
    due_at,
    missing,
    occasion_of,
    paged_again,
)
from uriai.domain.ulid import Ulid
from uriai.domain.words import Kind, Status, Verdict

NOON = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
SEOUL = ZoneInfo("Asia/Seoul")
MINUTES = st.integers(0, 1439)
INSTANTS = st.datetimes(datetime(2025, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


def incident(status: Status, verdict: Verdict = Verdict.REVIEW, kind: Kind = Kind.PHYSICAL) -> Incident:
    return Incident(Ulid(bytes(16)), 1, 1, 12, kind, verdict, status, NOON, NOON + timedelta(seconds=4), 0.9)


WAITING = incident(Status.PENDING_REVIEW)
GRAVE = incident(Status.PENDING_REVIEW, Verdict.REPORT)
REPORTED = incident(Status.REPORTED, Verdict.REPORT)


@pytest.mark.parametrize(
    ("before", "after", "occasion"),
    [
        (None, REPORTED, Occasion.REPORTED),
        (None, GRAVE, Occasion.PAGE),
        (None, WAITING, Occasion.REVIEW),
        (None, incident(Status.OPEN, kind=Kind.TAMPER), Occasion.TAMPER),
        (WAITING, GRAVE, Occasion.PAGE),
        (WAITING, REPORTED, Occasion.REPORTED),
        (GRAVE, REPORTED, Occasion.REPORTED),
        (WAITING, replace(WAITING, ended_at=NOON + timedelta(minutes=1)), None),
        (GRAVE, replace(GRAVE, confidence=0.99), None),
        (REPORTED, replace(REPORTED, unverified=True), None),
        (GRAVE, incident(Status.DISMISSED), None),
        (REPORTED, incident(Status.DISPATCHED, Verdict.REPORT), None),
        (incident(Status.DISPATCHED), incident(Status.CLOSED), None),
        (incident(Status.OPEN), incident(Status.OPEN), None),
        (incident(Status.OPEN), incident(Status.RESOLVED), None),
    ],
)
def test_what_a_change_is_an_occasion_for(before, after, occasion):
    assert occasion_of(before, after) is occasion


STATION, OFFICER, DIRECTOR, EXPERT, OPERATOR = Audience


@pytest.mark.parametrize(
    ("occasion", "told"),
    [
        (Occasion.REPORTED, (STATION, OFFICER, DIRECTOR)),
        (Occasion.PAGE, (EXPERT,)),
        (Occasion.REVIEW, (EXPERT,)),
        (Occasion.TAMPER, (OFFICER, DIRECTOR)),
        (Occasion.HOLE, (OFFICER, DIRECTOR)),
        (Occasion.RECORDS, (OFFICER,)),
        (Occasion.NO_STATION, (OPERATOR,)),
        (Occasion.NO_POLICY_OFFICER, (OPERATOR,)),
        (Occasion.NO_DIRECTOR, (OPERATOR,)),
        (Occasion.NO_EXPERT, (OPERATOR,)),
    ],
)
def test_who_is_told_of_what(occasion, told):
    assert audiences(occasion, withheld=False) == told
    assert audiences(occasion, withheld=True) == tuple(one for one in told if one is not DIRECTOR)


def test_whoever_cannot_be_reached_is_told_of_to_the_operators_who_come_last():
    for audience in Audience:
        occasion = missing(audience)
        if audience is OPERATOR:
            assert occasion is None
        else:
            assert audiences(occasion, withheld=True) == (OPERATOR,)


@pytest.mark.parametrize("occasion", [one for one in Occasion if one is not Occasion.REVIEW])
def test_quiet_hours_and_digests_hold_back_nothing_but_reviews(occasion):
    assert due_at(occasion, Hours(0, 1439, 60), NOON, SEOUL) == NOON


@pytest.mark.parametrize(
    ("hours", "clock", "due"),
    [
        (Hours(), "03:00", "22 03:00"),
        (Hours(22 * 60, 7 * 60), "21:59", "22 21:59"),
        (Hours(22 * 60, 7 * 60), "22:00", "23 07:00"),
        (Hours(22 * 60, 7 * 60), "06:59", "22 07:00"),
        (Hours(22 * 60, 7 * 60), "07:00", "22 07:00"),
        (Hours(12 * 60, 13 * 60), "12:30", "22 13:00"),
        (Hours(12 * 60, 13 * 60), "13:00", "22 13:00"),
        (Hours(digest_at=18 * 60), "09:00", "22 18:00"),
        (Hours(digest_at=18 * 60), "18:00", "22 18:00"),
        (Hours(digest_at=18 * 60), "18:01", "23 18:00"),
        (Hours(22 * 60, 7 * 60, digest_at=8 * 60), "23:00", "23 08:00"),
    ],
)
def test_when_a_review_is_told(hours, clock, due):
    now = datetime.fromisoformat(f"2026-11-22T{clock}").replace(tzinfo=SEOUL).astimezone(UTC)
    assert f"{due_at(Occasion.REVIEW, hours, now, SEOUL).astimezone(SEOUL):%d %H:%M}" == due


@given(INSTANTS, MINUTES, MINUTES, st.sampled_from(["Asia/Seoul", "America/New_York", "Europe/Berlin"]))
def test_nothing_is_held_back_longer_than_a_day_nor_told_in_quiet_hours(now, begin, end, zone):
    due = due_at(Occasion.REVIEW, Hours(begin, end), now, ZoneInfo(zone))
    assert now <= due <= now + timedelta(hours=25), "a day has 25 hours where clocks change"
    local = due.astimezone(ZoneInfo(zone))
    minute = local.hour * 60 + local.minute
    if due != now and minute != end:
        assert local.dst() != (due - timedelta(hours=2)).astimezone(ZoneInfo(zone)).dst(), "the clock skips that minute"


def test_a_digest_at_an_hour_that_the_clock_skips_comes_all_the_same():
    zone = ZoneInfo("Europe/Berlin")
    now = datetime(2026, 3, 29, 0, 30, tzinfo=zone).astimezone(UTC)
    due = due_at(Occasion.REVIEW, Hours(digest_at=2 * 60 + 30), now, zone)
    assert timedelta(0) < due - now <= timedelta(hours=3)


@given(INSTANTS, MINUTES)
def test_a_digest_is_never_due_in_the_past(now, digest_at):
    for zone in ("Asia/Seoul", "Europe/Berlin"):
        due = due_at(Occasion.REVIEW, Hours(digest_at=digest_at), now, ZoneInfo(zone))
        assert now <= due <= now + timedelta(hours=25)


def test_pages_go_on_for_ever_slower_after_the_first_hour():
    at, told = NOON, []
    for repetition in range(FIRST_PAGES + 3):
        following = paged_again(repetition, at)
        told.append(following - at)
        at = following
    assert told == [PAGE_AGAIN] * FIRST_PAGES + [PAGE_AGAIN_LATER] * 3


def test_only_what_waits_for_a_decision_is_pointless_after_one():
    pointless = {one for one in Occasion if one.waits_for_decision}
    assert pointless == {Occasion.PAGE, Occasion.REVIEW}
    for occasion, withheld in product(pointless, (True, False)):
        assert audiences(occasion, withheld=withheld) == (EXPERT,)
