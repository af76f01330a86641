from __future__ import annotations

from pathlib import Path

import cv2
import pytest

from tests.unit.vision.pictures import room, still, with_declared_duration, write_clip, write_sound
from uriai.adapters.vision.limits import Limits
from uriai.adapters.vision.video import Clip
from uriai.service.ports.vision import ClipFault, NotAVideo


def fault_of(path: Path, limits: Limits | None = None) -> NotAVideo:
    with pytest.raises(NotAVideo) as caught, Clip(path, limits) as clip:
        for frame in clip.frames():
            frame.image()
    return caught.value


def test_an_empty_file_is_zero_bytes(tmp_path: Path) -> None:
    path = tmp_path / "empty.mp4"
    path.touch()
    assert fault_of(path).fault is ClipFault.ZERO_BYTES


def test_a_png_named_mp4_is_not_a_video_though_ffmpeg_would_open_it(tmp_path: Path) -> None:
    path = tmp_path / "picture.mp4"
    path.write_bytes(cv2.imencode(".png", room())[1].tobytes())
    assert cv2.VideoCapture(str(path)).isOpened()
    assert fault_of(path).fault is ClipFault.NOT_A_VIDEO


@pytest.mark.parametrize(
    "content",
    [
        b"#EXTM3U\n#EXTINF:9,\nfile:///etc/passwd\n",
        b"ffconcat version 1.0\nfile other.mp4\n",
        b"hello",
        b"\xff\xd8\xff\xe0" + bytes(100),
        b"\0\0\0\x18ftypheic" + bytes(100),
        b"RIFF\0\0\0\0WAVEfmt " + bytes(100),
    ],
    ids=["playlist", "concat list", "text", "jpeg", "heic", "wav"],
)
def test_what_is_no_video_container_never_reaches_the_decoder(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "disguised.mp4"
    path.write_bytes(content)
    assert fault_of(path).reason_code == "not_a_video"


def test_an_mp4_with_sound_only_has_no_video_stream(tmp_path: Path) -> None:
    assert fault_of(write_sound(tmp_path / "sound.mp4")).fault is ClipFault.NO_VIDEO_STREAM


def test_a_clip_cut_off_before_its_index_is_truncated(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.mp4")
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    assert fault_of(path).fault is ClipFault.TRUNCATED


def test_a_clip_whose_index_comes_first_and_whose_pictures_end_early_is_truncated_and_says_how_much_is_there(
    tmp_path: Path,
) -> None:
    path = write_clip(tmp_path / "clip.mp4", seconds=10, options={"movflags": "faststart"})
    content = path.read_bytes()
    assert content.index(b"moov") < content.index(b"mdat")
    path.write_bytes(content[: int(len(content) * 0.6)])
    fault = fault_of(path)
    assert fault.fault is ClipFault.TRUNCATED
    assert "of the stated 10.00 s" in fault.message


def test_a_fragmented_clip_cut_inside_a_fragment_is_truncated(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.mp4", seconds=10, options={"movflags": "frag_keyframe+empty_moov"})
    with Clip(path) as clip:
        assert sum(1 for _ in clip.frames()) == 250
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * 0.6)])
    assert fault_of(path).fault is ClipFault.TRUNCATED


def test_a_clip_that_lacks_its_last_frames_only_is_still_analysed(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.mp4", seconds=4)
    stated = with_declared_duration(path, tmp_path / "stated.mp4", 4.2)
    with Clip(stated) as clip:
        assert sum(1 for _ in clip.frames()) == 100


def test_a_file_of_three_hours_is_refused_by_its_header_without_decoding(tmp_path: Path) -> None:
    path = with_declared_duration(write_clip(tmp_path / "clip.mp4"), tmp_path / "long.mp4", 3 * 3600)
    with pytest.raises(NotAVideo) as caught:
        Clip(path)
    assert caught.value.fault is ClipFault.TOO_LONG


def test_a_file_whose_header_hides_its_length_is_refused_when_the_limit_is_reached(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.mkv", seconds=4)
    taken = 0
    with pytest.raises(NotAVideo) as caught, Clip(path, Limits(most_frames=30)) as clip:
        for _ in clip.frames():
            taken += 1
    assert caught.value.fault is ClipFault.TOO_LONG
    assert taken == 30


def test_a_picture_too_small_to_show_anybody_is_refused(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.mp4", lambda t: still(t)[:16, :16])
    assert fault_of(path).fault is ClipFault.TOO_SMALL


def test_random_bytes_behind_a_good_beginning_fail_as_a_clip_and_not_as_a_crash(tmp_path: Path) -> None:
    content = write_clip(tmp_path / "clip.mp4").read_bytes()
    path = tmp_path / "noise.mp4"
    path.write_bytes(content[:40] + bytes(range(256)) * 40)
    assert fault_of(path).fault in {ClipFault.TRUNCATED, ClipFault.NOT_A_VIDEO}


def test_every_single_byte_of_the_index_may_be_wrong_without_a_crash(tmp_path: Path) -> None:
    content = write_clip(tmp_path / "clip.mp4", seconds=0.4, options={"movflags": "faststart"}).read_bytes()
    start = content.index(b"moov") - 4
    path = tmp_path / "altered.mp4"
    outcomes = set()
    for position in range(start, content.index(b"mdat"), 7):
        altered = bytearray(content)
        altered[position] ^= 0xFF
        path.write_bytes(altered)
        try:
            with Clip(path) as clip:
                outcomes.add(sum(1 for _ in clip.frames()))
        except NotAVideo as error:
            outcomes.add(error.reason_code)
    assert {10, "truncated"} <= outcomes


def test_a_file_that_is_not_there_is_told_apart_from_one_that_is_no_video(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Clip(tmp_path / "absent.mp4")


def test_nothing_is_written_on_stderr_about_a_damaged_clip(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = write_clip(tmp_path / "clip.mp4", options={"movflags": "faststart"})
    content = bytearray(path.read_bytes())
    for position in range(content.index(b"mdat") + 200, len(content), 97):
        content[position] ^= 0x55
    path.write_bytes(content)
    try:
        with Clip(path) as clip:
            for frame in clip.frames():
                frame.image()
    except NotAVideo:
        pass
    assert capfd.readouterr().err == ""
