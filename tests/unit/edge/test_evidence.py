"""Manifests and their verification, against the vectors that agent and cloud share."""

from __future__ import annotations

import filecmp
import importlib.util
import json
import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nacl.signing import SigningKey, VerifyKey

from uriai_edge import ulid
from uriai_edge.evidence import FIRST_PREV, Manifest, ManifestError, RecordType, sign, signature_holds
from uriai_edge.verify import Status, collect, verify

VECTORS = Path(__file__).resolve().parents[2] / "vectors"
EXPECTED = json.loads((VECTORS / "expected.json").read_text())
KEY = VerifyKey(bytes.fromhex(EXPECTED["public_key"]))


@pytest.mark.parametrize("case", sorted(EXPECTED["cases"]))
def test_the_vectors_are_judged_as_expected(case):
    (report,) = verify(collect([VECTORS / case]), KEY)
    expected = EXPECTED["cases"][case]
    found = {"none" if one.seq is None else str(one.seq): one.status.value for one in report.verdicts}
    broken = report.first_break
    assert report.gateway == EXPECTED["gateway"]
    assert found == expected["statuses"]
    assert (broken and {"seq": broken.seq, "status": broken.status.value}) == expected["first_break"]


def test_the_committed_vectors_are_what_the_agent_writes_today(tmp_path):
    spec = importlib.util.spec_from_file_location("make_vectors", VECTORS / "make_vectors.py")
    assert spec is not None and spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    made.HERE = tmp_path
    made.main()
    committed = [
        file.relative_to(VECTORS)
        for file in VECTORS.rglob("*")
        if file.is_file() and file.suffix != ".py" and "__pycache__" not in file.parts
    ]
    again = [file.relative_to(tmp_path) for file in tmp_path.rglob("*") if file.is_file()]
    assert sorted(committed) == sorted(again)
    assert filecmp.cmpfiles(VECTORS, tmp_path, committed, shallow=False)[0] == committed


def test_other_keys_records_do_not_count_as_present():
    (report,) = verify(collect([VECTORS / "valid"]), VerifyKey(bytes.fromhex(EXPECTED["other_public_key"])))
    assert {one.status for one in report.verdicts} == {Status.BAD_SIGNATURE}


def test_a_part_of_the_chain_verifies_when_asked_as_a_part(tmp_path):
    shutil.copytree(VECTORS / "valid", tmp_path / "copy")
    for file in (tmp_path / "copy").rglob("*Z0000000000000000A.*"):
        file.unlink()
    assert verify(collect([tmp_path]), KEY)[0].first_break.seq == 1
    assert verify(collect([tmp_path]), KEY, from_start=False)[0].first_break is None


def test_a_forged_manifest_of_a_huge_number_costs_one_line(tmp_path):
    shutil.copytree(VECTORS / "valid", tmp_path / "copy")
    file = next((tmp_path / "copy").rglob("000000000005-*.json"))
    file.write_bytes(file.read_bytes().replace(b'"seq":5', b'"seq":999999999999'))
    (report,) = verify(collect([tmp_path]), KEY)
    assert len(report.verdicts) == 6
    assert report.first_break.message == "there is no record of numbers 5 to 999999999998"


def manifest(**changes) -> Manifest:
    start = datetime(2026, 11, 3, 8, 30, tzinfo=timezone(timedelta(hours=9)))
    fields = Manifest(
        "g-1",
        7,
        RecordType.CLIP,
        3,
        ulid.new(),
        "ab" * 32,
        12,
        start,
        start + timedelta(seconds=9),
        1.5,
        "uriai-edge/0.1.0",
        FIRST_PREV,
    )
    return replace(fields, **changes)


def test_a_manifest_is_read_back_as_it_was_written():
    one = manifest(detail={"note": "아이"})
    assert Manifest.from_bytes(one.to_bytes()) == one
    names = "v,gateway,seq,type,camera,ulid,sha256,size,started_at,ended_at,monotonic,agent,prev,detail"
    assert ",".join(json.loads(one.to_bytes())) == names
    assert one.stem == f"clips/g-1/3/2026-11-02/{one.ulid}"  # 08:30 in Seoul is the day before in UTC


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"seq": 0}, "seq"),
        ({"seq": True}, "seq"),
        ({"seq": "7"}, "seq"),
        ({"camera": 0}, "camera"),
        ({"camera": None}, "camera"),
        ({"gateway": "../x"}, "gateway"),
        ({"gateway": "a" * 64}, "gateway"),
        ({"type": "film"}, "type"),
        ({"ulid": "x"}, "ulid"),
        ({"sha256": "AB" * 32}, "sha256"),
        ({"sha256": None}, "sha256"),
        ({"size": -1}, "size"),
        ({"started_at": "2026-11-03T08:30:00"}, "started_at"),
        ({"ended_at": "2020-01-01T00:00:00+00:00"}, "ended_at"),
        ({"prev": ""}, "prev"),
        ({"v": 2}, "v"),
        ({"detail": []}, "detail"),
        ({"monotonic": None}, "monotonic"),
    ],
)
def test_a_manifest_with_a_wrong_field_is_refused_by_name(change, word):
    fields = json.loads(manifest().to_bytes()) | change
    with pytest.raises(ManifestError, match=word):
        Manifest.from_bytes(json.dumps(fields).encode())


@given(st.binary(max_size=400))
def test_no_bytes_make_the_reader_fall_over(data):
    with pytest.raises(ManifestError):
        Manifest.from_bytes(data)


@given(st.binary(min_size=1, max_size=200), st.integers(0, 2000))
def test_any_changed_bit_breaks_the_signature(data, where):
    key = SigningKey(b"k" * 32)
    signature = sign(key, data)
    assert signature_holds(key.verify_key, data, signature)
    changed = bytearray(data)
    changed[where % len(data)] ^= 1 << where % 8
    assert not signature_holds(key.verify_key, bytes(changed), signature)


def test_ulids_of_one_process_never_go_backwards_when_the_clock_does():
    now = datetime(2026, 11, 3, tzinfo=UTC)
    made = [ulid.new(now - timedelta(hours=number)) for number in range(-1, 5)]
    assert made == sorted(made) and len(set(made)) == len(made)
    assert all(ulid.is_ulid(one) for one in made)
    assert not ulid.is_ulid("8" + "0" * 25) and not ulid.is_ulid(made[0].lower())
