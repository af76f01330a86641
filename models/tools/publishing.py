"""A model of one's own in its folder: graph, manifest, card, notice, what it said out of fold; all of it or nothing."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray

from models.common import card, manifest, runtime
from models.common.manifest import CLIP_HASHES, Manifest, Tensor, clip_hash
from models.tools import judging, watching
from models.tools.clips import Labelled
from models.tools.tally import ToolError
from models.tools.watching import Opened, Watched
from uriai.adapters.vision.contracts import of_graph

Floats = NDArray[np.float64]
TOLERANCE = 1e-4
"""Largest difference of a probability between the graph and the computation it was made from."""
_FILES = ("model.onnx", "card.in.md", "card.md", "NOTICE", judging.OUT_OF_FOLD, "manifest.json")


def check_target(out: Path, sources: Sequence[Opened]) -> None:
    """Raises ``ToolError`` when ``out`` holds a model that no command of these has made."""
    if any(out.resolve() == opened.folder.resolve() for opened in sources):
        raise ToolError(f"{out} holds the model to start from: name another folder")
    if (out / "manifest.json").exists() and not (out / judging.OUT_OF_FOLD).exists():
        raise ToolError(f"{out} holds another model: name another folder")


def described(
    name: str,
    version: str,
    graph: bytes,
    sources: Sequence[Opened],
    watched: Watched,
    metrics: dict[str, Any],
    summary: str,
) -> Manifest:
    """The manifest: inputs and outputs as the graph has them, the rest as it was in the first source."""
    first = sources[0].manifest
    meanings = {t["name"]: t.get("meaning", "") for t in (*first.get("inputs", []), *first.get("outputs", []))}

    def tensors(found: Sequence[Any]) -> list[Tensor]:
        return [Tensor(t.name, t.dtype, list(t.shape), meanings.get(t.name, "")) for t in found]

    running = runtime.session(graph)
    licences = sorted({str(opened.manifest.get("licence", {}).get("spdx", "unknown")) for opened in sources})
    return Manifest(
        name=name,
        version=version,
        role=watching.ROLE,
        inputs=tensors(of_graph(running.get_inputs())),
        outputs=tensors(of_graph(running.get_outputs())),
        preprocessing=first.get("preprocessing", {}),
        classes=["violence"],
        licence={
            "spdx": " AND ".join(licences),
            "notice": "NOTICE",
            "source": "made from " + ", ".join(str(opened.reference) for opened in sources),
        },
        training_data={
            "summary": summary,
            "made_from": [
                {"name": o.reference.name, "version": o.reference.version, "sha256": o.reference.sha256}
                for o in sources
            ],
            CLIP_HASHES: _hashes(watched.clips, sources),
        },
        metrics=metrics,
        thresholds=first.get("thresholds", {}) | {"prior": 0.5},
        tools={"numpy": np.__version__, "onnx": onnx.__version__, "onnxruntime": onnxruntime.__version__},
    )


def _hashes(clips: Sequence[Labelled], sources: Sequence[Opened]) -> list[str]:
    """Of the clips this model and those it was made from have learned from."""
    found = {clip_hash(clip.sha256) for clip in clips}
    return sorted(found.union(*(judging.known_to(opened.manifest) for opened in sources)))


def publish(
    out: Path,
    graph: bytes,
    about: Manifest,
    template: str,
    sources: Sequence[Opened],
    table: bytes,
    probe: tuple[Watched, Floats],
) -> float:
    """Write the model when the analyser takes it and it gives the log odds [W] of ``probe`` for its windows.

    ``table`` is what is said out of fold. Returns the largest difference of a probability. Raises ``ToolError``;
    nothing has been written then.
    """
    about.training_data[judging.OUT_OF_FOLD_HASH] = hashlib.sha256(table).hexdigest()
    with tempfile.TemporaryDirectory() as folder:
        trial = Path(folder)
        manifest.publish(trial, about, graph)
        difference = largest_difference(watching.open_folder(trial), *probe)
        if difference > TOLERANCE:
            raise ToolError(f"the graph differs from what was fitted by {difference:.1e}: nothing was written")
        about.metrics["largest_difference"] = difference
        manifest.publish(trial, about, graph)
        (trial / "card.in.md").write_text(template, encoding="utf-8")
        card.write(trial)
        (trial / "NOTICE").write_text(_notice(sources), encoding="utf-8")
        (trial / judging.OUT_OF_FOLD).write_bytes(table)
        out.mkdir(parents=True, exist_ok=True)
        for name in _FILES:
            manifest.replace(out / name, (trial / name).read_bytes())
    return difference


def largest_difference(opened: Opened, watched: Watched, expected: Floats) -> float:
    """Between the probability of the analyser with the new graph, and ``expected``, over a fight and a calm clip."""
    worst = 0.0
    for value in (0, 1):
        index = next(k for k, clip in enumerate(watched.clips) if clip.fight == value)
        chosen = watched.of == index
        wanted = dict(zip(np.round(watched.start_s[chosen], 3), expected[chosen], strict=True))
        for window, _ in watching.windows_of(watched.clips[index].path, opened):
            # thinned windows were not kept
            if (odds := wanted.get(np.round(window.start_s, 3))) is not None:
                worst = max(worst, abs(window.probability - float(1 / (1 + np.exp(-odds)))))
    return worst


def _notice(sources: Sequence[Opened]) -> str:
    parts = []
    for opened in sources:
        path = opened.folder / "NOTICE"
        text = path.read_text(encoding="utf-8") if path.is_file() else "It came without a notice."
        parts.append(f"This model was made from {opened.reference}:\n\n{text.strip()}\n")
    return "\n".join(dict.fromkeys(parts))
