"""A scripted day through the deployed stack, and whether its incidents equal the script's truth table.

    python -m bench.day [--clips 300] [--seed 20261125] [--real 24] [--json] [--page]

Starts a cloud of its own (`uriai up` in a folder of its own: sam deploy on ministack, MariaDB). Three cameras of one
gateway play real clips, where URIAI_DATA has some, and rendered ones. The agent's own spool signs them in sequence;
they are uploaded as the agent does, `.json` and `.sig` before the `.mp4`, but in disorder, the clips of two hours late
and all at once; events are delivered twice, some signatures never come. Each distinct file is looked at once by
`uriai analyze`; the rest of the truth table is `bench.day_script.oracle`'s, which shares no code with the stack.

Exit code 0 if incidents, clips and analyses are as the table says and every rendered scene was judged as it was
written to be, 1 otherwise.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from bench import page
from bench.day_script import CAMERAS, Day, Expected, Film, Shot, oracle, write
from bench.replay_clips import footage
from playroom import render_clip
from playroom.video import encode
from tests.e2e.gateway import PROGRAMS, Gateway
from uriai.adapters.database.centres import add_camera
from uriai.adapters.database.outcomes import ClipOutcome
from uriai_cloud.state import CloudState
from uriai_cloud.up import down, up
from uriai_edge.config_file import load_config
from uriai_edge.keys import load_key
from uriai_edge.register import Record
from uriai_edge.spool import Spool
from uriai_edge.submit import submit_to

ZONE = ZoneInfo("Asia/Seoul")
SAME_TIME = timedelta(milliseconds=2)
"""Times are kept in whole milliseconds on both sides."""
FPS = 15
ASSAULTS = (1_000_010, 1_000_032, 1_000_054, 1_000_098)
CALM = (("sit", 1_000_051), ("walk", 1_000_062), ("play", 1_000_073), ("hug", 1_000_084), ("dance", 1_000_095))
"""Seeds of clear scenes: how much models miss is measured elsewhere, here it is what becomes of their findings."""


@dataclass(frozen=True)
class Result:
    """What came of a day. ``differences``: sentences, one for each thing that is not as it has to be."""

    clips: int
    delivered: int
    expected: tuple[Expected, ...]
    found: tuple[Expected, ...]
    differences: tuple[str, ...]
    seconds: float

    def rows(self) -> list[tuple[str, str]]:
        """What was counted, for people."""
        merged = sum(incident.clips for incident in self.expected)
        kinds = sorted({incident.kind for incident in (*self.expected, *self.found)})
        return [
            ("clips", str(self.clips)),
            ("events delivered", str(self.delivered)),
            *(
                (
                    f"incidents, {kind}: expected / found",
                    " / ".join(str(sum(i.kind == kind for i in of)) for of in (self.expected, self.found)),
                )
                for kind in kinds
            ),
            ("clips in incidents, expected", str(merged)),
            ("differences", str(len(self.differences))),
            ("seconds from the first upload to the last outcome", f"{self.seconds:.0f}"),
        ]


def films(
    folder: Path, real: int, assaults: Sequence[int] = ASSAULTS, calm: Sequence[tuple[str, int]] = CALM
) -> list[Film]:
    """Rendered scenes of 5 s and so many real clips, each looked at once by `uriai analyze`."""
    written: dict[Path, str | None] = {}
    for scene, seed in [*(("assault", seed) for seed in assaults), *calm]:
        path = folder / f"{scene}-{seed}.mp4"
        encode(render_clip(seed, scene, 5.0, FPS), path, FPS)
        written[path] = "physical" if scene == "assault" else "calm"
    written |= dict.fromkeys(_real(real))
    done = subprocess.run(
        [PROGRAMS / "uriai", "analyze", *written, "--json"], capture_output=True, text=True, check=True
    )
    seen = {Path(line["file"]): line for line in map(json.loads, done.stdout.splitlines())}
    return [Film(path, seen[path], what) for path, what in written.items()]


def _real(number: int) -> list[Path]:
    """So many real clips, fights and others, spread over the list; none where there is no footage."""
    if not number or not footage().is_dir():
        return []
    with (footage() / "labels.csv").open(encoding="utf-8") as file:
        names = [row["file"] for row in csv.DictReader(file)]
    return [footage() / "clips" / name for name in names[:: max(1, len(names) // number)][:number]]


def misjudged(of: Iterable[Film]) -> list[str]:
    """The rendered scenes that the models judge otherwise than they were written."""
    faults = []
    for film in of:
        kinds = {finding["kind"] for finding in film.seen["findings"]}
        if film.written == "physical" and "physical" not in kinds:
            faults.append(f"{film.path.name}: no physical finding in an assault")
        if film.written == "calm" and kinds:
            faults.append(f"{film.path.name}: {', '.join(sorted(kinds))} in a calm scene")
    return faults


def begin_of_yesterday(now: datetime) -> datetime:
    """Eight o'clock, yesterday, where the centre is: late clips are taken for 30 days."""
    return now.astimezone(ZONE).replace(hour=8, minute=0, second=0, microsecond=0).astimezone(UTC) - timedelta(days=1)


def play(gateway: Gateway, day: Day) -> Result:
    """Upload the day, wait until everything has an outcome, compare."""
    since, began = datetime.now(UTC) - timedelta(seconds=1), time.monotonic()
    with gateway.cloud.connect() as connection, connection.cursor() as cursor:
        for camera in CAMERAS[1:]:
            connection.begin()
            add_camera(cursor, gateway.name, camera, "", since)
            connection.commit()
    keys = _upload(gateway, day, since)
    longest_s = 120 + 20 * len(day.shots)
    outcomes = gateway.wait_for(set(keys.values()), since, longest_s)
    _wait_until_empty(gateway.cloud)
    seconds = time.monotonic() - began
    expected, found = tuple(oracle(day)), tuple(_incidents(gateway))
    twice = sum(shot.twice for shot in day.shots)
    differences = (*_clips_differ(day, keys, outcomes), *_incidents_differ(expected, found))
    return Result(len(day.shots), len(day.shots) + 2 * twice, expected, found, differences, seconds)


def _upload(gateway: Gateway, day: Day, since: datetime) -> dict[Shot, str]:
    """Sign in the order of recording, upload in the order of arrival; the object key of each shot."""
    config = load_config(gateway.config)
    with Spool(config.spool.dir, config.gateway, load_key(config.key_file)) as spool:
        records = {shot: submit_to(spool, shot.film.path, config, shot.camera, shot.started_at) for shot in day.shots}
    keys = {shot: record.read().stem + ".mp4" for shot, record in records.items()}
    for shot in day.punctual:
        _put(gateway.cloud, records[shot], shot)
    gateway.wait_for({keys[shot] for shot in day.punctual}, since, 120 + 20 * len(day.punctual))
    for shot in day.late:
        _put(gateway.cloud, records[shot], shot)
    for shot in day.shots:
        if shot.twice:  # and once more when its first delivery may long be done
            _deliver(gateway.cloud, keys[shot])
    return keys


def _put(cloud: CloudState, record: Record, shot: Shot) -> None:
    s3, stem = cloud.client("s3"), record.read().stem
    s3.put_object(Bucket=cloud.clips_bucket, Key=stem + ".json", Body=record.manifest)
    if shot.signed:
        s3.put_object(Bucket=cloud.clips_bucket, Key=stem + ".sig", Body=record.signature)
    s3.put_object(Bucket=cloud.clips_bucket, Key=stem + ".mp4", Body=shot.film.path.read_bytes())
    if shot.twice:
        _deliver(cloud, stem + ".mp4")


def _deliver(cloud: CloudState, key: str) -> None:
    """The notification that S3 sent, again."""
    record = {
        "eventSource": "aws:s3",
        "eventName": "ObjectCreated:Put",
        "eventTime": datetime.now(UTC).isoformat(),
        "s3": {"bucket": {"name": cloud.clips_bucket}, "object": {"key": key}},
    }
    cloud.client("sqs").send_message(QueueUrl=cloud.queue_url, MessageBody=json.dumps({"Records": [record]}))


def _wait_until_empty(cloud: CloudState) -> None:
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline:
        found = cloud.client("sqs").get_queue_attributes(QueueUrl=cloud.queue_url, AttributeNames=names)["Attributes"]
        if not sum(int(found[name]) for name in names):
            return
        time.sleep(0.5)
    raise TimeoutError(f"after 300 s there are still messages in {cloud.queue_url}")


def _incidents(gateway: Gateway) -> list[Expected]:
    """The incidents on file, with the running count that `uriai review list` tells."""
    done = subprocess.run(
        [PROGRAMS / "uriai", "review", "list", "--all", "--limit", "1000", "--json"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    of_day = {
        row["number"]: row["of_day"]
        for row in map(json.loads, done.stdout.splitlines())
        if row["centre"] == gateway.centre
    }
    with gateway.cloud.connect() as connection, connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT i.number, m.number AS camera, i.kind, i.started_at, i.ended_at, i.verdict, i.status, i.unverified,
                   (SELECT COUNT(DISTINCT a.clip_id) FROM incident_finding l
                    JOIN finding f ON f.finding_id = l.finding_id JOIN analysis a ON a.analysis_id = f.analysis_id
                    WHERE l.incident_id = i.incident_id) AS clips
            FROM incident i JOIN camera m ON m.camera_id = i.camera_id
            WHERE m.gateway_id = %s AND i.merged_into IS NULL ORDER BY i.started_at, i.number
            """,
            (gateway.name,),
        )
        return [
            Expected(
                camera=row["camera"], kind=row["kind"], started_at=row["started_at"], ended_at=row["ended_at"],
                verdict=row["verdict"], status=row["status"], clips=row["clips"], unverified=bool(row["unverified"]),
                of_day=of_day[row["number"]],
            )
            for row in cursor.fetchall()
        ]  # fmt: skip


def _clips_differ(day: Day, keys: dict[Shot, str], outcomes: dict[str, ClipOutcome]) -> list[str]:
    """Every shot has one analysis, done, with the verdict that `uriai analyze` gave its film."""
    faults = []
    for shot in day.shots:
        outcome, verdict = outcomes[keys[shot]], shot.film.seen["verdict"]
        found: tuple[Any, ...] = (
            outcome.analyses,
            outcome.state,
            outcome.verdict and outcome.verdict.value,
            outcome.manifest_status,
        )
        wanted = (1, "done", verdict, "verified" if shot.signed else "bad_signature")
        if found != wanted:
            faults.append(f"{keys[shot]} ({shot.film.path.name}): {found} instead of {wanted}")
    return faults


def _incidents_differ(expected: Sequence[Expected], found: Sequence[Expected]) -> list[str]:
    """What is expected and not found, and found and not expected; times within `SAME_TIME`."""
    left, faults = list(found), []
    for incident in expected:
        same = next((other for other in left if _same(incident, other)), None)
        if same is None:
            faults.append(f"expected and not found: {incident}")
        else:
            left.remove(same)
    return faults + [f"found and not expected: {incident}" for incident in left]


def _same(one: Expected, other: Expected) -> bool:
    near = all(abs(getattr(one, name) - getattr(other, name)) <= SAME_TIME for name in ("started_at", "ended_at"))
    rest = ("camera", "kind", "verdict", "status", "clips", "unverified", "of_day")
    return near and all(getattr(one, name) == getattr(other, name) for name in rest)


def main() -> int:
    """Play the day in a cloud of its own."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--clips", type=int, default=300)
    parser.add_argument("--seed", type=int, default=20261125)
    parser.add_argument("--real", type=int, default=24, help="distinct real clips (default 24)")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--page", action="store_true", help="write docs/measured/day.md")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="uriai-day-") as folder:
        os.environ["URIAI_HOME"] = str(Path(folder) / "cloud")
        of = films(Path(folder), options.real)
        day = write(of, options.clips, begin_of_yesterday(datetime.now(UTC)), options.seed)
        try:
            cloud = up(lambda text: print(text, file=sys.stderr))
            result = play(Gateway.enrolled(cloud, Path(folder) / "gateway", "day-gateway", cameras=CAMERAS), day)
        finally:
            down(lambda text: print(text, file=sys.stderr))
    faults = misjudged(of)
    rows = [
        *result.rows(),
        (
            "distinct films, real / rendered",
            f"{sum(f.written is None for f in of)} / {sum(f.written is not None for f in of)}",
        ),
        ("rendered scenes judged as written", f"{sum(f.written is not None for f in of) - len(faults)}"),
        ("uploaded late, all at once", str(len(day.late))),
    ]
    if options.json:
        print(json.dumps({**dict(rows), "differing": result.differences, "misjudged": faults}, ensure_ascii=False))
    else:
        for name, value in rows:
            print(f"{name:<52}{value}")
        print(*result.differences, *faults, sep="\n")
    if options.page:
        _write_page(options, rows, result, faults)
    return 1 if result.differences or faults else 0


def _write_page(
    options: argparse.Namespace, rows: Sequence[tuple[str, str]], result: Result, faults: Sequence[str]
) -> None:
    about = (
        "Three cameras of one centre, eight hours, through `uriai up`: sam deploy on ministack, the agent's signed "
        "manifests, S3, SQS, `analyze`, MariaDB. Arrival is in disorder, the clips of two hours come late and all at "
        "once, newest first; events come again at once and at the end; two signatures never come. The truth table "
        "merges what `uriai analyze` says of each film by code that shares nothing with the stack: kind, camera, span, "
        "verdict, status, number of clips, running count of the day."
    )
    differing = [f"- {text}" for text in (*result.differences, *faults)] or ["No difference."]
    command = f"python -m bench.day --clips {options.clips} --seed {options.seed} --page"
    page.write("day", "A scripted day", command, [about, page.table(("what", "number"), rows), "\n".join(differing)])


if __name__ == "__main__":
    sys.exit(main())
