"""`ClipAnalyser` with onnxruntime and OpenCV: one pass over the clip, every frame decoded once.

Pixels are made of the frames on the grids only: 8 a second for violence, at most 2 for people and faces (see
`presence`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from time import perf_counter
from typing import Any

import cv2

from uriai.adapters.vision.age import AgeModel
from uriai.adapters.vision.emotion import EmotionClassifier
from uriai.adapters.vision.faces import FaceDetector
from uriai.adapters.vision.key_frames import make_key_frames
from uriai.adapters.vision.limits import Limits
from uriai.adapters.vision.people import PersonDetector
from uriai.adapters.vision.physical import open_physical
from uriai.adapters.vision.presence import Detectors, Presence
from uriai.adapters.vision.registry import ROLES, LocalModels, ModelSource, open_model
from uriai.adapters.vision.sampling import WindowSampler
from uriai.adapters.vision.video import Clip
from uriai.domain.analysis import Observations, Window
from uriai.domain.model_set import model_set_hash
from uriai.service.ports.vision import Caption, ClipAnalyser, KeyFrames


class OnnxClipAnalyser(ClipAnalyser):
    """Opens its models when it is made, not with the first clip.

    Parameters
    ----------
    source:
        Where the models of roles `ROLES` come from.
    threads:
        Of onnxruntime; see `open_model`.
    limits:
        What a file may be.
    cascade:
        False spares nothing when looking for people and faces; see `Presence`.

    Raises
    ------
    ModelRefused
        If a model is missing or does not match its hash or contract.
    """

    def __init__(
        self, source: ModelSource, threads: int = 1, limits: Limits | None = None, *, cascade: bool = True
    ) -> None:
        self._cascade = cascade
        cv2.setNumThreads(threads)
        opened = {role: open_model(source, role, threads) for role in ROLES}
        self._violence = open_physical(opened["violence"])
        self._faces = FaceDetector(opened["face"])
        self._detectors = Detectors(
            faces=self._faces,
            people=PersonDetector(opened["person"]),
            emotion=EmotionClassifier(opened["emotion"]),
            age=AgeModel(opened["age"]),
        )
        self._models = {role: str(model.reference) for role, model in sorted(opened.items())}
        self._manifests = {role: model.reference.manifest for role, model in opened.items()}
        self._limits = limits or Limits()

    @classmethod
    def from_folder(cls, folder: Path, threads: int = 1) -> OnnxClipAnalyser:
        """With the models of a folder like ``models/`` of the repository."""
        return cls(LocalModels(folder), threads)

    @property
    def models(self) -> Mapping[str, str]:
        """Role -> ``name@version+sha256``."""
        return dict(self._models)

    @property
    def model_set_hash(self) -> bytes:
        """32 bytes, see `uriai.domain.model_set.model_set_hash`."""
        return model_set_hash(self._models, self._manifests)

    def observe(self, path: Path) -> Observations:
        """See `ClipAnalyser.observe`. Boxes are in the pixels of the upright picture."""
        watch = _Stopwatch()
        windows: list[Window] = []
        with Clip(path, self._limits) as clip:
            self._violence.begin()
            sampler: WindowSampler[Any] = WindowSampler(self._violence.instants, clip.declared_s)
            presence = Presence(self._detectors, watch.stage, cascade=self._cascade)
            for frame in clip.frames():
                due = sampler.wants(frame)
                if due is not None:
                    cuts = sampler.add(frame, due, self._violence.prepare(frame.image(), frame.t_s))
                    with watch.stage("violence"):
                        windows += self._violence.judge(cuts)
                presence.see(frame)
            with watch.stage("violence"):
                windows += self._violence.judge(sampler.finish(clip.duration_s))
            duration_s = clip.duration_s
        faces, people = presence.result()
        return Observations(
            duration_s=duration_s,
            windows=tuple(windows),
            faces=faces,
            people=people,
            models=self.models,
            timing_ms=watch.timing_ms(),
            calibrated=self._violence.calibrated,
            boxes=self._violence.boxes(),
        )

    def key_frames(self, path: Path, t_s: float, observations: Observations, caption: Caption) -> KeyFrames:
        """See `ClipAnalyser.key_frames`."""
        return make_key_frames(path, t_s, observations, caption, detector=self._faces, limits=self._limits)


class _Stage:
    def __init__(self, spent_s: dict[str, float], name: str) -> None:
        self._spent_s, self._name, self._from_s = spent_s, name, 0.0

    def __enter__(self) -> None:
        self._from_s = perf_counter()

    def __exit__(self, *error: object) -> None:
        self._spent_s[self._name] += perf_counter() - self._from_s


class _Stopwatch:
    """Wall time by stage; what no stage accounts for is decoding and resizing."""

    def __init__(self) -> None:
        self._spent_s: dict[str, float] = defaultdict(float)
        self._started_s = perf_counter()

    def stage(self, name: str) -> _Stage:
        return _Stage(self._spent_s, name)

    def timing_ms(self) -> dict[str, float]:
        total_s = perf_counter() - self._started_s
        stages = {name: round(spent_s * 1000, 1) for name, spent_s in self._spent_s.items()}
        decode_s = total_s - sum(self._spent_s.values())
        return {"decode": round(decode_s * 1000, 1), **stages, "total": round(total_s * 1000, 1)}
