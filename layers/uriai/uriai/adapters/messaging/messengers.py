"""The messenger of each medium, by what the secret of messengers holds."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from uriai.adapters.messaging import kakao, slack, telegram
from uriai.adapters.messaging.http import Api
from uriai.adapters.messaging.ses import SesMessenger, ses_client
from uriai.domain.telling import Medium
from uriai.service.ports.messaging import Messenger, TryAgainError

_VISIBLE = re.compile("[!-~]+")
_PLATFORMS = {
    Medium.SLACK: (slack.HOST, slack.BASE_URL, ("token",)),
    Medium.TELEGRAM: (telegram.HOST, telegram.BASE_URL, ("token",)),
    Medium.KAKAO: (kakao.HOST, kakao.BASE_URL, ("bot_id", "rest_api_key")),
}
"""Medium -> its host, its address, what its part of the secret has to hold."""


class Messengers:
    """Messengers, made when first used and again when their secret has changed.

    Parameters
    ----------
    secret:
        Reads ``{"slack": {"token"}, "telegram": {"token"}, "kakao": {"bot_id", "rest_api_key"}}``; each part may have
        an ``api_url``, for a platform that is on this machine.
    sender:
        The address that e-mail comes from; empty where none is sent.
    local:
        Whether platforms may be on this machine.
    """

    def __init__(self, secret: Callable[[], Mapping[str, object]], sender: str, *, local: bool) -> None:
        self._secret = secret
        self._sender = sender
        self._local = local
        self._made: dict[Medium, tuple[tuple[str, ...], Messenger]] = {}

    def of(self, medium: Medium) -> Messenger:
        """The messenger of a medium.

        Raises
        ------
        TryAgainError
            If nothing is configured for it: the messages wait, until somebody has, or are given up.
        ForbiddenHostError
            If the secret names an address that may not be called.
        """
        configured = (self._sender,) if medium is Medium.EMAIL else self._configured(medium)
        known = self._made.get(medium)
        if known is None or known[0] != configured:
            known = (configured, self._make(medium, configured))
            self._made[medium] = known
        return known[1]

    def _configured(self, medium: Medium) -> tuple[str, ...]:
        """The address of its API, then what it needs."""
        _, base_url, names = _PLATFORMS[medium]
        part = self._secret().get(medium.value)
        fields = part if isinstance(part, Mapping) else {}
        # whoever pastes a token pastes the end of its line as well
        values = {name: value.strip() for name in names if isinstance(value := fields.get(name), str)}
        if not all(values.get(name) for name in names):
            raise TryAgainError(f"{medium.value} is not configured: its secret has to hold {' and '.join(names)}")
        for name, value in values.items():
            # told without the value, which a library that is given it would put into its error
            if not _VISIBLE.fullmatch(value):
                raise TryAgainError(
                    f"{medium.value} is not configured: the {name} in its secret has a space, a line break or another "
                    "character inside that no such value has; enter it again"
                )
        return (str(fields.get("api_url") or base_url).strip(), *(values[name] for name in names))

    def _make(self, medium: Medium, configured: tuple[str, ...]) -> Messenger:
        if medium is Medium.EMAIL:
            if not self._sender:
                raise TryAgainError("email is not configured: set EmailFrom")
            return SesMessenger(ses_client(), self._sender)
        base_url, *values = configured
        api = Api(base_url, _PLATFORMS[medium][0], local=self._local)
        if medium is Medium.SLACK:
            return slack.SlackMessenger(api, *values)
        if medium is Medium.TELEGRAM:
            return telegram.TelegramMessenger(api, *values)
        return kakao.KakaoMessenger(api, *values)
