"""The unit under a real systemd, which runs as the first process of namespaces of its own, with a user and folders.

Nothing of this machine's own systemd, users or folders is touched. What a namespace cannot give is taken out of the
unit by a drop-in, by name; so are the periods that a test cannot wait for.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.integration.edge.crash_child import BUCKET, KEY
from tests.integration.edge.test_agent import REPOSITORY
from tests.unit.edge.scenes import FPS, encode, film
from tests.unit.edge.test_systemd_unit import UNIT
from uriai_edge.register import SpoolReader
from uriai_edge.verify import Candidate, verify

SYSTEMD = Path("/lib/systemd/systemd")
NAMESPACES = ("--mount", "--pid", "--uts", "--ipc", "--cgroup")
TARGETS = ("sysinit", "basic", "shutdown", "network-online", "time-sync", "umount", "local-fs", "multi-user")
BOOT = """
set -e
mount --make-rprivate /
mount -t proc proc /proc
umount -lR /sys/fs/cgroup
mount -t cgroup2 none /sys/fs/cgroup
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /mnt
for folder in etc opt var/lib; do
    mkdir -p /mnt/$folder/new /mnt/$folder/work
    mount -t overlay overlay -o lowerdir=/$folder,upperdir=/mnt/$folder/new,workdir=/mnt/$folder/work /$folder
done
echo 'uriai-edge:x:3977:3977::/var/lib/uriai-edge:/usr/sbin/nologin' >> /etc/passwd
echo 'uriai-edge:x:3977:' >> /etc/group
mkdir -p /opt/uriai-edge/bin /opt/uriai-edge/python /opt/uriai-edge/packages /opt/uriai-edge/agent /etc/uriai-edge
mount --bind "$PYTHON_FOLDER" /opt/uriai-edge/python
mount --bind "$PACKAGES" /opt/uriai-edge/packages
mount --bind "$AGENT" /opt/uriai-edge/agent
cp "$WORK/uriai-edge" /opt/uriai-edge/bin/uriai-edge
cp "$WORK/film.mp4" /opt/uriai-edge/film.mp4
mount --bind "$WORK/etc" /etc/uriai-edge
mkdir -p /var/lib/uriai-edge
mount --bind "$WORK/state" /var/lib/uriai-edge
chown -R uriai-edge:uriai-edge /var/lib/uriai-edge
exec env -i PATH="$PATH" container=lxc SYSTEMD_UNIT_PATH="$WORK/units" \\
    "$SYSTEMD" --system --unit=boot.target --log-target=console --show-status=no
"""
# the library's path: a Python that was built elsewhere looks for its own where that was
PROGRAM = """#!/bin/sh
LD_LIBRARY_PATH=/opt/uriai-edge/python/lib PYTHONPATH=/opt/uriai-edge/agent:/opt/uriai-edge/packages \\
    exec /opt/uriai-edge/python/bin/python3 -m uriai_edge "$@"
"""
# a namespace has no right to make the kernel spare a process, and no journal runs in it
DROP_IN = """
[Service]
OOMScoreAdjust=0
StandardOutput=append:/var/lib/uriai-edge/said
StandardError=append:/var/lib/uriai-edge/said
ExecStopPost=/bin/sh -c 'echo "$SERVICE_RESULT" >> /var/lib/uriai-edge/results'
WatchdogSec=5
RestartSec=1
"""


class Machine:
    """A booted systemd."""

    def __init__(self, work: Path) -> None:
        self.work = work
        environment = os.environ | {
            "SYSTEMD": str(SYSTEMD),
            "WORK": str(work),
            "PYTHON_FOLDER": sys.base_prefix,
            "PACKAGES": str(next(Path(path) for path in sys.path if path.endswith("site-packages"))),
            "AGENT": str(REPOSITORY / "edge_agent"),
        }
        with (work / "boot.log").open("wb") as log:
            self.process = subprocess.Popen(
                ["unshare", *NAMESPACES, "--fork", "--kill-child", "sh", "-c", BOOT],
                env=environment,
                stdout=log,
                stderr=log,
            )
        deadline = time.monotonic() + 30
        while "running" not in self.ask("is-system-running", check=False):
            assert time.monotonic() < deadline and self.process.poll() is None, (work / "boot.log").read_text()
            time.sleep(0.1)

    def ask(self, *words: str, check: bool = True) -> str:
        """`systemctl` of this systemd."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        if not children:
            return ""
        enter = ["nsenter", "--target", children[0], *NAMESPACES]
        done = subprocess.run(
            [*enter, "systemctl", "--no-pager", *words], capture_output=True, text=True, check=False, timeout=90
        )
        assert done.returncode == 0 or not check, f"{words}: {done.stderr}\n{self.said()}"
        return done.stdout.strip()

    def show(self, name: str) -> str:
        return self.ask("show", "uriai-edge", "--value", "--property", name)

    def wait_for(self, name: str, value: str, patience_s: float = 40) -> None:
        deadline = time.monotonic() + patience_s
        while (found := self.show(name)) != value:
            assert time.monotonic() < deadline, f"{name} is {found}, not {value}\n{self.said()}"
            time.sleep(0.1)

    def main_process(self) -> tuple[int, Path]:
        """The agent's process id in there, and its folder under /proc out here."""
        inner = self.show("MainPID")
        for status in Path("/proc").glob("[0-9]*/status"):
            try:
                text = status.read_text()
            except OSError:
                continue
            numbers = text.partition("NSpid:")[2].splitlines()[0].split()
            if len(numbers) == 2 and numbers[1] == inner and "3977" in text.partition("Uid:")[2].splitlines()[0]:
                return int(numbers[0]), status.parent
        raise AssertionError(f"no process {inner}: {self.said()}")

    def said(self) -> str:
        said = self.work / "state" / "said"
        return (said.read_text() if said.exists() else "")[-3000:] + (self.work / "boot.log").read_text()[-3000:]

    def end(self) -> None:
        self.process.kill()  # with it everything in the namespace
        self.process.wait(30)


@pytest.fixture
def machine(tmp_path, store):
    if os.geteuid() != 0 or not SYSTEMD.exists() or shutil.which("nsenter") is None:
        pytest.skip("needs root and systemd: apt-get install systemd util-linux")
    probe = subprocess.run(["unshare", *NAMESPACES, "--fork", "true"], capture_output=True, check=False)
    if probe.returncode != 0:
        pytest.skip("namespaces cannot be made here")
    for name in ("etc", "state", "units/uriai-edge.service.d"):
        (tmp_path / name).mkdir(parents=True)
    for name in (*TARGETS, "boot"):
        (tmp_path / "units" / f"{name}.target").write_text("[Unit]\nDefaultDependencies=no\n")
    shutil.copy(UNIT, tmp_path / "units")
    (tmp_path / "units" / "uriai-edge.service.d" / "test.conf").write_text(DROP_IN)
    (tmp_path / "uriai-edge").write_text(PROGRAM)
    (tmp_path / "uriai-edge").chmod(0o755)
    encode(tmp_path / "film.mp4", film(200 * FPS, size=(160, 96)))
    key = tmp_path / "state" / "device.key"
    key.write_text(KEY.encode().hex() + "\n")
    key.chmod(0o600)
    (tmp_path / "etc" / "environment").write_text("AWS_ACCESS_KEY_ID=test\nAWS_SECRET_ACCESS_KEY=test\n")
    (tmp_path / "etc" / "gateway.yaml").write_text(
        "gateway: service\nkey_file: /var/lib/uriai-edge/device.key\ncameras:\n"
        "  - {number: 1, source: /opt/uriai-edge/film.mp4, pace: real}\n"
        "spool: {dir: /var/lib/uriai-edge/spool, min_free_bytes: 0}\n"
        f"upload: {{bucket: {BUCKET}, endpoint_url: '{store.url}'}}\ncoverage: {{every_s: 5}}\n"
    )
    one = Machine(tmp_path)
    try:
        yield one
    finally:
        one.end()


def cameras(machine: Machine) -> list[int]:
    status = machine.work / "state" / "spool" / "status.json"
    return [camera["number"] for camera in json.loads(status.read_text())["cameras"]] if status.exists() else []


def results(machine: Machine) -> list[str]:
    """How each run has ended, in systemd's words."""
    file = machine.work / "state" / "results"
    return file.read_text().split() if file.exists() else []


def wait_until(what, machine: Machine, patience_s: float = 40) -> None:
    deadline = time.monotonic() + patience_s
    while not what():
        assert time.monotonic() < deadline, machine.said()
        time.sleep(0.1)


def test_the_unit_starts_reloads_is_restarted_and_loses_nothing(machine, store):
    # a wrong configuration is told and tried again
    config = machine.work / "etc" / "gateway.yaml"
    good = config.read_text()
    config.write_text(good.replace("number: 1", "nummer: 1"))
    machine.ask("start", "--no-block", "uriai-edge")
    wait_until(lambda: results(machine), machine)
    assert "nummer: unknown key; did you mean number" in machine.said()
    config.write_text(good)

    # Type=notify: it is "activating" until the agent has said that it is ready
    machine.wait_for("ActiveState", "active")
    assert '"agent starts"' in machine.said() and set(results(machine)) == {"exit-code"}
    first, folder = machine.main_process()
    status = (folder / "status").read_text()
    facts = {line.split(":")[0]: line.split(":")[1].split() for line in status.splitlines()}
    assert facts["NoNewPrivs"] == ["1"] and facts["Seccomp"] == ["2"] and int(facts["CapBnd"][0], 16) == 0
    assert (machine.work / "state" / "spool").stat().st_uid == 3977
    before = len(results(machine))

    # SIGHUP: the same process, one camera more
    config.write_text(good.replace("spool:", "  - {number: 2, source: rtsp://127.0.0.1:9/x}\nspool:", 1))
    machine.ask("reload", "uriai-edge")
    wait_until(lambda: cameras(machine) == [1, 2], machine)
    machine.wait_for("ActiveState", "active")
    assert machine.main_process()[0] == first and len(results(machine)) == before

    # kill -9: started anew
    os.kill(first, signal.SIGKILL)
    wait_until(lambda: results(machine)[before:] == ["signal"], machine)
    machine.wait_for("ActiveState", "active")
    second, _ = machine.main_process()
    assert second != first

    # the main loop hangs, here on a file that never opens: the watchdog ends it, and the next one works
    trap = machine.work / "state" / "spool" / "status.part"
    trap.unlink(missing_ok=True)
    os.mkfifo(trap)
    os.chown(trap, 3977, 3977)
    wait_until(lambda: results(machine)[before:] == ["signal", "watchdog"], machine)
    trap.unlink()
    machine.wait_for("ActiveState", "active")
    assert machine.main_process()[0] not in (first, second)

    # stop: in order, and what was recorded has arrived and verifies
    wait_until(store.puts, machine)
    machine.ask("stop", "uriai-edge")
    assert results(machine)[before:] == ["signal", "watchdog", "success"] and machine.show("ExecMainStatus") == "0"
    records = SpoolReader(machine.work / "state" / "spool").records()
    candidates = [Candidate(one.read().stem + ".json", one.manifest, one.signature, None) for one in records]
    (report,) = verify(candidates, KEY.verify_key)
    assert report.first_break is None and len(records) >= 2
