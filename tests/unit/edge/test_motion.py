"""Movement makes clips; light, noise and what stands still do not."""

from __future__ import annotations

import threading
from dataclasses import replace

import numpy as np
import pytest

from tests.unit.edge.scenes import FPS, box_at, encode, film, light_from, together, walking
from uriai_edge.capture import Source
from uriai_edge.config import Camera, Clips, Motion
from uriai_edge.gate import Gate
from uriai_edge.replay import replay, tune


def events(tmp_path, pictures, *, motion=None, **options) -> list[float]:
    """Beginnings of the movements that make clips, seconds."""
    video = encode(tmp_path / "in.mp4", pictures, **options)
    clips = list(replay(str(video), tmp_path / "out", motion or Motion(), Clips()))
    return sorted({round(clip.trigger_s, 2) for clip in clips})


@pytest.mark.parametrize("noise", [1.0, 7.0])
@pytest.mark.parametrize(
    "walker",
    [
        walking([(12, 15)]),
        walking([(12, 15)], w=14, h=26, speed=40),  # a child at the far wall
        walking([(12, 18)], speed=10),  # slowly
        walking([(12, 15)], level=175),
        walking([(12.3, 13.4)]),  # within one group of pictures
    ],
    ids=["walks", "small", "slow", "bright", "brief"],
)
def test_movement_is_seen(tmp_path, noise, walker):
    (began,) = events(tmp_path, film(20 * FPS, walker, noise=noise))
    assert began == pytest.approx(12.2, abs=1.0)


@pytest.mark.parametrize("noise", [0.5, 3.0, 10.0])
@pytest.mark.parametrize("bit_rate", [None, 200_000])
def test_noise_alone_is_no_movement(tmp_path, noise, bit_rate):
    assert events(tmp_path, film(25 * FPS, noise=noise), bit_rate=bit_rate) == []


@pytest.mark.parametrize("factor", [0.3, 0.7, 1.4])
def test_a_switched_lamp_is_no_movement(tmp_path, factor):
    assert events(tmp_path, film(18 * FPS, light_from(12.4, factor), noise=2)) == []


def test_a_lamp_that_lights_half_the_room_is_no_movement(tmp_path):
    def lamp(picture, time_s):
        if time_s >= 12.4:
            x = np.linspace(-1, 3, picture.shape[1], dtype=np.float32)
            picture *= 1 + 0.8 * np.exp(-(x**2))

    assert events(tmp_path, film(20 * FPS, lamp, noise=2)) == []


def test_slow_daylight_is_no_movement(tmp_path):
    def sun(picture, time_s):
        picture *= 0.6 + 0.02 * time_s

    assert events(tmp_path, film(40 * FPS, sun, noise=2)) == []


def test_movement_while_the_lamp_is_switched_is_seen(tmp_path):
    found = events(tmp_path, film(20 * FPS, together(walking([(11.5, 16)]), light_from(12.4, 0.4)), noise=2))
    assert found and found[0] == pytest.approx(11.5, abs=2)


def test_what_appears_once_and_stays_is_no_movement(tmp_path):
    def bag(picture, time_s):
        if time_s >= 12.4:
            box_at(picture, 200, 150, 60, 60, 20)

    assert events(tmp_path, film(20 * FPS, bag, noise=2)) == []


def test_the_least_area_is_respected(tmp_path):
    walker = walking([(12, 15)], w=14, h=26, speed=40)
    assert events(tmp_path, film(24 * FPS, walker, noise=1), motion=Motion(min_area=0.02)) == []


def decoded_share(path, motion) -> float:
    source = Source(Camera(number=1, source=str(path), pace="fast"), threading.Event())
    gate = Gate(motion, source.codec, source.extradata)
    count = 0
    for packet in source.packets():
        gate.feed(packet)
        count += 1
    source.close()
    return gate.decoded / count


def test_while_nothing_moves_only_key_frames_are_decoded(tmp_path):
    still = encode(tmp_path / "still.mp4", film(60 * FPS, noise=1))
    assert decoded_share(still, Motion()) < 0.15
    assert decoded_share(still, Motion(key_frames_up_to_s=0)) > 0.95


def test_where_sizes_tell_nothing_everything_is_decoded(tmp_path):
    noisy = encode(tmp_path / "noisy.mp4", film(20 * FPS, noise=8))
    assert decoded_share(noisy, Motion()) > 0.95


def test_damaged_packets_do_not_end_the_watch(tmp_path):
    video = encode(tmp_path / "in.mp4", film(20 * FPS, walking([(8, 12)]), noise=1))
    source = Source(Camera(number=1, source=str(video), pace="fast"), threading.Event())
    gate = Gate(Motion(), source.codec, source.extradata)
    seen = []
    for number, packet in enumerate(source.packets()):
        damaged = replace(packet, data=b"\0\0\0\1" + b"\xff" * 40)
        movement = gate.feed(damaged if number % 7 == 3 else packet)
        if movement is not None:
            seen.append(movement)
    source.close()
    assert seen


def test_tune_tells_the_score_of_every_sample(tmp_path):
    video = encode(tmp_path / "in.mp4", film(20 * FPS, together(walking([(8, 11)]), light_from(15, 0.5)), noise=1))
    samples = list(tune(str(video), Motion()))
    assert len(samples) == pytest.approx(100, abs=3)
    assert [sample.time_s for sample in samples if sample.light_switch] == [pytest.approx(15, abs=0.25)]
    moving = [sample.time_s for sample in samples if sample.movement is not None]
    assert moving[0] == pytest.approx(8.2, abs=0.5)
    assert 10.7 < moving[-1] < 12.1  # against the picture a second ago it shows a second longer
