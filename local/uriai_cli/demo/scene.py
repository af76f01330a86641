"""What the demo's camera sees: the rendered playroom, or what the user names."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from zoneinfo import ZoneInfo

from playroom import DEMO_PROGRAMME, DEMO_SEED, frame_count, render_programme, total_s
from playroom.rtsp import APT_PACKAGES, RtspServer, gstreamer_available
from playroom.video import encode
from uriai_cli.demo.site import CAMERA, CENTRE
from uriai_cli.errors import CliError
from uriai_cloud.home import Home

FPS = 15
SIZE = (640, 360)
STARTING_TAKES = timedelta(seconds=4)
"""About how long the camera and the agent take to start once the film is there."""


@dataclass(frozen=True, slots=True)
class Scene:
    """A source for the agent.

    ``length_s`` is known of a film that plays like a live camera; a file ends by itself, and an ``endless`` camera
    never does. ``end`` switches the camera off.
    """

    source: str
    about: str
    length_s: float | None = None
    endless: bool = False
    end: Callable[[], None] = lambda: None


@contextmanager
def open_scene(source: str | None, home: Home, progress: Callable[[str], None]) -> Iterator[Scene]:
    """Yield the scene while its camera is there: the user's source, or the rendered playroom, as RTSP if possible.

    Raises
    ------
    CliError
        If the user's file does not exist.
    """
    if source is not None:
        yield named_scene(source)
        return
    film = _film(home, progress)
    if not gstreamer_available():
        progress(f"no GStreamer here (apt-get install {' '.join(APT_PACKAGES)}): the rendered film is read as a file")
        yield Scene(str(film), "rendered playroom, as a file: nobody in it is real")
        return
    with ExitStack() as stack:
        camera = stack.enter_context(RtspServer(film))
        about = f"rendered playroom at {camera.url}: nobody in it is real"
        yield Scene(camera.url, about, total_s(DEMO_PROGRAMME), end=stack.close)


def named_scene(source: str) -> Scene:
    """The user's file or camera.

    Raises
    ------
    CliError
        If it is a file that does not exist.
    """
    if "://" in source or source.startswith("webcam:"):
        return Scene(source, "your camera; Ctrl-C ends it", endless=True)
    path = Path(source).expanduser()
    if not path.is_file():
        raise CliError(f"{source}: no such file; give a video file, rtsp://…, http://… or webcam:0", exit_code=2)
    return Scene(str(path.resolve()), f"your file {path.name}, at its own speed")


def _film(home: Home, progress: Callable[[str], None]) -> Path:
    """Render the programme anew, so that the time in the picture is the time of the demo."""
    film = home.path / "demo" / "playroom.mp4"
    film.parent.mkdir(mode=0o700, exist_ok=True)
    progress(f"camera     rendering {total_s(DEMO_PROGRAMME):.0f} s of a playroom in which nobody is real")
    part = film.with_name("playroom.part.mp4")
    # the film is played when it is whole, so its clock has to be ahead by the time that rendering will take
    began = time.monotonic()
    sample = encode(islice(render_programme(DEMO_SEED, DEMO_PROGRAMME, FPS, SIZE), 3 * FPS), part, FPS)
    rendering_s = (time.monotonic() - began) * frame_count(DEMO_PROGRAMME, FPS) / sample
    started_at = datetime.now(ZoneInfo(CENTRE.time_zone)) + timedelta(seconds=rendering_s) + STARTING_TAKES
    frames = render_programme(DEMO_SEED, DEMO_PROGRAMME, FPS, SIZE, started_at, CAMERA)
    encode(frames, part, FPS)
    part.replace(film)
    return film
