"""Clips that are unusual and yet good: 4K at 60 frames a second, a variable rate, a picture stated to be turned."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.unit.vision.conftest import REPOSITORY
from tests.unit.vision.pictures import Picture, room, rotated, with_face, write_clip
from uriai.adapters.vision.analyser import OnnxClipAnalyser
from uriai.adapters.vision.limits import Limits

MOST_MIB = 700
_OBSERVE = """
import json, re, sys
from pathlib import Path
from uriai.adapters.vision.analyser import OnnxClipAnalyser
seen = OnnxClipAnalyser.from_folder(Path(sys.argv[1])).observe(Path(sys.argv[2]))
print(json.dumps({
    "duration_s": seen.duration_s,
    "windows": [[window.start_s, window.end_s] for window in seen.windows],
    "boxes": [[face.box.x, face.box.y, face.box.w, face.box.h] for face in seen.faces],
    # getrusage would tell the largest of whoever started this process as well
    "peak_mib": int(re.search(r"VmHWM:\\s*(\\d+)", Path("/proc/self/status").read_text())[1]) // 1024,
}))
"""


def test_a_4k_clip_of_60_frames_a_second_is_analysed_in_its_own_pixels_within_the_memory(tmp_path: Path) -> None:
    large = cv2.resize(with_face(room(640, 360), 466, 173, 20), (3840, 2160))
    path = write_clip(tmp_path / "4k.mp4", lambda _: large, seconds=1.5, fps=60)
    done = subprocess.run(
        [sys.executable, "-c", _OBSERVE, REPOSITORY / "models", path], check=True, capture_output=True, text=True
    )
    seen = json.loads(done.stdout)
    assert seen["duration_s"] == pytest.approx(1.5, abs=0.02)
    assert seen["windows"] == [[0.0, pytest.approx(1.5, abs=0.02)]]
    assert seen["boxes"]
    for x, y, w, h in seen["boxes"]:
        assert x < 2796 < x + w
        assert y < 1038 < y + h
        assert 150 < h < 400
    assert seen["peak_mib"] <= MOST_MIB


def test_the_longest_clip_of_60_frames_a_second_is_within_the_limits() -> None:
    assert Limits().most_frames >= 30 * 60
    assert Limits().most_pixels >= 3840 * 2160


def test_a_variable_rate_gives_windows_and_faces_at_the_times_a_viewer_sees(
    analyser: OnnxClipAnalyser, tmp_path: Path
) -> None:
    times = [0.0, 0.04, 0.08, 0.5, 0.54, 1.0, 1.2, 1.4, 1.44, 1.48, 2.0, 2.5, 2.54, 3.0, 3.04, 3.4, 3.8, 3.9]

    def walker(t_s: float) -> Picture:
        return with_face(room(640, 360), 120 + round(60 * t_s), 170, 20)

    seen = analyser.observe(write_clip(tmp_path / "variable.mp4", walker, times_s=times))
    assert seen.duration_s == pytest.approx(3.98, abs=0.03)
    assert [window.start_s for window in seen.windows] == pytest.approx([0.0, 1.0, 2.0], abs=0.01)
    assert seen.windows[-1].end_s == pytest.approx(seen.duration_s, abs=0.05)
    assert len({face.t_s for face in seen.faces}) >= 3
    for face in seen.faces:
        assert min(abs(face.t_s - t_s) for t_s in times) < 2e-3
        assert face.box.x + face.box.w / 2 == pytest.approx(120 + 60 * face.t_s, abs=8)


def test_boxes_of_a_turned_clip_are_in_the_picture_a_viewer_sees(analyser: OnnxClipAnalyser, tmp_path: Path) -> None:
    upright = with_face(room(240, 320), 150, 80, 20)
    lying = np.ascontiguousarray(cv2.rotate(upright, cv2.ROTATE_90_COUNTERCLOCKWISE))
    path = rotated(write_clip(tmp_path / "clip.mp4", lambda _: lying, seconds=2), tmp_path / "turned.mp4")
    seen = analyser.observe(path)
    assert seen.faces
    for face in seen.faces:
        assert face.box.x + face.box.w / 2 == pytest.approx(150, abs=12)
        assert face.box.y + face.box.h / 2 == pytest.approx(80, abs=15)
