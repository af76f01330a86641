"""`check` names what is wrong outside the configuration file, and what to do."""

from __future__ import annotations

import re
import socket
import sys
import time

import pytest

from tests.integration.edge.object_store import object_store
from uriai_edge.check import Outcome, check_all
from uriai_edge.keys import make_key


@pytest.fixture
def written(tmp_path, monkeypatch):
    """Writes a configuration; no credentials but those a test gives."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    make_key(tmp_path / "device.key")

    def write(endpoint: str, more: str = ""):
        path = tmp_path / "gateway.yaml"
        path.write_text(
            f"gateway: g\nkey_file: {tmp_path}/device.key\ncameras: [{{number: 1, source: {tmp_path}/none.mp4}}]\n"
            f"spool: {{dir: {tmp_path}/spool}}\n"
            f"upload: {{bucket: clips-test, endpoint_url: '{endpoint}', connect_timeout_s: 1{more}}}\n"
        )
        return {check.what: check for check in check_all(path)}

    return write


def test_credentials_that_are_not_there_are_told_apart_from_a_bucket_that_is_not(written, monkeypatch):
    with object_store() as store:
        found = written(store.url)
        assert found["credentials"].outcome is Outcome.FAIL and "AWS_ACCESS_KEY_ID" in found["credentials"].remedy
        assert found["bucket"].outcome is Outcome.WARN and found["bucket"].remedy == "mend the credentials first"
        assert found["clock"].outcome is Outcome.OK, "S3 tells its time to anybody"
        found = written(store.url, ", profile: nobody")
        assert "nobody" in found["credentials"].found
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "y")
        assert written(store.url)["credentials"].found == "found (env)"


@pytest.mark.parametrize(("ahead_s", "word"), [(3600, "behind"), (-3600, "ahead of")])
def test_a_clock_that_is_off_is_told_with_its_remedy(written, monkeypatch, ahead_s, word):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "y")
    with object_store() as store:
        store.ahead_s = ahead_s
        clock = written(store.url)["clock"]
    assert (
        clock.outcome is Outcome.FAIL
        and re.match(rf"3[56]\d\d s {word} S3", clock.found)
        and "timedatectl" in clock.remedy
    )


def test_a_network_that_is_away_is_told(written, monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "y")
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        found = written(f"http://127.0.0.1:{closed.getsockname()[1]}")
    assert found["bucket"].outcome is Outcome.FAIL and "check network" in found["bucket"].remedy
    assert found["clock"].outcome is Outcome.WARN


@pytest.mark.parametrize(
    ("spoil", "found", "remedy"),
    [
        (lambda key: key.unlink(), "does not exist", "uriai-edge enroll --config FILE"),
        (lambda key: key.chmod(0o644), "others can read it", "chmod 600"),
        (lambda key: key.write_text("no key\n"), "does not hold a key", "enroll anew"),
        (lambda key: (key.unlink(), key.mkdir()), "cannot be read", "must own it"),
    ],
)
def test_a_key_that_cannot_be_used_is_told_with_the_remedy_that_fits(written, tmp_path, spoil, found, remedy):
    spoil(tmp_path / "device.key")
    key = written("http://127.0.0.1:9")["key"]
    assert key.outcome is Outcome.FAIL and found in key.found and remedy in key.remedy


def test_a_cameras_trouble_and_its_remedy_stand_apart(written):
    camera = written("http://127.0.0.1:9")["camera 1"]
    assert camera.found.endswith("there is no such file") and camera.remedy == "check source"


@pytest.mark.parametrize("lasts_s", [1800, -1800])
def test_temporary_credentials_expire_by_s3s_clock(written, tmp_path, monkeypatch, lasts_s):
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    program = tmp_path / "credentials.py"
    program.write_text(
        "import json\nfrom datetime import UTC, datetime, timedelta\n"
        f"until = (datetime.now(UTC) - timedelta(hours=1) + timedelta(seconds={lasts_s})).isoformat()\n"
        "print(json.dumps({'Version': 1, 'AccessKeyId': 'A', 'SecretAccessKey': 'B', 'SessionToken': 'C', "
        "'Expiration': until}))\n"
    )
    (tmp_path / "config").write_text(f"[profile gw]\ncredential_process = {sys.executable} {program}\n")
    with object_store() as store:
        store.ahead_s = -3600  # this machine's clock is an hour ahead
        found = written(store.url, ", profile: gw")
    outcomes = (found["credentials"].outcome, found["bucket"].outcome)
    if lasts_s > 0:
        assert outcomes == (Outcome.OK, Outcome.OK) and found["credentials"].found == "found (custom-process)"
    else:
        assert outcomes == (Outcome.FAIL, Outcome.WARN) and "expired" in found["credentials"].found


def test_a_bucket_that_never_finishes_its_answer_is_given_up(written, monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "y")
    with object_store() as store:
        store.drip_heads = True
        begun_s = time.monotonic()
        found = written(store.url, ", read_timeout_s: 1")
        assert time.monotonic() - begun_s < 20
    assert found["bucket"].outcome is Outcome.FAIL and found["clock"].outcome is Outcome.WARN
