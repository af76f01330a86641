"""The device's private key: one file of 64 hex characters, readable by the agent only."""

from __future__ import annotations

import os
from pathlib import Path

from nacl.signing import SigningKey


class KeyFileError(Exception):
    """A key file that cannot be used; the message names it and the remedy."""


def make_key(path: Path) -> SigningKey:
    """Make a key and store it at ``path`` with mode 600; an existing file is never overwritten.

    Raises
    ------
    KeyFileError
        If the file exists or cannot be written.
    """
    key = SigningKey.generate()
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(key.encode().hex() + "\n")
            file.flush()
            os.fsync(file.fileno())
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        os.fsync(folder)
        os.close(folder)
    except OSError as error:
        raise KeyFileError(f"key_file {path}: cannot be made: {error.strerror}") from error
    return key


def load_key(path: Path) -> SigningKey:
    """Read the key at ``path``.

    Raises
    ------
    KeyFileError
        If it is absent, not a key, or readable by others.
    """
    try:
        others = path.stat().st_mode & 0o077
        text = path.read_text(encoding="ascii").strip()
    except FileNotFoundError as error:
        raise KeyFileError(f"key_file {path}: does not exist; run `uriai-edge enroll --config FILE`") from error
    except (OSError, UnicodeDecodeError) as error:
        raise KeyFileError(f"key_file {path}: cannot be read: {error}; the agent's user must own it") from error
    if others:
        raise KeyFileError(f"key_file {path}: others can read it; run `chmod 600 {path}`")
    try:
        return SigningKey(bytes.fromhex(text))
    except (ValueError, TypeError) as error:
        raise KeyFileError(
            f"key_file {path}: does not hold a key (64 hex characters); restore it, or remove it and enroll anew"
        ) from error
