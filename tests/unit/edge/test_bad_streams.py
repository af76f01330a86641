"""Streams that are wrong in one way or another: one clear message, or a clip that plays."""

from __future__ import annotations

import socket
import threading

import av
import numpy as np
import pytest

from tests.unit.edge.scenes import FPS, encode, film, pictures_in, walking
from uriai_edge.capture import Source, SourceError
from uriai_edge.config import Camera, Clips, Motion
from uriai_edge.replay import replay


def told(source: str, **options) -> str:
    with pytest.raises(SourceError) as error:
        opened = Source(Camera(number=1, source=source, timeout_s=2, **options), threading.Event())
        try:
            list(opened.packets())
        finally:
            opened.close()
    return str(error.value)


def test_nothing_at_the_address_is_told_without_the_password():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    message = told(f"rtsp://127.0.0.1:{port}/live", username="admin", password="geheim-77")
    assert "nothing answers at this address and port" in message and "geheim" not in message


def test_a_host_that_takes_the_call_and_stays_silent_is_given_up_in_time():
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert "did not answer in time" in told(f"rtsp://127.0.0.1:{server.getsockname()[1]}/live")


@pytest.mark.parametrize(("status", "words"), [(401, "password is wrong"), (404, "nothing under this path")])
def test_the_cameras_refusal_is_told_in_words(status, words):
    with socket.create_server(("127.0.0.1", 0)) as server:

        def refuse():
            for _ in range(4):
                try:
                    client, _ = server.accept()
                except OSError:
                    return
                with client:
                    while data := client.recv(4096):
                        sequence = next((p for p in data.split(b"\r\n") if p.lower().startswith(b"cseq")), b"CSeq: 1")
                        realm = b'WWW-Authenticate: Basic realm="camera"\r\n' if status == 401 else b""
                        client.sendall(b"RTSP/1.0 %d No\r\n%s\r\n%s\r\n" % (status, sequence, realm))

        threading.Thread(target=refuse, daemon=True).start()
        url = f"rtsp://127.0.0.1:{server.getsockname()[1]}/live"
        assert words in told(url, username="admin", password="geheim-78")


def test_an_unusable_codec_is_named_with_what_to_set(tmp_path):
    video = encode(tmp_path / "in.mkv", film(10, size=(160, 96)), codec="ffv1")
    assert "codec is ffv1; set the camera to H.264 or H.265" in told(str(video))


def test_sound_alone_is_no_video(tmp_path):
    with av.open(str(tmp_path / "in.mp4"), "w") as container:
        sound = container.add_stream("aac", rate=8000)
        quiet = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        quiet.sample_rate = 8000
        container.mux(sound.encode(quiet))
        container.mux(sound.encode(None))
    assert "holds only audio" in told(str(tmp_path / "in.mp4"))


@pytest.mark.parametrize(("content", "words"), [(b"", "is empty"), (b"no video at all " * 99, "not a video")])
def test_what_is_no_video_is_told(tmp_path, content, words):
    (tmp_path / "in.mp4").write_bytes(content)
    assert words in told(str(tmp_path / "in.mp4"))


def test_a_stream_without_timestamps_and_rate_makes_clips_that_play(tmp_path):
    video = encode(tmp_path / "in.h264", film(20 * FPS, walking([(8, 11)]), noise=1))
    clips = list(replay(str(video), tmp_path / "out", Motion(), Clips()))
    assert clips and all(pictures_in(clip.file) > 5 * FPS for clip in clips)


def test_timestamps_that_jump_make_clips_that_play(tmp_path):
    video = encode(tmp_path / "in.mp4", film(20 * FPS, walking([(8, 11)]), noise=1))
    with av.open(str(video)) as source, av.open(str(tmp_path / "jumps.mkv"), "w") as target:
        taken = source.streams.video[0]
        stream = target.add_stream_from_template(taken)
        for number, packet in enumerate(packet for packet in source.demux(taken) if packet.size):
            packet.stream = stream
            if number >= 6 * FPS:
                packet.pts += 10**8
                packet.dts += 10**8
            target.mux_one(packet)
    clips = list(replay(str(tmp_path / "jumps.mkv"), tmp_path / "out", Motion(), Clips()))
    assert len(clips) == 1 and clips[0].end_s < 21
    assert pictures_in(clips[0].file) > 5 * FPS


@pytest.mark.parametrize("size", [(322, 178), (162, 98), (66, 42), (1000, 42)])
def test_odd_sizes_are_watched(tmp_path, size):
    video = encode(tmp_path / "in.mp4", film(6 * FPS, walking([(3, 5)], w=6, h=6), size=size), gop=15)
    for clip in replay(str(video), tmp_path / "out", Motion(), Clips()):
        assert pictures_in(clip.file)


def test_pictures_of_a_few_pixels_are_no_fault(tmp_path):
    video = encode(tmp_path / "in.mp4", (np.full((16, 16), 8 * n, np.uint8) for n in range(30)), gop=15)
    list(replay(str(video), tmp_path / "out", Motion(), Clips()))


def test_a_film_of_one_picture_makes_no_clip_and_no_fault(tmp_path):
    video = encode(tmp_path / "in.mp4", film(1, size=(160, 96)))
    assert list(replay(str(video), tmp_path / "out", Motion(), Clips())) == []
