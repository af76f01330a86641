"""`uriai invoke`: run one function under the Lambda runtime interface emulator, without Docker."""

from __future__ import annotations

from pathlib import Path

import click

from uriai_cli.errors import CliError


@click.command()
@click.argument("function")
@click.argument("event", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def command(function: str, event: Path) -> None:
    """Run FUNCTION once with the JSON file EVENT under AWS's Lambda runtime interface emulator, on the local cloud.

    The function's log goes to stderr, its answer to stdout. Exit code 1 if the function failed. The clip that
    events/analyze.json tells of is rendered and uploaded first.
    """
    from uriai_cloud import rie, sample, state
    from uriai_cloud.home import Home

    cloud = state.load()
    name = function.replace("-", "_")
    body = event.read_bytes()
    if sample.KEY.encode() in body and sample.ensure(Home.from_environment(), cloud):
        click.echo(f"rendered and uploaded s3://{cloud.clips_bucket}/{sample.KEY}", err=True)
    answer = rie.invoke(cloud, name, body)
    click.echo(answer.payload)
    click.echo(f"{name} took {answer.duration_s * 1000:.0f} ms, start included", err=True)
    if answer.failed:
        raise CliError(f"{name} failed: its answer and its log stand above")
