"""Clips and derived objects in S3 (moto)."""

from __future__ import annotations

import base64
import hashlib

import boto3
import pytest
from moto import mock_aws

from uriai.adapters import objects
from uriai.adapters.objects import S3ClipStore, fetch_small, s3_client
from uriai.service.ports.clips import ClipMissingError, ClipTooLargeError

BUCKET = "clips"


@pytest.fixture
def s3(monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "ap-northeast-2")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        client = boto3.client("s3")
        client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "ap-northeast-2"})
        yield client


@pytest.fixture
def store(s3, tmp_path):
    return S3ClipStore(s3_client(), BUCKET, folder=tmp_path)


def test_a_clip_is_read_to_disk_hashed_and_gone_afterwards(s3, store, tmp_path):
    data = bytes(range(256)) * 20_000
    s3.put_object(Bucket=BUCKET, Key="clips/a.mp4", Body=data)
    with store.fetch("clips/a.mp4") as clip:
        assert clip.path.read_bytes() == data
        assert (clip.sha256, clip.size) == (hashlib.sha256(data).digest(), len(data))
        assert clip.arrived_at.tzinfo is not None
    assert list(tmp_path.iterdir()) == []


def test_the_disk_is_freed_when_looking_at_the_clip_fails(s3, store, tmp_path):
    s3.put_object(Bucket=BUCKET, Key="clips/a.mp4", Body=b"x")
    with pytest.raises(KeyError), store.fetch("clips/a.mp4"):
        raise KeyError("a model")
    assert list(tmp_path.iterdir()) == []


def test_a_missing_clip_is_told_as_missing(store):
    with pytest.raises(ClipMissingError, match=r"clips/a\.mp4"), store.fetch("clips/a.mp4"):
        pass
    assert store.read_small("clips/a.json", limit=10) is None


def test_what_is_larger_than_a_clip_can_be_is_not_read(s3, tmp_path):
    store = S3ClipStore(s3_client(), BUCKET, folder=tmp_path, largest=1000)
    s3.put_object(Bucket=BUCKET, Key="clips/a.mp4", Body=b"x" * 1001)
    with pytest.raises(ClipTooLargeError, match="1001 bytes"), store.fetch("clips/a.mp4"):
        pass
    assert list(tmp_path.iterdir()) == []


def test_of_a_manifest_without_end_only_the_beginning_is_read(s3, store):
    s3.put_object(Bucket=BUCKET, Key="clips/a.json", Body=b"x" * 10_000)
    assert store.read_small("clips/a.json", limit=64) == b"x" * 65
    with pytest.raises(objects.ObjectTooLargeError):
        fetch_small(BUCKET, "clips/a.json", limit=64)


def test_a_derived_object_is_sent_with_its_checksum_and_type(s3):
    client, sent = s3_client(), []
    client.meta.events.register("before-send.s3.PutObject", lambda request, **_: sent.append(dict(request.headers)))
    S3ClipStore(client, BUCKET).put("evidence/x/key-frame.jpg", b"jpeg", content_type="image/jpeg")
    checksum = base64.b64encode(hashlib.sha256(b"jpeg").digest())
    assert sent[0]["x-amz-checksum-sha256"] in (checksum, checksum.decode())
    assert s3.head_object(Bucket=BUCKET, Key="evidence/x/key-frame.jpg")["ContentType"] == "image/jpeg"


def test_a_link_is_signed_by_sigv4_and_lives_as_long_as_it_says(store):
    link = store.presign("evidence/x/key-frame-masked.jpg", 60)
    assert "X-Amz-Algorithm=AWS4-HMAC-SHA256" in link
    assert "X-Amz-Expires=60" in link


@pytest.mark.parametrize("seconds", [0, -1, 901])
def test_a_link_that_lives_too_long_is_refused(store, seconds):
    with pytest.raises(ValueError, match="a link lives"):
        store.presign("evidence/x/key-frame-masked.jpg", seconds)
