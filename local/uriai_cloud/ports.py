"""Ports on 127.0.0.1: chosen once, remembered, or fixed by the user."""

from __future__ import annotations

import os
import random
import socket

from uriai_cloud.errors import PortTaken
from uriai_cloud.home import Home, read_json, write_json

LOOPBACK = "127.0.0.1"


def is_free(port: int) -> bool:
    """Tell whether a server could listen on 127.0.0.1:port now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def answers(port: int) -> bool:
    """Tell whether somebody accepts connections on 127.0.0.1:port."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.settimeout(0.5)
        return probe.connect_ex((LOOPBACK, port)) == 0


def choose(home: Home, service: str, wanted: int | None = None) -> int:
    """Return the port for a service that is about to start.

    The order: `wanted`, the variable URIAI_{SERVICE}_PORT, the port of last time, any free one. A port of
    last time that is taken now is quietly replaced; one that the user asked for is not.

    Raises
    ------
    PortTaken
        If the port that the user asked for is in use.
    """
    variable = f"URIAI_{service.upper()}_PORT"
    fixed = wanted or _number(variable)
    if fixed:
        if not is_free(fixed):
            raise PortTaken(
                f"port {fixed} on {LOOPBACK}, asked for {service}, is taken by another program: "
                f"end that program, or choose another port with {variable} or leave it out"
            )
        remember(home, service, fixed)
        return fixed
    last = read_json(home.ports_file).get(service)
    if isinstance(last, int) and is_free(last):
        return last
    port = any_free(service)
    remember(home, service, port)
    return port


def any_free(service: str, but: int = 0) -> int:
    """Return a port that nobody listens on.

    It lies below the range that the kernel gives to outgoing connections, so it is likely to be free again next time.
    """
    for port in random.sample(range(20000, 32000), 200):
        if port != but and is_free(port):
            return port
    raise PortTaken(f"200 ports of {LOOPBACK} between 20000 and 32000 were tried for {service} and all are taken")


def remember(home: Home, service: str, port: int) -> None:
    """Note the port for next time."""
    write_json(home.ports_file, read_json(home.ports_file) | {service: port})


def remembered(home: Home, service: str) -> int | None:
    """Return the port that the service has, or had when it last ran."""
    port = read_json(home.ports_file).get(service)
    return port if isinstance(port, int) else None


def _number(variable: str) -> int | None:
    text = os.environ.get(variable, "").strip()
    if not text:
        return None
    if not text.isdigit() or not 1 <= int(text) <= 65535:
        raise PortTaken(f"{variable} is {text!r}: it has to be a port from 1 to 65535")
    return int(text)
