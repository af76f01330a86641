"""Neglect over several clips: the same findings, incidents and evidence in whatever order clips come. Real MariaDB."""

from __future__ import annotations

import itertools
import random
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.integration.pipeline.test_once import WORKERS, in_parallel
from tests.unit.pipeline.fakes import NOON, ScriptedAnalyser, film
from tests.unit.rules.scenes import ADULT, CHILD, face, watched
from uriai.domain.analysis import Observations, Window
from uriai.domain.incident import Decision
from uriai.service.analyse_clip import State
from uriai.service.decide_review import Ruling, decide_review

pytestmark = pytest.mark.integration

APART = watched(10)
SAD = watched(10, sad_at=[5.0], track=4)
TOGETHER = watched(10, away=1.0)


def place(world, n, scene, camera=1):
    """The n-th of contiguous clips of ten seconds."""
    return world.place(
        film(scene, salt=f"{camera}-{n}"), started_at=NOON + timedelta(seconds=10 * n), seq=100 * camera + n + 1,
        camera=camera,
    )  # fmt: skip


FINDINGS = """
    SELECT k.object_key, f.kind, f.start_ms, f.end_ms, f.started_at, f.ended_at, f.confidence, f.verdict, f.thresholds,
        f.basis, a.verdict AS of_clip, i.started_at AS incident_from, i.ended_at AS incident_to, i.merged_into,
        (SELECT COUNT(*) FROM evidence e WHERE e.finding_id = f.finding_id AND e.clip_id = k.clip_id) AS shown_by
    FROM finding f JOIN analysis a ON a.analysis_id = f.analysis_id JOIN clip k ON k.clip_id = a.clip_id
    JOIN incident_finding x ON x.finding_id = f.finding_id JOIN incident i ON i.incident_id = x.incident_id
    ORDER BY k.object_key, f.kind, f.start_ms
"""
INCIDENTS = """
    SELECT camera_id, kind, verdict, status, started_at, ended_at, confidence, unverified
    FROM incident WHERE merged_into IS NULL ORDER BY camera_id, kind, started_at
"""


def everything(world):
    """All that must not depend on the order of arrival: findings with their incident, evidence, standing incidents."""
    return world.rows(FINDINGS), world.rows(INCIDENTS)


def forget(world):
    """Back to a database that has seen no clip."""
    with world.database.transaction() as cursor:
        cursor.execute("SET SESSION foreign_key_checks = 0")
        for table in ("evidence", "incident_finding", "incident", "finding", "analysis", "clip", "audit"):
            cursor.execute(f"DELETE FROM {table}")
        cursor.execute("SET SESSION foreign_key_checks = 1")


def test_three_clips_that_are_each_too_short_are_one_incident_with_a_part_in_each(world):
    keys = [place(world, n, scene) for n, scene in enumerate([APART, SAD, APART])]
    assert [world.analyse(key).findings for key in keys] == [0, 0, 1], "19 s are too short, 29 s are not"
    findings, (incident,) = everything(world)
    assert [(row["start_ms"], row["end_ms"], row["shown_by"], row["of_clip"]) for row in findings] == [
        (0, 9000, 5, "review")
    ] * 3
    assert [row["object_key"] for row in findings] == keys
    assert (incident["kind"], incident["status"], incident["confidence"]) == ("neglect", "pending_review", 0.8)
    assert (incident["started_at"], incident["ended_at"]) == (NOON, NOON + timedelta(seconds=29))
    assert world.count("evidence") == 15


@pytest.mark.parametrize("order", list(itertools.permutations(range(3)))[1:])
def test_in_whatever_order_the_three_arrive_the_same_is_found(world, order):
    keys = [place(world, n, scene) for n, scene in enumerate([APART, SAD, APART])]
    for n in order:
        world.analyse(keys[n])
    found = everything(world)
    forget(world)
    for key in keys:
        world.analyse(key)
    assert found == everything(world)
    assert len(found[0]) == 3


def test_delivered_again_nothing_is_judged_anew(world):
    keys = [place(world, n, scene) for n, scene in enumerate([APART, SAD, APART])]
    for key in keys:
        world.analyse(key)
    found = everything(world)
    assert [world.analyse(key).state for key in keys] == [State.ALREADY_DONE] * 3
    assert everything(world) == found


def test_who_plays_with_the_others_again_is_not_carried_on(world):
    for n, scene in enumerate([SAD, TOGETHER, APART, APART]):
        world.analyse(place(world, n, scene))
    assert world.count("finding") == 0


def test_another_cameras_clips_have_no_say(world):
    for n in range(3):
        world.analyse(place(world, n, SAD if n == 1 else APART, camera=1 + n % 2))
    assert world.count("finding") == 0


def test_a_neighbour_whose_clip_is_gone_is_still_a_finding_only_without_pictures(world):
    keys = [place(world, n, scene) for n, scene in enumerate([APART, SAD, APART])]
    for key in keys[:2]:
        world.analyse(key)
    del world.bucket.objects[keys[0]]
    assert world.analyse(keys[2]).state is State.DONE
    assert [row["shown_by"] for row in everything(world)[0]] == [0, 5, 5]


def test_a_decided_incident_is_left_as_it_was_decided_on(world):
    keys = [place(world, n, scene) for n, scene in enumerate([APART, SAD, APART, watched(10, sad_at=[1.0], sad=0.95)])]
    for key in keys[:3]:
        world.analyse(key)
    ruling = Ruling(1, Decision.SAFE, "she is reading", "operator")
    decide_review(ruling, world.outside.transactions, world.outside.clock)
    before = world.row("SELECT * FROM incident"), world.rows("SELECT * FROM finding ORDER BY started_at")
    world.analyse(keys[3])
    decided, new = world.rows("SELECT * FROM incident ORDER BY number")
    assert decided == before[0]
    assert new["linked_to"] == decided["incident_id"]
    assert world.rows("SELECT * FROM finding ORDER BY started_at")[:3] == before[1]


def test_other_models_later_do_not_double_an_incident_that_nobody_decided_on(world):
    keys = [place(world, n, scene) for n, scene in enumerate([APART, SAD, APART])]
    for key in keys:
        world.analyse(key)
    newer = world.beside(analyser=ScriptedAnalyser("2"))
    for key in keys:
        assert newer.analyse(key).state is State.DONE
    assert world.count("incident") == 1
    assert world.count("analysis", "current_of IS NOT NULL") == 3


def test_a_failed_analysis_that_is_made_good_joins_what_came_meanwhile(world):
    keys = [place(world, n, scene) for n, scene in enumerate([APART, SAD, APART])]
    whole = world.bucket.objects.pop(keys[1])
    assert [world.analyse(key).state for key in keys] == [State.DONE, State.FAILED, State.DONE]
    assert world.count("finding") == 0
    world.bucket.objects[keys[1]] = whole
    assert world.analyse(keys[1]).state is State.DONE
    assert len(everything(world)[0]) == 3
    assert world.count("incident") == 1


def test_limits_between_two_stored_places_are_judged_as_they_are_stored(world):
    """0.80004 is stored as 0.8, which passes no limit of 0.80: judged again it would not, so it does not now."""
    window = Observations(10.0, (Window(2.0, 4.0, 0.80004),))
    world.outside = replace(world.outside, analyser=Exact(window))
    assert world.analyse(place(world, 0, window)).findings == 0


class Exact(ScriptedAnalyser):
    """Sees what it was told, to the last place."""

    def __init__(self, seen):
        super().__init__()
        self.seen = seen

    def observe(self, path):
        return self.seen


def day(world):
    """Two cameras with 16 clips each: loneliness in two stretches, violence and shouting in between, calm the rest."""
    fight = replace(TOGETHER, windows=(Window(2.0, 4.0, 0.85), Window(3.0, 5.0, 0.95)))
    shouting = replace(
        TOGETHER, faces=(face(3.0, 2, ADULT, angry=0.9), face(4.0, 3, CHILD, fear=0.7), face(8.0, 3, CHILD, sad=0.9))
    )
    morning = [TOGETHER, APART, SAD, APART, APART, SAD, TOGETHER, fight, TOGETHER]
    noon = [shouting, APART, SAD, APART, TOGETHER, fight, TOGETHER]
    at = [*enumerate(morning), *enumerate(noon, start=20)]
    return [place(world, n, scene, camera) for camera in (1, 2) for n, scene in at]


def test_the_final_incidents_are_the_same_for_every_order_of_arrival(world):
    keys = day(world)
    for key in keys:
        world.analyse(key)
    expected = everything(world)
    kinds = {row["kind"] for row in expected[1]}
    assert kinds == {"physical", "emotional", "neglect"}
    for seed in range(2):
        forget(world)
        shuffled = keys * 2
        random.Random(seed).shuffle(shuffled)
        for key in shuffled:
            world.analyse(key)
        assert everything(world) == expected, f"seed {seed}"


def test_eight_processes_with_a_day_in_random_order_find_what_one_finds_in_order(world):
    keys = day(world)
    for key in keys:
        world.analyse(key)
    expected = everything(world)
    forget(world)
    deliveries = keys * 2
    random.Random(7).shuffle(deliveries)
    in_parallel(world, [deliveries[worker::WORKERS] for worker in range(WORKERS)])
    assert everything(world) == expected


def test_eight_processes_with_eight_neighbours_at_once_miss_no_part(world):
    keys = [place(world, n, SAD if n == 3 else APART) for n in range(WORKERS)]
    in_parallel(world, [[key] for key in keys])
    found = everything(world)
    assert len(found[1]) == 1
    forget(world)
    for key in keys:
        world.analyse(key)
    assert found == everything(world)
