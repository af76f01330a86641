"""Shows what would have made a clip: the score over time as a drawing (SVG), and the recording, what moved marked."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
import numpy as np
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray

from uriai_edge.capture import Source, SourceError
from uriai_edge.config import Camera, Motion
from uriai_edge.gate import Gate
from uriai_edge.motion import Sample
from uriai_edge.zones import lay_out

_WIDTH, _HEIGHT, _LEFT, _TOP, _BOTTOM = 1200, 320, 60, 20, 40
_DECADES = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)
_VIDEO_WIDTH = 960
_STRIP = 24  # height of the score's bar below the picture
_CODECS = ("libx264", "libopenh264", "mpeg4")
_RED, _AMBER, _GRAY = (220, 40, 40), (230, 160, 30), (70, 70, 70)


def tune(file: str, motion: Motion) -> Iterator[Sample]:
    """Judge every sampled picture of ``file`` as the agent would with everything decoded.

    Raises
    ------
    SourceError
        If the file cannot be read.
    """
    source = Source(Camera(number=1, source=file, pace="fast"), threading.Event())
    try:
        gate = Gate(motion, source.codec, source.extradata, everything=True)
        for packet in source.packets():
            gate.feed(packet)
            yield from gate.drain_samples()
    finally:
        source.close()


def plot(samples: Sequence[Sample], motion: Motion) -> str:
    """The score over time as SVG, logarithmic; movement as a band, switched lights as lines, the least area dashed."""
    end_s = max((sample.time_s for sample in samples), default=1.0) or 1.0
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" font-family="sans-serif" '
        'font-size="12"><rect width="100%" height="100%" fill="white"/>'
    ]
    begun: float | None = None
    for sample in [*samples, None]:
        moving = sample is not None and sample.movement is not None
        now = end_s if sample is None else sample.time_s
        if moving and begun is None:
            begun = now
        elif not moving and begun is not None:
            left, right = _x(begun, end_s), _x(now, end_s)
            parts.append(
                f'<rect class="movement" x="{left:.1f}" y="{_TOP}" width="{max(1.0, right - left):.1f}" '
                f'height="{_HEIGHT - _TOP - _BOTTOM}" fill="#f6c9c9"/>'
            )
            begun = None
    for sample in samples:
        if sample.light_switch:
            x = _x(sample.time_s, end_s)
            parts.append(f'<path class="light" d="M{x:.1f} {_TOP}V{_HEIGHT - _BOTTOM}" stroke="#e6a01e"/>')
    for decade in _DECADES:
        y = _y(decade)
        parts.append(f'<path d="M{_LEFT} {y:.1f}H{_WIDTH}" stroke="#ddd"/>')
        parts.append(f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{decade:.4g}</text>')
    limits = [(None, motion.min_area), *((zone.name, zone.min_area) for zone in motion.zones)]
    for name, limit in limits:
        if limit is not None:
            parts.append(f'<path d="M{_LEFT} {_y(limit):.1f}H{_WIDTH}" stroke="#c00" stroke-dasharray="6 4"/>')
            label = "min_area" if name is None else f"min_area, {_escaped(name)}"
            parts.append(f'<text x="{_WIDTH - 4}" y="{_y(limit) - 4:.1f}" text-anchor="end" fill="#c00">{label}</text>')
    points = " ".join(f"{_x(sample.time_s, end_s):.1f},{_y(sample.score):.1f}" for sample in samples)
    parts.append(f'<polyline points="{points}" fill="none" stroke="#147" stroke-width="1.2"/>')
    for number in range(11):
        second = end_s * number / 10
        x = _x(second, end_s)
        parts.append(f'<text x="{x:.1f}" y="{_HEIGHT - _BOTTOM + 16}" text-anchor="middle">{second:.0f} s</text>')
    parts.append(
        f'<text x="{_LEFT}" y="{_HEIGHT - 6}">largest connected share of the picture that moved; '
        "red: movement, a clip; amber: light switched</text></svg>"
    )
    return "\n".join(parts)


def annotate(file: str, samples: Sequence[Sample], motion: Motion, target: Path) -> None:
    """Write ``file`` anew to ``target`` with what moved in red, ignored zones darkened and the score as a bar.

    Raises
    ------
    SourceError
        If the file cannot be read.
    OSError
        If ``target`` cannot be written.
    """
    try:
        with av.open(file) as source, av.open(str(target), "w") as container:
            taken = source.streams.video[0]
            factor = max(1, round(taken.width / _VIDEO_WIDTH))
            width, height = taken.width // factor // 2 * 2, taken.height // factor // 2 * 2
            stream = _stream(container, taken, width, height + _STRIP)
            counts = lay_out(motion, (height, width)).counts
            first: float | None = None
            at, last_pts = 0, -1
            for frame in source.decode(taken):
                shown_s = float(frame.time or 0.0)
                first = shown_s if first is None else first
                while at + 1 < len(samples) and samples[at + 1].time_s <= shown_s - first + 1e-3:
                    at += 1
                scaled = frame.reformat(width=width, height=height, format="rgb24")
                picture = scaled.to_ndarray().astype(np.uint8, copy=False)
                marked = VideoFrame.from_ndarray(
                    _mark(picture, samples[at] if samples else None, counts, motion), format="rgb24"
                )
                last_pts = max(last_pts + 1, round((shown_s - first) * 1000))
                marked.pts, marked.time_base = last_pts, Fraction(1, 1000)
                container.mux(stream.encode(marked))
            container.mux(stream.encode(None))
    except av.error.FFmpegError as error:
        raise SourceError(f"{file}: cannot be annotated: {error.strerror or error}") from error


def _stream(container: av.container.OutputContainer, taken: VideoStream, width: int, height: int) -> VideoStream:
    codec = next(name for name in _CODECS if name in av.codecs_available)
    stream = cast(VideoStream, container.add_stream(codec, rate=taken.average_rate or 15))
    stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
    stream.codec_context.time_base = Fraction(1, 1000)
    return stream


def _mark(
    picture: NDArray[np.uint8], sample: Sample | None, counts: NDArray[np.bool_], motion: Motion
) -> NDArray[np.uint8]:
    """(H, W, 3) picture with marks, and the score's bar below it: full at a hundred times the least area."""
    height, width = picture.shape[:2]
    picture = picture.copy()
    picture[~counts] //= 2
    bar = np.full((_STRIP, width, 3), 20, np.uint8)
    if sample is not None:
        if sample.mask is not None:
            rows = np.arange(height) * sample.mask.shape[0] // height
            columns = np.arange(width) * sample.mask.shape[1] // width
            moving = sample.mask[rows][:, columns]
            picture[moving] = picture[moving] // 2 + np.array([127, 0, 0], np.uint8)
        share = np.log10(max(sample.score, motion.min_area / 100) / motion.min_area) / 4 + 0.5
        colour = _RED if sample.movement is not None else _AMBER if sample.light_switch else _GRAY
        bar[4:-4, : round(width * min(1.0, share))] = colour
        bar[:, width // 2] = 255  # the least area
        if sample.movement is not None:
            picture[:4] = picture[-4:] = _RED
            picture[:, :4] = picture[:, -4:] = _RED
    return np.concatenate([picture, bar])


def _x(time_s: float, end_s: float) -> float:
    return _LEFT + (_WIDTH - _LEFT - 30) * time_s / end_s


def _y(score: float) -> float:
    share = (np.log10(min(1.0, max(score, _DECADES[0]))) + 4) / 4
    return float(_HEIGHT - _BOTTOM - (_HEIGHT - _TOP - _BOTTOM) * share)


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;")
