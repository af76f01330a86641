"""`uriai bundle`: a reported incident's evidence for the police, to be checked offline with `uriai verify`."""

from __future__ import annotations

import json
import os
from pathlib import Path

import click

from uriai_cli.database import actor_of, cloud_database, person_called
from uriai_cli.errors import CliError


@click.command()
@click.argument("number", type=click.IntRange(1))
@click.option("--centre", help="The centre's name, needed where several centres have that number.")
@click.option(
    "--out", "target", required=True, type=click.Path(dir_okay=False, path_type=Path), help="The .zip to make."
)
@click.option("--reason", required=True, help="Who asked for it, or why; it is kept in the audit.")
@click.option("--as", "person", help="Who is enrolled under that name, instead of whoever runs the cloud.")
@click.option("--json", "as_json", is_flag=True, help="Print hash and contents as one JSON object.")
def command(*, number: int, centre: str | None, target: Path, reason: str, person: str | None, as_json: bool) -> None:
    """Put the originals of reported incident NUMBER, unmasked, with all it takes to check them, into one file.

    Note the SHA-256 that is printed and give it to the police by another way than the file. It stands in the audit.
    """
    from uriai.adapters.database.transactions import SqlTransactions
    from uriai.adapters.objects import S3ClipStore
    from uriai.service.authorise import NotAllowedError
    from uriai.service.decide_review import Named, ReviewError
    from uriai.service.make_bundle import BundleDesk, BundleError, make_bundle
    from uriai.service.ports.clock import SystemClock
    from uriai_cloud import state

    if target.exists():
        raise CliError(f"{target} is there already: give the bundle another name")
    cloud = state.load()
    unfinished = target.with_name(f".{target.name}.{os.getpid()}")
    with cloud_database() as database:
        speaker = person_called(database, person) if person else None
        named = Named(number, reason, actor_of(speaker), centre, speaker)
        clips = S3ClipStore(cloud.client("s3"), cloud.clips_bucket)
        try:
            bundle = make_bundle(named, unfinished, BundleDesk(SqlTransactions(database), clips, SystemClock()))
            # it gets its name only when its hash is in the audit
            unfinished.rename(target)
        except (BundleError, ReviewError, NotAllowedError) as error:
            raise CliError(str(error)) from error
        except OSError as error:
            raise CliError(f"{target} cannot be written: {error}") from error
        finally:
            unfinished.unlink(missing_ok=True)
    if as_json:
        click.echo(
            json.dumps({"file": str(target), "sha256": bundle.sha256, "names": bundle.names}, ensure_ascii=False)
        )
    else:
        click.echo(f"{bundle.sha256}  {target}")
