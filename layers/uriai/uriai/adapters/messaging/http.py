"""POST of JSON to a platform: to its own host only, in time, without following it anywhere."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import urllib3
from urllib3.exceptions import HTTPError, NewConnectionError, ReadTimeoutError

from uriai.service.ports.messaging import TryAgainError
from uriai.settings import is_loopback

# at DEBUG it writes down the path of every request, and the path of a Telegram request holds the bot's token
logging.getLogger("urllib3").setLevel(logging.INFO)

CONNECT_S = 3.05
READ_S = 10.0
LARGEST_ANSWER = 64 * 1024
"""Bytes of an answer that are read; those of the platforms have a few hundred."""


class ForbiddenHostError(Exception):
    """An address outside the list of hosts that this function may call."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the platform said: status, the JSON object in its body (empty if it is none), seconds of Retry-After."""

    status: int
    fields: Mapping[str, object]
    retry_after_s: float | None


class Api:
    """One platform's API.

    Parameters
    ----------
    base_url:
        What its addresses start with; ``https`` and on ``host``, or on this machine where ``local`` allows that.
    host:
        The only host that is called.
    local:
        Whether the cloud itself is on this machine, so that a platform may be as well.
    read_s:
        Seconds to wait for an answer.

    Raises
    ------
    ForbiddenHostError
        If ``base_url`` is elsewhere.
    """

    def __init__(self, base_url: str, host: str, *, local: bool, read_s: float = READ_S) -> None:
        parts = urlsplit(base_url)
        allowed = (
            parts.scheme == "https" and parts.hostname == host and parts.port in (None, 443) and not parts.username
        )
        on_this_machine = local and parts.scheme == "http" and is_loopback(parts.hostname or "")
        if not allowed and not on_this_machine:
            raise ForbiddenHostError(f"notify calls https://{host} and no other address: see api_url in its secret")
        self._base_url = base_url.rstrip("/")
        self._pool = urllib3.PoolManager(
            num_pools=1, retries=False, timeout=urllib3.Timeout(connect=CONNECT_S, read=read_s)
        )

    def post(self, path: str, fields: Mapping[str, object], headers: Mapping[str, str]) -> Answer:
        """Send an object as JSON.

        Raises
        ------
        TryAgainError
            If no answer came. Whether the platform took the message is then unknown; it is sent again, because being
            told twice is better than not at all.
        """
        try:
            with self._pool.request(
                "POST",
                self._base_url + path,
                body=json.dumps(fields, ensure_ascii=False).encode(),
                headers={"Content-Type": "application/json; charset=utf-8", **headers},
                redirect=False,
                preload_content=False,
            ) as response:
                body = response.read(LARGEST_ANSWER)
                return Answer(response.status, _object(body), _seconds(response.headers.get("Retry-After")))
        except NewConnectionError:
            raise TryAgainError("the platform cannot be reached") from None
        except ReadTimeoutError:
            raise TryAgainError("the platform did not answer in time") from None
        except HTTPError as error:
            # its text holds the address, and an address may hold a token
            raise TryAgainError(f"the connection failed ({type(error).__name__})") from None


def failed(answer: Answer, platform: str) -> TryAgainError:
    """What an answer that is no yes and no final no comes to."""
    return TryAgainError(f"{platform} answered {answer.status}", answer.retry_after_s)


def _object(body: bytes) -> Mapping[str, object]:
    try:
        value = json.loads(body)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _seconds(header: str | None) -> float | None:
    """Seconds that a Retry-After header asks for, as a number or as a date; None if it asks for nothing readable."""
    if header is None:
        return None
    if header.strip().isascii() and header.strip().isdigit():
        return float(header)
    try:
        at = parsedate_to_datetime(header)
    except ValueError:
        return None
    return max(0.0, (at.astimezone(UTC) - datetime.now(UTC)).total_seconds()) if at.tzinfo else None
