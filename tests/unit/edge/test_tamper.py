"""A camera that no longer shows its place is told of, with a picture, and when it does again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from io import BytesIO

import av
import cv2
import numpy as np
import pytest
from nacl.signing import SigningKey

from tests.unit.edge.scenes import film, room
from uriai_edge.config import Tamper
from uriai_edge.evidence import RecordType
from uriai_edge.pixels import analysis_size, prepare
from uriai_edge.recorder import TamperRecorder
from uriai_edge.spool import Spool
from uriai_edge.tamper import TamperEvent, TamperWatch, What, encode_jpeg

BEGUN = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)


class Bench:
    """A watch on a clock of its own, shown a picture every five seconds."""

    def __init__(self) -> None:
        self.s = 0.0
        self.events: list[TamperEvent] = []
        self.watch = TamperWatch(
            Tamper(), self.events.append, lambda: self.s, lambda: BEGUN + timedelta(seconds=self.s)
        )
        self.chance = np.random.default_rng(3)

    def show(self, seconds: float, picture=None, *, noise: float = 3.0) -> Bench:
        still = room(7) if picture is None else picture
        for _ in range(round(seconds / 5)):
            self.s += 5
            gray = np.clip(still + self.chance.normal(0, noise, still.shape), 0, 255).astype(np.uint8)
            self.look(gray)
        return self

    def look(self, gray) -> None:
        frame = av.VideoFrame.from_ndarray(gray, format="gray").reformat(format="yuv420p")
        width, height = analysis_size(frame.width, frame.height)
        small = frame.reformat(width=width, height=height, format="gray", interpolation="AREA")
        self.watch.heard()
        self.watch.look(frame, prepare(small.to_ndarray()))

    def told(self) -> list[tuple[What, bool]]:
        return [(event.what, event.begins) for event in self.events]


def covered(picture):
    return np.full_like(picture, 25.0)


def defocused(picture):
    return cv2.GaussianBlur(picture, (0, 0), 9)


def turned(_picture):
    return room(99)


@pytest.mark.parametrize(
    ("trouble", "what"), [(covered, What.COVERED), (defocused, What.DEFOCUSED), (turned, What.TURNED)]
)
def test_a_trouble_is_told_after_half_a_minute_with_its_picture_and_cleared_when_over(trouble, what):
    bench = Bench().show(60).show(25, trouble(room(7)))
    assert bench.told() == []
    bench.show(20, trouble(room(7)))
    assert bench.told() == [(what, True)]
    began = bench.events[0]
    assert (began.since - BEGUN).total_seconds() == pytest.approx(65)
    shown = cv2.imdecode(np.frombuffer(began.picture, np.uint8), cv2.IMREAD_GRAYSCALE)
    assert np.abs(shown - trouble(room(7))).mean() < 8
    bench.show(30)
    assert bench.told() == [(what, True), (what, False)]
    assert bench.events[1].event == began.event and bench.watch.wrong == ()


def test_a_short_trouble_is_none():
    assert Bench().show(60).show(20, covered(room(7))).show(60).told() == []


def test_a_frozen_picture_is_told():
    bench = Bench().show(60)
    still = np.clip(room(7) + bench.chance.normal(0, 3, room(7).shape), 0, 255).astype(np.uint8)
    for _ in range(9):
        bench.s += 5
        bench.look(still)
    assert bench.told() == [(What.FROZEN, True)]
    assert bench.show(30).told()[-1] == (What.FROZEN, False)


def test_light_people_and_infrared_are_no_trouble():
    bench = Bench().show(60).show(60, room(7) * 0.4).show(60, np.minimum(room(7) * 1.6, 255))
    night = room(7) * np.linspace(0.3, 1.0, room(7).shape[1], dtype=np.float32)[None, :]
    bench.show(60, night, noise=9)
    crowd = room(7).copy()
    crowd[100:300, 50:130] = crowd[120:330, 200:280] = crowd[90:250, 420:520] = 60
    assert bench.show(60, crowd).told() == []


def test_silence_is_told_once_with_the_last_picture_and_its_end():
    bench = Bench().show(30)
    for _ in range(50):
        bench.s += 1
        bench.watch.tick()
    assert bench.told() == [(What.OFFLINE, True)]
    assert (bench.events[0].since - BEGUN).total_seconds() == 30
    assert bench.events[0].picture
    assert bench.show(10).told() == [(What.OFFLINE, True), (What.OFFLINE, False)]


def test_a_camera_that_never_answered_is_told_without_a_picture():
    bench = Bench()
    bench.s = 31
    bench.watch.tick()
    assert bench.told() == [(What.OFFLINE, True)] and bench.events[0].picture is None


def test_the_record_is_signed_and_its_picture_lies_in_the_spool(tmp_path):
    (gray,) = film(1)
    jpeg = encode_jpeg(av.VideoFrame.from_ndarray(gray, format="gray"))
    with av.open(BytesIO(jpeg)) as container:
        assert next(container.decode(video=0)).width == gray.shape[1]
    with Spool(tmp_path, "demo-1", SigningKey.generate()) as spool:
        later = BEGUN + timedelta(seconds=31)
        TamperRecorder(spool, 3).record(TamperEvent(What.COVERED, True, "E" * 26, BEGUN, later, 5.0, jpeg))
        record = spool.claim_next()
        manifest = record.read()
        assert (manifest.type, manifest.camera, manifest.size) == (RecordType.TAMPER, 3, len(jpeg))
        assert manifest.detail == {"what": "covered", "state": "begins", "event": "E" * 26}
        assert record.path.read_bytes() == jpeg
        assert manifest.attachment_suffix == ".jpg"
