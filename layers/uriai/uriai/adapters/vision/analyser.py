"""`ClipAnalyser` with onnxruntime and OpenCV: one pass over the clip, every frame decoded once.

What costs is kept to where it can matter: pixels are made of the frames on the grids only (8 a second for violence, 2
for faces, 1 while there are none), faces are looked for again only when the picture has changed since the last look,
emotions are read from faces large enough to show one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from time import perf_counter
from typing import Any

import cv2
import numpy as np

from uriai.adapters.vision import emotion
from uriai.adapters.vision.emotion import EmotionClassifier
from uriai.adapters.vision.faces import DetectedFace, FaceDetector
from uriai.adapters.vision.key_frames import make_key_frames
from uriai.adapters.vision.physical import open_physical
from uriai.adapters.vision.registry import ROLES, LocalModels, ModelSource, open_model
from uriai.adapters.vision.sampling import Every, WindowSampler
from uriai.adapters.vision.tracker import Tracker
from uriai.adapters.vision.video import Clip, Frame, Image, Limits, shrink
from uriai.domain.analysis import Face, Observations, Window
from uriai.domain.finding import Finding
from uriai.domain.model_set import model_set_hash
from uriai.service.ports.vision import ClipAnalyser, KeyFrames

FACES_EVERY_S = 0.5
_UNSEEN_EVERY = 2
"""Where the last look found nobody, only every second one is taken: who comes is seen a second later at most."""
_STILL_SIDE_PX = 64
_STILL_CHANGE = 12
"""Noise and compression change the values (0..255) of the 64 x 64 px picture by less; what moves by a face's width, by
more.
"""


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

    Raises
    ------
    ModelRefused
        If a model is missing or does not match its hash or contract.
    """

    def __init__(self, source: ModelSource, threads: int = 1, limits: Limits | None = None) -> None:
        cv2.setNumThreads(threads)
        opened = {role: open_model(source, role, threads) for role in ROLES}
        self._violence = open_physical(opened["violence"])
        self._faces = FaceDetector(opened["face"])
        self._emotion = EmotionClassifier(opened["emotion"])
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
            faces = _FaceTask(self._faces, self._emotion, watch)
            for frame in clip.frames():
                due = sampler.wants(frame)
                if due is not None:
                    cuts = sampler.add(frame, due, self._violence.prepare(frame.image(), frame.t_s))
                    with watch.stage("violence"):
                        windows += self._violence.judge(cuts)
                faces.see(frame)
            with watch.stage("violence"):
                windows += self._violence.judge(sampler.finish(clip.duration_s))
            duration_s = clip.duration_s
        return Observations(
            duration_s=duration_s,
            windows=tuple(windows),
            faces=tuple(faces.seen),
            models=self.models,
            timing_ms=watch.timing_ms(),
            calibrated=self._violence.calibrated,
            boxes=self._violence.boxes(),
        )

    def key_frames(self, path: Path, t_s: float, finding: Finding, observations: Observations) -> KeyFrames:
        """See `ClipAnalyser.key_frames`."""
        return make_key_frames(path, t_s, finding, observations, detector=self._faces, limits=self._limits)


class _FaceTask:
    """Faces of a clip with their tracks and emotions, as its frames go by."""

    def __init__(self, detector: FaceDetector, classifier: EmotionClassifier, watch: _Stopwatch) -> None:
        self.seen: list[Face] = []
        self._detector = detector
        self._classifier = classifier
        self._watch = watch
        self._schedule = Every(FACES_EVERY_S)
        self._tracker = Tracker()
        self._picture: Image | None = None
        self._found: tuple[DetectedFace, ...] = ()

    def see(self, frame: Frame) -> None:
        due = self._schedule.due(frame)
        if not due or (not self._found and all(look % _UNSEEN_EVERY for look in due)):
            return
        image = frame.image()
        with self._watch.stage("faces"):
            if self._has_changed(image):
                self._found = self._detector.find(image)
            boxes = [face.box for face in self._found]
            tracks = self._tracker.update(frame.t_s, boxes)
        large = [box for box in boxes if min(box.w, box.h) >= emotion.LEAST_PX]
        with self._watch.stage("emotion"):
            emotions = iter(self._classifier.classify([emotion.crop(image, box) for box in large]))
        for box, track in zip(boxes, tracks, strict=True):
            shown = next(emotions) if min(box.w, box.h) >= emotion.LEAST_PX else {}
            self.seen.append(Face(frame.t_s, track, box, shown))

    def _has_changed(self, image: Image) -> bool:
        """Whether anything moved since faces were last looked for; where nothing did, they are where they were."""
        small = shrink(image, _STILL_SIDE_PX, _STILL_SIDE_PX)
        if self._picture is not None:
            change = np.abs(small.astype(np.int16) - self._picture.astype(np.int16)).max()
            if change < _STILL_CHANGE:
                return False
        self._picture = small
        return True


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
