"""Programs that a benchmark starts, watches from outside and ends."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]


class EndedError(Exception):
    """A program ended, or did not get ready, before it could be measured; the message says where its log is."""


def run_agent(config: Path, log: Path, key_id: str, secret: str) -> subprocess.Popen[bytes]:
    """Enrol a device key and start `uriai-edge run` on this configuration, its log in ``log``.

    Raises
    ------
    subprocess.CalledProcessError
        If there can be no key.
    """
    environment = os.environ | {
        "PYTHONPATH": str(REPOSITORY / "edge_agent"),
        "AWS_ACCESS_KEY_ID": key_id,
        "AWS_SECRET_ACCESS_KEY": secret,
    }
    command: list[str | Path] = [sys.executable, "-m", "uriai_edge"]
    enrol = [*command, "enroll", "--config", config]
    subprocess.run(enrol, env=environment, capture_output=True, check=True)
    with log.open("wb") as out:
        # a session of its own, as a service has it: where others work too, Linux shares processors out by session
        return subprocess.Popen(
            [*command, "run", "--config", config], env=environment, stderr=out, start_new_session=True
        )


def log_lines(log: Path) -> list[dict[str, object]]:
    """The records of an agent's log so far; a line that is being written is left out."""
    whole = log.read_text(encoding="utf-8").rpartition("\n")[0]
    return [json.loads(line) for line in whole.splitlines() if line.startswith("{")]


def wait_until_open(agent: subprocess.Popen[bytes], log: Path, cameras: int = 1, within_s: float = 180.0) -> None:
    """Wait for the first picture of each camera: on a busy machine, starting takes longer than any warm-up.

    Raises
    ------
    EndedError
        If the agent ends, or time is up.
    """
    deadline_s = time.monotonic() + within_s
    while True:
        ended = agent.poll()
        opened = {line["camera"] for line in log_lines(log) if line.get("event") == "source_opened"}
        if len(opened) >= cameras:
            return
        if ended is not None:
            raise EndedError(f"the agent ended with {ended}: see {log}")
        if time.monotonic() > deadline_s:
            raise EndedError(f"the agent opened {len(opened)} of {cameras} cameras in {within_s:.0f} s: see {log}")
        time.sleep(0.5)


def cpu_s(pid: int) -> float:
    """CPU-seconds a process has used, its threads included."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def rss_mb(pid: int) -> float:
    """Memory a process holds, megabytes."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a program that was started here."""
    process.terminate()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
