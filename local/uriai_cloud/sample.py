"""The clip that events/analyze.json tells of: rendered, signed by a sample gateway, put into the local cloud."""

from __future__ import annotations

import hashlib
import json
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from uriai_cloud.home import Home, read_json, write_json
from uriai_cloud.state import CloudState

if TYPE_CHECKING:
    from nacl.signing import SigningKey

GATEWAY = "sample-gateway"
CAMERA = 1
STARTED_AT = datetime(2026, 3, 2, 1, 0, 0, tzinfo=UTC)
DURATION_S = 6.0
FPS = 15
SEED = 900_001
"""Far above the seeds that models are trained with."""
ULID = "01KJP0Y9M0SAMP1E0000000000"
KEY = f"clips/{GATEWAY}/{CAMERA}/{STARTED_AT:%Y-%m-%d}/{ULID}.mp4"


def ensure(home: Home, cloud: CloudState) -> bool:
    """Put the sample clip, its manifest and its gateway where they belong; return whether they were not there."""
    s3 = cloud.client("s3")
    if s3.list_objects_v2(Bucket=cloud.clips_bucket, Prefix=KEY).get("KeyCount"):
        return False
    signing_key = _signing_key(home)
    _enter_gateway(cloud, bytes(signing_key.verify_key))
    video = _render()
    manifest = json.dumps(
        {
            "v": 1,
            "gateway": GATEWAY,
            "seq": 1,
            "type": "clip",
            "camera": CAMERA,
            "ulid": ULID,
            "sha256": hashlib.sha256(video).hexdigest(),
            "size": len(video),
            "started_at": STARTED_AT.isoformat(timespec="microseconds"),
            "ended_at": (STARTED_AT + timedelta(seconds=DURATION_S)).isoformat(timespec="microseconds"),
            "monotonic": 0.0,
            "agent": "uriai-sample/0.1.0",
            "prev": "0" * 64,
        }
    ).encode()
    stem = KEY.removesuffix(".mp4")
    s3.put_object(Bucket=cloud.clips_bucket, Key=f"{stem}.json", Body=manifest, ContentType="application/json")
    s3.put_object(Bucket=cloud.clips_bucket, Key=f"{stem}.sig", Body=signing_key.sign(manifest).signature)
    s3.put_object(Bucket=cloud.clips_bucket, Key=KEY, Body=video, ContentType="video/mp4", ChecksumAlgorithm="SHA256")
    return True


def _render() -> bytes:
    from playroom.render import render_clip
    from playroom.video import encode

    with tempfile.TemporaryDirectory(prefix="uriai-sample-") as folder:
        path = Path(folder) / "sample.mp4"
        encode(render_clip(SEED, "assault", DURATION_S, fps=FPS, started_at=STARTED_AT), path, FPS)
        return path.read_bytes()


def _enter_gateway(cloud: CloudState, public_key: bytes) -> None:
    from uriai.adapters.database.centres import NewCentre, add_camera, add_centre
    from uriai.adapters.database.gateways import add_gateway

    now = datetime.now(UTC)
    connection = cloud.connect()
    try:
        with connection.cursor() as cursor:
            centre = add_centre(cursor, NewCentre(province="예시도", district="예시시", name="예시 어린이집"), now)
            add_gateway(cursor, GATEWAY, centre, public_key, now)
            add_camera(cursor, GATEWAY, CAMERA, "", now)
    finally:
        connection.close()


def _signing_key(home: Home) -> SigningKey:
    from nacl.signing import SigningKey

    kept = read_json(home.secrets_file)
    if "sample_key" not in kept:
        kept["sample_key"] = bytes(SigningKey.generate()).hex()
        write_json(home.secrets_file, kept)
    return SigningKey(bytes.fromhex(kept["sample_key"]))
