"""Eight analyzers on one queue against one: deadlocks, duplicates, throughput. `python -m bench.parallel_analyzers`.

What workers share is real: the queue's order with every event twice, MariaDB, the transactions, the camera's lock. What
they do not share on Lambda, where each has a processor of its own, is stood in for: looking at a clip is waiting for
``--look-s``, and the bucket is in memory. So the figure says what the database costs, not what models do.

Exit code 1 if a deadlock reached a caller, anything is there twice, the incidents of the two runs differ, or eight are
less than ``--least`` times as fast as one.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import random
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from tests.integration.conftest import Server, start_server
from tests.unit.pipeline.fakes import (
    GATEWAY,
    KEY,
    NOON,
    BucketInMemory,
    ScriptedAnalyser,
    StoppedClock,
    film,
    place_clip,
)
from tests.unit.rules.scenes import ADULT, CHILD, face, watched
from uriai.adapters.database.centres import NewCentre, add_camera, add_centre
from uriai.adapters.database.connection import Database
from uriai.adapters.database.gateways import add_gateway
from uriai.adapters.database.migrate import migrate
from uriai.adapters.database.transactions import SqlTransactions
from uriai.adapters.manifest import Ed25519SignatureChecker
from uriai.domain.analysis import Observations, Window
from uriai.service.analyse_clip import Outside, analyse_clip
from uriai.service.locate_clip import Arrival

WORKERS = 8
fork = multiprocessing.get_context("fork")


class WaitingAnalyser(ScriptedAnalyser):
    """Looks at a clip by waiting."""

    def __init__(self, look_s: float) -> None:
        super().__init__()
        self._look_s = look_s

    def observe(self, path: Path) -> Observations:
        """What the clip says that is seen in it, after a while."""
        time.sleep(self._look_s)
        return super().observe(path)


@dataclass(frozen=True)
class Run:
    """What one number of workers made of the queue; ``retries`` are deadlocks and lock waits that were repeated."""

    workers: int
    seconds: float
    errors: tuple[str, ...]
    retries: int
    rows: dict[str, int]
    incidents: list[dict[str, Any]]


def scenes(cameras: int, minutes: int) -> list[tuple[int, int, Observations]]:
    """Camera, second and what is seen: ten seconds every ten; loneliness, violence and shouting among calm."""
    calm, apart, sad = watched(10, away=1.0), watched(10), watched(10, sad_at=[5.0], track=4)
    fight = replace(calm, windows=(Window(2.0, 4.0, 0.85), Window(3.0, 5.0, 0.95)))
    shouting = replace(calm, faces=(face(3.0, 2, ADULT, angry=0.9), face(4.0, 3, CHILD, fear=0.7)))
    cycle = [calm, apart, sad, apart, calm, fight, fight, calm, shouting, calm, calm, calm]
    return [
        (camera, 10 * n, cycle[(n + 5 * camera) % len(cycle)])
        for camera in range(1, cameras + 1)
        for n in range(6 * minutes)
    ]


def work(
    server: Server, schema: str, bucket: BucketInMemory, look_s: float, keys: Sequence[str], start: Any, said: Any
) -> None:
    """One worker process with its own connection: works off its deliveries, tells its errors and retries."""
    retries = 0

    def pause(seconds: float) -> None:
        nonlocal retries
        retries += 1
        time.sleep(seconds)

    database = Database(lambda: server.open(schema), sleep=pause)
    outside = Outside(
        bucket, WaitingAnalyser(look_s), Ed25519SignatureChecker(), SqlTransactions(database), StoppedClock()
    )
    errors = []
    start.wait()
    for key in keys:
        try:
            analyse_clip(Arrival(key, bucket.objects[key].arrived_at), outside)
        except Exception as error:  # noqa: BLE001 - what reaches the caller is what is counted
            errors.append(f"{type(error).__name__}: {error}")
    said.put((errors, retries))
    database.close()


def measure(server: Server, schema: str, workers: int, options: argparse.Namespace) -> Run:
    """Let ``workers`` work off the queue in a schema of its own."""
    with server.open() as connection, connection.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {schema} CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_520_ci")
        cursor.execute(f"USE {schema}")
        migrate(connection)
    database = Database(lambda: server.open(schema))
    with database.transaction() as cursor:
        centre = add_centre(cursor, NewCentre("샛별어린이집", "경기도", "수원시"), NOON)
        add_gateway(cursor, GATEWAY, centre, bytes(KEY.verify_key), NOON - timedelta(days=1))
        for camera in range(1, options.cameras + 1):
            add_camera(cursor, GATEWAY, camera, "", NOON)
    database.close()
    bucket = BucketInMemory()
    keys = [
        place_clip(
            bucket, film(seen, f"{camera} {second}"), camera=camera, seq=n, started_at=NOON + timedelta(seconds=second)
        )
        for n, (camera, second, seen) in enumerate(scenes(options.cameras, options.minutes), start=1)
    ]
    queue = keys * 2
    random.Random(options.seed).shuffle(queue)
    start, said = fork.Barrier(workers + 1), fork.Queue()
    processes = [
        fork.Process(target=work, args=(server, schema, bucket, options.look_s, queue[i::workers], start, said))
        for i in range(workers)
    ]
    for process in processes:
        process.start()
    start.wait()
    began = time.monotonic()
    answers = [said.get(timeout=3600) for _ in processes]
    seconds = time.monotonic() - began
    for process in processes:
        process.join()
    rows, incidents = outcome(Database(lambda: server.open(schema)))
    return Run(
        workers, seconds, tuple(e for errors, _ in answers for e in errors), sum(r for _, r in answers), rows, incidents
    )


def outcome(database: Database) -> tuple[dict[str, int], list[dict[str, Any]]]:
    """How many rows of each kind there are and which stand twice; the incidents that stand."""
    counts = {
        "clips": "SELECT COUNT(*) AS n FROM clip",
        "analyses": "SELECT COUNT(*) AS n FROM analysis",
        "findings": "SELECT COUNT(*) AS n FROM finding",
        "clips with two current analyses": "SELECT COUNT(*) AS n FROM (SELECT clip_id FROM analysis WHERE current_of "
        "IS NOT NULL GROUP BY clip_id HAVING COUNT(*) > 1) t",
        "findings in two incidents": "SELECT COUNT(*) AS n FROM (SELECT finding_id FROM incident_finding "
        "GROUP BY finding_id HAVING COUNT(*) > 1) t",
        "incidents of one scene": "SELECT COUNT(*) AS n FROM incident a JOIN incident b ON a.camera_id = b.camera_id "
        "AND a.kind = b.kind AND a.incident_id < b.incident_id AND a.merged_into IS NULL AND b.merged_into IS NULL "
        "AND a.started_at < b.ended_at + INTERVAL 60 SECOND AND b.started_at < a.ended_at + INTERVAL 60 SECOND",
    }
    with database.transaction() as cursor:
        rows = {}
        for name, statement in counts.items():
            cursor.execute(statement)
            rows[name] = int((cursor.fetchone() or {"n": 0})["n"])
        cursor.execute(
            "SELECT m.number AS camera, i.kind, i.verdict, i.status, i.started_at, i.ended_at, i.confidence "
            "FROM incident i JOIN camera m ON m.camera_id = i.camera_id WHERE i.merged_into IS NULL "
            "ORDER BY m.number, i.kind, i.started_at"
        )
        incidents = list(cursor.fetchall())
    database.close()
    return rows, incidents


def main() -> int:
    """Measure one worker and eight in one go on one server."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--cameras", type=int, default=4)
    parser.add_argument("--minutes", type=int, default=4, help="of every camera, six clips a minute (default 4)")
    parser.add_argument("--look-s", type=float, default=0.5, help="what looking at a clip takes (default 0.5)")
    parser.add_argument("--seed", type=int, default=20261122)
    parser.add_argument("--least", type=float, default=4.0, help="times as fast as one at the least (default 4)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        process, server = start_server(Path(folder))
        try:
            one, eight = (measure(server, f"with_{n}", n, options) for n in (1, WORKERS))
        finally:
            process.terminate()
            process.wait(timeout=60)
    doubled = [name for run in (one, eight) for name in run.rows if " " in name and run.rows[name]]
    faster = one.seconds / eight.seconds
    for run in (one, eight):
        told = {
            "workers": run.workers,
            "seconds": round(run.seconds, 1),
            "deliveries": 2 * run.rows["clips"],
            "retried": run.retries,
            "errors": list(run.errors)[:5],
            "incidents": len(run.incidents),
            **run.rows,
        }
        print(json.dumps(told))
    same = one.incidents == eight.incidents
    print(json.dumps({"times_as_fast": round(faster, 2), "same_incidents": same, "doubled": doubled}))
    return 0 if same and not doubled and not (one.errors or eight.errors) and faster >= options.least else 1


if __name__ == "__main__":
    sys.exit(main())
