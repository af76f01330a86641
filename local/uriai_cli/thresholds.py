"""What `uriai thresholds` and `uriai replay-rules` share: centres, cameras, values and instants as people type them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from uriai_cli.errors import CliError

if TYPE_CHECKING:
    from uriai.adapters.database.connection import Database
    from uriai.domain.centre import Camera, Centre
    from uriai.domain.person import Person


def centre_called(database: Database, name: str, person: Person | None = None) -> Centre:
    """The centre of that name or number, of all or of those in a person's scope.

    Raises
    ------
    CliError
        If there is none, or there are several.
    """
    from uriai.adapters.database.centres import CentreNotFoundError, centre_of, read_centre

    try:
        return database.run(lambda cursor: read_centre(cursor, centre_of(cursor, name, person)))
    except CentreNotFoundError as error:
        raise CliError(str(error)) from error


def camera_called(database: Database, centre: Centre, name: str) -> Camera:
    """The centre's camera of a number, or of ``GATEWAY/NUMBER`` where several gateways have that number.

    Raises
    ------
    CliError
        If there is none, or there are several.
    """
    from uriai.adapters.database.centres import cameras_of

    gateway, _, number = name.rpartition("/")
    cameras = [
        camera
        for camera in database.run(lambda cursor: cameras_of(cursor, centre.id))
        if str(camera.number) == number and gateway in ("", camera.gateway_id)
    ]
    if not cameras:
        raise CliError(f"{centre.name} has no camera {name}: see `uriai cameras list`")
    if len(cameras) > 1:
        named = ", ".join(f"{camera.gateway_id}/{camera.number}" for camera in cameras)
        raise CliError(f"{centre.name} has several cameras {number}: say which of {named}")
    return cameras[0]


def values_of(texts: Sequence[str], *, default_allowed: bool) -> dict[str, float | None]:
    """``NAME=VALUE`` each; the value ``default`` is None where that is allowed.

    Raises
    ------
    CliError
        If one has another form, or a name stands twice.
    """
    values: dict[str, float | None] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or name in values:
            raise CliError(f"{text!r} is not NAME=VALUE, or its name stands twice", exit_code=2)
        if default_allowed and value == "default":
            values[name] = None
            continue
        try:
            values[name] = float(value)
        except ValueError as error:
            raise CliError(f"{value!r} is no number: {name} takes one", exit_code=2) from error
    return values


def instant_of(text: str, zone: ZoneInfo) -> datetime:
    """ISO 8601; without an offset, on the clock of ``zone``.

    Raises
    ------
    CliError
        If it is no instant.
    """
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise CliError(
            f"{text!r} is no instant in ISO 8601, for example 2026-11-22T09:00+09:00", exit_code=2
        ) from error
    return instant if instant.tzinfo else instant.replace(tzinfo=zone)
