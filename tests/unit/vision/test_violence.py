from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.unit.vision.pictures import room, shaking, write_clip
from tests.unit.vision.tiny_onnx import (
    FLOAT,
    UINT8,
    Value,
    half_motion_model,
    motion_model,
    write_model,
    write_violence,
)
from uriai.adapters.vision.registry import LocalModels, Model, open_model
from uriai.adapters.vision.sampling import WindowSampler
from uriai.adapters.vision.scaling import Image
from uriai.adapters.vision.video import Clip
from uriai.adapters.vision.violence import ViolenceDetector
from uriai.domain.analysis import Window


class CountingSession:
    """A session that counts the images it is shown."""

    def __init__(self, session: Any) -> None:
        self._session = session
        self.images = 0

    def run(self, outputs: Any, feeds: dict[str, Any]) -> Any:
        self.images += feeds["frames"].shape[1]
        return self._session.run(outputs, feeds)


def counted(folder: Path) -> tuple[Model, CountingSession]:
    model = open_model(LocalModels(folder), "violence")
    session = CountingSession(model.session)
    return replace(model, session=session), session


def judged(detector: ViolenceDetector, path: Path) -> list[Window]:
    with Clip(path) as clip:
        sampler, windows = WindowSampler(detector.instants, clip.declared_s), []
        for frame in clip.frames():
            due = sampler.wants(frame)
            if due is not None:
                windows += detector.judge(sampler.add(frame, due, detector.prepare(frame.image())))
        return windows + detector.judge(sampler.finish(clip.duration_s))


@pytest.fixture
def whole(tmp_path: Path) -> Path:
    write_violence(tmp_path / "whole" / "violence", motion_model())
    return tmp_path / "whole"


@pytest.fixture
def half(tmp_path: Path) -> Path:
    inputs = [Value("frames", UINT8, ("n", 9, 64, 64, 3)), Value("before", FLOAT, ("n", 8, 1))]
    outputs = [Value("probability", FLOAT, ("n",)), Value("tokens", FLOAT, ("n", 8, 1))]
    write_model(tmp_path / "half" / "violence", "violence", half_motion_model(), inputs, outputs)
    return tmp_path / "half"


@pytest.mark.parametrize("seconds", [0.5, 2, 3.3, 10, 10.4])
def test_a_model_of_half_windows_says_the_same_of_every_window(
    whole: Path, half: Path, tmp_path: Path, seconds: float
) -> None:
    def now_and_then(t_s: float) -> Image:
        return shaking(t_s) if int(t_s) % 3 == 1 else room()

    path = write_clip(tmp_path / "clip.mp4", now_and_then, seconds=seconds)
    one = judged(ViolenceDetector(counted(whole)[0]), path)
    other = judged(ViolenceDetector(counted(half)[0]), path)
    assert [(w.start_s, w.end_s) for w in one] == [(w.start_s, w.end_s) for w in other]
    assert [w.probability for w in one] == pytest.approx([w.probability for w in other], abs=1e-5)


def test_a_model_of_half_windows_sees_what_windows_share_once(whole: Path, half: Path, tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.mp4", seconds=10)
    (whole_model, seen_whole), (half_model, seen_half) = counted(whole), counted(half)
    assert len(judged(ViolenceDetector(whole_model), path)) == 9
    assert len(judged(ViolenceDetector(half_model), path)) == 9
    assert seen_whole.images == 9 * 17
    assert seen_half.images == 10 * 9


def test_pixels_reach_the_model_as_rgb_of_its_size(whole: Path) -> None:
    detector = ViolenceDetector(counted(whole)[0])
    blue = np.zeros((90, 160, 3), np.uint8)
    blue[..., 0] = 255
    prepared = detector.prepare(blue)
    assert prepared.shape == (64, 64, 3)
    assert prepared[0, 0].tolist() == [0, 0, 255]
