"""`uriai replay-rules`: what other thresholds would have made of stored analyses, without touching them."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import click

from uriai_cli.database import cloud_database
from uriai_cli.errors import CliError
from uriai_cli.thresholds import centre_called, instant_of, values_of

if TYPE_CHECKING:
    from uriai.domain.centre import Camera, Centre
    from uriai.service.ports.repositories import FindingRow
    from uriai.service.replay_rules import Difference

KOREA = ZoneInfo("Asia/Seoul")


@click.command()
@click.option("--since", required=True, metavar="INSTANT", help="Clips that started from then on.")
@click.option("--until", metavar="INSTANT", help="And before then; without it until now.")
@click.option("--centre", help="The centre, by name or number; without it every centre.")
@click.option(
    "--set", "values", multiple=True, metavar="NAME=VALUE", help="In place of what was in force; may be repeated."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a difference, and a last one with the counts.")
def command(since: str, until: str | None, centre: str | None, values: tuple[str, ...], as_json: bool) -> None:
    """Judge stored analyses again and print which findings would be new, gone, or changed.

    Reads only: no finding, incident or threshold is touched. Without --set there is a difference only where the rules
    themselves have changed since. Instants without an offset are on the centre's clock.
    """
    from uriai.adapters.database.centres import cameras_of, read_centre
    from uriai.adapters.database.transactions import SqlTransactions
    from uriai.service.ports.clock import SystemClock
    from uriai.service.replay_rules import Replay, ReplayedCamera, replay_rules

    wanted = {name: value for name, value in values_of(values, default_allowed=False).items() if value is not None}
    with cloud_database() as database:
        only = centre_called(database, centre) if centre else None
        zone = ZoneInfo(only.time_zone) if only else KOREA
        cameras = {c.id: c for c in database.run(lambda cursor: cameras_of(cursor, only.id if only else None))}
        centres = {
            centre_id: database.run(lambda cursor, centre_id=centre_id: read_centre(cursor, centre_id))  # type: ignore[misc]
            for centre_id in {camera.centre_id for camera in cameras.values()}
        }
        replay = Replay(
            cameras=[ReplayedCamera(camera.id, camera.centre_id) for camera in cameras.values()],
            since=instant_of(since, zone),
            until=instant_of(until, zone) if until else SystemClock().now(),
            values=wanted,
        )
        clips, counts = 0, Counter[str]()
        try:
            for camera_id, judged, differences in replay_rules(replay, SqlTransactions(database)):
                clips += judged
                camera = cameras[camera_id]
                for difference in differences:
                    counts[difference.effect.value] += 1
                    row = _row(difference, camera, centres[camera.centre_id])
                    click.echo(json.dumps(row, ensure_ascii=False) if as_json else _line(row))
        except ValueError as error:
            raise CliError(str(error), exit_code=2) from error
    total = {"clips": clips, **{effect: counts[effect] for effect in ("new", "gone", "changed")}}
    if as_json:
        click.echo(json.dumps(total))
    else:
        told = ", ".join(f"{count} {effect}" for effect, count in total.items() if effect != "clips")
        click.echo(f"{clips} clips judged again: {told}")


def _row(difference: Difference, camera: Camera, centre: Centre) -> dict[str, Any]:
    zone = ZoneInfo(centre.time_zone)
    one = difference.after or difference.before
    return {
        "effect": difference.effect.value,
        "centre": centre.name,
        "camera": camera.number,
        "clip": str(difference.clip.row.id),
        "kind": one.kind.value if one else None,
        "before": _finding(difference.before, zone),
        "after": _finding(difference.after, zone),
    }


def _finding(row: FindingRow | None, zone: ZoneInfo) -> dict[str, Any] | None:
    if row is None:
        return None
    return {
        "started_at": row.started_at.astimezone(zone).isoformat(timespec="milliseconds"),
        "ended_at": row.ended_at.astimezone(zone).isoformat(timespec="milliseconds"),
        "confidence": row.confidence,
        "verdict": row.verdict.value,
    }


def _line(row: dict[str, Any]) -> str:
    def told(finding: dict[str, Any] | None) -> str:
        if finding is None:
            return "nothing"
        return f"{finding['started_at']} {finding['verdict']} {finding['confidence']:.3f}"

    return (
        f"{row['effect']:<8} {row['kind']:<9} {row['centre']} CCTV {row['camera']}: "
        f"{told(row['before'])} -> {told(row['after'])}"
    )
