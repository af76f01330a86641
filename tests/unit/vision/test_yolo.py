"""A YOLOv5 as the detector of physical abuse, by its manifest alone: real graphs, rendered pictures, real clips."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.vision.pictures import Picture, room, write_clip
from tests.unit.vision.tiny_onnx import FLOAT, FLOAT16, UINT8, Node, Value, graph, with_metadata
from tests.unit.vision.tiny_yolo import CONFIDENCE, write_yolo, yolo
from uriai.adapters.vision.analyser import OnnxClipAnalyser
from uriai.adapters.vision.detector_settings import Calibration
from uriai.adapters.vision.letterbox import FILLING, Letterbox, canvas_for
from uriai.adapters.vision.physical import open_physical
from uriai.adapters.vision.registry import LocalModels, ModelRefused, open_model
from uriai.adapters.vision.sampling import Cut
from uriai.adapters.vision.yolo import YoloDetector, probability
from uriai.adapters.vision.yolo_outputs import MOST_ROWS, OutputReader
from uriai.domain.rules import find_all
from uriai.domain.thresholds import Thresholds
from uriai.domain.words import Verdict

RED, BLUE = (0, 0, 255), (255, 0, 0)
LAYOUTS = ("raw", "rows7", "rows6", "lists", "tensors")
SIDES = st.integers(1, 5000)


def painted(width: int, height: int, *boxes: tuple[tuple[int, int, int], int, int, int, int]) -> Picture:
    picture = np.full((height, width, 3), 90, np.uint8)
    for colour, x, y, w, h in boxes:
        picture[y : y + h, x : x + w] = colour
    return picture


def detector(folder: Path) -> YoloDetector:
    found = open_physical(open_model(LocalModels(folder.parent), "violence"))
    assert isinstance(found, YoloDetector)
    return found


def judged(found: YoloDetector, *pictures: Picture) -> float:
    found.begin()
    looks = tuple(found.prepare(picture, float(number)) for number, picture in enumerate(pictures))
    (window,) = found.judge([Cut(0.0, 2.0, looks)])
    return window.probability


def refusal(folder: Path) -> str:
    with pytest.raises(ModelRefused) as caught:
        detector(folder)
    return str(caught.value)


@given(SIDES, SIDES, st.integers(1, 64), st.integers(1, 64), st.lists(st.floats(0, 1), min_size=4, max_size=4))
def test_the_way_onto_the_canvas_and_back_is_exact_for_any_size(
    width: int, height: int, across: int, down: int, parts: list[float]
) -> None:
    letterbox = Letterbox(width, height, 32 * across, 32 * down)
    whole = np.array([[0, 0, width, height]], float)
    left, top, right, bottom = letterbox.to_canvas(whole)[0]
    assert (left, top) == (letterbox.left, letterbox.top)
    assert right == pytest.approx(left + letterbox.inner_width)
    assert bottom == pytest.approx(top + letterbox.inner_height)
    assert 0 <= left <= right <= 32 * across + 1e-9
    assert 0 <= top <= bottom <= 32 * down + 1e-9
    boxes = np.array([parts]) * np.array([width, height, width, height])
    assert letterbox.to_picture(letterbox.to_canvas(boxes)) == pytest.approx(boxes, abs=1e-6)


@given(SIDES, SIDES, st.sampled_from([320, 640, 1280]))
def test_the_aspect_ratio_is_kept_to_the_pixel_and_one_side_is_filled(width: int, height: int, side: int) -> None:
    letterbox = Letterbox(width, height, side, side)
    assert max(letterbox.inner_width, letterbox.inner_height) == side
    scale = side / max(width, height)
    assert abs(letterbox.inner_width - width * scale) <= 1
    assert abs(letterbox.inner_height - height * scale) <= 1
    columns, rows = canvas_for(width, height, side, 32)
    assert max(columns, rows) == side
    assert columns % 32 == rows % 32 == 0
    assert rows - height * scale < 33
    assert columns - width * scale < 33


def test_the_canvas_holds_the_picture_and_gray_around_it() -> None:
    canvas = Letterbox(200, 100, 64, 64).apply(painted(200, 100, (RED, 0, 0, 200, 100)))
    assert canvas.shape == (64, 64, 3)
    assert (canvas[16:48] == RED).all()
    assert (canvas[:16] == FILLING).all()
    assert (canvas[48:] == FILLING).all()


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("size", [(1280, 720), (640, 640), (333, 777), (100, 60)])
def test_boxes_come_back_where_they_were_painted_in_every_layout(
    tmp_path: Path, layout: str, size: tuple[int, int]
) -> None:
    found = detector(write_yolo(tmp_path / "violence", yolo(layout)))
    width, height = size
    red, blue = (width // 10, height // 5, width // 2, height // 2), (width * 7 // 10, height // 2, width // 5, 20)
    assert judged(found, painted(width, height, (RED, *red), (BLUE, *blue))) == pytest.approx(CONFIDENCE, abs=1e-5)
    boxes = {seen.label: seen for seen in found.boxes()}
    assert len(found.boxes()) == 2, "of overlapping candidates one is left"
    for label, painted_box in (("assault", red), ("person", blue)):
        box = boxes[label].box
        assert (box.x, box.y, box.w, box.h) == pytest.approx(painted_box, abs=2.01 * max(width, height) / 640)
        assert boxes[label].confidence == pytest.approx(CONFIDENCE, abs=1e-5)


@pytest.mark.parametrize("dtype", [FLOAT, FLOAT16, UINT8])
@pytest.mark.parametrize("size", [None, (640, 384), (320, 320)])
def test_half_precision_bytes_and_free_sizes_are_taken(
    tmp_path: Path, dtype: int, size: tuple[int, int] | None
) -> None:
    found = detector(write_yolo(tmp_path / "violence", yolo("raw", size, dtype)))
    assert judged(found, painted(1280, 720, (RED, 200, 100, 400, 300))) == pytest.approx(CONFIDENCE, abs=2e-3)
    (seen,) = found.boxes()
    assert (seen.box.x, seen.box.y, seen.box.w, seen.box.h) == pytest.approx((200, 100, 400, 300), abs=8)


def test_a_window_is_the_mean_of_its_strongest_frames_so_that_one_flicker_is_none(tmp_path: Path) -> None:
    found = detector(write_yolo(tmp_path / "violence", yolo(), frames=9, best_frames=3))
    calm, assault = painted(640, 480), painted(640, 480, (RED, 100, 100, 200, 200))
    assert judged(found, *[calm] * 9) == 0
    assert judged(found, *[calm] * 8, assault) == pytest.approx(CONFIDENCE / 3, abs=1e-5)
    assert judged(found, *[calm] * 6, *[assault] * 3) == pytest.approx(CONFIDENCE, abs=1e-5)
    assert judged(found, painted(640, 480, (BLUE, 100, 100, 200, 200))) == 0, "a person is no assault"


def test_calibration_is_monotonic_in_bounds_and_hits_what_it_says() -> None:
    calibration = Calibration(slope=2.0, offset=-1.0, prior=0.5, windows=200)
    values = [probability(score / 100, calibration) for score in range(101)]
    assert values == sorted(values)
    assert 0 <= values[0] < values[-1] <= 1
    assert probability(0.5, calibration) == pytest.approx(1 / (1 + np.e))
    assert probability(0.37, None) == 0.37


def models_with(models: Path, tmp_path: Path, content: bytes, **settings: object) -> Path:
    """The other models of the repository, and a YOLO chosen in set.json: nothing but files."""
    folder = Path(shutil.copytree(models, tmp_path / "models"))
    write_yolo(folder / "our-yolo", content, **settings)
    others = {path.name: path.name for path in folder.iterdir() if path.name not in ("our-yolo", "violence")}
    (folder / "set.json").write_text(json.dumps({**others, "violence": "our-yolo"}))
    return folder


def assault_in_the_middle(seconds: float) -> Picture:
    picture = room(480, 270)
    if 3 <= seconds < 6:
        x = 100 + int(40 * (seconds - 3))
        picture[80:180, x : x + 90] = RED
    return picture


CALIBRATION = {"slope": 1.5, "offset": 0.0, "prior": 0.5, "windows": 400}


@pytest.mark.parametrize("layout", ["raw", "rows7", "rows6"])
def test_a_clip_is_analysed_by_a_yolo_and_without_calibration_nothing_is_reported(
    models: Path, tmp_path: Path, layout: str
) -> None:
    analyser = OnnxClipAnalyser.from_folder(models_with(models, tmp_path, yolo(layout)))
    observations = analyser.observe(write_clip(tmp_path / "clip.mp4", assault_in_the_middle, seconds=9))
    assert observations.models["violence"].startswith("our-yolov5s@2.0.0+")
    assert observations.calibrated is False
    (finding,) = find_all(observations, Thresholds())
    assert finding.confidence == pytest.approx(CONFIDENCE, abs=1e-4)
    assert finding.verdict is Verdict.REVIEW
    assert finding.basis["calibrated"] is False
    assert 1 <= finding.start_s <= 3
    assert 6 <= finding.end_s <= 8
    assert observations.boxes
    for seen in observations.boxes:
        assert seen.label == "assault"
        assert 2.8 <= seen.t_s <= 6.1
        expected = (100 + int(40 * (seen.t_s - 3)), 80, 90, 100)
        assert (seen.box.x, seen.box.y, seen.box.w, seen.box.h) == pytest.approx(expected, abs=7)
    frames = analyser.key_frames(tmp_path / "clip.mp4", 4.5, observations, lambda _: ["suspicion"])
    assert frames.annotated_jpeg != frames.plain_jpeg
    again = analyser.observe(write_clip(tmp_path / "calm.mp4", lambda _: room(480, 270), seconds=2))
    assert again.boxes == ()
    assert again.violence_probability == 0


def test_a_calibrated_yolo_may_report_and_is_another_model_set(models: Path, tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.mp4", assault_in_the_middle, seconds=9)
    plain = OnnxClipAnalyser.from_folder(models_with(models, tmp_path / "a", yolo()))
    fitted = OnnxClipAnalyser.from_folder(models_with(models, tmp_path / "b", yolo(), calibration=CALIBRATION))
    observations = fitted.observe(path)
    assert observations.calibrated
    (finding,) = find_all(observations, Thresholds())
    assert finding.verdict is Verdict.REPORT
    assert dict(plain.models) == dict(fitted.models)
    assert plain.model_set_hash != fitted.model_set_hash


@pytest.mark.parametrize(("seconds", "fps"), [(0.5, 60), (1, 5), (2.1, 30), (4.3, 12)])
def test_any_length_and_rate_gives_windows_to_the_end_and_each_frame_one_look(
    models: Path, tmp_path: Path, seconds: float, fps: float
) -> None:
    analyser = OnnxClipAnalyser.from_folder(models_with(models, tmp_path, yolo(size=(320, 320))))
    path = write_clip(
        tmp_path / "clip.mp4", lambda _: painted(320, 240, (RED, 50, 50, 99, 99)), seconds=seconds, fps=fps
    )
    observations = analyser.observe(path)
    assert observations.windows[-1].end_s == pytest.approx(observations.duration_s, abs=0.06)
    assert all(window.probability > 0.9 for window in observations.windows)
    times = [seen.t_s for seen in observations.boxes]
    assert len(times) == len(set(times)) <= max(9, 4 * seconds + 6)


@pytest.mark.parametrize("classes", [["assault", "person"], ["person", "assault", "child"], ["people", "assault"]])
def test_names_in_the_file_that_contradict_the_manifest_are_refused(tmp_path: Path, classes: list[str]) -> None:
    message = refusal(write_yolo(tmp_path / "violence", yolo(), classes=classes))
    assert "its metadata names the classes ['person', 'assault']" in message


@pytest.mark.parametrize("names", ["", "['person', 'assault']", '{"0": "person", "1": "assault"}'])
def test_names_are_read_in_every_form_and_may_be_absent(tmp_path: Path, names: str) -> None:
    detector(write_yolo(tmp_path / "violence", yolo(names=names)))


@pytest.mark.parametrize("names", ["__import__('os')", "{1: 'person', 2: 'assault'}", "person", "{" * 3000])
def test_names_that_cannot_be_read_are_refused_and_never_run(tmp_path: Path, names: str) -> None:
    assert "cannot be read" in refusal(write_yolo(tmp_path / "violence", yolo(names=names)))


@pytest.mark.parametrize(
    ("shape", "reason"),
    [
        ((1, 1, 640, 640), "a YOLOv5 has one input of shape [1, 3, height, width]"),
        ((4, 3, 640, 640), "a YOLOv5 has one input of shape [1, 3, height, width]"),
        ((1, 3, 650, 640), "both have to be multiples of 32"),
        ((1, 3, 4096, 4096), "at most 2048"),
        ((3, 640, 640), "a YOLOv5 has one input of shape [1, 3, height, width]"),
    ],
)
def test_a_graph_with_another_input_is_refused(tmp_path: Path, shape: tuple[int, ...], reason: str) -> None:
    content = graph(
        [Node("Abs", ("images",), "out")], [Value("images", FLOAT, shape)], [Value("out", FLOAT, shape)], {}
    )
    assert reason in refusal(write_yolo(tmp_path / "violence", content))


def test_answers_of_other_shape_or_meaning_are_refused_when_the_model_is_opened(tmp_path: Path) -> None:
    images = Value("images", FLOAT, (1, 3, 64, 64))
    content = graph([Node("Abs", ("images",), "out")], [images], [Value("out", FLOAT, (1, 3, 64, 64))], {})
    assert "'out' [1, 3, 64, 64], which is none of the layouts" in refusal(write_yolo(tmp_path / "violence", content))
    nodes = [Node("Sub", ("images", "images"), "zero"), Node("Div", ("zero", "zero"), "nan")]
    nodes += [Node("Reshape", ("nan", "shape"), "out")]
    content = graph(nodes, [images], [Value("out", FLOAT, (1, "n", 6))], {"shape": [1, 2048, 6]})
    assert "no finite numbers" in refusal(write_yolo(tmp_path / "violence", content))


def reader(layout: str = "auto", classes: int = 2) -> OutputReader:
    return OutputReader("m", classes, layout, 0.25, 0.45)


BOX = [10, 10, 20, 20]


@pytest.mark.parametrize(
    ("outputs", "reason"),
    [
        ({"o": np.full((1, 5, 7), np.nan)}, "no finite numbers"),
        ({"o": np.full((1, 5, 7), np.inf)}, "no finite numbers"),
        ({"o": np.full((1, 5, 7), 3.0)}, "a confidence of 3"),
        ({"o": np.full((1, 5, 7), -3.0)}, "a confidence of -3"),
        ({"o": np.zeros((1, 8400, 85))}, "none of the layouts of 2 classes"),
        ({"o": np.zeros((2, 5, 7))}, "none of the layouts"),
        ({"o": np.zeros((1, 3, 80, 80, 7))}, "none of the layouts"),
        ({}, "answered nothing"),
        ({"o": np.zeros((MOST_ROWS + 1, 7), np.int8)}, "more than any YOLOv5 gives"),
        ({"o": np.array([[1, *BOX, 0, 0.9]])}, "boxes of picture 1"),
        ({"o": np.array([[0, *BOX, 2, 0.9]])}, "answered class 2, there are 2"),
        ({"o": np.array([[*BOX, 0.9, 0.5]])}, "answered class 0.5"),
        ({"o": np.array([[*BOX, 17.0, 1]])}, "a confidence of 17"),
        ({"boxes": np.array([BOX]), "scores": np.ones(2), "labels": np.ones(1)}, "1 boxes, 2 scores"),
        (
            {
                "num_dets": np.array([[9]]), "det_boxes": np.array([[BOX]]), "det_scores": np.ones((1, 1)),
                "det_classes": np.ones((1, 1)),
            },
            "found 9 boxes, and gives 1",
        ),
        ({"o": np.array([["a"] * 7])}, "no numbers"),
    ],
)  # fmt: skip
def test_answers_that_cannot_be_are_refused_and_never_read_as_nothing(outputs: dict[str, Any], reason: str) -> None:
    with pytest.raises(ModelRefused) as caught:
        reader().read(outputs)
    assert reason in str(caught.value)
    assert "docs/yolo-detector.md" in str(caught.value)


def test_one_class_alone_makes_six_columns_ambiguous_until_the_manifest_says_which() -> None:
    table = np.array([[[50.0, 50.0, 20.0, 20.0, 0.9, 0.0]]])
    with pytest.raises(ModelRefused, match="read in two ways"):
        reader(classes=1).read({"o": table})
    assert len(reader("raw", 1).read({"o": table}).scores) == 0
    assert reader("rows", 1).read({"o": table}).scores.tolist() == [0.9]


def test_rows_that_fill_a_table_up_count_for_nothing_and_no_box_is_an_answer() -> None:
    filled = reader().read({"o": np.array([[0, *BOX, 1, 0.9], [-1, 0, 0, 0, 0, -1, 0]])})
    assert filled.classes.tolist() == [1]
    for empty in (np.zeros((0, 7)), np.zeros((1, 0, 6)), np.zeros((1, 0, 7))):
        assert len(reader().read({"o": empty}).scores) == 0


def test_ten_thousand_overlapping_candidates_cost_little_and_leave_one_box_a_class() -> None:
    table = np.tile(np.array([100.0, 100.0, 50.0, 50.0, 0.99, 0.9, 0.9]), (1, 10_000, 1))
    found = reader().read({"o": table})
    assert sorted(found.classes.tolist()) == [0, 1]
    assert found.boxes[0].tolist() == [75, 75, 125, 125]


def test_a_yolo_without_its_settings_is_refused_with_a_hint_and_no_other_role_takes_one(tmp_path: Path) -> None:
    folder = write_yolo(tmp_path / "violence", yolo())
    path = folder / "manifest.json"
    values = json.loads(path.read_text())
    path.write_text(json.dumps({**{k: v for k, v in values.items() if k != "detector"}, "inputs": [], "outputs": []}))
    assert '"detector": {"type": "yolov5"}' in refusal(folder)
    path.write_text(json.dumps({**values, "role": "face"}))
    folder.rename(tmp_path / "face")
    with pytest.raises(ModelRefused, match="takes no 'detector'"):
        open_model(LocalModels(tmp_path), "face")


def test_a_stride_in_the_file_is_heeded(tmp_path: Path) -> None:
    images = Value("images", FLOAT, (1, 3, 96, 96))
    content = graph([Node("Abs", ("images",), "out")], [images], [Value("out", FLOAT, (1, 3, 96, 96))], {})
    assert "multiples of 64" in refusal(write_yolo(tmp_path / "violence", with_metadata(content, {"stride": "64"})))
