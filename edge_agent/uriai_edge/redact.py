"""Keeps passwords out of logs, messages and reports."""

from __future__ import annotations

import re

_LOGIN = re.compile(r"(?P<scheme>\b[a-zA-Z][a-zA-Z0-9+.-]*://)(?P<user>[^\s/:@'\"]*):(?P<password>[^\s/'\"]*)@")
_QUERY = re.compile(r"(?i)(?P<name>[?&](?:password|passwd|pwd|pass|token|secret|key)=)[^&\s'\"]+")
_HIDDEN = "***"
_secrets: set[str] = set()


def register_secret(secret: str) -> None:
    """Remember a secret, so that it is hidden wherever it turns up. Very short ones are not remembered."""
    if len(secret) >= 4:
        _secrets.add(secret)


def redact(text: str) -> str:
    """``text`` with every registered secret, URL password and secret-looking query value replaced by ``***``."""
    for secret in sorted(_secrets, key=len, reverse=True):
        text = text.replace(secret, _HIDDEN)
    text = _LOGIN.sub(rf"\g<scheme>\g<user>:{_HIDDEN}@", text)
    return _QUERY.sub(rf"\g<name>{_HIDDEN}", text)
