"""Processes that outlive the command that started them, known again by pid and start time.

A pid alone is not enough: after a reboot or a long while the number may belong to somebody else's process. So the pid
file also holds the moment the process started, in the kernel's ticks since boot, and the boot's id, and nothing is ever
signalled unless both agree.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from uriai_cloud.errors import ServiceFailed
from uriai_cloud.home import read_json, write_json


@dataclass(frozen=True, slots=True)
class Service:
    """One background program: its name, and the files that hold its pid and what it prints."""

    name: str
    pid_file: Path
    log_file: Path

    def pid(self) -> int | None:
        """Return the pid while that very process runs, otherwise None."""
        noted = read_json(self.pid_file)
        pid = noted.get("pid")
        if not isinstance(pid, int) or start_ticks(pid) is None:
            return None
        same = noted.get("start_ticks") == start_ticks(pid) and noted.get("boot") == boot_id()
        return pid if same else None

    def start(self, command: Sequence[str | Path], environment: Mapping[str, str], folder: Path) -> int:
        """Start the program in a session of its own and return its pid; what it prints is appended to the log file."""
        self.log_file.parent.mkdir(parents=True, exist_ok=True)
        with self.log_file.open("ab") as log:
            process = subprocess.Popen(
                [str(part) for part in command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=folder,
                env=dict(environment),
                start_new_session=True,
            )
        write_json(
            self.pid_file,
            {"pid": process.pid, "start_ticks": start_ticks(process.pid), "boot": boot_id(), "name": self.name},
        )
        return process.pid

    def stop(self, patience_s: float = 30.0) -> bool:
        """End the program with SIGTERM and wait for it; return whether it was running.

        Raises
        ------
        ServiceFailed
            If it still runs after `patience_s`: killing it would lose what it has not written.
        """
        pid = self.pid()
        if pid is None:
            self.pid_file.unlink(missing_ok=True)
            return False
        os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + patience_s
        while self.pid() is not None:
            _reap(pid)
            if time.monotonic() > deadline:
                raise ServiceFailed(
                    f"{self.name} (pid {pid}) has not stopped {patience_s:g} s after SIGTERM: see {self.log_file}, "
                    f"then end it yourself with `kill -KILL {pid}`"
                )
            time.sleep(0.02)
        self.pid_file.unlink(missing_ok=True)
        return True

    def last_lines(self, count: int = 5) -> str:
        """Return the end of the log file in one line, for an error message."""
        try:
            lines = self.log_file.read_text(encoding="utf-8", errors="replace").splitlines()
        except FileNotFoundError:
            return "(no log)"
        return " | ".join(line.strip() for line in lines[-count:] if line.strip()) or "(empty log)"


def start_ticks(pid: int) -> int | None:
    """Return when a process started, in ticks since boot; None if there is no such process or it is a zombie."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    # the program's name, in parentheses, may hold spaces and parentheses itself
    fields = text[text.rindex(")") + 2 :].split()
    return None if fields[0] in {"Z", "X"} else int(fields[19])


def boot_id() -> str:
    """Return the id of this boot of the machine."""
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()


def descendants(pid: int) -> set[int]:
    """Return a process and everything it has started, directly or not."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                text = (entry / "stat").read_text(encoding="utf-8", errors="replace")
            except (FileNotFoundError, ProcessLookupError):
                continue
            parents[int(entry.name)] = int(text[text.rindex(")") + 2 :].split()[1])
    found = {pid}
    while True:
        more = {child for child, parent in parents.items() if parent in found} - found
        if not more:
            return found
        found |= more


def _reap(pid: int) -> None:
    """Collect the process if it is our own child: a zombie would look as if it ran."""
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return
