"""Writing frames as an H.264 MP4, through PyAV (used by the demonstration and by development only)."""

from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
import numpy as np
from av.video.stream import VideoStream
from numpy.typing import NDArray


class NoFramesError(ValueError):
    """There was nothing to write."""


def encode(
    frames: Iterable[NDArray[np.uint8]],
    path: Path | str,
    fps: int,
    codec: str = "libx264",
    gop_s: float = 1.0,
    bit_rate: int | None = None,
) -> int:
    """Write ``frames`` (each height x width x 3, BGR, all of one even size) to ``path``; return how many.

    A key frame comes every ``gop_s`` seconds and there are no B-frames, as from a CCTV camera. Without ``bit_rate``
    (bits a second) libx264 keeps a constant quality. Raises NoFramesError for an empty iterable.
    """
    count = 0
    options = {"preset": "veryfast", "tune": "zerolatency"} if codec == "libx264" else {}
    if codec == "libx264" and bit_rate is None:
        options["crf"] = "23"
    with av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"}) as container:
        stream = cast(VideoStream, container.add_stream(codec, rate=fps, options=options))
        stream.pix_fmt = "yuv420p"
        stream.codec_context.gop_size = max(1, round(gop_s * fps))
        stream.codec_context.max_b_frames = 0
        stream.codec_context.thread_count = 1
        if bit_rate:
            stream.bit_rate = bit_rate
        for frame in frames:
            if count == 0:
                stream.height, stream.width = frame.shape[:2]
            picture = av.VideoFrame.from_ndarray(frame, format="bgr24")
            picture.pts = count
            picture.time_base = Fraction(1, fps)
            container.mux(stream.encode(picture))
            count += 1
        if count:
            container.mux(stream.encode(None))
    if count == 0:
        Path(path).unlink(missing_ok=True)
        raise NoFramesError(f"no frames to write to {path}")
    return count
