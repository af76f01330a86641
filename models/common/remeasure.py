"""New measurements of a committed model: into its manifest, its card and the comparison of all models."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from models.common import card, comparison
from models.common.manifest import replace


def enter(folder: Path, metrics: Mapping[str, Any]) -> None:
    """Enter ``metrics`` in the manifest of the model in ``folder``; of the manifest nothing else changes."""
    file = folder / "manifest.json"
    manifest = json.loads(file.read_text(encoding="utf-8"))
    manifest["metrics"] |= metrics
    replace(file, (json.dumps(manifest, indent=2, ensure_ascii=False) + "\n").encode())
    card.write(folder)
    comparison.main()
