"""Messengers over real HTTP, against servers of the documented contracts."""

from __future__ import annotations

import socket

import pytest

from tests.unit.telling.fakes import a_message
from tests.unit.telling.platforms import KAKAO, SLACK_TOKEN, TELEGRAM_TOKEN, platforms
from uriai.adapters.messaging import http
from uriai.adapters.messaging.envelope import EnvelopeError, pack, unpack
from uriai.adapters.messaging.http import Api, ForbiddenHostError
from uriai.adapters.messaging.messengers import Messengers
from uriai.adapters.messaging.slack import HOST, SlackMessenger
from uriai.domain.telling import Medium
from uriai.service.ports.messaging import RefusedError, TryAgainError

CHATS = (Medium.SLACK, Medium.TELEGRAM, Medium.KAKAO)
SECRETS = (SLACK_TOKEN, TELEGRAM_TOKEN, KAKAO["rest_api_key"])


@pytest.fixture
def world():
    with platforms() as running:
        yield running


def messenger(world, medium):
    return Messengers(world.secret, "", local=True).of(medium)


def test_slack_gets_plain_text_with_the_bots_token_and_control_characters_escaped(world):
    message = a_message()
    messenger(world, Medium.SLACK).send(type(message)(message.id, Medium.SLACK, "C1", "a <b> & c", "x"))
    (call,) = world.calls
    assert call.path == "/api/chat.postMessage"
    assert call.headers["Authorization"] == f"Bearer {SLACK_TOKEN}"
    assert call.fields == {
        "channel": "C1", "text": "a &lt;b&gt; &amp; c\nx",
        "mrkdwn": False, "unfurl_links": False, "unfurl_media": False,
    }  # fmt: skip


def test_telegram_gets_plain_text_without_a_preview(world):
    messenger(world, Medium.TELEGRAM).send(a_message(Medium.TELEGRAM))
    (call,) = world.calls
    assert call.path == f"/bot{TELEGRAM_TOKEN}/sendMessage"
    assert call.fields == {
        "chat_id": "C012AB3CD", "text": "[우리AI] 신고\n샛별어린이집 12번 사건",
        "link_preview_options": {"is_disabled": True},
    }  # fmt: skip


def test_kakao_gets_an_event_for_one_user(world):
    messenger(world, Medium.KAKAO).send(a_message(Medium.KAKAO))
    (call,) = world.calls
    assert call.headers["Authorization"] == "KakaoAK kakao-secret"
    assert call.fields == {
        "event": {"name": "uriai_tell", "data": {"text": "[우리AI] 신고\n샛별어린이집 12번 사건"}},
        "user": [{"type": "botUserKey", "id": "C012AB3CD"}],
    }


@pytest.mark.parametrize("medium", CHATS)
@pytest.mark.parametrize(
    ("status", "headers", "answer"),
    [
        (500, {}, {}),
        (503, {}, b"<html>bad gateway</html>"),
        (200, {}, b"not json"),
        (200, {}, {"ok": False, "error": "internal_error", "status": "ERROR"}),
        (200, {}, []),
        (302, {"Location": "http://127.0.0.1:1/elsewhere"}, {}),
        (401, {}, {"ok": False}),
    ],
)
def test_what_may_pass_is_for_another_attempt(world, medium, status, headers, answer):
    world.trouble.append((status, headers, answer))
    with pytest.raises(TryAgainError):
        messenger(world, medium).send(a_message(medium))
    assert len(world.calls) == 1, "neither repeated here nor followed elsewhere"


@pytest.mark.parametrize(
    ("medium", "headers", "answer", "after_s"),
    [
        (Medium.SLACK, {"Retry-After": "37"}, {"ok": False, "error": "ratelimited"}, 37.0),
        (Medium.TELEGRAM, {}, {"ok": False, "error_code": 429, "parameters": {"retry_after": 21}}, 21.0),
        (Medium.KAKAO, {"Retry-After": "5"}, {}, 5.0),
        (Medium.SLACK, {"Retry-After": "soon"}, {}, None),
        (Medium.SLACK, {"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}, {}, 0.0),
        (Medium.TELEGRAM, {}, {"parameters": "x"}, None),
    ],
)
def test_too_many_requests_says_when_to_come_again(world, medium, headers, answer, after_s):
    world.trouble.append((429, headers, answer))
    with pytest.raises(TryAgainError) as caught:
        messenger(world, medium).send(a_message(medium))
    assert caught.value.after_s == after_s


@pytest.mark.parametrize(
    ("medium", "status", "answer", "reason"),
    [
        (Medium.SLACK, 200, {"ok": False, "error": "channel_not_found"}, "slack: channel_not_found"),
        (Medium.TELEGRAM, 400, {"ok": False, "description": "Bad Request: chat not found"}, "telegram answered 400"),
        (Medium.TELEGRAM, 403, {"ok": False, "description": "Forbidden: bot was blocked"}, "telegram answered 403"),
        (Medium.KAKAO, 400, {"msg": "no such user"}, "kakao answered 400"),
    ],
)
def test_what_will_never_be_taken_is_refused(world, medium, status, answer, reason):
    world.trouble.append((status, {}, answer))
    with pytest.raises(RefusedError, match=reason):
        messenger(world, medium).send(a_message(medium))


def test_a_wrong_token_is_for_somebody_to_mend_and_the_mended_one_is_used(world):
    secret = world.secret()
    secret["slack"]["token"] = "xoxb-wrong"
    messengers = Messengers(lambda: secret, "", local=True)
    with pytest.raises(TryAgainError, match="invalid_auth"):
        messengers.of(Medium.SLACK).send(a_message())
    secret["slack"] = world.secret()["slack"]
    messengers.of(Medium.SLACK).send(a_message())
    assert len(world.calls) == 2


def test_a_platform_that_does_not_answer_is_given_up_in_time(world):
    world.delay_s = 1.0
    slow = SlackMessenger(Api(f"{world.url}/api", HOST, local=True, read_s=0.2), SLACK_TOKEN)
    with pytest.raises(TryAgainError, match="did not answer in time"):
        slow.send(a_message())
    world.delay_s = 0.0


@pytest.mark.parametrize("medium", CHATS)
def test_a_platform_that_cannot_be_reached_betrays_no_secret_and_no_address(medium):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with platforms() as gone:
        secret = gone.secret()
    for part in secret.values():
        part["api_url"] = f"http://127.0.0.1:{port}"
    with pytest.raises(TryAgainError) as caught:
        Messengers(lambda: secret, "", local=True).of(medium).send(a_message(medium))
    told = f"{caught.value!r} {caught.value.__cause__!r}"
    assert not [one for one in (*SECRETS, "C012AB3CD", "샛별") if one in told]
    assert caught.value.__suppress_context__


@pytest.mark.parametrize(
    ("base_url", "local"),
    [
        ("https://slack.com.evil.example/api", False),
        ("https://evil.example/slack.com", False),
        ("https://slack.com@evil.example/api", False),
        ("https://user:x@slack.com/api", False),
        ("http://slack.com/api", False),
        ("https://slack.com:8443/api", False),
        ("http://127.0.0.1:8080", False),
        ("http://169.254.169.254/latest", True),
        ("http://10.0.0.1", True),
        ("https://evil.example", True),
        ("", True),
    ],
)
def test_no_other_host_is_ever_called(base_url, local):
    with pytest.raises(ForbiddenHostError, match=r"https://slack\.com and no other"):
        Api(base_url, HOST, local=local)


@pytest.mark.parametrize("medium", CHATS)
def test_the_platforms_own_addresses_are_allowed(medium):
    secret = {"slack": {"token": "t"}, "telegram": {"token": "t"}, "kakao": KAKAO}
    assert Messengers(lambda: secret, "", local=False).of(medium)


@pytest.mark.parametrize("medium", Medium)
@pytest.mark.parametrize("secret", [{}, {"slack": {"token": ""}, "telegram": "x", "kakao": {"bot_id": "b"}}])
def test_a_medium_that_is_not_configured_waits_for_somebody_to_do_it(medium, secret):
    with pytest.raises(TryAgainError, match="not configured"):
        Messengers(lambda: secret, "", local=False).of(medium)


def test_no_more_of_an_answer_is_read_than_an_answer_has(world):
    world.trouble.append((200, {}, b'{"ok": true, "x": "' + b"x" * 1_000_000 + b'"}'))
    with pytest.raises(TryAgainError):
        messenger(world, Medium.SLACK).send(a_message())
    assert http.LARGEST_ANSWER < 1_000_000


def test_an_envelope_holds_the_whole_message():
    for medium in Medium:
        assert unpack(pack(a_message(medium, 7))) == a_message(medium, 7)


@pytest.mark.parametrize(
    "text",
    [
        "", "[]", "null", "{}", '{"v": 2}', pack(a_message()).replace('"slack"', '"fax"'),
        pack(a_message()).replace('"C012AB3CD"', "null"), pack(a_message()).replace(str(a_message().id), "비밀"),
    ],
)  # fmt: skip
def test_what_is_no_message_is_told_without_quoting_it(text):
    with pytest.raises(EnvelopeError) as caught:
        unpack(text)
    assert "비밀" not in str(caught.value)
    assert "샛별" not in str(caught.value)


@pytest.mark.parametrize("medium", CHATS)
def test_a_secret_pasted_with_the_end_of_its_line_is_taken_without_it(world, medium):
    def pasted():
        return {name: {key: f" {value}\r\n" for key, value in part.items()} for name, part in world.secret().items()}

    Messengers(pasted, "", local=True).of(medium).send(a_message(medium))
    (call,) = world.calls
    assert any(secret in call.path + str(dict(call.headers)) for secret in SECRETS)


@pytest.mark.parametrize("inside", ["\n", " ", "\x00", "é", "\u200b"])
@pytest.mark.parametrize(
    ("medium", "name"), [(Medium.SLACK, "token"), (Medium.TELEGRAM, "token"), (Medium.KAKAO, "rest_api_key")]
)
def test_a_secret_with_something_inside_that_none_has_is_told_of_without_quoting_it(world, medium, name, inside):
    secret = world.secret()
    secret[medium.value] = {**secret[medium.value], name: f"first{inside}second"}
    with pytest.raises(TryAgainError, match=f"{medium.value} is not configured: the {name} in its secret") as refused:
        Messengers(lambda: secret, "", local=True).of(medium)
    assert "first" not in str(refused.value)
    assert world.calls == []
