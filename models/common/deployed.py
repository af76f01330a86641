"""The committed models as the product opens them, for measuring what the product sees."""

from __future__ import annotations

import sys

from models.common.paths import MODELS

for _folder in ("layers/uriai", "local"):
    sys.path.append(str(MODELS.parent / _folder))

from uriai.adapters.vision.age import AgeModel  # noqa: E402
from uriai.adapters.vision.faces import FaceDetector  # noqa: E402
from uriai.adapters.vision.people import PersonDetector  # noqa: E402
from uriai.adapters.vision.registry import LocalModels, open_model  # noqa: E402


def faces() -> FaceDetector:
    """Role face."""
    return FaceDetector(open_model(LocalModels(MODELS), "face"))


def people() -> PersonDetector:
    """Role person."""
    return PersonDetector(open_model(LocalModels(MODELS), "person"))


def ages() -> AgeModel:
    """Role age."""
    return AgeModel(open_model(LocalModels(MODELS), "age"))
