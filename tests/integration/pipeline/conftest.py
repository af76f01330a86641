"""A centre with a gateway in a real database, and everything that analysing a clip of it needs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

import boto3
import pytest
from moto import mock_aws

from tests.integration.pipeline.handlers import MODELS, secret
from tests.missing import missing
from tests.unit.pipeline.fakes import GATEWAY, KEY, NOON, BucketInMemory, ScriptedAnalyser, StoppedClock, place_clip
from uriai import bootstrap
from uriai.adapters.database.centres import NewCentre, add_camera, add_centre
from uriai.adapters.database.connection import Connection, Database
from uriai.adapters.database.gateways import add_gateway
from uriai.adapters.database.transactions import SqlTransactions
from uriai.adapters.manifest import Ed25519SignatureChecker
from uriai.service.analyse_clip import Outcome, Outside, analyse_clip
from uriai.service.locate_clip import Arrival
from uriai_cloud import ministack, state
from uriai_cloud.errors import ToolMissing
from uriai_cloud.home import Home

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


@dataclass
class World:
    """The pipeline around one real database."""

    database: Database
    bucket: BucketInMemory
    outside: Outside
    centre_id: int
    connect: Callable[[], Connection]

    def place(self, data: bytes, **options: object) -> str:
        return place_clip(self.bucket, data, **options)

    def analyse(self, key: str) -> Outcome:
        stored = self.bucket.objects.get(key)
        return analyse_clip(Arrival(key, stored.arrived_at if stored else NOON), self.outside)

    def beside(self, **changes: object) -> World:
        """The same world over a connection of its own."""
        database = Database(self.connect)
        outside = replace(self.outside, transactions=SqlTransactions(database), **changes)
        return replace(self, database=database, outside=outside)

    def rows(self, sql: str, values: tuple[object, ...] = ()) -> list[dict[str, object]]:
        with self.database.transaction() as cursor:
            cursor.execute(sql, values)
            return list(cursor.fetchall())

    def row(self, sql: str, values: tuple[object, ...] = ()) -> dict[str, object]:
        rows = self.rows(sql, values)
        assert len(rows) == 1, f"{len(rows)} rows: {sql}"
        return rows[0]

    def count(self, table: str, condition: str = "TRUE") -> int:
        return int(self.row(f"SELECT COUNT(*) AS n FROM {table} WHERE {condition}")["n"])

    def set_auto_report(self, on: bool) -> None:
        with self.database.transaction() as cursor:
            cursor.execute("UPDATE centre SET auto_report = %s", ("on" if on else "confirm",))


@pytest.fixture
def world(database, connect) -> Iterator[World]:
    """A centre with a gateway and four cameras; whatever a test does, clips say how their current analysis ended."""
    with database.transaction() as cursor:
        centre_id = add_centre(cursor, NewCentre("샛별어린이집", "경기도", "수원시", "영통동"), NOON)
        add_gateway(cursor, GATEWAY, centre_id, bytes(KEY.verify_key), NOON - timedelta(days=100))
        for number in range(1, 5):
            add_camera(cursor, GATEWAY, number, "", NOON)
    bucket = BucketInMemory()
    outside = Outside(
        clips=bucket,
        analyser=ScriptedAnalyser(),
        signatures=Ed25519SignatureChecker(),
        transactions=SqlTransactions(database),
        clock=StoppedClock(),
    )
    made = World(database, bucket, outside, centre_id, connect)
    yield made
    assert not made.rows(
        "SELECT p.object_key, p.current_state, a.state FROM clip p LEFT JOIN analysis a ON a.current_of = p.clip_id "
        "WHERE NOT (p.current_state <=> a.state)"
    )


@pytest.fixture
def cloud(server, schema, monkeypatch, tmp_path):
    """The environment of a function whose database user is an ordinary one with a password."""
    with server.open() as connection, connection.cursor() as cursor:
        cursor.execute("CREATE OR REPLACE USER 'app'@'%' IDENTIFIED BY 'first'")
        cursor.execute(f"GRANT ALL PRIVILEGES ON {schema}.* TO 'app'@'%'")
    environment = {
        "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "ap-northeast-2",
        "DATABASE_HOST": server.host, "DATABASE_PORT": str(server.port), "DATABASE_NAME": schema,
        "DATABASE_SECRET_ARN": "database", "DATABASE_CA_BUNDLE": "", "CLIPS_BUCKET": "clips",
        "MODELS_BUCKET": "models", "MODEL_SET": json.dumps(MODELS), "MODELS_DIR": str(tmp_path / "models"),
        "POWERTOOLS_SERVICE_NAME": "test", "POWERTOOLS_METRICS_NAMESPACE": "UriAI", "POWERTOOLS_TRACE_DISABLED": "1",
    }  # fmt: skip
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        boto3.client("secretsmanager").create_secret(Name="database", SecretString=secret("first"))
        for bucket in ("clips", "models", "receipts"):
            boto3.client("s3").create_bucket(
                Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "ap-northeast-2"}
            )
        queues = {
            name: boto3.client("sqs").create_queue(QueueName=f"notify-slack-{name}")["QueueUrl"]
            for name in ("queue", "dead_letters")
        }
        monkeypatch.setenv("NOTIFY_QUEUES", json.dumps({"slack": queues}))
        monkeypatch.setenv("RECEIPTS_BUCKET", "receipts")
        answer = boto3.client("sqs").create_queue(QueueName="answer")["QueueUrl"]
        monkeypatch.setenv("ANSWER_QUEUE_URL", answer)
        bootstrap.secrets.cache_clear()
        yield
        bootstrap.secrets.cache_clear()


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Client]:
    """A private S3 on loopback: ministack, with versions and Object Lock as AWS has them."""
    home = Home(tmp_path_factory.mktemp("s3"))
    try:
        endpoint = ministack.start(home, print)
    except ToolMissing as error:
        missing(error)
    yield state.client("s3", endpoint)
    ministack.stop(home)


@dataclass
class Vault:
    """A versioned bucket with Object Lock, as the template makes it."""

    client: S3Client
    name: str

    def publish(self, bucket: BucketInMemory) -> None:
        """Put everything that a bucket in memory holds."""
        for key, stored in bucket.objects.items():
            self.client.put_object(Bucket=self.name, Key=key, Body=stored.data)

    def names(self) -> set[str]:
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=self.name)
        return {found["Key"] for page in pages for found in page.get("Contents", [])}

    def versions(self, key: str) -> list[str]:
        """Ids of all versions and markers of deletion."""
        answer = self.client.list_object_versions(Bucket=self.name, Prefix=key)
        return [v["VersionId"] for v in (*answer.get("Versions", []), *answer.get("DeleteMarkers", []))]


_vaults = iter(range(1_000_000))


@pytest.fixture
def vault(s3: S3Client) -> Vault:
    name = f"vault-{next(_vaults)}"
    s3.create_bucket(
        Bucket=name,
        ObjectLockEnabledForBucket=True,
        CreateBucketConfiguration={"LocationConstraint": ministack.REGION},
    )
    return Vault(s3, name)
