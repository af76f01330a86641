"""A YOLOv5 chosen by its manifest, deployed: file and manifest come from the models bucket, rows say what it saw."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

import boto3
import pytest

from tests.integration.pipeline.handlers import Context, function, message
from tests.unit.pipeline.fakes import KEY, NOON, BucketInMemory, place_clip
from tests.unit.vision.pictures import room, write_clip
from tests.unit.vision.tiny_yolo import CONFIDENCE, write_yolo, yolo
from uriai.adapters.database.centres import NewCentre, add_centre
from uriai.adapters.database.gateways import add_gateway
from uriai.adapters.vision.analyser import OnnxClipAnalyser
from uriai_cloud import models

pytestmark = pytest.mark.integration

REPOSITORY = Path(__file__).resolve().parents[3]
CALIBRATION = {"slope": 1.5, "offset": 0.0, "prior": 0.5, "windows": 400}


@pytest.mark.parametrize(("detector", "verdict"), [({}, "review"), ({"calibration": CALIBRATION}, "report")])
def test_a_deployed_yolo_sees_by_its_manifest_what_it_sees_offline(
    cloud, database, monkeypatch, tmp_path, detector, verdict
):
    folder = Path(shutil.copytree(REPOSITORY / "models", tmp_path / "set"))
    write_yolo(folder / "our-yolo", yolo(), **detector)
    chosen = json.loads((folder / "set.json").read_text())
    (folder / "set.json").write_text(json.dumps(chosen | {"violence": "our-yolo"}))
    files = models.resolve(folder)
    models.upload(files, boto3.client("s3"), "models", print)
    monkeypatch.setenv("MODEL_SET", models.model_set(files))
    with database.transaction() as cursor:
        centre = add_centre(cursor, NewCentre("샛별어린이집", "경기도", "수원시"), NOON)
        add_gateway(cursor, "saetbyeol-1", centre, bytes(KEY.verify_key), NOON)
    picture = room(480, 270)
    picture[80:180, 100:220] = (0, 0, 255)
    path = write_clip(tmp_path / "clip.mp4", lambda _: picture, seconds=3)
    bucket = BucketInMemory()
    key = place_clip(bucket, path.read_bytes(), seq=1, started_at=datetime.now(UTC).replace(microsecond=0))
    for name, stored in bucket.objects.items():
        boto3.client("s3").put_object(Bucket="clips", Key=name, Body=stored.data)

    assert function("analyze").handler(message(key), Context()) == {"batchItemFailures": []}

    with database.transaction() as cursor:
        cursor.execute("SELECT * FROM analysis")
        (row,) = cursor.fetchall()
        cursor.execute("SELECT verdict, basis FROM finding")
        (finding,) = cursor.fetchall()
    offline = OnnxClipAnalyser.from_folder(folder)
    observed = json.loads(row["observations"])
    assert (row["state"], row["verdict"], finding["verdict"]) == ("done", verdict, verdict)
    assert json.loads(row["models"]) == offline.models
    assert offline.models["violence"].startswith("our-yolov5s@2.0.0+")
    assert row["model_set"] == offline.model_set_hash
    assert observed["boxes"][0]["label"] == "assault"
    assert observed["boxes"][0]["confidence"] == pytest.approx(CONFIDENCE, abs=1e-3)
    assert observed["boxes"][0]["box"] == pytest.approx([100, 80, 120, 100], abs=5)
    assert ("calibrated" in observed) == ("calibrated" in json.loads(finding["basis"])) == (not detector)
