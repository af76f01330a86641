"""``models/README.md``: every model on one page. ``python -m models.common.comparison`` writes it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.common import flops
from models.common.card import table
from models.common.paths import MODELS

_INTRODUCTION = """# Models

Written by `python -m models.common.comparison` from the manifests; the cards beside the models say how each figure was
measured and where it stops holding. `set.json` names the model of each role. Operations are counted from the files,
a multiply-add as two; times are processor time on the machine that measured them, so compare them with one another.

"""
_TRAINING = """
## Make them again

Everything here can be made from public packages and the data sets named in the cards, on two cores without a GPU:

    python -m venv .venv-train
    .venv-train/bin/pip install -r models/requirements.txt
    export PYTHONPATH=local:layers/uriai URIAI_DATA=…        # the folder that holds violence/ and fer2013/

| model | commands |
|---|---|
| violence | `.venv-train/bin/python -m models.violence.train --cache …` (holds footage: outside the repository) |
| face | `.venv-train/bin/python -m models.face.build` |
| emotion | `.venv-train/bin/python -m models.emotion.train`, then `… -m models.emotion.export` |
| person | `python -m models.person.build` in an environment with `models/person/requirements.txt` |
| age | `.venv-train/bin/python -m models.age.build` |

Each command is seeded, takes up where it was interrupted, and writes `model.onnx`, `manifest.json` and `card.md`
itself. Numbers in cards and on this page are filled in from the manifests; a test compares them.
"""


def page(models: Path) -> str:
    """The whole page."""
    chosen = json.loads((models / "set.json").read_text(encoding="utf-8"))
    rows = []
    for role, folder in chosen.items():
        manifest = json.loads((models / folder / "manifest.json").read_text(encoding="utf-8"))
        rows.append(
            {
                "role": role,
                "model": f"[{manifest['name']} {manifest['version']}]({folder}/card.md)",
                "bytes": f"{manifest['bytes']:,}",
                "GFLOPs": _operations(role, manifest, (models / folder / "model.onnx").read_bytes()),
                "measured": _measured(role, manifest["metrics"]),
                "calibration": _calibration(role, manifest),
                "ms, one thread": _cost(role, manifest["metrics"]),
                "licence": manifest["licence"]["spdx"],
                "SHA-256": f"`{manifest['sha256'][:12]}…`",
            }
        )
    return _INTRODUCTION + table(rows) + "\n" + _TRAINING


def _measured(role: str, metrics: dict[str, Any]) -> str:
    if role == "violence":
        found = metrics["real_footage"]
        return f"accuracy {100 * found['accuracy']:.1f} %, AUC {found['auc']:.3f} (group-disjoint folds, real footage)"
    if role == "emotion":
        return f"accuracy {100 * metrics['public_test_accuracy']:.1f} % (FER2013 public_test)"
    if role == "person":
        found = metrics["rendered"]
        return f"recall {100 * found['recall']:.0f} %, precision {100 * found['precision']:.0f} % (rendered playroom)"
    if role == "age":
        return "accuracy not known: never tried on children"
    return f"within {metrics['largest_difference_from_original']:.0e} of the original"


def _calibration(role: str, manifest: dict[str, Any]) -> str:
    """Expected calibration error, and the prior it holds for where there is one."""
    metrics = manifest["metrics"]
    if role == "violence":
        return f"ECE {metrics['real_footage']['ece']:.3f} at prior {manifest['thresholds']['prior']}"
    if role == "emotion":
        return f"ECE {metrics['public_test_ece']:.3f}"
    return "none: a score"


_CALLS = {"violence": "further second", "emotion": "face", "age": "face"}
_SIDES = {"height": 352, "width": 640}


def _operations(role: str, manifest: dict[str, Any], model: bytes) -> str:
    """Of one call on what the time beside it was measured on."""
    found = flops.gflops(model, {tensor["name"]: _blank(tensor) for tensor in manifest["inputs"]})
    return f"{found:.3f} per {_CALLS.get(role, '640x352 frame')}"


def _blank(tensor: dict[str, Any]) -> NDArray[Any]:
    shape = [size if isinstance(size, int) else _SIDES.get(size, 1) for size in tensor["shape"]]
    return np.zeros(shape, tensor["dtype"])


def _cost(role: str, metrics: dict[str, Any]) -> str:
    if role == "violence":
        return f"{metrics['milliseconds_per_window_one_thread']:.0f} per {_CALLS[role]}"
    if role in ("emotion", "age"):
        return f"{metrics['milliseconds_per_face_one_thread']:.1f} per {_CALLS[role]}"
    return f"{metrics['milliseconds_one_thread']['640x352']:.0f} per 640x352 frame"


def main() -> None:
    """Write the page."""
    (MODELS / "README.md").write_text(page(MODELS), encoding="utf-8")


if __name__ == "__main__":
    main()
