"""What becomes of a test whose servers cannot be installed or started here."""

from __future__ import annotations

import os
from typing import NoReturn

import pytest


def missing(what: object) -> NoReturn:
    """Skip the test; in CI it fails: `make setup` installs everything, and a skip would hide that nothing was tried."""
    if os.environ.get("CI"):
        pytest.fail(str(what))
    pytest.skip(str(what))
