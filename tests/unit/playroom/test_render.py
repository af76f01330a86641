"""The rendered playroom: what it shows, that it repeats itself exactly, and that it says what it is."""

import hashlib
import itertools
import subprocess
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import cv2
import numpy as np
import pytest

import playroom
from playroom import (
    DEMO_PROGRAMME,
    DEMO_SEED,
    FIRST_DEMO_SEED,
    LABEL,
    SCENES,
    Act,
    SeedReservedError,
    UnknownSceneError,
    frame_count,
    render_clip,
    render_programme,
    require_training_seed,
    total_s,
    truth,
)
from playroom.stamp import label_height, text_mask
from playroom.world import World

SEED = FIRST_DEMO_SEED + 500
SMALL = (320, 180)
STARTED_AT = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


def digest(frames: Iterable[np.ndarray]) -> str:
    sha = hashlib.sha256()
    for frame in frames:
        sha.update(frame.tobytes())
    return sha.hexdigest()


def movement(frames: Iterable[np.ndarray]) -> float:
    """Mean absolute difference of smoothed neighbouring frames, grain aside."""
    grays = [cv2.GaussianBlur(cv2.cvtColor(f, cv2.COLOR_BGR2GRAY), (0, 0), 2).astype(float) for f in frames]
    return float(np.mean([np.abs(b - a).mean() for a, b in itertools.pairwise(grays)]))


@pytest.mark.parametrize("scene", SCENES)
def test_every_scene_renders_as_many_frames_as_its_length_asks_for(scene: str) -> None:
    frames = list(render_clip(SEED, scene, 0.8, 15, SMALL, STARTED_AT))
    assert len(frames) == 12
    assert {(f.shape, f.dtype.name) for f in frames} == {((180, 320, 3), "uint8")}


@pytest.mark.parametrize(("size", "fps"), [((128, 96), 5), ((640, 360), 15), ((640, 480), 25), ((1280, 720), 30)])
def test_size_and_frame_rate_are_free(size: tuple[int, int], fps: int) -> None:
    frames = list(render_clip(SEED, "assault", 0.4, fps, size))
    assert len(frames) == round(0.4 * fps)
    assert frames[0].shape == (size[1], size[0], 3)


@pytest.mark.parametrize("scene", ["play", "assault", "lights"])
def test_the_same_arguments_give_the_same_bytes(scene: str) -> None:
    first, second = (digest(render_clip(SEED, scene, 1.5, 10, SMALL, STARTED_AT)) for _ in range(2))
    assert first == second


def test_another_process_gives_the_same_bytes() -> None:
    code = (
        "import hashlib; from playroom import render_clip; sha = hashlib.sha256()\n"
        f"for f in render_clip({SEED}, 'playfight', 1.0, 10, {SMALL}): sha.update(f.tobytes())\n"
        "print(sha.hexdigest())"
    )
    other = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        env={"PYTHONPATH": str(Path(playroom.__file__).parents[1]), "PYTHONHASHSEED": "7"},
    )
    assert other.stdout.strip() == digest(render_clip(SEED, "playfight", 1.0, 10, SMALL))


def test_another_seed_gives_another_film() -> None:
    one, two = (next(render_clip(seed, "sit", 0.2, 10, SMALL)).astype(int) for seed in (SEED, SEED + 1))
    assert np.abs(one - two).mean() > 10


def test_what_happens_does_not_depend_on_the_frame_rate() -> None:
    slow = list(render_clip(SEED + 2, "run", 1.0, 10, SMALL, STARTED_AT))
    fast = list(render_clip(SEED + 2, "run", 1.0, 30, SMALL, STARTED_AT))
    same = movement([slow[9], fast[27]])
    later = movement([slow[9], fast[15]])
    assert same < later / 2


@pytest.mark.parametrize("size", [SMALL, (640, 360), (1280, 720)])
@pytest.mark.parametrize("scene", ["empty", "lights", "assault"])
def test_every_frame_says_that_nobody_is_real(size: tuple[int, int], scene: str) -> None:
    mask = text_mask(LABEL, size, label_height(size))
    height, width = mask.shape
    margin = max(3, size[1] // 60)
    for frame in render_clip(SEED, scene, 0.5, 6, size):
        strip = frame[size[1] - margin - height : size[1] - margin].min(axis=2)
        places = (strip[:, margin : margin + width], strip[:, size[0] - margin - width : size[0] - margin])
        assert any((place[mask > 200] > 200).all() and (place[mask == 1] < 60).all() for place in places)


def test_the_time_stamp_moves_with_the_clock_and_nothing_else_does_in_an_empty_room() -> None:
    frames = [f.astype(int) for f in render_clip(SEED, "empty", 1.2, 10, (640, 360), STARTED_AT)]
    top = [f[:30] for f in frames]
    assert np.abs(top[11] - top[0]).max() > 150
    assert movement([np.asarray(f[40:330], np.uint8) for f in frames]) < 1.0


def test_the_burned_in_time_is_the_time_given() -> None:
    one = next(render_clip(SEED, "empty", 0.2, 10, (640, 360), STARTED_AT))
    other = next(render_clip(SEED, "empty", 0.2, 10, (640, 360), STARTED_AT.replace(hour=17)))
    changed = np.argwhere((one != other).any(axis=2))
    assert len(changed)
    assert changed[:, 0].max() < 30


def moving_pixels(scene: str) -> float:
    """Share of the pixels that differ by more than 20 between smoothed neighbouring frames."""
    frames = [cv2.blur(f, (5, 5)).astype(int) for f in render_clip(SEED, scene, 1.0, 10, SMALL)]
    return float(np.mean([(np.abs(b - a).max(axis=2) > 20).mean() for a, b in itertools.pairwise(frames)]))


def test_people_move_and_an_empty_room_does_not() -> None:
    assert moving_pixels("empty") < 0.001
    for scene in ("run", "playfight", "dance", "assault"):
        assert moving_pixels(scene) > 0.005


def test_the_lights_go_off_and_on() -> None:
    brightness = [float(f.mean()) for f in render_clip(SEED + 1, "lights", 8.0, 10, SMALL)]
    assert min(brightness) < 0.45 * max(brightness)
    colours = [float(np.ptp(f[40:140].astype(int), axis=2).mean()) for f in render_clip(SEED, "lights", 8.0, 5, SMALL)]
    assert min(colours) < 0.5 * max(colours)  # infrared has no colours


def test_only_an_assault_has_a_span() -> None:
    for scene in SCENES:
        spans = truth(SEED, [Act(scene, 3.0)])
        assert bool(spans) == (scene == "assault")


@pytest.mark.parametrize("seed", [DEMO_SEED, *range(SEED, SEED + 5)])
def test_the_span_of_a_programme_lies_in_its_assault(seed: int) -> None:
    acts = [Act("sit", 2.0), Act("playfight", 2.5), Act("assault", 6.0), Act("walk", 2.0)]
    spans = truth(seed, acts)
    assert len(spans) == 1
    assert spans[0].kind == "physical"
    assert 4.5 <= spans[0].start_s < spans[0].end_s <= 10.5 + 1e-6
    assert spans[0].end_s - spans[0].start_s > 3


def test_the_demonstration_programme_is_a_minute_with_one_assault() -> None:
    assert 60 <= total_s(DEMO_PROGRAMME) <= 70
    assert [act.scene for act in DEMO_PROGRAMME].count("assault") == 1
    (span,) = truth(DEMO_SEED, DEMO_PROGRAMME)
    before = sum(a.duration_s for a in DEMO_PROGRAMME[: [a.scene for a in DEMO_PROGRAMME].index("assault")])
    assert before <= span.start_s < before + 3
    assert 6 <= span.end_s - span.start_s <= 10


def test_an_assault_throws_a_child_about_and_a_play_fight_does_not() -> None:
    """The fastest jolt of anybody's trunk, in radians a second, over several seeds."""

    def worst(scene: str, seed: int) -> float:
        world = World(seed, [Act(scene, 5.0)])
        worst = 0.0
        while world.time_s < 5.0:
            world.advance()
            worst = max(worst, *(abs(a.jolt[2]) + abs(a.jolt[3]) for a in world.actors))
        return worst

    seeds = range(SEED, SEED + 6)
    assert min(worst("assault", seed) for seed in seeds) > 1.5 * max(worst("playfight", seed) for seed in seeds)


def test_people_stay_the_same_from_act_to_act() -> None:
    acts = [Act("sit", 1.0), Act("run", 1.0)]
    world = World(SEED, acts)
    before = [(actor, actor.x, actor.y) for actor in world.actors]
    while world.time_s < 1.0 + 1 / 30:
        world.advance()
    assert world.act_index == 1
    assert [actor for actor, _, _ in before] == world.actors
    assert all(abs(actor.x - x) + abs(actor.y - y) < 2.5 for actor, x, y in before)


def test_a_programme_has_the_frames_of_all_its_acts() -> None:
    acts = [Act("empty", 0.5), Act("walk", 0.5), Act("empty", 0.5)]
    assert len(list(render_programme(SEED, acts, 10, SMALL))) == frame_count(acts, 10) == 15


def test_training_refuses_the_seeds_of_the_demonstration() -> None:
    assert require_training_seed(0) == 0
    assert require_training_seed(FIRST_DEMO_SEED - 1) == FIRST_DEMO_SEED - 1
    for seed in (FIRST_DEMO_SEED, DEMO_SEED, -1):
        with pytest.raises(SeedReservedError):
            require_training_seed(seed)
    assert DEMO_SEED >= FIRST_DEMO_SEED


def test_what_cannot_be_filmed_is_refused_before_the_first_frame() -> None:
    with pytest.raises(UnknownSceneError, match="choose one of empty"):
        render_clip(SEED, "picnic", 1.0)
    for bad in (0.0, -1.0, float("nan"), float("inf")):
        with pytest.raises(ValueError, match="duration"):
            render_clip(SEED, "sit", bad)
    with pytest.raises(ValueError, match="fps"):
        render_clip(SEED, "sit", 1.0, fps=0)
    with pytest.raises(ValueError, match="even"):
        render_clip(SEED, "sit", 1.0, size=(641, 360))
    with pytest.raises(ValueError, match="at least one act"):
        render_programme(SEED, [])
    with pytest.raises(ValueError, match="0 or more"):
        render_clip(-1, "sit", 1.0)
