"""Tokens of every window, computed once by the frozen backbone and cached: training the heads then takes seconds."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from numpy.typing import NDArray
from tqdm import tqdm

from models.common import runtime
from models.violence import data, rendered, views
from models.violence.backbone import pretrained
from models.violence.network import TOKEN, Tokeniser

Tokens = NDArray[np.float16]


@dataclass(frozen=True)
class Windows:
    """Tokens float16 [W, 16, 2944] of windows; for each, the index ``of`` its clip or programme and its ``label``."""

    tokens: Tokens
    of: NDArray[np.int64]
    label: NDArray[np.int64]


def tokeniser(wheel: Path | None = None) -> onnxruntime.InferenceSession:
    """The frozen part as an onnxruntime session: frames uint8 [N, T, 224, 224, 3] -> tokens [N, T-1, 2944]."""
    backbone, _ = pretrained(wheel)
    buffer = io.BytesIO()
    torch.onnx.export(
        Tokeniser(backbone).eval(),
        (torch.zeros(1, 3, data.SIDE_PX, data.SIDE_PX, 3, dtype=torch.uint8),),
        buffer,
        input_names=["frames"],
        output_names=["tokens"],
        dynamic_axes={"frames": {0: "n", 1: "t"}, "tokens": {0: "n", 1: "steps"}},
        opset_version=17,
        dynamo=False,
    )
    return runtime.session(buffer.getvalue())


def real(
    clips: Sequence[data.Clip], view: str, cache: Path, pixels: Path, run: onnxruntime.InferenceSession
) -> Windows:
    """Windows of the labelled clips as one of ``views.VIEWS`` shows them."""

    def compute() -> Iterable[tuple[int, int, Tokens]]:
        for index, clip in enumerate(tqdm(clips, desc=f"real clips, {view}", mininterval=5)):
            for frames in views.VIEWS[view](data.cached(clip, pixels), clip.name):
                yield index, clip.fight, _run(run, frames)

    return _cached(cache / f"real-{view}-{_key(clip.name for clip in clips)}.npz", compute)


def playroom(programmes: Sequence[rendered.Programme], cache: Path, run: onnxruntime.InferenceSession) -> Windows:
    """Windows of rendered programmes, starting every half second; those that only graze an assault are left out."""

    def compute() -> Iterable[tuple[int, int, Tokens]]:
        for index, programme in enumerate(tqdm(programmes, desc="rendered playroom", mininterval=5)):
            steps = _run(run, np.stack(list(rendered.frames(programme))))
            count = (len(steps) - (data.FRAMES - 1)) // 4 + 1
            for window, label in enumerate(rendered.labels(programme, count)):
                if label >= 0:
                    yield index, int(label), steps[4 * window : 4 * window + data.FRAMES - 1]

    return _cached(cache / f"playroom-{_key(repr(p) for p in programmes)}.npz", compute)


def together(parts: Sequence[Windows]) -> Windows:
    """Several sets of windows as one, their programmes numbered on."""
    starts = np.cumsum([0, *(int(part.of.max()) + 1 for part in parts)])
    return Windows(
        np.concatenate([part.tokens for part in parts]),
        np.concatenate([part.of + start for part, start in zip(parts, starts[:-1], strict=True)]),
        np.concatenate([part.label for part in parts]),
    )


def _run(run: onnxruntime.InferenceSession, frames: NDArray[np.uint8]) -> Tokens:
    """Tokens [T-1, 2944] of frames [T, 224, 224, 3], sixteen differences at a time."""
    step = data.FRAMES - 1
    parts = [frames[i : i + step + 1] for i in range(0, len(frames) - 1, step)]
    return np.concatenate([run.run(None, {"frames": p[None]})[0][0] for p in parts]).astype(np.float16)


def _key(names: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(names).encode()).hexdigest()[:12]


def _cached(path: Path, compute: Callable[[], Iterable[tuple[int, int, Tokens]]]) -> Windows:
    if not path.is_file():
        rows = list(compute())
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part.npz")
        np.savez(
            part,
            tokens=np.stack([tokens for _, _, tokens in rows]).reshape(len(rows), data.FRAMES - 1, TOKEN),
            of=np.array([of for of, _, _ in rows]),
            label=np.array([label for _, label, _ in rows]),
        )
        part.replace(path)
    stored = np.load(path)
    return Windows(stored["tokens"], stored["of"], stored["label"])
