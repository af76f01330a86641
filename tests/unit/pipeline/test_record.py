"""One record by itself and between its neighbours, against the signed examples."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uriai.adapters.manifest import Ed25519SignatureChecker
from uriai.domain.chain import Record, RecordStatus, verify_chain
from uriai.domain.manifest import Manifest, ManifestError
from uriai.domain.record import Link, check_record, gateway_of, judged
from uriai.domain.ulid import Ulid

VECTORS = Path(__file__).resolve().parents[2] / "vectors"
EXPECTED = json.loads((VECTORS / "expected.json").read_text(encoding="utf-8"))
PUBLIC_KEY = bytes.fromhex(EXPECTED["public_key"])


def read(path: Path) -> bytes | None:
    return path.read_bytes() if path.exists() else None


def check(case: str, manifest: Path, keys: tuple[bytes, ...] = (PUBLIC_KEY,)):
    key = manifest.relative_to(VECTORS / case).with_suffix(".sig").as_posix()
    return check_record(
        key,
        manifest=read(manifest),
        signature=read(manifest.with_suffix(".sig")),
        public_keys=keys,
        signed_by=Ed25519SignatureChecker().signed_by,
    )


def outcomes(case: str) -> dict[str, RecordStatus]:
    """What the cloud makes of each record of a case, by key, when all of them have arrived."""
    links, found = [], {}
    for path in sorted((VECTORS / case).rglob("*.json")):
        checked = check(case, path)
        key = path.relative_to(VECTORS / case).as_posix()
        found[key] = checked.status
        if checked.status.signed:
            data, said = path.read_bytes(), checked.manifest
            name = Ulid(hashlib.sha256(key.encode()).digest()[:16])
            links.append((key, Link(name, said.seq, hashlib.sha256(data).digest(), bytes.fromhex(said.prev),
                                    checked.status)))  # fmt: skip
    names = {link.record_id: key for key, link in links}
    for seq in {link.seq for _, link in links}:
        for link, status in judged([link for _, link in links], seq):
            found[names[link.record_id]] = status
    return found


OF_THE_FILE = {RecordStatus.DROPPED, RecordStatus.DELETED, RecordStatus.MISSING, RecordStatus.ALTERED}
"""Outcomes of a clip or picture beside a record: the record itself holds."""


def whole_check(case: str) -> dict[str, RecordStatus]:
    """What a check of the whole copy at once makes of each record, by key."""
    records = [
        Record(path.relative_to(VECTORS / case).as_posix(), path.read_bytes(), read(path.with_suffix(".sig")))
        for path in (VECTORS / case).rglob("*.json")
    ]
    checker = Ed25519SignatureChecker()
    verdicts = verify_chain(
        records, signed=lambda sig, data: checker.signed_by(PUBLIC_KEY, sig, data), attachment=lambda _: None
    )
    return {one.key: RecordStatus.PRESENT if one.status in OF_THE_FILE else one.status for one in verdicts if one.key}


@pytest.mark.parametrize("case", sorted(EXPECTED["cases"]))
def test_records_one_by_one_have_the_outcomes_that_a_check_of_the_whole_copy_gives_them(case):
    assert outcomes(case) == whole_check(case)
    assert outcomes(case)


def test_a_gateway_without_a_key_in_force_signs_nothing():
    path = next(iter(sorted((VECTORS / "valid").glob("records/**/*.json"))))
    found = check("valid", path, keys=())
    assert (found.status, found.manifest.gateway) == (RecordStatus.BAD_SIGNATURE, "vector-gateway")


def test_a_signature_without_a_manifest_is_a_missing_record():
    found = check_record(
        "records/g/2026-11-22/x.sig", manifest=None, signature=bytes(64), public_keys=(), signed_by=lambda *_: True
    )
    assert found.status is RecordStatus.MISSING


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("records/gw-1/2026-11-22/000000000001-X.sig", "gw-1"),
        ("clips/gw-1/2/2026-11-22/X.sig", "gw-1"),
        ("records/x.sig", None),
        ("records/GW/2026-11-22/x.sig", None),
        ("evidence/gw-1/x.sig", None),
        ("records/gw-1/2026-11-22/x.json", None),
    ],
)
def test_the_gateway_is_told_by_the_folder(key, name):
    assert gateway_of(key) == name


def link(seq: int, data: int, prev: int, status: RecordStatus = RecordStatus.PRESENT) -> Link:
    return Link(Ulid(bytes([seq, data, prev]) + bytes(13)), seq, bytes([data]) * 32, bytes([prev]) * 32, status)


@given(st.permutations([link(1, 1, 0), link(2, 2, 1), link(2, 9, 1), link(3, 3, 2), link(4, 4, 7), link(5, 5, 4)]))
def test_what_a_record_is_does_not_depend_on_which_came_first(links):
    found = {one.sha256[0]: status.value for seq in range(1, 6) for one, status in judged(links, seq)}
    # which of two forks number 3 continues cannot be told, so it is not called broken
    assert found == {1: "present", 2: "forked", 9: "forked", 3: "present", 4: "broken_link", 5: "present"}


def test_a_first_record_that_continues_another_is_a_broken_link():
    assert [status for _, status in judged([link(1, 1, 5)], 1)] == [RecordStatus.BROKEN_LINK]


def test_the_same_record_in_another_place_is_no_fork():
    links = [link(2, 2, 1), link(2, 2, 1, RecordStatus.REORDERED)]
    assert [status.value for _, status in judged(links, 2)] == ["present", "reordered"]


@pytest.mark.parametrize("detail", ["none", 5, [], None])
def test_a_detail_of_another_form_is_an_empty_one(detail):
    path = next(iter(sorted((VECTORS / "valid").glob("records/**/*.json"))))
    fields = json.loads(path.read_bytes()) | {"detail": detail}
    assert Manifest.parse(json.dumps(fields).encode()).detail == {}
    with pytest.raises(ManifestError):
        Manifest.parse(json.dumps(fields | {"v": 2}).encode())
