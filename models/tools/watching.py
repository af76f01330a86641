"""What a finished model says of labelled clips, window by window, exactly as the analyser asks it.

What was computed for a clip is kept under the SHA-256 of clip and model, so an interrupted run takes up where it was
and the next command starts with it. Nothing kept shows a picture.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.tools.clips import Labelled
from models.tools.commands import told
from models.tools.tally import Tally, ToolError
from uriai.adapters.vision.contracts import Model
from uriai.adapters.vision.manifests import Manifest, ModelRefused, model_bytes, read_manifest
from uriai.adapters.vision.physical import PhysicalDetector, open_physical
from uriai.adapters.vision.registry import ModelSource, open_model
from uriai.adapters.vision.sampling import WindowSampler
from uriai.adapters.vision.video import Clip
from uriai.domain.analysis import Window
from uriai.domain.model_set import ModelReference
from uriai.service.ports.vision import NotAVideo

Floats = NDArray[np.float64]
ROLE = "violence"
LEAST = 1e-4
"""Readers and graphs cut probabilities to this and its complement: beyond it nobody is surer than that."""


def log_odds(probability: NDArray[Any], least: float = LEAST) -> Floats:
    """ln(p / (1 - p)) of probabilities cut to ``least`` and its complement: between -9.2 and 9.2."""
    p = np.clip(probability.astype(np.float64), least, 1 - least)
    return np.log(p / (1 - p))


@dataclass(frozen=True)
class Opened:
    """A model of role ``violence`` in its folder: its bytes, its manifest as JSON, and the analyser's own detector."""

    folder: Path
    content: bytes
    manifest: dict[str, Any]
    model: Model
    detector: PhysicalDetector
    recorder: _Recorder

    @property
    def reference(self) -> ModelReference:
        """Name, version, SHA-256."""
        return self.model.reference

    @property
    def has_tokens(self) -> bool:
        """Whether the graph gives what it made of the pictures besides its probability."""
        return "before" in {t.name for t in self.model.inputs} and "tokens" in {t.name for t in self.model.outputs}


def open_folder(folder: Path) -> Opened:
    """Open the model in ``folder`` as the analyser does. Raises ``ToolError`` with the analyser's reason."""
    try:
        source = _Folder(folder)
        model = open_model(source, ROLE)
        recorder = _Recorder(model.session)
        detector = open_physical(replace(model, session=recorder))
    except ModelRefused as refusal:
        raise ToolError(str(refusal)) from refusal
    values = json.loads((folder / "manifest.json").read_text(encoding="utf-8-sig"))
    return Opened(folder, model_bytes(read_manifest(folder)), values, model, detector, recorder)


class _Folder(ModelSource):
    """One model's folder, whatever set it belongs to."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self, role: str) -> tuple[ModelReference, bytes, Manifest | None]:
        manifest = read_manifest(self._folder)
        if manifest.role != role:
            raise ModelRefused(f"{self._folder}: its manifest says role {manifest.role!r}, {role!r} is needed here")
        return manifest.reference, model_bytes(manifest), manifest


class _Recorder:
    """An onnxruntime session that remembers the tokens of its last answer: those of both halves of a window."""

    def __init__(self, session: Any) -> None:
        self._session = session
        self._names = [value.name for value in session.get_outputs()]
        self.tokens: NDArray[np.float32] | None = None

    def run(self, names: Any, feeds: dict[str, Any]) -> list[Any]:
        answer: list[Any] = self._session.run(names, feeds)
        if "before" in feeds and "tokens" in self._names:
            self.tokens = np.concatenate([feeds["before"][0], answer[self._names.index("tokens")][0]])
        return answer

    def __getattr__(self, name: str) -> Any:
        return getattr(self._session, name)


def summarise(tokens: NDArray[np.float32]) -> NDArray[np.float32]:
    """A window's tokens [T, K] as [4K]: over time, their mean, deviation, maximum and mean absolute change."""
    mean = tokens.mean(0)
    deviation = np.sqrt(((tokens - mean) ** 2).mean(0))
    change = np.abs(np.diff(tokens, axis=0)).mean(0)
    return np.concatenate([mean, deviation, tokens.max(0), change]).astype(np.float32)


@dataclass(frozen=True)
class Watched:
    """Windows of clips: for each the index ``of`` its clip, its start in seconds, its probability, and the summary
    float32 [W, 4K] of its tokens (K = 0 where the model gives none).
    """

    clips: tuple[Labelled, ...]
    of: NDArray[np.int64]
    start_s: Floats
    probability: NDArray[np.float32]
    summary: NDArray[np.float32]

    @property
    def label(self) -> NDArray[np.int64]:
        """A window's label is its clip's."""
        return np.array([clip.fight for clip in self.clips], np.int64)[self.of]

    @property
    def fold(self) -> NDArray[np.int64]:
        """A window's fold is its clip's."""
        return np.array([clip.fold for clip in self.clips], np.int64)[self.of]


def watch(clips: Sequence[Labelled], opened: Opened, cache: Path, tally: Tally) -> Watched:
    """All windows of the clips. A clip that the analyser cannot decode is refused by name. Raises ``ToolError``."""
    _make(cache)
    kept: list[Labelled] = []
    parts: list[_Part] = []
    with told(list(clips), opened.reference.name) as bar:
        for clip in bar:
            try:
                part = _cached(cache, clip, opened)
            except NotAVideo as error:
                tally.refuse(clip.path, "clip the analyser cannot decode", str(error))
                continue
            except ModelRefused as error:
                raise ToolError(f"{clip.path}: {error}") from error
            kept.append(clip)
            parts.append(part)
    if not parts:
        raise ToolError("not one clip is left")
    return Watched(
        tuple(kept),
        np.repeat(np.arange(len(parts)), [len(part.probability) for part in parts]),
        np.concatenate([part.start_s for part in parts]),
        np.concatenate([part.probability for part in parts]),
        np.concatenate([part.summary for part in parts]),
    )


def windows_of(path: Path, opened: Opened) -> list[tuple[Window, NDArray[np.float32] | None]]:
    """Each window of a clip with its tokens [T, K], None where the model gives none. Raises ``NotAVideo``."""
    found: list[tuple[Window, NDArray[np.float32] | None]] = []
    detector = opened.detector
    detector.begin()
    with Clip(path) as clip:
        sampler: WindowSampler[Any] = WindowSampler(detector.instants, clip.declared_s)

        def judge(cuts: Sequence[Any]) -> None:
            for cut in cuts:
                (window,) = detector.judge([cut])
                found.append((window, opened.recorder.tokens))

        for frame in clip.frames():
            due = sampler.wants(frame)
            if due is not None:
                judge(sampler.add(frame, due, detector.prepare(frame.image(), frame.t_s)))
        judge(sampler.finish(clip.duration_s))
    return found


@dataclass(frozen=True)
class _Part:
    start_s: Floats
    probability: NDArray[np.float32]
    summary: NDArray[np.float32]


def _cached(cache: Path, clip: Labelled, opened: Opened) -> _Part:
    path = cache / f"{clip.sha256[:32]}-{opened.reference.sha256[:32]}.npz"
    try:
        with np.load(path) as stored:
            return _Part(stored["start_s"], stored["probability"], stored["summary"])
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        pass  # not there yet, or cut off by whatever ended the last run
    found = windows_of(clip.path, opened)
    if not found:
        raise ToolError(f"{clip.path}: the analyser sees no window in it")
    part = _Part(
        np.array([window.start_s for window, _ in found]),
        np.array([window.probability for window, _ in found], np.float32),
        np.stack([np.zeros(0, np.float32) if tokens is None else summarise(tokens) for _, tokens in found]),
    )
    beside = path.with_suffix(".part")
    with beside.open("wb") as file:
        np.savez(file, start_s=part.start_s, probability=part.probability, summary=part.summary)
    beside.replace(path)
    return part


def _make(cache: Path) -> None:
    try:
        cache.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ToolError(f"{cache} cannot be made ({error.strerror}): name another folder with --cache") from error
