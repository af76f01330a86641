"""The truth about where people are fits what is drawn."""

import itertools

import cv2
import numpy as np

from playroom import FIRST_DEMO_SEED, Act, render_programme
from playroom.whereabouts import whereabouts

SIZE, FPS = (640, 360), 8


def test_what_moves_in_the_picture_is_where_people_are() -> None:
    acts = (Act("run", 1.5),)
    seed = FIRST_DEMO_SEED + 77
    pictures = list(render_programme(seed, acts, FPS, SIZE))
    truth = list(whereabouts(seed, acts, FPS, SIZE))
    assert len(pictures) == len(truth)
    inside = moved = 0
    for (before, after), (then, now) in zip(itertools.pairwise(pictures), itertools.pairwise(truth), strict=True):
        change = np.abs(cv2.blur(after, (5, 5)).astype(int) - cv2.blur(before, (5, 5)).astype(int)).max(axis=2) > 30
        change[:30] = False  # the clock
        near = np.zeros(change.shape, bool)
        for one in (*then, *now):
            x, y, width, height = one.box
            near[max(int(y) - 6, 0) : int(y + height) + 12, max(int(x) - 8, 0) : int(x + width) + 8] = True
        inside += int((change & near).sum())
        moved += int(change.sum())
    assert moved > 500
    assert inside / moved > 0.9


def test_people_keep_their_number_and_their_age() -> None:
    looks = list(whereabouts(FIRST_DEMO_SEED + 3, (Act("walk", 1.0),), 4, SIZE))
    assert len(looks) == 4
    assert len({tuple((one.person, one.adult) for one in look) for look in looks}) == 1
    assert all(one.box[2] > 2 and one.box[3] > 5 for look in looks for one in look)
