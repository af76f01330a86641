"""What making a masked copy takes of the function `mask`, under the Lambda runtime interface emulator.

    python -m bench.mask_function [--json] [--page]

Starts a cloud of its own, has rendered films analysed, asks for the masked copies of the incidents that they become,
and runs the built function with its built layers, once for each film, in a fresh process, nothing of the models on
disk: 30 s of 720p, the longest clip of an ordinary camera, and a short one of 2160p with 60 frames a second. What 30 s
of that would take is reckoned from its frames, and has to fit into the function's time with a third to spare.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench import page
from playroom.render import render_clip
from playroom.video import encode
from tests.e2e.gateway import PROGRAMS, Gateway
from uriai.adapters.mask_jobs import pack
from uriai.domain.ulid import Ulid
from uriai_cloud import rie
from uriai_cloud.sample import SEED
from uriai_cloud.state import CloudState
from uriai_cloud.up import down, up

LONGEST_S = 30
"""Of a clip, by the agent."""
SPARE = 1.5
"""A machine of the cloud may be so much slower than the one that measures."""
ASKS = "copy-operator"


@dataclass(frozen=True, slots=True)
class Film:
    """What is rendered: an assault that the models see; pixels, frames a second, seconds."""

    seed: int
    size: tuple[int, int]
    fps: int
    seconds: int

    @property
    def frames(self) -> int:
        """How many."""
        return self.fps * self.seconds

    def __str__(self) -> str:
        return f"{self.seconds} s of {self.size[0]}x{self.size[1]}, {self.fps} a second"


FILMS = (Film(SEED, (1280, 720), 25, LONGEST_S), Film(1_000_098, (3840, 2160), 60, 4))


@dataclass(frozen=True, slots=True)
class Row:
    """One film's copy. ``longest_s``: what `LONGEST_S` seconds of such a film would take, wall time."""

    film: str
    frames: int
    cpu_s: float
    wall_s: float
    longest_s: float
    peak_mib: int
    original_mb: float
    copy_mb: float


def measure(cloud: CloudState, gateway: Gateway, folder: Path) -> Iterator[Row]:
    """One row a film."""
    subprocess.run([PROGRAMS / "uriai", "people", "add", ASKS, "--role", "operator"], check=True, capture_output=True)
    functions = cloud.client("lambda")
    (source,) = functions.list_event_source_mappings(FunctionName=cloud.functions["mask"])["EventSourceMappings"]
    functions.update_event_source_mapping(UUID=source["UUID"], Enabled=False)
    for camera, film in enumerate(FILMS, start=1):
        print(f"rendering {film}", file=sys.stderr)
        path = folder / f"{camera}.mp4"
        encode(render_clip(film.seed, "assault", float(film.seconds), film.fps, film.size), path, film.fps)
        since = datetime.now(UTC) - timedelta(seconds=1)
        key = gateway.submit(path, camera=camera)[path.name]
        gateway.wait_for({key}, since, 600)
        yield _row(cloud, film, key, _asked_for(cloud, key))


def _asked_for(cloud: CloudState, key: str) -> Ulid:
    """The finding whose copy `mask` is to make, after it was asked for in the chat."""
    found = _one(
        cloud,
        """
        SELECT i.number, c.name FROM clip k JOIN analysis a ON a.current_of = k.clip_id
        JOIN finding f ON f.analysis_id = a.analysis_id JOIN incident_finding x ON x.finding_id = f.finding_id
        JOIN incident i ON i.incident_id = x.incident_id JOIN centre c ON c.centre_id = i.centre_id
        WHERE k.object_key = %s AND i.kind = 'physical' LIMIT 1
        """,
        key,
    )
    text = f"{found['name']} {found['number']}번 마스킹본 보내줘"
    subprocess.run([PROGRAMS / "uriai", "ask", text, "--as", ASKS], check=True, capture_output=True)
    return Ulid(_bytes(_one(cloud, "SELECT finding_id FROM masked_copy WHERE state = 'waiting'")["finding_id"]))


def _row(cloud: CloudState, film: Film, key: str, finding: Ulid) -> Row:
    message = {"messageId": "1", "eventSource": "aws:sqs", "body": pack(finding)}
    with tempfile.TemporaryDirectory(prefix="models-") as models:
        answer = rie.invoke(cloud, "mask", json.dumps({"Records": [message]}).encode(), {"MODELS_DIR": models})
    made = _one(cloud, "SELECT state, reason FROM masked_copy WHERE finding_id = %s", finding.value)
    if answer.failed or made["state"] != "ready":
        raise RuntimeError(f"mask made no copy of {key}: {answer.payload[:300]} {made}")
    sizes = [
        cloud.client("s3").head_object(Bucket=cloud.clips_bucket, Key=one)["ContentLength"] / 1e6
        for one in (key, f"evidence/{Path(key).stem}/{finding}/masked-copy.mp4")
    ]
    return Row(
        film=str(film),
        frames=film.frames,
        cpu_s=round(answer.cpu_s, 1),
        wall_s=round(answer.duration_s, 1),
        longest_s=round(answer.duration_s * LONGEST_S / film.seconds, 1),
        peak_mib=answer.peak_mib,
        original_mb=round(sizes[0], 1),
        copy_mb=round(sizes[1], 1),
    )


def _one(cloud: CloudState, statement: str, *values: object) -> dict[str, object]:
    with cloud.connect() as connection, connection.cursor() as cursor:
        cursor.execute(statement, values)
        found = cursor.fetchone()
    if found is None:
        raise RuntimeError(f"there is no row: {statement} {values}")
    return dict(found)


def _bytes(value: object) -> bytes:
    if not isinstance(value, bytes):
        raise TypeError(f"no id: {value!r}")
    return value


def faults(rows: Sequence[Row], timeout_s: int, memory_mib: int) -> list[str]:
    """What does not fit into the function's time or memory, as sentences."""
    found = [
        f"{row.film}: {LONGEST_S} s of it take {row.longest_s} s, the function has {timeout_s} s"
        for row in rows
        if row.longest_s * SPARE > timeout_s
    ]
    found += [
        f"{row.film}: the function's memory reaches {row.peak_mib} MiB, it has {memory_mib}"
        for row in rows
        if row.peak_mib > memory_mib
    ]
    return found


def main() -> int:
    """Exit codes: 0 within the function's time and memory, 1 above."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--page", action="store_true", help="write docs/measured/mask-function.md")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="uriai-mask-") as folder:
        os.environ["URIAI_HOME"] = str(Path(folder) / "cloud")
        try:
            cloud = up(lambda text: print(text, file=sys.stderr))
            deployed = cloud.client("lambda").get_function_configuration(FunctionName=cloud.functions["mask"])
            gateway = Gateway.enrolled(cloud, Path(folder) / "gateway", "mask-gateway")
            rows = list(measure(cloud, gateway, Path(folder)))
        finally:
            down(lambda text: print(text, file=sys.stderr))
    for row in rows:
        print(json.dumps({name: getattr(row, name) for name in row.__slots__}) if chosen.json else row)
    over = faults(rows, deployed["Timeout"], deployed["MemorySize"])
    print(*over, sep="\n", end="\n" if over else "", file=sys.stderr)
    if chosen.page:
        _write_page(rows, deployed["Timeout"], deployed["MemorySize"], over)
    return 1 if over else 0


def _write_page(rows: Sequence[Row], timeout_s: int, memory_mib: int, over: Sequence[str]) -> None:
    about = (
        "The built function with its built layers, a fresh process under `aws-lambda-rie` for each film, models "
        "fetched from the local S3. Films are rendered assaults, sent by a gateway, analysed, and asked for in the "
        "chat. One run each. The last column is the wall time in proportion to frames: what "
        f"{LONGEST_S} s, the longest clip that the agent cuts, would take."
    )
    heads = ("film", "frames", "CPU-s", "wall, s", "peak, MiB", "original, MB", "copy, MB", f"{LONGEST_S} s, wall, s")
    table = page.table(
        heads,
        [
            (r.film, r.frames, r.cpu_s, r.wall_s, r.peak_mib, r.original_mb, r.copy_mb, r.longest_s)
            for r in rows
        ],
    )  # fmt: skip
    verdict = f"The function has {timeout_s} s and {memory_mib} MiB; {SPARE} times the last column has to fit. " + (
        " ".join(over) or "It does."
    )
    title = "What making a masked copy takes"
    page.write("mask-function", title, "python -m bench.mask_function --page", [about, table, verdict])


if __name__ == "__main__":
    sys.exit(main())
