from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pytest

from tests.unit.vision.tiny_onnx import broken_model, motion_model, write_violence
from uriai.adapters.vision.registry import FetchedModels, LocalModels, ModelRefused, open_model
from uriai.adapters.vision.sampling import Cut
from uriai.adapters.vision.violence import ViolenceDetector
from uriai.domain.model_set import ModelReference, ModelSet, model_set_hash


@pytest.fixture
def folder(models: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(models, tmp_path / "models"))


def change(manifest: Path, **values: object) -> None:
    manifest.write_text(json.dumps({**json.loads(manifest.read_text()), **values}))


def refusal(folder: Path, role: str) -> str:
    with pytest.raises(ModelRefused) as caught:
        open_model(LocalModels(folder), role)
    return str(caught.value)


def test_a_model_with_one_flipped_bit_is_refused_naming_both_hashes(folder: Path) -> None:
    path = folder / "emotion" / "model.onnx"
    content = bytearray(path.read_bytes())
    stated = hashlib.sha256(content).hexdigest()
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    message = refusal(folder, "emotion")
    assert stated[:16] in message
    assert hashlib.sha256(content).hexdigest()[:16] in message


def test_a_missing_model_is_refused_with_the_path(folder: Path) -> None:
    (folder / "face" / "model.onnx").unlink()
    assert str(folder / "face" / "model.onnx") in refusal(folder, "face")
    shutil.rmtree(folder / "face")
    assert "manifest.json" in refusal(folder, "face")


def test_the_model_of_another_role_is_refused_by_the_contract(folder: Path) -> None:
    change(folder / "emotion" / "manifest.json", role="face")
    shutil.rmtree(folder / "face")
    (folder / "emotion").rename(folder / "face")
    assert "inputs are ['faces'], they have to be ['image']" in refusal(folder, "face")


def test_a_manifest_that_says_another_role_is_refused(folder: Path) -> None:
    change(folder / "emotion" / "manifest.json", role="face")
    assert "role 'face'" in refusal(folder, "emotion")


def test_a_manifest_whose_shapes_are_not_the_graphs_is_refused(folder: Path) -> None:
    write_violence(folder / "violence", motion_model(side=64), side=96)
    assert "in the graph" in refusal(folder, "violence")


@pytest.mark.parametrize("key", ["name", "version", "sha256", "inputs", "outputs", "role"])
def test_a_manifest_without_a_key_is_refused_naming_it(folder: Path, key: str) -> None:
    path = folder / "violence" / "manifest.json"
    values = json.loads(path.read_text())
    del values[key]
    path.write_text(json.dumps(values))
    assert repr(key) in refusal(folder, "violence")


def test_bytes_that_are_no_model_are_refused_though_their_hash_is_right(folder: Path) -> None:
    write_violence(folder / "violence", b"not a graph")
    assert "no whole ONNX file" in refusal(folder, "violence")


def test_a_model_that_answers_no_probability_is_refused_and_not_taken_for_a_quiet_clip(folder: Path) -> None:
    write_violence(folder / "violence", broken_model())
    detector = ViolenceDetector(open_model(LocalModels(folder), "violence"))
    image = detector.prepare(np.zeros((90, 120, 3), np.uint8))
    with pytest.raises(ModelRefused, match="no probability"):
        detector.judge([Cut(0, 2, (image,) * 17)])


def test_an_even_number_of_images_a_window_is_refused(folder: Path) -> None:
    content = motion_model(instants=16)
    write_violence(folder / "violence", content)
    manifest = folder / "violence" / "manifest.json"
    change(manifest, inputs=[{"name": "frames", "dtype": "uint8", "shape": ["n", 16, 64, 64, 3]}])
    with pytest.raises(ModelRefused, match="odd number"):
        ViolenceDetector(open_model(LocalModels(folder), "violence"))


def test_set_json_chooses_the_folder_of_a_role_and_may_insist_on_a_hash(folder: Path) -> None:
    (folder / "violence").rename(folder / "other")
    roles = {"violence": "other"} | {role: role for role in ("face", "emotion", "person", "age")}
    (folder / "set.json").write_text(json.dumps(roles))
    assert open_model(LocalModels(folder), "violence").reference.name == "test-violence"
    (folder / "set.json").write_text(json.dumps({**roles, "violence": {"name": "other", "sha256": "0" * 64}}))
    assert "set.json wants" in refusal(folder, "violence")
    (folder / "set.json").write_text(json.dumps({**roles, "violence": "../elsewhere"}))
    assert "name of a folder" in refusal(folder, "violence")


class Bucket:
    """Objects by hash, counting what is asked for."""

    def __init__(self, *contents: bytes) -> None:
        self.objects = {hashlib.sha256(content).hexdigest(): content for content in contents}
        self.fetched: list[str] = []

    def fetch(self, sha256: str, file: BinaryIO) -> None:
        self.fetched.append(sha256)
        file.write(self.objects[sha256])


def model_set(content: bytes) -> ModelSet:
    return ModelSet({"violence": ModelReference("motion", "1", hashlib.sha256(content).hexdigest())})


def test_a_fetched_model_is_kept_and_fetched_once(tmp_path: Path) -> None:
    content = motion_model()
    bucket = Bucket(content)
    for _ in range(2):
        source = FetchedModels(model_set(content), tmp_path / "kept", bucket.fetch)
        assert str(open_model(source, "violence").reference).startswith("motion@1+")
    assert len(bucket.fetched) == 1
    assert [path.name for path in (tmp_path / "kept").iterdir()] == bucket.fetched


def test_a_damaged_kept_file_is_fetched_again(tmp_path: Path) -> None:
    content = motion_model()
    bucket = Bucket(content)
    (tmp_path / hashlib.sha256(content).hexdigest()).write_bytes(content[:100])
    open_model(FetchedModels(model_set(content), tmp_path, bucket.fetch), "violence")
    assert len(bucket.fetched) == 1


def test_an_object_with_other_bytes_is_refused_and_leaves_nothing_behind(tmp_path: Path) -> None:
    content = motion_model()
    bucket = Bucket(content)
    bucket.objects = dict.fromkeys(bucket.objects, content + b"\0")
    with pytest.raises(ModelRefused, match="SHA-256"):
        open_model(FetchedModels(model_set(content), tmp_path, bucket.fetch), "violence")
    assert list(tmp_path.iterdir()) == []


def test_a_fetch_that_fails_passes_through_to_be_tried_again_and_leaves_nothing_behind(tmp_path: Path) -> None:
    def fail(sha256: str, file: BinaryIO) -> None:
        file.write(b"half")
        raise ConnectionError(sha256)

    with pytest.raises(ConnectionError):
        open_model(FetchedModels(model_set(motion_model()), tmp_path, fail), "violence")
    assert list(tmp_path.iterdir()) == []


def written(folder: Path, **values: object) -> tuple[bytes, bytes]:
    """A violence model in a folder: the bytes of its file and of its manifest."""
    write_violence(folder, motion_model())
    change(folder / "manifest.json", **values)
    return (folder / "model.onnx").read_bytes(), (folder / "manifest.json").read_bytes()


def deployed(content: bytes, manifest: bytes, version: str = "1.2.3") -> ModelSet:
    hashes = [hashlib.sha256(part).hexdigest() for part in (content, manifest)]
    return ModelSet({"violence": ModelReference("test-violence", version, *hashes)})


def test_a_deployed_model_brings_its_manifest_fetched_once_by_its_own_hash(tmp_path: Path) -> None:
    content, manifest = written(tmp_path / "violence")
    bucket = Bucket(content, manifest)
    for _ in range(2):
        model = open_model(FetchedModels(deployed(content, manifest), tmp_path / "kept", bucket.fetch), "violence")
        assert model.manifest is not None
        assert model.manifest.licence == "Apache-2.0"
        assert model.reference.manifest == hashlib.sha256(manifest).hexdigest()
    assert sorted(bucket.fetched) == sorted(bucket.objects)


def test_a_deployed_manifest_that_speaks_of_another_model_is_refused(tmp_path: Path) -> None:
    content, manifest = written(tmp_path / "violence", version="9")
    source = FetchedModels(deployed(content, manifest), tmp_path / "kept", Bucket(content, manifest).fetch)
    with pytest.raises(ModelRefused, match=r"describes test-violence@9\+.*names test-violence@1\.2\.3"):
        open_model(source, "violence")


def test_an_object_larger_than_any_manifest_fills_no_disk(tmp_path: Path) -> None:
    content, manifest = written(tmp_path / "violence")
    sha256 = hashlib.sha256(manifest).hexdigest()

    def endless(_: str, file: BinaryIO) -> None:
        while True:
            file.write(bytes(65536))

    with pytest.raises(ModelRefused, match=f"{sha256} is larger"):
        open_model(FetchedModels(deployed(content, manifest), tmp_path / "kept", endless), "violence")
    assert list((tmp_path / "kept").iterdir()) == []


def test_another_manifest_of_the_same_weights_is_another_model_set() -> None:
    models = {"violence": "a@1+" + "0" * 64}
    one, other = (model_set_hash(models, {"violence": digit * 64}) for digit in "12")
    assert len({one, other, model_set_hash(models)}) == 3
    assert model_set_hash(models, {"violence": ""}) == model_set_hash(models)


def test_a_role_that_the_deployment_does_not_name_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelRefused, match="MODEL_SET"):
        open_model(FetchedModels(ModelSet({}), tmp_path, Bucket().fetch), "face")
