"""How long the chatbot takes in a whole country: 35,000 centres, 200,000 cameras, 5 million incidents.

    python -m bench.country [--keep FOLDER] [--rounds 300] [--small] [--json] [--page]

A private MariaDB is filled by its own SQL (minutes; with ``--keep`` once), then directors of random centres and the
officer of a district of 500 centres ask `POST /v1/ask` in the function's handler, in this process and over one
connection, as on Lambda. Every person's first question is among the measured ones. Each statement is explained once
as well.

Exit code 1 if a 99th percentile is over its limit (40 ms for a director's question, 150 ms for an officer's), if a
statement reads a table that grows with the country without an index, if an answer is an error or names a centre of
somebody else, or if the memory of this process exceeds 256 MB.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import json
import os
import random
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pymysql
from chalice.test import Client
from pymysql.cursors import DictCursor

from bench import page
from bench.country_rows import CENTRES_A_NEIGHBOURHOOD, CLIPS_A_DAY, DISTRICTS, NEIGHBOURHOODS, NOW, fill
from tests.integration.conftest import Server, free_port, program, start_server
from uriai.adapters.chat.http import Desk
from uriai.adapters.database.connection import Connection, Database, prepare
from uriai.adapters.database.dialogues import SqlDeliveries, SqlDialogues
from uriai.adapters.database.links import SqlLinks
from uriai.adapters.database.migrate import migrate
from uriai.adapters.database.people import SqlPeople
from uriai.adapters.database.questions import SqlQuestions
from uriai.adapters.database.subscriptions import SqlSubscriptions
from uriai.domain.words import Role
from uriai.service.answer_question import Chat
from uriai.service.ports.clock import Clock

LIMIT_MS = {Role.DIRECTOR: 40.0, Role.POLICY_OFFICER: 150.0}
MEMORY_LIMIT_MB = 256.0
QUESTIONS = (
    "오늘 우리 어린이집 무슨 일 있었어?",
    "어제 오후 2시부터 4시 사이 3번 카메라",
    "지난주 신체학대 몇 건?",
    "어제 자세히",
    "지난달 요약",
    "12번 어떻게 됐어?",
    "오늘 안 찍힌 카메라 있어?",
    "what happened yesterday?",
    "compare this week with last week",
    "incidents last month at camera 2",
)
GROWING = re.compile(
    r"\b(?:FROM|JOIN)\s+(incident|camera|clip|analysis|finding|incident_finding|evidence|coverage)\s+(\w+)"
)


class StoppedClock(Clock):
    """Always the same afternoon."""

    def now(self) -> datetime:
        """That instant."""
        return NOW


@dataclass(frozen=True)
class Asker:
    """Somebody who asks, and the names of the centres that their answers may hold."""

    role: Role
    token: str
    may_name: frozenset[str]


@dataclass
class Times:
    """Milliseconds in the handler by role and question, and what was wrong with answers."""

    of: dict[tuple[Role, str], list[float]] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    def all_of(self, role: Role) -> list[float]:
        """Every time of one role."""
        return sorted(ms for (one, _), times in self.of.items() if one is role for ms in times)


class Explained(SqlQuestions):
    """Asks the server how it would run each statement instead of timing it."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.unindexed: set[str] = set()
        self.statements = 0

    def _rows(self, statement: str, parameters: tuple[Any, ...]) -> list[dict[str, Any]]:
        self.statements += 1
        growing = {alias: table for table, alias in GROWING.findall(statement)}
        for step in super()._rows("EXPLAIN " + statement, parameters):
            if step["table"] in growing and step["key"] is None:
                self.unindexed.add(f"{growing[step['table']]}: {' '.join(statement.split())[:160]}")
        return super()._rows(statement, parameters)


def enrol(connection: Connection, chosen: Sequence[int]) -> list[Asker]:
    """A director for each of the chosen centres and an officer for the first district, with their tokens."""
    askers = []
    with connection.cursor() as cursor:
        people: list[tuple[str, Role, str, int]] = [
            (f"원장 {centre}", Role.DIRECTOR, "INSERT INTO person_centre VALUES (%s, %s)", centre) for centre in chosen
        ]
        people.append(("주무관", Role.POLICY_OFFICER, "INSERT INTO person_region VALUES (%s, %s)", 1_000_000))
        for name, role, scope, of in people:
            token = f"{random.Random(name).getrandbits(256):064x}"
            cursor.execute("SELECT person_id FROM person WHERE name = %s", (name,))
            known = cursor.fetchone()
            if known is None:
                cursor.execute(
                    "INSERT INTO person (name, role, created_at) VALUES (%s, %s, %s)", (name, role.value, NOW)
                )
                person = cursor.lastrowid
                cursor.execute(scope, (person, of))
                cursor.execute(
                    "INSERT INTO person_token (token_hash, person_id, created_at) VALUES (%s, %s, %s)",
                    (hashlib.sha256(token.encode()).digest(), person, NOW),
                )
            cursor.execute(
                "SELECT name FROM centre WHERE centre_id = %s"
                if role is Role.DIRECTOR
                else "SELECT c.name FROM centre c JOIN region r ON r.region_id = c.region_id "
                "JOIN region o ON o.region_id = %s AND o.district = r.district",
                (of,),
            )
            askers.append(Asker(role, token, frozenset(row["name"] for row in cursor.fetchall())))
    connection.commit()
    return askers


def ask_everything(application: Any, askers: Sequence[Asker], rounds: int, seed: int = 1) -> Times:
    """So many questions of random directors and as many of the officer; what they took, and what was wrong."""
    chance = random.Random(seed)
    directors = [one for one in askers if one.role is Role.DIRECTOR]
    officer = next(one for one in askers if one.role is Role.POLICY_OFFICER)
    times = Times()
    with Client(application) as client:
        for number in range(rounds):
            for asker in (directors[number % len(directors)], officer):
                text = QUESTIONS[chance.randrange(len(QUESTIONS))]
                began = time.perf_counter()
                answer = client.http.post(
                    "/v1/ask",
                    headers={"Authorization": f"Bearer {asker.token}", "Content-Type": "application/json"},
                    body=json.dumps({"text": text}).encode(),
                )
                times.of.setdefault((asker.role, text), []).append((time.perf_counter() - began) * 1000)
                told = json.dumps(answer.json_body, ensure_ascii=False) if answer.status_code == 200 else ""
                others = set(re.findall(r"가람\d{5}어린이집", told)) - asker.may_name
                if answer.status_code != 200 or others:
                    times.faults.append(f"{asker.role.value}, {text}: {answer.status_code}, foreign centres {others}")
    return times


def handler(database: Database, questions: SqlQuestions) -> Any:
    """The chatbot's Chalice application over this database, at `NOW`."""
    path = page.REPOSITORY / "functions" / "chatbot" / "app.py"
    spec = importlib.util.spec_from_file_location("chatbot_app", path)
    if spec is None or spec.loader is None:
        raise FileNotFoundError(path)
    module = importlib.util.module_from_spec(spec)
    sys.modules["chatbot_app"] = module
    spec.loader.exec_module(module)

    def nowhere() -> Any:
        raise RuntimeError("no question of this benchmark needs a queue, a bucket or a platform")

    desk = Desk(
        people=SqlPeople(database),
        chat=Chat(questions, SqlLinks(database), StoppedClock()),
        pictures=nowhere,
        dialogues=SqlDialogues(database),
        deliveries=SqlDeliveries(database),
        subscriptions=SqlSubscriptions(database),
        later=nowhere,
        kakao=nowhere,
        slack=nowhere,
        telegram=nowhere,
        base_url="https://chat.example/live",
    )
    return module.create_app(lambda: desk)


@contextmanager
def country(folder: Path, districts: int) -> Iterator[tuple[Server, bool]]:
    """A server on the folder's database, and whether it is new."""
    buffer = "--innodb-buffer-pool-size=1G"
    new = not (folder / "data").is_dir()
    if new:
        process, server = start_server(folder, buffer)
        # no time limit: a part of the country takes longer than any question may
        with pymysql.connect(host=server.host, port=server.port, user="root", cursorclass=DictCursor) as connection:
            prepare(connection)
            with connection.cursor() as cursor:
                cursor.execute("CREATE DATABASE country CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_520_ci")
                cursor.execute("USE country")
            migrate(connection)
            fill(connection, districts, lambda text: print(text, file=sys.stderr, flush=True))
    else:
        process, server = _resume(folder, buffer)
        with server.open("country") as connection:
            migrate(connection)
    try:
        yield server, new
    finally:
        process.terminate()
        process.wait(timeout=120)


def _resume(folder: Path, *options: str) -> tuple[subprocess.Popen[bytes], Server]:
    daemon, port = program("mariadbd"), free_port()
    if daemon is None:
        raise SystemExit("mariadbd is not installed: apt-get install --no-install-recommends mariadb-server")
    as_user = ["--user=root"] if os.geteuid() == 0 else []
    (folder / "tmp").mkdir(exist_ok=True)
    process = subprocess.Popen(
        [daemon, "--no-defaults", f"--datadir={folder / 'data'}", f"--tmpdir={folder / 'tmp'}",
         f"--socket={folder / 's'}",
         f"--pid-file={folder / 'pid'}", "--bind-address=127.0.0.1", f"--port={port}", "--skip-log-bin",
         "--performance-schema=OFF", *as_user, *options],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    server = Server("127.0.0.1", port, folder)
    deadline = time.monotonic() + 60
    while True:
        try:
            server.open().close()
        except pymysql.MySQLError:
            if process.poll() is not None or time.monotonic() > deadline:
                process.terminate()
                raise SystemExit(f"mariadbd does not start on {folder}: remove the folder to fill it anew") from None
            time.sleep(0.2)
        else:
            return process, server


def counts(server: Server) -> list[tuple[str, int]]:
    """Rows of the tables that a country fills."""
    tables = ("centre", "camera", "incident", "clip", "coverage")
    with server.open("country") as connection, connection.cursor() as cursor:
        found = []
        for table in tables:
            cursor.execute(f"SELECT COUNT(*) AS n FROM {table}")
            row = cursor.fetchone()
            found.append((table, int(row["n"]) if row else 0))
    return found


def quantile(times: Sequence[float], share: float) -> float:
    """The smallest time that so large a share does not exceed."""
    return times[min(len(times) - 1, int(share * len(times)))]


def main() -> int:
    """Fill or open the country, ask, tell."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--keep", type=Path, help="folder for the database, used again by the next run")
    parser.add_argument("--rounds", type=int, default=300, help="questions of each role (default 300)")
    parser.add_argument("--small", action="store_true", help="one district of 500 centres: to try the benchmark itself")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--page", action="store_true", help="write docs/measured/country.md")
    options = parser.parse_args()
    districts = 1 if options.small else DISTRICTS
    with tempfile.TemporaryDirectory(prefix="uriai-country-") as temporary:
        folder = options.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        with country(folder, districts) as (server, _):
            there = counts(server)
            first = random.Random(2).sample(range(1, NEIGHBOURHOODS * CENTRES_A_NEIGHBOURHOOD + 1), 100)
            with server.open("country") as connection:
                askers = enrol(connection, first)
            database = Database(lambda: server.open("country"))
            times = ask_everything(handler(database, SqlQuestions(database)), askers, options.rounds)
            explained = Explained(database)
            faults = ask_everything(handler(database, explained), askers, len(QUESTIONS) * 2).faults
            database.close()
    return report(options, there, times, explained, faults)


def report(
    options: argparse.Namespace,
    there: Sequence[tuple[str, int]],
    times: Times,
    explained: Explained,
    later_faults: Sequence[str],
) -> int:
    """Print and, where asked for, write the page; the exit code."""
    memory_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    rows, over = [], []
    for role, limit in LIMIT_MS.items():
        found = times.all_of(role)
        p99 = quantile(found, 0.99)
        rows.append(
            (role.value, len(found), f"{statistics.median(found):.1f}", f"{p99:.1f}", f"{found[-1]:.1f}", limit)
        )
        if p99 > limit:
            over.append(f"{role.value}: 99th percentile {p99:.1f} ms, over {limit:.0f} ms")
    each = [
        (role.value, text, len(found), f"{statistics.median(found):.1f}", f"{max(found):.1f}")
        for (role, text), found in sorted(times.of.items(), key=lambda item: (item[0][0].value, item[0][1]))
    ]
    faults = [*times.faults, *later_faults, *(f"no index: {text}" for text in sorted(explained.unindexed)), *over]
    if memory_mb > MEMORY_LIMIT_MB:
        faults.append(f"{memory_mb:.0f} MB of memory, over {MEMORY_LIMIT_MB:.0f} MB")
    heads = ("who asks", "questions", "median ms", "99 % ms", "longest ms", "limit of 99 %")
    by_question = ("who asks", "question", "times", "median ms", "longest ms")
    if options.json:
        print(
            json.dumps(
                {"rows": dict(there), "times": rows, "memory_mb": round(memory_mb), "faults": faults},
                ensure_ascii=False,
            )
        )
    else:
        print(*(f"{table:<12}{number:>12,}" for table, number in there), sep="\n")
        print(page.table(heads, rows), page.table(by_question, each), sep="\n\n")
        print(f"{explained.statements} statements explained; {memory_mb:.0f} MB", *faults, sep="\n")
    if options.page:
        about = (
            "`POST /v1/ask` in the function's handler, one process, one connection, MariaDB with a buffer of 1 GB on "
            "the same machine. Directors of 100 centres take turns; the officer's district has 500 centres, some 2,860 "
            f"cameras, each with {CLIPS_A_DAY} clips a day."
        )
        end = [f"- {text}" for text in faults] or [
            "Every statement uses an index; no answer named a centre of somebody else."
        ]
        page.write(
            "country", "The chatbot in a whole country", f"python -m bench.country --rounds {options.rounds} --page",
            [about, page.table(("table", "rows"), [(table, f"{n:,}") for table, n in there]), page.table(heads, rows),
             page.table(by_question, each), f"Peak memory of the process, benchmark included: {memory_mb:.0f} MB.",
             "\n".join(end)],
        )  # fmt: skip
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
