"""Fakes of the pipeline's ports: a bucket in memory, models that say what they are told, a clock that stands still."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from nacl.signing import SigningKey

from uriai.adapters.database import observed
from uriai.domain.analysis import Observations, Window
from uriai.domain.model_set import model_set_hash
from uriai.domain.ulid import Ulid
from uriai.service.ports.clips import ClipMissingError, ClipStore, DatedObject, FetchedClip
from uriai.service.ports.clock import Clock
from uriai.service.ports.vision import Caption, ClipAnalyser, ClipFault, KeyFrames, NotAVideo

NOON = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
"""Noon in Seoul."""
GATEWAY = "saetbyeol-1"
KEY = SigningKey(b"\x01" * 32)


class StoppedClock(Clock):
    """Stands still until it is moved."""

    def __init__(self, instant: datetime = NOON) -> None:
        self.instant = instant

    def now(self) -> datetime:
        return self.instant


@dataclass(frozen=True)
class StoredObject:
    data: bytes
    arrived_at: datetime


class BucketInMemory(ClipStore):
    """Keeps objects in a dict; ``puts`` lists what was written through the port, in order."""

    def __init__(self) -> None:
        self.objects: dict[str, StoredObject] = {}
        self.puts: list[str] = []

    def place(self, key: str, data: bytes, arrived_at: datetime = NOON) -> None:
        self.objects[key] = StoredObject(data, arrived_at)

    @contextmanager
    def fetch(self, key: str) -> Iterator[FetchedClip]:
        stored = self.objects.get(key)
        if stored is None:
            raise ClipMissingError(f"there is no object {key}")
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "clip.mp4"
            path.write_bytes(stored.data)
            yield FetchedClip(path, hashlib.sha256(stored.data).digest(), len(stored.data), stored.arrived_at)

    def read_small(self, key: str, *, limit: int) -> bytes | None:
        stored = self.objects.get(key)
        return None if stored is None else stored.data[: limit + 1]

    def read_dated(self, key: str, *, limit: int) -> DatedObject | None:
        stored = self.objects.get(key)
        return None if stored is None else DatedObject(stored.data[: limit + 1], stored.arrived_at)

    def put(self, key: str, data: bytes, *, content_type: str) -> None:
        assert content_type == {"jpg": "image/jpeg", "json": "application/json"}[key.rpartition(".")[2]]
        self.puts.append(key)
        self.place(key, data)


class ScriptedAnalyser(ClipAnalyser):
    """Reads its observations from the clip's own bytes: ``{"duration_s", "windows": [[start, end, probability]]}``, or
    ``{"duration_s", "observed": {…}}`` with faces and people, see `film`.

    Bytes that are not that are no video.
    """

    def __init__(self, version: str = "1") -> None:
        self._models = {"violence": f"scripted@{version}+{'0' * 64}"}
        self.looked = 0

    @property
    def models(self) -> Mapping[str, str]:
        return self._models

    @property
    def model_set_hash(self) -> bytes:
        return model_set_hash(self._models)

    def observe(self, path: Path) -> Observations:
        self.looked += 1
        data = path.read_bytes()
        if not data:
            raise NotAVideo(ClipFault.ZERO_BYTES, "the file is empty")
        try:
            script = json.loads(data)
        except ValueError as error:
            raise NotAVideo(ClipFault.NOT_A_VIDEO, "the file is no video") from error
        if "observed" in script:
            seen = observed.read(json.dumps(script["observed"]), script["duration_s"])
            return replace(seen, models=self._models, timing_ms={"total": 1.0})
        windows = tuple(Window(*window) for window in script["windows"])
        return Observations(script["duration_s"], windows, models=self._models, timing_ms={"total": 1.0})

    def key_frames(self, path: Path, t_s: float, observations: Observations, caption: Caption) -> KeyFrames:
        picture = "\n".join((f"{t_s} s", *caption(t_s))).encode()
        forms = (b"plain ", b"annotated ", b"masked ", b"annotated and masked ")
        return KeyFrames(t_s, *(form + picture for form in forms))


def script(*windows: tuple[float, float, float], duration_s: float = 10.0, salt: str = "") -> bytes:
    """A clip for `ScriptedAnalyser`; ``salt`` makes its bytes its own."""
    return json.dumps({"duration_s": duration_s, "windows": windows, "salt": salt}).encode()


def film(observations: Observations, salt: str = "") -> bytes:
    """A clip for `ScriptedAnalyser` in which all this is seen."""
    seen = observed.written(observations)
    return json.dumps({"duration_s": observations.duration_s, "observed": seen, "salt": salt}).encode()


VIOLENT = ((0.0, 2.0, 0.1), (2.0, 4.0, 0.95), (4.0, 6.0, 0.97), (6.0, 8.0, 0.1))
"""One physical finding with verdict report."""
DOUBTFUL = ((0.0, 2.0, 0.1), (2.0, 4.0, 0.85), (4.0, 6.0, 0.1))
"""One physical finding with verdict review."""
QUIET = ((0.0, 2.0, 0.1), (2.0, 4.0, 0.2))


def ulid_at(instant: datetime, salt: int = 0) -> Ulid:
    return Ulid(int(instant.timestamp() * 1000).to_bytes(6, "big") + salt.to_bytes(10, "big"))


def place_clip(
    bucket: BucketInMemory,
    data: bytes,
    *,
    started_at: datetime = NOON,
    camera: int = 1,
    gateway: str = GATEWAY,
    seq: int = 1,
    key: SigningKey = KEY,
    salt: int = 0,
    arrived_at: datetime | None = None,
    signed: bool = True,
    claims: Mapping[str, object] | None = None,
) -> str:
    """Put a clip with its signed manifest into the bucket; its key. ``claims`` replace fields before signing."""
    ulid = ulid_at(started_at, salt or seq)
    stem = f"clips/{gateway}/{camera}/{started_at.astimezone(UTC).date().isoformat()}/{ulid}"
    arrived_at = arrived_at or started_at + timedelta(seconds=15)
    if signed:
        fields: dict[str, object] = {
            "v": 1,
            "gateway": gateway,
            "seq": seq,
            "type": "clip",
            "camera": camera,
            "ulid": str(ulid),
            "sha256": hashlib.sha256(data).hexdigest(),
            "size": len(data),
            "started_at": started_at.isoformat(timespec="microseconds"),
            "ended_at": (started_at + timedelta(seconds=10)).isoformat(timespec="microseconds"),
            "monotonic": 1.0,
            "agent": "uriai-edge/0.1.0",
            "prev": "0" * 64,
        }
        manifest = json.dumps(fields | dict(claims or {})).encode()
        bucket.place(stem + ".json", manifest, arrived_at)
        bucket.place(stem + ".sig", key.sign(manifest).signature, arrived_at)
    bucket.place(stem + ".mp4", data, arrived_at)
    return stem + ".mp4"
