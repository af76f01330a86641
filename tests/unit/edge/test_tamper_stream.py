"""A trouble is told from a coded stream in time, however little of it the gate decodes."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import cv2
import numpy as np
import pytest

from tests.unit.edge.scenes import encode, film, room
from uriai_edge.capture import Source
from uriai_edge.config import Camera, Motion, Tamper
from uriai_edge.gate import Gate
from uriai_edge.tamper import TamperEvent, TamperWatch, What

SIZE, RATE, BEGUN = (320, 180), 5, datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
WRONG_S, OVER_S, END_S = 60, 125, 150


def told(video) -> list[TamperEvent]:
    """What a watch tells of a video whose pictures come at their own speed, on a clock that is the stream's."""
    source = Source(Camera(number=1, source=str(video), pace="fast"), threading.Event())
    now_s, events = 0.0, []
    watch = TamperWatch(Tamper(), events.append, lambda: now_s, lambda: BEGUN + timedelta(seconds=now_s))
    gate = Gate(Motion(), source.codec, source.extradata, observer=lambda frame, picture, _: watch.look(frame, picture))
    for packet in source.packets():
        now_s = packet.time_s
        watch.heard()
        gate.feed(packet)
    source.close()
    return events


def covered(picture, time_s):
    if WRONG_S <= time_s < OVER_S:
        picture[:] = 25


def turned(picture, time_s):
    if WRONG_S <= time_s < OVER_S:
        picture[:] = room(99, SIZE)


def defocused(picture, time_s):
    if WRONG_S <= time_s < OVER_S:
        picture[:] = cv2.GaussianBlur(picture, (0, 0), 9)


@pytest.mark.parametrize("noise", [1.0, 8.0])  # sizes of packets tell something, or nothing
@pytest.mark.parametrize(
    ("trouble", "what"), [(covered, What.COVERED), (turned, What.TURNED), (defocused, What.DEFOCUSED)]
)
def test_a_trouble_in_a_stream_is_told_within_a_minute_and_so_is_its_end(tmp_path, noise, trouble, what):
    pictures = film(END_S * RATE, trouble, noise=noise, fps=RATE, size=SIZE)
    events = told(encode(tmp_path / "in.mp4", pictures, fps=RATE, gop=2 * RATE))
    assert [(event.what, event.begins) for event in events] == [(what, True), (what, False)]
    began, ended = events
    assert 30 <= (began.at - BEGUN).total_seconds() - WRONG_S <= 60
    assert (ended.at - BEGUN).total_seconds() - OVER_S <= 30
    assert began.picture is not None and ended.picture is not None


def test_a_frozen_picture_in_a_stream_is_told_within_a_minute(tmp_path):
    pictures = list(film(END_S * RATE, noise=2.0, fps=RATE, size=SIZE))
    frozen = [pictures[min(number, WRONG_S * RATE)] for number in range(len(pictures))]
    (event,) = told(encode(tmp_path / "in.mp4", frozen, fps=RATE, gop=2 * RATE))
    assert event.what is What.FROZEN and event.begins
    assert 30 <= (event.at - BEGUN).total_seconds() - WRONG_S <= 60
    assert np.frombuffer(event.picture, np.uint8).size > 1000
