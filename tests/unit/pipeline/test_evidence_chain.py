"""The chain of evidence rows: whatever is changed, removed, slipped in or cut off is found and named."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.pipeline.fakes import NOON, ulid_at
from uriai.domain.evidence_chain import NO_HASH, EvidenceLink, LinkStatus, StoredLink, verify_links

KEY = "evidence/a/b/key-frame.jpg"


def chain(length: int) -> list[StoredLink]:
    rows, prev = [], NO_HASH
    for seq in range(1, length + 1):
        link = EvidenceLink(
            camera_id=7, seq=seq, prev=prev, evidence_id=ulid_at(NOON, seq), finding_id=ulid_at(NOON, 100 + seq),
            clip_id=ulid_at(NOON, 200 + seq), role="key_frame", object_key=KEY, sha256=bytes([seq]) * 32,
            shown_at=NOON + timedelta(seconds=seq), created_at=NOON,
        )  # fmt: skip
        rows.append(StoredLink(link, link.hash))
        prev = link.hash
    return rows


def end_of(rows: list[StoredLink]) -> tuple[int, bytes]:
    return (rows[-1].link.seq, rows[-1].hash) if rows else (0, b"")


def broken(rows, end) -> list[tuple[int, str]]:
    return [(verdict.seq, verdict.status.value) for verdict in verify_links(rows, end) if not verdict.status.holds]


def test_an_untouched_chain_holds_in_whatever_order_it_is_read():
    rows = chain(5)
    assert broken(reversed(rows), end_of(rows)) == []
    assert broken([], (0, b"")) == []


@pytest.mark.parametrize(
    "change",
    [
        {"role": "original"},
        {"object_key": "evidence/x"},
        {"sha256": bytes(32)},
        {"shown_at": NOON + timedelta(microseconds=1)},
        {"created_at": NOON + timedelta(days=1)},
        {"finding_id": ulid_at(NOON, 9)},
        {"clip_id": ulid_at(NOON, 9)},
        {"evidence_id": ulid_at(NOON, 9)},
        {"camera_id": 8},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_changed_field_is_altered_and_with_a_new_hash_the_next_row_is_a_broken_link(change):
    rows = chain(5)
    end = end_of(rows)
    link = replace(rows[2].link, **change)
    rows[2] = StoredLink(link, rows[2].hash)
    assert broken(rows, end) == [(3, "altered")]
    rows[2] = StoredLink(link, link.hash)
    assert broken(rows, end) == [(4, "broken_link")]


def test_a_last_row_with_a_new_hash_is_not_what_the_camera_has_as_the_end():
    rows = chain(3)
    end = end_of(rows)
    link = replace(rows[2].link, sha256=bytes(32))
    rows[2] = StoredLink(link, link.hash)
    assert broken(rows, end) == [(3, "broken_link")]


@given(length=st.integers(1, 6), data=st.data())
@settings(max_examples=60, deadline=None)
def test_any_removed_rows_are_named(length, data):
    rows = chain(length)
    gone = data.draw(st.sets(st.integers(1, length), min_size=1))
    kept = [row for row in rows if row.link.seq not in gone]
    verdicts = [verdict for verdict in verify_links(kept, end_of(rows)) if not verdict.status.holds]
    assert {verdict.status for verdict in verdicts} == {LinkStatus.MISSING}
    assert verdicts[0].seq == min(gone)
    named = set()
    for verdict in verdicts:
        first, _, last = verdict.message.removeprefix("there is no ").removeprefix("rows ").partition(" to ")
        named |= set(range(int(first.removeprefix("row ")), int(last or first.removeprefix("row ")) + 1))
    assert named == gone


def test_a_chain_that_is_longer_than_the_camera_says_is_found():
    rows = chain(3)
    assert broken(rows, end_of(rows[:2])) == [(3, "broken_link")]
    assert broken(rows, (0, b"")) == [(3, "broken_link")]


def test_a_row_that_was_exchanged_between_cameras_is_altered():
    rows = chain(2)
    rows[1] = StoredLink(replace(rows[1].link, seq=2, camera_id=9), rows[1].hash)
    assert broken(rows, end_of(rows)) == [(2, "altered")]
