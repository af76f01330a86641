"""Does the same from several connections that begin together."""

from __future__ import annotations

import threading
from collections.abc import Callable

from tests.integration.pipeline.conftest import World

CONNECTIONS = 8


def at_once(world: World, work: Callable[[World], object]) -> None:
    """Call ``work`` with a world of its own for each connection, and expect that none of them fails."""
    start, errors = threading.Barrier(CONNECTIONS), []

    def run() -> None:
        beside = world.beside()
        try:
            start.wait(10)
            work(beside)
        except Exception as error:  # noqa: BLE001 - shown by the assertion
            errors.append(error)
        finally:
            beside.database.close()

    threads = [threading.Thread(target=run) for _ in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert errors == []
