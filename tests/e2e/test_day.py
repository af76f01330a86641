"""A scripted day in small: twenty clips with doubles, disorder and an outage come to the incidents of the script."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bench.day import Result, begin_of_yesterday, films, misjudged, play
from bench.day_script import CAMERAS, Day, Film, Shot, oracle, write
from tests.e2e.gateway import Gateway
from uriai_cloud.state import CloudState

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]
CLIPS = 20
NOON = datetime(2026, 11, 24, 3, tzinfo=UTC)


def film(*findings: tuple[str, float, float, str], name: str = "film") -> Film:
    """Ten seconds in which these findings lie."""
    found = [{"kind": kind, "start_s": a, "end_s": b, "verdict": verdict} for kind, a, b, verdict in findings]
    return Film(Path(f"{name}.mp4"), {"duration_s": 10.0, "findings": found, "verdict": "clear"})


def told(*shots: Shot) -> list[tuple[int, str, float, float, str, int, int]]:
    """Camera, kind, start and end in seconds after noon, verdict, clips and running count, as the oracle has them."""
    return [
        (
            one.camera, one.kind, (one.started_at - NOON).total_seconds(), (one.ended_at - NOON).total_seconds(),
            one.verdict, one.clips, one.of_day,
        )
        for one in oracle(Day(NOON, shots, shots, ()))
    ]  # fmt: skip


def at(seconds: float, of: Film, camera: int = 1, *, signed: bool = True) -> Shot:
    return Shot(of, camera, NOON + timedelta(seconds=seconds), signed=signed)


HIT = film(("physical", 2.0, 5.0, "review"))
CLEAR_CASE = film(("physical", 2.0, 5.0, "report"))


def test_the_oracle_parts_what_is_a_minute_apart_and_joins_what_is_less() -> None:
    assert told(at(0, HIT), at(63, HIT)) == [
        (1, "physical", 2, 5, "review", 1, 1),
        (1, "physical", 65, 68, "review", 1, 2),
    ]
    assert told(at(0, HIT), at(62.999, CLEAR_CASE)) == [(1, "physical", 2, 67.999, "report", 2, 1)]


def test_the_oracle_keeps_cameras_and_kinds_apart_and_counts_by_start() -> None:
    shouting = film(("emotional", 1.0, 2.0, "review"), ("physical", 2.0, 5.0, "review"))
    assert told(at(30, HIT, camera=2), at(0, shouting), at(40, HIT, camera=2)) == [
        (1, "emotional", 1, 2, "review", 1, 1),
        (1, "physical", 2, 5, "review", 1, 2),
        (2, "physical", 32, 45, "review", 2, 3),
    ]


def test_the_oracle_has_a_tamper_incident_for_a_clip_without_signature() -> None:
    (tamper, physical) = oracle(Day(NOON, (at(0, HIT, signed=False),), (), ()))
    assert (tamper.kind, tamper.status, tamper.unverified, physical.unverified) == ("tamper", "open", True, True)
    assert (tamper.started_at, tamper.ended_at) == (NOON, NOON + timedelta(seconds=10))


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Film], Day]:
    of = films(
        tmp_path_factory.mktemp("films"),
        real=0,
        assaults=(1_000_054, 1_000_098),
        calm=(("sit", 1_000_051), ("hug", 1_000_084)),
    )
    return of, write(of, CLIPS, begin_of_yesterday(datetime.now(UTC)), seed=7)


@pytest.fixture(scope="module")
def played(cloud: CloudState, home: Path, script: tuple[list[Film], Day]) -> Result:
    return play(Gateway.enrolled(cloud, home / "day-gateway", "day-gateway", cameras=CAMERAS), script[1])


def test_the_small_day_has_what_a_day_has(script: tuple[list[Film], Day]) -> None:
    of, day = script
    assert misjudged(of) == []
    assert len(day.shots) == len(day.punctual) + len(day.late) == CLIPS
    assert day.late
    assert max(shot.started_at for shot in day.punctual) > max(shot.started_at for shot in day.late)
    assert list(day.punctual) != sorted(day.punctual, key=lambda shot: shot.started_at)
    assert sum(shot.twice for shot in day.shots) >= 3
    assert {shot.camera for shot in day.shots} == set(CAMERAS)
    expected = oracle(day)
    assert any(one.clips > 1 for one in expected)
    assert any(one.kind == "tamper" for one in expected)


def test_incidents_clips_and_counts_of_the_day_are_those_of_the_truth_table(played: Result) -> None:
    print(*played.rows(), sep="\n")
    assert played.differences == ()
    assert len(played.found) == len(played.expected) > 0
