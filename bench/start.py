"""Cold start and peak memory of `analyze` under the Lambda runtime interface emulator.

    python -m bench.start [--rounds 5] [--json] [--page]

Starts a cloud of its own and keeps its `analyze` from being told of clips; each round runs the built function, with its
built layers, in two fresh processes, nothing of the models on disk:

- *start*: the event of a clip that is analysed already: imports, fetching and opening the models, reaching the
  database, answering. Nothing is looked at, so this is what a cold start adds to a clip.
- *whole*: the event of a new crowded clip of 10 s, 720p: the start and the analysis. Its peak is the function's.

Medians; the start's limit holds for CPU-seconds, since wall time is that of a shared machine and is told beside them.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench import page
from bench.decode_ratio import FPS, MOST_MIB, MOST_START_S, SECONDS, SEED, SIZE
from playroom.acts import Act
from playroom.render import render_programme
from playroom.video import encode
from tests.e2e.gateway import Gateway
from uriai_cloud import rie
from uriai_cloud.state import CloudState
from uriai_cloud.up import down, up


@dataclass(frozen=True)
class Row:
    """One kind of run: medians over the rounds, the largest peak."""

    name: str
    cpu_s: float
    wall_s: float
    peak_mib: int
    cpu_s_of_rounds: tuple[float, ...]


def measure(cloud: CloudState, gateway: Gateway, clip: Path, rounds: int) -> list[Row]:
    """Run the function ``2 * rounds`` times."""
    since = datetime.now(UTC) - timedelta(seconds=1)
    done = gateway.submit(clip)[clip.name]
    gateway.wait_for({done}, since)
    functions = cloud.client("lambda")
    starts: list[rie.Invocation] = []
    wholes: list[rie.Invocation] = []
    (source,) = functions.list_event_source_mappings(FunctionName=cloud.functions["analyze"])["EventSourceMappings"]
    functions.update_event_source_mapping(UUID=source["UUID"], Enabled=False)
    try:
        for number in range(rounds):
            print(f"round {number + 1} of {rounds}", file=sys.stderr)
            new = gateway.submit(clip)[clip.name]
            starts.append(_run(cloud, done))
            wholes.append(_run(cloud, new))
            (outcome,) = (found for key, found in gateway.outcomes(since).items() if key == new)
            if (outcome.analyses, outcome.state) != (1, "done"):
                raise RuntimeError(f"{new} was not analysed by the emulator: {outcome}")
    finally:
        functions.update_event_source_mapping(UUID=source["UUID"], Enabled=True)
    return [_row("start", starts), _row("whole", wholes)]


def _run(cloud: CloudState, key: str) -> rie.Invocation:
    record = {
        "eventSource": "aws:s3",
        "eventName": "ObjectCreated:Put",
        "eventTime": datetime.now(UTC).isoformat(),
        "s3": {"bucket": {"name": cloud.clips_bucket}, "object": {"key": key}},
    }
    message = {"messageId": "1", "eventSource": "aws:sqs", "body": json.dumps({"Records": [record]})}
    with tempfile.TemporaryDirectory(prefix="models-") as models:
        answer = rie.invoke(cloud, "analyze", json.dumps({"Records": [message]}).encode(), {"MODELS_DIR": models})
    if answer.failed or json.loads(answer.payload) != {"batchItemFailures": []}:
        raise RuntimeError(f"analyze answered {answer.payload[:300]}")
    return answer


def _row(name: str, answers: Sequence[rie.Invocation]) -> Row:
    return Row(
        name,
        round(statistics.median(answer.cpu_s for answer in answers), 2),
        round(statistics.median(answer.duration_s for answer in answers), 2),
        max(answer.peak_mib for answer in answers),
        tuple(round(answer.cpu_s, 2) for answer in answers),
    )


def faults(rows: Sequence[Row]) -> list[str]:
    """What is above its limit, as sentences."""
    start, whole = rows
    found = []
    if start.cpu_s > MOST_START_S:
        found.append(f"a cold start takes {start.cpu_s} CPU-s, the limit is {MOST_START_S}")
    if max(start.peak_mib, whole.peak_mib) > MOST_MIB:
        found.append(
            f"the function's memory reaches {max(start.peak_mib, whole.peak_mib)} MiB, the limit is {MOST_MIB}"
        )
    return found


def main() -> int:
    """Exit codes: 0 within the limits, 1 above one."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--page", action="store_true", help="write docs/measured/start.md")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="uriai-start-") as folder:
        os.environ["URIAI_HOME"] = str(Path(folder) / "cloud")
        clip = Path(folder) / "crowded.mp4"
        encode(render_programme(SEED, (Act("playfight", float(SECONDS)),), FPS, SIZE), clip, FPS)
        try:
            cloud = up(lambda text: print(text, file=sys.stderr))
            gateway = Gateway.enrolled(cloud, Path(folder) / "gateway", "start-gateway")
            rows = measure(cloud, gateway, clip, chosen.rounds)
        finally:
            down(lambda text: print(text, file=sys.stderr))
    for row in rows:
        print(json.dumps(vars(row)) if chosen.json else f"{row.name:<6} {row.cpu_s:.2f} CPU-s, {row.wall_s:.2f} s, "
              f"peak {row.peak_mib} MiB; CPU-s of rounds {' '.join(map(str, row.cpu_s_of_rounds))}")  # fmt: skip
    over = faults(rows)
    print(*over, sep="\n", end="\n" if over else "", file=sys.stderr)
    if chosen.page:
        _write_page(rows, chosen.rounds, over)
    return 1 if over else 0


def _write_page(rows: Sequence[Row], rounds: int, over: Sequence[str]) -> None:
    about = (
        "The built function with its built layers, each run a fresh process under `aws-lambda-rie`, models fetched "
        f"from the local S3 each time. Medians of {rounds}, the largest peak. *start* is a clip that is analysed "
        "already: imports, models fetched, checked and opened, the database reached. *whole* adds a new crowded "
        f"clip of {SECONDS} s, {SIZE[0]}x{SIZE[1]}."
    )
    table = page.table(
        ("run", "CPU-s", "wall, s", "peak, MiB", "CPU-s of the rounds"),
        [(row.name, row.cpu_s, row.wall_s, row.peak_mib, " ".join(map(str, row.cpu_s_of_rounds))) for row in rows],
    )
    verdict = f"Limits: {MOST_START_S} CPU-s for a start, {MOST_MIB} MiB. " + (" ".join(over) or "Both met.")
    page.write(
        "start", "Cold start and memory", f"python -m bench.start --rounds {rounds} --page", [about, table, verdict]
    )


if __name__ == "__main__":
    sys.exit(main())
