"""What people are answered, from a real database."""

from __future__ import annotations

import pytest

from tests.integration.chat.conftest import Country, SetClock, seoul
from uriai.domain.person import Language, Person
from uriai.domain.words import Role
from uriai.service.answer_question import Chat, answer_question
from uriai.service.dialogue import Answer, Question

pytestmark = pytest.mark.integration


def ask(chat: Chat, person: Person, text: str, language: Language | None = None) -> Answer:
    return answer_question(Question(person, text, language, base_url="https://chat.example/live"), chat)


def test_a_summary_tells_count_kind_span_camera_status_and_strongest_moment(
    country: Country, chat: Chat, director: Person
) -> None:
    country.incident("샛별어린이집", 3, 12, seoul(21, 14, 2, 10), confidence=0.93)
    country.incident("샛별어린이집", 1, 13, seoul(21, 16, 30), kind="neglect", confidence=0.81)
    answer = ask(chat, director, "어제 무슨 일 있었어?")
    assert "샛별어린이집, 7월 21일 00:00-24:00 KST" in answer.text
    assert "의심 사건 2건이 있습니다 (신체학대 1건, 방임 1건)." in answer.text
    assert "12번 · 신체학대 · 3번 카메라 · 7월 21일 14:02:10-14:02:18 · 전문가 확인 대기 · 확신도 93%" in answer.text
    assert "가장 강한 순간: 12번, 3번 카메라, 7월 21일 14:02:14 (확신도 93%)." in answer.text
    assert "이 기간의 영상 2개 가운데 2개를 분석했습니다." in answer.text
    assert [card.number for card in answer.cards] == [12, 13]
    assert answer.cards[0].picture.startswith("https://chat.example/live/v1/evidence/")
    assert answer.cards[0].picture != answer.cards[0].link


def test_a_summary_tells_what_waits_for_an_expert_what_the_police_have_and_what_was_before(
    country: Country, chat: Chat, director: Person
) -> None:
    country.incident("샛별어린이집", 3, 12, seoul(21, 14), status="pending_review")
    country.incident("샛별어린이집", 1, 13, seoul(21, 15), status="reported")
    country.incident("샛별어린이집", 3, 14, seoul(21, 16), status="dispatched")
    country.incident("샛별어린이집", 2, 11, seoul(20, 16), status="dismissed")
    korean, english = (ask(chat, director, "어제 무슨 일 있었어?", language).text for language in Language)
    assert "상태별: 전문가 확인 대기 1건, 경찰 신고됨 1건, 경찰 출동 1건." in korean
    assert "카메라별: 1번 1건, 3번 2건." in korean
    assert "그 전(7월 20일 00:00-24:00 KST)에는 1건이었습니다." in korean
    assert "In the time before (July 20, 00:00-24:00 KST): 1." in english


def test_that_nothing_was_before_is_said_only_of_clips_that_were_analysed(
    country: Country, chat: Chat, director: Person
) -> None:
    country.incident("샛별어린이집", 3, 12, seoul(21, 14))
    country.clip("샛별어린이집", 1, seoul(20, 9), state="failed")
    country.clip("샛별어린이집", 1, seoul(20, 10), state=None)
    assert "그 전(" not in ask(chat, director, "어제").text
    country.clip("샛별어린이집", 1, seoul(20, 11))
    assert "그 전(7월 20일 00:00-24:00 KST)에는 0건이었습니다." in ask(chat, director, "어제").text


def test_what_was_before_is_told_of_a_time_without_incidents_too(
    country: Country, chat: Chat, director: Person
) -> None:
    country.incident("샛별어린이집", 3, 12, seoul(20, 14))
    country.clip("샛별어린이집", 1, seoul(21, 9))
    text = ask(chat, director, "어제").text
    assert "찾은 의심 사건이 없습니다." in text and "그 전(7월 20일 00:00-24:00 KST)에는 1건이었습니다." in text


def test_the_same_in_english(country: Country, chat: Chat, director: Person) -> None:
    country.incident("샛별어린이집", 3, 12, seoul(21, 14, 2, 10), status="reported")
    answer = ask(chat, director, "what happened yesterday afternoon at camera 3?")
    assert "샛별어린이집, camera 3, July 21, 12:00-18:00 KST" in answer.text
    assert "Suspected incidents: 1 (physical abuse 1)." in answer.text
    assert "No. 12 · physical abuse · camera 3 · July 21 14:02:10-14:02:18 · reported to the police" in answer.text


def test_the_language_can_be_chosen(chat: Chat, director: Person) -> None:
    assert ask(chat, director, "오늘", Language.ENGLISH).text.startswith("샛별어린이집, July 22, 00:00-24:00 KST")


def test_no_incident_is_told_with_how_many_clips_were_looked_at(country: Country, chat: Chat, director: Person) -> None:
    country.clip("샛별어린이집", 1, seoul(21, 9))
    country.clip("샛별어린이집", 1, seoul(21, 10), state="failed")
    country.clip("샛별어린이집", 2, seoul(21, 11), state=None)
    text = ask(chat, director, "어제").text
    assert "찾은 의심 사건이 없습니다." in text
    assert "영상 3개 가운데 1개를 분석했습니다. 1개는 분석하지 못했습니다. 1개는 아직 분석 중입니다." in text
    assert "영상이 없는 시간까지 확인한 것은 아닙니다" in text


def test_without_a_clip_nothing_is_claimed(chat: Chat, director: Person) -> None:
    assert "아무 일도 없었다고 말씀드릴 수 없습니다" in ask(chat, director, "어제").text


def test_kind_camera_and_time_narrow_the_answer(country: Country, chat: Chat, director: Person) -> None:
    country.incident("샛별어린이집", 1, 1, seoul(21, 10))
    country.incident("샛별어린이집", 3, 2, seoul(21, 15), kind="neglect")
    country.incident("샛별어린이집", 3, 3, seoul(21, 15, 30))
    assert [one.number for one in ask(chat, director, "어제 오후 3번 카메라").incidents] == [2, 3]
    assert [one.number for one in ask(chat, director, "어제 방임").incidents] == [2]
    assert "신체학대는 모두 2건입니다." in ask(chat, director, "어제 신체학대 몇 건?").text


def test_an_incident_that_began_before_the_range_and_reaches_into_it_is_in_it(
    country: Country, chat: Chat, director: Person
) -> None:
    country.incident("샛별어린이집", 1, 1, seoul(20, 23, 59, 56))
    assert [one.number for one in ask(chat, director, "어제").incidents] == [1]
    assert [one.number for one in ask(chat, director, "그제").incidents] == [1]
    assert not ask(chat, director, "오늘").incidents


def test_a_merged_incident_is_not_listed(country: Country, chat: Chat, director: Person) -> None:
    first = country.incident("샛별어린이집", 1, 1, seoul(21, 10))
    country.incident("샛별어린이집", 1, 2, seoul(21, 10, 1), merged_into=first)
    assert [one.number for one in ask(chat, director, "어제").incidents] == [1]


def test_the_number_of_a_merged_incident_leads_to_the_one_it_is_part_of(
    country: Country, chat: Chat, director: Person
) -> None:
    first = country.incident("샛별어린이집", 1, 12, seoul(21, 10))
    country.incident("샛별어린이집", 1, 13, seoul(21, 10, 1), merged_into=first)
    answer = ask(chat, director, "13번 사건 상태")
    assert "13번 사건은 12번 사건에 합쳐졌습니다." in answer.text
    assert [one.number for one in answer.incidents] == [12]
    assert "Incident 13 is part of incident 12." in ask(chat, director, "status of incident 13").text
    assert "합쳐졌습니다" not in ask(chat, director, "12번 사건 상태").text


def test_the_number_of_a_merged_incident_tells_nobody_more_than_they_may_see(
    country: Country, chat: Chat, director: Person
) -> None:
    police = country.person("최경위", Role.POLICE_LIAISON, regions=("경기도 성남시 분당구",)).person
    seen = country.incident("샛별어린이집", 1, 1, seoul(21, 10))
    hidden = country.incident("샛별어린이집", 1, 2, seoul(21, 11), withheld=True)
    country.incident("샛별어린이집", 1, 3, seoul(21, 11, 1), merged_into=hidden)
    country.incident("샛별어린이집", 1, 4, seoul(21, 10, 1), merged_into=seen, withheld=True)
    country.incident("하늘어린이집", 1, 5, seoul(21, 10))
    for person, numbers in ((director, (2, 3, 4, 5)), (police, (1, 2, 3, 4, 5))):
        for number in numbers:
            assert f"{number}번 사건을 찾지 못했습니다" in ask(chat, person, f"{number}번 사건 상태").text


def test_a_number_beside_a_date_is_the_incident_of_that_number(country: Country, chat: Chat, director: Person) -> None:
    country.incident("샛별어린이집", 1, 12, seoul(21, 10))
    country.incident("샛별어린이집", 1, 13, seoul(21, 11))
    assert [one.number for one in ask(chat, director, "incident 12 yesterday").incidents] == [12]


def test_what_is_withheld_from_the_director_does_not_exist_for_them(
    country: Country, chat: Chat, director: Person
) -> None:
    officer = country.person("이주무관", Role.POLICY_OFFICER, regions=("경기도 성남시 분당구",)).person
    before = [ask(chat, director, text).text for text in ("어제 몇 건?", "7번 사건 상태")]
    country.incident("샛별어린이집", 1, 7, seoul(21, 10), withheld=True)
    country.rows("DELETE FROM evidence")
    after = [ask(chat, director, text).text for text in ("어제 몇 건?", "7번 사건 상태")]
    assert "모두 0건" in after[0]
    assert after[1] == before[1]
    assert [one.number for one in ask(chat, officer, "어제").incidents] == [7]


def test_status_of_one_incident(country: Country, chat: Chat, director: Person) -> None:
    country.incident("샛별어린이집", 2, 12, seoul(21, 10), status="dispatched")
    answer = ask(chat, director, "12번 사건 어떻게 됐어?")
    assert "상태: 경찰 출동" in answer.text
    assert "경찰이 출동했습니다." in answer.text
    assert len(answer.cards) == 1


def test_another_centre_is_answered_like_one_that_does_not_exist(
    country: Country, chat: Chat, director: Person
) -> None:
    country.incident("하늘어린이집", 1, 40, seoul(21, 10))
    other = ask(chat, director, "하늘어린이집 어제")
    nowhere = ask(chat, director, "구름어린이집 어제")
    assert other.text.replace("하늘", "구름") == nowhere.text
    assert other.suggestions == nowhere.suggestions
    assert not other.incidents
    assert ask(chat, director, "40번 사건 상태").text == ask(chat, director, "41번 사건 상태").text.replace("41", "40")


def test_a_director_of_several_centres_is_asked_which(country: Country, chat: Chat) -> None:
    person = country.person("박원장", Role.DIRECTOR, centres=("샛별어린이집", "하늘어린이집")).person
    country.incident("하늘어린이집", 1, 1, seoul(21, 10))
    answer = ask(chat, person, "어제 무슨 일 있었어?")
    assert answer.text.startswith("어느 어린이집인지 말씀해 주세요.")
    assert answer.suggestions == ("샛별어린이집 어제 무슨 일 있었어?", "하늘어린이집 어제 무슨 일 있었어?")
    assert [one.number for one in ask(chat, person, answer.suggestions[1]).incidents] == [1]


@pytest.mark.parametrize("typed", ["샛별", "샛별어린이집", "샛별 어린이집", "새별어린이집", "Saetbyeol daycare"])
def test_a_centre_is_found_however_its_name_is_typed(country: Country, chat: Chat, typed: str) -> None:
    person = country.person("박원장", Role.DIRECTOR, centres=("샛별어린이집", "하늘어린이집")).person
    answer = ask(chat, person, f"{typed} 7월 21일" if not typed.isascii() else f"July 21 at {typed}")
    assert "샛별어린이집, " in answer.text


def test_a_name_alone_is_answered_with_the_full_name_and_a_question_for_the_date(chat: Chat, director: Person) -> None:
    answer = ask(chat, director, "샛별")
    assert answer.text == "샛별어린이집 (경기도 성남시 분당구 정자동)입니다. 어느 날짜를 알려 드릴까요?"
    assert answer.suggestions[0] == "샛별어린이집 오늘"


def test_an_officer_sees_the_district_and_only_it(country: Country, chat: Chat) -> None:
    officer = country.person("이주무관", Role.POLICY_OFFICER, regions=("경기도 성남시 분당구",)).person
    country.incident("샛별어린이집", 1, 1, seoul(21, 10))
    country.incident("하늘어린이집", 1, 1, seoul(21, 11))
    country.incident("푸른숲어린이집", 1, 1, seoul(21, 12))
    answer = ask(chat, officer, "어제")
    assert [one.centre.name for one in answer.incidents] == ["샛별어린이집", "하늘어린이집"]
    assert "하늘어린이집 1번" in answer.text
    assert "푸른숲" not in answer.text
    assert "여러 어린이집" in ask(chat, officer, "1번 사건 상태").text


def test_a_police_liaison_sees_what_was_reported_only(country: Country, chat: Chat) -> None:
    police = country.person("최경위", Role.POLICE_LIAISON, regions=("경기도 성남시 분당구",)).person
    for number, status in enumerate(("pending_review", "reported", "dismissed", "dispatched", "closed"), start=1):
        country.incident("샛별어린이집", 1, number, seoul(21, 9 + number), status=status)
    assert [one.number for one in ask(chat, police, "어제").incidents] == [2, 4, 5]


def test_a_person_without_scope_sees_nothing(country: Country, chat: Chat) -> None:
    for role in (Role.DIRECTOR, Role.POLICY_OFFICER, Role.EXPERT, Role.POLICE_LIAISON):
        person = country.person(f"무소속 {role.value}", role).person
        country.rows("SELECT 1")
        assert "지정되지 않았습니다" in ask(chat, person, "오늘").text


def test_an_operator_sees_every_centre(country: Country, chat: Chat) -> None:
    operator = country.person("운영자", Role.OPERATOR).person
    for centre in country.centres:
        country.incident(centre, 1, 1, seoul(21, 10))
    assert len(ask(chat, operator, "어제").incidents) == 3


def test_two_ranges_are_compared(country: Country, chat: Chat, director: Person) -> None:
    country.incident("샛별어린이집", 1, 1, seoul(14, 10))
    country.incident("샛별어린이집", 1, 2, seoul(21, 10))
    country.incident("샛별어린이집", 1, 3, seoul(21, 11))
    text = ask(chat, director, "이번 주와 지난주 비교해줘").text
    assert "7월 20일 00:00 ~ 7월 26일 24:00 KST: 2건\n7월 13일 00:00 ~ 7월 19일 24:00 KST: 1건\n1건 늘었습니다." in text


def test_a_comparison_of_days_without_a_clip_claims_nothing(country: Country, chat: Chat, director: Person) -> None:
    text = ask(chat, director, "어제와 그제 비교").text
    assert text.count("들어온 영상이 하나도 없어서, 아무 일도 없었다고 말씀드릴 수 없습니다") == 2
    assert "건수가 같습니다" not in text
    country.incident("샛별어린이집", 1, 1, seoul(21, 10))
    text = ask(chat, director, "compare yesterday and the day before yesterday").text
    assert "July 20, 00:00-24:00 KST: not one clip arrived" in text
    assert "July 21, 00:00-24:00 KST: 1 clips, 1 of them analysed." in text
    assert "more" not in text


def test_a_comparison_with_zero_incidents_tells_how_many_clips_were_looked_at(
    country: Country, chat: Chat, director: Person
) -> None:
    for day in (20, 21):
        country.clip("샛별어린이집", 1, seoul(day, 9))
        country.clip("샛별어린이집", 1, seoul(day, 10), state="failed")
    text = ask(chat, director, "어제와 그제 비교").text
    assert "건수가 같습니다." in text
    assert text.count("영상 2개 가운데 1개를 분석했습니다.") == 2


def test_of_three_ranges_none_is_dropped_from_a_comparison(country: Country, chat: Chat, director: Person) -> None:
    country.clip("샛별어린이집", 1, seoul(21, 9))
    assert "두 기간만 비교할 수 있습니다" in ask(chat, director, "월요일과 화요일과 수요일 비교").text


def test_two_centres_of_one_name_are_told_apart_by_where_they_are(country: Country, chat: Chat) -> None:
    country.centre("샛별어린이집", "수원시 장안구")
    country.incident("샛별어린이집", 1, 1, seoul(21, 10))  # of the second: the name now stands for it
    country.centre("샛별어린이집", "고양시 덕양구")
    country.incident("샛별어린이집", 1, 2, seoul(21, 11))
    officer = country.person("이주무관", Role.POLICY_OFFICER, regions=("경기도",)).person
    asked = ask(chat, officer, "샛별어린이집 어제 무슨 일 있었어?")
    assert asked.suggestions == (
        "분당구 정자동 샛별어린이집 어제 무슨 일 있었어?",
        "장안구 정자동 샛별어린이집 어제 무슨 일 있었어?",
        "덕양구 정자동 샛별어린이집 어제 무슨 일 있었어?",
    )
    told = [[one.number for one in ask(chat, officer, text).incidents] for text in asked.suggestions]
    assert told == [[], [1], [2]]
    assert [one.number for one in ask(chat, officer, "수원시 샛별 어린이집 어제").incidents] == [1]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("매일 아침 8시에 알려줘", "대화에서 신청하거나"),
        ("send me a masked copy of 12", "I cannot make a masked copy"),
    ],
)
def test_what_cannot_be_done_yet_is_said_with_what_can(
    country: Country, chat: Chat, director: Person, text: str, said: str
) -> None:
    country.incident("샛별어린이집", 1, 12, seoul(22, 10))
    assert said in ask(chat, director, text).text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("2월 30일 무슨 일 있었어?", "달력에 없습니다"),
        ("어제 25시", "없는 시각입니다"),
        ("어제 3시에 무슨 일 있었어?", "오전인지 오후인지"),
        ("what happened in early July at camera 2?", "I did not fully understand when"),
        ("비빔밥 조리법", "알아듣지 못했습니다"),
    ],
)
def test_what_is_not_understood_is_said_and_three_questions_are_offered(
    chat: Chat, director: Person, text: str, said: str
) -> None:
    answer = ask(chat, director, text)
    assert said in answer.text
    assert len(answer.suggestions) == 3
    assert not answer.incidents


def test_the_clock_of_the_centre_counts(country: Country, chat: Chat, clock: SetClock) -> None:
    country.centre("Maple daycare", "성남시 분당구", time_zone="America/New_York")
    person = country.person("Ann", Role.DIRECTOR, centres=("Maple daycare",)).person
    # in Seoul it is the 22nd, in New York still the 21st
    clock.at = seoul(22, 12)
    country.incident("Maple daycare", 1, 1, seoul(22, 2))
    answer = ask(chat, person, "today")
    assert "July 21, 00:00-24:00 EDT" in answer.text
    assert [one.number for one in answer.incidents] == [1]
