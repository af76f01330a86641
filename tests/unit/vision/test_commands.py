from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from click.testing import CliRunner, Result

from tests.unit.vision.pictures import room, shaking, still, with_face, write_clip, write_sound
from tests.unit.vision.tiny_yolo import write_yolo, yolo
from uriai.domain.analysis import EMOTIONS
from uriai_cli.main import cli


def run(*arguments: object) -> Result:
    return CliRunner().invoke(cli, [str(argument) for argument in arguments])


def lines(result: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_analyze_prints_the_object_of_the_contract(models: Path, tmp_path: Path) -> None:
    def people(seconds: float) -> np.ndarray:
        return with_face(shaking(seconds, 640, 360), 300, 170, 20)

    path = write_clip(tmp_path / "clip.mp4", people, seconds=3)
    result = run("analyze", path, "--json", "--models", models)
    assert result.exit_code == 0
    (found,) = lines(result)
    assert list(found) == [
        "file", "sha256", "duration_s", "violence", "faces", "people", "findings", "verdict", "models", "timing_ms",
    ]  # fmt: skip
    assert found["file"] == str(path)
    assert found["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert found["duration_s"] == 3.0
    windows = found["violence"]["windows"]
    assert [set(window) for window in windows] == [{"start_s", "end_s", "probability"}] * 2
    assert found["violence"]["probability"] == max(window["probability"] for window in windows)
    assert all(set(face) == {"t_s", "track", "box", "emotions", "adult"} for face in found["faces"])
    assert [len(face["box"]) for face in found["faces"]] == [4] * len(found["faces"])
    (finding,) = found["findings"]
    assert set(finding) == {"kind", "start_s", "end_s", "confidence", "verdict"}
    assert (finding["kind"], found["verdict"]) == ("physical", "report")
    assert set(found["models"]) == {"violence", "face", "emotion", "person", "age"}
    assert found["timing_ms"]["total"] > 0


def test_analyze_names_each_unusable_file_analyses_the_others_and_exits_with_1(models: Path, tmp_path: Path) -> None:
    good = write_clip(tmp_path / "good.mp4", still, seconds=1)
    empty = tmp_path / "empty.mp4"
    empty.touch()
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(good.read_bytes()[:3000])
    picture = tmp_path / "picture.mp4"
    picture.write_bytes(cv2.imencode(".png", room())[1].tobytes())
    sound = write_sound(tmp_path / "sound.mp4")
    files = [empty, cut, picture, sound, tmp_path / "absent.mp4", tmp_path, good]
    result = run("analyze", *files, "--json", "--models", models)
    assert result.exit_code == 1
    found = lines(result)
    assert [line["file"] for line in found] == [str(file) for file in files]
    assert [line["error"]["type"] for line in found[:-1]] == [
        "zero_bytes", "truncated", "not_a_video", "no_video_stream", "not_found", "not_a_file",
    ]  # fmt: skip
    assert all(set(line) == {"file", "error"} and line["error"]["message"] for line in found[:-1])
    assert found[-1]["verdict"] == "clear"


def test_analyze_without_json_is_for_people(models: Path, tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.mp4", shaking, seconds=3)
    result = run("analyze", path, "--models", models)
    assert result.exit_code == 0
    assert "report" in result.stdout
    assert "physical  0.0-3.0 s" in result.stdout


def test_wrong_usage_exits_with_2(models: Path) -> None:
    assert run("analyze").exit_code == 2
    assert run("analyze", "--nonsense", "x").exit_code == 2
    assert run("emotion").exit_code == 2
    assert run("models", "nonsense").exit_code == 2


def test_a_refused_model_is_one_sentence_and_exit_code_1(models: Path, tmp_path: Path) -> None:
    broken = Path(shutil.copytree(models, tmp_path / "models"))
    (broken / "face" / "model.onnx").write_bytes(b"other")
    result = run("analyze", tmp_path / "any.mp4", "--json", "--models", broken)
    assert result.exit_code == 1
    assert result.stdout == ""
    assert "SHA-256" in result.stderr
    assert "Traceback" not in result.stderr


def test_emotion_answers_for_each_picture_of_a_folder_in_order(models: Path, tmp_path: Path) -> None:
    generator = np.random.default_rng(5)
    folder = tmp_path / "faces"
    (folder / "sub").mkdir(parents=True)
    names = ["a.png", "b.jpg", "sub/c.PNG"]
    for name, size in zip(names, [(48, 48), (200, 120, 3), (9, 5)], strict=True):
        cv2.imwrite(str(folder / name), generator.integers(0, 256, size, np.uint8))
    (folder / "notes.txt").write_text("no picture")
    result = run("emotion", folder, "--json", "--models", models)
    assert result.exit_code == 0
    found = lines(result)
    assert [line["file"] for line in found] == [str(folder / name) for name in names]
    for line in found:
        assert list(line) == ["file", "emotion", "probabilities"]
        assert tuple(line["probabilities"]) == EMOTIONS
        assert sum(line["probabilities"].values()) == pytest.approx(1, abs=1e-4)
        assert line["emotion"] == max(line["probabilities"], key=line["probabilities"].get)


def test_emotion_names_what_is_no_picture_and_goes_on(models: Path, tmp_path: Path) -> None:
    empty, text, good = tmp_path / "empty.png", tmp_path / "text.png", tmp_path / "good.png"
    empty.touch()
    text.write_text("hello")
    cv2.imwrite(str(good), np.full((48, 48), 90, np.uint8))
    (tmp_path / "nothing").mkdir()
    result = run(
        "emotion", empty, text, tmp_path / "absent.png", tmp_path / "nothing", good, "--json", "--models", models
    )
    assert result.exit_code == 1
    found = lines(result)
    assert [line["error"]["type"] for line in found[:4]] == ["zero_bytes", "not_a_picture", "not_found", "no_pictures"]
    assert found[4]["emotion"] in EMOTIONS


def test_models_list_shows_name_version_licence_and_hash(models: Path) -> None:
    result = run("models", "list", "--json", "--models", models)
    assert result.exit_code == 0
    rows = {row["role"]: row for row in lines(result)}
    assert set(rows) == {"violence", "face", "emotion", "person", "age"}
    assert rows["face"]["licence"] == "MIT"
    content = (models / "face" / "model.onnx").read_bytes()
    assert rows["face"]["sha256"] == hashlib.sha256(content).hexdigest()
    assert rows["face"]["bytes"] == len(content)


def test_models_verify_tells_a_changed_model_from_the_good_ones(models: Path, tmp_path: Path) -> None:
    assert run("models", "verify", "--models", models).exit_code == 0
    broken = Path(shutil.copytree(models, tmp_path / "models"))
    (broken / "emotion" / "model.onnx").write_bytes(b"other")
    result = run("models", "verify", "--json", "--models", broken)
    assert result.exit_code == 1
    assert {row["role"]: row["ok"] for row in lines(result)} == {
        "violence": True, "face": True, "emotion": False, "person": True, "age": True,
    }  # fmt: skip


def test_the_models_of_the_repository_pass_verification() -> None:
    result = run("models", "verify")
    assert result.exit_code == 0, result.stdout


@pytest.fixture
def with_yolo(models: Path, tmp_path: Path) -> Path:
    folder = Path(shutil.copytree(models, tmp_path / "models"))
    write_yolo(folder / "our-yolo", yolo())
    (folder / "set.json").write_text(
        json.dumps({role: role for role in ("face", "emotion", "person", "age")} | {"violence": "our-yolo"})
    )
    return folder


def test_models_list_marks_the_chosen_and_shows_the_others(with_yolo: Path) -> None:
    rows = {row["folder"]: row for row in lines(run("models", "list", "--json", "--models", with_yolo))}
    assert {Path(folder).name: row["chosen"] for folder, row in rows.items()} == {
        "our-yolo": True, "face": True, "emotion": True, "person": True, "age": True, "violence": False,
    }  # fmt: skip
    result = run("models", "list", "--models", with_yolo)
    assert result.exit_code == 0
    stars = [line for line in result.stdout.splitlines() if line.startswith("* violence")]
    assert len(stars) == 1
    for part in ("our-yolov5s@2.0.0", "MB", "AGPL-3.0-only", hashlib.sha256(yolo()).hexdigest()):
        assert part in stars[0]


def test_models_list_names_a_manifest_that_cannot_be_read_and_exits_with_1(with_yolo: Path) -> None:
    (with_yolo / "violence" / "manifest.json").write_text("{")
    result = run("models", "list", "--json", "--models", with_yolo)
    assert result.exit_code == 1
    (bad,) = [row for row in lines(result) if "error" in row]
    assert (bad["folder"], bad["chosen"]) == ("violence", False)


def test_models_verify_tries_a_yolo_and_refuses_one_whose_names_contradict(with_yolo: Path) -> None:
    assert run("models", "verify", "--models", with_yolo).exit_code == 0
    write_yolo(with_yolo / "our-yolo", yolo(), classes=["assault", "person"])
    result = run("models", "verify", "--models", with_yolo)
    assert result.exit_code == 1
    assert "its metadata names the classes" in result.stdout


def test_analyze_says_what_a_yolo_saw_and_that_nobody_calibrated_it(with_yolo: Path, tmp_path: Path) -> None:
    picture = room()
    picture[80:160, 60:180] = (0, 0, 255)
    path = write_clip(tmp_path / "clip.mp4", lambda _: picture, seconds=2)
    (found,) = lines(run("analyze", path, "--json", "--models", with_yolo))
    sha256 = hashlib.sha256(yolo()).hexdigest()
    assert found["models"]["violence"] == f"our-yolov5s@2.0.0+{sha256}"
    assert found["violence"]["calibrated"] is False
    assert found["violence"]["boxes"][0]["label"] == "assault"
    assert found["violence"]["boxes"][0]["box"] == pytest.approx([60, 80, 120, 80], abs=4)
    assert found["verdict"] == "review"
    assert "not calibrated" in run("analyze", path, "--models", with_yolo).stdout
