"""``python -m playroom``: render a scene or the demonstration programme to a file, or serve it as an RTSP camera."""

import argparse
import signal
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from playroom.acts import DEMO_PROGRAMME, DEMO_SEED, SCENES, Act
from playroom.render import frame_count, render_programme, truth
from playroom.room import Image
from playroom.rtsp import APT_PACKAGES, RtspServer, RtspServerError, gstreamer_available
from playroom.video import encode


def main(words: Sequence[str] | None = None) -> int:
    """Exit codes: 0 done, 1 the camera could not be served, 2 usage."""
    parser = argparse.ArgumentParser(
        prog="playroom", description="A rendered playroom (no real people) as a film or as an RTSP camera."
    )
    parser.add_argument("--seed", type=int, default=DEMO_SEED)
    parser.add_argument("--scene", choices=(*SCENES, "programme"), default="programme")
    parser.add_argument("--duration", type=float, default=10.0, help="seconds, for a single scene (default 10)")
    parser.add_argument("--fps", type=int, default=15)
    parser.add_argument("--size", default="640x360", help="WIDTHxHEIGHT (default 640x360)")
    parser.add_argument("--started-at", type=datetime.fromisoformat, help="ISO 8601; the burned-in clock starts here")
    parser.add_argument("--out", type=Path, help="MP4 to write")
    parser.add_argument("--rtsp", type=int, metavar="PORT", help="serve it on 127.0.0.1:PORT/camera1 until Ctrl-C")
    parser.add_argument("--loop", action="store_true", help="with --rtsp: begin again at the end")
    chosen = parser.parse_args(words)
    if chosen.out is None and chosen.rtsp is None:
        parser.error("say where it shall go: --out FILE.mp4, --rtsp PORT, or both")
    try:
        width, height = (int(part) for part in chosen.size.split("x"))
        acts = DEMO_PROGRAMME if chosen.scene == "programme" else (Act(chosen.scene, chosen.duration),)
        started_at = chosen.started_at or datetime.now(UTC).astimezone()
        frames = render_programme(chosen.seed, acts, chosen.fps, (width, height), started_at)
    except ValueError as error:
        parser.error(str(error))
    if chosen.rtsp is not None and not gstreamer_available():
        print(f"no GStreamer RTSP server here: apt-get install {' '.join(APT_PACKAGES)}", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory(prefix="playroom-") as folder:
        film = chosen.out or Path(folder) / "film.mp4"
        encode(_told(frames, frame_count(acts, chosen.fps)), film, chosen.fps)
        for span in truth(chosen.seed, acts):
            print(f"{film}: {span.kind} from {span.start_s:.2f} s to {span.end_s:.2f} s")
        return 0 if chosen.rtsp is None else _serve(film, chosen.rtsp, chosen.loop)


def _serve(film: Path, port: int, loop: bool) -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # so that the server is ended too
    try:
        with RtspServer(film, port, loop=loop) as camera:
            print(f"{camera.url} (Ctrl-C ends it)", flush=True)
            return camera.wait()
    except RtspServerError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0


def _told(frames: Iterable[Image], count: int) -> Iterator[Image]:
    """The frames, with progress on stderr once a second."""
    said = time.monotonic()
    for k, frame in enumerate(frames):
        if time.monotonic() - said > 1:
            said = time.monotonic()
            print(f"rendering {k} of {count} frames", file=sys.stderr)
        yield frame


if __name__ == "__main__":
    sys.exit(main())
