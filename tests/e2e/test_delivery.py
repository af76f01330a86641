"""What the deployed pipeline does with deliveries that are not as they should be."""

from __future__ import annotations

import json
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from playroom import render_clip
from playroom.video import encode
from tests.e2e.conftest import eventually
from tests.e2e.gateway import PROGRAMS, Gateway
from uriai_cloud.state import CloudState

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]
SEED = 1_000_777


@pytest.fixture(scope="module")
def calm_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("clips") / "calm.mp4"
    encode(render_clip(SEED, "sit", 3.0), path, 15)
    return path


def begin() -> datetime:
    # the database's clock is this machine's; a second of slack for rounding
    return datetime.now(UTC) - timedelta(seconds=1)


def test_the_same_event_delivered_three_times_gives_one_analysis(
    gateway: Gateway, cloud: CloudState, calm_clip: Path
) -> None:
    since = begin()
    key = gateway.submit(calm_clip)["calm.mp4"]
    gateway.wait_for({key}, since)
    event = _event(cloud, key)
    queue = cloud.client("sqs")
    for _ in range(3):
        queue.send_message(QueueUrl=cloud.queue_url, MessageBody=event)
    later = gateway.submit(calm_clip)["calm.mp4"]
    found = gateway.wait_for({key, later}, since)
    eventually(lambda: _waiting(cloud, cloud.queue_url) == 0, "the queue is empty")
    assert gateway.outcomes(since)[key].analyses == 1
    assert _waiting(cloud, cloud.dead_letter_queue_url) == 0
    assert found[key].state == "done"


def test_bad_files_become_failed_rows_and_the_next_clip_is_analysed(
    gateway: Gateway, cloud: CloudState, calm_clip: Path, tmp_path: Path
) -> None:
    files = _bad_files(tmp_path, calm_clip)
    contents = {path.name: path.read_bytes() for path in files}
    good = tmp_path / "good.mp4"
    shutil.copy(calm_clip, good)
    since = begin()
    keys = gateway.submit(*files, good, unchecked=True)
    found = gateway.wait_for(set(keys.values()), since)
    reasons = {name: found[key].reason_code for name, key in keys.items()}
    assert reasons == {
        "zero-bytes.mp4": "zero_bytes",
        "truncated.mp4": "truncated",
        "audio-only.mp4": "no_video_stream",
        "three-hours.mp4": "too_long",
        "picture.mp4": "not_a_video",
        "good.mp4": None,
    }
    assert found[keys["good.mp4"]].state == "done"
    s3 = cloud.client("s3")
    for name, content in contents.items():
        assert s3.get_object(Bucket=cloud.clips_bucket, Key=keys[name])["Body"].read() == content
    shown = _status()
    assert shown["failed"]["truncated"] >= 1


def test_an_object_deleted_before_it_is_read_is_a_failed_row(gateway: Gateway, cloud: CloudState) -> None:
    key = f"clips/{gateway.name}/1/2026-11-20/01KB2WXYZ0000000000000000Z.mp4"
    since = begin()
    cloud.client("sqs").send_message(QueueUrl=cloud.queue_url, MessageBody=_event(cloud, key))
    assert gateway.wait_for({key}, since)[key].reason_code == "object_missing"


def test_a_clip_without_manifest_is_analysed_and_flagged(gateway: Gateway, cloud: CloudState, calm_clip: Path) -> None:
    since = begin()
    signed = gateway.submit(calm_clip)["calm.mp4"]
    unsigned = signed[: -len("0000.mp4")] + "ZZZZ.mp4"
    cloud.client("s3").put_object(Bucket=cloud.clips_bucket, Key=unsigned, Body=calm_clip.read_bytes())
    outcome = gateway.wait_for({unsigned}, since)[unsigned]
    assert (outcome.state, outcome.manifest_status) == ("done", "missing")
    assert _status()["manifests"]["missing"] >= 1


def test_a_clip_whose_signature_does_not_hold_is_analysed_and_flagged(
    gateway: Gateway, cloud: CloudState, calm_clip: Path
) -> None:
    since = begin()
    signed = gateway.submit(calm_clip)["calm.mp4"]
    gateway.wait_for({signed}, since)
    s3 = cloud.client("s3")
    forged = signed[: -len("0000.mp4")] + "YYYY.mp4"
    for ending in (".json", ".sig"):
        body = s3.get_object(Bucket=cloud.clips_bucket, Key=signed.replace(".mp4", ending))["Body"].read()
        body = bytes(64) if ending == ".sig" else body.replace(signed[-30:-4].encode(), forged[-30:-4].encode())
        s3.put_object(Bucket=cloud.clips_bucket, Key=forged.replace(".mp4", ending), Body=body)
    s3.put_object(Bucket=cloud.clips_bucket, Key=forged, Body=calm_clip.read_bytes())
    outcome = gateway.wait_for({forged}, since)[forged]
    assert (outcome.state, outcome.manifest_status) == ("done", "bad_signature")


def test_a_camera_that_nobody_entered_is_analysed_and_shown(gateway: Gateway, calm_clip: Path) -> None:
    since = begin()
    key = gateway.submit(calm_clip, camera=2)["calm.mp4"]
    assert gateway.wait_for({key}, since)[key].state == "done"
    assert {(row["gateway"], row["number"]) for row in _status()["unregistered_cameras"]} >= {(gateway.name, 2)}


def test_a_gateway_that_nobody_added_is_a_failed_row(cloud: CloudState, home: Path, calm_clip: Path) -> None:
    stranger = Gateway.enrolled(cloud, home / "stranger", "stranger-gateway", register=False)
    key = stranger.submit(calm_clip)["calm.mp4"]

    def failed() -> bool:
        with cloud.connect() as connection, connection.cursor() as cursor:
            cursor.execute(
                "SELECT a.reason_code FROM clip k JOIN analysis a ON a.clip_id = k.clip_id WHERE k.object_key = %s",
                (key,),
            )
            row = cursor.fetchone()
        return row is not None and row["reason_code"] == "unknown_gateway"

    eventually(failed, "the stranger's clip is a failed row")
    assert (
        cloud.client("s3").head_object(Bucket=cloud.clips_bucket, Key=key)["ContentLength"] == calm_clip.stat().st_size
    )


def _event(cloud: CloudState, key: str) -> str:
    """The notification that S3 sends when an object is created."""
    record = {
        "eventSource": "aws:s3",
        "eventName": "ObjectCreated:Put",
        "eventTime": datetime.now(UTC).isoformat(),
        "s3": {"bucket": {"name": cloud.clips_bucket}, "object": {"key": key}},
    }
    return json.dumps({"Records": [record]})


def _waiting(cloud: CloudState, queue_url: str) -> int:
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    found = cloud.client("sqs").get_queue_attributes(QueueUrl=queue_url, AttributeNames=names)["Attributes"]
    return sum(int(found[name]) for name in names)


def _status() -> dict:
    done = subprocess.run([PROGRAMS / "uriai", "status", "--json"], capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)
    return found.get("rows", found)


def _bad_files(folder: Path, good: Path) -> list[Path]:
    import cv2

    named = {
        name: folder / f"{name}.mp4" for name in ("zero-bytes", "truncated", "audio-only", "three-hours", "picture")
    }
    named["zero-bytes"].write_bytes(b"")
    content = good.read_bytes()
    named["truncated"].write_bytes(content[: len(content) * 2 // 5])
    named["picture"].write_bytes(cv2.imencode(".png", np.zeros((90, 160, 3), np.uint8))[1].tobytes())
    with av.open(str(named["audio-only"]), "w", format="mp4") as container:
        stream = container.add_stream("aac", rate=16_000)
        sound = av.AudioFrame.from_ndarray(np.zeros((1, 16_000), np.float32), format="fltp", layout="mono")
        sound.sample_rate = 16_000
        sound.pts = 0
        container.mux(stream.encode(sound))
        container.mux(stream.encode(None))
    with av.open(str(named["three-hours"]), "w", format="mp4") as container:
        video = container.add_stream("libx264", rate=1)
        video.width, video.height, video.pix_fmt = 160, 90, "yuv420p"
        for index in range(181):
            frame = av.VideoFrame.from_ndarray(np.full((90, 160, 3), index, np.uint8), format="bgr24")
            frame.pts, frame.time_base = index * 60, Fraction(1, 1)
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
    return list(named.values())
