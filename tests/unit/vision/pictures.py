"""Clips and pictures made for tests: nobody real is in them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

Picture = np.ndarray


def room(width: int = 320, height: int = 240) -> Picture:
    """A still, slightly textured background, BGR."""
    columns, rows = np.meshgrid(np.arange(width), np.arange(height))
    gray = 150 + 5 * np.sin(columns / 47) + 5 * np.cos(rows / 31)
    return np.repeat(gray[..., None], 3, axis=2).astype(np.uint8)


def shaking(seconds: float, width: int = 320, height: int = 240) -> Picture:
    """Broad stripes that light up at random in every frame: as much change as a picture can have."""
    picture = room(width, height)
    lit = np.random.default_rng(round(seconds * 1000)).random(width // 20 + 1) < 0.5
    picture[:, lit[np.arange(width) // 20]] = 245
    return picture


def still(seconds: float) -> Picture:
    del seconds
    return room()


def with_face(picture: Picture, x: int, y: int, radius: int) -> Picture:
    """A drawn face of about 1.5 x 2 radii, centred there."""
    drawn, r = picture.copy(), radius
    cv2.ellipse(drawn, (x, y - r // 5), (int(r * 0.85), int(r * 1.15)), 0, 180, 360, (30, 35, 45), -1)
    cv2.ellipse(drawn, (x, y), (int(r * 0.75), r), 0, 0, 360, (140, 170, 215), -1)
    for side in (-1, 1):
        eye = (x + side * int(r * 0.3), y - int(r * 0.15))
        cv2.ellipse(drawn, eye, (int(r * 0.15), int(r * 0.08)), 0, 0, 360, (245, 245, 245), -1)
        cv2.circle(drawn, eye, max(1, int(r * 0.07)), (30, 30, 30), -1)
        brow = y - int(r * 0.35)
        cv2.line(drawn, (x + side * int(r * 0.15), brow), (x + side * int(r * 0.45), brow), (40, 50, 60), 2)
    cv2.line(drawn, (x, y - int(r * 0.1)), (x - int(r * 0.08), y + int(r * 0.2)), (110, 140, 185), 2)
    cv2.ellipse(drawn, (x, y + int(r * 0.48)), (int(r * 0.28), int(r * 0.1)), 0, 0, 360, (90, 90, 190), -1)
    return drawn


def write_clip(
    path: Path,
    picture: Callable[[float], Picture] = still,
    seconds: float = 3.0,
    fps: float = 25.0,
    times_s: Sequence[float] | None = None,
    options: dict[str, str] | None = None,
) -> Path:
    """An H.264 file of ``picture(t)``; ``times_s`` instead of an even rate gives every frame its own time."""
    container = av.open(str(path), "w", options=options or {})
    instants = list(times_s) if times_s is not None else [number / fps for number in range(round(seconds * fps))]
    size = picture(instants[0]).shape
    stream = container.add_stream("libx264", rate=Fraction(fps).limit_denominator(1001))
    stream.width, stream.height, stream.pix_fmt = size[1], size[0], "yuv420p"
    stream.options = {"preset": "ultrafast", "crf": "18"}
    stream.codec_context.time_base = Fraction(1, 90_000)
    for instant in instants:
        frame = av.VideoFrame.from_ndarray(picture(instant), format="bgr24")
        frame.pts, frame.time_base = round(instant * 90_000), Fraction(1, 90_000)
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))
    container.close()
    return path


def write_sound(path: Path, seconds: float = 1.0) -> Path:
    """An MP4 with sound and nothing to see."""
    with av.open(str(path), "w", format="mp4") as container:
        stream = container.add_stream("aac", rate=16_000)
        for start in range(0, int(seconds * 16_000), 1024):
            wave = np.sin(np.arange(start, start + 1024) / 9)[None].astype(np.float32)
            frame = av.AudioFrame.from_ndarray(wave, format="fltp", layout="mono")
            frame.sample_rate, frame.pts = 16_000, start
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def rotated(path: Path, target: Path) -> Path:
    """The same clip, stated to be shown turned by 90 degrees clockwise (the matrix of its track header)."""
    content = bytearray(path.read_bytes())
    header = content.index(b"tkhd") + 4
    matrix = header + (52 if content[header] == 1 else 40)
    numbers = (0, 0x10000, 0, -0x10000, 0, 0, 240 << 16, 0, 0x40000000)
    content[matrix : matrix + 36] = b"".join(number.to_bytes(4, "big", signed=True) for number in numbers)
    target.write_bytes(content)
    return target


def with_declared_duration(path: Path, target: Path, seconds: float) -> Path:
    """The same clip whose headers say that it plays that long."""
    content = bytearray(path.read_bytes())
    movie = content.index(b"mvhd") + 4
    timescale = int.from_bytes(content[movie + 12 : movie + 16], "big")
    ticks = round(seconds * timescale).to_bytes(4, "big")
    content[movie + 16 : movie + 20] = ticks
    track = content.index(b"tkhd") + 4
    content[track + 20 : track + 24] = ticks
    edits = content.find(b"elst")
    if edits >= 0:
        content[edits + 12 : edits + 16] = ticks
    target.write_bytes(content)
    return target
