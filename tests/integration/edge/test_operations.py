"""The agent as a service: what it tells systemd, Prometheus and the log, what it never tells, what SIGHUP changes."""

from __future__ import annotations

import json
import os
import queue
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from tests.integration.conftest import free_port
from tests.integration.edge.test_agent import REPOSITORY, configure, download, edge, logs
from tests.integration.edge.test_upload import silent_credentials
from tests.unit.edge.scenes import FPS, encode, film, packets_of, walking
from uriai_edge.agent import Agent
from uriai_edge.chain import NewRecord
from uriai_edge.config_file import load_config
from uriai_edge.evidence import Manifest, RecordType
from uriai_edge.health import metrics
from uriai_edge.keys import load_key
from uriai_edge.register import SpoolReader
from uriai_edge.spool import Spool

SECRETS = ["hunter22", "s3cret-of-camera-3", "pa%3Ass", "pa:ss"]


class Running:
    """`uriai-edge run` as systemd would start it."""

    def __init__(self, config: Path, folder: Path) -> None:
        self.notifications: queue.Queue[str] = queue.Queue()
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(folder / "notify"))
        self.lines: list[str] = []
        environment = os.environ | {
            "PYTHONPATH": str(REPOSITORY / "edge_agent"),
            "NOTIFY_SOCKET": str(folder / "notify"),
            "WATCHDOG_USEC": "3000000",
            "CAMERA_2_PASSWORD": "hunter22",
        }
        self.process = subprocess.Popen(
            [sys.executable, "-m", "uriai_edge", "run", "--config", str(config), "--log-level", "DEBUG"],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=environment,
        )
        threading.Thread(target=self._listen, daemon=True).start()
        threading.Thread(target=self._read, daemon=True).start()

    def _listen(self) -> None:
        while True:
            self.notifications.put(self._socket.recv(4096).decode())

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line)

    def notified(self, word: str, timeout: float = 60) -> None:
        deadline = time.monotonic() + timeout
        while word not in self.notifications.get(timeout=max(0.1, deadline - time.monotonic())):
            pass

    def logged(self, word: str, timeout: float = 60) -> dict:
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            for line in logs("".join(self.lines)):
                if word in (line["event"], line["message"]):
                    return line
            time.sleep(0.05)
        raise AssertionError(f"{word} was never logged: {''.join(self.lines)[-2000:]}")


@contextmanager
def running(config: Path, folder: Path):
    agent = Running(config, folder)
    try:
        yield agent
    finally:
        if agent.process.poll() is None:
            agent.process.kill()
        agent.process.wait(30)


def ask(port: int, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=20) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def metric(text: str, name: str) -> float:
    (line,) = [line for line in text.splitlines() if line.startswith(f"uriai_edge_{name} ")]
    return float(line.rsplit(" ", 1)[1])


def test_a_service_tells_how_it_is_reloads_what_changed_and_keeps_its_secrets(tmp_path, store):
    video = encode(tmp_path / "long.mp4", film(400 * FPS // 2, size=(160, 96)))
    port = free_port()
    source = f"name: '../../etc/cron.d/놀이방 \"1\"', source: {video}, pace: real"
    config = configure(tmp_path, store, source)
    first = config.read_text() + f"health: {{port: {port}}}\n"
    second = "  - {number: 2, source: rtsp://127.0.0.1:9/x, username: u, password: '${CAMERA_2_PASSWORD}'}\nspool:"
    config.write_text(first.replace("spool:", second))
    with running(config, tmp_path) as agent:
        agent.notified("READY=1")
        agent.notified("WATCHDOG=1")
        agent.logged("camera trouble")
        assert ask(port, "/healthz") == (200, '{"healthy": true, "problems": []}')
        status, text = ask(port, "/metrics")
        assert status == 200 and ask(port, "/")[0] == 404
        assert metric(text, 'camera_running{camera="1"}') == 1 and metric(text, 'camera_running{camera="2"}') == 0
        before = metric(text, 'camera_packets_total{camera="1"}')
        for word in SECRETS:
            assert word not in Path(f"/proc/{agent.process.pid}/cmdline").read_text()

        (tmp_path / "password").write_text("s3cret-of-camera-3\n")
        third = (
            "  - {number: 3, source: 'rtsp://u:pa%3Ass@127.0.0.1:9/y'}\n"
            f"  - {{number: 4, source: rtsp://127.0.0.1:9/z, username: v, password_file: {tmp_path}/password}}\nspool:"
        )
        config.write_text(first.replace("spool:", third))
        agent.process.send_signal(signal.SIGHUP)
        assert agent.logged("reloaded")["cameras"] == [2, 3, 4]
        agent.notified("RELOADING=1")
        agent.notified("READY=1")
        text = ask(port, "/metrics")[1]
        assert metric(text, 'camera_packets_total{camera="1"}') > before, "the other camera went on"
        assert 'camera="2"' not in text

        config.write_text(first.replace("number: 1", "nummer: 1"))
        agent.process.send_signal(signal.SIGHUP)
        wrong = agent.logged("the configuration stays as it was: the new one is wrong")
        assert "nummer: unknown key; did you mean number" in wrong["why"]
        assert metric(ask(port, "/metrics")[1], 'camera_running{camera="1"}') == 1

        agent.process.send_signal(signal.SIGTERM)
        agent.notified("STOPPING=1")
        assert agent.process.wait(60) == 0
        time.sleep(0.2)
        said = "".join(agent.lines)
    files = [file for file in tmp_path.rglob("*") if file.is_file() and file.name != "password"]
    kept = b"".join(file.read_bytes() for file in files if file not in (config, video))
    for word in SECRETS:
        assert word not in said and word.encode() not in kept
    assert "camera trouble" in said and "u:***@" in said
    assert {file.parent.name for file in tmp_path.rglob("*.mp4")} <= {tmp_path.name}, "a name makes no path"


def test_the_time_in_which_the_agent_was_down_is_in_the_next_coverage(tmp_path, store):
    still = encode(tmp_path / "still.mp4", film(2 * FPS, size=(160, 96)))
    config = load_config(configure(tmp_path, store, f"source: {still}, pace: fast"))
    key = load_key(config.key_file)
    began = datetime.now(UTC) - timedelta(minutes=31)
    with Spool(config.spool.dir, config.gateway, key) as spool:
        detail = {"cameras": [{"camera": 1, "spans": [[0, 60]]}]}
        spool.add_record(NewRecord(RecordType.COVERAGE, None, began, began + timedelta(minutes=1), 1.0, detail))
    assert Agent(config, key, threading.Event()).run(exit_when_done=True)
    records = [one.read() for one in SpoolReader(config.spool.dir).records()]
    down = records[1]
    assert down.detail["down"] is True and down.detail["cameras"] == [{"camera": 1, "spans": []}]
    assert down.started_at == records[0].ended_at
    assert (down.ended_at - down.started_at).total_seconds() == pytest.approx(1800, abs=60)
    assert "down" not in records[2].detail and abs(records[2].detail.get("clock_offset_s", 0.0)) < 5
    copy = download(store, tmp_path / "copy")
    assert [Manifest.from_bytes(file.read_bytes()).seq for file in sorted(copy.rglob("*.json"))] == [1, 2, 3]


def test_a_clock_that_was_set_back_while_the_agent_was_down_breaks_nothing(tmp_path, store):
    still = encode(tmp_path / "still.mp4", film(2 * FPS, size=(160, 96)))
    config = load_config(configure(tmp_path, store, f"source: {still}, pace: fast"))
    key = load_key(config.key_file)
    began = datetime.now(UTC) + timedelta(hours=1)
    with Spool(config.spool.dir, config.gateway, key) as spool:
        spool.add_record(NewRecord(RecordType.COVERAGE, None, began, began, 1.0, {"cameras": []}))
    assert Agent(config, key, threading.Event()).run(exit_when_done=True)
    down = SpoolReader(config.spool.dir).records()[1].read()
    assert down.detail["down"] is True and down.detail["clock_step_s"] == pytest.approx(-3600, abs=60)
    status = json.loads((config.spool.dir / "status.json").read_text())
    assert status["problems"] == [] and status["uploaded"]["records"] == 3 and status["free_bytes"] > 0


def test_status_shows_the_spool_the_disk_and_the_last_upload(tmp_path, store):
    still = encode(tmp_path / "still.mp4", film(2 * FPS, size=(160, 96)))
    config = configure(tmp_path, store, f"source: {still}, pace: fast")
    edge("run", "--once", "--config", config)
    text = edge("status", "--config", config).stdout
    for word in ("agent does not run", "uploaded", "last upload: 20", "free on the disk", "camera 1: ended"):
        assert word in text


def test_an_upload_that_hangs_is_replaced_told_and_disturbs_neither_recording_nor_the_watchdog(
    tmp_path, store, monkeypatch
):
    monkeypatch.setattr("uriai_edge.s3.GRACE_S", 0.5)
    speaks = silent_credentials(tmp_path, monkeypatch)
    moving = encode(tmp_path / "moving.mp4", film(26 * FPS, walking([(0, 26)], w=12, h=20), size=(160, 96)))
    path = configure(tmp_path, store, f"source: {moving}, pace: real")
    timeouts = "profile: gateway, connect_timeout_s: 1, read_timeout_s: 1, bucket:"
    path.write_text(path.read_text().replace("bucket:", timeouts) + "coverage: {every_s: 5}\nclips: {max_clip_s: 10}\n")
    config = load_config(path)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.settimeout(2)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        monkeypatch.setenv("WATCHDOG_USEC", "600000")
        fed_s: list[float] = []
        stop, deaf = threading.Event(), threading.Event()

        def listen() -> None:
            while not deaf.is_set():
                with suppress(TimeoutError):
                    if systemd.recv(4096) == b"WATCHDOG=1":
                        fed_s.append(time.monotonic())

        listener = threading.Thread(target=listen)
        listener.start()
        agent = Agent(config, load_key(config.key_file), stop)
        thread = threading.Thread(target=agent.run)
        thread.start()
        deadline = time.monotonic() + 100
        while agent.snapshot().uploads.replaced < 2:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        hung = agent.snapshot()
        assert any("an upload hangs" in problem for problem in hung.problems)
        assert "an upload hangs" in (hung.uploads_blocked_by or "")
        assert hung.cameras[0].state == "running" and hung.records["uploaded"] == 0
        assert re.search(r"^uriai_edge_upload_threads_replaced_total [2-9]", metrics(hung), re.MULTILINE)
        speaks.touch()
        while (now := agent.snapshot()).problems or not now.records["uploaded"]:
            assert time.monotonic() < deadline, now
            time.sleep(0.1)
        assert now.uploads_stuck == 0, "their programs were ended, and with them what the threads waited for"
        status = json.loads(edge("status", "--json", "--config", path).stdout)
        assert status["uploads_replaced"] >= 2 and "upload threads replaced" in edge("status", "--config", path).stdout
        # the film as a whole was recorded, without a hole, and each object arrived once
        while agent.snapshot().cameras[0].state != "ended":
            time.sleep(0.1)
        while agent.snapshot().records["closed"] or agent.snapshot().records["uploading"]:
            time.sleep(0.1)
        stop.set()
        thread.join(60)
        deaf.set()
        listener.join()
    gaps_s = [after - before for before, after in pairwise(fed_s)]
    assert len(gaps_s) > 40 and max(gaps_s) < 5, "a watchdog of a minute never bites"
    assert len(store.puts()) == len(set(store.puts())) and not store.overwritten
    clips = sorted((config.spool.dir / "clips").rglob("*.mp4"))
    arrived = {Path(key).stem for key in store.puts() if key.endswith(".mp4")}
    assert len(clips) >= 3 and {clip.stem for clip in clips} == arrived
    assert [packet for clip in clips for packet in packets_of(clip)] == packets_of(moving)
