"""What a function is told by its environment. The only module that reads ``os.environ``."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from uriai.domain.model_set import ModelReference, ModelSet
from uriai.domain.telling import Medium


class SettingsError(Exception):
    """The environment lacks a variable or holds a value that cannot be used; the message names the variable."""


@dataclass(frozen=True, slots=True)
class DatabaseSettings:
    """Where the database is. ``ca_bundle`` is a path or ``s3://bucket/key`` of a PEM file, empty on loopback only."""

    host: str
    port: int
    name: str
    secret_arn: str
    ca_bundle: str

    @property
    def on_loopback(self) -> bool:
        """Whether traffic to the host never leaves this machine."""
        return is_loopback(self.host)


@dataclass(frozen=True, slots=True)
class QueueUrls:
    """A queue to `notify` and the one that it gives up to."""

    queue: str
    dead_letters: str


@dataclass(frozen=True, slots=True)
class NotifySettings:
    """What `notify` is told: it knows of no database. ``sender`` is the address that e-mail comes from, or empty."""

    receipts_bucket: str
    secret_arn: str
    sender: str
    aws_endpoint_url: str

    @property
    def local(self) -> bool:
        """Whether the cloud is on this machine, so that messengers may be too."""
        return is_loopback(urlsplit(self.aws_endpoint_url).hostname or "")

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> NotifySettings:
        """Read the environment once, at start.

        Raises
        ------
        SettingsError
            If a needed variable is missing; all missing ones are named.
        """
        values = os.environ if environment is None else environment
        _require(values, ["RECEIPTS_BUCKET", "MESSAGING_SECRET_ARN"])
        return cls(
            receipts_bucket=values["RECEIPTS_BUCKET"].strip(),
            secret_arn=values["MESSAGING_SECRET_ARN"].strip(),
            sender=values.get("EMAIL_FROM", "").strip(),
            aws_endpoint_url=values.get("AWS_ENDPOINT_URL", "").strip(),
        )


@dataclass(frozen=True, slots=True)
class Settings:
    """All that is configurable. What is not set is empty; what a function needs, it names in ``require``."""

    database: DatabaseSettings
    clips_bucket: str
    models_bucket: str
    models: ModelSet
    models_dir: Path
    public_base_url: str
    kakao_secret_arn: str
    slack_secret_arn: str
    telegram_secret_arn: str
    answer_queue_url: str
    reply_queue_url: str
    mask_queue_url: str
    receipts_bucket: str
    notify_queues: Mapping[Medium, QueueUrls]
    aws_endpoint_url: str
    log_level: str

    @property
    def local(self) -> bool:
        """Whether the cloud is on this machine, so that messengers may be too."""
        return is_loopback(urlsplit(self.aws_endpoint_url).hostname or "")

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None, *, require: Iterable[str] = ()) -> Settings:
        """Read the environment once, at start.

        Parameters
        ----------
        environment:
            The variables; the process's own when None.
        require:
            Names that this function needs beyond those of the database, for example ``("CLIPS_BUCKET",)``.

        Raises
        ------
        SettingsError
            If a needed variable is missing (all missing ones are named) or a value has the wrong form.
        """
        values = os.environ if environment is None else environment
        needed = ["DATABASE_HOST", "DATABASE_NAME", "DATABASE_SECRET_ARN", *require]
        host = values.get("DATABASE_HOST", "").strip()
        if host and not is_loopback(host):
            needed.append("DATABASE_CA_BUNDLE")
        _require(values, needed)
        return cls(
            database=DatabaseSettings(
                host=host,
                port=_port(values.get("DATABASE_PORT", "") or "3306"),
                name=values["DATABASE_NAME"].strip(),
                secret_arn=values["DATABASE_SECRET_ARN"].strip(),
                ca_bundle=values.get("DATABASE_CA_BUNDLE", "").strip(),
            ),
            clips_bucket=values.get("CLIPS_BUCKET", "").strip(),
            models_bucket=values.get("MODELS_BUCKET", "").strip(),
            models=_models(values.get("MODEL_SET", "")),
            models_dir=Path(values.get("MODELS_DIR", "") or "/tmp/models"),  # noqa: S108 - the only folder Lambda may write
            public_base_url=values.get("PUBLIC_BASE_URL", "").strip().rstrip("/"),
            kakao_secret_arn=values.get("KAKAO_SECRET_ARN", "").strip(),
            slack_secret_arn=values.get("SLACK_SECRET_ARN", "").strip(),
            telegram_secret_arn=values.get("TELEGRAM_SECRET_ARN", "").strip(),
            answer_queue_url=values.get("ANSWER_QUEUE_URL", "").strip(),
            reply_queue_url=values.get("REPLY_QUEUE_URL", "").strip(),
            mask_queue_url=values.get("MASK_QUEUE_URL", "").strip(),
            receipts_bucket=values.get("RECEIPTS_BUCKET", "").strip(),
            notify_queues=_queues(values.get("NOTIFY_QUEUES", "")),
            aws_endpoint_url=values.get("AWS_ENDPOINT_URL", "").strip(),
            log_level=values.get("LOG_LEVEL", "") or "INFO",
        )


def is_loopback(host: str) -> bool:
    """Whether ``host`` names this machine itself: ``localhost`` or a loopback address."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _require(values: Mapping[str, str], needed: Iterable[str]) -> None:
    missing = [name for name in needed if not values.get(name, "").strip()]
    if missing:
        raise SettingsError(
            f"environment variable {', '.join(missing)} is not set: give it to the function in template.yaml "
            "(under Environment/Variables) or in local/env.json"
        )


def _queues(text: str) -> Mapping[Medium, QueueUrls]:
    """Read NOTIFY_QUEUES, ``{"slack": {"queue": URL, "dead_letters": URL}, …}``; empty when it is not set."""
    if not text.strip():
        return {}
    try:
        queues = json.loads(text)
        return {Medium(name): QueueUrls(urls["queue"], urls["dead_letters"]) for name, urls in queues.items()}
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise SettingsError(
            f"NOTIFY_QUEUES cannot be read ({type(error).__name__}: {error}): it has to be JSON of the form "
            '{"slack": {"queue": URL, "dead_letters": URL}, …}, written by template.yaml'
        ) from error


def _port(text: str) -> int:
    if not text.strip().isdigit() or not 0 < int(text) < 65536:
        raise SettingsError(f"DATABASE_PORT is {text!r}: it has to be a whole number from 1 to 65535")
    return int(text)


def _models(text: str) -> ModelSet:
    """Read MODEL_SET, ``{"violence": {"name", "version", "sha256", "manifest"}, …}``; empty when it is not set."""
    if not text.strip():
        return ModelSet({})
    try:
        roles = json.loads(text)
        return ModelSet(
            {
                role: ModelReference(
                    model["name"], str(model["version"]), model["sha256"], manifest=model.get("manifest", "")
                )
                for role, model in roles.items()
            }
        )
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise SettingsError(
            f"MODEL_SET cannot be read ({type(error).__name__}: {error}): it has to be JSON of the form "
            '{"violence": {"name": …, "version": …, "sha256": 64 hex digits}, …}, written by the deployment'
        ) from error
