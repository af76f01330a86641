"""The day's summary, asked for in a chat, sent every day, stopped."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from tests.integration.chat.conftest import NOW, Country, Queue, SetClock, seoul
from tests.integration.chat.test_platforms import Sent
from uriai.adapters.chat.http import Desk
from uriai.adapters.chat.later import AnswerDesk, answer_later
from uriai.domain.person import Platform
from uriai.domain.words import Role
from uriai.service.converse import Spoken, converse
from uriai.service.dialogue import Answer
from uriai.service.enrol_person import Credentials, new_code
from uriai.service.send_digests import Digests, send_digests

pytestmark = pytest.mark.integration


@pytest.fixture
def given(country: Country) -> Credentials:
    return country.person("김샛별", Role.DIRECTOR, centres=("샛별어린이집",))


@pytest.fixture
def digests(desk: Desk, queue: Queue, clock: SetClock) -> Digests:
    return Digests(desk.subscriptions, queue, clock)


def says(desk: Desk, text: str, user: str = "T1/U1") -> Answer:
    return converse(Spoken(Platform.SLACK, user, text, "https://chat.example/live"), desk.conversation).answer


def test_a_summary_is_sent_at_its_time_once_a_day_until_stop(
    desk: Desk, country: Country, given: Credentials, digests: Digests, queue: Queue, clock: SetClock
) -> None:
    says(desk, given.code)
    assert "매일 18:00 KST에 그날 요약" in says(desk, "매일 오후 6시에 요약 보내줘").text
    country.incident("샛별어린이집", 3, 12, seoul(22, 16))
    assert send_digests(digests) == 0
    clock.at = seoul(22, 18)
    assert [send_digests(digests), send_digests(digests)] == [1, 0]
    sent = Sent()
    answer_later(queue.jobs.pop(), AnswerDesk(desk.conversation, desk.deliveries, sent))
    (reply,) = sent.replies
    assert (reply.address, reply.url) == ("U1", "")
    assert json.loads(reply.content)["text"].startswith("샛별어린이집, 7월 22일 00:00-24:00 KST\n의심 사건 1건")
    clock.at += timedelta(days=1)
    assert send_digests(digests) == 1
    assert "더 보내지 않습니다" in says(desk, "그만").text
    assert "없습니다" in says(desk, "그만").text
    clock.at += timedelta(days=1)
    assert send_digests(digests) == 0
    assert [row["action"] for row in country.audit("subscription.set") + country.audit("subscription.stopped")] == [
        "subscription.set", "subscription.stopped",
    ]  # fmt: skip


def test_in_the_morning_it_is_about_the_day_before(
    desk: Desk, given: Credentials, digests: Digests, queue: Queue, clock: SetClock
) -> None:
    says(desk, given.code)
    assert "every day at 08:00 KST" in says(desk, "send me a daily digest at 8 am").text
    assert "the day before" in says(desk, "send me a daily digest at 8 am").text
    clock.at = seoul(23, 8)
    send_digests(digests)
    assert queue.jobs[0].text == "어제 요약"


def test_half_a_time_is_asked_for_and_nothing_is_sent(desk: Desk, given: Credentials, country: Country) -> None:
    says(desk, given.code)
    asked = says(desk, "매일 8시에 알려줘")
    assert "오전인지 오후인지" in asked.text
    assert "몇 시에" in says(desk, "구독할래").text
    assert country.rows("SELECT COUNT(*) AS kept FROM subscription")[0]["kept"] == 0
    assert "매일 08:00" in says(desk, asked.suggestions[0]).text


def test_who_lost_their_rights_or_their_chat_is_sent_nothing(
    desk: Desk, country: Country, given: Credentials, digests: Digests, clock: SetClock
) -> None:
    other = country.person("이하늘", Role.DIRECTOR, centres=("하늘어린이집",))
    for user, code in (("T1/U1", given.code), ("T1/U2", other.code)):
        says(desk, code, user)
        says(desk, "매일 오후 6시에 요약 보내줘", user)
    country.people.disable(given.person, "test", clock.now())
    third = country.person("박푸른", Role.DIRECTOR, centres=("푸른숲어린이집",))
    code, _ = new_code(third.person, country.people, clock, "test")
    says(desk, code, "T1/U2")
    clock.at = seoul(22, 18)
    assert send_digests(digests) == 0


def test_a_round_that_died_after_queueing_sends_nobody_two(
    desk: Desk, given: Credentials, digests: Digests, queue: Queue, clock: SetClock
) -> None:
    says(desk, given.code)
    says(desk, "매일 오후 6시에 요약 보내줘")
    clock.at = datetime(2026, 7, 22, 9, 0, tzinfo=UTC)
    assert clock.at > NOW
    (due,) = desk.subscriptions.due(clock.now(), 10)
    send_digests(digests)
    desk.subscriptions.put(given.person, due, clock.now())  # as it was before
    send_digests(digests)
    sent = Sent()
    for job in queue.jobs:
        answer_later(job, AnswerDesk(desk.conversation, desk.deliveries, sent))
    assert (len(queue.jobs), len(sent.replies)) == (2, 1)
