"""What became of clips, one line each, however many sets of models looked at them. On a real MariaDB."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.unit.pipeline.fakes import GATEWAY, NOON, QUIET, VIOLENT, ScriptedAnalyser, StoppedClock, script
from uriai.adapters.database.outcomes import ClipOutcome, clip_outcomes
from uriai.domain.words import Verdict
from uriai.service.fail_clip import FailureRecord, fail_clip
from uriai.service.locate_clip import Arrival

pytestmark = pytest.mark.integration


def outcome(world) -> ClipOutcome:
    with world.database.transaction() as cursor:
        (one,) = clip_outcomes(cursor, GATEWAY, NOON - timedelta(days=1))
    return one


def give_up(world, key: str, version: str, after_s: float) -> None:
    """What `dead_letters` writes for a set of models."""
    analyser = ScriptedAnalyser(version)
    clock = StoppedClock(NOON + timedelta(seconds=after_s))
    record = FailureRecord(analyser.models, analyser.model_set_hash, world.outside.transactions, clock)
    fail_clip(Arrival(key, world.bucket.objects[key].arrived_at), record)


def test_a_newer_set_of_models_that_fails_leaves_the_finished_analysis_as_the_outcome(world):
    key = world.place(script(*VIOLENT))
    world.analyse(key)
    give_up(world, key, "2", 60)
    found = outcome(world)
    assert (found.analyses, found.state, found.reason_code) == (2, "done", None)
    assert found.verdict is Verdict.REPORT
    assert found.violence_probability == pytest.approx(0.97)
    assert found.analysed_at == NOON


def test_values_of_two_sets_of_models_are_never_mixed(world):
    key = world.place(script(*VIOLENT))
    world.analyse(key)
    world.bucket.place(key, script(*QUIET), world.bucket.objects[key].arrived_at)
    newer = StoppedClock(NOON + timedelta(minutes=1))
    world.beside(analyser=ScriptedAnalyser("2"), clock=newer).analyse(key)
    found = outcome(world)
    assert (found.analyses, found.state, found.verdict) == (2, "done", Verdict.CLEAR)
    assert found.violence_probability == pytest.approx(0.2)
    assert found.analysed_at == newer.now()


def test_of_failures_only_the_newest_is_the_outcome(world):
    key = world.place(b"no video")
    world.analyse(key)
    give_up(world, key, "2", 60)
    found = outcome(world)
    assert (found.analyses, found.state, found.reason_code) == (2, "failed", "retries_exhausted")
    assert found.verdict is None


def test_a_clip_that_waits_has_no_outcome_yet(world):
    world.analyse(world.place(script(*QUIET)))
    with world.database.transaction() as cursor:
        cursor.execute("DELETE FROM analysis")
        cursor.execute("UPDATE clip SET current_state = NULL")
    found = outcome(world)
    assert (found.analyses, found.state, found.analysed_at) == (0, None, None)
