"""The agent as a program: from a source to the object store, with faults, signals and wrong configurations."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from nacl.signing import VerifyKey

from tests.unit.edge.scenes import FPS, encode, film, packets_of, pictures_in
from uriai_edge.agent import Agent
from uriai_edge.config_file import load_config
from uriai_edge.evidence import Manifest
from uriai_edge.keys import load_key
from uriai_edge.register import SpoolReader
from uriai_edge.spool import Spool
from uriai_edge.submit import SubmitError, submit_clip
from uriai_edge.verify import collect, verify

REPOSITORY = Path(__file__).resolve().parents[3]
DATA = Path(os.environ.get("URIAI_DATA", REPOSITORY.parent / "shared" / "data"))


def edge(*arguments: object, check: int | None = 0, timeout: float = 120) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "uriai_edge", *map(str, arguments)]
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY / "edge_agent")}
    done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, env=environment, check=False)
    assert check is None or done.returncode == check, done.stderr
    return done


def configure(folder: Path, store, *cameras: str) -> Path:
    path = folder / "gateway.yaml"
    listed = "\n".join(f"  - {{number: {number}, {camera}}}" for number, camera in enumerate(cameras, start=1))
    path.write_text(
        f"gateway: test-gateway\nkey_file: {folder}/device.key\ncameras:\n{listed}\n"
        f"spool: {{dir: {folder}/spool, min_free_bytes: 0}}\n"
        f"upload: {{bucket: {store.bucket}, endpoint_url: '{store.url}', backoff_max_s: 0.5}}\n"
    )
    edge("enroll", "--config", path)
    return path


def download(store, folder: Path) -> Path:
    for key, data in store.objects.items():
        path = folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


def logs(stderr: str) -> list[dict]:
    return [json.loads(line) for line in stderr.splitlines() if line.startswith("{")]


def test_from_a_file_to_the_bucket_and_verified(tmp_path, store, walk_video):
    config = configure(tmp_path, store, f"source: {walk_video}, pace: fast")
    public_key = edge("enroll", "--config", config).stdout.strip()
    events = logs(edge("run", "--once", "--config", config).stderr)
    copy = download(store, tmp_path / "copy")
    (clip,) = copy.rglob("*.mp4")
    names = [event["event"] for event in events if event["event"] not in ("note", "record_uploaded")]
    assert [name for name in names if name != "clip_uploaded"] == [
        "source_opened",
        "motion_started",
        "clip_closed",
        "motion_ended",
        "source_ended",
    ]
    assert names.count("clip_uploaded") == 1
    assert {event["key"] for event in events if "clip" in event["event"]} == {str(clip.relative_to(copy))}
    manifest = Manifest.from_bytes(clip.with_suffix(".json").read_bytes())
    assert manifest.camera == 1 and 5 <= manifest.detail["trigger_s"] < 7.5
    assert pictures_in(clip) == pytest.approx((manifest.ended_at - manifest.started_at).total_seconds() * FPS, abs=1)
    original = packets_of(walk_video)
    start = original.index(packets_of(clip)[0])
    assert packets_of(clip) == original[start : start + pictures_in(clip)]
    reports = verify(collect([copy]), VerifyKey(bytes.fromhex(public_key)))
    assert [report.first_break for report in reports] == [None]
    assert edge("verify", copy, "--public-key", public_key).returncode == 0
    assert edge("verify", "--config", config).returncode == 0
    status = json.loads(edge("status", "--config", config, "--json").stdout)
    assert status["running"] is False and status["records"]["closed"] == 0


def test_an_altered_copy_is_named_by_verify(tmp_path, store, walk_video):
    config = configure(tmp_path, store, f"source: {walk_video}, pace: fast")
    edge("run", "--once", "--config", config)
    copy = download(store, tmp_path / "copy")
    clip = next(copy.rglob("*.mp4"))
    clip.write_bytes(clip.read_bytes()[:-1] + b"x")
    done = edge("verify", copy, "--config", config, check=1)
    assert "altered" in done.stdout and clip.stem in done.stdout
    assert "first break" in done.stderr


def test_one_failing_camera_does_not_disturb_another(tmp_path, store, walk_video):
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "picture.mp4").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(5000))
    (tmp_path / "cut.mp4").write_bytes(walk_video.read_bytes()[:20000])
    silent = encode(tmp_path / "with_sound.mp4", film(2 * FPS, size=(160, 96)), audio=True)
    sources = [
        walk_video,
        tmp_path / "empty.mp4",
        tmp_path / "picture.mp4",
        tmp_path / "cut.mp4",
        tmp_path / "none.mp4",
        silent,
    ]
    config = configure(tmp_path, store, *[f"source: {source}, pace: fast" for source in sources])
    done = edge("run", "--once", "--config", config, check=1)
    assert len([key for key in store.objects if key.endswith(".mp4")]) == 1
    troubles = {line["camera"]: line["why"] for line in logs(done.stderr) if line["message"] == "camera trouble"}
    assert set(troubles) == {2, 3, 4, 5}
    assert (
        "0 bytes" in troubles[2]
        and "its codec is png" in troubles[3]
        and "not complete" in troubles[4]
        and "no such file" in troubles[5]
    )


def test_an_audio_only_source_is_named(tmp_path, store):
    import av
    import numpy as np

    path = tmp_path / "sound.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=8000)
        for _ in range(20):
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
            frame.sample_rate = 8000
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    config = configure(tmp_path, store, f"source: {path}")
    done = edge("check", "--config", config, check=1)
    assert "holds only audio" in done.stdout


def test_check_shows_what_works_and_what_to_do(tmp_path, store, walk_video):
    config = configure(
        tmp_path, store, f"source: {walk_video}", "source: 'rtsp://u:hunter22@127.0.0.1:9/x'", "source: webcam:77"
    )
    lines = [json.loads(line) for line in edge("check", "--config", config, "--json", check=1).stdout.splitlines()]
    found = {line["what"]: line for line in lines}
    outcomes = {what: line["outcome"] for what, line in found.items() if what != "disk"}
    assert outcomes == dict.fromkeys(["config", "key", "credentials", "bucket", "clock", "camera 1"], "ok") | {
        "camera 2": "fail",
        "camera 3": "fail",
    }
    assert "hunter22" not in json.dumps(lines) and "refused" in found["camera 2"]["found"]
    assert all(line["remedy"] for line in lines if line["outcome"] == "fail")


def test_a_wrong_configuration_is_refused_at_once(tmp_path, store, walk_video):
    config = configure(tmp_path, store, f"source: {walk_video}")
    config.write_text(config.read_text() + "clips: {pre_roll: 5 minutes}\n")
    done = edge("run", "--config", config, check=2)
    assert (
        done.stderr.strip()
        .splitlines()[-1]
        .startswith(f"{config}:7: clips: pre_roll: unknown key; did you mean pre_roll_s")
    )


def test_sigterm_in_the_middle_of_a_clip_closes_it(tmp_path, store):
    moving = encode(
        tmp_path / "long.mp4",
        film(
            60 * FPS,
            lambda p, t: p.__setitem__((slice(40, 120), slice(int(t * 40) % 250, int(t * 40) % 250 + 40)), 20),
            noise=1,
            size=(320, 180),
        ),
    )
    config = configure(tmp_path, store, f"source: {moving}, pace: real")
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY / "edge_agent")}
    process = subprocess.Popen(
        [sys.executable, "-m", "uriai_edge", "run", "--config", str(config)],
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    )
    deadline = time.monotonic() + 60
    partial = tmp_path / "spool" / "partial"
    while time.monotonic() < deadline and not any(file.stat().st_size > 20000 for file in partial.glob("*.mp4")):
        time.sleep(0.1)
    assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    stderr = process.communicate(timeout=30)[1]
    assert process.returncode == 0, stderr
    assert [line["message"] for line in logs(stderr)][-1] == "agent ends"
    assert not list(partial.iterdir())
    (clip,) = (tmp_path / "spool" / "clips").rglob("*.mp4")
    assert pictures_in(clip) > 0
    assert edge("verify", "--config", config).returncode == 0
    coverage = [json.loads(line) for line in edge("verify", "--config", config, "--json").stdout.splitlines()]
    assert any("records/" in line["key"] for line in coverage)


def test_a_second_agent_on_one_spool_is_refused(tmp_path, store, short_video):
    path = configure(tmp_path, store, f"source: {short_video}, pace: fast")
    config = load_config(path)
    first = Agent(config, load_key(config.key_file), threading.Event())
    assert "another agent is running" in edge("run", "--config", path, check=1).stderr
    assert first.run(exit_when_done=True)
    edge("run", "--once", "--config", path)


def test_a_file_at_its_own_speed_takes_its_time_and_is_covered(tmp_path, store):
    video = encode(tmp_path / "six.mp4", film(6 * FPS, size=(160, 96)))
    config = configure(tmp_path, store, f"source: {video}, pace: real", f"source: {tmp_path}/none.mp4")
    begun = time.monotonic()
    edge("run", "--once", "--config", config, check=1)
    assert time.monotonic() - begun > 5.9
    (record,) = (download(store, tmp_path / "copy") / "records").rglob("*.json")
    cameras = Manifest.from_bytes(record.read_bytes()).detail["cameras"]
    assert [camera["camera"] for camera in cameras] == [1, 2]
    ((start, end),) = cameras[0]["spans"]
    assert end - start == pytest.approx(6, abs=0.2) and cameras[1]["spans"] == []


def test_a_full_spool_refuses_new_clips_and_reports_each(tmp_path, store, walk_video):
    config = configure(tmp_path, store, f"source: {walk_video}, pace: fast")
    config.write_text(config.read_text().replace("min_free_bytes: 0", "min_free_bytes: 1000000000000000"))
    edge("run", "--once", "--config", config)
    assert not [key for key in store.objects if key.endswith(".mp4")]
    records = [Manifest.from_bytes(data) for key, data in store.objects.items() if key.endswith(".json")]
    (drop,) = [one for one in records if one.type == "drop"]
    assert drop.detail["reason"] == "disk_full" and drop.camera == 1
    assert (drop.ended_at - drop.started_at).total_seconds() == pytest.approx(13, abs=3)


def test_a_restart_on_a_full_disk_waits_until_there_is_room_and_then_recovers(tmp_path, store):
    still = encode(tmp_path / "still.mp4", film(2 * FPS, size=(160, 96)))
    config = load_config(configure(tmp_path, store, f"source: {still}, pace: fast"))
    key = load_key(config.key_file)
    with Spool(config.spool.dir, config.gateway, key) as spool:
        recording = spool.open_clip(1, datetime.now(UTC), time.monotonic(), {})
        recording.path.write_bytes(b"a clip's bytes")
        interrupted = spool.close_clip(recording, 2.0)
        assert spool.claim_next() is not None, "the last run ended in the middle of an upload"
    left = 0

    def full(name: str) -> None:
        nonlocal left
        if name == "before_commit" and left:
            left -= 1
            raise sqlite3.OperationalError("database or disk is full")

    agent = Agent(config, key, threading.Event(), full)
    left = 4
    assert agent.run(exit_when_done=True)
    assert left == 0
    assert interrupted.read().stem + ".mp4" in store.objects
    assert {record.state.value for record in SpoolReader(config.spool.dir).records()} == {"uploaded"}


def test_a_register_that_cannot_be_used_is_told_in_one_line(tmp_path, store, short_video):
    config = configure(tmp_path, store, f"source: {short_video}")
    edge("submit", short_video, "--config", config)
    register = tmp_path / "spool" / "spool.sqlite3"
    with closing(sqlite3.connect(register)) as database:
        database.execute("DROP TABLE recordings")
    done = edge("submit", short_video, "--config", config, "--no-upload", check=1)
    assert "register cannot be used: no such table" in done.stderr and "Traceback" not in done.stderr
    register.write_bytes(b"this is no database, and long enough to be taken for one" * 100)
    for command in (["run"], ["submit", short_video]):
        done = edge(*command, "--config", config, check=1)
        assert "spool" in done.stderr and "Traceback" not in done.stderr
        assert len(done.stderr.strip().splitlines()) == 1


def test_submitted_files_go_the_whole_way_unchanged(tmp_path, store, short_video):
    config = configure(tmp_path, store, "source: rtsp://127.0.0.1:9/x", "source: webcam:0")
    done = edge(
        "submit",
        short_video,
        tmp_path / "none.mp4",
        "--config",
        config,
        "--camera",
        2,
        "--started-at",
        "2026-11-01T08:00:00+09:00",
        "--json",
        check=1,
    )
    line = json.loads(done.stdout)
    assert line["key"].startswith("clips/test-gateway/2/2026-10-31/")
    assert store.objects[line["key"]] == short_video.read_bytes()
    assert "no such file" in done.stderr


def test_submit_refuses_what_is_no_clip_unless_told_otherwise(tmp_path, store):
    config = load_config(configure(tmp_path, store, "source: webcam:0"))
    junk = tmp_path / "junk.mp4"
    junk.write_bytes(b"no video")
    with pytest.raises(SubmitError, match="cannot be read"):
        submit_clip(junk, config, 1, None)
    with pytest.raises(SubmitError, match="camera 9"):
        submit_clip(junk, config, 9, None)
    with pytest.raises(SubmitError, match="offset"):
        submit_clip(junk, config, 1, datetime(2026, 1, 1), check=False)  # noqa: DTZ001
    assert submit_clip(junk, config, 1, check=False).size == 8


def test_the_key_is_private_and_never_made_twice(tmp_path, store, walk_video):
    config = configure(tmp_path, store, f"source: {walk_video}")
    key = tmp_path / "device.key"
    assert key.stat().st_mode & 0o777 == 0o600
    assert edge("enroll", "--config", config).stdout == edge("enroll", "--config", config).stdout
    key.chmod(0o644)
    assert "chmod 600" in edge("run", "--config", config, check=1).stderr


def test_real_clips_are_replayed_and_their_movement_is_found(tmp_path):
    clips = sorted((DATA / "violence" / "clips").glob("*.mp4"))[::24]
    if not clips:
        pytest.skip(f"no real clips under {DATA}; set URIAI_DATA")
    cut = 0
    for number, clip in enumerate(clips):
        done = edge("replay", clip, "--out", tmp_path / str(number), "--json")
        for line in map(json.loads, done.stdout.splitlines()):
            cut += 1
            assert packets_of(Path(line["file"])) == packets_of(clip)[: pictures_in(Path(line["file"]))]
    assert cut >= len(clips) * 0.6
