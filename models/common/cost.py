"""Measure the committed models' time anew and write it down: ``python -m models.common.cost``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.common import card, comparison, flops, runtime
from models.common.manifest import replace
from models.common.paths import MODELS


def main() -> None:
    """Measure every model of the set; nothing but the times in manifests, cards and the comparison changes."""
    for role, name in json.loads((MODELS / "set.json").read_text(encoding="utf-8")).items():
        folder = MODELS / name
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        manifest["metrics"] |= measured(role, folder, manifest["metrics"])
        replace(folder / "manifest.json", (json.dumps(manifest, indent=2, ensure_ascii=False) + "\n").encode())
        card.write(folder)
    comparison.main()


def measured(role: str, folder: Path, metrics: dict[str, Any]) -> dict[str, Any]:
    """The times of a role's model, under the names its card uses."""
    model = (folder / "model.onnx").read_bytes()
    if role == "violence":
        # every window but a clip's first costs one call: its first half was the one before's second
        frames = np.random.default_rng(0).integers(0, 256, (1, 9, 224, 224, 3), dtype=np.uint8)
        tokens = next(shape for name, shape in _inputs(model) if name == "before")
        half: dict[str, NDArray[Any]] = {"frames": frames, "before": np.zeros((1, *tokens[1:]), np.float32)}
        of_half = flops.gflops(model, half)
        return {
            "gflops_per_frame_of_a_window": 2 * of_half / 17,
            "gflops_per_frame_endless": of_half / 8,
            "milliseconds_per_window_one_thread": round(runtime.milliseconds(model, half), 1),
        }
    if role == "emotion":
        faces = np.random.default_rng(0).integers(0, 256, (1, 1, 48, 48)).astype(np.float32)
        return {"milliseconds_per_face_one_thread": round(runtime.milliseconds(model, {"faces": faces}, 99), 2)}
    if role == "age":
        faces = np.zeros((1, 3, 64, 64), np.float32)
        return {"milliseconds_per_face_one_thread": round(runtime.milliseconds(model, {"faces": faces}), 1)}
    times = dict(metrics["milliseconds_one_thread"])
    for size in (name for name in times if name.count("x") == 1 and "_" not in name):
        width, height = map(int, size.split("x"))
        image = np.full((1, 3, height, width), 128, np.float32)
        times[size] = round(runtime.milliseconds(model, {"image": image}), 1)
    return {"milliseconds_one_thread": times}


def _inputs(model: bytes) -> list[tuple[str, list[int]]]:
    return [(value.name, value.shape) for value in runtime.session(model).get_inputs()]


if __name__ == "__main__":
    main()
