"""The one error the command line shows to people."""

from __future__ import annotations

import click


class CliError(click.ClickException):
    """Something the user can act on: one line on stderr, no traceback.

    Parameters
    ----------
    message:
        What is wrong, where, and what to do about it, in one sentence.
    exit_code:
        1 (an input or a service failed) or 2 (wrong usage).
    """

    def __init__(self, message: str, exit_code: int = 1) -> None:
        super().__init__(" ".join(message.split()))
        # click declares it on the class and reads it from the instance
        self.exit_code = exit_code  # type: ignore[misc]

    def show(self, file: object = None) -> None:
        """Print `uriai: MESSAGE` on stderr."""
        del file
        click.echo(f"uriai: {self.message}", err=True)
