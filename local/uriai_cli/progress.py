"""Progress on stderr, so that stdout holds results only."""

from __future__ import annotations

import time
from collections.abc import Callable

import click


def printer() -> Callable[[str], None]:
    """Return a function that prints a line on stderr with the seconds since now."""
    began = time.monotonic()

    def show(message: str) -> None:
        click.echo(f"{time.monotonic() - began:6.1f} s  {message}", err=True)

    return show
