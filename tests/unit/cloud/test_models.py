"""The models of a deployment are the files that their manifests describe, or there is no deployment."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import boto3
import pytest
from moto import mock_aws

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
            "role": role,
            "file": "model.onnx",
            "sha256": hashlib.sha256(weights).hexdigest(),
            "inputs": [],
            "outputs": [],
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
        "manifest": hashlib.sha256((folder / "face" / "manifest.json").read_bytes()).hexdigest(),
    }
    assert list(json.loads(text)) == ["face", "violence"]


def test_a_model_that_is_not_what_its_manifest_says_is_refused_by_name(folder):
    (folder / "face" / "model.onnx").write_bytes(b"other weights")
    with pytest.raises(ModelsBroken, match=r"face/model\.onnx has SHA-256 .* the manifest names"):
        models.resolve(folder)


def test_a_hash_in_the_set_binds_too(folder):
    (folder / "set.json").write_text(json.dumps({"face": {"name": "face", "sha256": "0" * 64}}))
    with pytest.raises(ModelsBroken, match=r"set\.json wants the model with SHA-256 0000"):
        models.resolve(folder)


@pytest.mark.parametrize("missing", ["set.json", "face/manifest.json", "face/model.onnx"])
def test_a_missing_file_is_named(folder, missing):
    (folder / missing).unlink()
    with pytest.raises(ModelsBroken, match=missing.replace(".", r"\.")):
        models.resolve(folder)


def test_a_manifest_with_a_slip_of_the_pen_stops_the_deployment(folder):
    path = folder / "face" / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"calibation": {}}))
    with pytest.raises(ModelsBroken, match=r"face/manifest\.json: unknown key 'calibation'"):
        models.resolve(folder)


@mock_aws
def test_models_and_manifests_lie_under_their_own_hash_and_a_changed_manifest_is_another_object(folder, monkeypatch):
    monkeypatch.setenv("AWS_DEFAULT_REGION", "ap-northeast-2")
    s3 = boto3.client("s3", aws_access_key_id="test", aws_secret_access_key="test")
    s3.create_bucket(Bucket="models", CreateBucketConfiguration={"LocationConstraint": "ap-northeast-2"})
    said: list[str] = []
    assert models.upload(models.resolve(folder), s3, "models", said.append) == 2
    path = folder / "face" / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"version": "1.0.1"}))
    assert models.upload(models.resolve(folder), s3, "models", said.append) == 0
    keys = [item["Key"] for item in s3.list_objects_v2(Bucket="models")["Contents"]]
    assert len(keys) == 5
    for key in keys:
        content = s3.get_object(Bucket="models", Key=key)["Body"].read()
        assert key == f"models/sha256/{hashlib.sha256(content).hexdigest()}"
    assert len(said) == 2
