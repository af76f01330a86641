"""The whole agent under faults for minutes and hours: `make torture`. test_crash.py holds a short version."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
import venv
from collections import Counter
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from nacl.signing import SigningKey

from playroom.rtsp import RtspServer, gstreamer_available
from tests.integration.edge.crash_child import BUCKET, KEY, begin_agent
from tests.integration.edge.test_agent import REPOSITORY
from tests.integration.edge.test_crash import RANDOM_KILLS
from tests.integration.edge.test_spool_machine import fragmented
from tests.unit.edge.scenes import FPS, encode, film, pictures_in
from uriai_edge.chain import NewRecord
from uriai_edge.config import Upload
from uriai_edge.evidence import Manifest, RecordType
from uriai_edge.register import SpoolReader, State
from uriai_edge.s3 import S3Store
from uriai_edge.spool import Spool
from uriai_edge.upload import Uploader
from uriai_edge.verify import Status, collect, verify

pytestmark = pytest.mark.torture

FAKETIME = Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1")
CUT_S = float(os.environ.get("URIAI_TORTURE_CUT_S", "150"))
SOAK_S = float(os.environ.get("URIAI_SOAK_S", "600"))
SOAK_RECORDS = int(os.environ.get("URIAI_SOAK_RECORDS", "6000"))


@pytest.fixture(scope="module")
def moving(tmp_path_factory) -> Path:
    """A minute in which something always moves."""

    def change(picture, t: float) -> None:
        picture[40:120, int(t * 40) % 250 : int(t * 40) % 250 + 40] = 20

    path = tmp_path_factory.mktemp("video") / "moving.mp4"
    return encode(path, film(60 * FPS, change, noise=1, size=(320, 180)), gop=15)


@pytest.fixture
def config(tmp_path, store, moving) -> Path:
    """An agent with two cameras on it, short clips, and coverage every five seconds."""
    key = tmp_path / "device.key"
    key.write_text(KEY.encode().hex() + "\n")
    key.chmod(0o600)
    path = tmp_path / "gateway.yaml"
    path.write_text(
        f"gateway: torture\nkey_file: {key}\ncameras:\n"
        f"  - {{number: 1, source: {moving}}}\n  - {{number: 2, source: {moving}}}\n"
        f"spool: {{dir: {tmp_path}/spool, min_free_bytes: 0}}\n"
        f"upload: {{bucket: {BUCKET}, endpoint_url: '{store.url}', backoff_max_s: 2, read_timeout_s: 1, "
        "connect_timeout_s: 1}\n"
        "clips: {pre_roll_s: 0, post_roll_s: 1, max_clip_s: 5}\ncoverage: {every_s: 5}\n"
    )
    return path


def closed(noted: Path) -> list[str]:
    return [line for line in noted.read_text().split() if len(line) == 26]


def wait_for(what, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, "it took too long"
        time.sleep(0.05)


def check_everything(store, folder: Path, ulids: list[str], copy: Path) -> Counter:
    """Upload the rest, then hold the bucket to the invariant; how many records of each type there are."""
    store.faults.clear()
    store.always = None
    with Spool(folder, "torture", KEY) as spool:
        spool.recover()
        settings = Upload(bucket=BUCKET, endpoint_url=store.url, backoff_max_s=0.1)
        assert Uploader(settings, spool, S3Store(settings), threading.Event()).drain()
    assert store.overwritten == [] and max(Counter(store.puts()).values()) == 1
    for key, data in store.objects.items():
        path = copy / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    (report,) = verify(collect([copy]), KEY.verify_key)
    assert report.first_break is None and {one.status for one in report.verdicts} == {Status.PRESENT}
    arrived = {file.stem for file in copy.rglob("*.mp4")}
    assert set(ulids) <= arrived and len(ulids) == len(set(ulids))
    for file in copy.rglob("*.mp4"):
        assert pictures_in(file) >= 1
    return Counter(one.type for one in report.verdicts)


def test_an_agent_killed_again_and_again_loses_nothing(config, store, tmp_path):
    chance = random.Random(20261124)
    noted = tmp_path / "noted"
    noted.touch()
    for number in range(RANDOM_KILLS):
        store.faults.extend(chance.choices(["", "503", "reset", "lost_answer"], weights=[8, 1, 1, 1], k=10))
        agent = begin_agent(config, noted)
        wait_for(lambda number=number: noted.read_text().count("ready") > number, 60)
        time.sleep(chance.uniform(0, 7))
        agent.kill()
        agent.join(30)
    types = check_everything(store, tmp_path / "spool", closed(noted), tmp_path / "copy")
    # how many close before their process dies depends on the machine; what recovery closed counts as well
    assert len(closed(noted)) > RANDOM_KILLS / 4
    print(f"{RANDOM_KILLS} kills, {len(closed(noted))} clips noted as closed, records {dict(types)}")


def test_an_uplink_that_is_cut_stormed_and_drawn_out_for_minutes_loses_nothing(config, store, tmp_path):
    noted = tmp_path / "noted"
    noted.touch()
    agents = []

    def for_a_while(fault: str | None, seconds: float) -> None:
        """Agents one after the other, so that there is always something to record."""
        store.always = fault
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            agent = begin_agent(config, noted)
            agents.append(agent)
            time.sleep(min(45.0, max(1.0, until - time.monotonic())))
            agent.terminate()
            agent.join(60)
            assert agent.exitcode == 0

    for fault, seconds in [
        (None, 20),
        ("reset", CUT_S),
        ("503", CUT_S / 3),
        ("drip", CUT_S / 3),
        ("drip_read", CUT_S / 3),
    ]:
        before = len(store.objects)
        for_a_while(fault, seconds)
        assert fault is None or len(store.objects) == before, f"nothing arrives during {fault}"
    waiting = SpoolReader(tmp_path / "spool").counts()[State.CLOSED]
    assert waiting > 10
    types = check_everything(store, tmp_path / "spool", closed(noted), tmp_path / "copy")
    print(f"{CUT_S:.0f} s of cut: {waiting} records waited, all arrived: {dict(types)}")


@contextmanager
def with_faked_clock(config: Path, offset_file: Path):
    environment = os.environ | {
        "PYTHONPATH": str(REPOSITORY / "edge_agent"),
        "LD_PRELOAD": str(FAKETIME),
        "FAKETIME_TIMESTAMP_FILE": str(offset_file),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "uriai_edge", "run", "--config", str(config)],
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    )
    lines: list[str] = []
    assert process.stderr is not None
    threading.Thread(target=lambda: lines.extend(process.stderr), daemon=True).start()
    try:
        yield process, lines
    finally:
        if process.poll() is None:
            process.kill()
        process.wait(30)


@pytest.mark.skipif(not FAKETIME.is_file(), reason="apt-get install faketime")
def test_a_clock_that_jumps_an_hour_forth_and_two_back_loses_nothing(config, store, tmp_path):
    offset = tmp_path / "offset"
    offset.write_text("+0\n")
    with with_faked_clock(config, offset) as (process, lines):
        for text in ("+0", "+3600", "-3600", "+0"):
            offset.write_text(text + "\n")
            before = len(store.objects)
            wait_for(lambda before=before: len(store.objects) > before + 6, 60)
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    events = [json.loads(line) for line in lines if line.startswith("{")]
    ulids = [event["ulid"] for event in events if event["event"] == "clip_closed"]
    assert len(ulids) >= 4
    types = check_everything(store, tmp_path / "spool", ulids, tmp_path / "copy")
    manifests = [Manifest.from_bytes(data) for key, data in store.objects.items() if key.endswith(".json")]
    steps = [round(one.detail["clock_step_s"] / 3600) for one in manifests if "clock_step_s" in one.detail]
    assert sorted(steps) == [-2, 1, 1], "every jump is in a coverage record"
    print(
        f"clock +1 h, -1 h: {dict(types)}, steps {steps}, requests refused {sum(s == 403 for *_, s in store.requests)}"
    )


def test_weeks_of_records_leave_memory_and_descriptors_flat(store, short_video, tmp_path):
    """Coverage of SOAK_RECORDS minutes and a clip in every ten of them, recorded, uploaded, removed and forgotten."""
    clip = fragmented(short_video, tmp_path)
    settings = Upload(bucket=BUCKET, endpoint_url=store.url, backoff_max_s=0.1)
    now = datetime.now(UTC)
    seen = []
    with Spool(tmp_path / "spool", "soak", SigningKey(b"s" * 32)) as spool:
        uploader = Uploader(settings, spool, S3Store(settings), threading.Event())
        for number in range(SOAK_RECORDS):
            spool.add_record(NewRecord(RecordType.COVERAGE, None, now, now, 1.0, {"cameras": []}))
            if number % 10 == 0:
                recording = spool.open_clip(1, now, 1.0, {})
                recording.path.write_bytes(clip)
                spool.close_clip(recording, 4.0)
                spool.make_room(0, 20 * len(clip), 0)
            while uploader._step():
                pass
            if number % 200 == 199:
                spool.prune(1000)
                store.objects.clear()
                store.checksums.clear()
                store.requests.clear()
                status = Path("/proc/self/status").read_text()
                rss = int(status.partition("VmRSS:")[2].split()[0])
                register = (tmp_path / "spool" / "spool.sqlite3").stat().st_size
                seen.append((rss, len(list(Path("/proc/self/fd").iterdir())), register, threading.active_count()))
    settled, last = seen[len(seen) // 3], seen[-1]
    print(f"{SOAK_RECORDS} minutes: (RSS kB, descriptors, register bytes, threads) {settled} -> {last}")
    assert last[0] <= settled[0] * 1.03 and last[1] <= settled[1] + 1 and last[3] <= settled[3] + 1
    assert last[2] <= settled[2] * 1.1


def of_process(pid: int) -> tuple[int, int, int]:
    """Resident kB, descriptors and threads of a process."""
    status = Path(f"/proc/{pid}/status").read_text()
    rss, threads = (int(status.partition(name)[2].split()[0]) for name in ("VmRSS:", "Threads:"))
    return rss, len(list(Path(f"/proc/{pid}/fd").iterdir())), threads


@pytest.mark.skipif(
    not gstreamer_available(), reason="no GStreamer RTSP server; python3 -m playroom tells what to install"
)
def test_an_agent_at_work_keeps_its_memory_descriptors_and_threads(config, store, moving, tmp_path):
    """A camera that reboots every minute, one that is never there, reloads, an uplink that comes and goes."""
    with RtspServer(moving) as camera:
        port = int(camera.url.split(":")[2].split("/")[0])
        text = config.read_text().replace(f"source: {moving}", f"source: '{camera.url}', timeout_s: 3", 1)
        config.write_text(text.replace(f"source: {moving}", "source: 'rtsp://127.0.0.1:9/x'"))
        environment = os.environ | {"PYTHONPATH": str(REPOSITORY / "edge_agent")}
        command = [sys.executable, "-m", "uriai_edge", "run", "--config", str(config), "--log-level", "ERROR"]
        process = subprocess.Popen(command, env=environment)
    seen = []
    try:
        until = time.monotonic() + SOAK_S
        while time.monotonic() < until:
            with RtspServer(moving, port):
                store.always = None if len(seen) % 3 else "503"
                time.sleep(SOAK_S / 20)
                seen.append(of_process(process.pid))
            process.send_signal(signal.SIGHUP)
            time.sleep(1)
        store.always = None
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    finally:
        if process.poll() is None:
            process.kill()
    middle, end = seen[len(seen) // 3 : 2 * len(seen) // 3], seen[2 * len(seen) // 3 :]
    types = check_everything(store, tmp_path / "spool", [], tmp_path / "copy")
    print(f"{SOAK_S:.0f} s, {dict(types)}: largest (RSS kB, descriptors, threads) {max(middle)} -> {max(end)}")
    assert types[RecordType.CLIP] > 5
    for which, slack in ((0, 1.05), (1, 1.2), (2, 1.2)):
        assert max(one[which] for one in end) <= slack * max(one[which] for one in middle)


def test_the_agent_installs_alone_and_never_imports_the_cloud(tmp_path):
    venv.create(tmp_path / "venv", with_pip=True)
    python = tmp_path / "venv" / "bin" / "python"
    agent = tmp_path / "edge_agent"
    subprocess.run(["cp", "-r", str(REPOSITORY / "edge_agent"), str(agent)], check=True)
    subprocess.run([python, "-m", "pip", "install", "-q", str(agent)], check=True, cwd=tmp_path)
    listed = subprocess.run(
        [python, "-m", "pip", "list", "--format=freeze"], check=True, capture_output=True, text=True
    )
    names = sorted(line.partition("==")[0].lower() for line in listed.stdout.split() if "==" in line)
    assert "uriai" not in names and len(names) <= 25, names
    code = (
        "import importlib, pkgutil, sys, uriai_edge\n"
        "for one in pkgutil.iter_modules(uriai_edge.__path__):\n"
        "    if one.name != '__main__': importlib.import_module('uriai_edge.' + one.name)\n"
        "assert not [name for name in sys.modules if name == 'uriai' or name.startswith(('uriai.', 'uriai_c'))]\n"
    )
    clean = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    subprocess.run([python, "-c", code], check=True, cwd=tmp_path, env=clean)
    done = subprocess.run(
        [tmp_path / "venv" / "bin" / "uriai-edge", "--version"], check=True, capture_output=True, text=True, env=clean
    )
    assert done.stdout.startswith("uriai-edge ")
    print(f"{len(names)} packages: {', '.join(names)}")
