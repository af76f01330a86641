"""Object Lock and legal hold in S3."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from uriai.service.ports.holds import HoldRefusedError, Locks

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class S3Locks(Locks):
    """The bucket of clips, for the one who may hold but not release."""

    def __init__(self, client: S3Client, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def hold(self, key: str, until: datetime) -> None:
        """The object's newest version; older ones of a derived object are the same bytes, written again."""
        try:
            self._client.put_object_legal_hold(Bucket=self._bucket, Key=key, LegalHold={"Status": "ON"})
            self._client.put_object_retention(
                Bucket=self._bucket, Key=key, Retention={"Mode": "GOVERNANCE", "RetainUntilDate": until}
            )
        except (ClientError, BotoCoreError) as error:
            raise HoldRefusedError(f"{key}: {error}") from error
