"""Real clips through the deployed stack against `uriai analyze` on the same files: one table, verdict by verdict.

    .venv/bin/python -m bench.replay_clips --count 20

Needs the footage (URIAI_DATA, default ../shared/data) and a running cloud (`uriai up`). Prints names and numbers.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.e2e.gateway import PROGRAMS, Gateway
from uriai_cloud import state
from uriai_cloud.home import REPOSITORY, Home


@dataclass(frozen=True)
class Row:
    """One clip: what it is labelled, what the deployed stack and the offline command say of it."""

    file: str
    label: str
    analyses: int
    deployed: str
    deployed_probability: float
    offline: str
    offline_probability: float

    @property
    def same(self) -> bool:
        """One analysis, the same verdict, and the same probability to four decimals."""
        return (
            self.analyses == 1
            and self.deployed == self.offline
            and abs(self.deployed_probability - self.offline_probability) < 5e-5
        )


def footage() -> Path:
    """The folder of real clips; whether it is there is for the caller to see."""
    return Path(os.environ.get("URIAI_DATA", REPOSITORY.parent / "shared" / "data")) / "violence"


def chosen(count: int) -> list[tuple[Path, str]]:
    """Every n-th clip of the list, so that both labels and all folds are in it."""
    with (footage() / "labels.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    step = max(1, len(rows) // count)
    return [(footage() / "clips" / row["file"], row["label"]) for row in rows[::step][:count]]


def replay(gateway: Gateway, clips: list[tuple[Path, str]]) -> list[Row]:
    """Submit the clips to the running cloud, wait for their analyses, and set the offline command's beside them."""
    since = datetime.now(UTC) - timedelta(seconds=1)
    keys = gateway.submit(*(path for path, _ in clips))
    found = gateway.wait_for(set(keys.values()), since, within_s=60 + 30 * len(clips))
    offline = subprocess.run(
        [PROGRAMS / "uriai", "analyze", *(path for path, _ in clips), "--json"],
        capture_output=True,
        text=True,
        check=True,
    )
    alone = {Path(line["file"]).name: line for line in map(json.loads, offline.stdout.splitlines())}
    rows = []
    for path, label in clips:
        outcome, line = found[keys[path.name]], alone[path.name]
        rows.append(
            Row(
                path.name,
                label,
                outcome.analyses,
                outcome.verdict or f"failed: {outcome.reason_code}",
                outcome.violence_probability if outcome.violence_probability is not None else float("nan"),
                line["verdict"],
                line["violence"]["probability"],
            )
        )
    return rows


def table(rows: list[Row]) -> str:
    """The rows as text."""
    lines = [f"{'file':<14}{'label':<10}{'analyses':>8}  {'deployed':<18}{'offline':<18}same"]
    lines += [
        f"{row.file:<14}{row.label:<10}{row.analyses:>8}  "
        f"{row.deployed:<8}{row.deployed_probability:<10.4f}{row.offline:<8}{row.offline_probability:<10.4f}"
        f"{'yes' if row.same else 'NO'}"
        for row in rows
    ]
    return "\n".join(lines)


def main() -> int:
    """Print the table; 1 if a row differs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=20)
    options = parser.parse_args()
    if not footage().is_dir():
        print(f"no footage at {footage()}: set URIAI_DATA", file=sys.stderr)
        return 2
    gateway = Gateway.enrolled(state.load(), Home.from_environment().path / "replay-gateway", "replay-gateway")
    began = time.monotonic()
    rows = replay(gateway, chosen(options.count))
    print(table(rows))
    print(f"{sum(row.same for row in rows)} of {len(rows)} the same, {time.monotonic() - began:.0f} s in all")
    return 0 if all(row.same for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
