"""A camera that speaks HTTP: its pictures arrive, its sound does not, and what it refuses is told in words."""

from __future__ import annotations

import base64
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import av
import pytest

from tests.unit.edge.scenes import FPS, encode, film, packets_of, walking
from uriai_edge.capture import Source, SourceError, SourceLostError
from uriai_edge.clips import ClipCutter
from uriai_edge.config import Camera, Clips, Motion
from uriai_edge.gate import Gate
from uriai_edge.replay import _FolderSink

SECRET = "geheim-91"


@contextmanager
def camera(video: Path) -> Iterator[str]:
    """Serve ``video`` at /live to who knows the password; anything else is not there."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            known = "Basic " + base64.b64encode(f"admin:{SECRET}".encode()).decode()
            status = 404 if self.path != "/live" else 200 if self.headers.get("Authorization") == known else 401
            self.send_response(status)
            if status == 401:
                self.send_header("WWW-Authenticate", 'Basic realm="camera"')
            self.send_header("Connection", "close")
            self.end_headers()
            if status == 200:
                self.wfile.write(video.read_bytes())

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()


@pytest.fixture(scope="module")
def video(tmp_path_factory) -> Path:
    pictures = film(10 * FPS, walking([(4, 6)]), noise=1, size=(320, 180))
    return encode(tmp_path_factory.mktemp("http") / "in.ts", pictures, gop=15, audio=True)


def test_every_picture_arrives_and_a_clip_holds_no_sound(tmp_path, video):
    with av.open(str(video)) as container:
        assert container.streams.audio
    with camera(video) as address:
        settings = Camera(number=1, source=f"{address}/live", username="admin", password=SECRET, timeout_s=5)
        source = Source(settings, threading.Event())
        gate = Gate(Motion(), source.codec, source.extradata)
        sink = _FolderSink(tmp_path, "http", source.template)
        cutter = ClipCutter(Clips(), sink, 13.0)
        arrived = []
        with pytest.raises(SourceLostError, match="after 150 pictures"):  # a camera never ends by itself
            for packet in source.packets():
                arrived.append(packet.data)
                cutter.feed(packet, gate.feed(packet))
        cutter.end()
        source.close()
    assert arrived == packets_of(video)
    (clip,) = sink.clips
    with av.open(str(clip.file)) as container:
        assert container.streams.video and not container.streams.audio
        assert sum(1 for _ in container.decode(video=0)) > 5 * FPS


@pytest.mark.parametrize(
    ("path", "password", "words"),
    [("live", "wrong-91", "user name or password is wrong (401)"), ("gone", SECRET, "nothing under this path (404)")],
)
def test_what_the_camera_refuses_is_told_without_the_password(video, path, password, words):
    with camera(video) as address, pytest.raises(SourceError) as error:
        Source(
            Camera(number=1, source=f"{address}/{path}", username="admin", password=password, timeout_s=5),
            threading.Event(),
        )
    assert words in str(error.value)
    assert password not in str(error.value)
