"""A gateway's life in a process that ends itself, or is ended, in the middle of it.

`begin` starts one by a fork server that has imported everything, so that hundreds of deaths take little time. Each
clip's ULID is noted in a file as soon as the clip is closed: what is noted must never be lost.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import random
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing.process import BaseProcess
from pathlib import Path

from nacl.signing import SigningKey

from uriai_edge.agent import Agent
from uriai_edge.capture import Source
from uriai_edge.chain import NewRecord
from uriai_edge.config import Camera, Upload
from uriai_edge.config_file import load_config
from uriai_edge.evidence import RecordType
from uriai_edge.keys import load_key
from uriai_edge.mp4 import Mp4Writer
from uriai_edge.s3 import S3Store
from uriai_edge.spool import Spool
from uriai_edge.upload import Uploader

KEY = SigningKey(b"crash-test-key-crash-test-key-32")
GATEWAY = "crash-gateway"
BUCKET = "clips-test"
_SERVER = multiprocessing.get_context("forkserver")
_SERVER.set_forkserver_preload([__name__])


@dataclass(frozen=True)
class Life:
    """What the process does: ``clips`` clips, and with ``url`` also coverage, uploads, and a budget of ``max_bytes``.

    It kills itself when it reaches ``step`` (a `Step`, or ``written``: a packet) for the ``nth`` time.
    """

    folder: Path
    video: Path
    noted: Path
    clips: int = 3
    url: str = ""
    max_bytes: int = 10**9
    step: str = ""
    nth: int = 1


def begin(life: Life) -> BaseProcess:
    """Start it; `BaseProcess.kill` and ``join`` end it."""
    process = _SERVER.Process(target=live, args=(life,))
    process.start()
    return process


def live(life: Life) -> None:
    """One run of the agent's parts that write."""
    reached = 0

    def checkpoint(name: str) -> None:
        nonlocal reached
        reached += name == life.step
        if name == life.step and reached == life.nth:
            os.kill(os.getpid(), signal.SIGKILL)

    spool = Spool(life.folder, GATEWAY, KEY, checkpoint)
    spool.recover()
    _note(life, "ready")
    uploader = _uploader(life.url, spool) if life.url else None
    for number in range(life.clips):
        write_clip(spool, life.video, checkpoint, lambda ulid: _note(life, ulid))
        if uploader is None:
            continue
        now = datetime.now(UTC)
        spool.add_record(NewRecord(RecordType.COVERAGE, None, now, now, time.monotonic(), {"cameras": []}))
        if number % 2:
            for _ in range(3):
                uploader._step()
            spool.prune(1)
        spool.make_room(0, life.max_bytes, 0, drop_waiting=True)
    if uploader is not None:
        uploader.drain()
        spool.prune(1)
    _note(life, "end")


def write_clip(spool: Spool, video: Path, checkpoint: Callable[[str], None], note: Callable[[str], None]) -> None:
    source = Source(Camera(number=1, source=str(video), pace="fast"), threading.Event())
    recording = spool.open_clip(1, datetime.now(UTC), time.monotonic(), {"part": 1})
    writer = Mp4Writer(recording.path, source.template)
    for packet in source.packets():
        writer.write(packet)
        checkpoint("written")
    facts = writer.finish()
    record = spool.close_clip(recording, facts.duration_s)
    note(record.read().ulid)
    source.close()


def _uploader(url: str, spool: Spool) -> Uploader:
    os.environ |= {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
    settings = Upload(bucket=BUCKET, endpoint_url=url, backoff_max_s=0.1, read_timeout_s=2.0)
    return Uploader(settings, spool, S3Store(settings), threading.Event(), random.Random(1))


def _note(life: Life, word: str) -> None:
    with life.noted.open("a") as file:  # one write, which the kernel keeps whatever happens to us
        file.write(word + "\n")


class _ClipsClosed(logging.Handler):
    """Notes the ULID of every clip that the agent says it has closed."""

    def __init__(self, noted: Path) -> None:
        super().__init__()
        self.noted = noted

    def emit(self, record: logging.LogRecord) -> None:
        if record.getMessage() in ("clip closed", "agent starts"):
            with self.noted.open("a") as file:
                file.write(getattr(record, "ulid", "ready") + "\n")


def begin_agent(config: Path, noted: Path) -> BaseProcess:
    """Start a whole agent on a configuration file; what it closes is noted."""
    process = _SERVER.Process(target=live_as_agent, args=(config, noted))
    process.start()
    return process


def live_as_agent(config: Path, noted: Path) -> None:
    """`uriai-edge run`, with its clips noted."""
    os.environ |= {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
    log = logging.getLogger("uriai_edge")
    log.setLevel("INFO")
    log.addHandler(_ClipsClosed(noted))
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda _number, _frame: stop.set())
    settings = load_config(config)
    Agent(settings, load_key(settings.key_file), stop).run()


def finish(folder: Path, url: str) -> None:
    """What the next start does, here and now: recover, and upload everything that is left."""
    with Spool(folder, GATEWAY, KEY) as spool:
        spool.recover()
        assert _uploader(url, spool).drain()
