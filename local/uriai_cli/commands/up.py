"""`uriai up`: start the cloud on one machine and deploy onto it what has changed."""

from __future__ import annotations

import json
import time

import click

from uriai_cli.progress import printer


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print addresses and names as one JSON object; no passwords.")
@click.option("--ministack-port", type=click.IntRange(1, 65535), help="Port of the local AWS; else any free one, kept.")
@click.option("--mariadb-port", type=click.IntRange(1, 65535), help="Port of the database; else any free one, kept.")
def command(as_json: bool, ministack_port: int | None, mariadb_port: int | None) -> None:
    """Start the cloud on one machine, and build and deploy onto it what has changed.

    Everything listens on 127.0.0.1 and keeps its data under .uriai/ (or URIAI_HOME). Safe to repeat.
    """
    from uriai_cloud.up import up

    began = time.monotonic()
    cloud = up(printer(), ministack_port=ministack_port, mariadb_port=mariadb_port)
    if as_json:
        click.echo(
            json.dumps(
                {
                    "endpoint_url": cloud.endpoint_url,
                    "region": cloud.region,
                    "api_url": cloud.api_url,
                    "clips_bucket": cloud.clips_bucket,
                    "models_bucket": cloud.models_bucket,
                    "queue_url": cloud.queue_url,
                    "dead_letter_queue_url": cloud.dead_letter_queue_url,
                    "database": {"host": cloud.database.host, "port": cloud.database.port, "name": cloud.database.name},
                    "functions": cloud.functions,
                    "seconds": round(time.monotonic() - began, 1),
                }
            )
        )
        return
    click.echo(f"The cloud is up ({time.monotonic() - began:.0f} s).")
    click.echo(f"  AWS       {cloud.endpoint_url}   (region {cloud.region}, keys test/test)")
    click.echo(f"  chatbot   {cloud.api_url}")
    click.echo(f"  database  {cloud.database.host}:{cloud.database.port}/{cloud.database.name}")
    click.echo(f"  clips     s3://{cloud.clips_bucket}/clips/")
    click.echo("Next: `uriai demo`, `uriai status`, `uriai logs analyze -f`, `uriai down`.")
