"""What became of each input: used, changed, left out by rule, refused as broken, stopped half way; nothing silently.

Every input that was not used as it is gets a line on stderr when it is met; the counts are printed at the end.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import click


class ToolError(click.ClickException):
    """The whole command cannot go on: one line that names the thing and the remedy. Exit code 1."""

    def show(self, file: object = None) -> None:
        """Print the line on stderr."""
        del file
        click.echo(f"models.tools: {self.message}", err=True)


@dataclass
class Tally:
    """Counts by reason. ``refused`` and ``stopped`` make the command end with 1, the others do not."""

    used: Counter[str] = field(default_factory=Counter)
    changed: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    stopped: Counter[str] = field(default_factory=Counter)

    def use(self, what: str, count: int = 1) -> None:
        """Something was used or made."""
        self.used[what] += count

    def change(self, name: object, reason: str, detail: str = "") -> None:
        """Used, but not as it was given: a box clipped, a hole filled."""
        self._note("changed", self.changed, name, reason, detail)

    def skip(self, name: object, reason: str, detail: str = "") -> None:
        """Left out, as the documented rule says; the rest is sound."""
        self._note("skipped", self.skipped, name, reason, detail)

    def refuse(self, name: object, reason: str, detail: str = "") -> None:
        """Broken or contradictory: nothing was made of it."""
        self._note("refused", self.refused, name, reason, detail)

    def stop(self, name: object, reason: str, detail: str = "") -> None:
        """It ended before its end; what came before was kept."""
        self._note("stopped", self.stopped, name, reason, detail)

    @property
    def exit_code(self) -> int:
        """0, or 1 when some input was refused or stopped."""
        return 1 if self.refused or self.stopped else 0

    def lines(self) -> list[str]:
        """The counts, one line for each outcome that occurred; ``used`` always."""
        told = []
        for word in ("used", "changed", "skipped", "refused", "stopped"):
            counts: Counter[str] = getattr(self, word)
            if counts or word == "used":
                parts = ", ".join(f"{reason} {count}" for reason, count in sorted(counts.items()))
                told.append(f"{word:8} {sum(counts.values())}" + (f"  ({parts})" if parts else ""))
        return told

    def finish(self) -> int:
        """Print the counts on stdout and give the exit code."""
        for line in self.lines():
            click.echo(line)
        return self.exit_code

    @staticmethod
    def _note(word: str, counts: Counter[str], name: object, reason: str, detail: str) -> None:
        counts[reason] += 1
        click.echo(f"{word} {name}: {reason}" + (f" ({detail})" if detail else ""), err=True)


def of_one_name_each(films: Iterable[Path], tally: Tally) -> Iterator[Path]:
    """The films, but for those named as one before: what is written of them would have the same names."""
    seen: dict[str, Path] = {}
    for path in films:
        if path.stem in seen:
            tally.refuse(path, "two films of one name", f"{seen[path.stem]} has it too: rename one")
            continue
        seen[path.stem] = path
        yield path
