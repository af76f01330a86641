"""Movement is looked for in a camera's small stream, or in the large one while the small one does not come."""

from __future__ import annotations

import threading

import pytest

from tests.unit.edge.scenes import FPS, encode, film, walking
from uriai_edge.capture import Source
from uriai_edge.config import Camera, Motion
from uriai_edge.motion import Movement
from uriai_edge.watch import Watch


def movements(camera: Camera) -> list[Movement]:
    stop = threading.Event()
    source = Source(camera, stop)
    watch = Watch(camera, Motion(), source, lambda *_: None, stop)
    try:
        return [found for packet in source.packets() if (found := watch.feed(packet)) is not None]
    finally:
        watch.end()
        source.close()


def test_movement_in_the_small_stream_is_told_in_the_large_ones_time(tmp_path):
    still = encode(tmp_path / "large.mp4", film(8 * FPS, noise=1), gop=15)
    small = encode(tmp_path / "small.mp4", film(8 * FPS, walking([(3, 6)]), size=(320, 180), noise=1), gop=15)
    found = movements(Camera(number=1, source=str(still), motion_source=str(small)))
    assert found
    assert found[0].began_s == pytest.approx(3, abs=0.7)
    assert found[-1].last_s == pytest.approx(6, abs=1.2)


def test_without_the_small_stream_the_large_one_is_looked_at(tmp_path):
    large = encode(tmp_path / "large.mp4", film(8 * FPS, walking([(3, 6)]), noise=1), gop=15)
    missing = str(tmp_path / "missing.mp4")
    found = movements(Camera(number=1, source=str(large), pace="fast", motion_source=missing))
    assert found and found[0].began_s == pytest.approx(3, abs=0.5)
