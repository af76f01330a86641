"""A gateway's chain of records against the signed examples, whole and broken."""

from __future__ import annotations

import hashlib
import json
import random
from pathlib import Path

import pytest

from uriai.adapters.manifest import Ed25519SignatureChecker
from uriai.domain.chain import Attachment, Record, verify_chain

VECTORS = Path(__file__).resolve().parents[2] / "vectors"
EXPECTED = json.loads((VECTORS / "expected.json").read_text(encoding="utf-8"))
PUBLIC_KEY = bytes.fromhex(EXPECTED["public_key"])


BESIDE = (".sig", ".tombstone")


def verify(case: str, *, shuffle: int | None = None):
    folder = VECTORS / case
    records = [
        Record(
            path.relative_to(folder).as_posix(),
            path.read_bytes(),
            *(
                path.with_suffix(ending).read_bytes() if path.with_suffix(ending).exists() else None
                for ending in BESIDE
            ),
        )
        for path in sorted(folder.rglob("*.json"))
    ]
    if shuffle is not None:
        random.Random(shuffle).shuffle(records)

    def attachment(key: str) -> Attachment | None:
        path = folder / key
        if not path.exists():
            return None
        data = path.read_bytes()
        return Attachment(len(data), hashlib.sha256(data).hexdigest())

    checker = Ed25519SignatureChecker()
    return verify_chain(
        records, signed=lambda signature, data: checker.signed_by(PUBLIC_KEY, signature, data), attachment=attachment
    )


@pytest.mark.parametrize("case", sorted(EXPECTED["cases"]))
def test_every_example_is_told_as_the_agents_side_expects(case):
    expected = EXPECTED["cases"][case]
    verdicts = verify(case)
    said = {str(v.seq) if v.seq is not None else "none": v.status.value for v in verdicts}
    assert said == expected["statuses"]
    first = next(({"seq": v.seq, "status": v.status.value} for v in verdicts if not v.status.holds), None)
    assert first == expected["first_break"]


@pytest.mark.parametrize("shuffle", range(3))
def test_the_order_in_which_records_are_found_is_irrelevant(shuffle):
    for case in EXPECTED["cases"]:
        assert verify(case, shuffle=shuffle) == verify(case)


def test_every_verdict_that_does_not_hold_says_why():
    for case in EXPECTED["cases"]:
        assert all(verdict.message for verdict in verify(case))
