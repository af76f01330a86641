"""S3 as the uploader needs it: conditional PUTs that end in time, at a set rate, signed by the server's clock.

Three things are added to boto3, by its public names only. Requests are signed with the time that S3's own answers tell,
because a gateway's clock may be an hour off and S3 refuses what is a quarter of an hour off. The SHA-256 that is signed
is the one the record holds, so that a file is read once. And a deadline ends a request that a server or a proxy would
draw out for ever.
"""

from __future__ import annotations

import base64
import hashlib
import logging
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, BinaryIO

import boto3
import botocore.auth
from botocore import UNSIGNED
from botocore.auth import S3SigV4Auth
from botocore.config import Config as ClientConfig
from botocore.credentials import RefreshableCredentials
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

from uriai_edge.config import Upload
from uriai_edge.sockets import Sockets

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

log = logging.getLogger(__name__)

LARGEST_SKEW_S = 30.0
"""The local clock is trusted while it is no further from S3's."""
GRACE_S = 30.0
"""A request that its deadline has not ended after so long hangs on something that nobody here can end."""
SLOWEST_BYTES_PER_S = 8_000
"""An upload that is slower in the end is given up and tried again."""
_SIGNER = "uriai-edge-s3v4"
_CHECKSUM = "x-amz-checksum-sha256"


class CredentialsExpiredError(Exception):
    """Temporary credentials were fetched anew, and had expired all the same."""


class ServerClock:
    """The time by S3's clock, as its latest answer told it; a local clock that is set meanwhile does not matter."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._told: tuple[datetime, float] | None = None  # S3's time, and the monotonic clock then

    def learn(self, date: str | None) -> None:
        """Take the ``Date`` of an answer that has just come."""
        try:
            told = parsedate_to_datetime(date) if date else None
        except ValueError:
            return
        if told is None or told.tzinfo is None:
            return
        with self._lock:
            self._told = (told, time.monotonic())

    @property
    def offset_s(self) -> float | None:
        """How far S3's clock is ahead of the local one now, seconds; None before the first answer."""
        with self._lock:
            if self._told is None:
                return None
            told, at_s = self._told
        return (told + timedelta(seconds=time.monotonic() - at_s) - datetime.now(UTC)).total_seconds()

    def now(self) -> datetime:
        """S3's time where the local clock is off, the local time where it is not."""
        offset_s = self.offset_s
        local = datetime.now(UTC)
        return local if offset_s is None or abs(offset_s) <= LARGEST_SKEW_S else local + timedelta(seconds=offset_s)


class _Signer(S3SigV4Auth):  # type: ignore[misc, unused-ignore]
    """AWS Signature Version 4 at the server's time, over the SHA-256 that the record holds."""

    def add_auth(self, request: Any) -> None:
        """Sign; botocore's own takes the local clock and reads the whole body once more."""
        if self.credentials is None:
            raise NoCredentialsError
        timestamp = request.context["signed_at"].strftime("%Y%m%dT%H%M%SZ")
        request.context["timestamp"] = timestamp  # what `string_to_sign` and `signature` go by
        headers = {"X-Amz-Date": timestamp, "X-Amz-Content-SHA256": self.payload(request)}
        if self.credentials.token:
            headers["X-Amz-Security-Token"] = self.credentials.token
        for name in ("Authorization", "Date", *headers):
            del request.headers[name]  # nothing happens where there is none
        for name, value in headers.items():
            request.headers[name] = value
        signature = self.signature(self.string_to_sign(request, self.canonical_request(request)), request)
        signed = self.signed_headers(self.headers_to_sign(request))
        request.headers["Authorization"] = (
            f"AWS4-HMAC-SHA256 Credential={self.scope(request)}, SignedHeaders={signed}, Signature={signature}"
        )

    def payload(self, request: Any) -> str:
        """SHA-256 of the body in hex: what the record holds, or counted for a request without a checksum."""
        checksum = request.headers.get(_CHECKSUM)
        if checksum is None:
            return str(super().payload(request))
        return base64.b64decode(checksum).hex()


botocore.auth.AUTH_TYPE_MAPS[_SIGNER] = _Signer


class _PacedFile:
    """A file that is read no faster than allowed."""

    def __init__(self, file: BinaryIO, bytes_per_s: float, stop: threading.Event) -> None:
        self._file = file
        self._bytes_per_s = bytes_per_s
        self._stop = stop
        self._free_at_s = time.monotonic()

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(size)
        now_s = time.monotonic()
        if self._free_at_s > now_s:
            self._stop.wait(self._free_at_s - now_s)
        self._free_at_s = max(now_s, self._free_at_s) + len(data) / self._bytes_per_s
        return data

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()


class S3Store:
    """One bucket. A thread at a time may use it; `interrupt` may come from any."""

    def __init__(self, settings: Upload, stop: threading.Event | None = None, clock: ServerClock | None = None) -> None:
        """Prepare; nothing is asked of S3 yet. ``stop`` ends the waiting that a bandwidth limit causes."""
        self._settings = settings
        self._stop = stop or threading.Event()
        self.clock = clock or ServerClock()
        self._sockets = Sockets()
        self._client: S3Client | None = None
        self._due_s: float | None = None  # until when the request under way must have ended, monotonic
        self._given_up = False
        self.idle_since_s: float = time.monotonic()
        """When the last request ended, monotonic."""

    @property
    def hangs(self) -> bool:
        """Whether the request under way outlasts its deadline: a name server or a credentials' program keeps silent."""
        due_s = self._due_s
        return due_s is not None and time.monotonic() > due_s + GRACE_S

    @property
    def is_idle(self) -> bool:
        """Whether no request is under way."""
        return self._due_s is None

    @property
    def client(self) -> S3Client:
        """The client in use; made when first asked for."""
        if self._client is None:
            self._client = self._make_client()
        return self._client

    def put(self, key: str, body: bytes | BinaryIO, size: int, sha256: bytes, content_type: str) -> None:
        """Create the object ``key``; S3 refuses if it exists, or if what it receives has another SHA-256.

        Raises
        ------
        ClientError, BotoCoreError, OSError
            As boto3 does; also when the deadline passed.
        CredentialsExpiredError
            If the credentials' source has only expired ones.
        """
        limit = self._settings.max_bytes_per_s
        paced = body if limit is None or isinstance(body, bytes) else _PacedFile(body, limit, self._stop)
        slowest = SLOWEST_BYTES_PER_S if limit is None else min(SLOWEST_BYTES_PER_S, limit / 2)
        deadline_s = self._settings.connect_timeout_s + 2 * self._settings.read_timeout_s + size / slowest
        with self._within(deadline_s), _expiry_named():
            answer = self.client.put_object(
                Bucket=self._settings.bucket,
                Key=key,
                Body=paced,  # type: ignore[arg-type]
                ChecksumSHA256=base64.b64encode(sha256).decode(),
                IfNoneMatch="*",
                ContentType=content_type,
            )
        _whole(answer, key)

    def checksum(self, key: str) -> str:
        """Base64 SHA-256 of the object ``key``: what S3 keeps of it or, if it keeps none, of what it gives.

        Raises
        ------
        ClientError, BotoCoreError, OSError, CredentialsExpiredError
            As for `put`.
        """
        patience_s = self._settings.connect_timeout_s + 2 * self._settings.read_timeout_s
        with self._within(patience_s), _expiry_named():
            head = self.client.head_object(Bucket=self._settings.bucket, Key=key, ChecksumMode="ENABLED")
        _whole(head, key)
        kept = head.get("ChecksumSHA256")
        if kept is not None:
            return kept
        hasher = hashlib.sha256()
        with self._within(patience_s + head["ContentLength"] / SLOWEST_BYTES_PER_S), _expiry_named():
            answer = self.client.get_object(Bucket=self._settings.bucket, Key=key)
            _whole(answer, key)
            for chunk in answer["Body"].iter_chunks(1 << 20):
                hasher.update(chunk)
        return base64.b64encode(hasher.digest()).decode()

    def find_credentials(self) -> str | None:
        """Where AWS's standard chain finds credentials that have not expired, in its words; None: nowhere.

        Raises
        ------
        BotoCoreError, OSError, CredentialsExpiredError
            If their source cannot be used.
        """
        with self._within(self._settings.connect_timeout_s + self._settings.read_timeout_s), _expiry_named():
            found = self._find_credentials(self._make_session())
            if found is None:
                return None
            found.get_frozen_credentials()
            return str(found.method)

    def ask_bucket(self) -> None:
        """Ask whether the bucket is there for these credentials.

        Raises
        ------
        ClientError, BotoCoreError, OSError, CredentialsExpiredError
            As for `put`.
        """
        with self._within(self._settings.connect_timeout_s + self._settings.read_timeout_s), _expiry_named():
            self.client.head_bucket(Bucket=self._settings.bucket)

    def renew(self) -> None:
        """Read credentials anew, and ask S3 for its time without any: expired ones may only look so by our clock."""
        if self._client is not None:
            self._client.close()
            self._client = None
        if self.clock.offset_s is None:
            self.ask_time()

    def ask_time(self) -> None:
        """Learn S3's time from an answer that needs no credentials."""
        anonymous = self._make_client(signed=False)
        try:
            with self._within(self._settings.connect_timeout_s + self._settings.read_timeout_s):
                anonymous.head_bucket(Bucket=self._settings.bucket)
        except (ClientError, BotoCoreError, OSError) as error:
            log.debug("S3 was asked for its time: %s", error)  # a refusal has a Date too
        finally:
            anonymous.close()

    def interrupt(self) -> None:
        """End the request that is under way, if any, with an error."""
        self._sockets.shut()

    def give_up(self) -> None:
        """End the request that is under way, and refuse every later one with a ConnectionError."""
        self._given_up = True
        self.interrupt()

    @contextmanager
    def _within(self, deadline_s: float) -> Iterator[None]:
        if self._given_up:
            raise ConnectionError("these uploads were given up")
        ended = threading.Event()

        def hold() -> None:
            wait_s = deadline_s
            while not ended.wait(wait_s):
                self.interrupt()
                wait_s = 1.0  # again: the connection may only be opened now, when all that came before took so long

        threading.Thread(target=hold, name="deadline", daemon=True).start()
        self._due_s = time.monotonic() + deadline_s
        try:
            with self._sockets.noted():
                yield
        finally:
            self.idle_since_s = time.monotonic()  # first: an idle store must not look idle since long ago
            self._due_s = None
            ended.set()

    def _make_session(self, *, signed: bool = True) -> boto3.session.Session:
        profile = self._settings.profile if signed else None  # to ask the time, no profile need exist
        return boto3.session.Session(profile_name=profile, region_name=self._settings.region)

    def _find_credentials(self, session: boto3.session.Session) -> Any:
        """The session's credentials, which it keeps; S3's clock says whether temporary ones have expired."""
        credentials = session.get_credentials()
        if isinstance(credentials, RefreshableCredentials):
            self._expire_by_server(credentials)
        return credentials

    def _make_client(self, *, signed: bool = True) -> S3Client:
        settings = self._settings
        session = self._make_session(signed=signed)
        if signed:
            self._find_credentials(session)
        client = session.client(
            "s3",
            endpoint_url=settings.endpoint_url,
            config=ClientConfig(
                connect_timeout=settings.connect_timeout_s,
                read_timeout=settings.read_timeout_s,
                retries={"total_max_attempts": 1},
                signature_version=_SIGNER if signed else UNSIGNED,
                s3={"addressing_style": "path" if settings.endpoint_url else "auto"},
                tcp_keepalive=True,
                max_pool_connections=2,
            ),
        )
        client.meta.events.register("before-sign.s3", self._set_time)
        client.meta.events.register("response-received.s3", self._learn_time)
        return client

    def _expire_by_server(self, credentials: RefreshableCredentials) -> None:
        """Let S3's clock say whether temporary credentials have expired: a local one that is ahead ends them all."""
        needed = credentials.refresh_needed

        def refresh_needed(refresh_in: int | None = None) -> bool:
            ahead_s = round((self.clock.now() - datetime.now(UTC)).total_seconds())
            return needed(refresh_in if refresh_in is None else refresh_in + ahead_s)

        credentials.refresh_needed = refresh_needed  # type: ignore[method-assign]

    def _set_time(self, request: Any, **_: object) -> None:
        request.context["signed_at"] = self.clock.now()

    def _learn_time(self, response_dict: dict[str, Any] | None = None, **_: object) -> None:
        if response_dict is not None:
            self.clock.learn(response_dict["headers"].get("date"))


def _whole(answer: Mapping[str, Any], key: str) -> None:
    # an answer that breaks off behind "200" reads like success, and S3 has confirmed nothing
    if not answer.get("ETag"):
        raise ConnectionError(f"the answer about {key} was cut short")


@contextmanager
def _expiry_named() -> Iterator[None]:
    """Give botocore's nameless error for refreshed credentials that had expired a name."""
    try:
        yield
    except RuntimeError as error:
        if "expired" not in str(error):
            raise
        raise CredentialsExpiredError(str(error)) from error
