"""`uriai import-centres`: daycare centres from open-data CSVs."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from uriai_cli.database import actor_of, cloud_database
from uriai_cli.errors import CliError

if TYPE_CHECKING:
    from uriai.adapters.database.centres import NewCentre

BATCH = 1000


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="CSV…", type=click.Path(path_type=Path))
@click.option("--dry-run", is_flag=True, help="Read the files and say what is wrong with them; change nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a file.")
def command(*, files: tuple[Path, ...], dry_run: bool, as_json: bool) -> None:
    """Enter the centres of the registers that Gyeonggi and Seoul publish (UTF-8 or cp949).

    Safe to repeat: a centre of the same region, name and address is the same one; its phone is brought up to date, its
    zone and reporting are left as they are. Closed centres are passed over. Bad rows are listed on stderr with their
    line, the others entered; the exit code is then 1.
    """
    from uriai_cli.centre_register import RegisterError, read_register

    failed = False
    for path in files:
        centres: list[NewCentre] = []
        bad = passed_over = 0
        try:
            for row in read_register(path):
                if row.centre is not None:
                    centres.append(row.centre)
                elif row.passed_over:
                    passed_over += 1
                else:
                    bad += 1
                    click.echo(f"{path}:{row.line}: {row.reason}", err=True)
        except RegisterError as error:
            click.echo(str(error), err=True)
            failed = True
            continue
        # the phone is no part of what makes a centre the same one; the last row's counts
        distinct = list({replace(one, phone=""): one for one in centres}.values())
        added, changed = (0, 0) if dry_run else _enter(distinct)
        counts = {
            "file": str(path),
            "centres": len(distinct),
            "added": added,
            "changed": changed,
            "repeated": len(centres) - len(distinct),
            "passed_over": passed_over,
            "bad": bad,
        }
        failed |= bad > 0
        click.echo(json.dumps(counts, ensure_ascii=False) if as_json else _line(counts))
    if failed:
        raise CliError("some rows or files could not be read: they are named above")


def _enter(centres: Sequence[NewCentre]) -> tuple[int, int]:
    """Enter them, a batch at a time; how many were new, and how many have another phone now."""
    from uriai.adapters.database.centres import import_centres
    from uriai.service.ports.clock import SystemClock

    now, actor = SystemClock().now(), actor_of(None)
    added = changed = 0
    with cloud_database() as database:
        for start in range(0, len(centres), BATCH):
            done = database.run(partial(import_centres, centres=centres[start : start + BATCH], actor=actor, now=now))
            added, changed = added + done.added, changed + done.changed
            if sys.stderr.isatty():
                end = min(start + BATCH, len(centres))
                click.echo(f"\r{end} of {len(centres)} centres", nl=end == len(centres), err=True)
    return added, changed


def _line(counts: dict[str, object]) -> str:
    return (
        f"{counts['file']}: {counts['centres']} centres, {counts['added']} added, {counts['changed']} changed, "
        f"{counts['repeated']} rows repeated, {counts['passed_over']} passed over, {counts['bad']} bad"
    )
