"""Answers to questions: their queue, and how they reach the platform, at the address it gave or by its API."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from uriai.adapters.messaging import kakao, slack, telegram
from uriai.adapters.messaging.envelope import EnvelopeError
from uriai.adapters.messaging.http import Answer, Api, ForbiddenHostError, failed
from uriai.domain.telling import Medium
from uriai.domain.ulid import Ulid
from uriai.service.ports.clock import Clock
from uriai.service.ports.later import Replies
from uriai.service.ports.messaging import Message, Messenger, RefusedError, Reply, TryAgainError

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

VERSION = 1
_GIVEN_HOSTS = {Medium.SLACK: "hooks.slack.com", Medium.KAKAO: kakao.HOST}
"""Where platforms have their own answers sent to."""
_BY_API = {
    Medium.SLACK: (slack.HOST, slack.BASE_URL),
    Medium.TELEGRAM: (telegram.HOST, telegram.BASE_URL),
}
_GONE = frozenset({400, 403, 404, 410})
"""The address is used up or too old."""
_TEXTS = ("address", "content", "url")


class SqsReplies(Replies):
    """The queue of answers in SQS."""

    def __init__(self, client: SQSClient, url: str) -> None:
        self._client = client
        self._url = url

    def put(self, reply: Reply) -> None:
        """Queue an answer."""
        self._client.send_message(QueueUrl=self._url, MessageBody=pack(reply))


def pack(reply: Reply) -> str:
    """The answer as JSON."""
    fields = {name: getattr(reply, name) for name in _TEXTS}
    fields |= {"id": str(reply.id), "medium": reply.medium.value, "until": reply.until.isoformat()}
    return json.dumps({"reply": VERSION, **fields}, ensure_ascii=False)


def is_reply(text: str) -> bool:
    """Whether a message from the queue is an answer, and no message that the system sends by itself."""
    try:
        fields = json.loads(text)
    except ValueError:
        return False
    return isinstance(fields, dict) and "reply" in fields


def unpack(text: str) -> Reply:
    """Read what `pack` wrote.

    Raises
    ------
    EnvelopeError
        If it is anything else.
    """
    try:
        fields = json.loads(text)
        if fields["reply"] != VERSION:
            raise EnvelopeError(f"the answer is of version {fields['reply']!r:.20}, not {VERSION}")
        address, content, url = (fields[name] for name in _TEXTS)
        until = datetime.fromisoformat(fields["until"])
        if not all(isinstance(value, str) for value in (address, content, url)) or until.tzinfo is None:
            raise EnvelopeError("address, content and url of an answer have to be texts, until an instant with offset")
        if not isinstance(json.loads(content), dict):
            raise EnvelopeError("the content of an answer has to be a JSON object")
        return Reply(Ulid.parse(fields["id"]), Medium(fields["medium"]), address, "", "", content, url, until)
    except (ValueError, KeyError, TypeError) as error:
        # the error's own text may quote what people are told
        raise EnvelopeError(f"the answer cannot be read ({type(error).__name__})") from None


class ReplyMessenger(Messenger):
    """Sends answers.

    Parameters
    ----------
    secret:
        Reads what `Messengers` reads.
    local:
        Whether platforms may be on this machine.
    """

    def __init__(self, secret: Callable[[], Mapping[str, Any]], clock: Clock, *, local: bool) -> None:
        self._secret = secret
        self._clock = clock
        self._local = local

    def send(self, message: Message) -> None:
        """Post the answer's content."""
        if not isinstance(message, Reply):
            raise TypeError("only answers are sent here")
        if self._clock.now() > message.until:
            raise RefusedError("nobody waits for the answer any more")
        content = json.loads(message.content)
        if message.medium is Medium.KAKAO and not message.url:
            self._by_kakao(message, content)
            return
        answer = self._to_url(message, content) if message.url else self._by_api(message, content)
        if answer.status == 200 and answer.fields.get("ok", True) is True:
            return
        if answer.status in _GONE:
            raise RefusedError(f"{message.medium.value} answered {answer.status}")
        if answer.status == 200:
            raise TryAgainError(f"{message.medium.value}: {str(answer.fields.get('error', 'no'))[:60]}")
        raise failed(answer, message.medium.value)

    def _to_url(self, reply: Reply, content: Mapping[str, object]) -> Answer:
        parts = urlsplit(reply.url)
        host = _GIVEN_HOSTS.get(reply.medium)
        if host is None:
            raise RefusedError(f"{reply.medium.value} gives no address to answer to")
        try:
            api = Api(f"{parts.scheme}://{parts.netloc}", host, local=self._local)
        except ForbiddenHostError:
            raise RefusedError("the address to answer to is not the platform's") from None
        return api.post(parts.path + (f"?{parts.query}" if parts.query else ""), content, {})

    def _by_kakao(self, reply: Reply, content: Mapping[str, Any]) -> None:
        """What a bot says first on Kakao is the text alone, by its event."""
        part = self._secret().get(reply.medium.value)
        fields = part if isinstance(part, Mapping) else {}
        bot_id, key = fields.get("bot_id"), fields.get("rest_api_key")
        if not isinstance(bot_id, str) or not isinstance(key, str) or not (bot_id and key):
            raise TryAgainError("kakao is not configured: its secret has to hold bot_id and rest_api_key")
        api = Api(str(fields.get("api_url") or kakao.BASE_URL), kakao.HOST, local=self._local)
        try:
            text = str(content["template"]["outputs"][0]["simpleText"]["text"])
        except (KeyError, IndexError, TypeError):
            raise RefusedError("the answer has no text for kakao") from None
        subject, _, body = text.partition("\n")
        kakao.KakaoMessenger(api, bot_id, key).send(Message(reply.id, reply.medium, reply.address, subject, body))

    def _by_api(self, reply: Reply, content: Mapping[str, object]) -> Answer:
        host, base_url = _BY_API[reply.medium]
        part = self._secret().get(reply.medium.value)
        fields = part if isinstance(part, Mapping) else {}
        token = fields.get("token")
        if not isinstance(token, str) or not token:
            raise TryAgainError(f"{reply.medium.value} is not configured: its secret has to hold token")
        api = Api(str(fields.get("api_url") or base_url), host, local=self._local)
        if reply.medium is Medium.TELEGRAM:
            return api.post(f"/bot{token}/sendMessage", content, {})
        fields = {"channel": reply.address, "unfurl_links": False, "unfurl_media": False, **content}
        return api.post("/chat.postMessage", fields, {"Authorization": f"Bearer {token}"})
