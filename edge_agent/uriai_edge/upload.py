"""Brings records to S3: manifest, signature, then clip; again and again until S3 has confirmed the very bytes.

Every object is written under the condition that it does not exist. When it does, its checksum decides: the same bytes
mean that an earlier attempt had arrived, others are an error that stays with the record and needs a person.
"""

from __future__ import annotations

import base64
import hashlib
import logging
import random
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, TypeVar

from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, PartialCredentialsError

from uriai_edge.config import Upload
from uriai_edge.evidence import RecordType
from uriai_edge.logs import tell, trouble
from uriai_edge.redact import redact
from uriai_edge.register import Record, State
from uriai_edge.s3 import CredentialsExpiredError, S3Store
from uriai_edge.spool import Spool
from uriai_edge.steps import Step

log = logging.getLogger(__name__)

_FIRST_PAUSE_S = 1.0
_IDLE_S = 0.5
_CONTENT_TYPES = {
    ".json": "application/json",
    ".sig": "application/octet-stream",
    ".mp4": "video/mp4",
    ".jpg": "image/jpeg",
}
_ALREADY_THERE = ("PreconditionFailed", "412")
_RECORD_ERRORS = (
    "BadDigest",
    "XAmzContentSHA256Mismatch",
    "XAmzContentChecksumMismatch",
    "EntityTooLarge",
    "InvalidDigest",
)


_CREDENTIAL_ERRORS = (
    "ExpiredToken",
    "ExpiredTokenException",
    "InvalidAccessKeyId",
    "InvalidToken",
    "SignatureDoesNotMatch",
    "TokenRefreshRequired",
)
STALL_S = 180.0
"""Between two requests an attempt hangs after so long; a register that another program holds keeps it for 30 s."""
_GIVE_UP_S = 1.0
_T = TypeVar("_T")


class UploadError(Exception):
    """A record that could not be uploaded; the message says why."""


class NotNowError(UploadError):
    """The network, S3 or the credentials are in the way: the same attempt may succeed later."""


class NotThisOneError(UploadError):
    """Something is wrong with this record; others are not concerned."""


class GivenUpError(Exception):
    """These uploads were given up: a successor has the record."""


@dataclass(frozen=True, slots=True)
class UploadCounts:
    """What was uploaded since the start: records, bytes of clips and pictures, failed attempts, and when the last.

    ``replaced``: upload threads that hung or died, and were replaced.
    """

    records: int = 0
    file_bytes: int = 0
    failures: int = 0
    replaced: int = 0
    last_at: datetime | None = None


class Uploader:
    """Uploads a spool's records, the most urgent first; `run` it in a thread of its own, or `drain` it."""

    def __init__(
        self,
        settings: Upload,
        spool: Spool,
        store: S3Store,
        stop: threading.Event,
        chance: random.Random | None = None,
        after: Uploader | None = None,
    ) -> None:
        """Prepare; ``chance`` draws the pauses (default: the system's randomness).

        ``after``: one that was given up, whose claimed record and counts are taken over.
        """
        self._settings = settings
        self._spool = spool
        self._store = store
        self._stop = stop
        self._chance = chance or random.SystemRandom()
        self._failures = 0
        # the record whose outcome the register has not taken yet
        self._claimed: int | None = None if after is None else after._claimed
        self._fence = threading.Lock()  # around every change of the register, so that none comes after `give_up`
        self._given_up = False
        self._busy_since_s: float | None = None  # when the step under way gave its last sign of life; None: at rest
        self.attempted = False
        """Whether an attempt has come to an end, good or bad."""
        self._at_file = False  # whether the claimed record's manifest is through and its file is on the way
        self.problem: str | None = None
        """Why nothing can be uploaded at the moment, or None."""
        self.counts: UploadCounts = UploadCounts() if after is None else after.counts

    @property
    def clock_offset_s(self) -> float | None:
        """How far S3's clock is ahead of this machine's, seconds; None before S3's first answer."""
        return self._store.clock.offset_s

    @property
    def hangs(self) -> bool:
        """Whether an attempt neither succeeds nor fails, and nothing here can end it."""
        since_s = self._busy_since_s
        if self._store.hangs or since_s is None or not self._store.is_idle:
            return self._store.hangs
        return time.monotonic() - max(since_s, self._store.idle_since_s) > STALL_S

    def give_up(self) -> bool:
        """Ask S3 for nothing more and note nothing more, whatever comes: a successor takes over.

        Whether that is settled; if not, the register is being written at this moment: ask again.
        """
        if not self._fence.acquire(timeout=_GIVE_UP_S):
            return False
        self._given_up = True
        self._fence.release()
        self._store.give_up()
        return True

    def run(self) -> None:
        """Upload what there is and what comes until told to stop."""
        try:
            while not self._stop.is_set():
                self._busy_since_s = time.monotonic()
                more = self._step()
                self._busy_since_s = None
                if not more:
                    self._stop.wait(self._pause_s() if self.problem else _IDLE_S)
        finally:
            if not self._stop.is_set():  # only a fault of this program comes here; the status must not say "fine"
                self.problem = "uploads have ended unexpectedly; see the log, then start the agent again"

    def interrupt(self) -> None:
        """End the request that is under way: its record stays in line."""
        self._store.interrupt()

    def drain(self) -> bool:
        """Upload what there is, waiting out faults.

        Whether everything arrived (False: told to stop, or some failed).
        """
        counts = self._counts()
        while (counts is None or counts[State.CLOSED] or counts[State.UPLOADING]) and not self._stop.is_set():
            if not self._step():
                self._stop.wait(self._pause_s() if self.problem else 0.05)
            counts = self._counts()
        return counts is not None and not any(counts[state] for state in State if state is not State.UPLOADED)

    def _counts(self) -> dict[State, int] | None:
        try:
            return self._spool.counts()
        except sqlite3.Error as error:
            self._wait_for_register(error)
            return None

    def _step(self) -> bool:
        """Try one record; whether the next may follow at once. A register that fails is waited for like the network."""
        try:
            if self._claimed is not None:
                # its outcome could not be noted: it goes back in line, and S3 tells whether it has arrived
                self._note(State.CLOSED, self.problem)
            more = self._try_next()
        except GivenUpError:
            log.info("uploads that were given up have come to their end")
        except sqlite3.Error as error:
            self._wait_for_register(error)
        except Exception as error:
            # A fault of this program must not end the uploads for good: the record goes back in line, others may pass.
            log.exception("fault while uploading", extra={"seq": self._claimed})
            self.attempted = True
            self._failed(f"fault in the agent: {error!r}")
        else:
            self.attempted = True
            return more
        return False

    def _wait_for_register(self, error: sqlite3.Error) -> None:
        self._failures += 1
        problem = redact(
            f"the register in {self._spool.folder} cannot be used: {error}; is its disk full, or another program on it?"
        )
        if problem != self.problem:
            trouble(log, "uploads wait", why=problem, seq=self._claimed)
        self.problem = problem

    def _go_on(self) -> None:
        if self.problem is not None:
            log.info("uploads go on")
        self._failures, self.problem = 0, None

    def _try_next(self) -> bool:
        with self._fenced():
            record = self._spool.claim_next()
            self._claimed, self._at_file = None if record is None else record.seq, False
        if record is None:
            self._go_on()
            return False
        try:
            sent_bytes = self._upload(record)
        except NotNowError as error:
            if str(error) != self.problem:
                log.warning("uploads wait", extra={"why": str(error), "seq": record.seq})
            self._failed(str(error))
            self._note(State.CLOSED, str(error), own_fault=self._at_file)
            return False
        except NotThisOneError as error:
            self._note(State.FAILED, str(error))
            trouble(log, "a record cannot be uploaded", seq=record.seq, why=str(error))
            return True
        self._note(State.UPLOADED)
        self._go_on()
        self.counts = replace(
            self.counts,
            records=self.counts.records + 1,
            file_bytes=self.counts.file_bytes + sent_bytes,
            last_at=datetime.now(UTC),
        )
        manifest = record.read()
        event = "clip_uploaded" if manifest.type is RecordType.CLIP else "record_uploaded"
        key = manifest.stem + (manifest.attachment_suffix or ".json")
        tell(log, event, "uploaded", camera=manifest.camera, ulid=manifest.ulid, seq=record.seq, key=key)
        return True

    def _failed(self, problem: str) -> None:
        self._failures += 1
        self.counts = replace(self.counts, failures=self.counts.failures + 1)
        self.problem = redact(problem)

    def _note(self, state: State, reason: str | None = None, *, own_fault: bool = False) -> None:
        """Note the outcome of the claimed record; until the register has taken it, the record stays claimed."""
        with self._fenced():
            if self._claimed is not None:
                self._spool.mark(self._claimed, state, reason, own_fault=own_fault)
                self._claimed = None

    @contextmanager
    def _fenced(self) -> Iterator[None]:
        with self._fence:
            if self._given_up:
                raise GivenUpError
            yield

    def _pause_s(self) -> float:
        """Full jitter: random between nothing and a limit that doubles with each failure in a row."""
        limit = min(self._settings.backoff_max_s, _FIRST_PAUSE_S * 2 ** min(self._failures - 1, 20))
        return self._chance.uniform(0, limit)

    def _upload(self, record: Record) -> int:
        """Bring one record's objects to S3 in their order; bytes of its file."""
        manifest = record.read()
        self._put(manifest.stem + ".json", record.manifest)
        self._spool.reach(Step.MANIFEST_SENT)
        self._put(manifest.stem + ".sig", record.signature)
        self._spool.reach(Step.SIGNATURE_SENT)
        suffix = manifest.attachment_suffix
        if suffix is None or manifest.sha256 is None or record.dropped:
            return 0  # a dropped clip's manifest goes up all the same: the chain has no gap
        self._at_file = True
        if record.path is None or not record.path.is_file():
            raise NotThisOneError(f"its file {record.path} is gone from this disk")
        self._put_file(manifest.stem + suffix, record.path, bytes.fromhex(manifest.sha256))
        self._spool.reach(Step.FILE_SENT)
        return record.size

    def _put(self, key: str, data: bytes) -> None:
        sha256 = hashlib.sha256(data).digest()
        self._send(key, sha256, lambda: self._store.put(key, data, len(data), sha256, _content_type(key)))

    def _put_file(self, key: str, path: Path, sha256: bytes) -> None:
        size = path.stat().st_size

        def put() -> None:
            with _opened(path) as file:
                self._store.put(key, file, size, sha256, _content_type(key))

        self._send(key, sha256, put)

    def _send(self, key: str, sha256: bytes, put: Callable[[], None]) -> None:
        try:
            self._with_clock_and_credentials(put)
        except ClientError as error:
            self._judge(error, key, base64.b64encode(sha256).decode())
        except (NoCredentialsError, PartialCredentialsError) as error:
            raise NotNowError(f"no AWS credentials: {error}; set them as the AWS command line needs them") from error
        except CredentialsExpiredError as error:
            raise NotNowError(f"the AWS credentials have expired: {error}") from error
        except (BotoCoreError, OSError) as error:
            raise NotNowError(redact(f"S3 cannot be reached: {error}")) from error

    def _with_clock_and_credentials(self, work: Callable[[], _T]) -> _T:
        """Do ``work``, and once more if what S3 refused was the time or the credentials of the request."""
        try:
            return work()
        except CredentialsExpiredError:
            self._store.renew()
        except ClientError as error:
            code = _code(error)
            if code in _CREDENTIAL_ERRORS:
                self._store.renew()
            elif code != "RequestTimeTooSkewed":
                raise
            else:  # the answer told S3's time, and the next request is signed with it
                log.warning("this machine's clock is off", extra={"s3_is_ahead_s": self.clock_offset_s})
        return work()

    def _judge(self, error: ClientError, key: str, checksum: str) -> None:
        """Turn S3's answer into the error it is, or return when the object is there already.

        Raises
        ------
        NotNowError, NotThisOneError
            As the answer means.
        """
        code = _code(error)
        if code in _ALREADY_THERE:
            there = self._checksum_of(key)
            if there != checksum:
                raise NotThisOneError(
                    f"s3://{self._settings.bucket}/{key} exists with other bytes (checksum {there}, ours {checksum})"
                ) from error
            return
        if code in _RECORD_ERRORS:
            raise NotThisOneError(
                f"S3 refuses {key}: {code}; the file on this disk is not the one that was signed"
            ) from error
        if code == "NoSuchBucket":
            raise NotNowError(f"there is no bucket {self._settings.bucket}; check upload: bucket") from error
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
        raise NotNowError(redact(f"S3 answers {status} {code}")) from error

    def _checksum_of(self, key: str) -> str:
        try:
            return self._store.checksum(key)
        except (ClientError, BotoCoreError, CredentialsExpiredError, OSError) as error:
            raise NotNowError(
                redact(f"s3://{self._settings.bucket}/{key} exists, but cannot be compared: {error}")
            ) from error


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def _content_type(key: str) -> str:
    return _CONTENT_TYPES[key[key.rindex(".") :]]


def _opened(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as error:
        raise NotThisOneError(f"its file {path} cannot be read: {error.strerror}") from error
