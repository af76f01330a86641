"""Enrolment codes on a real MariaDB: the newest counts, once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from uriai.adapters.database.connection import Database
from uriai.adapters.database.people import SqlPeople
from uriai.domain.person import Language, Person, Platform
from uriai.domain.words import Role
from uriai.service.ports.chat import NewPerson

pytestmark = pytest.mark.integration

NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
LATER = NOW + timedelta(minutes=1)
EXPIRY = NOW + timedelta(hours=24)
FIRST, SECOND, OTHERS = (bytes([number]) * 32 for number in (1, 2, 3))


@pytest.fixture
def people(database: Database) -> SqlPeople:
    return SqlPeople(database)


def somebody(people: SqlPeople, name: str) -> Person:
    return people.add(NewPerson(name, Role.OPERATOR, Language.KOREAN, (), ()), "test", NOW)


def test_a_new_code_ends_the_older_unused_ones_of_this_person_only(people: SqlPeople) -> None:
    person, other = somebody(people, "김하늘"), somebody(people, "이바다")
    people.add_code(other, OTHERS, EXPIRY, "test", NOW)
    people.add_code(person, FIRST, EXPIRY, "test", NOW)
    people.add_code(person, SECOND, EXPIRY, "test", LATER)
    assert people.use_code(FIRST, Platform.KAKAO, "who found the first slip", LATER) is None
    assert people.by_chat(Platform.KAKAO, "who found the first slip") is None
    assert people.use_code(SECOND, Platform.KAKAO, "김", LATER) == person
    assert people.use_code(OTHERS, Platform.KAKAO, "이", LATER) == other


def test_a_code_that_was_used_keeps_its_chat_when_a_new_one_is_given(people: SqlPeople) -> None:
    person = somebody(people, "김하늘")
    people.add_code(person, FIRST, EXPIRY, "test", NOW)
    assert people.use_code(FIRST, Platform.KAKAO, "phone", NOW) == person
    people.add_code(person, SECOND, EXPIRY, "test", LATER)
    assert people.use_code(SECOND, Platform.SLACK, "desk", LATER) == person
    assert people.by_chat(Platform.KAKAO, "phone") == person


def test_the_same_code_given_twice_stays_good(people: SqlPeople) -> None:
    person = somebody(people, "김하늘")
    for _ in range(2):
        people.add_code(person, FIRST, EXPIRY, "test", NOW)
    assert people.use_code(FIRST, Platform.KAKAO, "phone", LATER) == person
