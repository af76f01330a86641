"""The queue to `mask`: jobs as JSON of version 1, and the bucket that takes a copy once."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from uriai.adapters.objects import S3ClipStore
from uriai.domain.ulid import Ulid
from uriai.service.ports.masked_copies import CopyStore, MaskQueue

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient

VERSION = 1
_LIES_THERE = frozenset({"PreconditionFailed", "412", "ConditionalRequestConflict", "409"})


class MaskJobError(Exception):
    """What lies in the queue is no job."""


class SqsMaskQueue(MaskQueue):
    """A queue in SQS."""

    def __init__(self, client: SQSClient, url: str) -> None:
        self._client = client
        self._url = url

    def put(self, finding_id: Ulid) -> None:
        """Queue a job."""
        self._client.send_message(QueueUrl=self._url, MessageBody=pack(finding_id))


class S3CopyStore(CopyStore):
    """The bucket of clips and evidence, for the one who adds copies and replaces none."""

    def __init__(self, client: S3Client, bucket: str) -> None:
        self._client = client
        self._bucket = bucket
        self._store = S3ClipStore(client, bucket)

    def keep(self, key: str, path: Path, *, content_type: str) -> bytes:
        """The store checks what arrives against its SHA-256, and refuses where something lies."""
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").digest()
            file.seek(0)
            try:
                self._client.put_object(
                    Bucket=self._bucket,
                    Key=key,
                    Body=file,
                    ContentType=content_type,
                    ChecksumSHA256=base64.b64encode(digest).decode("ascii"),
                    IfNoneMatch="*",
                )
            except ClientError as error:
                if error.response.get("Error", {}).get("Code") not in _LIES_THERE:
                    raise
                # an attempt before this one wrote it and did not live to say so, or one beside it is about to
                with self._store.fetch(key) as lying:
                    return lying.sha256
        return digest


def pack(finding_id: Ulid) -> str:
    """A job as JSON."""
    return json.dumps({"v": VERSION, "finding": str(finding_id)})


def unpack(text: str) -> Ulid:
    """Read what `pack` wrote.

    Raises
    ------
    MaskJobError
        If it is anything else.
    """
    try:
        fields = json.loads(text)
        if fields["v"] != VERSION:
            raise MaskJobError(f"the job is of version {fields['v']!r:.20}, not {VERSION}")
        return Ulid.parse(fields["finding"])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise MaskJobError(f"the job cannot be read: {type(error).__name__}: {error}") from error
