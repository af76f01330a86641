"""Background processes are known again by pid and start time, and nobody else's is ever signalled."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from uriai_cloud.errors import ServiceFailed
from uriai_cloud.processes import Service, boot_id, descendants, start_ticks

SLEEPER = [sys.executable, "-c", "import time; print('started', flush=True); time.sleep(60)"]
STUBBORN = [
    sys.executable,
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)",
]


@pytest.fixture
def service(tmp_path: Path):
    made = Service("sleeper", tmp_path / "sleeper.pid", tmp_path / "log" / "sleeper.log")
    yield made
    pid = made.pid()
    if pid is not None:
        os.kill(pid, 9)
        os.waitpid(pid, 0)


def wait_for(text: str, log: Path) -> None:
    deadline = time.monotonic() + 10
    while text not in (log.read_text() if log.exists() else ""):
        assert time.monotonic() < deadline, f"{text!r} never came"
        time.sleep(0.02)


def test_a_started_service_runs_and_stops(service: Service, tmp_path: Path):
    pid = service.start(SLEEPER, os.environ, tmp_path)
    wait_for("started", service.log_file)
    assert service.pid() == pid
    assert service.stop(patience_s=10) is True
    assert service.pid() is None
    assert not service.pid_file.exists()


def test_stopping_what_does_not_run_is_no_error(service: Service):
    assert service.stop() is False


def test_a_pid_that_now_belongs_to_another_process_is_left_alone(service: Service):
    stranger = subprocess.Popen(SLEEPER, stdout=subprocess.DEVNULL)
    try:
        noted = {"pid": stranger.pid, "start_ticks": (start_ticks(stranger.pid) or 0) - 1, "boot": boot_id()}
        service.pid_file.write_text(json.dumps(noted))
        assert service.pid() is None
        assert service.stop() is False
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_a_pid_file_of_an_earlier_boot_is_not_believed(service: Service):
    noted = {"pid": os.getpid(), "start_ticks": start_ticks(os.getpid()), "boot": "another boot"}
    service.pid_file.write_text(json.dumps(noted))
    assert service.pid() is None


def test_a_service_that_ignores_sigterm_is_named_and_not_killed(service: Service, tmp_path: Path):
    pid = service.start(STUBBORN, os.environ, tmp_path)
    wait_for("deaf", service.log_file)
    with pytest.raises(ServiceFailed, match=rf"sleeper \(pid {pid}\) has not stopped .* `kill -KILL {pid}`"):
        service.stop(patience_s=0.3)
    assert service.pid() == pid


def test_a_service_that_ended_by_itself_is_seen_as_ended(service: Service, tmp_path: Path):
    service.start([sys.executable, "-c", "print('bye')"], os.environ, tmp_path)
    wait_for("bye", service.log_file)
    deadline = time.monotonic() + 10
    while service.pid() is not None and time.monotonic() < deadline:
        time.sleep(0.02)
    assert service.pid() is None
    assert service.last_lines() == "bye"


def test_descendants_are_the_process_and_what_it_started(service: Service, tmp_path: Path):
    code = "import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']); \
print('both', flush=True); time.sleep(60)"
    pid = service.start([sys.executable, "-c", code], os.environ, tmp_path)
    wait_for("both", service.log_file)
    family = descendants(pid)
    assert pid in family
    assert len(family) == 2
    for member in family - {pid}:
        os.kill(member, 9)
