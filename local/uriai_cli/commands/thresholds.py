"""`uriai thresholds`: what the rules compare with, for each centre and camera."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import click

from uriai_cli.database import cloud_database, person_called
from uriai_cli.errors import CliError
from uriai_cli.thresholds import camera_called, centre_called, instant_of, values_of

if TYPE_CHECKING:
    from uriai.adapters.database.connection import Database
    from uriai.domain.centre import Camera, Centre
    from uriai.domain.threshold_history import ThresholdEntry
    from uriai.domain.thresholds import Thresholds


@click.group()
def command() -> None:
    """What the rules compare with. A clip is judged by what was in force when it started."""


@command.command("list")
@click.option("--centre", help="The centre, by name or number; without it every centre.")
@click.option("--history", is_flag=True, help="Also what was set, from when to when.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line: a centre, or a camera that differs.")
def list_them(centre: str | None, history: bool, as_json: bool) -> None:
    """Print what is in force now, for each centre and each camera with values of its own."""
    with cloud_database() as database:
        shown = [centre_called(database, centre)] if centre else _centres(database)
        for one in shown:
            for place in _places(database, one):
                click.echo(
                    json.dumps(place.as_mapping(history), ensure_ascii=False) if as_json else place.text(history)
                )


@command.command("set")
@click.argument("values", nargs=-1, required=True, metavar="NAME=VALUE...")
@click.option("--centre", required=True, help="The centre, by name or number.")
@click.option("--camera", help="One of its cameras, by number, or GATEWAY/NUMBER; without it all of them.")
@click.option("--from", "since", metavar="INSTANT", help="From when on, on the centre's clock; without it from now on.")
@click.option("--as", "person", metavar="PERSON", required=True, help="Who sets it: an operator or a policy officer.")
@click.option("--reason", required=True, help="Why; it is kept with the value and in the audit.")
@click.option("--json", "as_json", is_flag=True, help="Print what then holds as one JSON object.")
def set_them(
    *,
    values: tuple[str, ...],
    centre: str,
    camera: str | None,
    since: str | None,
    person: str,
    reason: str,
    as_json: bool,
) -> None:
    """Set values for a centre or one camera; VALUE "default" takes the place's own value away.

    What was in force before stays as it was: no clip that started earlier is judged by the new values.
    """
    from uriai.adapters.database.transactions import SqlTransactions
    from uriai.service.authorise import NotAllowedError
    from uriai.service.ports.clock import SystemClock
    from uriai.service.set_thresholds import Change, ThresholdError, set_thresholds

    wanted = values_of(values, default_allowed=True)
    with cloud_database() as database:
        speaker = person_called(database, person)
        place = centre_called(database, centre, speaker)
        change = Change(
            centre=place,
            camera=camera_called(database, place, camera) if camera else None,
            values=wanted,
            since=instant_of(since, ZoneInfo(place.time_zone)) if since else None,
            person=speaker,
            reason=reason,
        )
        try:
            held = set_thresholds(change, SqlTransactions(database), SystemClock())
        except (ThresholdError, NotAllowedError) as error:
            raise CliError(str(error)) from error
    click.echo(json.dumps(held.as_mapping()) if as_json else "\n".join(_differing(held)) or "defaults everywhere")


@dataclass(frozen=True, slots=True)
class _Place:
    """A centre, or a camera of it with values of its own, what holds there now, and what was set."""

    centre: Centre
    camera: Camera | None
    held: Thresholds
    entries: Sequence[ThresholdEntry]

    def as_mapping(self, history: bool) -> dict[str, Any]:
        return {
            "centre": self.centre.name,
            "camera": self.camera.number if self.camera else None,
            "thresholds": self.held.as_mapping(),
            **({"history": [self._entry(entry) for entry in self.entries]} if history else {}),
        }

    def text(self, history: bool) -> str:
        where = self.centre.name + (f" CCTV {self.camera.number} ({self.camera.gateway_id})" if self.camera else "")
        lines = [where, *(f"    {line}" for line in _differing(self.held) or ["defaults everywhere"])]
        if history:
            lines += [
                f"    {e['name']} = {e['value']:g}  {e['from']} - {e['to'] or ''}"
                for e in map(self._entry, self.entries)
            ]
        return "\n".join(lines)

    def _entry(self, entry: ThresholdEntry) -> dict[str, Any]:
        zone = ZoneInfo(self.centre.time_zone)
        return {
            "name": entry.name,
            "value": entry.value,
            "from": entry.valid_from.astimezone(zone).isoformat(timespec="seconds"),
            "to": entry.valid_to.astimezone(zone).isoformat(timespec="seconds") if entry.valid_to else None,
        }


def _differing(held: Thresholds) -> list[str]:
    """What is not as by default, one a line."""
    from uriai.domain.thresholds import Thresholds, bounds

    usual = Thresholds().as_mapping()
    return [
        f"{name} = {value:g} (default {usual[name]:g}, {bounds(name)[0]:g} to {bounds(name)[1]:g})"
        for name, value in held.as_mapping().items()
        if value != usual[name]
    ]


def _centres(database: Database) -> list[Centre]:
    from uriai.adapters.database.centres import list_centres, read_centre

    return database.run(lambda cursor: [read_centre(cursor, one.id) for one in list_centres(cursor)])


def _places(database: Database, centre: Centre) -> list[_Place]:
    from uriai.adapters.database.centres import cameras_of
    from uriai.adapters.database.thresholds import SqlThresholds
    from uriai.domain.threshold_history import thresholds_at
    from uriai.service.ports.clock import SystemClock

    entries = database.run(lambda cursor: SqlThresholds(cursor).entries(centre.id))
    cameras = {camera.id: camera for camera in database.run(lambda cursor: cameras_of(cursor, centre.id))}
    own = sorted({entry.camera_id for entry in entries if entry.camera_id is not None})
    now = SystemClock().now()
    return [
        _Place(
            centre,
            cameras[camera_id] if camera_id is not None else None,
            thresholds_at(entries, camera_id, now),
            [entry for entry in entries if entry.camera_id == camera_id],
        )
        for camera_id in (None, *own)
    ]
