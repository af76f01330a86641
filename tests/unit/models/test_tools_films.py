"""Frames out of films, and films made ready: timestamps decide, and a film that stops says so."""

import struct
from fractions import Fraction

import av
import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from models.tools import film, films
from models.tools.__main__ import main
from models.tools.film import Film, FilmError, Shot
from models.tools.geometry import Rotation


def run(*words):
    return CliRunner().invoke(main, [str(word) for word in words])


def shade(t_s):
    """The picture shown at a time: its gray value tells it, 10 a second."""
    return np.full((48, 64, 3), min(250, round(t_s * 10)), np.uint8)


def steep(t_s):
    """For films that are coded twice, each time losing up to two steps of gray: 45 a second."""
    return np.full((48, 64, 3), min(250, round(t_s * 45)), np.uint8)


def make(path, times, picture=shade):
    film.write([Shot(t, k, picture(t)) for k, t in enumerate(times)], path, crf=1)
    return path


def looked(path):
    with Film(path) as source:
        shots = list(source.shots())
    return np.array([s.t_s for s in shots]), np.array([s.image.mean() for s in shots]), source


def even(seconds, fps):
    return [k / fps for k in range(round(seconds * fps))]


UNEVEN = [0.0, 0.1, 0.2, 0.3, 0.9, 1.0, 1.05, 1.1, 2.6, 2.7, 3.0, 3.4]


def test_a_film_keeps_each_frames_own_time(tmp_path):
    times, shades, source = looked(make(tmp_path / "a.mp4", UNEVEN))
    np.testing.assert_allclose(times, UNEVEN, atol=1e-4)
    np.testing.assert_allclose(shades, [round(t * 10) for t in UNEVEN], atol=1.5)
    assert source.stopped is None


def test_frames_are_named_by_the_second_and_sort_by_time(tmp_path):
    make(tmp_path / "a.mp4", even(12, 5))
    done = run("frames", tmp_path / "a.mp4", "--out", tmp_path / "f", "--every-s", "2", "--format", "png")
    names = sorted(p.name for p in (tmp_path / "f").iterdir())
    assert done.exit_code == 0
    assert "frames 6" in done.stdout
    assert names[0] == "a__00000.000s_f0000000.png"
    assert names[-1] == "a__00010.000s_f0000050.png"
    for name in names:
        seconds = float(name.split("__")[1].split("s_")[0])
        assert cv2.imread(str(tmp_path / "f" / name)).mean() == pytest.approx(seconds * 10, abs=1.5)


def test_every_nth_frame_and_a_part_of_the_film(tmp_path):
    make(tmp_path / "a.mp4", UNEVEN)
    run(
        "frames", tmp_path / "a.mp4", "--out", tmp_path / "f", "--every-frames", "3", "--from-s", "0.2", "--to-s", "2.8"
    )
    assert sorted(p.name[3:12] for p in (tmp_path / "f").iterdir()) == ["00000.200", "00001.000", "00002.600"]


def test_rare_frames_are_not_written_twice(tmp_path):
    make(tmp_path / "a.mp4", [0, 3, 6])
    run("frames", tmp_path / "a.mp4", "--out", tmp_path / "f", "--every-s", "1")
    assert len(list((tmp_path / "f").iterdir())) == 3


@pytest.fixture
def torn(tmp_path):
    """A film of 4 s whose index comes first and whose end is missing."""
    noise = np.random.default_rng(0)
    path = make(tmp_path / "torn.mp4", even(4, 10), lambda _: noise.integers(0, 256, (48, 64, 3), dtype=np.uint8))
    content = path.read_bytes()
    path.write_bytes(content[: len(content) * 6 // 10])
    return path


def test_a_film_that_stops_mid_way_gives_its_frames_and_is_counted(tmp_path, torn):
    done = run("frames", torn, "--out", tmp_path / "f", "--every-frames", "1")
    written = len(list((tmp_path / "f").iterdir()))
    assert done.exit_code == 1
    assert 10 < written < 35
    assert f"frames {written}" in done.stdout
    assert "film stops mid-way 1" in done.stdout
    assert "torn.mp4" in done.stderr


def test_a_film_that_stops_outside_the_part_wanted_is_named_all_the_same(tmp_path, torn):
    done = run("frames", torn, "--out", tmp_path / "f", "--to-s", "1")
    assert done.exit_code == 1
    assert "film stops mid-way 1" in done.stdout


def test_what_is_no_film_or_not_there_is_refused_and_the_others_are_done(tmp_path):
    (tmp_path / "text.mp4").write_bytes(b"not a film")
    (tmp_path / "nothing.mp4").write_bytes(b"")
    make(tmp_path / "good.mp4", even(1, 5))
    (tmp_path / "b").mkdir()
    make(tmp_path / "b" / "good.mp4", even(1, 5))
    (tmp_path / "c").mkdir()
    given = [tmp_path / n for n in ("text.mp4", "nothing.mp4", "missing.mp4", "good.mp4", "b", "c")]
    done = run("frames", *given, "--out", tmp_path / "f")
    assert done.exit_code == 1
    assert "films 1, frames 1" in done.stdout
    for reason in ("film cannot be decoded 2", "no such film 1", "folder without films 1", "two films of one name 1"):
        assert reason in done.stdout
    assert not list((tmp_path / "f").glob("*.part"))


def test_another_rate_takes_the_frame_nearest_in_time(tmp_path):
    make(tmp_path / "a.mp4", UNEVEN, steep)
    done = run("films", tmp_path / "a.mp4", "--out", tmp_path / "o", "--fps", "8", "--crf", "1")
    assert done.exit_code == 0
    assert "films at a variable rate 1" in done.stdout
    assert "hole in the recording 1" in done.stdout  # 1.5 s between 1.1 and 2.6
    times, shades, _ = looked(tmp_path / "o" / "a.mp4")
    np.testing.assert_allclose(np.diff(times), 1 / 8, atol=1e-3)
    assert times[-1] + 1 / 8 == pytest.approx(3.8, abs=0.13)
    shown = np.array([min(UNEVEN, key=lambda t, gray=gray: abs(t * 45 - gray)) for gray in shades])
    np.testing.assert_allclose(shades, shown * 45, atol=2.6)
    # at 0.25 s two frames are equally near
    assert np.abs(shown - times) == pytest.approx(np.abs(times[:, None] - np.array(UNEVEN)).min(1), abs=1e-3)


@pytest.mark.parametrize(("source", "target"), [(30, 8), (8, 30), (25, 12.5), (29.97, 15)])
def test_a_film_at_another_rate_lasts_as_long(tmp_path, source, target):
    shots = [Shot(k / source, k, shade(0)) for k in range(round(3 * source))]
    found = list(film.at_rate(shots, target))
    assert len(found) / target == pytest.approx(len(shots) / source, abs=1 / target)


def test_sub_clips_begin_and_end_where_their_names_say(tmp_path):
    make(tmp_path / "a.mp4", even(5.2, 10), steep)
    done = run("films", tmp_path / "a.mp4", "--out", tmp_path / "o", "--piece-s", "2", "--stride-s", "1", "--crf", "1")
    assert done.exit_code == 0
    names = sorted(p.name for p in (tmp_path / "o").iterdir())
    assert names == [f"a__{start:09.3f}s.mp4" for start in (0, 1, 2, 3, 4)]
    for start, name in enumerate(names):
        times, shades, _ = looked(tmp_path / "o" / name)
        assert times[0] == 0
        np.testing.assert_allclose(shades, 45 * (start + times), atol=2.6)
        assert len(times) == (20 if start < 4 else 12)


def test_a_sub_clip_that_begins_between_two_frames_begins_with_the_one_then_shown(tmp_path):
    make(tmp_path / "a.mp4", UNEVEN, steep)
    run("films", tmp_path / "a.mp4", "--out", tmp_path / "o", "--from-s", "0.5", "--to-s", "1.2", "--crf", "1")
    times, shades, _ = looked(tmp_path / "o" / "a.mp4")
    np.testing.assert_allclose(times, [0, 0.4, 0.5, 0.55, 0.6], atol=1e-3)
    np.testing.assert_allclose(shades, np.array([0.3, 0.9, 1.0, 1.05, 1.1]) * 45, atol=2.6)


def test_odd_sizes_are_written_with_one_more_row_or_column(tmp_path):
    picture = np.zeros((51, 75, 3), np.uint8)
    film.write([Shot(k / 5, k, picture) for k in range(5)], tmp_path / "odd.mp4")
    with Film(tmp_path / "odd.mp4") as source:
        assert next(source.shots()).image.shape == (52, 76, 3)
    done = run("films", tmp_path / "odd.mp4", "--out", tmp_path / "o", "--width", "33")
    assert done.exit_code == 0
    with Film(tmp_path / "o" / "odd.mp4") as source:
        assert next(source.shots()).image.shape == (22, 34, 3)


def test_resizing_by_one_side_keeps_the_shape_and_by_both_does_not():
    picture = np.zeros((90, 160, 3), np.uint8)
    assert films.resized(picture, 80, None).shape == (46, 80, 3) or films.resized(picture, 80, None).shape == (
        44,
        80,
        3,
    )
    assert films.resized(picture, None, 180).shape == (180, 320, 3)
    assert films.resized(picture, 100, 100).shape == (100, 100, 3)


def test_a_turned_film_shows_what_a_turned_picture_shows(tmp_path):
    picture = np.zeros((48, 64, 3), np.uint8)
    picture[10:30, 40:60] = (255, 255, 255)
    make(tmp_path / "a.mp4", even(1, 5), lambda _: picture)
    done = run(
        "films", tmp_path / "a.mp4", "--out", tmp_path / "o", "--angles", "0,30,-30", "--crf", "1", "--fill", "black"
    )
    assert done.exit_code == 0
    assert sorted(p.name for p in (tmp_path / "o").iterdir()) == ["a.mp4", "a__a030.mp4", "a__a330.mp4"]
    for angle, name in ((30, "a__a030"), (-30, "a__a330")):
        with Film(tmp_path / "o" / f"{name}.mp4") as source:
            shown = next(source.shots()).image
        expected = Rotation(64, 48, angle, expanded=False).image(picture)
        assert np.abs(shown.astype(int) - expected).mean() < 6


def test_a_film_is_never_written_over_itself(tmp_path):
    path = make(tmp_path / "a.mp4", even(1, 5))
    before = path.read_bytes()
    done = run("films", path, "--out", tmp_path)
    assert done.exit_code == 1
    assert "written over itself" in done.stderr
    assert path.read_bytes() == before


def test_a_film_filmed_sideways_comes_upright(tmp_path):
    picture = np.zeros((48, 64, 3), np.uint8)
    picture[:20, :20] = 255
    path = make(tmp_path / "a.mp4", even(1, 5), lambda _: picture)
    content = bytearray(path.read_bytes())
    matrix = content.index(b"tkhd") + 4 + 40
    assert struct.unpack(">i", content[matrix : matrix + 4]) == (0x10000,)
    quarter = (0, 0x10000, 0, -0x10000, 0, 0, 48 << 16, 0, 0x40000000)
    content[matrix : matrix + 36] = struct.pack(">9i", *quarter)
    path.write_bytes(content)
    with Film(path) as source:
        mine = next(source.shots()).image
    capture = cv2.VideoCapture(str(path))
    _, theirs = capture.read()
    capture.release()
    assert mine.shape == theirs.shape == (64, 48, 3)
    assert np.abs(mine.astype(int) - theirs).mean() < 3


def test_frames_without_times_go_by_the_stated_rate(tmp_path):
    path = tmp_path / "a.h264"
    with av.open(str(path), "w", format="h264") as container:
        stream = container.add_stream("libx264", rate=Fraction(10))
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for k in range(12):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(shade(k / 10), format="bgr24")))
        container.mux(stream.encode(None))
    times, _, _ = looked(path)
    assert len(times) == 12
    assert (np.diff(times) > 0).all()
    assert film.rate_of(times) is not None


def test_a_rate_is_one_only_where_the_intervals_agree():
    assert film.rate_of(np.arange(50) / 25) == pytest.approx(25)
    jitter = np.arange(50) / 25 + np.random.default_rng(0).uniform(-0.002, 0.002, 50)
    assert film.rate_of(np.sort(jitter)) == pytest.approx(25, rel=0.02)
    assert film.rate_of(np.array(UNEVEN)) is None
    assert film.rate_of(np.array([0.0])) is None


def test_nothing_is_left_of_a_film_that_could_not_be_written(tmp_path):
    with pytest.raises(FilmError, match="no frame"):
        film.write([], tmp_path / "a.mp4")
    with pytest.raises(FilmError, match="after frames of"):
        film.write([Shot(0, 0, shade(0)), Shot(1, 1, shade(0)[:20])], tmp_path / "a.mp4")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("words", [("--every-s", "1", "--every-frames", "2"), ("--every-s", "0"), ("--format", "gif")])
def test_wrong_usage_is_exit_code_two(tmp_path, words):
    make(tmp_path / "a.mp4", even(1, 5))
    assert run("frames", tmp_path / "a.mp4", "--out", tmp_path / "f", *words).exit_code == 2
