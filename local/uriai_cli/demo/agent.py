"""The edge agent as a process of its own, and what its log says."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from uriai_cli.demo.site import agent_program
from uriai_cloud.ministack import ACCESS_KEY, SECRET_KEY

_STOP_WAIT_S = 30.0


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of the agent's structured log: ``event`` is its stable name, ``at`` an aware instant."""

    event: str
    at: datetime
    message: str
    fields: Mapping[str, Any]


class RunningAgent:
    """An agent at work. Its log is read by a thread, so that it never waits for us."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self._lines: queue.Queue[LogLine] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def news(self) -> Iterator[LogLine]:
        """Yield what was logged since the last call, without waiting."""
        while True:
            try:
                yield self._lines.get_nowait()
            except queue.Empty:
                return

    @property
    def ended(self) -> bool:
        """Whether the agent is through, as it is when a file has ended and everything is uploaded."""
        return self._process.poll() is not None

    def stop(self) -> None:
        """Ask it to finish: it closes the clip it is writing. What is not uploaded then stays in its spool."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(_STOP_WAIT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _read(self) -> None:
        if self._process.stderr is None:
            return
        for text in self._process.stderr:
            try:
                fields = json.loads(text)
                at = datetime.fromisoformat(fields["at"])
            except (ValueError, KeyError, TypeError):
                # what is no log line is a word of a library or a traceback: worth showing, never worth stopping for
                fields, at = {"event": "error", "message": text.strip()}, datetime.now(UTC)
            self._lines.put(LogLine(str(fields.get("event", "")), at, str(fields.get("message", "")), fields))


@contextmanager
def running_agent(config: Path) -> Iterator[RunningAgent]:
    """Run `uriai-edge run` on ``config`` while the context lasts."""
    environment = os.environ | {"AWS_ACCESS_KEY_ID": ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": SECRET_KEY}
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN"):
        environment.pop(name, None)
    process = subprocess.Popen(
        [agent_program(), "run", "--config", str(config), "--exit-when-done"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    )
    agent = RunningAgent(process)
    try:
        yield agent
    finally:
        agent.stop()
