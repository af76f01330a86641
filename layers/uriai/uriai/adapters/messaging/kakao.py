"""Kakao: the chatbot's event API, which lets a bot speak first."""

from __future__ import annotations

from urllib.parse import quote

from uriai.adapters.messaging.http import Api, failed
from uriai.service.ports.messaging import Message, Messenger, RefusedError, TryAgainError

HOST = "bot-api.kakao.com"
BASE_URL = "https://bot-api.kakao.com"
EVENT = "uriai_tell"
"""The name of the block's event, as entered in the bot's administration; the block shows its parameter ``text``."""
LONGEST_TEXT = 1000


class KakaoMessenger(Messenger):
    """A Kakao channel's bot."""

    def __init__(self, api: Api, bot_id: str, rest_api_key: str) -> None:
        self._api = api
        self._path = f"/v2/bots/{quote(bot_id, safe='')}/talk"
        self._headers = {"Authorization": f"KakaoAK {rest_api_key}"}

    def send(self, message: Message) -> None:
        """Have the bot say it to one user, by their botUserKey."""
        text = f"{message.subject}\n{message.body}"
        fields = {
            "event": {"name": EVENT, "data": {"text": text[:LONGEST_TEXT]}},
            "user": [{"type": "botUserKey", "id": message.address}],
        }
        answer = self._api.post(self._path, fields, self._headers)
        if answer.status == 400:
            raise RefusedError("kakao answered 400")
        if answer.status != 200:
            raise failed(answer, "kakao")
        if answer.fields.get("status") != "SUCCESS":
            raise TryAgainError(f"kakao: status {str(answer.fields.get('status'))[:20]}")
