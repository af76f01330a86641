"""kill -9 at every step: what was closed is never lost, arrives exactly once, plays, and the chain verifies."""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.integration.edge.crash_child import GATEWAY, KEY, Life, begin, finish
from tests.unit.edge.scenes import FPS, encode, film, pictures_in, walking
from uriai_edge.mp4 import Mp4Error, mend
from uriai_edge.register import SpoolReader, State
from uriai_edge.spool import Spool
from uriai_edge.steps import Step
from uriai_edge.verify import Candidate, Status, collect, verify

RANDOM_KILLS = int(os.environ.get("URIAI_TORTURE_KILLS", "200"))
WRITING = [
    Step.FILE_MADE,
    Step.BEFORE_COMMIT,
    Step.COMMITTED,
    Step.FILE_SYNCED,
    Step.FOLDER_MADE,
    Step.RENAMED,
    Step.FOLDERS_SYNCED,
]
ONCE = (Step.DROP_SIGNED, Step.UPLOADED_REMOVED, Step.PRUNED)


@pytest.fixture(scope="module")
def video(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("video") / "in.mp4"
    return encode(path, film(4 * FPS, walking([(0, 4)], w=12, h=20), size=(160, 96)), gop=15)


@pytest.fixture
def life(tmp_path, video) -> Life:
    return Life(tmp_path / "spool", video, tmp_path / "noted")


def run(life: Life, **changes: object) -> int:
    process = begin(Life(**{name: getattr(life, name) for name in life.__dataclass_fields__} | changes))
    process.join(60)
    assert process.exitcode is not None
    return process.exitcode


def noted(life: Life) -> list[str]:
    return [line for line in life.noted.read_text().split() if len(line) == 26] if life.noted.exists() else []


def check_spool(spool_dir: Path, closed: list[str]) -> None:
    """Recover, then hold a spool that nothing was uploaded from to the invariant."""
    with Spool(spool_dir, GATEWAY, KEY) as spool:
        spool.recover()
        again = spool.recover()
        assert (again.completed, again.mended, again.aside) == (0, 0, 0), "a second recovery finds nothing to do"
    records = SpoolReader(spool_dir).records()
    clips = {one.read().ulid: one for one in records if one.path is not None}
    assert set(closed) <= set(clips), "a clip that was closed is there"
    for record in clips.values():
        assert record.state is State.CLOSED
        assert pictures_in(record.path) >= 1
    on_disk = {file.stem for file in (spool_dir / "clips").rglob("*.mp4")}
    assert on_disk == set(clips), "every whole file has its record"
    assert not list((spool_dir / "partial").iterdir()), "nothing is left half done"
    for file in (spool_dir / "aside").iterdir():
        with pytest.raises(Mp4Error):  # what could have become a clip has become one
            mend(file)
    candidates = [
        Candidate(
            one.read().stem + ".json", one.manifest, one.signature, one.path.with_suffix("") if one.path else None
        )
        for one in records
    ]
    if candidates:
        (report,) = verify(candidates, KEY.verify_key)
        assert {one.status for one in report.verdicts} == {Status.PRESENT}
        assert [one.seq for one in records] == list(range(1, len(records) + 1))


def check_bucket(store, folder: Path, closed: list[str]) -> None:
    """Hold what arrived to the invariant: once, whole, in one chain; a clip that is not there was dropped by name."""
    assert store.overwritten == []
    assert set(Counter(store.puts()).values()) <= {1}, "an object was stored twice"
    for key, data in store.objects.items():
        path = folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    (report,) = verify(collect([folder]), KEY.verify_key)
    assert report.first_break is None, report.first_break
    verdicts = {Path(one.key).stem: one for one in report.verdicts if one.key and one.key.startswith("clips/")}
    for ulid in closed:
        assert verdicts[ulid].status in (Status.PRESENT, Status.DROPPED)
    for clip in folder.rglob("*.mp4"):
        assert pictures_in(clip) >= 1


@pytest.mark.parametrize("nth", [1, 2, 3, 4])
@pytest.mark.parametrize("step", WRITING)
def test_a_kill_while_a_clip_is_put_away_loses_nothing(life, step, nth):
    code = run(life, step=step, nth=nth)
    if code == 0:
        assert nth > 3 and step not in (Step.BEFORE_COMMIT, Step.COMMITTED), "the step was never reached"
    else:
        assert code == -signal.SIGKILL
    check_spool(life.folder, noted(life))


@pytest.mark.parametrize("nth", [1, 20, 59])
def test_a_kill_while_writing_leaves_a_clip_that_plays_or_a_report(life, nth):
    assert run(life, step="written", nth=nth) == -signal.SIGKILL
    check_spool(life.folder, [])
    records = [one.read() for one in SpoolReader(life.folder).records()]
    if nth >= 2 * FPS:  # at least one whole fragment
        assert [one.type for one in records] == ["clip"] and records[0].detail["recovered"] is True
        assert (records[0].ended_at - records[0].started_at).total_seconds() >= nth / FPS - 1.2
    else:
        assert [one.type for one in records] in (["drop"], ["clip"])
    if records[0].type == "drop":
        assert records[0].detail["reason"] == "crash"


@pytest.mark.parametrize(("step", "written"), [(Step.MENDED, 59), (Step.PUT_ASIDE, 1)])
def test_a_kill_while_recovering_from_a_kill_loses_nothing(life, step, written):
    assert run(life, step="written", nth=60 + written) == -signal.SIGKILL
    assert run(life, step=step) == -signal.SIGKILL
    check_spool(life.folder, noted(life))
    assert len(noted(life)) == 1


@pytest.mark.parametrize("step", [step for step in Step if step not in (Step.MENDED, Step.PUT_ASIDE)])
def test_a_kill_at_any_step_of_a_whole_life_lets_everything_arrive_once(life, store, tmp_path, step):
    size = life.video.stat().st_size
    whole = {"url": store.url, "clips": 4, "max_bytes": int(size * 1.5)}
    assert run(life, step=step, nth=1 if step in ONCE else 2, **whole) == -signal.SIGKILL
    assert run(life, **whole | {"clips": 2}) == 0
    finish(life.folder, store.url)
    check_bucket(store, tmp_path / "copy", noted(life))
    assert len(noted(life)) >= 2
    left = {file.stem for file in (life.folder / "clips").rglob("*.mp4")}
    here = {one.path.stem for one in SpoolReader(life.folder).records() if one.path and not one.removed}
    assert left == here, "what is on the disk and what the register says is on the disk are the same"


def kills_at_random_instants(life: Life, store, copy: Path, kills: int, longest_s: float) -> int:
    chance = random.Random(20261122)
    whole = {"url": store.url, "clips": 1000, "max_bytes": 8 * life.video.stat().st_size}
    for number in range(kills):
        store.faults.extend(chance.choices(["", "503", "reset", "lost_answer"], weights=[6, 1, 1, 1], k=6))
        process = begin(Life(**{name: getattr(life, name) for name in life.__dataclass_fields__} | whole))
        while life.noted.read_text().count("ready") <= number if life.noted.exists() else True:
            time.sleep(0.005)
        time.sleep(chance.uniform(0, longest_s))
        process.kill()
        process.join(30)
    store.faults.clear()
    finish(life.folder, store.url)
    check_bucket(store, copy, noted(life))
    return len(noted(life))


def test_kills_at_random_instants_one_after_the_other_lose_nothing(life, store, tmp_path):
    assert kills_at_random_instants(life, store, tmp_path / "copy", 12, 0.4) > 0


@pytest.mark.torture
def test_two_hundred_kills_at_random_instants_lose_nothing(life, store, tmp_path):
    assert kills_at_random_instants(life, store, tmp_path / "copy", RANDOM_KILLS, 1.0) > RANDOM_KILLS / 4


def test_recovery_leaves_a_living_writers_clip_alone(tmp_path, video):
    with (
        Spool(tmp_path / "spool", GATEWAY, KEY) as writer,
        Spool(tmp_path / "spool", GATEWAY, KEY) as other,
    ):
        recording = writer.open_clip(1, datetime.now(UTC), 1.0, {})
        recording.path.write_bytes(video.read_bytes())
        assert other.recover().aside == 0
        assert recording.path.exists()
        writer.close_clip(recording, 4.0)
    check_spool(tmp_path / "spool", [recording.ulid])


def test_two_processes_that_add_records_at_once_do_not_fork_the_chain(life):
    processes = [begin(Life(life.folder, life.video, life.noted, clips=25)) for _ in range(2)]
    for process in processes:
        process.join(120)
    assert [process.exitcode for process in processes] == [0, 0]
    assert len(noted(life)) == 50
    check_spool(life.folder, noted(life))
