"""Refuses what a person's role or scope does not allow."""

from __future__ import annotations

from uriai.domain.authority import ALLOWED, Act
from uriai.domain.centre import Centre, no_such_centre
from uriai.domain.person import Person
from uriai.service.ports.repositories import Repositories


class NotAllowedError(Exception):
    """The person's role does not allow it, or there is no such centre in their scope."""


def authorise_role(person: Person, act: Act) -> None:
    """Return if people of this role may do it at all; says nothing of what there is.

    Raises
    ------
    NotAllowedError
        If not; the message says who may.
    """
    if person.role not in ALLOWED[act]:
        roles = ", ".join(sorted(ALLOWED[act]))
        raise NotAllowedError(f"{person.name} is {person.role.value} and may not {act.value}: that is for {roles}")


def authorise(rows: Repositories, person: Person, act: Act, centre: Centre) -> None:
    """Return if the person may do it to something of the centre.

    Raises
    ------
    NotAllowedError
        If not; a centre out of their scope is told of like one that there is not.
    """
    authorise_role(person, act)
    if not rows.scopes.includes(person, centre.id):
        raise NotAllowedError(no_such_centre(centre.name))
