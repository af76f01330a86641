"""One clip, however often and simultaneously its event comes, gives one of everything. Real processes and MariaDB."""

from __future__ import annotations

import multiprocessing
import random
import time
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.unit.pipeline.fakes import DOUBTFUL, NOON, QUIET, VIOLENT, BucketInMemory, script
from uriai.adapters.database.incidents import SqlIncidents
from uriai.adapters.database.transactions import SqlTransactions, repositories
from uriai.service.analyse_clip import State
from uriai.service.ports.repositories import Repositories, Transactions

pytestmark = pytest.mark.integration

WORKERS = 8
fork = multiprocessing.get_context("fork")


def counts(world):
    tables = ("clip", "analysis", "finding", "incident", "incident_finding", "evidence")
    return {table: world.count(table) for table in tables}


ONE_OF_EVERYTHING = {
    "clip": 1, "analysis": 1, "finding": 1, "incident": 1, "incident_finding": 1, "evidence": 5
}  # fmt: skip


def test_a_clip_delivered_three_times_gives_one_incident(world):
    key = world.place(script(*VIOLENT))
    states = [world.analyse(key).state for _ in range(3)]
    assert states == [State.DONE, State.ALREADY_DONE, State.ALREADY_DONE]
    assert counts(world) == ONE_OF_EVERYTHING
    assert world.outside.analyser.looked == 1, "what is done is not looked at again"


def work_off(world, keys, transactions, start, results):
    """What one worker process does: its own connection, its own order of deliveries."""
    own = world.beside()
    own.outside = replace(own.outside, transactions=transactions(own.database))
    try:
        start.wait()
        results.put([own.analyse(key).state.value for key in keys])
    except Exception as error:  # noqa: BLE001 - told to the parent, which fails the test with it
        results.put(f"{type(error).__name__}: {error}")
    finally:
        own.database.close()


def in_parallel(world, deliveries, transactions=SqlTransactions):
    """Run one process per list of deliveries, all at once; what each said."""
    world.database.close()
    start, results = fork.Barrier(len(deliveries)), fork.Queue()
    processes = [fork.Process(target=work_off, args=(world, keys, transactions, start, results)) for keys in deliveries]
    for process in processes:
        process.start()
    said = [results.get(timeout=120) for _ in processes]
    for process in processes:
        process.join(timeout=30)
    errors = [answer for answer in said if isinstance(answer, str)]
    assert errors == []
    return said


def test_eight_processes_with_the_same_event_give_one_incident(world):
    key = world.place(script(*VIOLENT))
    said = in_parallel(world, [[key]] * WORKERS)
    assert sorted(state for (state,) in said).count("done") == 1
    assert counts(world) == ONE_OF_EVERYTHING


def test_eight_processes_with_the_first_clips_of_an_unknown_camera_make_one_camera(world):
    keys = [
        world.place(script(*QUIET), camera=7, seq=n + 1, started_at=NOON + timedelta(minutes=5 * n))
        for n in range(WORKERS)
    ]
    in_parallel(world, [[key] for key in keys])
    assert world.count("camera", "number = 7 AND registered = 0") == 1
    assert world.count("clip") == WORKERS


def test_eight_processes_working_off_a_shuffled_queue_with_duplicates_lose_and_double_nothing(world):
    """Four cameras, six incidents each of three clips, every event twice, in random order over eight processes."""
    keys, seq = [], 0
    for camera in range(1, 5):
        for episode in range(6):
            for part in range(3):
                seq += 1
                started_at = NOON + timedelta(minutes=10 * episode, seconds=30 * part)
                windows = VIOLENT if part == 1 else DOUBTFUL
                keys.append(world.place(script(*windows), camera=camera, seq=seq, started_at=started_at))
    deliveries = keys * 2
    random.Random(20261122).shuffle(deliveries)
    said = in_parallel(world, [deliveries[worker::WORKERS] for worker in range(WORKERS)])
    states = [state for answer in said for state in answer]
    assert states.count("done") == len(keys)
    assert counts(world) | {"incident": 0} == {
        "clip": 72, "analysis": 72, "finding": 72, "incident": 0, "incident_finding": 72, "evidence": 360
    }  # fmt: skip
    standing = world.rows("SELECT * FROM incident WHERE merged_into IS NULL ORDER BY camera_id, started_at")
    assert len(standing) == 24
    assert {row["verdict"] for row in standing} == {"report"}
    for row in standing:
        findings = world.rows(
            "SELECT f.started_at, f.ended_at FROM incident_finding i JOIN finding f ON f.finding_id = i.finding_id "
            "WHERE i.incident_id = %s",
            (row["incident_id"],),
        )
        assert len(findings) == 3
        assert row["started_at"] == min(finding["started_at"] for finding in findings)
        assert row["ended_at"] == max(finding["ended_at"] for finding in findings)
    numbers = [row["number"] for row in world.rows("SELECT number FROM incident ORDER BY number")]
    assert numbers == list(range(1, len(numbers) + 1)), "numbers rise by one and are never reused"


class HesitatingIncidents(SqlIncidents):
    """Thinks for a moment between reading what is near and writing: the moment in which others must not write."""

    def near(self, *arguments):
        found = super().near(*arguments)
        time.sleep(0.05)
        return found


class HesitatingTransactions(Transactions):
    """Units of work on a real database that hesitate."""

    def __init__(self, database):
        self.database = database

    def run(self, work):
        return self.database.run(
            lambda cursor: work(replace(repositories(cursor), incidents=HesitatingIncidents(cursor)))
        )


def test_eight_processes_with_eight_clips_of_one_scene_open_one_incident(world):
    """Nobody has opened the incident yet and all want to: only the camera's lock makes them take turns."""
    keys = [
        world.place(script(*DOUBTFUL), seq=n + 1, started_at=NOON + timedelta(seconds=5 * n)) for n in range(WORKERS)
    ]
    in_parallel(world, [[key] for key in keys], transactions=HesitatingTransactions)
    assert world.count("finding") == WORKERS
    assert world.count("incident") == 1, "none was opened twice and merged afterwards"


class CrashBeforeCommitError(Exception):
    """What the test calls a crash."""


class CrashingTransactions(Transactions):
    """Lets the first units of work through and dies in the one that files, after its last statement."""

    def __init__(self, inner: Transactions, crashes: int) -> None:
        self.inner = inner
        self.crashes = crashes
        self.units = 0

    def run(self, work):
        def dying(rows: Repositories):
            result = work(rows)
            self.units += 1
            if self.units > 1 and self.crashes:
                self.crashes -= 1
                raise CrashBeforeCommitError
            return result

        return self.inner.run(dying)


def test_a_crash_between_the_key_frames_and_the_commit_is_made_good_by_the_next_delivery(world):
    key = world.place(script(*VIOLENT))
    crashing = replace(
        world, outside=replace(world.outside, transactions=CrashingTransactions(world.outside.transactions, 1))
    )
    with pytest.raises(CrashBeforeCommitError):
        crashing.analyse(key)
    left_behind = {name: stored.data for name, stored in world.bucket.objects.items() if name.startswith("evidence/")}
    assert len(left_behind) == 4, "the key frames are there"
    assert world.count("evidence") == world.count("incident") == world.count("analysis") == 0, "and no row names them"
    assert world.analyse(key).state is State.DONE
    after = {name: stored.data for name, stored in world.bucket.objects.items() if name.startswith("evidence/")}
    assert after == left_behind, "the same bytes under the same keys"
    assert counts(world) == ONE_OF_EVERYTHING


class OvertakenBucket(BucketInMemory):
    """Another delivery analyses the clip while this one waits for the store, which then has nothing any more."""

    def __init__(self, world, key):
        super().__init__()
        self.world = world
        self.key = key

    def fetch(self, key):
        assert self.world.analyse(self.key).state is State.DONE
        return super().fetch(key)


def test_a_delivery_that_fails_after_another_has_finished_changes_nothing(world):
    key = world.place(script(*VIOLENT))
    late = world.beside(clips=OvertakenBucket(world, key))
    assert late.analyse(key).state is State.ALREADY_DONE
    assert world.row("SELECT state, reason_code FROM analysis") == {"state": "done", "reason_code": None}
    assert world.row("SELECT manifest_status FROM clip")["manifest_status"] == "verified"
    late.database.close()


class FailingBucket(BucketInMemory):
    """Refuses to write."""

    def put(self, key: str, data: bytes, *, content_type: str) -> None:
        raise OSError("the store is away")


def test_rows_never_name_a_key_frame_that_could_not_be_stored(world):
    key = world.place(script(*VIOLENT))
    failing = FailingBucket()
    failing.objects = world.bucket.objects
    with pytest.raises(OSError, match="the store is away"):
        replace(world, outside=replace(world.outside, clips=failing)).analyse(key)
    assert world.count("evidence") == world.count("incident") == world.count("analysis") == 0
