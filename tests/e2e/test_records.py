"""Records of a real agent, and of one that is played, through the deployed stack: S3, queue, rows, answers."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from nacl.signing import SigningKey

from playroom import render_clip
from playroom.video import encode
from tests.e2e.conftest import eventually
from tests.e2e.gateway import PROGRAMS, Gateway
from tests.unit.pipeline.fakes import BucketInMemory
from tests.unit.pipeline.teller import Teller
from uriai.adapters.database.centres import NewCentre, add_camera, add_centre
from uriai.adapters.database.gateways import add_gateway
from uriai.service.locate_clip import Arrival
from uriai_cloud.ministack import ACCESS_KEY, SECRET_KEY
from uriai_cloud.state import CloudState

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]
OFFICER = "e2e-coverage-officer"
EVENT = "01KB2WXYZ0000000000000000E"


def rows(cloud: CloudState, statement: str, *parameters: object) -> list[dict]:
    with cloud.connect() as connection, connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return list(cursor.fetchall())


@pytest.fixture(scope="module")
def officer(cloud: CloudState) -> str:
    """A policy officer who is in charge of every centre of this module."""
    with cloud.connect() as connection, connection.cursor() as cursor:
        connection.begin()
        add_centre(cursor, NewCentre("e2e-teller 어린이집", "서울특별시", "강남구", "역삼동"), datetime.now(UTC))
        connection.commit()
    command = [
        PROGRAMS / "uriai",
        "people",
        "add",
        OFFICER,
        "--role",
        "policy_officer",
        "--region",
        "서울특별시 강남구",
    ]
    subprocess.run(command, check=True, capture_output=True)
    return OFFICER


def ask(person: str, text: str, now: datetime) -> str:
    command = [PROGRAMS / "uriai", "ask", text, "--as", person, "--now", now.isoformat(), "--json"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return str(json.loads(done.stdout.splitlines()[-1])["reply"])


@pytest.fixture(scope="module")
def watched(cloud: CloudState, home: Path) -> Iterator[tuple[Gateway, datetime]]:
    """A gateway whose real agent recorded camera 1, never saw camera 2, and was killed; with the moment of its end."""
    gateway = Gateway.enrolled(cloud, home / "watched", "watched")
    film = home / "film.mp4"
    encode(render_clip(1_000_900, "sit", 16.0), film, 15)
    config = json.loads(gateway.config.read_text())
    config["cameras"][0]["source"] = str(film)
    config["coverage"] = {"every_s": 5}
    gateway.config.write_text(json.dumps(config))
    environment = os.environ | {"AWS_ACCESS_KEY_ID": ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": SECRET_KEY}
    agent = subprocess.Popen(
        [PROGRAMS / "uriai-edge", "run", "--config", gateway.config], stderr=subprocess.DEVNULL, env=environment
    )
    try:
        eventually(lambda: covered_s(cloud, gateway.name) >= 12, "12 s of camera 1 are covered", 120)
    finally:
        agent.kill()
        died_at = datetime.now(UTC)
        agent.wait()
    yield gateway, died_at


def covered_s(cloud: CloudState, gateway: str) -> float:
    found = rows(
        cloud,
        "SELECT c.started_at, c.ended_at FROM coverage c JOIN camera m ON m.camera_id = c.camera_id "
        "WHERE m.gateway_id = %s",
        gateway,
    )
    return sum((row["ended_at"] - row["started_at"]).total_seconds() for row in found)


def test_what_a_real_agent_tells_becomes_coverage_and_a_chain_without_a_gap(
    cloud: CloudState, watched: tuple[Gateway, datetime]
) -> None:
    gateway, _ = watched
    found = rows(cloud, "SELECT seq, type, outcome FROM record WHERE gateway_id = %s ORDER BY seq", gateway.name)
    assert {row["outcome"] for row in found} == {"present"}
    coverage = rows(
        cloud,
        "SELECT m.number, COUNT(c.camera_id) AS spans FROM camera m LEFT JOIN coverage c ON c.camera_id = m.camera_id "
        "WHERE m.gateway_id = %s GROUP BY m.number",
        gateway.name,
    )
    assert {row["number"]: row["spans"] for row in coverage} == {1: 1, 2: 0}, "neighbouring records are one row"


def test_a_killed_gateway_is_a_hole_that_the_officer_hears_of_within_five_minutes(
    cloud: CloudState, watched: tuple[Gateway, datetime], officer: str
) -> None:
    gateway, died_at = watched
    text = ask(officer, f"{gateway.centre} 최근 2일 안 찍힌 카메라 있어?", died_at + timedelta(minutes=5))
    assert "1번 카메라" in text
    assert "부터 계속 녹화 없음" in text
    with cloud.connect() as connection, connection.cursor() as cursor:
        # what the next minutes will bring, now: the gateway has been dead for five of them
        for table, column in (("camera_watch", "covered_until"), ("camera_watch", "settled_until"),
                              ("camera_watch", "expected_from")):  # fmt: skip
            cursor.execute(
                f"UPDATE {table} SET {column} = {column} - INTERVAL 300 SECOND WHERE camera_id IN "
                "(SELECT camera_id FROM camera WHERE gateway_id = %s)",
                (gateway.name,),
            )
        cursor.execute(
            "UPDATE coverage SET started_at = started_at - INTERVAL 300 SECOND, "
            "ended_at = ended_at - INTERVAL 300 SECOND WHERE camera_id IN "
            "(SELECT camera_id FROM camera WHERE gateway_id = %s)",
            (gateway.name,),
        )
        cursor.execute(
            "UPDATE gateway_watch SET heard_until = heard_until - INTERVAL 300 SECOND WHERE gateway_id = %s",
            (gateway.name,),
        )
    cloud.client("lambda").invoke(FunctionName=cloud.functions["watch"], Payload=b"{}")
    holes = rows(
        cloud,
        "SELECT m.number, h.ended_at FROM coverage_hole h JOIN camera m ON m.camera_id = h.camera_id "
        "WHERE m.gateway_id = %s AND h.filled_at IS NULL AND h.ended_at IS NULL",
        gateway.name,
    )
    assert {row["number"] for row in holes} == {1, 2}
    done = subprocess.run([PROGRAMS / "uriai", "status"], check=True, capture_output=True, text=True)
    assert f"silent gateway {gateway.name}" in done.stdout


def test_rounds_come_by_themselves(cloud: CloudState) -> None:
    group = f"/aws/lambda/{cloud.functions['watch'].rsplit(':', 1)[1]}"
    logs = cloud.client("logs")

    def ran() -> bool:
        events = logs.filter_log_events(logGroupName=group)["events"]
        return any("GatewaysFellSilent" in event["message"] for event in events)

    eventually(ran, "EventBridge has invoked watch", 130)


@pytest.fixture(scope="module")
def teller(cloud: CloudState, officer: str) -> Teller:
    """A gateway that is played, of the teller's centre."""
    key = SigningKey.generate()
    with cloud.connect() as connection, connection.cursor() as cursor:
        now = datetime.now(UTC)
        connection.begin()
        centre = add_centre(cursor, NewCentre("e2e-teller 어린이집", "서울특별시", "강남구", "역삼동"), now)
        add_gateway(cursor, "e2e-teller", centre, bytes(key.verify_key), now)
        for number in (1, 2):
            add_camera(cursor, "e2e-teller", number, "", now)
        connection.commit()
    return Teller(BucketInMemory(), gateway="e2e-teller", key=key)


def upload(cloud: CloudState, teller: Teller, *arrivals: Arrival) -> None:
    """Put records into S3 as an agent does, in the given order."""
    s3 = cloud.client("s3")
    for arrival in arrivals:
        for ending in (".json", ".sig"):
            key = arrival.key.replace(".sig", ending)
            s3.put_object(Bucket=cloud.clips_bucket, Key=key, Body=teller.bucket.objects[key].data)


def test_minutes_that_come_in_disorder_and_twice_are_one_row(cloud: CloudState, teller: Teller) -> None:
    start = datetime.now(UTC) - timedelta(minutes=12)
    told = [
        teller.coverage(start + timedelta(minutes=minute), {1: [(0, 60)], 2: [] if minute in (3, 4) else [(0, 60)]})
        for minute in range(10)
    ]
    upload(cloud, teller, *reversed(told), *told[::3])
    eventually(lambda: covered_s(cloud, "e2e-teller") >= 18 * 60, "ten minutes of one camera and eight of the other")
    eventually(
        lambda: rows(cloud, "SELECT 1 FROM coverage_hole h JOIN camera m ON m.camera_id = h.camera_id "
                            "WHERE m.gateway_id = 'e2e-teller' AND h.filled_at IS NULL AND h.ended_at IS NOT NULL"),
        "the two minutes are a hole on file",
    )  # fmt: skip
    outcomes = rows(cloud, "SELECT outcome, COUNT(*) AS n FROM record WHERE gateway_id = 'e2e-teller' GROUP BY outcome")
    assert outcomes == [{"outcome": "present", "n": 10}]
    holes = rows(
        cloud,
        "SELECT m.number, h.began_at, h.ended_at, h.cause FROM coverage_hole h "
        "JOIN camera m ON m.camera_id = h.camera_id "
        "WHERE m.gateway_id = 'e2e-teller' AND h.filled_at IS NULL AND h.ended_at IS NOT NULL",
    )
    assert [(row["number"], row["ended_at"] - row["began_at"]) for row in holes] == [(2, timedelta(minutes=2))]
    watch = rows(cloud, "SELECT chain_seq, gap_since FROM gateway_watch WHERE gateway_id = 'e2e-teller'")
    assert watch == [{"chain_seq": 10, "gap_since": None}]


def test_a_covered_camera_is_an_open_incident_and_resolved_when_it_is_over(cloud: CloudState, teller: Teller) -> None:
    began_at = datetime.now(UTC) - timedelta(minutes=2)

    def tell(state: str, lasted_s: float) -> Arrival:
        return teller.record(
            "tamper", began_at, began_at + timedelta(seconds=lasted_s), camera=2,
            detail={"what": "covered", "state": state, "event": EVENT},
        )  # fmt: skip

    def statuses() -> list[str]:
        found = rows(
            cloud,
            "SELECT i.status FROM incident i JOIN camera m ON m.camera_id = i.camera_id "
            "WHERE m.gateway_id = 'e2e-teller' AND i.kind = 'tamper'",
        )
        return [row["status"] for row in found]

    begins = tell("begins", 31)
    upload(cloud, teller, begins)
    eventually(lambda: statuses() == ["open"], "an incident is open", 60)
    upload(cloud, teller, begins, tell("ends", 90), begins)
    eventually(lambda: statuses() == ["resolved"], "the incident is resolved", 60)
    time.sleep(1)
    assert statuses() == ["resolved"]
