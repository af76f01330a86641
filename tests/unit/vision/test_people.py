"""The person detector, small faces in the heads of people, and the age model's view of a face."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from playroom import FIRST_DEMO_SEED, Act, render_programme
from playroom.whereabouts import whereabouts
from tests.unit.vision.pictures import room, with_face
from uriai.adapters.vision import age
from uriai.adapters.vision.faces import DetectedFace, FaceDetector
from uriai.adapters.vision.heads import find_in_heads
from uriai.adapters.vision.people import PersonDetector, decode
from uriai.adapters.vision.registry import LocalModels, open_model
from uriai.domain.analysis import Box, iou

PEDESTRIANS = Path("/usr/share/doc/opencv-doc/examples/data/vtest.avi")
SIZE = (1280, 720)


@pytest.fixture(scope="module")
def people(models: Path) -> PersonDetector:
    return PersonDetector(open_model(LocalModels(models), "person"))


@pytest.fixture(scope="module")
def faces(models: Path) -> FaceDetector:
    return FaceDetector(open_model(LocalModels(models), "face"))


def test_distances_are_decoded_as_the_expectation_over_their_bins() -> None:
    scores = np.zeros(12, np.float32)
    scores[7] = 0.8  # row 1, column 3 of a grid of 4 columns
    logits = np.full((12, 44), -50, np.float32)
    for side, bins in enumerate(((2,), (3,), (4, 6), (0,))):
        for number in bins:
            logits[7, side * 11 + number] = 50
    boxes, found = decode(scores, logits, 4, 16, 0.5)
    middle_x, middle_y = 3.5 * 16, 1.5 * 16
    assert boxes.tolist() == [pytest.approx([middle_x - 32, middle_y - 48, middle_x + 5 * 16, middle_y], abs=1e-3)]
    assert found.tolist() == [pytest.approx(0.8)]


def test_nobody_is_decoded_from_low_scores() -> None:
    boxes, scores = decode(np.full(4, 0.1, np.float32), np.zeros((4, 44), np.float32), 2, 8, 0.3)
    assert boxes.shape == (0, 4)
    assert scores.shape == (0,)


def test_an_empty_room_has_nobody_in_it(people: PersonDetector) -> None:
    assert people.find(room(640, 360)) == ()


@pytest.mark.parametrize("size", [(1280, 720), (640, 360), (352, 288), (100, 40), (33, 700)])
def test_any_size_of_picture_can_be_searched_and_boxes_lie_in_it(people: PersonDetector, size: tuple[int, int]) -> None:
    width, height = size
    noise = np.random.default_rng(1).integers(0, 256, (height, width, 3), dtype=np.uint8)
    for found in people.find(noise, least_score=0.02):
        assert found.box.x >= 0
        assert found.box.y >= 0
        assert found.box.x + found.box.w <= width + 1e-3
        assert found.box.y + found.box.h <= height + 1e-3


def test_people_of_the_playroom_are_found_where_they_stand(people: PersonDetector) -> None:
    """Drawn people, their true places known: most are found, and hardly anything else."""
    there = hit = found_all = right = 0
    for seed in range(FIRST_DEMO_SEED + 40, FIRST_DEMO_SEED + 43):
        acts = (Act("walk", 2.0),)
        for picture, truth in zip(render_programme(seed, acts, 1, SIZE), whereabouts(seed, acts, 1, SIZE), strict=True):
            found = [person.box for person in people.find(picture)]
            boxes = [Box(*one.box) for one in truth]
            inside = [b for b in boxes if b.x > 0 and b.y > 0 and b.x + b.w < SIZE[0] and b.y + b.h < SIZE[1]]
            there += len(inside)
            hit += sum(any(iou(box, other) > 0.4 for other in found) for box in inside)
            found_all += len(found)
            right += sum(any(iou(box, other) > 0.2 for other in boxes) for box in found)
    assert there > 10
    assert hit / there > 0.5
    assert right / found_all > 0.85


@pytest.mark.skipif(not PEDESTRIANS.exists(), reason="apt-get install opencv-doc")
def test_pedestrians_of_a_real_film_are_found_and_the_lawn_is_not(people: PersonDetector) -> None:
    capture = cv2.VideoCapture(str(PEDESTRIANS))
    ok, picture = capture.read()
    assert ok
    found = people.find(np.asarray(picture, np.uint8), least_score=0.4)
    assert 3 <= len(found) <= 12
    assert all(1.2 < person.box.h / person.box.w < 5 for person in found[:3])
    assert not [person for person in found if person.box.y > 400 and person.box.x < 300]


def test_a_face_too_small_for_the_frames_search_is_found_in_its_persons_head(faces: FaceDetector) -> None:
    picture = with_face(room(1280, 720), 700, 300, 12)
    assert faces.find(picture) == ()
    (found,) = find_in_heads(faces, picture, [Box(660, 270, 80, 230)])
    assert abs(found.box.x + found.box.w / 2 - 700) < 5
    assert abs(found.box.y + found.box.h / 2 - 300) < 6
    assert 14 < found.box.h < 36


def test_faces_of_several_heads_come_back_to_their_own_places(faces: FaceDetector) -> None:
    picture, places = room(1280, 720), [(150, 120), (1240, 130), (400, 600), (900, 400), (650, 90)]
    for x, y in places:
        picture = with_face(picture, x, y, 16)
    persons = [Box(x - 40, y - 35, 80, 260) for x, y in places]
    found = find_in_heads(faces, picture, persons)
    middles = sorted((round(f.box.x + f.box.w / 2), round(f.box.y + f.box.h / 2)) for f in found)
    assert len(middles) == len(places)
    for (x, y), (found_x, found_y) in zip(sorted(places), middles, strict=True):
        assert abs(x - found_x) < 6
        assert abs(y - found_y) < 8


def test_heads_without_faces_and_no_heads_give_no_faces(faces: FaceDetector) -> None:
    assert find_in_heads(faces, room(1280, 720), []) == ()
    assert find_in_heads(faces, room(1280, 720), [Box(0, 0, 1280, 720), Box(1279, 719, 1, 1)]) == ()


def test_landmarks_of_a_face_lie_in_it_eyes_above_mouth(faces: FaceDetector) -> None:
    (found,) = faces.find(with_face(room(640, 360), 300, 170, 22))
    eye, other_eye, nose, mouth, other_mouth = found.landmarks
    assert eye[0] < nose[0] < other_eye[0]
    assert max(eye[1], other_eye[1]) < nose[1] < min(mouth[1], other_mouth[1])


def test_a_turned_and_scaled_face_is_brought_back_upright() -> None:
    source = np.array([[0.0, 0.0], [10.0, 0.0], [5.0, 8.0]])
    angle, scale, shift = np.radians(25), 3.5, np.array([40.0, -7.0])
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    moved = source @ turn.T + shift
    matrix = age.similarity(moved, source)
    assert np.allclose(moved @ matrix[:, :2].T + matrix[:, 2], source, atol=1e-9)


def test_the_eyes_of_a_chip_are_level_and_where_the_model_expects_them() -> None:
    picture = room(640, 360)
    marks = ((300.0, 150.0), (340.0, 170.0), (310.0, 185.0), (285.0, 200.0), (322.0, 220.0))
    cv2.circle(picture, (300, 150), 4, (0, 0, 255), -1)
    cv2.circle(picture, (340, 170), 4, (0, 0, 255), -1)
    chip = age.chip(picture, DetectedFace(Box(270, 120, 90, 110), 0.9, marks))
    red = np.argwhere((chip[..., 0] > 180) & (chip[..., 2] < 100))
    left, right = red[red[:, 1] < 32].mean(axis=0), red[red[:, 1] >= 32].mean(axis=0)
    assert abs(left[0] - right[0]) < 6
    assert 14 < left[1] < 26
    assert 38 < right[1] < 50


def test_ages_are_a_distribution_and_adulthood_its_part_from_thirteen_on(models: Path) -> None:
    model = age.AgeModel(open_model(LocalModels(models), "age"))
    chips = list(np.random.default_rng(2).integers(0, 256, (3, 64, 64, 3), dtype=np.uint8))
    rows = model.probabilities(chips)
    assert rows.shape == (3, 81)
    assert np.allclose(rows.sum(axis=1), 1, atol=1e-4)
    assert model.adult(chips) == pytest.approx(rows[:, age.ADULT_FROM :].sum(axis=1).tolist(), abs=1e-5)
    assert model.adult([]) == ()
