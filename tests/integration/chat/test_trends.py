"""When incidents come about, and how far experts confirm them."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from tests.integration.chat.conftest import NOW, Country, seoul
from uriai.domain.person import Person
from uriai.domain.utterance.calendar import Range
from uriai.domain.words import Role
from uriai.service.answer_question import answer_question
from uriai.service.asked import Chat
from uriai.service.dialogue import Question
from uriai.service.ports.chat import Filter

pytestmark = pytest.mark.integration


def ask(chat: Chat, person: Person, text: str) -> str:
    return answer_question(Question(person, text), chat).text


def test_a_trend_counts_by_day_and_hour_of_the_centres_clock(country: Country, chat: Chat, director: Person) -> None:
    country.incident("샛별어린이집", 3, 1, seoul(20, 0, 5))  # still the 19th in UTC
    country.incident("샛별어린이집", 3, 2, seoul(21, 14, 59))
    country.incident("샛별어린이집", 3, 3, seoul(21, 14, 1))
    country.incident("하늘어린이집", 1, 1, seoul(21, 14))
    told = ask(chat, director, "이번 주 추이").split("\n")
    assert told[1] == "모두 3건입니다."
    assert told[2:5] == ["07-20 ██████ 1건", "07-21 ████████████ 2건", "07-22 · 0건"]
    assert told[5] == "많았던 시간대: 화요일 14-15시 2건, 월요일 0-1시 1건."
    assert ask(chat, director, "trend of last week").split("\n")[1].startswith("No suspected incident")


def test_reliability_rests_on_experts_decisions_only(country: Country, chat: Chat, director: Person) -> None:
    number = 0
    for status, count in (("reported", 4), ("closed", 3), ("dismissed", 1), ("pending_review", 9)):
        for _ in range(count):
            number += 1
            country.incident("샛별어린이집", 3, number, seoul(21, 14, number), status=status)
    country.incident("샛별어린이집", 2, 99, seoul(20, 9), status="dismissed", kind="emotional")
    told = ask(chat, director, "어느 시간대가 가장 정확도가 높아?").split("\n")
    assert told[0] == "샛별어린이집, 4월 24일 00:00 ~ 7월 22일 24:00 KST"
    assert told[1] == "전문가가 판단한 9건 가운데 7건이 학대로 확인되었습니다 (77%)."
    assert told[2:4] == ["· 신체학대: 8건 가운데 7건 (87%)", "· 정서학대: 1건 가운데 0건 (0%)"]
    assert told[4:7] == [
        "· 3번 카메라: 8건 가운데 7건 (87%)",
        "가장 믿을 만한 시간대:",
        "· 화요일 14-15시: 8건 가운데 7건 (87%)",
    ]
    country.rows("UPDATE centre SET auto_report = 'on'")
    country.rows("UPDATE incident SET verdict = 'report' WHERE status = 'reported'")
    assert "4건 가운데 3건" in ask(chat, director, "오탐 얼마나 돼? 신체학대")


def test_a_trend_is_of_ones_own_scope(country: Country, chat: Chat, director: Person) -> None:
    country.incident("하늘어린이집", 1, 1, seoul(21, 14))
    country.incident("샛별어린이집", 3, 1, seoul(21, 14), withheld=True)
    liaison = country.person("박경위", Role.POLICE_LIAISON, regions=("경기도 성남시 분당구",)).person
    zone = ZoneInfo("Asia/Seoul")
    about = Filter(Range(datetime(2026, 7, 20, tzinfo=zone), NOW.astimezone(zone)))
    assert chat.questions.moments(director, about) == []
    assert chat.questions.moments(liaison, about) == []
    officer = country.person("박주무", Role.POLICY_OFFICER, regions=("경기도 성남시 분당구",)).person
    assert [moment.count for moment in chat.questions.moments(officer, about) or ()] == [1, 1]
