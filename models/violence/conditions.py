"""What may befall a recording, done to real clips: dark, infrared, blur, few pixels, few frames, compression, a tilt.

Every condition works on the whole picture at its own size, before the analyser shrinks it, and is the same each time.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from models.violence import data

Picture = NDArray[np.uint8]
Change = Callable[[Picture, float, np.random.Generator], Picture]
SLOW_FPS = 5.0
CRF = 40


@dataclass(frozen=True)
class Recording:
    """A clip's frames in BGR at their own size, and each frame's time in seconds."""

    pictures: Sequence[Picture]
    at_s: NDArray[np.float64]


def low_light(picture: Picture, t_s: float, generator: np.random.Generator) -> Picture:
    """A fifth of the light, and a sensor's noise of 4 grey levels over it."""
    del t_s
    return _noisy(picture.astype(np.float32) * 0.2 + 2, 4.0, generator)


def infrared(picture: Picture, t_s: float, generator: np.random.Generator) -> Picture:
    """Night vision: grey, hardly any blue, brighter in the middle than at the edges, noise of 5 grey levels."""
    del t_s
    gray = picture.astype(np.float32) @ np.array([0.1, 0.35, 0.55], np.float32)
    height, width = gray.shape
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j].astype(np.float32)
    lit = gray * (1.15 - 0.45 * (x * x + y * y))
    return np.repeat(_noisy(lit, 5.0, generator)[:, :, None], 3, axis=2)


def blur(picture: Picture, t_s: float, generator: np.random.Generator) -> Picture:
    """Out of focus: Gaussian, deviation 1 % of the width."""
    del t_s, generator
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), picture.shape[1] / 100), np.uint8)


def few_lines(picture: Picture, t_s: float, generator: np.random.Generator) -> Picture:
    """160 lines."""
    del t_s, generator
    width = max(2, round(picture.shape[1] * 160 / picture.shape[0]))
    return np.asarray(cv2.resize(picture, (width, 160), interpolation=cv2.INTER_AREA), np.uint8)


def tilt(picture: Picture, t_s: float, generator: np.random.Generator) -> Picture:
    """The camera hangs 15 degrees askew; the corners are black."""
    del t_s, generator
    height, width = picture.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), 15, 1.0)
    return np.asarray(cv2.warpAffine(picture, matrix, (width, height)), np.uint8)


def borders(picture: Picture, t_s: float, generator: np.random.Generator) -> Picture:
    """Black bars over 12.5 % of the width on either side, the picture squeezed between them."""
    del t_s, generator
    height, width = picture.shape[:2]
    bar = width // 8
    inner = cv2.resize(picture, (width - 2 * bar, height), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.copyMakeBorder(inner, 0, 0, bar, bar, cv2.BORDER_CONSTANT), np.uint8)


def text(picture: Picture, t_s: float, generator: np.random.Generator) -> Picture:
    """A running clock with hundredths at the top and a camera's name at the bottom, white on the picture."""
    del generator
    height, width = picture.shape[:2]
    written = picture.copy()
    scale, font = width / 500, cv2.FONT_HERSHEY_SIMPLEX
    clock = f"2026-03-02 10:00:{t_s % 60:05.2f}"
    cv2.putText(written, clock, (width // 40, height // 12), font, scale, (255, 255, 255), 2)
    cv2.putText(written, "CAM 03  CORRIDOR", (width // 40, height - height // 24), font, scale, (255, 255, 255), 2)
    return written


def slow(recording: Recording) -> Recording:
    """The frames that a camera of 5 a second would have taken."""
    step = 1 / SLOW_FPS
    instants = np.arange(recording.at_s[0], recording.at_s[-1] + step / 2, step)
    kept = [int(np.abs(recording.at_s - instant).argmin()) for instant in instants]
    kept = list(dict.fromkeys(kept))
    return Recording([recording.pictures[k] for k in kept], recording.at_s[kept])


def compressed(recording: Recording) -> Recording:
    """Through H.264 at a constant rate factor of 40, where blocks are plain to see."""
    import av  # nothing else in training needs it

    height, width = (side // 2 * 2 for side in recording.pictures[0].shape[:2])
    step = float(np.median(np.diff(recording.at_s)))
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=max(1, round(1 / step)))
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.options = {"crf": str(CRF), "preset": "veryfast"}
        stream.thread_count = 1
        for picture in recording.pictures:
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture[:height, :width]), format="bgr24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    buffer.seek(0)
    with av.open(buffer, "r") as container:
        pictures = [np.asarray(f.to_ndarray(format="bgr24"), np.uint8) for f in container.decode(video=0)]
    return Recording(pictures, recording.at_s[: len(pictures)])


PICTURE_CHANGES: dict[str, Change] = {
    "low light": low_light,
    "infrared": infrared,
    "blur": blur,
    "160 lines": few_lines,
    "tilted 15 degrees": tilt,
    "black borders": borders,
    "burned-in text": text,
}
RECORDING_CHANGES: dict[str, Callable[[Recording], Recording]] = {"5 frames a second": slow, "H.264 CRF 40": compressed}
NAMES = (*PICTURE_CHANGES, *RECORDING_CHANGES)


def read(path: Path) -> Recording:
    """Every frame of a video at its own size. Raises ``data.ClipUnreadableError``."""
    pictures: list[Picture] = []
    fps = data.each_frame(path, pictures.append)
    return Recording(pictures, np.arange(len(pictures)) / fps)


def windows(recording: Recording, condition: str, name: str) -> list[Picture]:
    """The product's windows, uint8 [17, 224, 224, 3] RGB each, of a recording of clip ``name`` under a condition."""
    if condition in RECORDING_CHANGES:
        recording = RECORDING_CHANGES[condition](recording)
    change = PICTURE_CHANGES.get(condition)
    generator = np.random.default_rng(zlib.crc32(f"{name}/{condition}".encode()))
    frames = data.Frames(np.zeros((len(recording.pictures), 0, 0, 3), np.uint8), recording.at_s)
    chosen = data.window_choices(frames)
    shown: dict[int, Picture] = {}
    for index in sorted({int(k) for of_window in chosen for k in of_window}):
        picture = recording.pictures[index]
        shown[index] = data.resize(change(picture, float(recording.at_s[index]), generator) if change else picture)
    return [np.stack([shown[int(k)] for k in of_window]) for of_window in chosen]


def _noisy(picture: NDArray[np.float32], strength: float, generator: np.random.Generator) -> Picture:
    noise = generator.normal(0, strength, picture.shape).astype(np.float32)
    return (picture + noise).clip(0, 255).astype(np.uint8)
