"""Manifests against the signed examples that the agent's side made, and against hostile ones."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uriai.adapters.manifest import Ed25519SignatureChecker
from uriai.domain.clip import ClipKey, ManifestStatus
from uriai.domain.manifest import Manifest, ManifestError, check_manifest, clip_span
from uriai.domain.ulid import Ulid

VECTORS = Path(__file__).resolve().parents[2] / "vectors"
EXPECTED = json.loads((VECTORS / "expected.json").read_text(encoding="utf-8"))
PUBLIC_KEY = bytes.fromhex(EXPECTED["public_key"])
ARRIVED_AT = datetime(2026, 11, 3, 1, 0, tzinfo=UTC)


def check(case: str, clip: Path, **changes: object) -> ManifestStatus:
    key = ClipKey.parse(clip.relative_to(VECTORS / case).as_posix())
    data = clip.read_bytes()
    arguments = {
        "key": key,
        "sha256": hashlib.sha256(data).digest(),
        "size": len(data),
        "arrived_at": ARRIVED_AT,
        "manifest": read(clip.with_suffix(".json")),
        "signature": read(clip.with_suffix(".sig")),
        "public_keys": (PUBLIC_KEY,),
        "signed_by": Ed25519SignatureChecker().signed_by,
    }
    return check_manifest(**(arguments | changes)).status


def read(path: Path) -> bytes | None:
    return path.read_bytes() if path.exists() else None


def clips(case: str) -> list[Path]:
    return sorted((VECTORS / case).glob("clips/**/*.mp4"))


def by_seq(case: str) -> dict[int | None, ManifestStatus]:
    """Status of each clip that lies there, by the number it had when everything was whole."""
    whole = {clip.relative_to(VECTORS / "valid"): json.loads(clip.with_suffix(".json").read_bytes())["seq"]
             for clip in clips("valid")}  # fmt: skip
    return {whole.get(clip.relative_to(VECTORS / case)): check(case, clip) for clip in clips(case)}


def test_every_clip_of_a_whole_chain_is_verified():
    assert by_seq("valid") == dict.fromkeys((1, 2, 4), ManifestStatus.VERIFIED)


@pytest.mark.parametrize(
    ("case", "seq", "status"),
    [
        ("clip_altered", 2, "mismatch"),
        ("clip_truncated", 2, "mismatch"),
        ("clips_exchanged", 1, "mismatch"),
        ("reordered", 2, "mismatch"),
        ("manifest_altered", 2, "bad_signature"),
        ("signature_altered", 4, "bad_signature"),
        ("signature_missing", 4, "bad_signature"),
        ("signature_short", 4, "bad_signature"),
        ("other_key", 1, "bad_signature"),
        ("malformed", 2, "malformed"),
    ],
)
def test_a_broken_example_is_told_for_what_it_is(case, seq, status):
    assert by_seq(case)[seq].value == status


def test_no_manifest_and_no_key_are_told_apart():
    clip = clips("valid")[0]
    assert check("valid", clip, manifest=None) is ManifestStatus.MISSING
    assert check("valid", clip, public_keys=()) is ManifestStatus.UNKNOWN_KEY
    other = bytes.fromhex(EXPECTED["other_public_key"])
    assert check("valid", clip, public_keys=(other,)) is ManifestStatus.BAD_SIGNATURE
    assert check("valid", clip, public_keys=(other, PUBLIC_KEY)) is ManifestStatus.VERIFIED, "keys may overlap"


@pytest.mark.parametrize("path", sorted(VECTORS.glob("valid/**/*.json")), ids=lambda path: path.stem)
def test_every_type_of_record_of_the_agent_can_be_read(path):
    assert Manifest.parse(path.read_bytes()).gateway == EXPECTED["gateway"]


@pytest.mark.parametrize("case", ["key_twice", "unknown_version", "instant_out_of_range"])
def test_a_signed_record_that_could_be_read_in_two_ways_is_refused(case):
    (path,) = (VECTORS / case).glob("records/**/000000000005-*.json")
    with pytest.raises(ManifestError):
        Manifest.parse(path.read_bytes())


GOOD = {
    "v": 1, "gateway": "g", "seq": 1, "type": "clip", "camera": 1, "ulid": "01KB2WXYZ0000000000000000A",
    "sha256": "0" * 64, "size": 1, "started_at": "2026-11-02T14:59:30.000000+00:00",
    "ended_at": "2026-11-02T15:00:00.000000+00:00", "prev": "0" * 64,
}  # fmt: skip


def test_the_example_for_the_next_test_is_good():
    assert Manifest.parse(json.dumps(GOOD).encode()).seq == 1


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("v", 2), ("v", True), ("gateway", "../x"), ("seq", 0), ("seq", True), ("seq", 1.0), ("seq", 2**63),
        ("type", "x"),
        ("camera", 0), ("camera", None), ("ulid", "8" * 26), ("sha256", "0" * 63), ("sha256", None), ("size", -1),
        ("started_at", "2026-11-02T14:59:30"), ("started_at", "yesterday"), ("ended_at", 5), ("prev", "x" * 64),
    ],
)  # fmt: skip
def test_a_field_of_another_form_is_refused(field, value):
    with pytest.raises(ManifestError):
        Manifest.parse(json.dumps(GOOD | {field: value}).encode())


@pytest.mark.parametrize("name", sorted(GOOD))
def test_a_missing_field_is_refused(name):
    with pytest.raises(ManifestError):
        Manifest.parse(json.dumps({key: value for key, value in GOOD.items() if key != name}).encode())


@pytest.mark.parametrize("data", [b"", b"\xff", b"[]", b"null", b"[" * 100_000, b'{"v":1,"v":1}', b"1" * 5000])
def test_hostile_bytes_are_refused_and_nothing_else_happens(data):
    with pytest.raises(ManifestError):
        Manifest.parse(data)


@given(st.binary(max_size=200))
def test_no_bytes_make_reading_fail_in_any_other_way(data):
    with pytest.raises(ManifestError):
        Manifest.parse(data)


@given(st.binary(min_size=16, max_size=16), st.floats(0.1, 30))
def test_a_clip_without_a_manifest_has_a_time_near_its_arrival(value, duration_s):
    nothing = check_manifest(
        key=ClipKey.parse("clips/g/1/2026-11-03/01KB2WXYZ0000000000000000A.mp4"), sha256=b"", size=0,
        arrived_at=ARRIVED_AT, manifest=None, signature=None, public_keys=(), signed_by=lambda *_: False,
    )  # fmt: skip
    started_at, ended_at = clip_span(nothing, ulid=Ulid(value), arrived_at=ARRIVED_AT, duration_s=duration_s)
    assert ARRIVED_AT - timedelta(days=30) <= started_at <= ARRIVED_AT + timedelta(minutes=5)
    assert abs((ended_at - started_at).total_seconds() - duration_s) < 1e-3
