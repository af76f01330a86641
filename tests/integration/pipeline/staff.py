"""People and police stations of a test's world, and how they are reached."""

from __future__ import annotations

from tests.unit.pipeline.fakes import NOON
from uriai.adapters.database.centres import ensure_region
from uriai.adapters.database.channels import Owner, add_station, set_channel
from uriai.adapters.database.people import SqlPeople
from uriai.domain.person import Language
from uriai.domain.telling import Hours, Medium
from uriai.domain.words import Role
from uriai.service.ports.chat import NewPerson


def region(world, neighbourhood="", district="수원시"):
    with world.database.transaction() as cursor:
        return ensure_region(cursor, "경기도", district, neighbourhood)


def person(world, name, role, *, regions=(), centres=(), language=Language.KOREAN, hours=Hours(), medium="slack"):  # noqa: B008
    new = NewPerson(name, role, language, tuple(centres), tuple(regions))
    added = SqlPeople(world.database).add(new, "test", NOON)
    owner = Owner(added.id, name, is_station=False)
    if medium:
        reach(world, owner, medium, hours)
    return owner


def station(world, name, region_id, medium="telegram"):
    with world.database.transaction() as cursor:
        owner = Owner(add_station(cursor, name, region_id, "112"), name, is_station=True)
    if medium:
        reach(world, owner, medium)
    return owner


def reach(world, owner, medium, hours=Hours()):  # noqa: B008
    address = f"address of {owner.name}"
    with world.database.transaction() as cursor:
        set_channel(cursor, owner, Medium(medium), address, hours, None, "test", NOON)


def everybody(world):
    """Somebody in every office of the world's region, and a station."""
    suwon = region(world)
    return {
        "station": station(world, "수원영통경찰서", suwon),
        "officer": person(world, "officer", Role.POLICY_OFFICER, regions=[suwon]),
        "director": person(world, "director", Role.DIRECTOR, centres=[world.centre_id]),
        "expert": person(world, "expert", Role.EXPERT, regions=[suwon], medium="email"),
        "operator": person(world, "operator", Role.OPERATOR),
    }
