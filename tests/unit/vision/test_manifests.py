"""Manifests, sets and ONNX files as a careless or hostile sender writes them: each refused, with one reason."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.unit.vision.tiny_onnx import FLOAT, Node, Value, graph, motion_model, outside_model, write_violence
from uriai.adapters.vision.manifests import LARGEST_MODEL
from uriai.adapters.vision.onnx_file import check_onnx
from uriai.adapters.vision.registry import ROLES, LocalModels, ModelRefused, open_model

REPOSITORY = Path(__file__).resolve().parents[3]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write_violence(tmp_path / "models" / "violence", motion_model())
    return tmp_path / "models"


def refusal(root: Path) -> str:
    with pytest.raises(ModelRefused) as caught:
        open_model(LocalModels(root), "violence")
    assert "\n" not in str(caught.value)
    return str(caught.value)


def change(root: Path, **values: object) -> None:
    path = root / "violence" / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


YOLO = {"type": "yolov5"}


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"calibation": {}}, "unknown key 'calibation'"),
        ({"name": 7}, "key 'name' has to be a text"),
        ({"name": ""}, "key 'name' has to be a text"),
        ({"name": "x" * 300}, "key 'name' has to be a text"),
        ({"version": 1.0}, "key 'version' has to be a text"),
        ({"name": "a\nb"}, "key 'name' has to be a text"),
        ({"sha256": "abc"}, "64 lower-case hex digits"),
        ({"bytes": "many"}, "key 'bytes' has to be a whole number"),
        ({"inputs": "frames"}, "key 'inputs' has to be a list"),
        ({"inputs": [{"name": "frames"}]}, "key 'inputs' has to be a list"),
        ({"outputs": None}, "key 'outputs' has to be a list"),
        ({"licence": ["MIT"]}, "key 'licence' has to be"),
        ({"metrics": [1]}, "key 'metrics' has to be an object"),
        ({"classes": "person"}, "key 'classes' has to be a list"),
        ({"classes": ["a", "a"]}, "names a class twice"),
        ({"file": "../model.onnx"}, "key 'file' is '../model.onnx'"),
        ({"file": "/etc/passwd"}, "key 'file' is '/etc/passwd'"),
        ({"file": "..\\model.onnx"}, "key 'file' is"),
        ({"file": ".."}, "key 'file' is '..'"),
        ({"file": "a\0b"}, "key 'file' has to be a text"),
        ({"file": "absent.onnx"}, "cannot be read: No such file"),
        ({"detector": 5}, "key 'detector' has to be an object"),
        ({"detector": {"type": "yolov9"}}, "only 'yolov5' is known"),
        ({"detector": YOLO}, "'assault' among them"),
        ({"detector": YOLO, "classes": ["person"]}, "'assault' among them"),
        ({"detector": YOLO | {"confidence": 1}, "classes": ["assault"]}, "unknown key 'detector.confidence'"),
        ({"detector": YOLO | {"frames": 4}, "classes": ["assault"]}, "has to be odd"),
        ({"detector": YOLO | {"frames": True}, "classes": ["assault"]}, "'detector.frames' is True"),
        ({"detector": YOLO | {"best_frames": 10}, "classes": ["assault"]}, "'detector.best_frames' is 10"),
        ({"detector": YOLO | {"size_px": 650}, "classes": ["assault"]}, "multiple of the stride"),
        ({"detector": YOLO | {"layout": "xml"}, "classes": ["assault"]}, "'detector.layout' is 'xml'"),
        ({"detector": YOLO | {"calibration": {"slope": 1}}, "classes": ["assault"]}, "lacks offset, prior, windows"),
        (
            {
                "detector": YOLO | {"calibration": {"slope": -1, "offset": 0, "prior": 0.5, "windows": 9}},
                "classes": ["assault"],
            },
            "'detector.calibration.slope' is -1",
        ),
    ],
)
def test_a_manifest_that_says_what_cannot_be_is_refused_naming_the_key(
    root: Path, values: dict[str, object], reason: str
) -> None:
    change(root, **values)
    message = refusal(root)
    assert reason in message
    assert str(root / "violence") in message


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"", "is no JSON"),
        (b"{", "is no JSON"),
        (b"\xff\xfe{}", "is no JSON"),
        (b"[]", "has to hold one JSON object"),
        (b'{"name": NaN}', "NaN is no number"),
        (b'{"name": "a", "name": "b"}', "key 'name' is there twice"),
        (b"[" * 100_000, "is no JSON"),
        (b" " * 1_100_000, "no manifest is that large"),
    ],
)
def test_a_manifest_or_a_set_that_is_no_json_is_refused(root: Path, text: bytes, reason: str) -> None:
    (root / "violence" / "manifest.json").write_bytes(text)
    assert reason in refusal(root)
    (root / "set.json").write_bytes(text)
    assert "set.json" in refusal(root)


def test_a_manifest_with_a_byte_order_mark_is_read(root: Path) -> None:
    path = root / "violence" / "manifest.json"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    open_model(LocalModels(root), "violence")


@pytest.mark.parametrize("name", ["..", ".", "a/b", "", 5, None, ["violence"], {"name": "../violence"}])
def test_a_set_that_leads_elsewhere_is_refused(root: Path, name: object) -> None:
    (root / "set.json").write_text(json.dumps({"violence": name}))
    assert "has to be the name of a folder beside it" in refusal(root)


def test_a_set_without_the_role_is_refused(root: Path) -> None:
    (root / "set.json").write_text("{}")
    assert "names no folder for role 'violence'" in refusal(root)


@pytest.mark.parametrize("name", ["model.onnx", "manifest.json"])
def test_a_link_that_leads_out_of_the_folder_is_refused_and_one_within_is_followed(root: Path, name: str) -> None:
    path = root / "violence" / name
    within, without = path.with_name("kept-" + name), root.parent / name
    path.rename(within)
    path.symlink_to(within)
    open_model(LocalModels(root), "violence")
    path.unlink()
    within.rename(without)
    path.symlink_to(without)
    assert f"leads out of {root / 'violence'}" in refusal(root)


def test_a_linked_folder_that_leads_out_and_a_link_to_itself_are_refused(root: Path) -> None:
    (root / "violence").rename(root.parent / "elsewhere")
    (root / "violence").symlink_to(root.parent / "elsewhere")
    assert "leads out of" in refusal(root)
    (root / "violence").unlink()
    (root / "violence").symlink_to(root / "violence")
    refusal(root)


def test_a_file_that_is_empty_cut_off_giant_or_no_file_is_refused(root: Path) -> None:
    path = root / "violence" / "model.onnx"
    whole = path.read_bytes()
    path.write_bytes(b"")
    assert "is empty (0 bytes)" in refusal(root)
    path.write_bytes(whole[: len(whole) // 2])
    assert "SHA-256" in refusal(root)
    with path.open("wb") as file:
        file.truncate(LARGEST_MODEL + 1)
    assert "the limit is 268 MB" in refusal(root)
    path.unlink()
    os.mkfifo(path)
    assert "is no file" in refusal(root)
    path.unlink()
    path.mkdir()
    assert "is no file" in refusal(root)


@pytest.mark.parametrize("part", [1, 7, 50, 200, 400])
def test_a_model_cut_off_anywhere_is_refused_though_the_hash_is_that_of_the_rest(root: Path, part: int) -> None:
    write_violence(root / "violence", motion_model()[:-part])
    assert "no whole ONNX file" in refusal(root) or "cannot open it" in refusal(root)


@pytest.mark.parametrize("where", ["weights", "attribute", "subgraph"])
def test_a_model_whose_weights_lie_in_another_file_is_refused(root: Path, where: str) -> None:
    (root / "violence" / "secret.bin").write_bytes(bytes(4))
    write_violence(root / "violence", outside_model(where))
    assert "'gain' lie in another file" in refusal(root)


@pytest.mark.parametrize("domain", ["TRT", "ai.onnx.contrib", "evil.example"])
def test_a_model_with_operators_of_a_foreign_library_is_refused_naming_them(root: Path, domain: str) -> None:
    value = Value("frames", FLOAT, ("n", 17, 64, 64, 3))
    content = graph([Node("PyOp", ("frames",), "probability", domain=domain)], [value], [value], {})
    write_violence(root / "violence", content)
    assert f"operator 'PyOp' is of '{domain}'" in refusal(root)


def test_onnxruntimes_own_format_is_refused() -> None:
    with pytest.raises(ModelRefused, match="own format"):
        check_onnx(b"\0\0\0\0ORTM" + bytes(100), "model x")


@pytest.mark.parametrize("role", ROLES)
def test_the_models_of_the_repository_are_what_the_check_takes_for_onnx(role: str) -> None:
    check_onnx((REPOSITORY / "models" / role / "model.onnx").read_bytes(), role)
