"""Deleting objects of a versioned bucket for good."""

from __future__ import annotations

import base64
import hashlib
import operator
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from uriai.adapters.objects import S3ClipStore
from uriai.service.ports.retention import Deletion, DeletionRefusedError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import ObjectIdentifierTypeDef

_AT_ONCE = 1000
"""What S3 deletes with one request."""


class S3Deletion(Deletion):
    """The bucket of clips, for whoever may delete in it."""

    def __init__(self, client: S3Client, bucket: str) -> None:
        self._client = client
        self._bucket = bucket
        self._store = S3ClipStore(client, bucket)

    def read_small(self, key: str, *, limit: int) -> bytes | None:
        """See `S3ClipStore.read_small`."""
        with _told(key):
            return self._store.read_small(key, limit=limit)

    def put_tombstone(self, key: str, data: bytes) -> None:
        """Write it; the store checks what arrives against its SHA-256."""
        checksum = base64.b64encode(hashlib.sha256(data).digest()).decode("ascii")
        with _told(key):
            self._client.put_object(
                Bucket=self._bucket, Key=key, Body=data, ContentType="application/json", ChecksumSHA256=checksum
            )

    def exists(self, key: str) -> bool:
        """Look for versions of exactly this key."""
        with _told(key):
            return any(version["Key"] == key for version in self._versions(key))

    def delete_all_versions(self, keys: Sequence[str]) -> None:
        """List the versions of each key and delete them by their ids: a plain delete would only hide the object."""
        for key in keys:
            self._delete(key, partial(operator.eq, key))

    def delete_below(self, folder: str) -> None:
        """The same for all keys that begin so."""
        self._delete(folder, lambda found: True)

    def _delete(self, prefix: str, wanted: Callable[[str], bool]) -> None:
        with _told(prefix):
            found = [version for version in self._versions(prefix) if wanted(version["Key"])]
            for first in range(0, len(found), _AT_ONCE):
                answer = self._client.delete_objects(
                    Bucket=self._bucket, Delete={"Objects": found[first : first + _AT_ONCE], "Quiet": True}
                )
                for error in answer.get("Errors", []):
                    raise DeletionRefusedError(f"{error.get('Key')}: {error.get('Code')} {error.get('Message', '')}")

    def _versions(self, prefix: str) -> Iterator[ObjectIdentifierTypeDef]:
        for page in self._client.get_paginator("list_object_versions").paginate(Bucket=self._bucket, Prefix=prefix):
            for found in (*page.get("Versions", []), *page.get("DeleteMarkers", [])):
                yield {"Key": found.get("Key", ""), "VersionId": found.get("VersionId", "null")}


@contextmanager
def _told(key: str) -> Iterator[None]:
    """Whatever the store refuses or cannot do concerns this one object: it is tried again in the next run."""
    try:
        yield
    except (ClientError, BotoCoreError) as error:
        raise DeletionRefusedError(f"{key}: {error}") from error
