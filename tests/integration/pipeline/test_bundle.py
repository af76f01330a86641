"""The police bundle: what is in it, that it verifies with no network, and that any change of it is found."""

from __future__ import annotations

import hashlib
import json
import socket
import zipfile
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from tests.unit.pipeline.fakes import GATEWAY, KEY, NOON, QUIET, VIOLENT, StoppedClock, script
from uriai.domain.incident import Decision
from uriai.service.decide_review import Ruling, decide_review
from uriai_cli.main import cli
from uriai_cloud import state

pytestmark = pytest.mark.integration


@pytest.fixture
def run(world, vault, monkeypatch):
    """The command line beside this database and this bucket."""
    cloud = SimpleNamespace(connect=world.connect, client=lambda service: vault.client, clips_bucket=vault.name)
    monkeypatch.setattr(state, "load", lambda: cloud)
    return lambda *words: CliRunner().invoke(cli, [str(word) for word in words])


def report(world) -> None:
    decide_review(Ruling(1, Decision.REPORT, "struck", "test"), world.outside.transactions, StoppedClock())


@pytest.fixture
def clips(world, vault) -> list[str]:
    """Two clips of one reported incident, records 3 and 7 of their gateway."""
    keys = []
    for seq, after_s in ((3, 0), (7, 30)):
        data = script(*VIOLENT, salt=str(seq))
        keys.append(world.place(data, seq=seq, started_at=NOON + timedelta(seconds=after_s)))
        world.analyse(keys[-1])
    assert world.count("incident") == 1
    vault.publish(world.bucket)
    report(world)
    return keys


@pytest.fixture
def bundle(run, clips, tmp_path) -> Path:
    answer = run("bundle", 1, "--out", tmp_path / "bundle.zip", "--reason", "asked for by the station")
    assert answer.exit_code == 0, answer.output
    return tmp_path / "bundle.zip"


@pytest.fixture
def unpacked(bundle, tmp_path) -> Path:
    with zipfile.ZipFile(bundle) as archive:
        archive.extractall(tmp_path / "unpacked")
    return tmp_path / "unpacked"


@pytest.fixture
def offline(monkeypatch):
    """No cloud and no network."""

    def refuse(*values, **options):
        raise AssertionError("something wanted the network")

    def verify(*words):
        with monkeypatch.context() as patch:
            patch.setattr(socket.socket, "connect", refuse)
            patch.setattr(socket, "getaddrinfo", refuse)
            patch.setattr(state, "load", refuse)
            return CliRunner().invoke(cli, ["verify", *map(str, words)])

    return verify


def test_originals_manifests_signatures_pictures_and_explanations_are_in_it(world, vault, clips, bundle):
    with zipfile.ZipFile(bundle) as archive:
        names = set(archive.namelist())
        for name in names:
            if name.startswith(("clips/", "evidence/")):
                stored = vault.client.get_object(Bucket=vault.name, Key=name)["Body"].read()
                assert archive.read(name) == stored, "as it lies in the bucket"
        korean, english = (archive.read(f"README-{language}.txt").decode() for language in ("ko", "en"))
        index = json.loads(archive.read("bundle.json"))
    stems = [key.removesuffix(".mp4") for key in clips]
    assert {name for name in names if name.startswith("clips/")} == {
        stem + ending for stem in stems for ending in (".mp4", ".json", ".sig")
    }
    pictures = sorted(name.rpartition("/")[2] for name in names if name.startswith("evidence/"))
    assert pictures == ["key-frame-annotated.jpg"] * 2 + ["key-frame.jpg"] * 2
    for text in (korean, english):
        assert "uriai verify" in text
        assert "2026-11-22 12:00:0" in text, "in the centre's zone"
    assert "샛별어린이집" in korean
    assert index["public_keys"] == {GATEWAY: [bytes(KEY.verify_key).hex()]}
    assert set(index["files"]) == names - {"bundle.json"}
    assert (index["incident"]["number"], index["incident"]["status"]) == (1, "reported")


def test_its_hash_and_contents_stand_in_the_audit(world, bundle):
    row = world.row("SELECT * FROM audit WHERE action = 'bundle.made'")
    detail = json.loads(row["detail"])
    assert detail["sha256"] == hashlib.sha256(bundle.read_bytes()).hexdigest()
    assert detail["reason"] == "asked for by the station"
    assert len(detail["files"]) == 13
    assert row["actor"].startswith("command line")


def test_it_verifies_without_network_and_says_what_its_key_is_worth(unpacked, offline):
    answer = offline("--all", unpacked)
    assert answer.exit_code == 0, answer.output
    assert f"{GATEWAY}: present 2" in answer.stdout
    assert "by another way" in answer.stderr
    assert offline(unpacked, "--key", bytes(KEY.verify_key).hex()).exit_code == 0
    assert offline(unpacked, "--key", "00" * 32).exit_code == 1


def rewrite(path: Path, change) -> None:
    index = json.loads(path.read_text())
    change(index)
    path.write_text(json.dumps(index))


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("*.mp4", "altered"), ("*.json", "altered"), ("*.sig", "altered"), ("key-frame.jpg", "altered"),
        ("README-ko.txt", "altered"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("how", ["changed", "removed"])
def test_a_changed_or_removed_file_is_named(unpacked, offline, name, said, how):
    path = next(found for found in sorted(unpacked.rglob(name)) if found.name != "bundle.json")
    if how == "changed":
        path.write_bytes(path.read_bytes() + b" ")
    else:
        path.unlink()
        said = "missing"
    answer = offline(unpacked)
    assert answer.exit_code == 1
    assert f"file {said}" in answer.stdout
    assert path.relative_to(unpacked).as_posix() in answer.stdout


def test_a_list_that_was_changed_to_fit_a_changed_clip_fits_neither_row_nor_signature(unpacked, offline, clips):
    (unpacked / clips[0]).write_bytes(b"another")
    digest = hashlib.sha256(b"another").hexdigest()
    rewrite(unpacked / "bundle.json", lambda index: index["files"].update({clips[0]: digest}))
    answer = offline(unpacked)
    assert answer.exit_code == 1
    assert "row  altered" in answer.stdout
    assert f"{GATEWAY}: altered 1" in answer.stdout


def test_a_changed_row_and_a_file_that_was_slipped_in_are_found(unpacked, offline):
    rewrite(unpacked / "bundle.json", lambda index: index["evidence"][0].update(shown_at="2026-11-22T04:00:00+00:00"))
    (unpacked / "slipped-in.txt").write_text("x")
    answer = offline(unpacked)
    assert answer.exit_code == 1
    assert "row  altered" in answer.stdout
    assert "unlisted  slipped-in.txt" in answer.stdout


@pytest.mark.parametrize("data", ["{", "[]", '{"public_keys": {}, "files": {}}', '{"public_keys": {"a": ["zz"]}}'])
def test_a_list_that_cannot_be_read_is_told(unpacked, offline, data):
    (unpacked / "bundle.json").write_text(data)
    answer = offline(unpacked)
    assert answer.exit_code == 1
    assert "is not the list of a bundle" in answer.output


def test_only_what_was_reported_goes_to_the_police(world, vault, run, tmp_path):
    world.analyse(world.place(script(*VIOLENT)))
    vault.publish(world.bucket)
    answer = run("bundle", 1, "--out", tmp_path / "b.zip", "--reason", "r")
    assert answer.exit_code == 1
    assert "is pending_review: only what was reported goes to the police" in answer.output
    assert list(tmp_path.iterdir()) == []
    assert world.count("audit", "action = 'bundle.made'") == 0


def test_an_object_that_is_not_its_rows_or_is_gone_makes_no_bundle(vault, clips, run, tmp_path):
    vault.client.put_object(Bucket=vault.name, Key=clips[0], Body=b"another")
    answer = run("bundle", 1, "--out", tmp_path / "b.zip", "--reason", "r")
    assert answer.exit_code == 1
    assert f"{clips[0]} is not the object that its row was made for" in answer.output
    vault.client.delete_object(Bucket=vault.name, Key=clips[0])
    assert "there is no object" in run("bundle", 1, "--out", tmp_path / "b.zip", "--reason", "r").output
    assert list(tmp_path.iterdir()) == []


def test_a_bundle_never_replaces_a_file(bundle, run):
    before = bundle.read_bytes()
    answer = run("bundle", 1, "--out", bundle, "--reason", "r")
    assert answer.exit_code == 1
    assert bundle.read_bytes() == before


def test_of_a_clip_without_manifest_there_is_what_there_is_and_it_is_said(world, vault, run, tmp_path, offline):
    key = world.place(script(*VIOLENT), signed=False)
    world.analyse(key)
    world.analyse(world.place(script(*QUIET), seq=2, started_at=NOON + timedelta(minutes=9)))
    vault.publish(world.bucket)
    number = world.row("SELECT number FROM incident WHERE kind = 'physical'")["number"]
    ruling = Ruling(number, Decision.REPORT, "struck", "test")
    decide_review(ruling, world.outside.transactions, StoppedClock())
    answer = run("bundle", number, "--out", tmp_path / "b.zip", "--reason", "r", "--json")
    assert answer.exit_code == 0, answer.output
    assert key in json.loads(answer.stdout)["names"]
    with zipfile.ZipFile(tmp_path / "b.zip") as archive:
        assert "서명이 확인되지 않습니다" in archive.read("README-ko.txt").decode()
        archive.extractall(tmp_path / "unpacked")
    assert offline(tmp_path / "unpacked").exit_code == 0, "its files and rows are what they were"
