"""`uriai down`: stop the cloud on one machine; its data stays."""

from __future__ import annotations

import click

from uriai_cli.progress import printer


@click.command()
def command() -> None:
    """Stop the cloud on one machine.

    Clips, queues, incidents and the deployed functions are all there again at the next `uriai up`.
    """
    from uriai_cloud.up import down

    stopped = down(printer())
    click.echo(f"Stopped {' and '.join(stopped)}; the data is kept." if stopped else "Nothing was running.")
