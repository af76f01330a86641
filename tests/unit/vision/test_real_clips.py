"""On real CCTV, where it is at hand: the models see what is there, and leave no face in a masked picture."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.unit.vision.conftest import REPOSITORY
from uriai.adapters.vision.analyser import OnnxClipAnalyser
from uriai.adapters.vision.faces import FaceDetector
from uriai.adapters.vision.registry import LocalModels, open_model

DATA = Path(os.environ.get("URIAI_DATA", REPOSITORY.parent / "shared" / "data")) / "violence"


@pytest.fixture(scope="module")
def clips() -> dict[Path, str]:
    if not (DATA / "labels.csv").is_file():
        pytest.skip(f"no real clips: {DATA / 'labels.csv'} is not there (set URIAI_DATA)")
    with (DATA / "labels.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    return {DATA / "clips" / row["file"]: row["label"] for row in rows[::20]}


@pytest.fixture(scope="module")
def real_analyser() -> OnnxClipAnalyser:
    return OnnxClipAnalyser.from_folder(REPOSITORY / "models")


def test_fights_get_higher_probabilities_than_other_clips(
    real_analyser: OnnxClipAnalyser, clips: dict[Path, str]
) -> None:
    """These clips were trained on: this shows that frames reach the model as in training, not how good it is."""
    found: dict[str, list[float]] = {"fight": [], "no_fight": []}
    for path, label in clips.items():
        found[label].append(real_analyser.observe(path).violence_probability)
    above = [fight > other for fight in found["fight"] for other in found["no_fight"]]
    assert np.mean(above) >= 0.9


def test_no_face_found_on_a_key_frame_is_found_on_its_masked_copy(
    real_analyser: OnnxClipAnalyser, clips: dict[Path, str]
) -> None:
    detector = FaceDetector(open_model(LocalModels(REPOSITORY / "models"), "face"), long_side_px=1280)
    plain_faces = leaked = 0
    for path in list(clips)[:6]:
        frames = real_analyser.key_frames(path, 1.0, real_analyser.observe(path), lambda _: ["의심"])
        plain_faces += len(detector.find(_picture(frames.plain_jpeg)))
        leaked += len(detector.find(_picture(frames.masked_jpeg)))
        leaked += len(detector.find(_picture(frames.annotated_masked_jpeg)))
    assert plain_faces > 0
    assert leaked == 0


def _picture(jpeg: bytes) -> np.ndarray:
    picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    return picture
