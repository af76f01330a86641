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
from models.violence import conditions, data, rendered, views
from models.violence.backbone import pretrained
from models.violence.heads import summaries
from models.violence.network import TOKEN, Tokeniser

Tokens = NDArray[np.float16]
Run = Callable[[NDArray[np.uint8]], Tokens]
"""Frames uint8 [T, 224, 224, 3] to tokens [T-1, 2944]."""


@dataclass(frozen=True)
class Windows:
    """Tokens float16 [W, 16, 2944] of windows; for each, the index ``of`` its clip or programme and its ``label``."""

    tokens: Tokens
    of: NDArray[np.int64]
    label: NDArray[np.int64]


@dataclass(frozen=True)
class Summaries:
    """``summary`` float32 [W, 11776] of windows; for each, the index ``of`` its programme and its ``label``."""

    summary: NDArray[np.float32]
    of: NDArray[np.int64]
    label: NDArray[np.int64]

    def followed_by(self, others: Summaries) -> Summaries:
        """These and others, whose programmes count on from these."""
        first = int(self.of.max()) + 1
        return Summaries(
            np.concatenate([self.summary, others.summary]),
            np.concatenate([self.of, others.of + first]),
            np.concatenate([self.label, others.label]),
        )


def tokeniser(wheel: Path | None = None) -> Run:
    """The frozen part, run by onnxruntime: frames uint8 [T, 224, 224, 3] -> tokens float16 [T-1, 2944]."""
    return in_sixteens(runtime.session(graph(wheel)))


def graph(wheel: Path | None = None) -> bytes:
    """The frozen part as a graph: ``frames`` uint8 [N, T, 224, 224, 3] -> ``tokens`` [N, T-1, 2944]."""
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
    return buffer.getvalue()


def real(clips: Sequence[data.Clip], view: str, cache: Path, pixels: Path, run: Run) -> Windows:
    """Windows of the labelled clips as one of ``views.VIEWS`` shows them."""

    def compute() -> Iterable[tuple[int, int, Tokens]]:
        for index, clip in enumerate(tqdm(clips, desc=f"real clips, {view}", mininterval=5)):
            for frames in views.VIEWS[view](data.cached(clip, pixels), clip.name):
                yield index, clip.fight, run(np.asarray(frames))

    return _cached(cache / f"real-{view}-{_key(clip.name for clip in clips)}.npz", compute)


def under(
    clips: Sequence[data.Clip], cache: Path, run: Run, names: Sequence[str] = conditions.NAMES
) -> dict[str, Windows]:
    """Windows of the labelled clips under each of ``names``; a clip is decoded once for all of them."""
    key = _key(clip.name for clip in clips)
    paths = {name: cache / f"under-{name.replace(' ', '-')}-{key}.npz" for name in names}
    missing = [name for name, path in paths.items() if not path.is_file()]
    rows: dict[str, list[tuple[int, int, Tokens]]] = {name: [] for name in missing}
    for index, clip in enumerate(tqdm(clips, desc="conditions", mininterval=5) if missing else ()):
        recording = conditions.read(clip.path)
        for name in missing:
            for frames in conditions.windows(recording, name, clip.name):
                rows[name].append((index, clip.fight, run(frames)))
    for name in missing:
        _store(paths[name], rows[name])
    return {name: _load(path) for name, path in paths.items()}


def programme(chosen: rendered.Programme, cache: Path, run: Run) -> Tokens:
    """Tokens [T-1, 2944] of a rendered programme, eight a second, made on first use."""
    path = programme_path(chosen, cache)
    if not path.is_file():
        steps = run(np.stack(list(rendered.frames(chosen))))
        cache.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part.npy")
        np.save(part, steps)
        part.replace(path)
    stored: Tokens = np.load(path)
    return stored


def programme_path(chosen: rendered.Programme, cache: Path) -> Path:
    """Where a programme's tokens are kept."""
    return cache / f"{chosen.seed}-{_key([repr(chosen)])}.npy"


def playroom(programmes: Sequence[rendered.Programme], cache: Path, run: Run, calm_apart: int = 1) -> Summaries:
    """Windows of rendered programmes, starting every half second; those that only graze an assault are left out.

    Of a programme without an assault every ``calm_apart``-th is taken: hours of them are a matter of memory.
    """
    summary, of, label = [], [], []
    for index, chosen in enumerate(tqdm(programmes, desc="rendered playroom", mininterval=5)):
        steps = programme(chosen, cache, run)
        count = (len(steps) - (data.FRAMES - 1)) // 4 + 1
        labels = rendered.labels(chosen, count)
        kept = np.flatnonzero(labels >= 0)[:: 1 if labels.any() else calm_apart]
        if len(kept):
            summary.append(summaries(np.stack([steps[4 * k : 4 * k + data.FRAMES - 1] for k in kept])))
            of.append(np.full(len(kept), index))
            label.append(labels[kept])
    return Summaries(np.concatenate(summary), np.concatenate(of), np.concatenate(label))


def in_sixteens(session: onnxruntime.InferenceSession) -> Run:
    """A function from frames [T, 224, 224, 3] to tokens [T-1, 2944], sixteen differences at a time."""

    def run(frames: NDArray[np.uint8]) -> Tokens:
        step = data.FRAMES - 1
        parts = [frames[i : i + step + 1] for i in range(0, len(frames) - 1, step)]
        return np.concatenate([session.run(None, {"frames": p[None]})[0][0] for p in parts]).astype(np.float16)

    return run


def _key(names: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(names).encode()).hexdigest()[:12]


def _cached(path: Path, compute: Callable[[], Iterable[tuple[int, int, Tokens]]]) -> Windows:
    if not path.is_file():
        _store(path, list(compute()))
    return _load(path)


def _store(path: Path, rows: Sequence[tuple[int, int, Tokens]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part.npz")
    np.savez(
        part,
        tokens=np.stack([tokens for _, _, tokens in rows]).reshape(len(rows), data.FRAMES - 1, TOKEN),
        of=np.array([of for of, _, _ in rows]),
        label=np.array([label for _, label, _ in rows]),
    )
    part.replace(path)


def _load(path: Path) -> Windows:
    stored = np.load(path)
    return Windows(stored["tokens"], stored["of"], stored["label"])
