"""Answers to questions over real HTTP: to the address that a platform gave, or by its API, and nowhere else."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest

from tests.unit.telling.platforms import SLACK_TOKEN, TELEGRAM_TOKEN, platforms
from uriai.adapters.messaging.envelope import EnvelopeError
from uriai.adapters.messaging.replies import ReplyMessenger, is_reply, pack, unpack
from uriai.domain.telling import Medium
from uriai.domain.ulid import Ulid
from uriai.service.ports.clock import Clock
from uriai.service.ports.messaging import RefusedError, Reply, TryAgainError

NOW = datetime(2026, 7, 22, 5, 20, tzinfo=UTC)
CONTENT = {"text": "샛별어린이집, 7월 22일"}


@dataclass
class StoppedClock(Clock):
    at: datetime = NOW

    def now(self) -> datetime:
        return self.at


@pytest.fixture
def world():
    with platforms() as running:
        yield running


def reply(medium: Medium, *, url: str = "", address: str = "U1", minutes: float = 1) -> Reply:
    content = json.dumps(CONTENT, ensure_ascii=False)
    return Reply(Ulid.new(NOW), medium, address, "", "", content, url, NOW + timedelta(minutes=minutes))


def messenger(world, *, local: bool = True) -> ReplyMessenger:
    return ReplyMessenger(world.secret, StoppedClock(), local=local)


@pytest.mark.parametrize("medium", [Medium.SLACK, Medium.KAKAO])
def test_an_answer_goes_to_the_address_that_the_platform_gave(world, medium):
    world.trouble.append((200, {}, b"ok"))
    messenger(world).send(reply(medium, url=f"{world.url}/callback/1?x=2"))
    (call,) = world.calls
    assert (call.path, call.fields) == ("/callback/1?x=2", CONTENT)
    assert "Authorization" not in call.headers


def test_an_answer_without_an_address_goes_by_the_api_with_the_bots_token(world):
    messenger(world).send(reply(Medium.SLACK))
    messenger(world).send(replace(reply(Medium.TELEGRAM), content='{"chat_id": "7", "text": "x"}'))
    slack, telegram = world.calls
    assert slack.fields == {"channel": "U1", "unfurl_links": False, "unfurl_media": False, **CONTENT}
    assert slack.headers["Authorization"] == f"Bearer {SLACK_TOKEN}"
    assert telegram.path == f"/bot{TELEGRAM_TOKEN}/sendMessage"
    text = {"version": "2.0", "template": {"outputs": [{"simpleText": {"text": "샛별어린이집\n1건"}}]}}
    messenger(world).send(replace(reply(Medium.KAKAO), content=json.dumps(text)))
    assert world.calls[-1].fields["event"] == {"name": "uriai_tell", "data": {"text": "샛별어린이집\n1건"}}
    with pytest.raises(RefusedError):
        messenger(world).send(reply(Medium.KAKAO))


@pytest.mark.parametrize(
    "url", ["https://169.254.169.254/", "http://127.0.0.1:1/", "https://hooks.slack.com.evil.example/"]
)
@pytest.mark.parametrize("medium", [Medium.SLACK, Medium.KAKAO, Medium.TELEGRAM])
def test_an_address_that_is_not_the_platforms_is_refused_again_where_it_would_be_called(world, medium, url):
    with pytest.raises(RefusedError):
        messenger(world, local=False).send(reply(medium, url=url))
    assert world.calls == []


def test_an_answer_is_given_up_when_nobody_waits_for_it_or_its_address_is_used_up(world):
    with pytest.raises(RefusedError):
        messenger(world).send(reply(Medium.SLACK, minutes=-1))
    world.trouble.append((404, {}, b"used_url"))
    with pytest.raises(RefusedError):
        messenger(world).send(reply(Medium.SLACK, url=f"{world.url}/callback/1"))
    world.trouble.append((503, {}, b""))
    with pytest.raises(TryAgainError):
        messenger(world).send(reply(Medium.SLACK, url=f"{world.url}/callback/1"))
    world.trouble.append((200, {}, {"ok": False, "error": "invalid_auth"}))
    with pytest.raises(TryAgainError, match="invalid_auth"):
        messenger(world).send(reply(Medium.SLACK))


def test_an_answer_comes_out_of_the_queue_as_it_went_in_and_nothing_else_is_one():
    answer = reply(Medium.KAKAO, url="https://bot-api.kakao.com/x")
    assert is_reply(pack(answer))
    assert unpack(pack(answer)) == answer
    for text in ("", "[]", "secret", '{"v": 1}', json.dumps(json.loads(pack(answer)) | {"content": "[]"}),
                 json.dumps(json.loads(pack(answer)) | {"until": "2026-07-22"}),
                 json.dumps(json.loads(pack(answer)) | {"reply": 2})):  # fmt: skip
        with pytest.raises(EnvelopeError) as told:
            unpack(text)
        assert "secret" not in str(told.value)
    assert not is_reply("secret")
    assert not is_reply('{"v": 1}')
