"""Ends programs that a thread of this process started and waits for, such as a ``credential_process``."""

from __future__ import annotations

import os
import signal
from pathlib import Path


def end_children(thread_id: int) -> int:
    """Kill what this process's thread ``thread_id`` (its native id) started, and what that started; how many.

    A script's own children go too: they hold the pipe on whose end the thread waits. Where the kernel does not tell
    whose children they are, nothing is killed.
    """
    found = _children(Path(f"/proc/self/task/{thread_id}"))
    for pid in found:  # grows while it is gone through
        found += [child for task in _tasks(pid) for child in _children(task)]
    for pid in found:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
    return len(found)


def _tasks(pid: int) -> list[Path]:
    try:
        return list(Path(f"/proc/{pid}/task").iterdir())
    except OSError:
        return []


def _children(task: Path) -> list[int]:
    try:
        return [int(word) for word in (task / "children").read_text().split()]
    except OSError:
        return []
