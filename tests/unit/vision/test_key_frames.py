"""The pictures of a finding: the right frame, legible text, no face where none may be."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.unit.vision.pictures import Picture, room, rotated, with_face, write_clip
from uriai.adapters.vision import lettering
from uriai.adapters.vision.analyser import OnnxClipAnalyser
from uriai.adapters.vision.faces import FaceDetector
from uriai.adapters.vision.registry import LocalModels, open_model
from uriai.domain.centre import Camera, Centre
from uriai.domain.finding import Finding
from uriai.domain.words import Kind, Verdict
from uriai.service.key_frame_caption import caption_of

BAR = np.array((32, 32, 32))
CENTRE = Centre(1, "샛별어린이집", "Asia/Seoul", auto_report=False)
CAMERA = Camera(1, 1, "gateway", 3, registered=True)
MIDNIGHT = datetime(2026, 11, 22, 14, 59, 59, 900_000, tzinfo=UTC)
"""A tenth of a second before midnight in Seoul."""


def picture(jpeg: bytes) -> Picture:
    found = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert found is not None
    return found


def words(t_s: float) -> list[str]:
    return [f"의심 {t_s:.2f}", "suspicion"]


def walking_face(seconds: float) -> Picture:
    return with_face(room(640, 360), 120 + int(60 * seconds), 170, 20)


@pytest.mark.parametrize("t_s", [-1.0, 0.0, 1.5, 2.99, 99.0])
def test_key_frames_show_the_moment_plain_annotated_and_masked(
    analyser: OnnxClipAnalyser, models: Path, tmp_path: Path, t_s: float
) -> None:
    path = write_clip(tmp_path / "clip.mp4", walking_face, seconds=3)
    frames = analyser.key_frames(path, t_s, analyser.observe(path), words)
    assert frames.t_s == pytest.approx(min(max(t_s, 0), 2.96), abs=0.03)
    plain, masked = picture(frames.plain_jpeg), picture(frames.masked_jpeg)
    assert plain.shape == masked.shape == (360, 640, 3)
    annotated, both = picture(frames.annotated_jpeg), picture(frames.annotated_masked_jpeg)
    assert annotated.shape == both.shape
    assert annotated.shape[0] > 360
    assert np.abs(annotated[360:].astype(int) - both[360:].astype(int)).max() < 30, "the same words below both"
    drawn_on = np.abs(annotated[:360].astype(int) - plain.astype(int)).max(axis=2) > 60
    assert drawn_on.sum() > 200, "the face's box"
    detector = FaceDetector(open_model(LocalModels(models), "face"))
    assert len(detector.find(plain)) == 1
    assert detector.find(masked, least_score=0.3) == ()
    assert detector.find(both, least_score=0.3) == ()


def test_a_face_missed_on_the_frame_but_seen_beside_it_is_masked(analyser: OnnxClipAnalyser, tmp_path: Path) -> None:
    """The detector finds no face in the one frame where it is smeared; its neighbours tell where it is."""

    def smeared_for_a_moment(seconds: float) -> Picture:
        drawn = with_face(room(640, 360), 300, 170, 22)
        if 0.99 < seconds < 1.03:
            drawn[140:200, 275:325] = cv2.blur(drawn[140:200, 275:325], (1, 41))
        return drawn

    path = write_clip(tmp_path / "clip.mp4", smeared_for_a_moment, seconds=2)
    frames = analyser.key_frames(path, 1.0, analyser.observe(path), words)
    face = np.s_[150:190, 285:315]
    for masked in (frames.masked_jpeg, frames.annotated_masked_jpeg):
        difference = np.abs(picture(frames.plain_jpeg)[face].astype(int) - picture(masked)[face].astype(int))
        assert difference.mean() > 5


TIMES_S = [0.0, 0.04, 0.2, 0.22, 0.9, 1.0, 1.04, 1.5, 2.0]


def brighter_by_frame(seconds: float) -> Picture:
    return np.full((180, 320, 3), 20 + 25 * TIMES_S.index(seconds), np.uint8)


@pytest.mark.parametrize(("t_s", "shown_s"), [(0.1, 0.04), (0.5, 0.22), (0.94, 0.9), (1.3, 1.5), (1.9, 2.0)])
def test_of_a_clip_of_variable_rate_the_frame_nearest_in_time_is_shown(
    analyser: OnnxClipAnalyser, tmp_path: Path, t_s: float, shown_s: float
) -> None:
    path = write_clip(tmp_path / "clip.mp4", brighter_by_frame, times_s=TIMES_S)
    frames = analyser.key_frames(path, t_s, analyser.observe(path), words)
    assert frames.t_s == pytest.approx(shown_s, abs=2e-3)
    assert picture(frames.plain_jpeg).mean() == pytest.approx(20 + 25 * TIMES_S.index(shown_s), abs=8)


def test_of_a_clip_stated_to_be_turned_the_pictures_are_upright(analyser: OnnxClipAnalyser, tmp_path: Path) -> None:
    def lamp_top_left(seconds: float) -> Picture:
        del seconds
        drawn = np.full((240, 320, 3), 20, np.uint8)
        drawn[:120, :160] = 220
        return drawn

    path = rotated(write_clip(tmp_path / "clip.mp4", lamp_top_left, seconds=1), tmp_path / "turned.mp4")
    frames = analyser.key_frames(path, 0.5, analyser.observe(path), words)
    for jpeg in (frames.plain_jpeg, frames.annotated_jpeg, frames.masked_jpeg, frames.annotated_masked_jpeg):
        shown = picture(jpeg)
        assert shown.shape[1] == 240
        assert shown[10, -10].mean() > 180 > 60 > shown[10, 10].mean()


def test_a_4k_clip_of_60_frames_a_second_is_shown_whole_and_its_masked_pictures_small(
    analyser: OnnxClipAnalyser, tmp_path: Path
) -> None:
    still = cv2.resize(room(), (3840, 2160))
    path = write_clip(tmp_path / "clip.mp4", lambda _: still, seconds=0.25, fps=60)
    observations = analyser.observe(path)
    assert observations.duration_s == pytest.approx(0.25, abs=0.01)
    frames = analyser.key_frames(path, 0.1, observations, words)
    assert frames.t_s == pytest.approx(0.1, abs=1 / 60)
    assert picture(frames.plain_jpeg).shape == (2160, 3840, 3)
    assert picture(frames.masked_jpeg).shape == (720, 1280, 3)
    assert picture(frames.annotated_masked_jpeg).shape[1] == 1280


def test_a_caption_says_suspicion_kind_confidence_camera_and_the_instant_in_the_centres_zone() -> None:
    finding = Finding(Kind.PHYSICAL, 0.0, 2.0, 0.999, Verdict.REPORT)
    korean, english = caption_of(finding, CENTRE, CAMERA, MIDNIGHT, verified=True)(0.25)
    assert korean == "의심: 신체학대 99%(신고 대상) · CCTV 3호기 · 2026-11-23 00:00:00.1 KST"
    assert english == "Suspicion: physical abuse 99% (for a report) · CCTV 3 · 2026-11-23 00:00:00.1 KST"


def test_a_caption_of_what_nobody_vouches_for_says_so() -> None:
    finding = Finding(Kind.NEGLECT, 0.0, 2.0, 0.7, Verdict.REVIEW)
    korean, english = caption_of(finding, CENTRE, CAMERA, MIDNIGHT, verified=False)(0.0)
    assert korean.endswith(" · 원본 서명 미확인")
    assert english.endswith(" · signature not verified")


def every_caption() -> list[str]:
    return [
        line
        for kind in Kind
        for verdict in Verdict
        for line in caption_of(Finding(kind, 0, 2, 0.5, verdict), CENTRE, CAMERA, MIDNIGHT, verified=False)(0.0)
    ]


def drawn(text: str) -> Picture:
    return lettering.with_caption(np.zeros((720, 200, 3), np.uint8), [text])[720:]


def test_every_sign_that_captions_use_is_in_the_font() -> None:
    """What a font lacks, OpenCV draws as a question mark."""
    unknown = drawn("?")
    signs = sorted(set("".join(every_caption())) - {" ", "?"})
    assert {"의", "심", "방", "·", "%"} <= set(signs)
    assert [sign for sign in signs if np.array_equal(drawn(sign), unknown)] == []


def test_a_font_without_hangul_is_refused_and_not_drawn_as_question_marks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lettering, "_drawn", lambda font, text: np.zeros((48, 48, 3), np.uint8))
    lettering._font.cache_clear()
    try:
        with pytest.raises(lettering.LetteringError, match="no font with Hangul"):
            lettering.width_px("의심", 20)
    finally:
        lettering._font.cache_clear()


@pytest.mark.parametrize(("width", "height"), [(1920, 1080), (640, 360), (360, 640), (176, 144)])
def test_no_word_of_a_caption_is_cut_off_at_any_size(width: int, height: int) -> None:
    text = max(every_caption(), key=len)
    captioned = lettering.with_caption(np.zeros((height, width, 3), np.uint8), [text])
    bar = captioned[height:]
    assert captioned.shape[1] == width
    assert (bar[:, -3:] == BAR).all(), "nothing runs out to the right"
    assert (bar[-2:] == BAR).all(), "or below"
    wide = lettering.with_caption(np.zeros((min(width, height), 20_000, 3), np.uint8), [text])[min(width, height) :]
    ink, all_ink = (np.any(part != BAR, axis=2).sum() for part in (bar, wide))
    assert ink == pytest.approx(all_ink, rel=0.03), "and nothing is missing"


@pytest.mark.parametrize(("left", "top"), [(0, 0), (310, 0), (0, 179), (315, 175), (-20, -20)])
def test_a_label_stays_inside_the_picture(left: int, top: int) -> None:
    blank = np.full((180, 320, 3), 200, np.uint8)
    lettering.write_label(blank, "#12 surprise 0.99", left, top, (40, 200, 255))
    rows, columns = np.nonzero(np.any(blank != 200, axis=2))
    assert columns.max() - columns.min() >= lettering.width_px("#12 surprise 0.99", 12) - 1
    assert rows.max() - rows.min() >= 12
