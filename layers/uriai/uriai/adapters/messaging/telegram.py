"""Telegram: sendMessage of a bot."""

from __future__ import annotations

from collections.abc import Mapping

from uriai.adapters.messaging.http import Answer, Api, failed
from uriai.service.ports.messaging import Message, Messenger, RefusedError, TryAgainError

HOST = "api.telegram.org"
BASE_URL = "https://api.telegram.org"
_REFUSED = frozenset({400, 403})
"""No such chat; the person blocked the bot."""


class TelegramMessenger(Messenger):
    """A Telegram bot. Its token is part of the address, which is why no address is ever told."""

    def __init__(self, api: Api, token: str) -> None:
        self._api = api
        self._path = f"/bot{token}/sendMessage"

    def send(self, message: Message) -> None:
        """Send plain text to a chat."""
        fields = {
            "chat_id": message.address,
            "text": f"{message.subject}\n{message.body}",
            "link_preview_options": {"is_disabled": True},
        }
        answer = self._api.post(self._path, fields, {})
        if answer.status == 200 and answer.fields.get("ok") is True:
            return
        if answer.status in _REFUSED:
            raise RefusedError(f"telegram answered {answer.status}")
        asked = _retry_after_s(answer)
        if asked is not None:
            raise TryAgainError(f"telegram answered {answer.status}", asked)
        raise failed(answer, "telegram")


def _retry_after_s(answer: Answer) -> float | None:
    parameters = answer.fields.get("parameters")
    asked = parameters.get("retry_after") if isinstance(parameters, Mapping) else None
    return float(asked) if isinstance(asked, int | float) else None
