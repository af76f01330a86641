"""Where data and models lie."""

from __future__ import annotations

import os
from pathlib import Path

MODELS = Path(__file__).resolve().parents[1]


def data_root() -> Path:
    """Folder holding ``fer2013/`` and ``violence/``: ``URIAI_DATA``, else ``../shared/data`` beside the repository."""
    return Path(os.environ.get("URIAI_DATA", MODELS.parents[1] / "shared" / "data"))
