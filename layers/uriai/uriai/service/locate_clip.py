"""Finds out whose clip an object is, and gives it a row of its own."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from uriai.domain.centre import Camera, Gateway
from uriai.domain.clip import ClipKey
from uriai.domain.identity import clip_id_of_key
from uriai.service.ports.repositories import ClipRow, Failure, Repositories


@dataclass(frozen=True, slots=True)
class Arrival:
    """A clip's object was created: its key and when, by the store's clock (aware)."""

    key: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Located:
    """A clip with its row and the camera it is of; ``id_taken``: another object came first with its ULID."""

    key: ClipKey
    row: ClipRow
    gateway: Gateway
    camera: Camera
    id_taken: bool


@dataclass(frozen=True, slots=True)
class Unplaced:
    """A clip that belongs to no centre we know: its row, and why."""

    row: ClipRow
    failure: Failure


def locate_clip(rows: Repositories, arrival: Arrival, now: datetime) -> Located | Unplaced:
    """Find the clip's gateway, centre and camera from its key, and make sure that it has a row of its own.

    A camera number that nobody entered gets a row marked so; an unknown gateway has no centre, so its clip no place.
    """
    try:
        key = ClipKey.parse(arrival.key)
    except ValueError as error:
        row = ClipRow(clip_id_of_key(arrival.key), arrival.key, None, None)
        return Unplaced(rows.clips.claim(row, arrival.at), Failure("bad_key", str(error)))
    gateway = rows.gateways.find(key.gateway)
    camera = rows.gateways.camera(gateway, key.camera, now) if gateway else None
    wanted = ClipRow(key.ulid, arrival.key, key.gateway, camera.id if camera else None)
    row = rows.clips.claim(wanted, arrival.at)
    id_taken = row.object_key != arrival.key
    if id_taken:
        # whoever sends a second clip under a first one's id must not hide either of them
        row = rows.clips.claim(replace(wanted, id=clip_id_of_key(arrival.key)), arrival.at)
    if gateway is None or camera is None:
        remedy = "`uriai gateways add`, then send the clip's event again"
        return Unplaced(row, Failure("unknown_gateway", f"nobody added gateway {key.gateway}: {remedy}"))
    return Located(key, row, gateway, camera, id_taken)
