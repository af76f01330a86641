from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.unit.vision.tiny_onnx import motion_model, write_violence
from uriai.adapters.vision.analyser import OnnxClipAnalyser

REPOSITORY = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The repository's face and emotion models, and a violence model that measures movement: what it says is known."""
    folder = tmp_path_factory.mktemp("models")
    for role in ("face", "emotion", "person", "age"):
        (folder / role).mkdir()
        for name in ("model.onnx", "manifest.json"):
            shutil.copy(REPOSITORY / "models" / role / name, folder / role / name)
    write_violence(folder / "violence", motion_model())
    return folder


@pytest.fixture(scope="session")
def analyser(models: Path) -> OnnxClipAnalyser:
    return OnnxClipAnalyser.from_folder(models)
