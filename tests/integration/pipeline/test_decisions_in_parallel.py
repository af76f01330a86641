"""People decide while clips arrive: what was decided on stays as it was, and nobody hears of a deadlock."""

from __future__ import annotations

import multiprocessing
import random
from datetime import timedelta

import pytest

from tests.unit.pipeline.fakes import DOUBTFUL, NOON, script
from uriai.domain.incident import Decision
from uriai.domain.words import Status
from uriai.service.decide_review import (
    IncidentNotFoundError,
    NotWaitingError,
    Ruling,
    decide_review,
    withhold_from_director,
)

pytestmark = pytest.mark.integration

fork = multiprocessing.get_context("fork")
WORKERS = 4


def analyse_all(world, keys, start, said):
    own = world.beside()
    try:
        start.wait()
        said.put([own.analyse(key).state.value for key in keys])
    except Exception as error:  # noqa: BLE001 - told to the parent, which fails the test with it
        said.put(f"{type(error).__name__}: {error}")
    finally:
        own.database.close()


def decide_all(world, done, start, said):
    """Decide on whatever waits, and hide it, until everything was analysed; each incident as it was decided on."""
    own = world.beside()
    decided = {}
    try:
        start.wait()
        while True:
            last = done.is_set()
            waiting = own.outside.transactions.run(lambda rows: rows.incidents.waiting((Status.PENDING_REVIEW,), 5))
            for item in waiting:
                ruling = Ruling(item.incident.number, Decision.SAFE, "seen", "operator")
                try:
                    after = decide_review(ruling, own.outside.transactions, own.outside.clock).incident
                except (NotWaitingError, IncidentNotFoundError):
                    continue  # it was merged into another since it was listed
                decided[after.number] = (after.started_at, after.ended_at, after.confidence)
                withhold_from_director(ruling.named, True, own.outside.transactions, own.outside.clock)
            if last:
                break
        said.put(decided)
    except Exception as error:  # noqa: BLE001 - told to the parent, which fails the test with it
        said.put(f"{type(error).__name__}: {error}")
    finally:
        own.database.close()


def test_no_clip_changes_what_was_decided_on_however_both_meet(world):
    keys = [world.place(script(*DOUBTFUL), started_at=NOON + timedelta(seconds=15 * n), seq=n + 1) for n in range(40)]
    random.Random(3).shuffle(keys)
    world.database.close()
    start, said, decisions, done = fork.Barrier(WORKERS + 1), fork.Queue(), fork.Queue(), fork.Event()
    analysers = [fork.Process(target=analyse_all, args=(world, keys[i::WORKERS], start, said)) for i in range(WORKERS)]
    people = fork.Process(target=decide_all, args=(world, done, start, decisions))
    for process in (*analysers, people):
        process.start()
    answers = [said.get(timeout=120) for _ in analysers]
    done.set()
    decided = decisions.get(timeout=120)
    for process in (*analysers, people):
        process.join(timeout=30)
    assert [answer for answer in (*answers, decided) if isinstance(answer, str)] == []
    assert sum(len(answer) for answer in answers) == len(keys)
    incidents = world.rows("SELECT * FROM incident WHERE merged_into IS NULL")
    assert {row["number"]: (row["started_at"], row["ended_at"], row["confidence"]) for row in incidents} == decided
    assert {row["status"] for row in incidents} == {"dismissed"}
    assert len(decided) > 1, "they met: what came after a decision was opened anew"
    assert world.count("incident_finding") == len(keys)
    assert world.count("incident", "merged_into IS NULL AND withhold_from_director = 0") == 0
