from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from playroom import FIRST_DEMO_SEED, render_clip
from tests.unit.vision.pictures import Picture, room, shaking, still, with_face, write_clip
from uriai.adapters.vision.analyser import OnnxClipAnalyser
from uriai.adapters.vision.registry import ROLES
from uriai.domain.model_set import model_set_hash
from uriai.domain.rules import find_all
from uriai.domain.thresholds import Thresholds
from uriai.domain.words import Verdict
from uriai.service.ports.vision import ClipFault, NotAVideo, peak_s


def calm_then_shaking(seconds: float) -> Picture:
    return shaking(seconds) if 6 <= seconds < 9 else room()


def walking_face(seconds: float) -> Picture:
    return with_face(room(640, 360), 120 + int(60 * seconds), 170, 20)


def test_a_still_clip_is_clear(analyser: OnnxClipAnalyser, tmp_path: Path) -> None:
    observations = analyser.observe(write_clip(tmp_path / "clip.mp4", still, seconds=4))
    assert [(w.start_s, w.end_s) for w in observations.windows] == [(0, 2), (1, 3), (2, 4)]
    assert observations.violence_probability < 0.2
    assert observations.faces == ()
    assert find_all(observations, Thresholds()) == ()


def test_movement_in_the_middle_is_found_at_its_time(analyser: OnnxClipAnalyser, tmp_path: Path) -> None:
    observations = analyser.observe(write_clip(tmp_path / "clip.mp4", calm_then_shaking, seconds=14))
    (finding,) = find_all(observations, Thresholds())
    assert finding.verdict is Verdict.REPORT
    assert 4 <= finding.start_s <= 6
    assert 9 <= finding.end_s <= 11
    assert 6 <= peak_s(finding) <= 9


@pytest.mark.parametrize(("seconds", "fps"), [(1, 5), (1, 60), (2, 25), (2.5, 12), (30, 5), (7.3, 29.97)])
def test_any_length_and_frame_rate_gives_windows_to_the_end(
    analyser: OnnxClipAnalyser, tmp_path: Path, seconds: float, fps: float
) -> None:
    observations = analyser.observe(write_clip(tmp_path / "clip.mp4", shaking, seconds=seconds, fps=fps))
    assert observations.duration_s == pytest.approx(round(seconds * fps) / fps, abs=0.02)
    assert observations.windows[0].start_s == 0
    assert observations.windows[-1].end_s == pytest.approx(observations.duration_s, abs=0.06)
    assert all(window.probability > 0.5 for window in observations.windows)


def test_one_person_walking_is_one_track_with_emotions(analyser: OnnxClipAnalyser, tmp_path: Path) -> None:
    observations = analyser.observe(write_clip(tmp_path / "clip.mp4", walking_face, seconds=4))
    assert len(observations.faces) >= 6
    assert {face.track for face in observations.faces} == {1}
    for face in observations.faces:
        assert abs(face.box.x + face.box.w / 2 - (120 + 60 * face.t_s)) < 15
        assert face.adult is None
        assert sum(face.emotions.values()) == pytest.approx(1, abs=1e-3)


def test_a_person_who_sits_still_is_reported_at_every_look_though_looked_for_once(
    analyser: OnnxClipAnalyser, tmp_path: Path
) -> None:
    path = write_clip(tmp_path / "clip.mp4", lambda _: with_face(room(640, 360), 300, 170, 20), seconds=3)
    observations = analyser.observe(path)
    assert [round(face.t_s, 2) for face in observations.faces] == pytest.approx([0, 0.5, 1, 1.5, 2, 2.5], abs=0.03)
    assert {face.track for face in observations.faces} == {1}


def test_a_face_too_small_to_show_an_emotion_is_seen_without_one(analyser: OnnxClipAnalyser, tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.mp4", lambda _: with_face(room(640, 360), 300, 170, 12), seconds=1)
    faces = analyser.observe(path).faces
    assert faces
    assert all(face.emotions == {} for face in faces)


def test_people_of_a_playroom_are_seen_once_a_second_and_share_their_tracks_with_their_faces(
    analyser: OnnxClipAnalyser, tmp_path: Path
) -> None:
    frames = list(render_clip(FIRST_DEMO_SEED + 41, "walk", 3.0, 8, (1280, 720)))
    path = write_clip(tmp_path / "clip.mp4", lambda t: frames[min(round(t * 8), 23)], seconds=3, fps=8)
    observations = analyser.observe(path)
    assert {round(person.t_s, 1) for person in observations.people} == {0.0, 1.0, 2.0}
    tracks = {person.track for person in observations.people}
    assert len(tracks) < len(observations.people)
    assert min(tracks | {face.track for face in observations.faces}) == 1
    for face in observations.faces:
        if face.track in tracks:
            near = [p.box for p in observations.people if p.track == face.track and abs(p.t_s - face.t_s) <= 0.5]
            middle = face.box.x + face.box.w / 2
            assert not near or any(box.x - box.w < middle < box.x + 2 * box.w for box in near)


def test_the_same_clip_gives_the_same_observations_twice(analyser: OnnxClipAnalyser, tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.mp4", walking_face, seconds=2.4)
    one, other = analyser.observe(path), analyser.observe(path)
    assert (one.windows, one.faces, one.people, one.models) == (other.windows, other.faces, other.people, other.models)


def test_observations_name_their_models_and_where_the_time_went(
    analyser: OnnxClipAnalyser, models: Path, tmp_path: Path
) -> None:
    observations = analyser.observe(write_clip(tmp_path / "clip.mp4", still, seconds=1))
    assert set(observations.models) == {"violence", "face", "emotion", "person", "age"}
    assert observations.models["violence"].startswith("test-violence@1.2.3+")
    manifests = {role: hashlib.sha256((models / role / "manifest.json").read_bytes()).hexdigest() for role in ROLES}
    assert analyser.model_set_hash == model_set_hash(observations.models, manifests)
    stages = dict(observations.timing_ms)
    assert stages.pop("total") == pytest.approx(sum(stages.values()), abs=1)


def test_a_clip_that_cannot_be_analysed_raises_its_fault(analyser: OnnxClipAnalyser, tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(b"")
    with pytest.raises(NotAVideo) as caught:
        analyser.observe(path)
    assert caught.value.fault is ClipFault.ZERO_BYTES
