"""The handlers as Lambda calls them: real MariaDB, Secrets Manager and S3 in process (moto)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer

import boto3
import pytest

from tests.integration.pipeline.handlers import FUNCTIONS, Context, function, message, secret
from tests.unit.pipeline.fakes import GATEWAY, KEY, NOON, BucketInMemory
from tests.unit.pipeline.teller import Teller
from uriai import bootstrap
from uriai.adapters.database.centres import NewCentre, add_centre
from uriai.adapters.database.channels import Owner, set_channel
from uriai.adapters.database.gateways import add_gateway
from uriai.adapters.database.people import SqlPeople, find_region
from uriai.adapters.database.transactions import SqlTransactions
from uriai.domain.person import Language
from uriai.domain.telling import Audience, Hours, Medium, Occasion
from uriai.domain.ulid import Ulid
from uriai.domain.words import Role
from uriai.service.ports.chat import NewPerson
from uriai.service.ports.telling import NewOutboxRow
from uriai.service.watch_coverage import watch_coverage
from uriai.settings import Settings, SettingsError

pytestmark = pytest.mark.integration

EVENTS = FUNCTIONS.parent / "events"
CLIP = f"clips/{GATEWAY}/1/2026-11-22/01KB2WXYZ0000000000000000A.mp4"


def failures(connect) -> list[dict[str, object]]:
    with connect() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT reason_code, reason FROM analysis")
        return list(cursor.fetchall())


def enter_gateway(database) -> None:
    with database.transaction() as cursor:
        centre = add_centre(cursor, NewCentre("샛별어린이집", "경기도", "수원시"), NOON)
        add_gateway(cursor, GATEWAY, centre, bytes(KEY.verify_key), NOON)


def enter_officer(database) -> None:
    """A policy officer of the gateway's region who is reached by Slack."""
    region = find_region(database, "경기도 수원시")
    new = NewPerson("officer", Role.POLICY_OFFICER, Language.KOREAN, (), (region,))
    owner = Owner(SqlPeople(database).add(new, "test", NOON).id, "officer", is_station=False)
    with database.transaction() as cursor:
        set_channel(cursor, owner, Medium.SLACK, "C012AB3CD", Hours(), None, "test", NOON)


def put_row(database, centre_id) -> None:
    """Something due for the officer."""

    def work(rows):
        (officer,) = rows.outbox.recipients(Audience.POLICY_OFFICER, centre_id)
        row = NewOutboxRow(
            Ulid.new(NOON), "test", None, centre_id, Occasion.HOLE, officer.key, officer.channels[0], "s", "b", NOON
        )
        rows.outbox.add(row, NOON)

    SqlTransactions(database).run(work)


def test_a_dead_letter_becomes_a_failed_row_and_is_acknowledged(cloud, connect, database):
    enter_gateway(database)
    assert function("dead_letters").handler(message(CLIP), Context()) == {"batchItemFailures": []}
    assert [row["reason_code"] for row in failures(connect)] == ["retries_exhausted"]


def test_an_attempt_whose_models_do_not_load_is_delivered_again_and_leaves_its_error(cloud, connect, database):
    enter_gateway(database)
    answer = function("analyze").handler(message(CLIP), Context())
    assert answer == {"batchItemFailures": [{"itemIdentifier": "m1"}]}
    (row,) = failures(connect)
    assert row["reason_code"] == "retrying"
    assert row["reason"]
    function("dead_letters").handler(message(CLIP), Context())
    (after,) = failures(connect)
    assert after["reason_code"] == "retries_exhausted"
    assert row["reason"] in after["reason"]


@pytest.mark.parametrize("name", ["analyze", "dead_letters"])
@pytest.mark.parametrize("body", ['{"Service":"Amazon S3","Event":"s3:TestEvent"}', "no notification", "[]"])
def test_what_is_no_clips_event_is_acknowledged_and_leaves_nothing(cloud, connect, name, body):
    assert function(name).handler(message(body=body), Context()) == {"batchItemFailures": []}
    assert failures(connect) == []


def test_the_dead_letters_function_never_loads_vision(cloud):
    code = (
        "import sys, runpy; from uriai import bootstrap; from uriai.settings import Settings;"
        "bootstrap.failure_record(Settings.from_environment());"
        f"runpy.run_path({str(FUNCTIONS / 'dead_letters' / 'app.py')!r});"
        "print([m for m in ('numpy', 'cv2', 'onnxruntime') if m in sys.modules])"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True,
                          env={**os.environ, "PYTHONPATH": str(FUNCTIONS.parent / "layers" / "uriai")})  # fmt: skip
    assert said.stdout.strip() == "[]"


def test_a_rotated_password_is_read_anew_when_the_old_one_is_refused(cloud, server):
    database = bootstrap.database(Settings.from_environment())
    with database.transaction() as cursor:
        cursor.execute("SELECT CONNECTION_ID() AS id")
        connection_id = cursor.fetchone()["id"]
    with server.open() as connection, connection.cursor() as cursor:
        cursor.execute("ALTER USER 'app'@'%' IDENTIFIED BY 'second'")
        cursor.execute(f"KILL {connection_id}")
    boto3.client("secretsmanager").put_secret_value(SecretId="database", SecretString=secret("second"))
    with database.transaction() as cursor:
        cursor.execute("SELECT CURRENT_USER() AS who")
        assert cursor.fetchone()["who"] == "app@%"
    database.close()


def test_a_ca_bundle_in_a_bucket_is_fetched_to_a_file_named_after_its_bytes(cloud):
    for pem in (b"first authority", b"second authority"):
        boto3.client("s3").put_object(Bucket="models", Key=f"ca/{pem.decode()}.pem", Body=pem)
        path = bootstrap.ca_file(f"s3://models/ca/{pem.decode()}.pem")
        assert path.read_bytes() == pem
        path.unlink()
    with pytest.raises(SettingsError, match="DATABASE_CA_BUNDLE names"):
        bootstrap.ca_file("/opt/no-such-file.pem")


def test_migrating_twice_applies_nothing_the_second_time(cloud):
    answer = function("migrate").handler({}, Context())
    assert answer["applied"] == []
    assert answer["version"] >= 1


class Reply(BaseHTTPRequestHandler):
    """Stands where CloudFormation's presigned URL points."""

    def do_PUT(self):
        length = int(self.headers["Content-Length"])
        self.server.replies.append((self.headers.get("Content-Type"), json.loads(self.rfile.read(length))))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def cloudformation():
    server = HTTPServer(("127.0.0.1", 0), Reply)
    server.replies = []
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


def resource_event(server, request_type="Create"):
    return {
        "RequestType": request_type, "ResponseURL": f"http://127.0.0.1:{server.server_port}/reply", "StackId": "stack",
        "RequestId": "request", "LogicalResourceId": "Migration", "ResourceType": "Custom::Migration",
        "ResourceProperties": {},
    }  # fmt: skip


def test_cloudformation_is_answered_with_the_version(cloud, cloudformation):
    function("migrate").handler(resource_event(cloudformation), Context())
    ((content_type, reply),) = cloudformation.replies
    assert content_type == ""
    assert reply["Status"] == "SUCCESS"
    assert int(reply["Data"]["Version"]) >= 1
    assert (reply["PhysicalResourceId"], reply["RequestId"]) == ("uriai-schema", "request")


def test_cloudformation_is_told_why_a_migration_failed(cloud, cloudformation, monkeypatch):
    monkeypatch.setenv("DATABASE_NAME", "no_such_schema")
    with pytest.raises(Exception, match="no_such_schema"):
        function("migrate").handler(resource_event(cloudformation), Context())
    ((_, reply),) = cloudformation.replies
    assert reply["Status"] == "FAILED"
    assert "no_such_schema" in reply["Reason"]


def test_deleting_the_stack_leaves_the_data_alone(cloud, cloudformation, connect):
    function("migrate").handler(resource_event(cloudformation, "Delete"), Context())
    ((_, reply),) = cloudformation.replies
    assert reply["Status"] == "SUCCESS"
    with connect() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT COUNT(*) AS n FROM centre")


def test_an_answer_goes_to_https_or_to_this_machine_only(cloud, cloudformation):
    event = resource_event(cloudformation) | {"ResponseURL": "http://example.com/x"}
    with pytest.raises(ValueError, match="neither https nor on this machine"):
        function("migrate").handler(event, Context())


def place_record(key: str, data: bytes | None, signature: bytes | None) -> None:
    for ending, body in ((".json", data), (".sig", signature)):
        if body is not None:
            boto3.client("s3").put_object(Bucket="clips", Key=key + ending, Body=body)


def record_of_now(seconds_ago: float = 90.0) -> tuple[str, bytes, bytes]:
    """A coverage record of a minute that has just passed, without ending, with manifest and signature."""
    bucket = BucketInMemory()
    arrival = Teller(bucket).coverage(datetime.now(UTC) - timedelta(seconds=seconds_ago))
    stem = arrival.key.removesuffix(".sig")
    return stem, bucket.objects[stem + ".json"].data, bucket.objects[stem + ".sig"].data


def test_records_become_coverage_and_watch_finds_where_it_ends(cloud, connect, database):
    enter_gateway(database)
    stem, data, signature = record_of_now(400)
    place_record(stem, data, signature)
    assert function("records").handler(message(stem + ".sig"), Context()) == {"batchItemFailures": []}
    with connect() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT type, outcome FROM record")
        assert cursor.fetchall() == [{"type": "coverage", "outcome": "present"}]
        cursor.execute("SELECT TIMESTAMPDIFF(SECOND, started_at, ended_at) AS seconds FROM coverage")
        assert cursor.fetchall() == [{"seconds": 60}]
    enter_officer(database)
    watch = function("watch")
    assert watch.handler(json.loads((EVENTS / "watch.json").read_text()), Context()) == {
        "silent": 1, "dark": 1, "gaps": 0, "held": 0, "queued": 1, "delivered": 0, "failed": 0,
        "digests": 0,
    }  # fmt: skip
    assert set(watch.handler({}, Context()).values()) == {0}
    queue = json.loads(os.environ["NOTIFY_QUEUES"])["slack"]["queue"]
    (told,) = boto3.client("sqs").receive_message(QueueUrl=queue, MaxNumberOfMessages=10)["Messages"]
    assert json.loads(told["Body"])["subject"] == "[우리AI] 녹화 공백: 샛별어린이집"
    assert json.loads(told["Body"])["address"] == "C012AB3CD"


def test_watching_stops_in_time_for_telling_and_goes_on_in_the_next_round(cloud, connect, database):
    enter_gateway(database)
    stem, data, signature = record_of_now(400)
    place_record(stem, data, signature)
    function("records").handler(message(stem + ".sig"), Context())
    enter_officer(database)
    watch = function("watch")
    with connect() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT centre_id FROM centre")
        put_row(database, cursor.fetchone()["centre_id"])
    nearly_over = watch.handler({}, Context(remaining_ms=watch.RESERVES_MS["watch"] - 1))
    assert (nearly_over["silent"], nearly_over["dark"], nearly_over["queued"]) == (0, 0, 1), "what waits is told"
    over = watch.handler({}, Context(remaining_ms=watch.RESERVES_MS["tell"] - 1))
    assert set(over.values()) == {0}
    whole = watch.handler({}, Context())
    assert (whole["silent"], whole["dark"], whole["queued"]) == (1, 1, 1)


def test_a_fault_in_watching_keeps_nobody_from_being_told(cloud, connect, database, monkeypatch):
    enter_gateway(database)
    module = function("watch")

    def broken(outside):
        raise ConnectionError("no coverage today")

    monkeypatch.setattr(module, "watch_coverage", broken)
    with connect() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT centre_id FROM centre")
        centre_id = cursor.fetchone()["centre_id"]
    enter_officer(database)
    put_row(database, centre_id)
    with pytest.raises(ConnectionError):
        module.handler({}, Context())
    with connect() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT state FROM outbox")
        assert cursor.fetchall() == [{"state": "queued"}]


def test_people_are_told_before_the_watching_that_may_use_up_the_time(cloud, connect, database, monkeypatch):
    enter_gateway(database)
    module = function("watch")
    states = []

    def slow(outside):
        with connect() as connection, connection.cursor() as cursor:
            cursor.execute("SELECT state FROM outbox")
            states.extend(row["state"] for row in cursor.fetchall())
        return watch_coverage(outside)

    monkeypatch.setattr(module, "watch_coverage", slow)
    with connect() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT centre_id FROM centre")
        centre_id = cursor.fetchone()["centre_id"]
    enter_officer(database)
    put_row(database, centre_id)
    assert module.handler({}, Context())["queued"] == 1
    assert states == ["queued"]


def test_of_a_batch_only_the_record_that_could_not_be_filed_is_delivered_again(cloud, connect, database, monkeypatch):
    enter_gateway(database)
    stem, data, signature = record_of_now()
    place_record(stem, data, signature)
    batch = message(stem + ".sig")
    second = dict(message(stem + ".sig")["Records"][0], messageId="m2")
    batch["Records"].append(second)
    module = function("records")
    filed = module.file_record

    def fails_once(arrival, desk):
        monkeypatch.setattr(module, "file_record", filed)
        raise ConnectionError("the database is away")

    monkeypatch.setattr(module, "file_record", fails_once)
    assert module.handler(batch, Context()) == {"batchItemFailures": [{"itemIdentifier": "m1"}]}
    with connect() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT COUNT(*) AS n FROM record")
        assert cursor.fetchone() == {"n": 1}


@pytest.mark.parametrize("body", ['{"Service":"Amazon S3","Event":"s3:TestEvent"}', "no notification", "[]"])
def test_what_is_no_records_event_is_acknowledged_and_leaves_nothing(cloud, connect, body):
    assert function("records").handler(message(body=body), Context()) == {"batchItemFailures": []}
    with connect() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT COUNT(*) AS n FROM record")
        assert cursor.fetchone() == {"n": 0}


def test_the_sample_event_of_records_is_read_and_its_record_flagged(cloud, connect):
    event = json.loads((EVENTS / "records.json").read_text())
    assert function("records").handler(event, Context()) == {"batchItemFailures": []}
    with connect() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT gateway_id, outcome FROM record")
        assert cursor.fetchall() == [{"gateway_id": "sample-gateway", "outcome": "missing"}]
