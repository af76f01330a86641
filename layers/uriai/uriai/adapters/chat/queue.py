"""The queue to `answer`: questions as JSON of version 1."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING

from uriai.domain.person import Platform
from uriai.service.ports.later import Job, Later

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

VERSION = 1
_TEXTS = ("user", "text", "base_url", "key", "url", "address")


class JobError(Exception):
    """What lies in the queue is no question; the text does not quote it."""


class SqsLater(Later):
    """A queue in SQS."""

    def __init__(self, client: SQSClient, url: str) -> None:
        self._client = client
        self._url = url

    def put(self, job: Job) -> None:
        """Queue a question."""
        self._client.send_message(QueueUrl=self._url, MessageBody=pack(job))


def pack(job: Job) -> str:
    """The question as JSON."""
    fields = {name: getattr(job, name) for name in _TEXTS}
    return json.dumps(
        {"v": VERSION, "platform": job.platform.value, "until": job.until.isoformat(), **fields}, ensure_ascii=False
    )


def unpack(text: str) -> Job:
    """Read what `pack` wrote.

    Raises
    ------
    JobError
        If it is anything else.
    """
    try:
        fields = json.loads(text)
        if fields["v"] != VERSION:
            raise JobError(f"the question is of version {fields['v']!r:.20}, not {VERSION}")
        texts = [fields[name] for name in _TEXTS]
        until = datetime.fromisoformat(fields["until"])
        if not all(isinstance(value, str) for value in texts) or until.tzinfo is None:
            raise JobError(f"{', '.join(_TEXTS)} of a question have to be texts, until an instant with its offset")
        user, asked, base_url, key, url, address = texts
        return Job(Platform(fields["platform"]), user, asked, base_url, key, url, address, until)
    except (ValueError, KeyError, TypeError) as error:
        # the error's own text may quote what somebody typed
        raise JobError(f"the question cannot be read ({type(error).__name__})") from None
