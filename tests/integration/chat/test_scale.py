"""The chatbot's queries read what they need by an index, however much there is beside it."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from pymysql.cursors import DictCursor

from tests.integration.chat.conftest import Country, seoul
from uriai.adapters.database.connection import Database
from uriai.adapters.database.questions import SqlQuestions
from uriai.domain.person import Person
from uriai.domain.ulid import Ulid
from uriai.domain.utterance.calendar import Range
from uriai.domain.words import Kind, Role
from uriai.service.answer_question import Chat, answer_question
from uriai.service.dialogue import Question
from uriai.service.ports.chat import Filter

pytestmark = pytest.mark.integration

CENTRES, DISTRICTS, DAYS = 400, 40, 30
LARGE = {"i", "s", "p", "a", "f", "e", "x", "m", "c"}
"""Aliases of the tables that grow with the country."""


class ExplainedQuestions(SqlQuestions):
    """Asks the server how it runs each statement before running it."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.steps: list[dict[str, Any]] = []

    def _rows(self, statement: str, parameters: tuple[Any, ...]) -> list[dict[str, Any]]:
        self.steps += super()._rows("EXPLAIN " + statement, parameters)
        return super()._rows(statement, parameters)


def fill(country: Country) -> None:
    """400 centres in 40 districts, two cameras each, one incident and one clip a day for each camera."""

    def work(cursor: DictCursor) -> None:
        cursor.executemany(
            "INSERT INTO region (region_id, province, district) VALUES (%s, '서울특별시', %s)",
            [(10_000 + district, f"{district}구") for district in range(DISTRICTS)],
        )
        centres = range(100_000, 100_000 + CENTRES)
        at = seoul(1, 0)
        cursor.executemany(
            "INSERT INTO centre (centre_id, region_id, name, created_at) VALUES (%s, %s, %s, %s)",
            [(centre, 10_000 + centre % DISTRICTS, f"{centre}어린이집", at) for centre in centres],
        )
        cursor.executemany(
            "INSERT INTO gateway (gateway_id, centre_id, created_at) VALUES (%s, %s, %s)",
            [(f"gw-{centre}", centre, at) for centre in centres],
        )
        cameras = [(centre * 10 + number, centre, number) for centre in centres for number in (1, 2)]
        cursor.executemany(
            "INSERT INTO camera (camera_id, centre_id, gateway_id, number, created_at) VALUES (%s, %s, %s, %s, %s)",
            [(camera, centre, f"gw-{centre}", number, at) for camera, centre, number in cameras],
        )
        incidents, clips = [], []
        for camera, centre, number in cameras:
            for day in range(DAYS):
                start = at + timedelta(days=day, hours=10 + number)
                key = Ulid.new(start).value
                incidents.append(
                    (key, centre, camera, day * 2 + number, start, start + timedelta(seconds=8), start, start)
                )
                clips.append((key, f"clips/{key.hex()}", camera, start, start))
        cursor.executemany(
            "INSERT INTO incident (incident_id, centre_id, camera_id, number, started_at, ended_at, created_at, "
            "updated_at, kind, verdict, status, confidence) "
            "VALUES (%s, %s, %s, %s, %s, %s, %s, %s, 'physical', 'review', 'pending_review', 0.9)",
            incidents,
        )
        cursor.executemany(
            "INSERT INTO clip (clip_id, object_key, camera_id, started_at, received_at) VALUES (%s, %s, %s, %s, %s)",
            clips,
        )
        # Built anew: a plan's numbers of rows would count those that tests before have deleted.
        cursor.execute("OPTIMIZE TABLE region, centre, camera, incident, clip, person_centre, person_region")
        cursor.fetchall()

    country.database.run(work)


def test_a_directors_and_an_officers_questions_use_an_index_for_every_large_table(country: Country) -> None:
    fill(country)
    country.centres["100007어린이집"] = 100_007
    director = country.person("김원장", Role.DIRECTOR, centres=("100007어린이집",)).person
    officer = country.person("이주무관", Role.POLICY_OFFICER, regions=("서울특별시 7구",)).person
    whole = CENTRES * 2 * DAYS
    about = Filter(Range(seoul(21, 0), seoul(22, 0)))
    for person, most in ((director, whole // 100), (officer, whole // 10)):
        questions = ExplainedQuestions(country.database)
        ask_all(questions, person, about)
        for step in questions.steps:
            if step["table"] in LARGE:
                assert step["key"] is not None, step
                assert int(step["rows"]) <= most, step
        assert sum(tally.count for tally in questions.tally(person, about)) == (2 if person is director else 20)
        assert questions.clips(person, about).total == (2 if person is director else 20)
    rows = rows_read(country.database, lambda: SqlQuestions(country.database).clips(officer, about))
    assert rows < CENTRES // DISTRICTS * 2 * 5, "of thirty days' clips it reads one day's, and no other day's"


def rows_read(database: Database, work: Callable[[], object]) -> int:
    """Rows that the server went through for this, by an index or without."""

    def read(cursor: DictCursor) -> int:
        cursor.execute("SHOW SESSION STATUS WHERE Variable_name IN ('Handler_read_next', 'Handler_read_rnd_next')")
        return sum(int(row["Value"]) for row in cursor.fetchall())

    before = database.run(read)
    work()
    return database.run(read) - before


def test_of_thirty_five_thousand_centres_each_is_found_by_its_name(country: Country, chat: Chat) -> None:
    def work(cursor: DictCursor) -> None:
        cursor.execute("INSERT INTO region (region_id, province, district) VALUES (20000, '부산광역시', '중구')")
        cursor.executemany(
            "INSERT INTO centre (centre_id, region_id, name, created_at) VALUES (%s, 20000, %s, %s)",
            [(200_000 + one, f"가람{one:05} 어린이집", seoul(1, 0)) for one in range(35_000)]
            + [(300_000, "해·달 어린이집", seoul(1, 0)), (300_001, "Zelkova daycare", seoul(1, 0))],
        )

    country.database.run(work)
    operator = country.person("운영자", Role.OPERATOR).person
    officer = country.person("이주무관", Role.POLICY_OFFICER, regions=("부산광역시 중구",)).person
    typed_names = [
        ("가람34999어린이집", "가람34999 어린이집"),
        ("해·달 어린이집", "해·달 어린이집"),
        ("중구 해·달 어린이집", "해·달 어린이집"),
        ("Zelkova daycare", "Zelkova daycare"),
    ]
    for person in (operator, officer):
        for typed, name in typed_names:
            text = answer_question(Question(person, f"{typed} 어제"), chat).text
            assert text.startswith(f"{name}, 7월 21일"), text
    began = time.perf_counter()
    assert SqlQuestions(country.database).centres_named(operator, "가람34999", 10)[0].id == 234_999
    assert time.perf_counter() - began < 0.5
    # what is out of scope stays unknown, however exactly it is spelled
    assert "찾지 못했습니다" in answer_question(Question(officer, "하늘어린이집 어제"), chat).text
    assert "하늘어린이집, 7월 21일" in answer_question(Question(operator, "하늘어린이집 어제"), chat).text


def ask_all(questions: SqlQuestions, person: Person, about: Filter) -> None:
    questions.centres(person, 2000)
    questions.centres_named(person, "100007어린이집", 2000)
    found = questions.incidents(person, about, 5)
    questions.strongest(person, about)
    questions.tally(person, about)
    questions.tally(person, Filter(about.range, (100_007,), (1,), (Kind.PHYSICAL,)))
    questions.clips(person, about)
    questions.numbered(person, 7, [100_007])
    questions.numbered(person, 7, [])
    questions.pictures(person, [incident.id for incident in found])


def test_a_directors_question_takes_less_than_a_twentieth_of_a_second(country: Country) -> None:
    fill(country)
    country.centres["100007어린이집"] = 100_007
    director = country.person("김원장", Role.DIRECTOR, centres=("100007어린이집",)).person
    questions = SqlQuestions(country.database)
    about = Filter(Range(seoul(21, 0), seoul(22, 0)))
    took = []
    for _ in range(20):
        began = time.perf_counter()
        ask_all(questions, director, about)
        took.append(time.perf_counter() - began)
    assert sorted(took)[10] < 0.05
