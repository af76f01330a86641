from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.unit.vision.pictures import rotated, shaking, with_face, write_clip
from uriai.adapters.vision.scaling import shrink
from uriai.adapters.vision.video import Clip


def times_of(path: Path) -> tuple[list[float], float]:
    with Clip(path) as clip:
        times = [frame.t_s for frame in clip.frames()]
        return times, clip.duration_s


@pytest.mark.parametrize("fps", [5, 12.5, 25, 29.97, 60])
def test_frames_come_at_the_times_of_any_frame_rate(tmp_path: Path, fps: float) -> None:
    times, duration_s = times_of(write_clip(tmp_path / "clip.mp4", seconds=2.4, fps=fps))
    assert len(times) == round(2.4 * fps)
    assert times == pytest.approx([number / fps for number in range(len(times))], abs=2e-3)
    assert duration_s == pytest.approx(len(times) / fps, abs=0.01)


def test_a_variable_frame_rate_keeps_every_frame_at_its_own_time(tmp_path: Path) -> None:
    given = [0.0, 0.04, 0.2, 0.22, 0.9, 1.0, 1.04, 1.5, 2.0]
    times, _ = times_of(write_clip(tmp_path / "clip.mp4", times_s=given))
    assert times == pytest.approx(given, abs=2e-3)


def test_a_clip_whose_pictures_begin_late_begins_at_zero_and_is_not_truncated(tmp_path: Path) -> None:
    given = [5 + number / 25 for number in range(50)]
    times, duration_s = times_of(write_clip(tmp_path / "clip.mp4", times_s=given))
    assert times[0] == 0.0
    assert duration_s == pytest.approx(2.0, abs=0.01)


def test_a_matroska_file_is_a_clip_too(tmp_path: Path) -> None:
    times, duration_s = times_of(write_clip(tmp_path / "clip.mkv", seconds=2))
    assert len(times) == 50
    assert duration_s == pytest.approx(2.0, abs=0.01)


def test_a_clip_stated_to_be_turned_comes_upright(tmp_path: Path) -> None:
    def lamp_top_left(seconds: float) -> np.ndarray:
        del seconds
        picture = np.full((240, 320, 3), 20, np.uint8)
        picture[:120, :160] = 220
        return picture

    path = rotated(write_clip(tmp_path / "clip.mp4", lamp_top_left, seconds=0.4), tmp_path / "turned.mp4")
    with Clip(path) as clip:
        image = next(iter(clip.frames())).image()
    assert image.shape == (320, 240, 3)
    assert image[10, -10].mean() > 180
    assert image[10, 10].mean() < 60


def test_odd_sizes_are_decoded(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.mkv", lambda t: shaking(t, 322, 242)[:, :, :], seconds=0.4)
    with Clip(path) as clip:
        assert next(iter(clip.frames())).image().shape == (242, 322, 3)


@pytest.mark.parametrize(("width", "height"), [(1280, 720), (640, 360), (450, 360), (1920, 1080), (100, 80)])
def test_the_fast_resize_agrees_with_opencvs_area_resize(width: int, height: int) -> None:
    noise = np.random.default_rng(7).normal(0, 8, (height, width, 3))
    picture = np.clip(with_face(shaking(0, width, height), width // 2, height // 2, height // 4) + noise, 0, 255)
    picture = picture.astype(np.uint8)
    direct = cv2.resize(picture, (224, 224), interpolation=cv2.INTER_AREA)
    assert np.abs(shrink(picture, 224, 224).astype(int) - direct.astype(int)).mean() < 1.0
