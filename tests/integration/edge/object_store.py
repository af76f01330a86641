"""A small S3 over real HTTP for the agent's tests, with faults on demand.

Hangs, resets, 503, lost answers, answers that come a byte at a time; a clock of its own; and credentials it refuses.
"""

from __future__ import annotations

import base64
import hashlib
import socket
import struct
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit


class ObjectStore:
    """Objects by key, as a bucket named ``clips-test`` would hold them, and what was asked of it."""

    bucket = "clips-test"

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.checksums: dict[str, str] = {}
        self.requests: list[tuple[str, str, int]] = []  # method, key, status; 0: no answer was given
        self.overwritten: list[str] = []
        self.faults: deque[str] = deque()  # one a PUT: 503, 403, hang, reset, lost_answer, slow_read, drip, drip_read
        self.always: str | None = None
        self.drip_reads = False  # whether objects are given a byte at a time
        self.drip_heads = False  # whether what is told of objects and bucket is
        self.ahead_s = 0.0  # of this machine's clock
        self.expired_keys: set[str] = set()  # access key ids
        self.access_keys: list[str] = []  # of every PUT that was let in
        self.lock = threading.Lock()
        self.released = threading.Event()
        store = self

        class Handler(_Handler):
            objects = store

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self.ahead_s)

    def next_fault(self) -> str | None:
        with self.lock:
            if self.always is not None:
                return self.always
            return self.faults.popleft() if self.faults else None

    def puts(self) -> list[str]:
        return [key for method, key, status in self.requests if method == "PUT" and status == 200]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    objects: ObjectStore

    def log_message(self, format: str, *args: object) -> None:
        pass

    def date_time_string(self, timestamp: float | None = None) -> str:
        return format_datetime(self.objects.now(), usegmt=True)

    def _refused(self) -> bool:
        """Whether time or credentials of the request are wrong; the answer is given then."""
        authorization = self.headers.get("Authorization", "")
        if not authorization:
            self._error(403, "AccessDenied")
            return True
        signed_at = datetime.strptime(self.headers["X-Amz-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        if abs((self.objects.now() - signed_at).total_seconds()) > 900:
            self._error(403, "RequestTimeTooSkewed")
            return True
        access_key = authorization.partition("Credential=")[2].partition("/")[0]
        if access_key in self.objects.expired_keys:
            self._error(403, "ExpiredToken")
            return True
        if self.command == "PUT":
            self.objects.access_keys.append(access_key)
        return False

    def _drip(self, data: bytes) -> None:
        """Send a byte now and then, never enough to be an answer."""
        with suppress(OSError):
            for byte in data * 1000:
                self.connection.sendall(bytes([byte]))
                if self.objects.released.wait(0.2):
                    break
        self.close_connection = True

    def _key(self) -> str:
        path = unquote(urlsplit(self.path).path).lstrip("/")
        bucket, _, key = path.partition("/")
        assert bucket == self.objects.bucket, path
        return key

    def _answer(self, status: int, body: bytes = b"", headers: dict[str, str] | None = None) -> None:
        self.objects.requests.append((self.command, self._key(), status))
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _error(self, status: int, code: str) -> None:
        self._answer(status, f"<Error><Code>{code}</Code><Message>{code}</Message></Error>".encode())

    def _break(self) -> None:
        self.objects.requests.append((self.command, self._key(), 0))
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close()

    def do_PUT(self) -> None:
        store, key = self.objects, self._key()
        fault = store.next_fault()
        if fault == "hang":
            store.requests.append(("PUT", key, 0))
            store.released.wait(60)
            self.close_connection = True
            return
        if fault == "reset":
            self._break()
            return
        if self.headers.get("Expect") == "100-continue":
            pass  # answered by the base class already
        if fault == "drip_read":
            with suppress(OSError):
                while self.rfile.read(1) and not self.objects.released.wait(0.2):
                    pass
            self.close_connection = True
            return
        body = self._body()
        if self._refused():
            return
        if fault == "drip":
            self._drip(b"HTTP/1.1 200 O")
            return
        if fault == "slow_read":
            time.sleep(0.5)
        if fault == "503":
            self._error(503, "SlowDown")
            return
        if fault == "403":
            self._error(403, "AccessDenied")
            return
        checksum = base64.b64encode(hashlib.sha256(body).digest()).decode()
        if self.headers.get("x-amz-checksum-sha256") not in (None, checksum):
            self._error(400, "BadDigest")
            return
        with store.lock:
            exists = key in store.objects
            if exists and self.headers.get("If-None-Match") == "*":
                status = 412
            else:
                status = 200
                if exists:
                    store.overwritten.append(key)
                store.objects[key] = body
                store.checksums[key] = checksum
        if fault == "lost_answer":
            self._break()
        elif status == 412:
            self._error(412, "PreconditionFailed")
        else:
            self._answer(200, headers={"ETag": '"x"'})

    def _body(self) -> bytes:
        if "chunked" in self.headers.get("Transfer-Encoding", ""):
            raise AssertionError("a single PUT with a length is expected")
        return self.rfile.read(int(self.headers.get("Content-Length", "0")))

    def do_HEAD(self) -> None:
        key = self._key()
        if self.objects.drip_heads:
            self._drip(b"HTTP/1.1 200 O")
        elif self._refused():
            pass
        elif key == "":
            self._answer(200)
        elif key in self.objects.objects:
            kept = self.objects.checksums.get(key)
            headers = {} if kept is None else {"x-amz-checksum-sha256": kept}
            self._answer(200, self.objects.objects[key], headers={"ETag": '"x"'} | headers)
        else:
            self._answer(404)

    def do_GET(self) -> None:
        key = self._key()
        if key in self.objects.objects and self.objects.drip_reads:
            self._drip(b"HTTP/1.1 200 O")
        elif key in self.objects.objects:
            self._answer(200, self.objects.objects[key], headers={"ETag": '"x"'})
        else:
            self._error(404, "NoSuchKey")


@contextmanager
def object_store() -> Iterator[ObjectStore]:
    """An `ObjectStore` that answers at its ``url`` until the block ends."""
    store = ObjectStore()
    thread = threading.Thread(target=store.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield store
    finally:
        store.released.set()
        store.server.shutdown()
        store.server.server_close()
        thread.join(5)
