"""Cleaning and splitting FER2013, on a small zip made here."""

import zipfile

import cv2
import numpy as np
import pytest

from models.emotion import data


def jpeg(seed):
    noise = np.random.default_rng(seed).integers(0, 256, (48, 48), dtype=np.uint8)
    return cv2.imencode(".jpg", noise)[1].tobytes()


def make(path, extra=(), classes=data.CLASSES):
    with zipfile.ZipFile(path, "w") as archive:
        for index, name in enumerate(classes):
            for k in range(10):
                archive.writestr(f"train/{name}/Training_{k}.jpg", jpeg(100 * index + k))
            archive.writestr(f"public_test/{name}/PublicTest_0.jpg", jpeg(10_000 + index))
        for member, content in extra:
            archive.writestr(member, content)
    return path


def test_training_images_that_occur_in_public_test_are_dropped(tmp_path):
    zipped = make(tmp_path / "fer.zip", [("train/sad/Training_leak.jpg", jpeg(10_003))])
    split = data.load(zipped)
    assert split.dropped_in_public_test == 1
    seen = {face.tobytes() for face in split.public_test.pixels}
    assert not any(face.tobytes() in seen for face in (*split.train.pixels, *split.hold_out.pixels))


def test_copies_are_kept_once_and_contradictions_not_at_all(tmp_path):
    same = ("train/angry/Training_copy.jpg", jpeg(3))
    torn = ("train/happy/Training_torn.jpg", jpeg(104))
    split = data.load(make(tmp_path / "fer.zip", [same, torn]))
    assert split.dropped_copies == 3
    faces = [face.tobytes() for face in (*split.train.pixels, *split.hold_out.pixels)]
    assert len(faces) == len(set(faces)) == 69


def test_the_hold_out_has_every_class_and_shares_nothing_with_training(tmp_path):
    split = data.load(make(tmp_path / "fer.zip"))
    assert set(split.hold_out.labels) == set(range(7))
    assert not {f.tobytes() for f in split.hold_out.pixels} & {f.tobytes() for f in split.train.pixels}


def test_the_split_follows_its_seed(tmp_path):
    zipped = make(tmp_path / "fer.zip")
    first, again, other = (data.load(zipped, seed=s).hold_out.pixels for s in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_unreadable_images_are_named(tmp_path):
    split = data.load(make(tmp_path / "fer.zip", [("train/fear/Training_bad.jpg", b"no image")]))
    assert split.unreadable == ("train/fear/Training_bad.jpg",)


def test_a_missing_class_a_missing_file_and_a_broken_zip_are_refused(tmp_path):
    with pytest.raises(data.EmotionDataError, match="holds no train image of disgust"):
        data.load(make(tmp_path / "less.zip", classes=[c for c in data.CLASSES if c != "disgust"]))
    with pytest.raises(data.EmotionDataError, match="URIAI_DATA"):
        data.load(tmp_path / "none.zip")
    (tmp_path / "broken.zip").write_bytes(b"PK nonsense")
    with pytest.raises(data.EmotionDataError, match="not a readable zip"):
        data.load(tmp_path / "broken.zip")


def test_the_committed_model_is_as_good_on_public_test_as_its_card_says(data_folder, sessions, emotion_manifest):
    split = data.load(data_folder / "fer2013" / "fer2013.zip")
    faces = split.public_test.pixels[::7]
    said = sessions["emotion"].run(None, {"faces": faces[:, None].astype(np.float32)})[0].argmax(1)
    accuracy = float((said == split.public_test.labels[::7]).mean())
    # every seventh image: two standard deviations of a sample of 500 are 4 points
    assert accuracy == pytest.approx(emotion_manifest["metrics"]["public_test_accuracy"], abs=0.045)


@pytest.fixture
def data_folder(request):
    return request.getfixturevalue("data")


@pytest.fixture
def emotion_manifest():
    from tests.unit.models.conftest import manifest_of

    return manifest_of("emotion")
