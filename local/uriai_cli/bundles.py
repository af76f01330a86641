"""An unpacked police bundle, checked by what lies in it; nothing of the cloud is needed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from uriai.domain.evidence_chain import EvidenceLink, StoredLink
from uriai.domain.ulid import Ulid
from uriai_cli.errors import CliError

INDEX = "bundle.json"


@dataclass(frozen=True, slots=True)
class FileVerdict:
    """What became of a file or of a row of the bundle."""

    what: str
    status: str
    name: str
    message: str

    @property
    def holds(self) -> bool:
        """Whether it stands."""
        return self.status == "present"


class UnpackedBundle:
    """A folder with a bundle's files.

    Raises
    ------
    CliError
        If its list cannot be read.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        try:
            self._index: Mapping[str, Any] = json.loads((folder / INDEX).read_bytes())
            self.keys = {
                name: tuple(bytes.fromhex(key) for key in keys) for name, keys in self._index["public_keys"].items()
            }
            self._files: dict[str, str] = dict(self._index["files"])
            self._rows = [stored_link(row) for row in self._index["evidence"]]
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise CliError(f"{folder / INDEX} is not the list of a bundle ({type(error).__name__}: {error})") from error

    def verify(self) -> Iterator[FileVerdict]:
        """Every file that the list names, every file that it does not, and every row of evidence."""
        for name, expected in sorted(self._files.items()):
            found = self._sha256(name)
            if found is None:
                yield FileVerdict("file", "missing", name, "is not there")
            elif found != expected:
                yield FileVerdict("file", "altered", name, "is not the file that was put into the bundle")
            else:
                yield FileVerdict("file", "present", name, "unaltered")
        there = {path.relative_to(self._folder).as_posix() for path in self._folder.rglob("*") if path.is_file()}
        for name in sorted(there - set(self._files) - {INDEX}):
            yield FileVerdict("file", "unlisted", name, "was not put into the bundle")
        for row in self._rows:
            place = f"camera {row.link.camera_id} row {row.link.seq} {row.link.role}"
            if row.link.hash != row.hash:
                yield FileVerdict("row", "altered", place, "its fields are not those that its hash was made of")
            elif self._files.get(row.link.object_key) != row.link.sha256.hex():
                yield FileVerdict("row", "altered", place, "its object is another one than the list's")
            else:
                yield FileVerdict("row", "present", place, "unaltered")

    def _sha256(self, name: str) -> str | None:
        path = self._folder / name
        if not path.resolve().is_relative_to(self._folder.resolve()) or not path.is_file():
            return None
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()


def stored_link(row: Mapping[str, Any]) -> StoredLink:
    """A row of the list, as the chain has it."""
    link = EvidenceLink(
        camera_id=int(row["camera_id"]),
        seq=int(row["chain_seq"]),
        prev=bytes.fromhex(row["prev_hash"]),
        evidence_id=Ulid.parse(row["evidence_id"]),
        finding_id=Ulid.parse(row["finding_id"]),
        clip_id=Ulid.parse(row["clip_id"]),
        role=str(row["role"]),
        object_key=str(row["object_key"]),
        sha256=bytes.fromhex(row["sha256"]),
        shown_at=datetime.fromisoformat(row["shown_at"]),
        created_at=datetime.fromisoformat(row["created_at"]),
    )
    return StoredLink(link, bytes.fromhex(row["row_hash"]))
