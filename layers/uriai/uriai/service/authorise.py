"""Refuses what a person's role or scope does not allow."""

from __future__ import annotations

from uriai.domain.authority import ALLOWED, Act
from uriai.domain.centre import Centre
from uriai.domain.person import Person
from uriai.service.ports.repositories import Repositories


class NotAllowedError(Exception):
    """The person's role does not allow it, or the centre is out of their scope."""


def authorise(rows: Repositories, person: Person, act: Act, centre: Centre) -> None:
    """Return if the person may do it to something of the centre.

    Raises
    ------
    NotAllowedError
        If not; the message says who may.
    """
    if person.role not in ALLOWED[act]:
        roles = ", ".join(sorted(ALLOWED[act]))
        raise NotAllowedError(f"{person.name} is {person.role.value} and may not {act.value}: that is for {roles}")
    if not rows.scopes.includes(person, centre.id):
        raise NotAllowedError(f"{centre.name} is not in the scope of {person.name}: see `uriai people list`")
