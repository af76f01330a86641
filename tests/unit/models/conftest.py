"""The committed models and, where it is at hand, the data they were measured on."""

import json
from pathlib import Path
from typing import Any

import onnxruntime
import pytest

from models.common import runtime
from models.common.paths import MODELS, data_root

ROLES = ("violence", "face", "emotion", "person", "age")


def folder_of(role: str) -> Path:
    return MODELS / json.loads((MODELS / "set.json").read_text(encoding="utf-8"))[role]


def manifest_of(role: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder_of(role) / "manifest.json").read_text(encoding="utf-8"))
    return found


@pytest.fixture(scope="session")
def sessions() -> dict[str, onnxruntime.InferenceSession]:
    return {role: runtime.session((folder_of(role) / "model.onnx").read_bytes()) for role in ROLES}


@pytest.fixture(scope="session")
def data() -> Path:
    root = data_root()
    if not (root / "violence" / "labels.csv").is_file():
        pytest.skip(f"no data under {root}: point URIAI_DATA at the folder that holds violence/ and fer2013/")
    return root
