"""`uriai retention`: deletes clips whose period has passed, or says which would go and why."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from uriai_cli.database import cloud_database
from uriai_cli.errors import CliError

if TYPE_CHECKING:
    from uriai.service.expire_clips import Expired


@click.command()
@click.option("--dry-run", is_flag=True, help="Only print what would go and why; change nothing.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a clip, at last one with the numbers.")
def command(*, dry_run: bool, as_json: bool) -> None:
    """Delete clips that have been kept for their centre's period, with their key frames and what is known of people.

    What is evidence of an incident that waits, is open or was reported never goes; what was dismissed or resolved, 60
    days after that. Pictures of tampering go by the same rules ("clip" is null in JSON). Manifests stay, and a
    tombstone beside each. Exit code 1 if something could not be deleted.
    """
    from uriai.adapters.database.retention import SqlExpiring
    from uriai.adapters.deletion import S3Deletion
    from uriai.service.expire_clips import Retention, expire_clips, would_expire
    from uriai.service.ports.clock import SystemClock
    from uriai_cloud import state

    def tell(expired: Expired) -> None:
        click.echo(json.dumps(_row(expired)) if as_json else _line(expired, dry_run=dry_run))

    cloud = state.load()
    with cloud_database() as database:
        expiring, clock = SqlExpiring(database), SystemClock()
        if dry_run:
            tally = would_expire(expiring, clock, tell)
        else:
            deletion = S3Deletion(cloud.client("s3"), cloud.clips_bucket)
            done = expire_clips(Retention(expiring, deletion, clock, tell, again=True))
            if done is None:
                raise CliError("another run of retention is on: wait for its end")
            tally = done
    if as_json:
        click.echo(json.dumps(tally.as_dict() | {"dry_run": dry_run}))
    else:
        kept = ", ".join(
            f"{reason.value} {count}" for reason, count in sorted((tally.kept + tally.pictures_kept).items())
        )
        click.echo(
            f"{tally.deleted.total() + tally.pictures.total()} {'would go' if dry_run else 'deleted'}, "
            f"{tally.failed} failed; "
            f"kept beyond their period: {kept or 'none'}",
            err=True,
        )
    if tally.failed:
        raise SystemExit(1)


def _row(expired: Expired) -> dict[str, object]:
    return {
        "clip": str(expired.clip_id) if expired.clip_id else None,
        "key": expired.object_key,
        "reason": expired.reason.value,
        "received_at": expired.received_at.isoformat() if expired.received_at else None,
        "failure": expired.failure or None,
    }


def _line(expired: Expired, *, dry_run: bool) -> str:
    outcome = "FAILED " if expired.failure else "would go" if dry_run else "deleted"
    arrived = f"{expired.received_at:%Y-%m-%d}" if expired.received_at else "earlier   "
    return f"{outcome:<8}  {expired.reason.value:<9}  {arrived}  {expired.object_key}  {expired.failure}".rstrip()
