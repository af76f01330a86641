"""Pages of measurements under docs/measured: written by the code that measured, never by hand."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
FOLDER = REPOSITORY / "docs" / "measured"


def write(name: str, title: str, command: str, parts: Iterable[str]) -> Path:
    """Write ``docs/measured/NAME.md``: a title, how it came to be, and the parts as paragraphs."""
    FOLDER.mkdir(exist_ok=True)
    origin = (
        f"Written by `{command}` on {datetime.now(UTC):%Y-%m-%d %H:%M} UTC; Python {platform.python_version()}, "
        f"{platform.machine()}, {os.cpu_count()} cores shared with other work (load {os.getloadavg()[0]:.0f}): compare "
        "what stands on one page, not figures of two."
    )
    path = FOLDER / f"{name}.md"
    path.write_text("\n\n".join([f"# {title}", origin, *parts]) + "\n", encoding="utf-8")
    return path


def table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Rows as a Markdown table."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)
