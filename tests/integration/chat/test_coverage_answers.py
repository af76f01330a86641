"""What people are told of coverage, and that nothing is said to have happened only where cameras recorded."""

from __future__ import annotations

import pytest

from tests.integration.chat.conftest import NOW, Country, SetClock, seoul
from tests.integration.chat.test_answers import ask
from uriai.domain.coverage import GRACE
from uriai.domain.person import Person
from uriai.domain.words import Role
from uriai.service.answer_question import Chat

pytestmark = pytest.mark.integration
CENTRE, OTHER, FAR = "샛별어린이집", "하늘어린이집", "푸른숲어린이집"


def record(country: Country, centre: str, *cameras: int, day: int = 21) -> None:
    """These cameras recorded the whole day."""
    for camera in cameras:
        country.covered(centre, camera, (seoul(day, 0), seoul(day + 1, 0)))


def test_which_cameras_had_holes_is_told_with_when(country: Country, chat: Chat, director: Person) -> None:
    record(country, CENTRE, 1, 3)
    country.covered(CENTRE, 2, (seoul(21, 0), seoul(21, 14, 2, 10)), (seoul(21, 14, 30, 50), seoul(22, 0)))
    text = ask(chat, director, "어제 안 찍힌 카메라 있어?").text
    assert text.splitlines() == [
        "샛별어린이집, 7월 21일 00:00-24:00 KST",
        "카메라 3대 가운데 2대가 빠짐없이 녹화했습니다.",
        "· 2번 카메라: 14:02-14:31 녹화 없음",
    ]
    text = ask(chat, director, "which cameras had holes yesterday?").text
    assert "Cameras that recorded the whole time: 2 of 3." in text
    assert "· camera 2: not recording 14:02-14:31" in text


def test_if_every_camera_recorded_that_is_said(country: Country, chat: Chat, director: Person) -> None:
    record(country, CENTRE, 1, 2, 3)
    assert "카메라 3대가 모두 빠짐없이 녹화했습니다." in ask(chat, director, "어제 녹화 공백 있었어?").text
    assert "all 3." in ask(chat, director, "did every camera record yesterday?").text


def test_today_is_told_up_to_when_it_can_be_known(country: Country, chat: Chat, director: Person) -> None:
    for camera in (1, 2):
        country.covered(CENTRE, camera, (seoul(22, 0), NOW - GRACE / 2))
    country.covered(CENTRE, 3, (seoul(22, 0), seoul(22, 13, 5)))
    text = ask(chat, director, "오늘 안 찍힌 카메라 있어?").text
    assert "카메라 3대 가운데 2대가 빠짐없이 녹화했습니다. (14:17까지 확인)" in text
    assert "· 3번 카메라: 13:05부터 계속 녹화 없음" in text
    assert "camera 3: not recording since 13:05" in ask(chat, director, "which cameras have gaps today?").text


def test_a_gateway_that_died_is_seen_by_the_officer_within_five_minutes_without_any_round_of_watch(
    country: Country, chat: Chat, clock: SetClock
) -> None:
    officer = country.person("이주무관", Role.POLICY_OFFICER, regions=("경기도 성남시 분당구",)).person
    for centre in (CENTRE, OTHER):
        for camera in (1, 2, 3):
            country.covered(centre, camera, (seoul(22, 0), seoul(22, 15)))
    clock.at = seoul(22, 15, 2)
    assert "6대가 모두" in ask(chat, officer, "오늘 안 찍힌 카메라 있어?").text
    country.covered(OTHER, 1, (seoul(22, 15), seoul(22, 15, 5)))
    country.covered(OTHER, 2, (seoul(22, 15), seoul(22, 15, 5)))
    country.covered(OTHER, 3, (seoul(22, 15), seoul(22, 15, 5)))
    clock.at = seoul(22, 15, 4)
    text = ask(chat, officer, "오늘 안 찍힌 카메라 있어?").text
    assert "카메라 6대 가운데 3대가 빠짐없이" in text
    for camera in (1, 2, 3):
        assert f"샛별어린이집 {camera}번 카메라: 15:00:00부터 계속 녹화 없음" in text


def test_nothing_happened_is_backed_by_coverage(country: Country, chat: Chat, director: Person) -> None:
    record(country, CENTRE, 1, 3)
    country.covered(CENTRE, 2, (seoul(21, 0), seoul(21, 14, 2)), (seoul(21, 14, 31), seoul(22, 0)))
    country.clip(CENTRE, 1, seoul(21, 9))
    text = ask(chat, director, "어제 무슨 일 있었어?").text
    assert "찾은 의심 사건이 없습니다." in text
    assert "카메라 3대 가운데 2대가 빠짐없이 녹화했습니다." in text
    assert "· 2번 카메라: 14:02-14:31 녹화 없음" in text
    assert "영상이 없는 시간까지 확인한 것은 아닙니다" in text
    country.covered(CENTRE, 2, (seoul(21, 14), seoul(21, 15)))
    text = ask(chat, director, "어제 무슨 일 있었어?").text
    assert "카메라 3대가 모두 빠짐없이 녹화했습니다." in text
    assert "확인한 것은 아닙니다" not in text


def test_a_quiet_day_without_a_clip_is_quiet_only_where_it_was_recorded(
    country: Country, chat: Chat, director: Person
) -> None:
    record(country, CENTRE, 1, 2)
    assert "아무 일도 없었다고 말씀드릴 수 없습니다" in ask(chat, director, "어제 무슨 일 있었어?").text
    record(country, CENTRE, 3)
    text = ask(chat, director, "어제 무슨 일 있었어?").text
    assert "움직임이 없어 남긴 영상이 없습니다." in text
    assert "말씀드릴 수 없습니다" not in text


def test_a_count_of_nothing_is_backed_too(country: Country, chat: Chat, director: Person) -> None:
    record(country, CENTRE, 1, 2)
    text = ask(chat, director, "어제 신체학대 몇 건?").text
    assert "0건" in text
    assert "· 3번 카메라: 이 시간에 녹화한 기록 없음" in text


def test_where_nothing_was_recorded_at_all_one_line_says_so(country: Country, chat: Chat, director: Person) -> None:
    text = ask(chat, director, "어제 녹화 공백 있었어?").text
    assert text.splitlines()[1:] == ["카메라 3대 모두 이 시간에 녹화한 기록이 없습니다."]


def test_a_question_about_one_camera_is_answered_for_that_camera(
    country: Country, chat: Chat, director: Person
) -> None:
    record(country, CENTRE, 1)
    assert "all 1." in ask(chat, director, "was camera 1 offline yesterday?").text
    assert "Not one of 1 cameras" in ask(chat, director, "was camera 2 offline yesterday?").text


def test_over_several_days_a_hole_is_told_with_its_day(country: Country, chat: Chat, director: Person) -> None:
    for day in (19, 20, 21, 22):
        record(country, CENTRE, 1, 2, day=day)
    country.covered(CENTRE, 3, (seoul(19, 0), seoul(20, 23)), (seoul(21, 1), seoul(22, 14, 20)))
    text = ask(chat, director, "최근 3일 녹화 공백 있었어?").text
    assert "· 3번 카메라: 7월 20일 23:00-7월 21일 01:00 녹화 없음" in text


def test_many_holes_and_many_cameras_are_counted(country: Country, chat: Chat) -> None:
    operator = country.person("운영자", Role.OPERATOR).person
    country.centre("큰어린이집", "용인시", cameras=14)
    for centre, cameras in ((CENTRE, 3), (OTHER, 3), (FAR, 3), ("큰어린이집", 14)):
        for camera in range(1, cameras + 1):
            country.covered(centre, camera, *((seoul(21, hour), seoul(21, hour, 50)) for hour in range(0, 24, 2)))
    text = ask(chat, operator, "어제 녹화 공백 있었어?").text
    assert "카메라 23대 가운데 0대가 빠짐없이" in text
    assert "녹화 없음" in text
    assert "00:50-02:00, 02:50-04:00, 04:50-06:00 외 9번 녹화 없음" in text
    assert "그 밖에 카메라 13대에도" in text
    assert len(text) < 1000


def test_nobody_is_told_of_a_centre_outside_their_scope(country: Country, chat: Chat, director: Person) -> None:
    officer = country.person("이주무관", Role.POLICY_OFFICER, regions=("경기도 수원시 영통구",)).person
    record(country, FAR, 1, 2)
    text = ask(chat, officer, "어제 녹화 공백 있었어?").text
    assert "푸른숲어린이집" in text
    assert "카메라 3대 가운데 2대" in text
    assert "카메라 3대 모두" in ask(chat, director, "어제 녹화 공백 있었어?").text


def test_a_gateway_that_was_replaced_counts_with_its_successor(country: Country, chat: Chat, director: Person) -> None:
    centre = country.centres[CENTRE]
    country.rows("UPDATE gateway SET revoked_at = %s WHERE gateway_id = %s", seoul(21, 12), f"gw-{centre}")
    for camera in (1, 2, 3):
        country.covered(CENTRE, camera, (seoul(21, 0), seoul(21, 12)))
    country.rows(
        "INSERT INTO gateway (gateway_id, centre_id, created_at) VALUES ('gw-new', %s, %s)", centre, seoul(21, 12)
    )
    country.rows(
        "INSERT INTO camera (centre_id, gateway_id, number, created_at) VALUES (%s, 'gw-new', 1, %s), "
        "(%s, 'gw-new', 2, %s)", centre, NOW, centre, NOW,
    )  # fmt: skip
    country.rows(
        "INSERT INTO coverage SELECT camera_id, %s, %s FROM camera WHERE gateway_id = 'gw-new'",
        seoul(21, 12), seoul(22, 0),
    )  # fmt: skip
    text = ask(chat, director, "어제 녹화 공백 있었어?").text
    assert "카메라 3대 가운데 2대" in text
    assert "· 3번 카메라: 12:00-24:00 녹화 없음" in text
    # on the day after, the old gateway's cameras are nobody's
    assert "카메라 2대 모두" in ask(chat, director, "오늘 녹화 공백 있었어?").text


@pytest.mark.parametrize(
    ("text", "said"), [("내일 녹화 공백 있어?", "아직 오지 않은"), ("녹화 공백 있었어?", "어느 날짜")]
)
def test_without_a_time_that_can_be_known_that_is_said(
    country: Country, chat: Chat, director: Person, text: str, said: str
) -> None:
    assert said in ask(chat, director, text).text


def test_just_after_midnight_today_cannot_be_known_yet(chat: Chat, director: Person, clock: SetClock) -> None:
    clock.at = seoul(22, 0, 1)
    assert "잠시 뒤에" in ask(chat, director, "오늘 녹화 공백 있어?").text


def test_more_than_can_be_looked_through_is_said_and_not_half_answered(
    country: Country, chat: Chat, monkeypatch: pytest.MonkeyPatch
) -> None:
    operator = country.person("운영자", Role.OPERATOR).person
    for centre in (CENTRE, OTHER, FAR):
        record(country, centre, 1, 2, 3)
    monkeypatch.setattr("uriai.adapters.database.questions.MOST_SPANS", 17)
    assert "카메라가 너무 많습니다" in ask(chat, operator, "어제 녹화 공백 있었어?").text
    monkeypatch.setattr("uriai.adapters.database.questions.MOST_SPANS", 18)
    assert "카메라 9대가 모두" in ask(chat, operator, "어제 녹화 공백 있었어?").text
    monkeypatch.setattr("uriai.adapters.database.questions.MOST_CAMERA_DAYS", 9 * 7 - 1)
    assert "카메라가 너무 많습니다" in ask(chat, operator, "지난주 녹화 공백 있었어?").text
    monkeypatch.setattr("uriai.adapters.database.questions.MOST_CAMERA_DAYS", 9 * 7)
    assert "카메라가 너무 많습니다" not in ask(chat, operator, "지난주 녹화 공백 있었어?").text
