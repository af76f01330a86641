"""Tells systemd that the agent is up, alive, reloading or stopping (``sd_notify``), where systemd started it."""

from __future__ import annotations

import os
import socket
import time


class Notifier:
    """Speaks to the service manager; without one, nothing happens."""

    def __init__(self) -> None:
        self._address = os.environ.get("NOTIFY_SOCKET", "")
        period_us = os.environ.get("WATCHDOG_USEC", "")
        self._every_s = int(period_us) / 3e6 if period_us.isdigit() else None
        self._next_s = 0.0

    def ready(self) -> None:
        """The agent is at work."""
        self._send("READY=1")

    def reloading(self) -> None:
        """The configuration is being read anew; `ready` follows."""
        self._send(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def stopping(self) -> None:
        """The agent is closing clips and ends."""
        self._send("STOPPING=1")

    def alive(self) -> None:
        """Everything still moves; call as often as you like, systemd hears three times in its period."""
        now_s = time.monotonic()
        if self._every_s is not None and now_s >= self._next_s:
            self._next_s = now_s + self._every_s
            self._send("WATCHDOG=1")

    def _send(self, message: str) -> None:
        if not self._address:
            return
        # a name that begins with @ lies in the abstract name space, whose names begin with a zero byte
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as out:
            try:
                out.sendto(message.encode(), address)
            except OSError:
                return  # a service manager that is gone must not end the agent
