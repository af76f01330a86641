"""A gateway that tells: makes the signed, chained records that an agent makes, on a clock of its own."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from nacl.signing import SigningKey

from tests.unit.pipeline.fakes import GATEWAY, KEY, NOON, BucketInMemory, ulid_at
from uriai.service.locate_clip import Arrival


@dataclass
class Teller:
    """``clock_behind_s``: how far its clock is behind S3's; ``told``: the arrivals of everything, in order."""

    bucket: BucketInMemory
    gateway: str = GATEWAY
    key: SigningKey = KEY
    clock_behind_s: float = 0.0
    seq: int = 0
    prev: str = "0" * 64
    told: list[Arrival] = field(default_factory=list)

    def coverage(
        self,
        at: datetime = NOON,
        cameras: Mapping[int, Sequence[tuple[float, float]]] | None = None,
        *,
        seconds: float = 60.0,
        arrives: datetime | None = None,
        **detail: object,
    ) -> Arrival:
        """The record of the ``seconds`` from ``at`` on, by S3's clock; without ``cameras`` camera 1 recorded it all."""
        spans = {1: [(0.0, seconds)]} if cameras is None else cameras
        told = {"cameras": [{"camera": one, "spans": [list(pair) for pair in pairs]} for one, pairs in spans.items()]}
        ended_at = at + timedelta(seconds=seconds)
        return self.record("coverage", at, ended_at, arrives=arrives, detail=told | detail)

    def record(
        self,
        record_type: str,
        started_at: datetime,
        ended_at: datetime,
        *,
        camera: int | None = None,
        arrives: datetime | None = None,
        detail: Mapping[str, object] | None = None,
        sign: bool = True,
        claims: Mapping[str, object] | None = None,
    ) -> Arrival:
        """Any record, as the next of the chain; ``claims`` replace fields before signing. It arrives after 2 s."""
        self.seq += 1
        behind = timedelta(seconds=self.clock_behind_s)
        by_own_clock = [(instant - behind).isoformat(timespec="microseconds") for instant in (started_at, ended_at)]
        ulid = ulid_at(started_at, self.seq)
        fields: dict[str, object] = {
            "v": 1,
            "gateway": self.gateway,
            "seq": self.seq,
            "type": record_type,
            "camera": camera,
            "ulid": str(ulid),
            "sha256": None,
            "size": None,
            "started_at": by_own_clock[0],
            "ended_at": by_own_clock[1],
            "monotonic": 1.0,
            "agent": "uriai-edge/0.1.0",
            "prev": self.prev,
            "detail": dict(detail or {}),
        }
        fields |= dict(claims or {})
        manifest = json.dumps(fields).encode()
        self.prev = hashlib.sha256(manifest).hexdigest()
        day = (started_at - behind).astimezone(UTC).date().isoformat()
        stem = f"records/{self.gateway}/{day}/{self.seq:012d}-{ulid}"
        arrives = arrives or ended_at + timedelta(seconds=2)
        self.bucket.place(stem + ".json", manifest, arrives)
        if sign:
            self.bucket.place(stem + ".sig", self.key.sign(manifest).signature, arrives)
        self.told.append(Arrival(stem + ".sig", arrives))
        return self.told[-1]
