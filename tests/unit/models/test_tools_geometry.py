"""What a rotation makes of boxes: checked as geometry, and pixel by pixel."""

import math

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from models.tools.geometry import Box, Rotation, angle_tag, angles

sizes = st.tuples(st.integers(8, 90), st.integers(8, 90))
turns = st.floats(-720, 720, allow_nan=False).map(lambda angle: round(angle, 3))


@st.composite
def scenes(draw):
    """A picture's size and a box of whole pixels inside of it."""
    width, height = draw(sizes)
    left, top = draw(st.integers(0, width - 2)), draw(st.integers(0, height - 2))
    right, bottom = draw(st.integers(left + 1, width)), draw(st.integers(top + 1, height))
    return width, height, Box("person", left, top, right, bottom)


def edges(box):
    return np.array([box.left, box.top, box.right, box.bottom])


@settings(deadline=None)
@given(scenes(), st.booleans())
def test_no_turn_changes_nothing(scene, expanded):
    width, height, box = scene
    rotation = Rotation(width, height, 0, expanded)
    picture = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    assert rotation.box(box) == (box, 1.0)
    np.testing.assert_array_equal(rotation.image(picture), picture)


@settings(deadline=None)
@given(scenes(), st.integers(-4, 8))
def test_quarter_turns_are_exact_in_box_and_picture(scene, quarters):
    width, height, box = scene
    rotation = Rotation(width, height, 90 * quarters, expanded=True)
    picture = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    np.testing.assert_array_equal(rotation.image(picture), np.rot90(picture, quarters))
    expected = box
    for _ in range(quarters % 4):
        expected = Box(box.name, expected.top, width - expected.right, expected.bottom, width - expected.left)
        width, height = height, width
    found, share = rotation.box(box)
    assert share == 1.0
    np.testing.assert_allclose(edges(found), edges(expected), atol=1e-9)


@settings(deadline=None)
@given(scenes(), turns)
@example((30, 20, Box("person", 0, 0, 30, 20)), 45.0)
def test_an_expanded_canvas_holds_the_whole_turned_picture(scene, angle):
    width, height, box = scene
    rotation = Rotation(width, height, angle, expanded=True)
    found, share = rotation.box(box)
    assert share > 1 - 1e-6
    corners = rotation.points(box.corners)
    np.testing.assert_allclose(edges(found), [*corners.min(0), *corners.max(0)], atol=1e-6)
    whole = rotation.points(Box("", 0, 0, width, height).corners)
    assert whole.min() > -1e-6
    assert (whole.max(0) <= [rotation.out_width + 1e-6, rotation.out_height + 1e-6]).all()
    assert rotation.out_width < width + height + 2


@settings(deadline=None)
@given(scenes(), turns)
def test_turning_back_gives_a_box_round_the_original(scene, angle):
    width, height, box = scene
    there = Rotation(width, height, angle, expanded=True)
    turned, _ = there.box(box)
    back = Rotation(there.out_width, there.out_height, -angle, expanded=True)
    again, share = back.box(turned)
    moved = np.array(
        [back.out_width - width, back.out_height - height, back.out_width - width, back.out_height - height]
    )
    original = edges(box) + moved / 2
    assert share > 1 - 1e-6
    assert (edges(again)[:2] <= original[:2] + 1e-6).all()
    assert (edges(again)[2:] >= original[2:] - 1e-6).all()


@settings(deadline=None)
@given(scenes(), turns)
def test_points_turned_there_and_back_are_where_they_were(scene, angle):
    width, height, box = scene
    there, back = Rotation(width, height, angle, expanded=False), Rotation(width, height, -angle, expanded=False)
    np.testing.assert_allclose(back.points(there.points(box.corners)), box.corners, atol=1e-9)


@settings(deadline=None)
@given(scenes(), turns)
def test_on_a_kept_canvas_a_box_stays_inside_and_its_share_is_that_of_its_points(scene, angle):
    width, height, box = scene
    rotation = Rotation(width, height, angle, expanded=False)
    found, share = rotation.box(box)
    assert edges(found).min() >= 0
    assert found.right <= width
    assert found.bottom <= height
    grid = np.linspace(0, 1, 41)[:-1] + 1 / 80
    points = np.stack(np.meshgrid(box.left + grid * box.width, box.top + grid * box.height), -1).reshape(-1, 2)
    turned = rotation.points(points)
    inside = ((turned >= 0) & (turned <= [width, height])).all(1)
    assert share == pytest.approx(inside.mean(), abs=0.06)


@settings(max_examples=60, deadline=None)
@given(scenes(), turns, st.booleans())
def test_the_pixels_of_a_turned_rectangle_lie_in_its_box(scene, angle, expanded):
    width, height, box = scene
    picture = np.zeros((height, width, 3), np.uint8)
    picture[int(box.top) : int(box.bottom), int(box.left) : int(box.right)] = 255
    rotation = Rotation(width, height, angle, expanded)
    found, share = rotation.box(box)
    # a pixel brighter than half belongs to the rectangle; interpolation blurs an edge by half a pixel
    rows, columns = np.nonzero(rotation.image(picture)[:, :, 0] > 128)
    if share == 0:
        assert len(rows) == 0
    if len(rows):
        assert columns.min() >= found.left - 1
        assert rows.min() >= found.top - 1
        assert columns.max() + 1 <= found.right + 1
        assert rows.max() + 1 <= found.bottom + 1


def test_a_box_of_a_large_turned_rectangle_is_not_looser_than_its_pixels():
    picture = np.zeros((400, 500, 3), np.uint8)
    picture[150:260, 120:330] = 255
    for angle in range(0, 360, 10):
        rotation = Rotation(500, 400, angle, expanded=True)
        found, _ = rotation.box(Box("person", 120, 150, 330, 260))
        rows, columns = np.nonzero(rotation.image(picture)[:, :, 0] > 128)
        seen = np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1])
        assert np.abs(seen - edges(found)).max() < 2.5, angle


def test_a_positive_angle_turns_counter_clockwise_as_one_looks_at_it():
    found, _ = Rotation(100, 100, 90, expanded=False).box(Box("person", 80, 40, 100, 60))
    np.testing.assert_allclose(edges(found), [40, 0, 60, 20], atol=1e-9)
    tilted = Rotation(100, 100, 10, expanded=False).points(np.array([[100.0, 50.0]]))
    assert tilted[0, 1] == pytest.approx(50 - 50 * math.sin(math.radians(10)))


def test_a_box_turned_off_the_canvas_keeps_its_visible_part_only():
    rotation = Rotation(200, 50, 90, expanded=False)
    gone, nothing = rotation.box(Box("person", 0, 0, 20, 20))
    assert nothing == 0
    assert gone.area == 0
    part, share = rotation.box(Box("person", 70, 0, 130, 50))
    assert share == pytest.approx(50 / 60)
    np.testing.assert_allclose(edges(part), [75, 0, 125, 50], atol=1e-9)


@pytest.mark.parametrize("fill", ["black", "gray", "edge"])
def test_corners_show_what_was_asked_for(fill):
    picture = np.full((40, 40, 3), 200, np.uint8)
    corner = Rotation(40, 40, 45, expanded=True).image(picture, fill)[0, 0]
    assert corner.tolist() == {"black": [0] * 3, "gray": [114] * 3, "edge": [200] * 3}[fill]


def test_angles_are_read_and_named():
    assert angles("10:350:10") == [10.0 * k for k in range(1, 36)]
    assert angles("-15,0,15,0") == [-15, 0, 15]
    assert [angle_tag(angle) for angle in (10, -15, 7.5, 360)] == ["a010", "a345", "a007.5", "a000"]
    for wrong in ("", "10:20", "10:20:0", "20:10:5", "nan", "ten", "0:inf:1"):
        with pytest.raises(ValueError, match=r"."):
            angles(wrong)
