"""``card.md`` from ``card.in.md`` and the manifest: the prose is written by people, every number is filled in."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

_SLOT = re.compile(r"\{\{\s*([\w./-]+)(?:\s*\|\s*([a-z0-9]+))?\s*\}\}")


class CardError(KeyError):
    """A card asks for a value that the manifest does not hold."""


def write(folder: Path) -> None:
    """Fill ``card.in.md`` of a model's folder and write ``card.md``. Raises ``CardError`` for an empty slot."""
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    text = (folder / "card.in.md").read_text(encoding="utf-8")
    (folder / "card.md").write_text(fill(text, manifest), encoding="utf-8")


def fill(text: str, values: dict[str, Any]) -> str:
    """Replace ``{{ path/to/value }}`` and ``{{ path | format }}``.

    Formats: ``pct`` 0.8 as 80.0 %, ``f2``/``f3``/``f4`` decimals, ``mb`` bytes as MB, ``table`` a list of flat
    objects as a table, ``count`` how many entries, ``pairs`` an object of counts of clips.
    """
    return _SLOT.sub(lambda match: _format(_find(values, match[1]), match[2]), text)


def _find(values: Any, path: str) -> Any:
    for part in path.split("/"):
        if isinstance(values, dict) and part in values:
            values = values[part]
        else:
            raise CardError(f"the card asks for {path!r}, which the manifest does not hold (no {part!r})")
    return values


def _format(value: Any, style: str | None) -> str:
    if style == "pct":
        return f"{100 * value:.1f} %"
    if style in ("f2", "f3", "f4"):
        return f"{value:.{style[1]}f}"
    if style == "mb":
        return f"{value / 1e6:.2f} MB"
    if style == "table":
        return table(value)
    if style == "count":
        return str(len(value))
    if style == "pairs":
        return ", ".join(f"{key} ({count} clips)" for key, count in value.items())
    return str(value)


def table(rows: list[dict[str, Any]]) -> str:
    """A Markdown table; the first row's keys are the columns, floats get three decimals."""
    columns = list(rows[0])
    lines = ["| " + " | ".join(columns) + " |", "|" + "---|" * len(columns)]
    for row in rows:
        cells = (f"{row[c]:.3f}" if isinstance(row[c], float) else str(row[c]) for c in columns)
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)
