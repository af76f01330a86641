"""The analyze function with the real models on real and spoiled video: real MariaDB, S3 in process (moto)."""

from __future__ import annotations

import csv
import hashlib
import json
import os
from datetime import UTC, datetime
from pathlib import Path

import av
import boto3
import numpy as np
import pytest

from tests.integration.pipeline.handlers import Context, function, message
from tests.unit.pipeline.fakes import KEY, NOON, BucketInMemory, place_clip
from uriai.adapters.database.centres import NewCentre, add_centre
from uriai.adapters.database.gateways import add_gateway
from uriai.adapters.vision.registry import ROLES
from uriai.domain.finding import worst_verdict
from uriai.domain.rules import find_all
from uriai.domain.thresholds import Thresholds
from uriai_cloud import models

pytestmark = pytest.mark.integration

REPOSITORY = Path(__file__).resolve().parents[3]
DATA = Path(os.environ.get("URIAI_DATA", REPOSITORY.parent / "shared" / "data"))


@pytest.fixture(scope="module")
def offline():
    """The analyser on files, as `uriai analyze` has it."""
    if not all((REPOSITORY / "models" / role / "model.onnx").exists() for role in ROLES):
        pytest.skip("models/*/model.onnx are not there: train them or fetch the repository's release")
    from uriai.adapters.vision.analyser import OnnxClipAnalyser

    return OnnxClipAnalyser.from_folder(REPOSITORY / "models")


@pytest.fixture
def deployed(cloud, offline, database, monkeypatch):
    """A container of the analyze function whose models lie in the models bucket, and its centre in the database."""
    files = models.resolve(REPOSITORY / "models")
    models.upload(files, boto3.client("s3"), "models", print)
    monkeypatch.setenv("MODEL_SET", models.model_set(files))
    with database.transaction() as cursor:
        centre = add_centre(cursor, NewCentre("샛별어린이집", "경기도", "수원시"), NOON)
        add_gateway(cursor, "saetbyeol-1", centre, bytes(KEY.verify_key), NOON)
    return function("analyze")


def upload(data: bytes, seq: int = 1) -> str:
    """What the agent does: manifest, signature, clip."""
    bucket = BucketInMemory()
    key = place_clip(bucket, data, seq=seq, started_at=datetime.now(UTC).replace(microsecond=0))
    for name, stored in bucket.objects.items():
        boto3.client("s3").put_object(Bucket="clips", Key=name, Body=stored.data)
    return key


def rows(database, sql):
    with database.transaction() as cursor:
        cursor.execute(sql)
        return list(cursor.fetchall())


def real_clips(count: int) -> list[Path]:
    labels = DATA / "violence" / "labels.csv"
    if not labels.exists():
        pytest.skip(f"no clips at {labels.parent}: set URIAI_DATA to the folder that holds violence/")
    with labels.open(encoding="utf-8", newline="") as file:
        return [DATA / "violence" / "clips" / row["file"] for row in csv.DictReader(file)][:count]


def test_a_real_clip_delivered_three_times_is_one_analysis_with_the_verdict_that_files_get(deployed, offline, database):
    for seq, path in enumerate(real_clips(3), start=1):
        key = upload(path.read_bytes(), seq)
        for _ in range(3):
            assert deployed.handler(message(key), Context()) == {"batchItemFailures": []}
        expected = offline.observe(path)
        (row,) = rows(
            database, f"SELECT a.*, c.manifest_status FROM analysis a JOIN clip c ON c.clip_id = a.clip_id "
            f"WHERE c.object_key = '{key}'"
        )  # fmt: skip
        assert (row["state"], row["manifest_status"]) == ("done", "verified")
        assert row["violence_probability"] == pytest.approx(expected.violence_probability, abs=1e-6)
        assert row["verdict"] == worst_verdict(find_all(expected, Thresholds())).value
        assert row["model_set"] == offline.model_set_hash
        assert json.loads(row["models"]) == offline.models
    evidence = rows(database, "SELECT role, object_key, sha256 FROM evidence")
    assert evidence, "at least one of these fights is found"
    for row in evidence:
        stored = boto3.client("s3").get_object(Bucket="clips", Key=row["object_key"])["Body"].read()
        assert hashlib.sha256(stored).digest() == row["sha256"]
        if row["role"] != "original":
            assert stored.startswith(b"\xff\xd8\xff"), "a JPEG"


def sound_only(path: Path) -> bytes:
    with av.open(str(path), "w", format="mp4") as container:
        stream = container.add_stream("aac", rate=16000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 16000), dtype=np.float32), format="fltp", layout="mono")
        frame.sample_rate = 16000
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path.read_bytes()


def picture(path: Path) -> bytes:
    import cv2

    cv2.imwrite(str(path), np.zeros((48, 64, 3), dtype=np.uint8))
    return path.read_bytes()


def test_files_that_are_no_clips_are_failed_rows_with_their_reason_and_the_next_one_is_analysed(
    deployed, database, tmp_path
):
    video = (real_clips(1)[0]).read_bytes()
    spoiled = {
        "zero_bytes": b"",
        "not_a_video": picture(tmp_path / "x.png"),
        "truncated": video[: len(video) // 2],
        "no_video_stream": sound_only(tmp_path / "sound.mp4"),
    }
    keys = {reason: upload(data, seq) for seq, (reason, data) in enumerate(spoiled.items(), start=1)}
    good = upload(video, 9)
    for key in (*keys.values(), good):
        assert deployed.handler(message(key), Context()) == {"batchItemFailures": []}
    found = rows(
        database,
        "SELECT c.object_key, a.reason_code FROM analysis a JOIN clip c ON c.clip_id = a.clip_id "
        "WHERE a.state = 'failed'",
    )
    assert {row["object_key"]: row["reason_code"] for row in found} == {key: reason for reason, key in keys.items()}
    assert len(rows(database, "SELECT 1 FROM analysis WHERE state = 'done'")) == 1
    for reason, key in keys.items():
        assert boto3.client("s3").get_object(Bucket="clips", Key=key)["Body"].read() == spoiled[reason]
