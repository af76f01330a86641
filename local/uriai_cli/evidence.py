"""Where `uriai verify` reads evidence: the bucket, or folders laid out like it."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from uriai.domain.chain import Attachment, Record

CHUNK = 1024 * 1024
TOMBSTONE = ".tombstone"


class EvidenceSource(ABC):
    """Manifests with their signatures, and the objects beside them."""

    @abstractmethod
    def records(self) -> Iterator[tuple[str, Record]]:
        """Yield every manifest with the gateway whose folder it lies in."""

    @abstractmethod
    def attachment(self, key: str) -> Attachment | None:
        """Read the object of a key to its end; None if there is none."""


class BucketEvidence(EvidenceSource):
    """Evidence in S3; every object is read whole, for its stored checksum is not what was signed."""

    def __init__(self, client: Any, bucket: str, gateway: str | None) -> None:
        self._client = client
        self._bucket = bucket
        self._gateway = gateway

    def records(self) -> Iterator[tuple[str, Record]]:
        """Yield every manifest, of one gateway if one was named."""
        for root in ("clips", "records"):
            prefix = f"{root}/{self._gateway}/" if self._gateway else f"{root}/"
            listed = self.keys_below(prefix)
            keys = set(listed)
            for key in listed:
                if key.endswith(".json"):
                    stem = key.removesuffix(".json")
                    beside = [stem + ending for ending in (".sig", TOMBSTONE)]
                    found = [self._read(one) if one in keys else None for one in beside]
                    yield key.split("/")[1], Record(key, self._read(key), *found)

    def attachment(self, key: str) -> Attachment | None:
        """Read the object to its end."""
        try:
            response = self._client.get_object(Bucket=self._bucket, Key=key)
        except self._client.exceptions.NoSuchKey:
            return None
        with closing(response["Body"]) as body:
            return _digested(body.iter_chunks(CHUNK))

    def keys_below(self, prefix: str) -> list[str]:
        """All keys that begin so, sorted."""
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix)
        return sorted(item["Key"] for page in pages for item in page.get("Contents", []))

    def _read(self, key: str) -> bytes:
        data: bytes = self._client.get_object(Bucket=self._bucket, Key=key)["Body"].read()
        return data


class FolderEvidence(EvidenceSource):
    """Evidence copied to folders: whatever lies below a ``clips`` or ``records`` folder at any depth."""

    def __init__(self, folders: Iterable[Path], gateway: str | None) -> None:
        self._files: dict[str, Path] = {}
        for folder in folders:
            for path in sorted(folder.rglob("*")):
                key = _key(path)
                if key is not None and path.is_file() and gateway in (None, key.split("/")[1]):
                    self._files.setdefault(key, path)

    def records(self) -> Iterator[tuple[str, Record]]:
        """Yield every manifest."""
        for key, path in sorted(self._files.items()):
            if key.endswith(".json"):
                stem = key.removesuffix(".json")
                beside = [self._files.get(stem + ending) for ending in (".sig", TOMBSTONE)]
                found = [one.read_bytes() if one else None for one in beside]
                yield key.split("/")[1], Record(key, path.read_bytes(), *found)

    def attachment(self, key: str) -> Attachment | None:
        """Read the file to its end."""
        path = self._files.get(key)
        if path is None:
            return None
        with path.open("rb") as file:
            return _digested(iter(lambda: file.read(CHUNK), b""))


def _key(path: Path) -> str | None:
    """The object key of a copied file: its path from the last folder called ``clips`` or ``records``."""
    parts = path.resolve().parts
    for root, depth in (("clips", 5), ("records", 4)):
        if len(parts) >= depth and parts[-depth] == root:
            return "/".join(parts[-depth:])
    return None


def _digested(chunks: Iterable[bytes]) -> Attachment:
    digest, size = hashlib.sha256(), 0
    for chunk in chunks:
        digest.update(chunk)
        size += len(chunk)
    return Attachment(size, digest.hexdigest())
