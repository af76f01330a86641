from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.vision.pictures import room, with_face
from uriai.adapters.vision import emotion, masking
from uriai.adapters.vision.faces import FaceDetector, decode, suppress
from uriai.adapters.vision.registry import LocalModels, open_model
from uriai.adapters.vision.tracker import Tracker
from uriai.domain.analysis import EMOTIONS, Box, iou


@pytest.fixture(scope="module")
def detector(models: Path) -> FaceDetector:
    return FaceDetector(open_model(LocalModels(models), "face"))


def test_a_heat_map_is_decoded_into_boxes_of_input_pixels() -> None:
    heatmap = np.zeros((8, 8), np.float32)
    heatmap[3, 5] = 0.9
    scale, offset = np.zeros((2, 8, 8), np.float32), np.zeros((2, 8, 8), np.float32)
    scale[:, 3, 5] = np.log(6), np.log(4)
    offset[:, 3, 5] = 0.25, -0.25
    boxes, scores = decode(heatmap, scale, offset, 0.5)
    middle_x, middle_y = (5 + 0.5 - 0.25) * 4, (3 + 0.5 + 0.25) * 4
    assert boxes.tolist() == [pytest.approx([middle_x - 8, middle_y - 12, middle_x + 8, middle_y + 12])]
    assert scores.tolist() == [pytest.approx(0.9)]


def test_of_two_overlapping_boxes_the_stronger_stays_and_a_distant_one_too() -> None:
    boxes = np.array([[0, 0, 10, 10], [1, 1, 11, 11], [50, 50, 60, 60]], np.float32)
    assert suppress(boxes, np.array([0.6, 0.9, 0.5], np.float32), 0.3) == [1, 2]


@pytest.mark.parametrize(("width", "height"), [(1280, 720), (640, 360), (352, 288), (1920, 1080), (333, 251)])
def test_a_face_is_found_where_it_is_whatever_the_size_of_the_frame(
    detector: FaceDetector, width: int, height: int
) -> None:
    # a face of the same share of the picture, so that it has about 25 px where the model looks
    radius = max(14, width // 38)
    x, y = width // 3, height // 2
    found = detector.find(with_face(room(width, height), x, y, radius))
    assert len(found) == 1
    box = found[0].box
    assert abs(box.x + box.w / 2 - x) < radius / 2
    assert abs(box.y + box.h / 2 - y) < radius / 2


def test_an_empty_room_has_no_face(detector: FaceDetector) -> None:
    assert detector.find(room(640, 360)) == ()


def test_a_box_at_the_border_stays_inside_the_frame(detector: FaceDetector) -> None:
    for face in detector.find(with_face(room(640, 360), 4, 180, 30), least_score=0.1):
        assert face.box.x >= 0
        assert face.box.x + face.box.w <= 640


def test_a_masked_face_is_found_no_more(detector: FaceDetector) -> None:
    picture = with_face(with_face(room(640, 360), 200, 150, 20), 420, 200, 18)
    found = detector.find(picture)
    assert len(found) == 2
    masked = masking.mask(picture, [face.box for face in found])
    assert detector.find(masked, least_score=0.3) == ()


def test_a_mosaic_leaves_the_rest_and_the_original_as_they_were(detector: FaceDetector) -> None:
    grain = np.random.default_rng(3).integers(0, 8, (360, 640, 3), np.uint8)
    picture = with_face(room(640, 360), 200, 150, 20) + grain
    before = picture.copy()
    box = detector.find(picture)[0].box
    masked = masking.mask(picture, [box])
    left, top, right, bottom = masking.enlarge(box, 640, 360)
    inside = np.zeros(picture.shape[:2], bool)
    inside[top:bottom, left:right] = True
    assert (masked[~inside] == picture[~inside]).all()
    assert (picture == before).all()
    colours = np.unique(masked[inside], axis=0)
    assert len(colours) <= 100 < len(np.unique(picture[inside], axis=0))


@given(st.floats(-50, 700), st.floats(-50, 400), st.floats(1, 300), st.floats(1, 300))
def test_any_box_can_be_masked(x: float, y: float, w: float, h: float) -> None:
    picture = room()
    assert masking.mask(picture, [Box(x, y, w, h)]).shape == picture.shape


def test_a_person_walking_past_another_keeps_the_number() -> None:
    tracker = Tracker()
    walking, sitting = set(), set()
    for step in range(20):
        t_s = step * 0.5
        mover, sitter = Box(20 + 45 * step, 100, 30, 38), Box(500, 180, 34, 40)
        one, other = tracker.update(t_s, [mover, sitter] if step % 2 else [sitter, mover])[:: 1 if step % 2 else -1]
        walking.add(one)
        sitting.add(other)
    assert len(walking) == len(sitting) == 1
    assert walking != sitting


def test_a_face_missed_once_keeps_its_number_and_one_gone_for_long_gets_a_new_one() -> None:
    tracker, box = Tracker(), Box(100, 100, 30, 40)
    (first,) = tracker.update(0.0, [box])
    tracker.update(0.5, [])
    assert tracker.update(1.0, [box]) == (first,)
    assert tracker.update(9.0, [box]) != (first,)


def test_two_faces_of_one_moment_never_share_a_number() -> None:
    tracker = Tracker()
    boxes = [Box(x, 50, 30, 30) for x in (0, 10, 20, 30)]
    for step in range(5):
        assert len(set(tracker.update(step * 0.5, boxes))) == 4


def test_overlap_is_shared_area_over_united_area() -> None:
    assert iou(Box(0, 0, 10, 10), Box(5, 0, 10, 10)) == pytest.approx(50 / 150)
    assert iou(Box(0, 0, 10, 10), Box(20, 0, 10, 10)) == 0.0


def test_emotions_are_seven_probabilities_in_the_order_of_fer2013(models: Path) -> None:
    classifier = emotion.EmotionClassifier(open_model(LocalModels(models), "emotion"))
    crops = [emotion.crop(with_face(room(), 100, 100, 40), Box(70, 60, 60, 80)), np.zeros((48, 48), np.uint8)] * 20
    answers = classifier.classify(crops)
    assert len(answers) == 40
    for answer in answers:
        assert tuple(answer) == EMOTIONS
        assert sum(answer.values()) == pytest.approx(1, abs=1e-4)
    assert answers[0] == pytest.approx(answers[2], abs=1e-5)
    assert answers[0] != answers[1]
    assert classifier.classify([]) == ()


@pytest.mark.parametrize(
    "box", [Box(-20, -10, 60, 80), Box(300, 220, 40, 40), Box(10, 10, 25, 20), Box(0, 0, 320, 240)]
)
def test_a_crop_is_48_by_48_also_at_the_border(box: Box) -> None:
    assert emotion.crop(room(), box).shape == (48, 48)


def test_a_crop_that_already_has_the_size_stays_untouched() -> None:
    gray = np.random.default_rng(1).integers(0, 255, (48, 48), np.uint8)
    assert (emotion.fit(gray) == gray).all()
