"""FER2013 as arrays: read once from the zip, cleaned, split and cached.

The zip holds one JPEG a face under ``{train,public_test}/{class}/NAME.jpg``. Two things are wrong with the raw set and
are mended here: training images whose pixels also occur in ``public_test`` (they would flatter the result), and
pixel-identical copies inside ``train`` (one might sit on each side of the hold-out split, or bear another label).
"""

from __future__ import annotations

import hashlib
import zipfile
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from models.common.paths import data_root

CLASSES = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
SIDE_PX = 48
HOLD_OUT = 0.05


class EmotionDataError(Exception):
    """The FER2013 zip is missing, damaged or not laid out as expected."""


@dataclass(frozen=True)
class Faces:
    """Face crops and their labels.

    ``pixels``: uint8 [N, 48, 48], gray 0..255. ``labels``: int64 [N], index into ``CLASSES``.
    """

    pixels: NDArray[np.uint8]
    labels: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True)
class Split:
    """``train`` to learn from, ``hold_out`` (of the training images) to calibrate on, ``public_test`` to report on."""

    train: Faces
    hold_out: Faces
    public_test: Faces
    dropped_in_public_test: int
    dropped_copies: int
    unreadable: tuple[str, ...]


def load(zip_path: Path | None = None, seed: int = 0) -> Split:
    """Read, clean and split the zip. Deterministic for a seed. Raises ``EmotionDataError``."""
    path = zip_path or data_root() / "fer2013" / "fer2013.zip"
    if not path.is_file():
        raise EmotionDataError(f"{path} is missing: put fer2013.zip there or point URIAI_DATA at its folder")
    train, train_bad = _read(path, "train")
    test, test_bad = _read(path, "public_test")
    seen = {_digest(p) for p in test.pixels}
    fresh = np.array([_digest(p) not in seen for p in train.pixels])
    dropped = int((~fresh).sum())
    clean, copies = _without_copies(Faces(train.pixels[fresh], train.labels[fresh]))
    learn, held = _stratified(clean.labels, HOLD_OUT, seed)
    return Split(
        train=Faces(clean.pixels[learn], clean.labels[learn]),
        hold_out=Faces(clean.pixels[held], clean.labels[held]),
        public_test=test,
        dropped_in_public_test=dropped,
        dropped_copies=copies,
        unreadable=(*train_bad, *test_bad),
    )


def _digest(pixels: NDArray[np.uint8]) -> bytes:
    return hashlib.sha256(pixels.tobytes()).digest()


def _read(path: Path, usage: str) -> tuple[Faces, list[str]]:
    pixels: list[NDArray[np.uint8]] = []
    labels: list[int] = []
    bad: list[str] = []
    try:
        with zipfile.ZipFile(path) as archive:
            for name in sorted(archive.namelist()):
                parts = name.split("/")
                if len(parts) != 3 or parts[0] != usage or parts[1] not in CLASSES or not parts[2]:
                    continue
                image = cv2.imdecode(np.frombuffer(archive.read(name), np.uint8), cv2.IMREAD_GRAYSCALE)
                if image is None or image.shape != (SIDE_PX, SIDE_PX):
                    bad.append(name)
                    continue
                pixels.append(image.astype(np.uint8))
                labels.append(CLASSES.index(parts[1]))
    except zipfile.BadZipFile as error:
        raise EmotionDataError(f"{path} is not a readable zip ({error}): copy it again") from error
    missing = [name for index, name in enumerate(CLASSES) if index not in labels]
    if missing:
        raise EmotionDataError(f"{path} holds no {usage} image of {', '.join(missing)}")
    return Faces(np.stack(pixels), np.array(labels, np.int64)), bad


def _without_copies(faces: Faces) -> tuple[Faces, int]:
    """Keep one of each set of pixel-identical images, with their majority label; drop all of a tied set."""
    where: defaultdict[bytes, list[int]] = defaultdict(list)
    for index, pixels in enumerate(faces.pixels):
        where[_digest(pixels)].append(index)
    keep: list[int] = []
    labels = faces.labels.copy()
    for indices in where.values():
        votes = Counter(int(labels[i]) for i in indices).most_common()
        if len(votes) > 1 and votes[0][1] == votes[1][1]:
            continue
        labels[indices[0]] = votes[0][0]
        keep.append(indices[0])
    order = np.array(sorted(keep))
    return Faces(faces.pixels[order], labels[order]), len(faces) - len(order)


def _stratified(labels: NDArray[np.int64], share: float, seed: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Indices to learn from and to hold out, ``share`` of every class held out."""
    generator = np.random.default_rng(seed)
    held: list[NDArray[np.int64]] = []
    for label in range(len(CLASSES)):
        of_class = np.flatnonzero(labels == label)
        held.append(generator.permutation(of_class)[: max(1, round(share * len(of_class)))])
    hold = np.sort(np.concatenate(held))
    return np.setdiff1d(np.arange(len(labels)), hold), hold
