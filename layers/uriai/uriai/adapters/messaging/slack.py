"""Slack: chat.postMessage with a bot's token."""

from __future__ import annotations

from uriai.adapters.messaging.http import Api, failed
from uriai.service.ports.messaging import Message, Messenger, RefusedError, TryAgainError

HOST = "slack.com"
BASE_URL = "https://slack.com/api"
_REFUSALS = frozenset(
    {
        "channel_not_found", "not_in_channel", "is_archived", "user_not_found", "user_disabled", "cannot_dm_bot",
        "messages_tab_disabled", "restricted_action", "no_text", "msg_too_long",
    }
)  # fmt: skip
"""Errors that the next attempt would meet again; all others, a wrong token among them, are for somebody to mend."""


class SlackMessenger(Messenger):
    """A Slack workspace's bot."""

    def __init__(self, api: Api, token: str) -> None:
        self._api = api
        self._headers = {"Authorization": f"Bearer {token}"}

    def send(self, message: Message) -> None:
        """Post to a channel or member; plain text, so that nothing in a name becomes a link or a mention."""
        fields = {
            "channel": message.address,
            "text": _escaped(f"{message.subject}\n{message.body}"),
            "mrkdwn": False,
            "unfurl_links": False,
            "unfurl_media": False,
        }
        answer = self._api.post("/chat.postMessage", fields, self._headers)
        if answer.status != 200:
            raise failed(answer, "slack")
        if answer.fields.get("ok") is True:
            return
        error = str(answer.fields.get("error", "without an error's name"))[:60]
        if error in _REFUSALS:
            raise RefusedError(f"slack: {error}")
        raise TryAgainError(f"slack: {error}", answer.retry_after_s)


def _escaped(text: str) -> str:
    """Slack's three control characters, as its documentation has them escaped."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
