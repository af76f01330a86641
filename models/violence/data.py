"""The labelled CCTV clips: reading ``labels.csv``, decoding once into a cache, cutting 2 s windows.

The cache holds every frame at 224x224 RGB (plain resize, as the analyser does it); it is footage and never committed.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

SIDE_PX = 224
FRAMES = 17
WINDOW_S = 2.0
STRIDE_S = 1.0
WHOLE_FROM = 0.5
"""A video that yields less than this share of the frames it announces is refused."""
COLUMNS = ("file", "label", "fold", "group", "fps", "other_dataset")
LABELS = {"fight": 1, "no_fight": 0}


class LabelError(ValueError):
    """``labels.csv`` is empty, lacks a column or holds a value that means nothing; the message names file and line."""


class ClipUnreadableError(ValueError):
    """A video cannot be decoded, or holds fewer than two frames."""


@dataclass(frozen=True)
class Clip:
    """One labelled clip. ``group`` is the source video: clips of one group never sit on both sides of a split."""

    path: Path
    fight: int
    fold: int
    group: str
    other_dataset: bool

    @property
    def name(self) -> str:
        """File name without its suffix."""
        return self.path.stem


def read_labels(path: Path) -> list[Clip]:
    """The clips of a ``labels.csv`` (videos in ``clips/`` beside it).

    Raises ``LabelError`` for a file that is no table, a missing column, an unknown label, a bad fold, a file named
    twice, an empty table, or a group that lies in two folds.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            missing = [name for name in COLUMNS if name not in (reader.fieldnames or [])]
            if missing:
                raise LabelError(f"{path}: column {', '.join(missing)} is missing; needed are {', '.join(COLUMNS)}")
            clips = [_clip(row, path, number) for number, row in enumerate(reader, start=2)]
    except (UnicodeDecodeError, csv.Error) as error:
        raise LabelError(f"{path}: not a table in UTF-8 ({error}); export the labels again as CSV") from error
    if not clips:
        raise LabelError(f"{path}: no clip is listed")
    names = [clip.name for clip in clips]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise LabelError(f"{path}: listed twice: {', '.join(twice)}")
    folds: defaultdict[str, set[int]] = defaultdict(set)
    for clip in clips:
        folds[clip.group].add(clip.fold)
    torn = sorted(group for group, of_group in folds.items() if len(of_group) > 1)
    if torn:
        raise LabelError(f"{path}: group {', '.join(torn)} lies in several folds; one source video belongs to one fold")
    return clips


def _clip(row: dict[str, str], path: Path, line: int) -> Clip:
    if row["label"] not in LABELS:
        raise LabelError(f"{path}:{line}: label {row['label']!r}; allowed are {', '.join(LABELS)}")
    if not (row["fold"] or "").isdigit():
        raise LabelError(f"{path}:{line}: fold {row['fold']!r} is not a whole number")
    if not row["group"] or not row["file"]:
        raise LabelError(f"{path}:{line}: file and group must not be empty")
    if row["other_dataset"] not in ("0", "1"):
        raise LabelError(f"{path}:{line}: other_dataset {row['other_dataset']!r}; allowed are 0 and 1")
    return Clip(
        path=path.parent / "clips" / row["file"],
        fight=LABELS[row["label"]],
        fold=int(row["fold"]),
        group=row["group"],
        other_dataset=row["other_dataset"] == "1",
    )


def require_both_classes(clips: Sequence[Clip]) -> None:
    """Refuse what cannot be learned from or measured on.

    Raises ``LabelError`` if there are fewer than two folds, or a fold lacks one of the classes.
    """
    folds = folds_of(clips)
    if len(folds) < 2:
        raise LabelError(f"{len(folds)} fold; group-disjoint evaluation needs at least two")
    for fold in folds:
        present = {clip.fight for clip in clips if clip.fold == fold}
        absent = [label for label, fight in LABELS.items() if fight not in present]
        if absent:
            raise LabelError(f"fold {fold} holds no clip labelled {', '.join(absent)}: every fold needs both classes")


def readable(clips: Sequence[Clip], cache: Path) -> tuple[list[Clip], dict[str, str]]:
    """The clips whose videos can be decoded, and for each of the others why not. Decodes into the cache."""
    kept, refused = [], {}
    for clip in clips:
        try:
            cached(clip, cache)
        except ClipUnreadableError as error:
            refused[clip.name] = str(error)
        else:
            kept.append(clip)
    return kept, refused


@dataclass(frozen=True)
class Frames:
    """A decoded clip: ``rgb`` uint8 [F, 224, 224, 3] and each frame's time from the start, ``at_s`` float64 [F]."""

    rgb: NDArray[np.uint8]
    at_s: NDArray[np.float64]

    @property
    def duration_s(self) -> float:
        """Time from the first frame to the end of the last one."""
        step = float(np.median(np.diff(self.at_s)))
        return float(self.at_s[-1] - self.at_s[0]) + step


def decode(path: Path) -> Frames:
    """Every frame of a video at 224x224 RGB. Raises ``ClipUnreadableError``."""
    frames: list[NDArray[np.uint8]] = []
    fps = each_frame(path, lambda bgr: frames.append(resize(bgr)))
    return Frames(np.stack(frames), np.arange(len(frames)) / fps)


def each_frame(path: Path, take: Callable[[NDArray[np.uint8]], None]) -> float:
    """Give every BGR frame of a video to ``take``; returns the frame rate.

    Raises ``ClipUnreadableError`` for a file that is no video, has no frame rate, or stops before half of the frames
    that it announces: such a clip may lack what its label speaks of.
    """
    video = cv2.VideoCapture(str(path))
    fps, announced = video.get(cv2.CAP_PROP_FPS), int(video.get(cv2.CAP_PROP_FRAME_COUNT))
    read = 0
    while True:
        ok, bgr = video.read()
        if not ok:
            break
        take(bgr.astype(np.uint8, copy=False))
        read += 1
    video.release()
    if read < 2 or not fps > 0:
        raise ClipUnreadableError(f"{path}: {read} frames could be read at {fps} fps; at least 2 are needed")
    if read < announced * WHOLE_FROM:
        raise ClipUnreadableError(f"{path}: stops after {read} of {announced} frames; export the clip again")
    return float(fps)


def resize(bgr: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A BGR frame of any size as 224x224 RGB: plain area resize, the aspect ratio is not kept."""
    small = cv2.resize(bgr, (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_AREA)
    return cv2.cvtColor(small, cv2.COLOR_BGR2RGB).astype(np.uint8)


def cached(clip: Clip, cache: Path) -> Frames:
    """The clip's frames, decoded on first use. The pixels are memory-mapped."""
    pixels, times = cache / f"{clip.name}.npy", cache / f"{clip.name}.times.npy"
    if not (pixels.is_file() and times.is_file()):
        frames = decode(clip.path)
        cache.mkdir(parents=True, exist_ok=True)
        np.save(times, frames.at_s)
        np.save(pixels.with_suffix(".part.npy"), frames.rgb)
        pixels.with_suffix(".part.npy").replace(pixels)
    return Frames(np.load(pixels, mmap_mode="r"), np.load(times))


def window_starts(duration_s: float) -> list[float]:
    """Starts of the 2 s windows of a clip, stride 1 s; the last ends with the clip. A shorter clip has one window."""
    room = duration_s - WINDOW_S
    if room <= 0.05:
        return [0.0]
    starts = [float(s) for s in np.arange(0.0, room, STRIDE_S)]
    if room - starts[-1] > 0.05:
        starts.append(room)
    return starts


def window_indices(at_s: NDArray[np.float64], start_s: float, length_s: float = WINDOW_S) -> NDArray[np.int64]:
    """The 17 frames of a window: for each of 17 instants from its start to its end, the frame nearest in time."""
    instants = at_s[0] + start_s + np.linspace(0.0, length_s, FRAMES)
    after = np.searchsorted(at_s, instants).clip(1, len(at_s) - 1)
    nearer_before = instants - at_s[after - 1] < at_s[after] - instants
    return np.asarray(after - nearer_before, np.int64)


def windows(frames: Frames) -> list[NDArray[np.uint8]]:
    """The product's windows of a clip, each uint8 [17, 224, 224, 3]. A clip under 2 s is stretched over one window."""
    return [frames.rgb[chosen] for chosen in window_choices(frames)]


def window_choices(frames: Frames) -> list[NDArray[np.int64]]:
    """The 17 frame numbers of each of the product's windows."""
    last_instant = float(frames.at_s[-1] - frames.at_s[0])
    return [
        window_indices(frames.at_s, start, min(WINDOW_S, last_instant - start))
        for start in window_starts(frames.duration_s)
    ]


def folds_of(clips: Sequence[Clip]) -> list[int]:
    """The fold numbers, ascending."""
    return sorted({clip.fold for clip in clips})
