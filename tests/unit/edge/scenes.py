"""Synthetic camera pictures for the agent's tests: a still room with noise, boxes that move, lamps that switch."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

Gray = NDArray[np.float32]
FPS = 15
SIZE = (640, 360)


def room(seed: int = 1, size: tuple[int, int] = SIZE) -> Gray:
    """A still picture with structure: floor, wall, furniture of different brightness; gray levels 0..255."""
    chance = np.random.default_rng(seed)
    width, height = size
    picture = np.tile(np.linspace(90, 150, height, dtype=np.float32)[:, None], (1, width))
    for _ in range(14):
        x, y = chance.integers(0, width - 60), chance.integers(0, height - 40)
        w, h = chance.integers(30, 160), chance.integers(20, 90)
        picture[y : y + h, x : x + w] = chance.uniform(40, 210)
    return picture


def box_at(picture: Gray, x: float, y: float, w: int, h: int, level: float) -> None:
    """Draw a box with its upper left corner at (x, y)."""
    top, left = max(0, int(y)), max(0, int(x))
    picture[top : max(0, int(y) + h), left : max(0, int(x) + w)] = level


def film(
    frames: int,
    change: Callable[[Gray, float], None] = lambda _picture, _time_s: None,
    *,
    noise: float = 3.0,
    seed: int = 1,
    fps: int = FPS,
    size: tuple[int, int] = SIZE,
) -> Iterable[NDArray[np.uint8]]:
    """``frames`` pictures of the room, each given to ``change`` with its time in seconds, then covered with noise."""
    chance = np.random.default_rng(seed + 1000)
    still = room(seed, size)
    # A bank of noise, shifted at random, is as good as fresh noise and ten times faster.
    bank = chance.normal(0, noise, (8, *still.shape)).astype(np.float32)
    for number in range(frames):
        picture = still.copy()
        change(picture, number / fps)
        shift = (int(chance.integers(still.shape[0])), int(chance.integers(still.shape[1])))
        picture += np.roll(bank[chance.integers(len(bank))], shift, axis=(0, 1))
        yield np.clip(picture, 0, 255).astype(np.uint8)


def walking(
    spans: Sequence[tuple[float, float]], *, w: int = 40, h: int = 90, level: float = 30.0, speed: float = 80.0
):
    """A box walks to and fro during each span of seconds and is away otherwise; ``speed`` in pixels a second."""

    def change(picture: Gray, time_s: float) -> None:
        for start, end in spans:
            if start <= time_s < end:
                track = picture.shape[1] - 2 * w
                along = (time_s - start) * speed % (2 * track)
                x = along if along < track else 2 * track - along
                box_at(picture, w / 2 + x, picture.shape[0] - h - 40, w, h, level)

    return change


def light_from(switch_s: float, factor: float):
    """A lamp multiplies the brightness from ``switch_s`` on."""

    def change(picture: Gray, time_s: float) -> None:
        if time_s >= switch_s:
            picture *= factor

    return change


def together(*changes: Callable[[Gray, float], None]) -> Callable[[Gray, float], None]:
    """Apply several changes in order."""

    def change(picture: Gray, time_s: float) -> None:
        for one in changes:
            one(picture, time_s)

    return change


def encode(
    path: Path,
    pictures: Iterable[NDArray[np.uint8]],
    *,
    fps: int = FPS,
    gop: int = 30,
    codec: str = "libx264",
    b_frames: int = 0,
    bit_rate: int | None = None,
    audio: bool = False,
) -> Path:
    """Write gray pictures as a video; the container follows from the file's name."""
    with av.open(str(path), "w") as container:
        stream = None
        for picture in pictures:
            if stream is None:
                stream = container.add_stream(codec, rate=Fraction(fps), options=_options(codec, gop, b_frames))
                stream.height, stream.width = picture.shape
                stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
                stream.codec_context.gop_size = gop
                if bit_rate is not None:
                    stream.codec_context.bit_rate = bit_rate
                sound = container.add_stream("aac", rate=8000) if audio else None
            frame = av.VideoFrame.from_ndarray(picture, format="gray")
            container.mux(stream.encode(frame))
        if stream is not None:
            container.mux(stream.encode(None))
        if sound is not None:
            for _ in range(20):
                quiet = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
                quiet.sample_rate = 8000
                container.mux(sound.encode(quiet))
            container.mux(sound.encode(None))
    return path


def _options(codec: str, gop: int, b_frames: int) -> dict[str, str]:
    if codec == "libx264":
        return {
            "preset": "ultrafast",
            "x264-params": f"keyint={gop}:min-keyint={gop}:scenecut=0:bframes={b_frames}:threads=1:log-level=none",
        }
    if codec == "libx265":
        return {
            "preset": "ultrafast",
            "x265-params": f"keyint={gop}:min-keyint={gop}:scenecut=0:bframes={b_frames}:pools=1:log-level=none",
        }
    return {}


def packets_of(path: Path) -> list[bytes]:
    """The video's compressed pictures in decoding order."""
    with av.open(str(path)) as container:
        return [bytes(packet) for packet in container.demux(container.streams.video[0]) if packet.size]


def pictures_in(path: Path) -> int:
    """How many pictures decode."""
    with av.open(str(path)) as container:
        return sum(1 for _ in container.decode(container.streams.video[0]))
