"""What people are told, in words."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.unit.telling.test_telling import GRAVE, NOON, incident
from uriai.adapters.messaging.kakao import LONGEST_TEXT
from uriai.domain.centre import Centre
from uriai.domain.person import Language
from uriai.domain.record import Trouble
from uriai.domain.telling import Audience, Occasion, audiences, missing
from uriai.domain.words import Kind, Status
from uriai.service.ports.telling import Place, UntoldTrouble
from uriai.service.tidings import LONGEST_BODY, LONGEST_SUBJECT, Tidings, again, message

CENTRE = Centre(1, "샛별어린이집", "Asia/Seoul", auto_report=False)
PLACE = Place("경기도 수원시 영통동", "영통로 1", "031-000-0000")
TIDINGS = Tidings("incident:x", CENTRE, PLACE, 3, GRAVE.started_at, GRAVE.ended_at, GRAVE, "수원영통경찰서")
HOLE = replace(TIDINGS, incident=None, camera_number=None, ended_at=None, station=None)
GAP = UntoldTrouble("gap:x:20261122", CENTRE, "x" * 63, Trouble.GAP, 7, GRAVE.started_at, GRAVE.ended_at)
RECORDS = replace(HOLE, trouble=GAP, ended_at=GRAVE.ended_at)


def every_message(tidings: Tidings) -> dict[tuple[Occasion, Audience, Language], tuple[str, str]]:
    """Everything that anybody can be told of an incident or a hole."""
    without = {Occasion.RECORDS} if tidings.trouble else {Occasion.HOLE}
    own = set(Occasion) - {Occasion.HOLE, Occasion.RECORDS} if tidings.incident else without
    told = [(occasion, audience) for occasion in own for audience in audiences(occasion, withheld=False)]
    told += [(missing(audience), Audience.OPERATOR) for audience in Audience if missing(audience)]
    return {
        (occasion, audience, language): message(language, tidings, occasion, audience, NOON)
        for occasion, audience in told
        for language in Language
    }


def test_an_expert_is_paged_with_centre_number_kind_as_suspicion_camera_and_time_in_the_centres_zone():
    subject, body = message(Language.KOREAN, TIDINGS, Occasion.PAGE, Audience.EXPERT, NOON)
    assert subject == "[우리AI] 긴급 확인: 샛별어린이집 12번 신체학대 의심"
    assert body == (
        "샛별어린이집 12번 사건\n"
        "신체학대 의심 · 3번 카메라\n"
        "11월 22일 12:00:00-12:00:04 KST\n"
        "\n"
        "신고 기준을 넘은 사건입니다. 지금 맡아 주십시오: uriai review take 12 --centre '샛별어린이집'\n"
        "맡는 분이 없으면 계속 다시 알립니다."
    )


def test_the_police_are_told_where_to_go_and_whether_the_original_is_vouched_for():
    told = replace(TIDINGS, incident=replace(GRAVE, status=Status.REPORTED, unverified=True))
    subject, body = message(Language.ENGLISH, told, Occasion.REPORTED, Audience.STATION, NOON)
    assert subject == "[Uri-AI] report: 샛별어린이집 no. 12, suspicion of physical abuse"
    assert body.split("\n") == [
        "샛별어린이집, incident 12",
        "suspicion of physical abuse · camera 3",
        "November 22 12:00:00-12:00:04 KST",
        "signature not verified",
        "경기도 수원시 영통동 영통로 1 · phone 031-000-0000",
        "",
        "This is reported on suspicion of child abuse and registered as before dispatch. Only the video of the time "
        "above has to be looked at.",
    ]


@pytest.mark.parametrize("audience", [Audience.POLICY_OFFICER, Audience.DIRECTOR])
@pytest.mark.parametrize("language", Language)
def test_nobody_is_told_that_the_police_know_where_they_do_not(audience, language):
    _, known = message(language, TIDINGS, Occasion.REPORTED, audience, NOON)
    _, unknown = message(language, replace(TIDINGS, station=None), Occasion.REPORTED, audience, NOON)
    assert "수원영통경찰서" in known
    assert "112" not in known
    assert "112" in unknown
    assert "경찰서" not in unknown.replace("연락할 수 있는 경찰서가", "")


def test_a_camera_fault_is_no_suspicion_and_a_hole_has_no_number():
    fault = replace(TIDINGS, incident=incident(Status.OPEN, kind=Kind.TAMPER))
    _, body = message(Language.KOREAN, fault, Occasion.TAMPER, Audience.DIRECTOR, NOON)
    assert body.split("\n")[1] == "기기 이상 · 3번 카메라"
    subject, body = message(Language.KOREAN, HOLE, Occasion.HOLE, Audience.POLICY_OFFICER, NOON + timedelta(minutes=4))
    assert subject == "[우리AI] 녹화 공백: 샛별어린이집"
    assert body.split("\n")[:3] == [
        "샛별어린이집 녹화 공백",
        "녹화가 확인되지 않음 · 모든 카메라",
        "11월 22일 12:00:00-12:04:00 KST (계속되는 중)",
    ]


@pytest.mark.parametrize(
    ("trouble", "what"),
    [
        (Trouble.GAP, "7 of its records did not come"),
        (Trouble.ORDER, "7 of its records contradict each other or their order"),
        (Trouble.CLOCK, "its clock is wrong"),
    ],
)
def test_an_officer_reads_what_is_wrong_with_the_records_of_which_gateway(trouble, what):
    told = replace(RECORDS, trouble=replace(GAP, trouble=trouble, gateway="saetbyeol-1"))
    subject, body = message(Language.ENGLISH, told, Occasion.RECORDS, Audience.POLICY_OFFICER, NOON)
    assert subject == "[Uri-AI] fault in the records: 샛별어린이집"
    assert body.split("\n")[:2] == ["샛별어린이집, fault in the records", f"{what} · gateway saetbyeol-1"]


@pytest.mark.parametrize("tidings", [TIDINGS, HOLE, RECORDS], ids=["incident", "hole", "records"])
def test_every_message_has_its_words_in_both_languages_and_no_link(tidings):
    for key, (subject, body) in every_message(tidings).items():
        assert "\n" not in subject, key
        assert "http" not in body, key
        assert tidings.centre.name in body, key
        assert "{" not in subject + body, key
        assert tidings.centre.name in subject, key


def test_the_longest_names_leave_room_for_what_to_do_next():
    long = replace(CENTRE, name="가" * 120)
    place = Place("나" * 40 + " " + "다" * 40 + " " + "라" * 60, "마" * 255, "0" * 40)
    tidings = replace(TIDINGS, centre=long, place=place, station="바" * 80)
    short = every_message(TIDINGS)
    for key, (subject, body) in every_message(tidings).items():
        assert len(subject) < LONGEST_SUBJECT, key
        assert len(body) < LONGEST_BODY, key
        assert body.rstrip().endswith(short[key][1].rstrip()[-5:]), key


def test_a_repetition_says_so():
    assert again(Language.KOREAN, "[우리AI] 긴급 확인", 2) == "[다시 알림 2] [우리AI] 긴급 확인"
    assert len(again(Language.ENGLISH, "x" * 200, 3)) == 200


def test_the_longest_message_fits_the_shortest_limit_of_a_messenger():
    assert LONGEST_SUBJECT + len("\n") + LONGEST_BODY <= LONGEST_TEXT
