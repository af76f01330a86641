"""Secrets from AWS Secrets Manager, kept in memory for a few minutes."""

from __future__ import annotations

import json
from collections.abc import Mapping

from aws_lambda_powertools.utilities.parameters import SecretsProvider
from aws_lambda_powertools.utilities.parameters.exceptions import GetParameterError
from botocore.config import Config

CACHE_S = 300
"""How long a secret is believed: a rotation is noticed after at most this, or at once when the old one is refused."""


class SecretUnavailableError(Exception):
    """A secret cannot be read or has another form than expected. The message never holds its value."""


class Secrets:
    """Reads JSON secrets by ARN or name."""

    def __init__(self, provider: SecretsProvider | None = None) -> None:
        self._provider = provider or SecretsProvider(
            boto_config=Config(connect_timeout=3, read_timeout=5, retries={"max_attempts": 3, "mode": "standard"})
        )

    def read(self, arn: str, *, fresh: bool = False) -> Mapping[str, object]:
        """The secret's JSON object.

        Parameters
        ----------
        arn:
            ARN or name of the secret.
        fresh:
            Ask Secrets Manager even if a copy is in memory: for a credential that was just refused.

        Raises
        ------
        SecretUnavailableError
            If it cannot be read or is not a JSON object.
        """
        try:
            text = self._provider.get(arn, max_age=CACHE_S, force_fetch=fresh)
        except GetParameterError as error:
            raise SecretUnavailableError(
                f"secret {arn} cannot be read: {error}; check the ARN and the function's permission "
                "secretsmanager:GetSecretValue"
            ) from error
        try:
            value = json.loads(text) if isinstance(text, str | bytes) else text
        except ValueError:
            value = None
        if not isinstance(value, dict):
            raise SecretUnavailableError(f"secret {arn} is not a JSON object")
        return value
