"""Keeps an upload thread at work: one that hangs or has died is left behind, and a fresh one takes its record over.

Recording knows nothing of it. A thread cannot be killed; one that is left behind asks S3 for nothing more and notes
nothing in the register, so its successor may try the same record: what the first one brought to S3 after all is found
there, for every object is written under the condition that it does not exist.
"""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable
from dataclasses import replace

from uriai_edge.config import Upload
from uriai_edge.logs import tell, trouble
from uriai_edge.processes import end_children
from uriai_edge.s3 import S3Store, ServerClock
from uriai_edge.spool import Spool
from uriai_edge.upload import UploadCounts, Uploader

log = logging.getLogger(__name__)

_FIRST_PAUSE_S = 2.0
_LONGEST_PAUSE_S = 300.0
MOST_STUCK = 8
"""While so many threads that were left behind are stuck, no other one is started: each holds memory and sockets."""


class Uploads:
    """The upload thread, whichever it is by now. One thread starts, tends and ends it, any may ask how it is."""

    def __init__(
        self,
        settings: Upload,
        spool: Spool,
        chance: random.Random | None = None,
        make_store: Callable[[Upload, threading.Event, ServerClock], S3Store] = S3Store,
    ) -> None:
        """Prepare; ``chance`` draws the pauses (default: from the system), ``make_store`` gives each thread a store."""
        self._settings = settings
        self._spool = spool
        self._chance = chance or random.SystemRandom()
        self._make_store = make_store
        self._clock = ServerClock()
        self._left: list[threading.Thread] = []
        self._in_a_row = 0  # threads replaced since an attempt ended by itself
        self._resume_s: float | None = None  # when the next thread begins, while there is none
        self._trouble: str | None = None
        self._make(None)

    def start(self) -> None:
        """Begin to upload."""
        self._thread.start()

    def tend(self, now_s: float) -> None:
        """Call this several times a second (``now_s``: monotonic): replaces a thread that makes no progress."""
        if self._resume_s is not None:
            if now_s >= self._resume_s and self.stuck < MOST_STUCK:
                self._resume_s = None
                self._make(self._uploader)
                self._thread.start()
        elif self._uploader.hangs:
            self._replace("an upload hangs: do the name server and upload: profile's credential_process answer?", now_s)
        elif not self._thread.is_alive():
            self._replace("uploads have ended unexpectedly; see the log", now_s)
        elif self._uploader.attempted:
            self._in_a_row, self._trouble = 0, None

    def end(self, patience_s: float) -> None:
        """Let the upload under way come to its end, then end it: its record stays in line."""
        self._stop.set()
        if self._resume_s is not None:
            return
        self._thread.join(patience_s / 2)
        if self._thread.is_alive():
            self._uploader.interrupt()
            self._thread.join(patience_s / 2)
        if self._thread.is_alive() and self._thread.native_id is not None:
            end_children(self._thread.native_id)

    @property
    def trouble(self) -> str | None:
        """What keeps threads from making progress, until one of them has tried a record to the end; else None."""
        return self._trouble

    @property
    def stuck(self) -> int:
        """How many threads that were left behind are still stuck."""
        self._left = [thread for thread in self._left if thread.is_alive()]
        return len(self._left)

    @property
    def blocked_by(self) -> str | None:
        """Why nothing can be uploaded at the moment, or None."""
        return self._trouble or self._uploader.problem

    @property
    def counts(self) -> UploadCounts:
        """What was uploaded since the start."""
        return self._uploader.counts

    @property
    def clock_offset_s(self) -> float | None:
        """How far S3's clock is ahead of this machine's, seconds; None before S3's first answer."""
        return self._clock.offset_s

    def _make(self, before: Uploader | None) -> None:
        self._stop = threading.Event()
        store = self._make_store(self._settings, self._stop, self._clock)
        self._uploader = Uploader(self._settings, self._spool, store, self._stop, after=before)
        self._thread = threading.Thread(target=self._uploader.run, name="uploads", daemon=True)

    def _replace(self, why: str, now_s: float) -> None:
        if not self._uploader.give_up():
            return  # it is at the register at this very moment: so it does not hang
        self._stop.set()
        killed = 0 if self._thread.native_id is None else end_children(self._thread.native_id)
        self._left.append(self._thread)
        self._in_a_row += 1
        limit_s = min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2 ** min(self._in_a_row - 1, 20))
        pause_s = self._chance.uniform(limit_s / 2, limit_s)
        self._resume_s = now_s + pause_s
        self._trouble = why
        counts = self._uploader.counts
        self._uploader.counts = replace(counts, replaced=counts.replaced + 1)
        trouble(log, "the upload thread is replaced", why=why, again_in_s=round(pause_s, 1), stuck=self.stuck)
        if killed:
            tell(log, "programs_ended", "programs that it waited for were ended", programs=killed)
