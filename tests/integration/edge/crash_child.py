"""Writes clips into a spool as the agent does, and ends itself at a named step: ``crash_child.py SPOOL VIDEO STEP NTH
COUNT``.

Prints the ULID of each clip as soon as it is closed: what was printed must never be lost.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

from nacl.signing import SigningKey

from uriai_edge.capture import Source
from uriai_edge.config import Camera
from uriai_edge.mp4 import Mp4Writer
from uriai_edge.spool import Spool

KEY = SigningKey(b"crash-test-key-crash-test-key-32")


def main() -> None:
    folder, video, step, nth, count = sys.argv[1:]
    reached = 0

    def checkpoint(name: str) -> None:
        nonlocal reached
        reached += name == step
        if name == step and reached == int(nth):
            os.kill(os.getpid(), signal.SIGKILL)

    spool = Spool(Path(folder), "crash-gateway", KEY, checkpoint)
    spool.recover()
    print("ready", flush=True)
    for _ in range(int(count)):
        source = Source(Camera(number=1, source=video, pace="fast"), threading.Event())
        recording = spool.open_clip(1, datetime.now(UTC), time.monotonic(), {"part": 1})
        writer = Mp4Writer(recording.path, source.template)
        for packet in source.packets():
            writer.write(packet)
            checkpoint("written")
        facts = writer.finish()
        record = spool.close_clip(recording, facts.duration_s)
        print(record.read().ulid, flush=True)
        source.close()


if __name__ == "__main__":
    main()
