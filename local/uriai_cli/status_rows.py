"""The part of `uriai status` that comes from the database: analyses, flagged clips, incidents, coverage, gateways."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from uriai.adapters.database.connection import Connection


def rows(connection: Connection) -> dict[str, Any]:
    """Return what stands in the database as JSON-ready values; instants are ISO 8601 with offset."""
    from uriai.adapters.database.status import pipeline_status
    from uriai.adapters.database.watch_status import watch_status

    with connection.cursor() as cursor:
        found = asdict(pipeline_status(cursor)) | asdict(watch_status(cursor))
    return {name: _ready(value) for name, value in found.items()}


def show(found: dict[str, Any]) -> None:
    """Print what `rows` returned."""
    failed = sum(found["failed"].values())
    click.echo(
        f"clips in the database: {found['clips']}   analysed: {found['done']}   failed: {failed}   "
        f"not analysed yet: {found['waiting']}"
    )
    if found["failed"]:
        click.echo("failed analyses: " + _counted(found["failed"]))
        for clip in found["last_failed"]:
            click.echo(f"  {clip['at']}  {clip['reason_code']:<18} {clip['object_key']}\n    {clip['reason']}")
    if found["manifests"]:
        click.echo("manifests: " + _counted(found["manifests"]))
        for clip in found["last_flagged"]:
            click.echo(f"  {clip['at']}  {clip['manifest_status']:<18} {clip['object_key']}\n    {clip['reason']}")
    if found["unregistered_cameras"]:
        click.echo("cameras that nobody entered (`uriai cameras add`)")
        for camera in found["unregistered_cameras"]:
            click.echo(f"  {camera['gateway']} camera {camera['number']}  {camera['centre']}  {camera['clips']} clips")
    click.echo("incidents: " + (_counted(found["incidents"]) or "none"))
    if found["holds"]:
        click.echo("reported incidents whose evidence is not held yet: " + _counted(found["holds"]))
    if found["deletions"]:
        click.echo("clips and pictures to delete (`uriai retention`): " + _counted(found["deletions"]))
    if found["outbox"]:
        since = f"   the oldest is due since {found['oldest_untold']}" if found["oldest_untold"] else ""
        click.echo(f"messages not delivered (`uriai outbox list`): {_counted(found['outbox'])}{since}")
    _show_watch(found)


def _show_watch(found: dict[str, Any]) -> None:
    """Print what is wrong with gateways and coverage; nothing where nothing is."""
    for gateway in found["silent_gateways"]:
        click.echo(f"silent gateway {gateway['gateway']} ({gateway['centre']}) since {gateway['since']}")
    for gateway in found["wrong_clocks"]:
        behind = f"{gateway['clock_offset_s']:+.0f} s"
        click.echo(f"wrong clock of gateway {gateway['gateway']} ({gateway['centre']}): S3's is {behind} ahead")
    if found["dark_cameras"]:
        click.echo(f"cameras that record nothing now: {found['dark_cameras']}")
        for hole in found["last_dark"]:
            place = f"{hole['gateway']} camera {hole['camera']}  {hole['centre']}"
            click.echo(f"  since {hole['since']}  {hole['cause']:<14} {place}")
    if found["never_recorded"]:
        click.echo(f"cameras that were entered and never recorded anything: {found['never_recorded']}")
    if found["sequence_gaps"]:
        click.echo(f"gaps in the numbers of records: {found['sequence_gaps']}")
        for gap in found["last_gaps"]:
            click.echo(f"  {gap['found_at']}  {gap['gateway']} {gap['first_seq']} to {gap['last_seq']}")
    if found["flagged_records"]:
        click.echo("flagged records: " + _counted(found["flagged_records"]))
        for record in found["last_flagged_records"]:
            click.echo(f"  {record['at']}  {record['outcome']:<14} {record['object_key']}\n    {record['reason']}")


def _counted(counts: dict[str, int]) -> str:
    return "   ".join(f"{name} {number}" for name, number in counts.items())


def _ready(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    if isinstance(value, dict):
        return {name: _ready(entry) for name, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_ready(entry) for entry in value]
    return value
