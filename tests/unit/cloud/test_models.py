"""The models of a deployment are the files that their manifests describe, or there is no deployment."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from uriai_cloud import models
from uriai_cloud.errors import ModelsBroken


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for role in ("face", "violence"):
        place = tmp_path / role
        place.mkdir()
        weights = f"weights of {role}".encode()
        (place / "model.onnx").write_bytes(weights)
        manifest = {
            "name": role,
            "version": "1.0.0",
            "file": "model.onnx",
            "sha256": hashlib.sha256(weights).hexdigest(),
        }
        (place / "manifest.json").write_text(json.dumps(manifest))
    (tmp_path / "set.json").write_text(json.dumps({"violence": "violence", "face": "face"}))
    return tmp_path


def test_a_set_is_resolved_to_names_versions_and_hashes(folder):
    text = models.model_set(models.resolve(folder))
    assert json.loads(text)["face"] == {
        "name": "face",
        "version": "1.0.0",
        "sha256": hashlib.sha256(b"weights of face").hexdigest(),
    }
    assert list(json.loads(text)) == ["face", "violence"]


def test_a_model_that_is_not_what_its_manifest_says_is_refused_by_name(folder):
    (folder / "face" / "model.onnx").write_bytes(b"other weights")
    with pytest.raises(ModelsBroken, match=r"face/model\.onnx is not what .*face/manifest\.json describes"):
        models.resolve(folder)


def test_a_hash_in_the_set_binds_too(folder):
    (folder / "set.json").write_text(json.dumps({"face": {"name": "face", "sha256": "0" * 64}}))
    with pytest.raises(ModelsBroken, match=r"face/model\.onnx"):
        models.resolve(folder)


@pytest.mark.parametrize("missing", ["set.json", "face/manifest.json", "face/model.onnx"])
def test_a_missing_file_is_named(folder, missing):
    (folder / missing).unlink()
    with pytest.raises(ModelsBroken, match=missing.replace(".", r"\.")):
        models.resolve(folder)
