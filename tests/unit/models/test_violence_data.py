"""Labels, windows and views of the violence clips."""

from collections import defaultdict

import cv2
import numpy as np
import pytest

from models.violence import data, rendered, views

HEADER = "file,label,fold,group,fps,other_dataset\n"


def labels(tmp_path, *rows, header=HEADER):
    path = tmp_path / "labels.csv"
    path.write_text(header + "\n".join(rows) + ("\n" if rows else ""), encoding="utf-8")
    return path


def film(path, frames, fps=10.0):
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), fps, (64, 48))
    for shade in range(frames):
        writer.write(np.full((48, 64, 3), shade * 3 % 256, np.uint8))
    writer.release()
    return path


def test_no_source_video_lies_on_both_sides_of_a_fold(data_labels):
    folds = defaultdict(set)
    for clip in data_labels:
        folds[clip.group].add(clip.fold)
    assert {len(found) for found in folds.values()} == {1}
    assert data.folds_of(data_labels) == [0, 1, 2, 3]


def test_every_fold_holds_both_classes(data_labels):
    for fold in data.folds_of(data_labels):
        assert {clip.fight for clip in data_labels if clip.fold == fold} == {0, 1}


@pytest.fixture(scope="module")
def data_labels(data_folder):
    return data.read_labels(data_folder / "violence" / "labels.csv")


@pytest.fixture(scope="module")
def data_folder(request):
    return request.getfixturevalue("data")


def test_a_group_torn_over_two_folds_is_refused(tmp_path):
    with pytest.raises(data.LabelError, match="g1 lies in several folds"):
        data.read_labels(labels(tmp_path, "a.mp4,fight,0,g1,25,0", "b.mp4,no_fight,1,g1,25,0"))


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("a.mp4,brawl,0,g1,25,0", "label 'brawl'; allowed are fight, no_fight"),
        ("a.mp4,fight,first,g1,25,0", "fold 'first' is not a whole number"),
        ("a.mp4,fight,0,,25,0", "must not be empty"),
    ],
)
def test_a_meaningless_row_is_refused_with_its_line(tmp_path, row, said):
    with pytest.raises(data.LabelError, match=said) as refused:
        data.read_labels(labels(tmp_path, row))
    assert "labels.csv:2" in str(refused.value)


def test_an_empty_table_a_missing_column_and_a_clip_listed_twice_are_refused(tmp_path):
    with pytest.raises(data.LabelError, match="no clip is listed"):
        data.read_labels(labels(tmp_path))
    with pytest.raises(data.LabelError, match="column group is missing"):
        data.read_labels(labels(tmp_path, "a.mp4,fight,0,25,0", header="file,label,fold,fps,other_dataset\n"))
    with pytest.raises(data.LabelError, match="listed twice: a"):
        data.read_labels(labels(tmp_path, "a.mp4,fight,0,g1,25,0", "a.mp4,fight,0,g1,25,0"))


def test_a_file_that_is_no_video_is_named(tmp_path):
    path = tmp_path / "picture.mp4"
    path.write_bytes(b"not a video")
    with pytest.raises(data.ClipUnreadableError, match=r"picture\.mp4"):
        data.decode(path)


def test_frames_and_times_of_a_film_agree(tmp_path):
    frames = data.decode(film(tmp_path / "film.avi", 35))
    assert frames.rgb.shape == (35, 224, 224, 3)
    assert frames.duration_s == pytest.approx(3.5)


@pytest.mark.parametrize(
    ("duration", "starts"),
    [(1.2, [0.0]), (2.0, [0.0]), (2.04, [0.0]), (3.0, [0.0, 1.0]), (3.5, [0.0, 1.0, 1.5]), (5.0, [0.0, 1.0, 2.0, 3.0])],
)
def test_windows_start_each_second_and_the_last_ends_with_the_clip(duration, starts):
    assert data.window_starts(duration) == pytest.approx(starts)


@pytest.mark.parametrize("fps", [5, 12, 24, 29.97, 60])
def test_a_window_shows_the_frames_nearest_to_its_instants(fps):
    at = np.arange(round(4 * fps)) / fps
    chosen = data.window_indices(at, 1.0)
    assert len(chosen) == 17
    assert np.abs(at[chosen] - (1 + np.linspace(0, 2, 17))).max() <= 0.5 / fps + 1e-9


def test_a_short_clip_is_one_window_from_its_first_frame_to_its_last():
    rgb = np.arange(10, dtype=np.uint8)[:, None, None, None] * np.ones((1, 2, 2, 3), np.uint8)
    (window,) = data.windows(data.Frames(rgb, np.arange(10) / 10))
    assert window[0, 0, 0, 0] == 0
    assert window[-1, 0, 0, 0] == 9
    assert len(window) == 17


def moving_square():
    rgb = np.zeros((40, 224, 224, 3), np.uint8)
    for k in range(40):
        rgb[k, 60:100, 10 + 4 * k : 40 + 4 * k] = 200
    return data.Frames(rgb, np.arange(40) / 20)


def test_a_mirrored_view_is_the_plain_one_with_sides_exchanged():
    frames = moving_square()
    for plain, mirrored in zip(views.plain(frames, "a"), views.mirrored(frames, "a"), strict=True):
        np.testing.assert_array_equal(plain[:, :, ::-1], mirrored)


def test_a_varied_view_is_repeatable_and_differs_between_clips_and_salts():
    frames = moving_square()
    first, again = views.varied(0)(frames, "a")[0], views.varied(0)(frames, "a")[0]
    np.testing.assert_array_equal(first, again)
    assert first.shape == (17, 224, 224, 3)
    assert (first != views.varied(1)(frames, "a")[0]).any()
    assert (first != views.varied(0)(frames, "b")[0]).any()


def test_seeds_of_the_demonstration_are_refused_for_training():
    with pytest.raises(ValueError, match="1000000"):
        rendered.programmes(1_000_000, calm=1, violent=0, mixed=0)
    reserved = rendered.Programme("assault", 1_000_003, (rendered.Act("assault", 2.0),))
    with pytest.raises(ValueError, match="1000003"):
        next(rendered.frames(reserved))


def test_training_and_checking_seeds_do_not_meet():
    train = {p.seed for p in rendered.programmes(1000, calm=8, violent=30, mixed=10)}
    check = {p.seed for p in rendered.programmes(rendered.FIRST_CHECK_SEED, calm=8, violent=30, mixed=10)}
    assert not train & check
    assert max(train) < rendered.FIRST_CHECK_SEED <= min(check)


def test_a_window_is_violent_only_when_a_second_of_it_is():
    programme = rendered.Programme("mixed", 7, (rendered.Act("sit", 4.0), rendered.Act("assault", 5.0)))
    found = rendered.labels(programme, 15)
    assert (found[:4] == 0).all()
    assert (found == 1).any()
    calm = rendered.Programme("playfight", 8, (rendered.Act("playfight", 6.0),))
    assert (rendered.labels(calm, 9) == 0).all()


def test_a_rendered_programme_gives_eight_frames_a_second():
    programme = rendered.Programme("walk", 9, (rendered.Act("walk", 1.0),), fps=10, size=(128, 72))
    assert len(list(rendered.frames(programme))) == 9


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00\x01binary", b"\x89PNG\r\n\x1a\n\x00\x00"])
def test_a_label_file_that_is_no_table_is_refused_by_name(tmp_path, content):
    path = tmp_path / "labels.csv"
    path.write_bytes(content)
    with pytest.raises(data.LabelError, match=r"labels\.csv"):
        data.read_labels(path)


def test_a_row_cut_short_is_refused_with_its_line(tmp_path):
    with pytest.raises(data.LabelError, match=r"labels\.csv:2: fold None"):
        data.read_labels(labels(tmp_path, "a.mp4,fight"))


def test_a_fold_without_one_of_the_classes_is_refused(tmp_path):
    rows = ["a.mp4,fight,0,g1,25,0", "b.mp4,no_fight,0,g2,25,0", "c.mp4,fight,1,g3,25,0"]
    with pytest.raises(data.LabelError, match="fold 1 holds no clip labelled no_fight"):
        data.require_both_classes(data.read_labels(labels(tmp_path, *rows)))
    with pytest.raises(data.LabelError, match="1 fold"):
        data.require_both_classes(data.read_labels(labels(tmp_path, *rows[:2])))


def test_videos_that_stop_midway_or_are_none_are_left_out_by_name_and_the_rest_is_kept(tmp_path):
    clips = tmp_path / "clips"
    clips.mkdir()
    whole = film(clips / "whole.avi", 40, fps=20.0)
    slow = film(clips / "slow.avi", 12, fps=6.0)
    content = whole.read_bytes()
    (clips / "torn.avi").write_bytes(content[: len(content) // 5])
    (clips / "text.avi").write_bytes(b"not a video")
    rows = [f"{name}.avi,fight,0,{name},25,0" for name in ("whole", "slow", "torn", "text", "gone")]
    kept, refused = data.readable(data.read_labels(labels(tmp_path, *rows)), tmp_path / "cache")
    assert [clip.name for clip in kept] == ["whole", "slow"]
    assert list(refused) == ["torn", "text", "gone"]
    assert "torn.avi" in refused["torn"]
    # mixed frame rates: both give windows of 17 frames over their 2 s
    assert [len(data.windows(data.cached(clip, tmp_path / "cache"))[0]) for clip in kept] == [17, 17]
    assert slow.is_file()
