"""kill -9 at every step of writing: what was closed is never lost, every clip plays, the chain verifies."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.integration.edge.crash_child import KEY
from tests.unit.edge.scenes import FPS, encode, film, pictures_in, walking
from uriai_edge.mp4 import Mp4Error, mend
from uriai_edge.register import SpoolReader, State
from uriai_edge.spool import Spool
from uriai_edge.verify import Candidate, Status, verify

CHILD = Path(__file__).with_name("crash_child.py")
REPOSITORY = Path(__file__).resolve().parents[3]
ENVIRONMENT = os.environ | {"PYTHONPATH": os.pathsep.join([str(REPOSITORY / "edge_agent"), str(REPOSITORY)])}
RANDOM_KILLS = int(os.environ.get("URIAI_TORTURE_KILLS", "12"))


@pytest.fixture(scope="module")
def video(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("video") / "in.mp4"
    return encode(path, film(4 * FPS, walking([(0, 4)], w=12, h=20), size=(160, 96)), gop=15)


def child(spool: Path, video: Path, step: str, nth: int, count: int = 3) -> subprocess.Popen[str]:
    arguments = [sys.executable, str(CHILD), str(spool), str(video), step, str(nth), str(count)]
    return subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True, env=ENVIRONMENT, cwd=REPOSITORY)


def check_after(spool_dir: Path, closed: list[str]) -> None:
    """Recover, then hold the spool to the invariant."""
    with Spool(spool_dir, "crash-gateway", KEY) as spool:
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


STEPS = ["file_made", "before_commit", "committed", "file_synced", "folder_made", "renamed", "folders_synced"]


@pytest.mark.parametrize("nth", [1, 2, 3, 4])
@pytest.mark.parametrize("step", STEPS)
def test_a_kill_at_a_named_step_loses_nothing(tmp_path, video, step, nth):
    process = child(tmp_path / "spool", video, step, nth)
    lines = process.communicate(timeout=60)[0].split()
    if process.returncode == 0:
        assert nth > 3 and step not in ("before_commit", "committed"), "the step was never reached"
    else:
        assert process.returncode == -signal.SIGKILL
    check_after(tmp_path / "spool", [line for line in lines if line != "ready"])


@pytest.mark.parametrize("nth", [1, 20, 59])
def test_a_kill_while_writing_leaves_a_clip_that_plays_or_a_report(tmp_path, video, nth):
    process = child(tmp_path / "spool", video, "written", nth)
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL
    check_after(tmp_path / "spool", [])
    records = [one.read() for one in SpoolReader(tmp_path / "spool").records()]
    if nth >= 2 * FPS:  # at least one whole fragment
        assert [one.type for one in records] == ["clip"] and records[0].detail["recovered"] is True
        assert (records[0].ended_at - records[0].started_at).total_seconds() >= nth / FPS - 1.2
    else:
        assert [one.type for one in records] in (["drop"], ["clip"])
    if records[0].type == "drop":
        assert records[0].detail["reason"] == "crash"


def test_kills_at_random_instants_one_after_the_other_on_one_spool_lose_nothing(tmp_path, video):
    chance = random.Random(20261122)
    closed: list[str] = []
    for _ in range(RANDOM_KILLS):
        process = child(tmp_path / "spool", video, "none", 1, count=1000)
        assert process.stdout is not None
        assert process.stdout.readline().strip() == "ready"
        time.sleep(chance.uniform(0, 0.4))
        process.kill()
        closed += [line for line in process.communicate(timeout=60)[0].split() if len(line) == 26]
    assert closed
    check_after(tmp_path / "spool", closed)


def test_recovery_leaves_a_living_writers_clip_alone(tmp_path, video):
    with (
        Spool(tmp_path / "spool", "crash-gateway", KEY) as writer,
        Spool(tmp_path / "spool", "crash-gateway", KEY) as other,
    ):
        from datetime import UTC, datetime

        recording = writer.open_clip(1, datetime.now(UTC), 1.0, {})
        recording.path.write_bytes(video.read_bytes())
        assert other.recover().aside == 0
        assert recording.path.exists()
        writer.close_clip(recording, 4.0)
    check_after(tmp_path / "spool", [recording.ulid])


def test_two_processes_that_add_records_at_once_do_not_fork_the_chain(tmp_path, video):
    processes = [child(tmp_path / "spool", video, "none", 1, count=25) for _ in range(2)]
    closed = [line for process in processes for line in process.communicate(timeout=120)[0].split() if len(line) == 26]
    assert [process.returncode for process in processes] == [0, 0]
    assert len(closed) == 50
    check_after(tmp_path / "spool", closed)
