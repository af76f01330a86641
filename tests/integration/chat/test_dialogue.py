"""The source's dialogue and its like, turn by turn; each turn may be served by another container."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from tests.integration.chat.conftest import Country, SetClock, seoul
from uriai.adapters.chat.http import Desk
from uriai.domain.person import Platform
from uriai.domain.words import Role
from uriai.service.converse import Spoken, converse
from uriai.service.dialogue import Answer

pytestmark = pytest.mark.integration

Says = Callable[[str], Answer]


@pytest.fixture
def says(country: Country, another_desk: Callable[[], Desk]) -> Callable[[str], Says]:
    """A person of that role in Bundang, who enrols with their code; every turn is on a new connection."""

    def enrolled(role: str) -> Says:
        if role == "director":
            given = country.person("두원장", Role.DIRECTOR, centres=("샛별어린이집", "하늘어린이집"))
        else:
            given = country.person("박주무", Role.POLICY_OFFICER, regions=("경기도 성남시 분당구",))

        def say(text: str) -> Answer:
            return converse(Spoken(Platform.KAKAO, "k1", text), another_desk().conversation).answer

        say(given.code)
        return say

    return enrolled


def test_the_sources_dialogue(country: Country, says: Callable[[str], Says]) -> None:
    country.incident("샛별어린이집", 3, 12, seoul(22, 10))
    country.incident("샛별어린이집", 2, 13, seoul(22, 11))
    country.incident("하늘어린이집", 1, 1, seoul(22, 10))
    say = says("officer")
    assert "우리AI" in say("안녕하세요").text
    assert "샛별어린이집 (경기도 성남시 분당구 정자동)" in say("샛별").text
    answer = say("7월 22일")
    assert answer.text.startswith("샛별어린이집, 7월 22일 00:00-24:00 KST")
    assert "의심 사건 2건" in answer.text
    assert [one.number for one in answer.incidents] == [12, 13]
    assert "12번 자세히" in answer.suggestions
    assert "샛별어린이집 13번 사건" in say("13번 자세히").text
    assert "신체학대" in say("자세히").text


@pytest.mark.parametrize("typed", ["ㅅㅂ", "ㅅㅂ어린이집", "ㅅㅂ 7월 22일"])
def test_a_centre_is_called_by_the_first_letters_of_its_name(
    country: Country, says: Callable[[str], Says], typed: str
) -> None:
    country.incident("샛별어린이집", 3, 12, seoul(22, 10))
    country.incident("하늘어린이집", 1, 1, seoul(22, 10))
    say = says("officer")
    told = say(typed).text
    if "7월" not in typed:
        told = say("7월 22일").text
    assert told.startswith("샛별어린이집, 7월 22일 00:00-24:00 KST") and "의심 사건 1건" in told


def test_a_day_after_a_centre_is_of_that_centre_until_all_are_asked_for(
    country: Country, says: Callable[[str], Says]
) -> None:
    say = says("officer")
    say("하늘어린이집 오늘")
    assert say("어제는?").text.startswith("하늘어린이집, 7월 21일")
    assert say("고마워").text
    assert say("그저께").text.startswith("하늘어린이집, 7월 20일")
    assert say("어제 전체").text.startswith("담당 어린이집 전체")
    assert say("샛별 어제").text.startswith("샛별어린이집")


@pytest.mark.parametrize("choice", ["샛별", "1", "1번", "첫번째", "샛별어린이집", "새별어린이집", "ㅅㅂ"])
def test_a_director_of_two_centres_chooses_one(says: Callable[[str], Says], choice: str) -> None:
    say = says("director")
    asked = say("어제 3번 카메라 무슨 일 있었어?")
    wanted = asked.suggestions[0].split()[0] if choice[0] in "1첫" else "샛별어린이집"
    assert "어느 어린이집" in asked.text
    assert say(choice).text.startswith(f"{wanted}, 3번 카메라, 7월 21일")


def test_a_part_of_the_region_chooses_between_two_of_one_name(country: Country, says: Callable[[str], Says]) -> None:
    country.centre("한빛어린이집", "성남시 분당구")
    first = country.centres["한빛어린이집"]
    country.database.run(
        lambda cursor: cursor.execute(
            "INSERT INTO region (province, district, neighbourhood) VALUES ('경기도', '성남시 분당구', '서현동')"
        )
    )
    country.database.run(
        lambda cursor: cursor.execute(
            "INSERT INTO centre (region_id, name, address, phone, time_zone, auto_report, created_at) "
            "SELECT r.region_id, c.name, 'x', '', c.time_zone, c.auto_report, c.created_at FROM centre c "
            "JOIN region r ON r.neighbourhood = '서현동' WHERE c.centre_id = %s",
            (first,),
        )
    )
    say = says("officer")
    assert "어느 어린이집" in say("한빛 어제").text
    assert say("서현동").text.startswith("한빛어린이집, 7월 21일")


def test_after_half_an_hour_a_dialogue_begins_anew(says: Callable[[str], Says], clock: SetClock) -> None:
    say = says("officer")
    say("샛별")
    clock.at += timedelta(minutes=29)
    assert say("어제").text.startswith("샛별어린이집")
    clock.at += timedelta(minutes=31)
    assert say("어제").text.startswith("담당 어린이집 전체")


def test_a_number_of_an_incident_is_no_choice_where_nothing_was_asked_back(says: Callable[[str], Says]) -> None:
    say = says("director")
    assert "12번 사건" in say("12번 사건").text


def test_nobody_continues_the_dialogue_of_another(country: Country, another_desk: Callable[[], Desk]) -> None:
    for name, chat, region in (("일", "a", "성남시 분당구"), ("이", "b", "수원시 영통구")):
        officer = country.person(name, Role.POLICY_OFFICER, regions=(f"경기도 {region}",))
        converse(Spoken(Platform.KAKAO, chat, officer.code), another_desk().conversation)
    converse(Spoken(Platform.KAKAO, "a", "샛별"), another_desk().conversation)
    told = converse(Spoken(Platform.KAKAO, "b", "어제"), another_desk().conversation).answer.text
    assert "샛별" not in told
    assert "샛별" not in converse(Spoken(Platform.SLACK, "a", "어제"), another_desk().conversation).answer.text
