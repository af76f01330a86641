"""The sockets that requests to AWS open, so that a request can be ended while a thread waits on one."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from weakref import WeakSet

from botocore.awsrequest import (
    AWSHTTPConnection,
    AWSHTTPConnectionPool,
    AWSHTTPSConnection,
    AWSHTTPSConnectionPool,
)


class Sockets:
    """The sockets that one store's requests opened, so that they can be shut while a thread waits on one."""

    def __init__(self) -> None:
        self._open: WeakSet[socket.socket] = WeakSet()
        self._lock = threading.Lock()

    @contextmanager
    def noted(self) -> Iterator[None]:
        """Note every socket that this thread opens for botocore inside the block, those for credentials included."""
        before = _noting.set(self)
        try:
            yield
        finally:
            _noting.reset(before)

    def add(self, one: socket.socket) -> None:
        """Note a socket."""
        with self._lock:
            self._open.add(one)

    def shut(self) -> None:
        """Shut them all: whoever waits on one gets an error at once."""
        with self._lock:
            sockets = list(self._open)
        for one in sockets:
            try:
                # not SSLSocket's: that takes the TLS object away under the thread that uses it
                socket.socket.shutdown(one, socket.SHUT_RDWR)
            except OSError:
                continue  # closed meanwhile


_noting: ContextVar[Sockets | None] = ContextVar("_noting", default=None)


class _NotedConnection:
    """Tells whoever notes sockets in this thread of the one that a connection has opened."""

    sock: socket.socket | None

    def connect(self) -> None:
        super().connect()  # type: ignore[misc]
        sockets = _noting.get()
        if sockets is not None and self.sock is not None:
            sockets.add(self.sock)


class _Connection(_NotedConnection, AWSHTTPConnection):  # type: ignore[misc, unused-ignore]
    pass


class _TlsConnection(_NotedConnection, AWSHTTPSConnection):  # type: ignore[misc, unused-ignore]
    pass


# urllib3's way to choose a pool's connections. botocore takes no pools of ours, so its own get them: for clients that
# nobody notes sockets of, they are the same as before.
AWSHTTPConnectionPool.ConnectionCls = _Connection
AWSHTTPSConnectionPool.ConnectionCls = _TlsConnection
