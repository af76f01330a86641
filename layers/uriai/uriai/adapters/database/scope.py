"""Who may see what, as SQL. Every query of the chatbot carries one of these conditions."""

from __future__ import annotations

from pymysql.cursors import DictCursor

from uriai.domain.person import Person
from uriai.domain.words import Role
from uriai.service.ports.repositories import Scopes

# a region of a person stands for everything below it: a district for its neighbourhoods
_REGIONS = """
    c.region_id IN (
        SELECT below.region_id
        FROM person_region mine
        JOIN region above ON above.region_id = mine.region_id
        JOIN region below ON below.province = above.province
            AND (above.district = '' OR below.district = above.district)
            AND (above.neighbourhood = '' OR below.neighbourhood = above.neighbourhood)
        WHERE mine.person_id = {person}
    )
"""
_CENTRES = "c.centre_id IN (SELECT mine.centre_id FROM person_centre mine WHERE mine.person_id = {person})"
IN_CHARGE = f"""
    CASE p.role WHEN 'operator' THEN TRUE WHEN 'director' THEN {_CENTRES.format(person="p.person_id")}
    ELSE {_REGIONS.format(person="p.person_id")} END
"""
"""Whether a centre ``c`` is in the scope of a person ``p``, whoever it is; not for a row without a person."""


def centres_in_scope(person: Person) -> tuple[str, tuple[int, ...]]:
    """The condition on a centre ``c`` and its parameters."""
    if person.role is Role.OPERATOR:
        return "TRUE", ()
    if person.role is Role.DIRECTOR:
        return _CENTRES.format(person="%s"), (person.id,)
    return _REGIONS.format(person="%s"), (person.id,)


def numbers_in_scope(person: Person) -> tuple[str, tuple[int, ...]]:
    """The condition on an incident ``s`` that bears a number and on ``i``, which it is or was merged into."""
    condition, parameters = incidents_in_scope(person)
    if person.role is Role.DIRECTOR:
        # that a withheld incident ever had a number is withheld too
        condition += " AND s.withhold_from_director = FALSE"
    return condition, parameters


def incidents_in_scope(person: Person) -> tuple[str, tuple[int, ...]]:
    """The condition on an incident ``i`` of a centre ``c`` and its parameters."""
    condition, parameters = centres_in_scope(person)
    condition += " AND i.merged_into IS NULL"
    if person.role is Role.DIRECTOR:
        condition += " AND i.withhold_from_director = FALSE"
    if person.role is Role.POLICE_LIAISON:
        condition += " AND i.status IN ('reported', 'dispatched', 'closed')"
    return condition, parameters


class SqlScopes(Scopes):
    """Scopes in MariaDB or MySQL, inside one transaction."""

    def __init__(self, cursor: DictCursor) -> None:
        self._cursor = cursor

    def includes(self, person: Person, centre_id: int) -> bool:
        """Whether the centre is in the person's scope."""
        condition, parameters = centres_in_scope(person)
        self._cursor.execute(
            f"SELECT 1 FROM centre c WHERE {condition} AND c.centre_id = %s",  # noqa: S608 - our own words only
            (*parameters, centre_id),
        )
        return self._cursor.fetchone() is not None
