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
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import boto3
from botocore.config import Config as ClientConfig
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, PartialCredentialsError

from uriai_edge.config import Upload
from uriai_edge.evidence import RecordType
from uriai_edge.logs import tell, trouble
from uriai_edge.redact import redact
from uriai_edge.register import Record, State
from uriai_edge.spool import Spool

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

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


class UploadError(Exception):
    """A record that could not be uploaded; the message says why."""


class NotNowError(UploadError):
    """The network, S3 or the credentials are in the way: the same attempt may succeed later."""


class NotThisOneError(UploadError):
    """Something is wrong with this record; others are not concerned."""


def make_client(settings: Upload) -> S3Client:
    """An S3 client with the standard credential chain and no retries of its own."""
    session = boto3.session.Session(profile_name=settings.profile, region_name=settings.region)
    return session.client(
        "s3",
        endpoint_url=settings.endpoint_url,
        config=ClientConfig(
            connect_timeout=settings.connect_timeout_s,
            read_timeout=settings.read_timeout_s,
            retries={"total_max_attempts": 1},
            signature_version="s3v4",
            s3={"addressing_style": "path" if settings.endpoint_url else "auto"},
            tcp_keepalive=True,
            max_pool_connections=2,
        ),
    )


class Uploader:
    """Uploads a spool's records, the newest first; `run` it in a thread of its own, or `drain` it."""

    def __init__(
        self,
        settings: Upload,
        spool: Spool,
        client: S3Client,
        stop: threading.Event,
        chance: random.Random | None = None,
    ) -> None:
        """Prepare; ``chance`` draws the pauses (default: the system's randomness)."""
        self._settings = settings
        self._spool = spool
        self._client = client
        self._stop = stop
        self._chance = chance or random.SystemRandom()
        self._failures = 0
        self._claimed: int | None = None  # the record whose outcome the register has not taken yet
        self.problem: str | None = None
        """Why nothing can be uploaded at the moment, or None."""

    def run(self) -> None:
        """Upload what there is and what comes until told to stop."""
        try:
            while not self._stop.is_set():
                if not self._step():
                    self._stop.wait(self._pause_s() if self.problem else _IDLE_S)
        finally:
            if not self._stop.is_set():  # only a fault of this program comes here; the status must not say "fine"
                self.problem = "uploads have ended unexpectedly; see the log, then start the agent again"

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
                self._spool.mark(self._claimed, State.CLOSED, self.problem)
                self._claimed = None
            return self._try_next()
        except sqlite3.Error as error:
            self._wait_for_register(error)
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
        record = self._spool.claim_next()
        if record is None:
            self._go_on()
            return False
        self._claimed = record.seq
        try:
            self._upload(record)
        except NotNowError as error:
            self._note(State.CLOSED, str(error))
            self._failures += 1
            if str(error) != self.problem:
                log.warning("uploads wait", extra={"why": str(error), "seq": record.seq})
            self.problem = str(error)
            return False
        except NotThisOneError as error:
            self._note(State.FAILED, str(error))
            trouble(log, "a record cannot be uploaded", seq=record.seq, why=str(error))
            return True
        self._note(State.UPLOADED)
        self._go_on()
        manifest = record.read()
        event = "clip_uploaded" if manifest.type is RecordType.CLIP else "record_uploaded"
        key = manifest.stem + (manifest.attachment_suffix or ".json")
        tell(log, event, "uploaded", camera=manifest.camera, ulid=manifest.ulid, seq=record.seq, key=key)
        return True

    def _note(self, state: State, reason: str | None = None) -> None:
        """Note the outcome of the claimed record; until the register has taken it, the record stays claimed."""
        if self._claimed is not None:
            self._spool.mark(self._claimed, state, reason)
            self._claimed = None

    def _pause_s(self) -> float:
        """Full jitter: random between nothing and a limit that doubles with each failure in a row."""
        limit = min(self._settings.backoff_max_s, _FIRST_PAUSE_S * 2 ** min(self._failures - 1, 20))
        return self._chance.uniform(0, limit)

    def _upload(self, record: Record) -> None:
        manifest = record.read()
        self._put(manifest.stem + ".json", record.manifest)
        self._put(manifest.stem + ".sig", record.signature)
        suffix = manifest.attachment_suffix
        if suffix is None or manifest.sha256 is None:
            return
        if record.path is None or not record.path.is_file():
            raise NotThisOneError(f"its file {record.path} is gone from this disk")
        self._put_file(manifest.stem + suffix, record.path, bytes.fromhex(manifest.sha256))

    def _put(self, key: str, data: bytes) -> None:
        self._send(key, data, hashlib.sha256(data).digest())

    def _put_file(self, key: str, path: Path, sha256: bytes) -> None:
        try:
            with path.open("rb") as file:
                self._send(key, file, sha256)
        except OSError as error:
            raise NotThisOneError(f"its file {path} cannot be read: {error.strerror}") from error

    def _send(self, key: str, body: bytes | BinaryIO, sha256: bytes) -> None:
        checksum = base64.b64encode(sha256).decode()
        suffix = key[key.rindex(".") :]
        try:
            self._client.put_object(
                Bucket=self._settings.bucket,
                Key=key,
                Body=body,
                ChecksumSHA256=checksum,
                IfNoneMatch="*",
                ContentType=_CONTENT_TYPES[suffix],
            )
        except ClientError as error:
            self._judge(error, key, checksum)
        except (NoCredentialsError, PartialCredentialsError) as error:
            raise NotNowError(f"no AWS credentials: {error}; set them as the AWS command line needs them") from error
        except (BotoCoreError, OSError) as error:
            raise NotNowError(redact(f"S3 cannot be reached: {error}")) from error

    def _judge(self, error: ClientError, key: str, checksum: str) -> None:
        """Turn S3's answer into the error it is, or return when the object is there already.

        Raises
        ------
        NotNowError, NotThisOneError
            As the answer means.
        """
        code = str(error.response.get("Error", {}).get("Code", ""))
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

    def _checksum_of(self, key: str) -> str | None:
        try:
            answer = self._client.head_object(Bucket=self._settings.bucket, Key=key, ChecksumMode="ENABLED")
            there = answer.get("ChecksumSHA256")
            if there is None:  # stored without one: read it back
                body = self._client.get_object(Bucket=self._settings.bucket, Key=key)["Body"]
                hasher = hashlib.sha256()
                for chunk in body.iter_chunks(1 << 20):
                    hasher.update(chunk)
                there = base64.b64encode(hasher.digest()).decode()
        except (ClientError, BotoCoreError, OSError) as error:
            raise NotNowError(
                redact(f"s3://{self._settings.bucket}/{key} exists, but cannot be compared: {error}")
            ) from error
        return there
