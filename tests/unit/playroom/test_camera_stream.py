"""The playroom as a film file and as an RTSP camera."""

import os
import subprocess
import sys
import time
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

import playroom
from playroom import FIRST_DEMO_SEED, render_clip
from playroom.__main__ import main
from playroom.rtsp import APT_PACKAGES, RtspServer, RtspServerError, gstreamer_available
from playroom.video import NoFramesError, encode

SEED = FIRST_DEMO_SEED + 600
needs_gstreamer = pytest.mark.skipif(
    not gstreamer_available(), reason=f"no GStreamer RTSP server: apt-get install {' '.join(APT_PACKAGES)}"
)


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    assert encode(render_clip(SEED, "playfight", 2.0, 15, (320, 180)), path, 15) == 30
    return path


def packets(url: str, at_most: int = 10_000) -> int:
    """Read to the end of the stream; how many packets came."""
    count = 0
    with av.open(url, options={"rtsp_transport": "tcp"}, timeout=(10, 10)) as stream:
        for packet in stream.demux(video=0):
            count += packet.size > 0
            if count >= at_most:
                break
    return count


def test_a_film_holds_every_frame_and_looks_like_it(film: Path) -> None:
    drawn = list(render_clip(SEED, "playfight", 2.0, 15, (320, 180)))
    with av.open(str(film)) as container:
        stream = container.streams.video[0]
        assert stream.codec_context.name == "h264"
        assert stream.average_rate == 15
        read = [frame.to_ndarray(format="bgr24") for frame in container.decode(stream)]
    assert len(read) == 30
    assert max(np.abs(a.astype(int) - b.astype(int)).mean() for a, b in zip(drawn, read, strict=True)) < 8


@pytest.mark.parametrize(("gop_s", "keys"), [(1.0, [0, 15]), (0.4, [0, 6, 12, 18, 24])])
def test_key_frames_come_as_often_as_asked(tmp_path: Path, gop_s: float, keys: list[int]) -> None:
    path = tmp_path / "film.mp4"
    encode(render_clip(SEED, "sit", 2.0, 15, (128, 96)), path, 15, gop_s=gop_s)
    with av.open(str(path)) as container:
        found = [k for k, p in enumerate(p for p in container.demux(video=0) if p.size) if p.is_keyframe]
    assert found == keys


def test_a_film_without_frames_is_refused_and_leaves_no_file(tmp_path: Path) -> None:
    with pytest.raises(NoFramesError):
        encode([], tmp_path / "film.mp4", 15)
    assert list(tmp_path.iterdir()) == []


def test_the_command_writes_a_film_and_tells_the_truth(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.mp4"
    words = ["--seed", str(SEED), "--scene", "assault", "--duration", "1", "--size", "160x90", "--out", str(path)]
    assert main(words) == 0
    assert "physical from" in capsys.readouterr().out
    with av.open(str(path)) as container:
        assert sum(1 for _ in container.decode(video=0)) == 15


@pytest.mark.parametrize("words", [[], ["--out", "x.mp4", "--size", "wide"], ["--out", "x.mp4", "--scene", "picnic"]])
def test_wrong_usage_exits_with_two(words: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2


@needs_gstreamer
def test_the_camera_plays_in_real_time_and_ends_with_the_film(film: Path) -> None:
    with RtspServer(film) as camera:
        assert camera.url.startswith("rtsp://127.0.0.1:")
        started = time.monotonic()
        assert packets(camera.url) == 30
        assert 1.8 <= time.monotonic() - started < 8


@needs_gstreamer
def test_the_camera_can_be_opened_again_after_the_end(film: Path) -> None:
    with RtspServer(film) as camera:
        assert [packets(camera.url) for _ in range(2)] == [30, 30]


@needs_gstreamer
def test_a_looping_camera_does_not_end(film: Path) -> None:
    with RtspServer(film, loop=True) as camera:
        assert packets(camera.url, at_most=70) == 70


@needs_gstreamer
def test_opencv_opens_the_camera_too(film: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENCV_FFMPEG_CAPTURE_OPTIONS", "rtsp_transport;tcp")
    with RtspServer(film) as camera:
        capture = cv2.VideoCapture(camera.url, cv2.CAP_FFMPEG)
        try:
            found, frame = capture.read()
        finally:
            capture.release()
    assert found
    assert frame.shape == (180, 320, 3)


@needs_gstreamer
def test_the_server_is_gone_when_the_context_ends_and_the_port_is_free_again(film: Path) -> None:
    with RtspServer(film) as camera:
        pid, port = camera.pid, int(camera.url.rsplit(":", 1)[1].split("/")[0])
        assert pid
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    with RtspServer(film, port) as again:
        assert packets(again.url, at_most=3) == 3


@needs_gstreamer
def test_the_server_ends_when_its_owner_is_killed(film: Path) -> None:
    code = (
        "import sys, time; from playroom.rtsp import RtspServer\n"
        "with RtspServer(sys.argv[1]) as camera: print(camera.pid, flush=True); time.sleep(60)"
    )
    here = {"PYTHONPATH": str(Path(playroom.__file__).parents[1])}
    owner = subprocess.Popen([sys.executable, "-c", code, str(film)], stdout=subprocess.PIPE, text=True, env=here)
    with owner:
        assert owner.stdout
        pid = int(owner.stdout.readline())
        owner.kill()
    for _ in range(100):
        if not Path(f"/proc/{pid}").exists() or "\nState:\tZ" in Path(f"/proc/{pid}/status").read_text():
            return
        time.sleep(0.1)
    os.kill(pid, 15)
    pytest.fail("the server outlived its owner by 10 s")


@needs_gstreamer
def test_what_cannot_be_served_is_said(film: Path, tmp_path: Path) -> None:
    nonsense = tmp_path / "nonsense.mp4"
    nonsense.write_bytes(b"no film at all")
    for path in (nonsense, tmp_path / "missing.mp4"):
        with pytest.raises(RtspServerError, match=r"H\.264"), RtspServer(path):
            pass
    with RtspServer(film) as camera:
        port = int(camera.url.rsplit(":", 1)[1].split("/")[0])
        with pytest.raises(RtspServerError, match="taken"), RtspServer(film, port):
            pass
