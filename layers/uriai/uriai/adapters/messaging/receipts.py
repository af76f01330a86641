"""Receipts in S3: conditional writes make sure that of two who write over the same state one fails."""

from __future__ import annotations

import json
from contextlib import closing
from datetime import datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from uriai.domain.ulid import Ulid
from uriai.service.ports.messaging import Receipt, ReceiptChangedError, Receipts, ReceiptState

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_MISSING = frozenset({"NoSuchKey", "404", "NotFound"})
_CHANGED = frozenset({"PreconditionFailed", "ConditionalRequestConflict", "412", "409", *_MISSING})


class S3Receipts(Receipts):
    """A bucket with an object ``receipts/MESSAGE.json`` for each message; it holds no text and no address."""

    def __init__(self, client: S3Client, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def find(self, message_id: Ulid) -> Receipt | None:
        """Read the message's receipt."""
        try:
            response = self._client.get_object(Bucket=self._bucket, Key=_key(message_id))
        except ClientError as error:
            if _code(error) in _MISSING:
                return None
            raise
        with closing(response["Body"]) as body:
            fields = json.loads(body.read())
        return Receipt(
            ReceiptState(fields["state"]), datetime.fromisoformat(fields["at"]), fields["reason"], response["ETag"]
        )

    def write(self, message_id: Ulid, receipt: Receipt, *, over: Receipt | None) -> Receipt:
        """Write it over the state that was read, or where there was none."""
        fields = {"state": receipt.state.value, "at": receipt.at.isoformat(), "reason": receipt.reason}
        condition: dict[str, Any] = {"IfNoneMatch": "*"} if over is None else {"IfMatch": over.version}
        try:
            response = self._client.put_object(
                Bucket=self._bucket,
                Key=_key(message_id),
                Body=json.dumps(fields).encode(),
                ContentType="application/json",
                **condition,
            )
        except ClientError as error:
            if _code(error) in _CHANGED:
                raise ReceiptChangedError(f"the receipt of message {message_id} was changed meanwhile") from error
            raise
        return Receipt(receipt.state, receipt.at, receipt.reason, response["ETag"])


def _key(message_id: Ulid) -> str:
    return f"receipts/{message_id}.json"


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))
