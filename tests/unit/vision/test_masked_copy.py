"""The masked copy of a clip: what is in it, what is not, and what is left when it cannot be made."""

from __future__ import annotations

import hashlib
import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from click.testing import CliRunner, Result

from bench.leaks import LEAKED, detail_left
from tests.unit.vision.pictures import room, rotated, still, with_face, write_clip, write_sound
from uriai.adapters.vision.covers import Covers, Looked, head
from uriai.adapters.vision.faces import DetectedFace
from uriai.adapters.vision.film import Film
from uriai.adapters.vision.masked_copy import OnnxClipMasker
from uriai.adapters.vision.masking import Cover, Mosaics
from uriai.adapters.vision.people import DetectedPerson
from uriai.adapters.vision.video import Clip
from uriai.domain.analysis import Box
from uriai.service.ports.masking import Doubt, NoSuchTrack, NotWritten
from uriai_cli.main import cli

WALK = (100, 180)


def walking(seconds: float) -> np.ndarray:
    """A drawn face that walks to the right, one that sits, and grain everywhere."""
    picture = with_face(room(640, 360), int(WALK[0] + 90 * seconds), WALK[1], 22)
    return with_face(picture, 520, 120, 20)


def turning(seconds: float) -> np.ndarray:
    """A face that cannot be seen for the second in the middle."""
    picture = room(640, 360)
    return picture if 1.0 <= seconds < 2.0 else with_face(picture, 300, 170, 22)


@pytest.fixture(scope="module")
def masker(models: Path) -> OnnxClipMasker:
    return OnnxClipMasker.from_folder(models)


def pictures(path: Path) -> list[np.ndarray]:
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="bgr24") for frame in container.decode(video=0)]


def times(path: Path) -> list[float]:
    with av.open(str(path)) as container:
        return [float(frame.pts * frame.time_base) for frame in container.decode(video=0)]


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture(scope="module")
def walked(masker: OnnxClipMasker, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Any]:
    folder = tmp_path_factory.mktemp("walked")
    source = write_clip(folder / "clip.mp4", walking, seconds=2.0)
    before = sha256(source)
    report = masker.mask(source, folder / "copy.mp4")
    assert sha256(source) == before
    return source, folder / "copy.mp4", report


def test_no_frame_of_the_copy_shows_a_face(walked: tuple[Path, Path, Any]) -> None:
    source, copy, report = walked
    originals, copies = pictures(source), pictures(copy)
    assert len(originals) == len(copies) == len(report.covered) == 50
    left = []
    for number, (original, masked) in enumerate(zip(originals, copies, strict=True)):
        for x, y, radius in ((int(WALK[0] + 90 * number / 25), WALK[1], 22), (520, 120, 20)):
            box = (x - 0.75 * radius, y - radius, 1.5 * radius, 2.0 * radius)
            assert detail_left(original, original, box) == pytest.approx(1)
            left.append(detail_left(original, masked, box))
    assert max(left) < LEAKED
    assert sum(left) / len(left) < 0.05
    assert min(report.covered) >= 2
    assert [track.masked for track in report.tracks] == [True, True]


def test_what_is_not_a_face_stays_as_it_was(walked: tuple[Path, Path, Any]) -> None:
    source, copy, _ = walked
    for one, other in zip(pictures(source), pictures(copy), strict=True):
        floor = np.abs(one[250:].astype(int) - other[250:])
        assert floor.mean() < 2


def test_the_times_of_the_frames_are_those_of_the_original(masker: OnnxClipMasker, tmp_path: Path) -> None:
    instants = [0.0, 0.04, 0.5, 0.51, 0.9, 1.7, 1.74]
    source = write_clip(tmp_path / "uneven.mp4", walking, times_s=instants)
    masker.mask(source, tmp_path / "copy.mp4")
    assert times(tmp_path / "copy.mp4") == pytest.approx(times(source), abs=1e-4)
    assert times(source) == pytest.approx(instants, abs=1e-4)


def test_sound_and_what_the_file_says_of_itself_are_left_out(masker: OnnxClipMasker, tmp_path: Path) -> None:
    silent, source = write_clip(tmp_path / "silent.mp4", still, seconds=1), tmp_path / "told.mp4"
    with av.open(str(silent)) as given, av.open(str(source), "w") as container:
        container.metadata.update({"title": "Room of Kim", "comment": "centre 12", "location": "+37.5665+126.9780/"})
        picture = container.add_stream_from_template(given.streams.video[0])
        sound = container.add_stream("aac", rate=16_000)
        for packet in given.demux(video=0):
            if packet.dts is not None:
                packet.stream = picture
                container.mux(packet)
        wave = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        wave.sample_rate, wave.pts = 16_000, 0
        container.mux([*sound.encode(wave), *sound.encode(None)])
    assert b"Room of Kim" in source.read_bytes()
    report = masker.mask(source, tmp_path / "copy.mp4")
    content = (tmp_path / "copy.mp4").read_bytes()
    assert report.sound_removed
    assert not [text for text in (b"Room of Kim", b"centre 12", b"37.5665") if text in content]
    with av.open(str(tmp_path / "copy.mp4")) as container:
        assert [stream.type for stream in container.streams] == ["video"]


@pytest.mark.parametrize("size", [(320, 240), (322, 246)])
def test_a_turned_clip_stands_upright_in_the_copy(
    masker: OnnxClipMasker, tmp_path: Path, size: tuple[int, int]
) -> None:
    def corner(_: float) -> np.ndarray:
        picture = room(*size)
        picture[:60, :80] = (0, 0, 230)
        return picture

    lying = write_clip(tmp_path / "lying.mp4", corner, seconds=0.4)
    source = rotated(lying, tmp_path / "turned.mp4")
    masker.mask(source, tmp_path / "copy.mp4")
    with Clip(source) as clip:
        upright = next(clip.frames()).image()
    copy = pictures(tmp_path / "copy.mp4")[0]
    assert copy.shape == upright.shape == (size[0], size[1], 3)
    assert np.abs(copy.astype(int) - upright).mean() < 3


def test_an_odd_number_of_pixels_loses_one(masker: OnnxClipMasker, tmp_path: Path) -> None:
    source = tmp_path / "odd.mkv"
    with av.open(str(source), "w") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = 321, 241, "yuv420p"
        for number in range(5):
            frame = av.VideoFrame.from_ndarray(room(321, 241), format="bgr24")
            frame.pts = number
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    report = masker.mask(source, tmp_path / "copy.mp4")
    assert (report.width, report.height) == (320, 240)
    assert pictures(tmp_path / "copy.mp4")[0].shape == (240, 320, 3)


def test_a_face_that_cannot_be_seen_for_a_second_stays_covered_and_is_named(
    masker: OnnxClipMasker, tmp_path: Path
) -> None:
    report = masker.mask(write_clip(tmp_path / "clip.mp4", turning, seconds=3.0), tmp_path / "copy.mp4")
    assert min(report.covered) >= 1
    assert Doubt.BRIDGED in {doubtful.doubt for doubtful in report.doubtful}


def test_everybody_but_one_is_covered(walked: tuple[Path, Path, Any], masker: OnnxClipMasker, tmp_path: Path) -> None:
    source, _, report = walked
    sitting = max(report.tracks, key=lambda track: track.best_box.x)
    copy = masker.mask(source, tmp_path / "copy.mp4", sitting.track)
    assert {track.track: track.masked for track in copy.tracks} == {
        track.track: track.track != sitting.track for track in report.tracks
    }
    one, other = pictures(source)[20], pictures(tmp_path / "copy.mp4")[20]
    difference = np.abs(one.astype(int) - other).mean(axis=2)
    x = int(WALK[0] + 90 * 20 / 25)
    assert difference[100:140, 505:535].mean() < 6 < 18 < difference[165:195, x - 12 : x + 12].mean()


def test_who_is_not_there_cannot_be_left_visible(walked: tuple[Path, Path, Any], masker: OnnxClipMasker) -> None:
    target = walked[0].with_name("never.mp4")
    with pytest.raises(NoSuchTrack, match="no track 9 in the clip; there are 1, 2"):
        masker.mask(walked[0], target, 9)
    assert not target.exists()


def test_an_empty_room_is_copied_with_nothing_covered(masker: OnnxClipMasker, tmp_path: Path) -> None:
    report = masker.mask(write_clip(tmp_path / "clip.mp4", still, seconds=0.6), tmp_path / "copy.mp4")
    assert report.covered == (0,) * 15
    assert (report.tracks, report.doubtful) == ((), ())


# ---------------------------------------------------------------- what is covered, without any model


def look(number: int, *faces: tuple[Box, float], people: tuple[Box, ...] = ()) -> Looked:
    return Looked(
        number / 5,
        number * 5,
        tuple(DetectedFace(box, score) for box, score in faces),
        tuple(DetectedPerson(box, 0.8) for box in people),
    )


def test_between_two_finds_the_cover_moves_along() -> None:
    covers = Covers([look(0, (Box(100, 100, 20, 20), 0.9)), look(1, (Box(120, 100, 20, 20), 0.9))], (640, 360), 0.4)
    (halfway,) = covers.at(0.1)
    left, top, right, bottom = halfway.box
    assert (left + right) / 2 == pytest.approx(120, abs=2)
    assert (top + bottom) / 2 == pytest.approx(110, abs=2)
    assert right - left >= 30


def test_before_the_first_and_after_the_last_find_the_cover_stays_and_grows_and_then_ends() -> None:
    covers = Covers([look(n, (Box(300, 100, 20, 20), 0.9)) for n in range(10, 16)], (640, 360), 9.0)
    widths = {t_s: [cover.box[2] - cover.box[0] for cover in covers.at(t_s)] for t_s in (0.9, 1.1, 2.0, 3.0, 3.9, 4.1)}
    assert widths[0.9] == widths[4.1] == []
    assert widths[1.1] == widths[3.9]
    assert widths[1.1][0] > widths[2.0][0] >= 30


def test_one_weak_find_is_covered_for_a_shorter_time_and_named() -> None:
    covers = Covers([look(10, (Box(300, 100, 20, 20), 0.25))], (640, 360), 9.0)
    assert [bool(covers.at(t_s)) for t_s in (1.5, 1.7, 2.0, 2.3, 2.5)] == [False, True, True, True, False]
    assert [doubtful.doubt for doubtful in covers.doubtful(None)] == [Doubt.WEAK]


def test_who_shows_no_face_has_the_head_covered_and_who_does_has_the_face() -> None:
    person = Box(200, 100, 60, 200)
    covers = Covers([look(n, people=(person,)) for n in range(3)], (640, 360), 0.6)
    (cover,) = covers.at(0.2)
    left, top, right, bottom = cover.box
    expected = head(person)
    assert left <= expected.x
    assert right >= expected.x + expected.w
    assert top <= expected.y
    assert expected.y + expected.h <= bottom < person.y + person.h / 2
    shown = Covers([look(n, (Box(220, 105, 20, 25), 0.9), people=(person,)) for n in range(3)], (640, 360), 0.6)
    (cover,) = shown.at(0.2)
    assert cover.box[3] < expected.y + expected.h
    assert shown.tracks == (1,)


def test_a_weak_face_does_not_uncover_the_head() -> None:
    person = Box(200, 100, 60, 200)
    covers = Covers([look(n, (Box(215, 150, 12, 12), 0.3), people=(person,)) for n in range(3)], (640, 360), 0.6)
    assert len(covers.at(0.2)) == 2


def test_somebody_who_touches_the_one_left_visible_is_named() -> None:
    looks = [look(n, (Box(100, 100, 20, 20), 0.9), (Box(300 - 9 * n, 100, 20, 20), 0.9)) for n in range(20)]
    doubts = [doubtful for doubtful in Covers(looks, (640, 360), 4.0).doubtful(1) if doubtful.doubt is Doubt.CROSSING]
    assert doubts
    assert {doubtful.track for doubtful in doubts} == {2}


def test_a_mosaic_says_the_same_of_two_faces_that_differ_in_detail_only() -> None:
    rng = np.random.default_rng(5)
    one = rng.integers(90, 110, (120, 120)).astype(np.uint8)
    other = rng.integers(90, 110, (120, 120)).astype(np.uint8)
    colour = np.full((60, 60), 128, np.uint8)
    masked = []
    for face in (one, other):
        planes = (face.copy(), colour.copy(), colour.copy())
        Mosaics().cover(planes, [Cover(1, (0, 0, 120, 120))], 0)
        masked.append(planes)
    assert (one != other).mean() > 0.9
    assert (masked[0][0] == masked[1][0]).all()
    assert (masked[0][1] == 128).all()


def test_a_mosaic_keeps_its_colours_while_the_face_moves_below() -> None:
    colour = np.full((60, 60), 128, np.uint8)
    mosaics, seen = Mosaics(), []
    for frame in range(13):
        bright = np.tile(np.roll(np.repeat(np.array([40, 200], np.uint8), 60), frame * 7), (120, 1))
        planes = (bright, colour.copy(), colour.copy())
        mosaics.cover(planes, [Cover(1, (0, 0, 120, 120))], frame)
        seen.append(bright)
    assert all((picture == seen[0]).all() for picture in seen[:12])
    assert (seen[12] != seen[0]).any()


# ---------------------------------------------------------------- the command


def run(*arguments: object) -> Result:
    return CliRunner().invoke(cli, ["mask", *(str(argument) for argument in arguments)])


def test_the_command_prints_and_writes_its_report(walked: tuple[Path, Path, Any], models: Path, tmp_path: Path) -> None:
    report_file, copy = tmp_path / "report.json", tmp_path / "copy.mp4"
    result = run(walked[0], copy, "--report", report_file, "--json", "--models", models)
    assert result.exit_code == 0, result.output
    report = json.loads(result.stdout)
    assert json.loads(report_file.read_text(encoding="utf-8")) == report
    assert list(report) == [
        "file", "out", "duration_s", "size", "frames", "covered", "tracks", "look_at", "sound_removed", "models",
        "timing_ms",
    ]  # fmt: skip
    assert (report["frames"], report["size"], len(report["covered"])) == (50, [640, 360], 50)
    assert sha256(copy) == sha256(walked[1])


def test_the_original_is_never_overwritten_under_any_name(walked: tuple[Path, Path, Any], tmp_path: Path) -> None:
    source, before = walked[0], sha256(walked[0])
    other_name, link = tmp_path / "link.mp4", tmp_path / "hard.mp4"
    other_name.symlink_to(source)
    os.link(source, link)
    for target in (source, other_name, link):
        result = run(source, target)
        assert result.exit_code == 2
        assert "is the original" in result.stderr
    existing = tmp_path / "there.mp4"
    existing.write_bytes(b"keep me")
    assert run(source, existing).exit_code == 2
    assert existing.read_bytes() == b"keep me"
    assert sha256(source) == before


def empty(path: Path) -> None:
    path.touch()


def text(path: Path) -> None:
    path.write_text("#EXTM3U\nfile:///etc/passwd\n")


def sound(path: Path) -> None:
    write_sound(path)


def cut(path: Path) -> None:
    content = write_clip(path).read_bytes()
    path.write_bytes(content[: len(content) // 2])


@pytest.mark.parametrize(
    ("make", "fault"),
    [(empty, "zero_bytes"), (text, "not_a_video"), (sound, "no_video_stream"), (cut, "truncated")],
)
def test_what_is_no_video_fails_by_name_and_leaves_nothing(
    make: Callable[[Path], None], fault: str, models: Path, tmp_path: Path
) -> None:
    make(tmp_path / "in.mp4")
    result = run(tmp_path / "in.mp4", tmp_path / "copy.mp4", "--json", "--models", models)
    assert result.exit_code == 1
    assert json.loads(result.stdout)["error"]["type"] == fault
    assert {path.name for path in tmp_path.iterdir()} == {"in.mp4"}


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["{folder}/no.mp4", "{folder}/copy.mp4"], 1, "no such file"),
        (["{clip}", "{folder}/copy.avi"], 2, "ends with .mp4"),
        (["{clip}", "{folder}/nowhere/copy.mp4"], 2, "no folder"),
        (["{clip}", "{folder}/copy.mp4", "--except-track", "0"], 2, "except-track"),
        (["{clip}", "{folder}/copy.mp4", "--except-track", "77"], 2, "no track 77"),
        (["{clip}", "{folder}/copy.mp4", "--report", "{clip}"], 2, "--report"),
        (["{folder}", "{folder}/copy.mp4"], 1, "folder"),
    ],
)
def test_wrong_usage_is_told_before_anything_is_written(
    arguments: list[str], code: int, says: str, walked: tuple[Path, Path, Any], models: Path, tmp_path: Path
) -> None:
    filled = [argument.format(folder=tmp_path, clip=walked[0]) for argument in arguments]
    result = run(*filled, "--models", models)
    assert result.exit_code == code
    assert says in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_no_room_on_the_disk_is_told_and_leaves_nothing(
    walked: tuple[Path, Path, Any], models: Path, tmp_path: Path
) -> None:
    def little_room() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))

    done = subprocess.run(
        [sys.executable, "-m", "uriai_cli.main", "mask", walked[0], tmp_path / "copy.mp4", "--models", models],
        capture_output=True, text=True, check=False, preexec_fn=little_room,
    )  # fmt: skip
    assert done.returncode == 1
    assert "copy.mp4 cannot be written" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_copy_that_appears_meanwhile_is_not_overwritten(
    walked: tuple[Path, Path, Any], masker: OnnxClipMasker, tmp_path: Path
) -> None:
    (tmp_path / "copy.mp4").write_bytes(b"keep me")
    with pytest.raises(FileExistsError):
        masker.mask(walked[0], tmp_path / "copy.mp4")
    assert (tmp_path / "copy.mp4").read_bytes() == b"keep me"


def test_a_folder_that_cannot_be_written_to_is_told(
    walked: tuple[Path, Path, Any], masker: OnnxClipMasker, tmp_path: Path
) -> None:
    with pytest.raises(NotWritten, match="cannot be written"):
        masker.mask(walked[0], tmp_path / "gone" / "copy.mp4")


def test_a_film_gives_the_times_and_pictures_that_a_clip_gives(tmp_path: Path) -> None:
    source = write_clip(tmp_path / "uneven.mp4", walking, times_s=[0.0, 0.04, 0.5, 0.51, 0.9, 1.7])
    with Film(source) as film, Clip(source) as clip:
        for picture, frame in zip(film.pictures(), clip.frames(), strict=True):
            assert picture.t_s == pytest.approx(frame.t_s, abs=1e-3)
            assert np.abs(picture.image().astype(int) - frame.image()).mean() < 2
