"""Clips and derived objects in S3."""

from __future__ import annotations

import base64
import hashlib
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from uriai.service.ports.clips import ClipMissingError, ClipStore, ClipTooLargeError, DatedObject, FetchedClip

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import GetObjectOutputTypeDef

LARGEST_CLIP = 256 * 1024 * 1024
"""Bytes. A clip is at most 30 s; half of Lambda's smallest /tmp, so that a clip and the models fit together."""
CHUNK = 1024 * 1024
LONGEST_LINK_S = 900
_MISSING = frozenset({"NoSuchKey", "404", "NotFound"})


class ObjectTooLargeError(Exception):
    """A small object (a CA bundle) is larger than any such thing is."""


def s3_client() -> S3Client:
    """A client that signs by SigV4, which presigned URLs need, and gives up in time for the message to be retried."""
    return boto3.client(
        "s3",
        config=Config(
            signature_version="s3v4",
            connect_timeout=5,
            read_timeout=20,
            retries={"max_attempts": 4, "mode": "standard"},
        ),
    )


class S3ClipStore(ClipStore):
    """The bucket of clips.

    Parameters
    ----------
    client:
        An S3 client, see `s3_client`.
    bucket:
        Name of the bucket.
    folder:
        Where clips are kept while they are read; the machine's temporary folder when None.
    largest:
        Bytes that a clip may have.
    """

    def __init__(
        self, client: S3Client, bucket: str, *, folder: Path | None = None, largest: int = LARGEST_CLIP
    ) -> None:
        self._client = client
        self._bucket = bucket
        self._folder = folder
        self._largest = largest

    @contextmanager
    def fetch(self, key: str) -> Iterator[FetchedClip]:
        """Stream a clip to a file, hashing as it passes; the file is gone when the block ends, however it ends.

        Raises
        ------
        ClipMissingError
            If there is no such object.
        ClipTooLargeError
            If it has more than ``largest`` bytes.
        ClientError, OSError
            If the store or the disk fails: try again.
        """
        response = self._get(key)
        if response is None:
            raise ClipMissingError(f"there is no object {key} in bucket {self._bucket}")
        size = response["ContentLength"]
        with closing(response["Body"]) as body:
            if size > self._largest:
                raise ClipTooLargeError(f"{key} has {size} bytes, a clip has at most {self._largest}")
            folder = Path(tempfile.mkdtemp(prefix="clip-", dir=self._folder))
            try:
                path = folder / "clip.mp4"
                digest, written = hashlib.sha256(), 0
                with path.open("wb") as file:
                    for chunk in body.iter_chunks(CHUNK):
                        digest.update(chunk)
                        written += file.write(chunk)
                if written != size:
                    raise OSError(f"{key}: {written} of {size} bytes came before the connection ended")
                yield FetchedClip(path, digest.digest(), size, response["LastModified"])
            finally:
                shutil.rmtree(folder, ignore_errors=True)

    def read_small(self, key: str, *, limit: int) -> bytes | None:
        """The first ``limit`` + 1 bytes at most, None if there is no such object."""
        found = self.read_dated(key, limit=limit)
        return found.data if found else None

    def read_dated(self, key: str, *, limit: int) -> DatedObject | None:
        """The same, with S3's time of arrival."""
        response = self._get(key)
        if response is None:
            return None
        with closing(response["Body"]) as body:
            return DatedObject(body.read(limit + 1), response["LastModified"])

    def put(self, key: str, data: bytes, *, content_type: str) -> None:
        """Write a derived object; the store checks what arrives against its SHA-256."""
        self._client.put_object(
            Bucket=self._bucket,
            Key=key,
            Body=data,
            ContentType=content_type,
            ChecksumSHA256=base64.b64encode(hashlib.sha256(data).digest()).decode("ascii"),
        )

    def presign(self, key: str, seconds: int) -> str:
        """A URL that reads the object for so many seconds, without any other permission.

        Raises
        ------
        ValueError
            If ``seconds`` is not from 1 to `LONGEST_LINK_S`.
        """
        if not 1 <= seconds <= LONGEST_LINK_S:
            raise ValueError(f"a link lives from 1 to {LONGEST_LINK_S} s, not {seconds}")
        return self._client.generate_presigned_url(
            "get_object", Params={"Bucket": self._bucket, "Key": key}, ExpiresIn=seconds
        )

    def _get(self, key: str) -> GetObjectOutputTypeDef | None:
        try:
            return self._client.get_object(Bucket=self._bucket, Key=key)
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") in _MISSING:
                return None
            raise


def fetch_into(client: S3Client, bucket: str, key: str, file: BinaryIO) -> None:
    """Stream an object into an open file.

    Raises
    ------
    ClientError
        If there is none, or the store fails.
    """
    with closing(client.get_object(Bucket=bucket, Key=key)["Body"]) as body:
        for chunk in body.iter_chunks(CHUNK):
            file.write(chunk)


def fetch_small(bucket: str, key: str, *, limit: int = 1024 * 1024) -> bytes:
    """The bytes of a small object that has to be there, such as a CA bundle.

    Raises
    ------
    ClipMissingError
        If it is not.
    ObjectTooLargeError
        If it has more than ``limit`` bytes.
    """
    data = S3ClipStore(s3_client(), bucket).read_small(key, limit=limit)
    if data is None:
        raise ClipMissingError(f"there is no object {key} in bucket {bucket}")
    if len(data) > limit:
        raise ObjectTooLargeError(f"s3://{bucket}/{key} has more than {limit} bytes")
    return data
