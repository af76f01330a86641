"""Movement makes clips; light, noise and what stands still do not."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, datetime
from fractions import Fraction
from xml.etree import ElementTree

import av
import numpy as np
import pytest

from tests.unit.edge.scenes import FPS, box_at, encode, film, light_from, together, walking
from uriai_edge.capture import Source
from uriai_edge.config import Camera, Clips, Motion, Zone
from uriai_edge.gate import Gate
from uriai_edge.motion import MotionAnalyser, prepare
from uriai_edge.packets import VideoPacket
from uriai_edge.pixels import camera_shift, shifted
from uriai_edge.replay import replay
from uriai_edge.sizes import SizeWitness
from uriai_edge.tune import annotate, plot, tune
from uriai_edge.zones import lay_out


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
    assert decoded_share(still, Motion(check_every_s=0)) > 0.95


@pytest.mark.parametrize("begins_s", [2.5, 4.1, 5.6, 7.3, 8.8])
def test_somebody_brief_is_seen_while_sizes_are_learnt(tmp_path, begins_s):
    (began,) = events(tmp_path, film(12 * FPS, walking([(begins_s, begins_s + 1.2)]), noise=1))
    assert began == pytest.approx(begins_s, abs=0.4)


def test_where_sizes_tell_nothing_less_than_half_is_decoded_and_nobody_passes_between_two_looks(tmp_path):
    noisy = encode(tmp_path / "noisy.mp4", film(40 * FPS, noise=8, size=(320, 180)))
    assert decoded_share(noisy, Motion()) < 0.5
    phases = [5.9, 18.1, 30.5, 43.0, 55.3]  # against key frames every 2 s
    pictures = film(60 * FPS, walking([(start, start + 1.2) for start in phases]), noise=8, size=(320, 180))
    assert events(tmp_path, pictures) == [pytest.approx(start, abs=0.4) for start in phases]


def test_where_sizes_tell_nothing_and_key_frames_are_rare_everything_is_decoded(tmp_path):
    noisy = encode(tmp_path / "noisy.mp4", film(25 * FPS, noise=8, size=(320, 180)), gop=120)
    assert decoded_share(noisy, Motion()) > 0.95


@pytest.mark.parametrize("gop", [30, 120])
def test_when_sizes_lose_their_trust_what_came_since_the_key_frame_is_looked_at_at_once(tmp_path, gop):
    video = encode(tmp_path / "in.mp4", film(60 * FPS, noise=1, size=(320, 180)), gop=gop)
    source = Source(Camera(number=1, source=str(video), pace="fast"), threading.Event())
    gate = Gate(Motion(), source.codec, source.extradata)
    lost_s = woken_s = None
    key_s = decoded = 0
    for number, packet in enumerate(source.packets()):
        gate.feed(packet)
        key_s = packet.time_s if packet.is_key else key_s
        if lost_s is None and packet.time_s > 30 and not gate.full and number % gop == 5:
            lost_s, decoded = packet.time_s, gate.decoded
            for _ in range(2):
                gate._sizes.movement(packet.time_s, shown=False)
        elif lost_s is not None and gate.full:
            woken_s = packet.time_s
            break
    source.close()
    assert lost_s is not None and woken_s is not None
    assert woken_s - lost_s < 2.1  # as often as trust is asked for
    assert gate.decoded - decoded >= round((woken_s - key_s) * FPS)


def test_key_frames_that_come_often_are_all_that_is_looked_at(tmp_path):
    noisy = encode(tmp_path / "noisy.mp4", film(20 * FPS, noise=8, size=(320, 180)), gop=15)
    assert decoded_share(noisy, Motion()) < 0.2
    walker = walking([(start, start + 1.2) for start in (4.2, 15.7)])
    found = events(tmp_path, film(22 * FPS, walker, noise=8, size=(320, 180)), gop=15)
    assert found == [pytest.approx(4.2, abs=0.4), pytest.approx(15.7, abs=0.4)]


@pytest.mark.parametrize(("codec", "b_frames"), [("libx264", 3), ("libx265", 0), ("libx265", 3)])
def test_pictures_that_come_out_late_and_of_another_codec_are_looked_at_all_the_same(tmp_path, codec, b_frames):
    walker = walking([(start, start + 1.2) for start in (4.5, 17.0)])
    found = events(tmp_path, film(22 * FPS, walker, noise=8, size=(320, 180)), codec=codec, b_frames=b_frames)
    assert found == [pytest.approx(4.5, abs=0.4), pytest.approx(17.0, abs=0.4)]


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


@pytest.mark.parametrize(
    "damage", [b"\0\0\0\1" + b"\xff" * 40, b"\0\0\0\1\x06\x05\x01\x00\x80"], ids=["error", "silence"]
)
@pytest.mark.parametrize("noise", [1, 8], ids=["sizes tell", "sizes tell nothing"])
def test_a_key_frame_that_cannot_be_looked_at_is_a_suspicion(tmp_path, damage, noise):
    video = encode(tmp_path / "in.mp4", film(34 * FPS, noise=noise, size=(320, 180)))
    source = Source(Camera(number=1, source=str(video), pace="fast"), threading.Event())
    gate = Gate(Motion(), source.codec, source.extradata)
    damaged_s = woken_s = None
    for packet in source.packets():
        # once it rests: looked at in every group where sizes tell nothing, every 10 s where they do
        damaged = packet.is_key and packet.time_s > 19 and not gate.full
        damaged_s = packet.time_s if damaged and damaged_s is None else damaged_s
        gate.feed(replace(packet, data=damage) if damaged else packet)
        if damaged_s is not None and gate.blind:
            woken_s = packet.time_s
            break
    source.close()
    assert damaged_s is not None and woken_s is not None and gate.full
    assert woken_s - damaged_s <= (10.1 if noise == 1 else 2.1)


def test_tune_tells_the_score_of_every_sample(tmp_path):
    video = encode(tmp_path / "in.mp4", film(20 * FPS, together(walking([(8, 11)]), light_from(15, 0.5)), noise=1))
    samples = list(tune(str(video), Motion()))
    assert len(samples) == pytest.approx(100, abs=3)
    assert [sample.time_s for sample in samples if sample.light_switch] == [pytest.approx(15, abs=0.25)]
    moving = [sample.time_s for sample in samples if sample.movement is not None]
    assert moving[0] == pytest.approx(8.2, abs=0.5)
    assert 10.7 < moving[-1] < 12.1  # against the picture a second ago it shows a second longer


def judged(pictures, settings=None) -> list:
    """Samples of gray pictures five times a second, without coding: fast."""
    analyser = MotionAnalyser(settings or Motion())
    return [analyser.feed(prepare(picture), number / 5) for number, picture in enumerate(pictures)]


def moved(pictures, settings=None) -> bool:
    return any(sample.movement for sample in judged(pictures, settings))


SMALL = {"size": (160, 90), "fps": 5, "noise": 1.0}


def test_a_trembling_camera_is_no_movement_and_hides_none():
    chance = np.random.default_rng(4)

    def tremble(pictures):
        for picture in pictures:
            dx, dy = chance.normal(0, 1.2, 2)
            yield np.clip(shifted(picture.astype(np.float32), dx, dy), 0, 255).astype(np.uint8)

    assert not moved(tremble(film(100, **SMALL)))
    assert moved(tremble(film(100, walking([(10, 14)], w=10, h=22, speed=15), **SMALL)))


def test_the_cameras_own_shift_is_measured_between_pixels():
    (picture,) = film(1, **{**SMALL, "noise": 0.0})
    before = prepare(picture)
    dx, dy = camera_shift(shifted(before, 1.4, -0.6), before)
    assert (dx, dy) == (pytest.approx(1.4, abs=0.2), pytest.approx(-0.6, abs=0.2))


def test_a_curtain_that_sways_in_its_place_is_no_movement():
    def curtain(picture, time_s):
        swing = 1.5 * np.sin(2.4 * time_s) if time_s > 10 else 0.0
        x = np.arange(30, dtype=np.float32)[None, :] + swing * np.linspace(0, 1, 40, dtype=np.float32)[:, None]
        picture[:40, 100:130] = 150 + 40 * np.sin(x * 1.3)

    assert not moved(film(120, curtain, **SMALL))
    assert moved(film(120, together(curtain, walking([(15, 19)], w=10, h=22, speed=15)), **SMALL))


def test_streaks_of_rain_are_no_movement():
    chance = np.random.default_rng(5)

    def rain(picture, _time_s):
        for _ in range(25):
            x, y = chance.integers(0, 158), chance.integers(0, 80)
            picture[y : y + 9, x : x + 1] += 25

    assert not moved(film(120, rain, **SMALL))
    assert moved(film(120, together(rain, walking([(15, 19)], w=10, h=22, speed=15)), **SMALL))


RIGHT = [(0.5, 0.0), (1.0, 0.0), (1.0, 1.0), (0.5, 1.0)]


def test_nothing_counts_in_an_ignored_zone_and_everything_beside_it():
    walker = walking([(5, 9)], w=8, h=20, speed=4)  # in the left part
    left = Zone(name="left", polygon=[(0, 0), (0.5, 0), (0.5, 1), (0, 1)], ignore=True)
    right = Zone(name="right", polygon=RIGHT, ignore=True)
    assert not moved(film(60, walker, **SMALL), Motion(zones=[left]))
    assert moved(film(60, walker, **SMALL), Motion(zones=[right]))


@pytest.mark.parametrize("own", [{"min_area": 0.1}, {"min_duration_s": 9.0}, {"contrast": 0.5}])
def test_a_zone_has_its_own_size_duration_and_sensitivity(own):
    def wall(picture, _time_s):
        picture[:] = 100

    walker = together(wall, walking([(5, 9)], w=8, h=20, speed=4, level=130))
    everywhere = [(0, 0), (1, 0), (1, 1), (0, 1)]
    assert not moved(film(60, walker, **SMALL), Motion(zones=[Zone(name="all", polygon=everywhere, **own)]))
    assert moved(film(60, walker, **SMALL), Motion(zones=[Zone(name="right", polygon=RIGHT, **own)]))


def test_later_zones_lie_over_earlier_ones():
    everywhere = Zone(name="all", polygon=[(0, 0), (1, 0), (1, 1), (0, 1)], ignore=True)
    layout = lay_out(Motion(zones=[everywhere, Zone(name="right", polygon=RIGHT, min_area=0.01)]), (90, 160))
    assert layout.counts[:, 80:].all() and not layout.counts[:, :80].any()
    assert [(part.name, part.least) for part in layout.parts] == [("right", 144)]


def sizes(values, *, gop=30):
    """Packets of these sizes, fifteen a second, a key frame every ``gop``."""
    base = Fraction(1, 15)
    for number, size in enumerate(values):
        at = datetime(2026, 1, 1, tzinfo=UTC)
        yield VideoPacket(bytes(int(size)), number, number, 1, number % gop == 0, base, at, number / 15)


def stream(seconds: float, *, spread: float, quiet: float = 1000.0, rise: float = 0.0, key: float = 60000.0):
    """Sizes with a pattern over the group of pictures; in the last second everything but key frames rises."""
    chance = np.random.default_rng(9)
    for number in range(round(seconds * FPS)):
        if number % 30 == 0:
            yield key
            continue
        usual = quiet * (1 + 2.0 * (number % 30 in (1, 2)) + 0.5 * (number % 3 == 0))
        yield max(1.0, usual * (1 + chance.normal(0, spread))) + rise * (number >= (seconds - 1) * FPS)


def test_sizes_are_judged_by_their_place_in_the_group():
    witness = SizeWitness()
    alarms = [packet.time_s for packet in sizes(stream(60, spread=0.03, rise=900)) if witness.feed(packet)]
    assert alarms and min(alarms) > 58.9  # large packets at their usual places raised none
    assert witness.informative(60)


def test_sizes_that_scatter_or_fill_the_bit_rate_are_found_uninformative():
    for options in ({"spread": 0.4, "key": 20000.0}, {"spread": 0.03, "quiet": 12000.0}):
        witness = SizeWitness()
        for packet in sizes(stream(60, **options)):
            witness.feed(packet)
        assert not witness.informative(60)


@pytest.mark.parametrize(("spread", "false"), [(0.03, 0), (0.1, 0), (0.2, 2), (0.4, 2)])
@pytest.mark.parametrize("key", [60000.0, 150000.0])
def test_sizes_that_are_trusted_show_what_a_movement_costs_within_a_second(spread, false, key):
    witness = SizeWitness()
    costs = 0.02 * 0.8 * key  # what a movement over 2 % of the picture takes at least, of what a key frame takes
    pictures = sizes(stream(60, spread=spread, key=key, rise=costs))
    alarms = [packet.time_s for packet in pictures if witness.feed(packet)]
    assert witness.informative(60)
    assert max(alarms) > 59
    assert sum(time_s < 58.9 for time_s in alarms) <= false  # each costs two seconds of decoding


def test_sizes_that_did_not_show_movements_are_not_trusted_again():
    witness = SizeWitness()
    for packet in sizes(stream(60, spread=0.03)):
        witness.feed(packet)
    assert witness.informative(60)
    witness.movement(61)
    witness.movement(65)
    assert not witness.informative(70)


def test_tune_draws_the_score_and_marks_what_moved(tmp_path):
    video = encode(tmp_path / "in.mp4", film(8 * FPS, walking([(3, 6)]), noise=1))
    settings = Motion(zones=[Zone(name="a < b", polygon=[(0, 0), (0.2, 0), (0.2, 0.2)], ignore=True, min_area=0.01)])
    samples = list(tune(str(video), settings))
    drawing = ElementTree.fromstring(plot(samples, settings))
    kinds = [element.get("class") for element in drawing]
    assert kinds.count("movement") == 1 and kinds.count("light") == 0
    annotate(str(video), samples, settings, tmp_path / "out.mp4")
    with av.open(str(tmp_path / "out.mp4")) as container:
        frames = [frame.to_ndarray(format="rgb24").astype(int) for frame in container.decode(video=0)]
    assert len(frames) == 8 * FPS
    red = [int((frame[:, :, 0] - frame[:, :, 2] > 60).sum()) for frame in frames]
    assert max(red[: 2 * FPS]) < 50 < red[5 * FPS]
