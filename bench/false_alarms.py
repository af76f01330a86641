"""False incidents per camera-hour of the committed violence model, and the recall they are bought with.

    PYTHONPATH=local:layers/uriai .venv-train/bin/python -m bench.false_alarms --cache FOLDER --hours 20

Real footage and the rendered playroom are counted apart; the playroom's programmes have seeds that no training may use.
Every programme's tokens are kept in the cache, so an interrupted run goes on where it stopped, and another head on the
same backbone is counted anew in minutes. The result goes into the model's manifest and card.

``--engine openvino`` computes the tokens in bfloat16, 2.4 times as fast on processors that can; the difference that
this makes to the probabilities is measured on a sample and written down with the result. Needs the package openvino.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnx
from numpy.typing import NDArray
from onnx.utils import Extractor
from tqdm import tqdm

from models.common import card, runtime
from models.common.manifest import replace
from models.violence import alarms, data, features, rendered

HERE = Path(__file__).parents[1] / "models" / "violence"
PEDESTRIANS = Path("/usr/share/doc/opencv-doc/examples/data/vtest.avi")
"""Debian's opencv-doc carries 80 s of a real surveillance camera over a street with walking people."""
OUT_OF_FOLD = "out-of-fold.npz"
"""What training leaves in its cache: for every window of the real clips, what a reader that never saw it says."""
COMPARED_PROGRAMMES, COMPARED_S = 4, 60
Floats = NDArray[np.float64]
Head = Callable[[NDArray[np.float16]], Floats]


def parts(model: bytes) -> tuple[bytes, bytes]:
    """The committed graph in two: ``frames`` to ``tokens``, and a whole window's tokens to ``probability``."""
    graph = onnx.load_from_string(model)
    extractor = Extractor(graph)
    tokeniser = extractor.extract_model(["frames"], ["tokens"])
    joined = next(node.output[0] for node in graph.graph.node if node.op_type == "Concat" and "before" in node.input)
    whole = onnx.shape_inference.infer_shapes(graph)
    known = {value.name for value in whole.graph.value_info}
    if joined not in known:
        raise ValueError("the graph's joined tokens have no inferred shape: it was not exported by models.violence")
    head = Extractor(whole).extract_model([joined], ["probability"])
    return tokeniser.SerializeToString(), head.SerializeToString()


def head_of(model: bytes) -> Head:
    """Probabilities [W] of windows' tokens [W, 16, 2944]."""
    session = runtime.session(model)
    name = session.get_inputs()[0].name

    def run(tokens: NDArray[np.float16]) -> Floats:
        batches = [tokens[i : i + 32].astype(np.float32) for i in range(0, len(tokens), 32)]
        return np.concatenate([session.run(None, {name: b})[0] for b in batches]).astype(np.float64)

    return run


def tokens_by(engine: str, tokeniser: bytes) -> features.Run:
    """A function from frames [T, 224, 224, 3] to tokens [T-1, 2944], by half windows, on one thread."""
    if engine == "openvino":
        call = _openvino(tokeniser)
    else:
        session = runtime.session(tokeniser)

        def call(halves: NDArray[np.uint8]) -> NDArray[np.float32]:
            found: NDArray[np.float32] = session.run(None, {"frames": halves})[0]
            return found

    half = data.FRAMES // 2

    def run(frames: NDArray[np.uint8]) -> NDArray[np.float16]:
        steps = len(frames) - 1
        starts = range(0, steps, half)
        # the last half window is filled up with its last frame; what that adds is cut off
        padded = np.concatenate([frames, np.repeat(frames[-1:], half, 0)])
        found = [call(padded[None, i : i + half + 1])[0].astype(np.float16) for i in starts]
        return np.concatenate(found)[:steps]

    return run


def looking_by(engine: str, run: features.Run, wheel: Path | None = None) -> features.Run:
    """``run``, which is the frozen part by onnxruntime, or the same by another engine."""
    return run if engine == "onnxruntime" else tokens_by(engine, features.graph(wheel))


def _openvino(tokeniser: bytes) -> Callable[[NDArray[np.uint8]], NDArray[np.float32]]:
    import openvino

    core = openvino.Core()
    model = core.read_model(tokeniser)
    side = data.SIDE_PX
    model.reshape({"frames": [1, data.FRAMES // 2 + 1, side, side, 3]})
    settings = {"INFERENCE_PRECISION_HINT": "bf16", "INFERENCE_NUM_THREADS": 1, "ENABLE_CPU_PINNING": False}
    request = core.compile_model(model, "CPU", settings).create_infer_request()

    def call(halves: NDArray[np.uint8]) -> NDArray[np.float32]:
        found: NDArray[np.float32] = request.infer({0: np.ascontiguousarray(halves)})[0].copy()
        return found

    return call


def by_second(tokens: NDArray[np.float16], head: Head) -> Floats:
    """Probabilities of the windows that start every second."""
    half, whole = data.FRAMES // 2, data.FRAMES - 1
    starts = range(0, len(tokens) - whole + 1, half)
    return head(np.stack([tokens[i : i + whole] for i in starts]))


class Playroom:
    """Rendered programmes as the committed model sees them; ``cached_only`` leaves out what is not yet in the cache."""

    def __init__(self, model: bytes, cache: Path, engine: str) -> None:
        tokeniser, head = parts(model)
        self.head = head_of(head)
        self.run = tokens_by(engine, tokeniser)
        self.exact = tokens_by("onnxruntime", tokeniser)
        self.engine = engine
        # the tokeniser's own bytes: a new head on the same backbone finds everything in place
        key = hashlib.sha256(b"".join(sorted(t.raw_data for t in onnx.load_from_string(tokeniser).graph.initializer)))
        self.cache = cache / f"{engine}-{key.hexdigest()[:12]}"

    def probabilities(self, programme: rendered.Programme) -> Floats:
        """One for each second."""
        return by_second(features.programme(programme, self.cache, self.run), self.head)

    def is_cached(self, programme: rendered.Programme) -> bool:
        """Whether its tokens lie in the cache."""
        return features.programme_path(programme, self.cache).is_file()

    def disagreement(self, programmes: Sequence[rendered.Programme]) -> dict[str, Any] | None:
        """What the faster arithmetic changes, on a sample; None for the product's own."""
        if self.engine == "onnxruntime":
            return None
        gaps = []
        for programme in programmes:
            steps = COMPARED_S * rendered.RATE
            frames = np.stack([f for f, _ in zip(rendered.frames(programme), range(steps + 1), strict=False)])
            fast = features.programme(programme, self.cache, self.run)[: len(frames) - 1]
            gaps.append(np.abs(by_second(fast, self.head) - by_second(self.exact(frames), self.head)))
        every = np.concatenate(gaps)
        return {"windows": len(every), "mean": float(every.mean()), "largest": float(every.max())}


def measure(
    model: bytes, cache: Path, hours: float, assaults: int, engine: str = "onnxruntime", cached_only: bool = False
) -> dict[str, Any]:
    """All rows: real clips out of fold, the pedestrians, the playroom's calm hours, and the recall of its assaults."""
    playroom = Playroom(model, cache / "alarms", engine)
    rows = [*_real(cache / OUT_OF_FOLD), *_pedestrians(model)]
    violent = [p for p in alarms.assault_programmes(assaults) if not cached_only or playroom.is_cached(p)]
    found = [playroom.probabilities(p) for p in tqdm(violent, desc="rendered assaults", mininterval=5)]
    calm = [p for p in alarms.calm_programmes(hours) if not cached_only or playroom.is_cached(p)]
    tally = alarms.Tally()
    for programme in tqdm(calm, desc="rendered calm", unit="programme", mininterval=5):
        tally.add(playroom.probabilities(programme), programme.duration_s)
    rows.append(tally.row("rendered calm"))
    return {
        "rows": rows,
        "rendered_hours": tally.seconds / 3600,
        "rendered_reports": tally.reports,
        "rendered_reviews": tally.reviews,
        "recall": alarms.recall(violent, found),
        "engine": engine,
        "disagreement": playroom.disagreement(calm[:COMPARED_PROGRAMMES])
        or {"windows": 0, "mean": 0.0, "largest": 0.0},
    }


def _real(path: Path) -> list[dict[str, object]]:
    if not path.is_file():
        return []
    stored = np.load(path)
    tally = alarms.Tally()
    for clip in np.flatnonzero(stored["fight"] == 0):
        chosen = stored["of"] == clip
        # each clip is a camera of its own; its windows overlap, so its length is what was watched
        tally.add(stored["probability"][chosen], float(stored["duration_s"][clip]))
    return [tally.row("real: calm clips, out of fold")]


def _pedestrians(model: bytes) -> list[dict[str, object]]:
    if not PEDESTRIANS.is_file():
        return []
    from models.violence.export import probability

    frames = data.decode(PEDESTRIANS)
    running = runtime.session(model)
    found = np.array([float(probability(running, window)[0]) for window in data.windows(frames)])
    tally = alarms.Tally()
    tally.add(found, frames.duration_s)
    return [tally.row("real: pedestrians (opencv-doc)")]


def write(found: dict[str, Any]) -> None:
    """Put the result into the manifest and fill the card anew."""
    manifest = json.loads((HERE / "manifest.json").read_text(encoding="utf-8"))
    manifest["metrics"]["false_alarms"] = found
    replace(HERE / "manifest.json", (json.dumps(manifest, indent=2, ensure_ascii=False) + "\n").encode())
    card.write(HERE)


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cache", type=Path, required=True, help="the folder that training uses")
    parser.add_argument("--hours", type=float, default=20.0)
    parser.add_argument("--assaults", type=int, default=60)
    parser.add_argument("--engine", choices=("onnxruntime", "openvino"), default="onnxruntime")
    parser.add_argument(
        "--cached-only", action="store_true", help="count what earlier runs have rendered; render nothing"
    )
    parser.add_argument("--dry-run", action="store_true", help="print, but leave manifest and card alone")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    model = (HERE / "model.onnx").read_bytes()
    found = measure(model, options.cache, options.hours, options.assaults, options.engine, options.cached_only)
    print(card.table(found["rows"]))
    print(json.dumps({name: value for name, value in found.items() if name != "rows"}, indent=2))
    if not options.dry_run:
        write(found)


if __name__ == "__main__":
    main()
