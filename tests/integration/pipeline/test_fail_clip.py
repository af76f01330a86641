"""Clips that were given up: always a row, never over a finished analysis."""

from __future__ import annotations

import pytest

from tests.unit.pipeline.fakes import NOON, QUIET, script
from uriai.service.analyse_clip import State
from uriai.service.fail_clip import FailureRecord, fail_clip, note_failed_attempt
from uriai.service.locate_clip import Arrival

pytestmark = pytest.mark.integration


@pytest.fixture
def record(world):
    analyser = world.outside.analyser
    return FailureRecord(analyser.models, analyser.model_set_hash, world.outside.transactions, world.outside.clock)


def failure(world):
    return world.row("SELECT state, reason_code, reason FROM analysis WHERE current_of IS NOT NULL")


def test_a_clip_given_up_has_a_row_even_if_no_attempt_left_a_word(world, record):
    key = world.place(script(*QUIET))
    assert fail_clip(Arrival(key, NOON), record)
    row = failure(world)
    assert (row["state"], row["reason_code"]) == ("failed", "retries_exhausted")
    assert "out of memory" in row["reason"]


def test_the_last_attempts_error_is_the_reason(world, record):
    key = world.place(script(*QUIET))
    assert note_failed_attempt(Arrival(key, NOON), "OSError: the store is away", record)
    assert failure(world)["reason_code"] == "retrying"
    assert fail_clip(Arrival(key, NOON), record)
    row = failure(world)
    assert row["reason_code"] == "retries_exhausted"
    assert "the store is away" in row["reason"]
    assert world.count("analysis") == 1


def test_a_finished_analysis_is_never_overwritten(world, record):
    key = world.place(script(*QUIET))
    assert world.analyse(key).state is State.DONE
    assert not fail_clip(Arrival(key, NOON), record)
    assert not note_failed_attempt(Arrival(key, NOON), "late", record)
    assert failure(world)["state"] == "done"


def test_a_permanent_reason_is_kept_and_not_replaced_by_a_vaguer_one(world, record):
    key = world.place(b"")
    world.analyse(key)
    assert not fail_clip(Arrival(key, NOON), record)
    assert failure(world)["reason_code"] == "zero_bytes"


def test_a_clip_given_up_is_done_when_its_event_comes_again(world, record):
    key = world.place(script(*QUIET))
    fail_clip(Arrival(key, NOON), record)
    assert world.analyse(key).state is State.DONE
    assert failure(world) == {"state": "done", "reason_code": None, "reason": None}


def test_an_unknown_gateways_clip_given_up_has_a_row_too(world, record):
    assert fail_clip(Arrival("clips/nobody/1/2026-11-22/01KB2WXYZ0000000000000000A.mp4", NOON), record)
    assert failure(world)["reason_code"] == "retries_exhausted"
