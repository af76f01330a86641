"""The part of `uriai status` that comes from the database: analyses, failures, flagged clips, cameras, incidents."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from uriai.adapters.database.connection import Connection


def rows(connection: Connection) -> dict[str, Any]:
    """Return what `pipeline_status` found as JSON-ready values; instants are ISO 8601 with offset."""
    from uriai.adapters.database.status import pipeline_status

    with connection.cursor() as cursor:
        found = asdict(pipeline_status(cursor))
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
        click.echo("clips to delete (`uriai retention`): " + _counted(found["deletions"]))


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
