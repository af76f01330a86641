"""E-mail through Amazon SES."""

from __future__ import annotations

from typing import Any, Protocol

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from uriai.service.ports.messaging import Message, Messenger, RefusedError, TryAgainError

_REFUSALS = frozenset({"BadRequestException"})


class EmailClient(Protocol):
    """What is used of boto3's client for SES."""

    def send_email(self, **request: Any) -> Any:
        """SendEmail of SES version 2."""


def ses_client() -> EmailClient:
    """A client that sends once: whether to send again is decided by whoever knows of the receipt."""
    client: EmailClient = boto3.client(
        "sesv2",
        config=Config(connect_timeout=3, read_timeout=10, retries={"total_max_attempts": 1, "mode": "standard"}),
    )
    return client


class SesMessenger(Messenger):
    """E-mail from one address."""

    def __init__(self, client: EmailClient, sender: str) -> None:
        self._client = client
        self._sender = sender

    def send(self, message: Message) -> None:
        """Send plain text."""
        try:
            self._client.send_email(
                FromEmailAddress=self._sender,
                Destination={"ToAddresses": [message.address]},
                Content={
                    "Simple": {
                        "Subject": {"Data": message.subject, "Charset": "UTF-8"},
                        "Body": {"Text": {"Data": message.body, "Charset": "UTF-8"}},
                    }
                },
            )
        except ClientError as error:
            # the error's message may quote the address
            code = error.response.get("Error", {}).get("Code", "")[:60]
            if code in _REFUSALS:
                raise RefusedError(f"ses: {code}") from None
            raise TryAgainError(f"ses: {code}") from None
        except BotoCoreError as error:
            raise TryAgainError(f"ses cannot be reached ({type(error).__name__})") from None
