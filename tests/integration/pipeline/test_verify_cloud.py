"""`uriai verify --cloud`: rows against rows, objects against rows, tombstones against the audit; the break is named."""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from tests.integration.pipeline.test_retention import LATER, settle
from tests.unit.pipeline.fakes import DOUBTFUL, NOON, VIOLENT, StoppedClock, script
from uriai.adapters.database.retention import SqlExpiring
from uriai.adapters.deletion import S3Deletion
from uriai.service.expire_clips import Retention, expire_clips
from uriai_cli.main import cli
from uriai_cloud import state

pytestmark = pytest.mark.integration


@pytest.fixture
def verify(world, vault, monkeypatch):
    """Runs the command beside this database and this bucket; exit code and its lines of JSON."""
    cloud = SimpleNamespace(connect=world.connect, client=lambda service: vault.client, clips_bucket=vault.name)
    monkeypatch.setattr(state, "load", lambda: cloud)

    def verify(*options: str) -> tuple[int, list[dict[str, object]]]:
        answer = CliRunner().invoke(cli, ["verify", "--cloud", "--json", *options])
        assert answer.exit_code in (0, 1), answer.output
        return answer.exit_code, [json.loads(line) for line in answer.stdout.splitlines()]

    return verify


@pytest.fixture
def key(world, vault) -> str:
    """A clip with an incident; the bucket holds all of it."""
    key = world.place(script(*VIOLENT))
    world.analyse(key)
    vault.publish(world.bucket)
    return key


def change(world, statement: str, *values: object) -> None:
    with world.database.transaction() as cursor:
        assert cursor.execute(statement, values), "the test changed nothing"


def breaks(found) -> list[tuple[object, ...]]:
    return [(line.get("what", "record"), line["seq"], line["status"]) for line in found]


def test_everything_holds_and_all_of_it_is_counted(key, verify):
    code, found = verify("--all")
    assert code == 0
    assert breaks(found) == [
        ("record", 1, "present"),
        *[("row", seq, "present") for seq in range(1, 6)],
        *[("object", seq, "present") for seq in range(1, 6)],
    ]


def test_rows_of_two_clips_of_one_camera_are_one_chain(world, vault, key, verify):
    world.analyse(world.place(script(*DOUBTFUL), seq=2, started_at=NOON + timedelta(minutes=5)))
    world.analyse(world.place(script(*DOUBTFUL), seq=3, started_at=NOON + timedelta(minutes=5), camera=2))
    vault.publish(world.bucket)
    rows = world.rows("SELECT m.number, e.chain_seq FROM evidence e JOIN camera m ON m.camera_id = e.camera_id")
    assert sorted((row["number"], row["chain_seq"]) for row in rows) == [
        *[(1, seq) for seq in range(1, 11)], *[(2, seq) for seq in range(1, 6)]
    ]  # fmt: skip
    _, found = verify()
    assert {line.get("what", "record") for line in found} == {"record"}, "the records' chain is made up in this test"


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("UPDATE evidence SET shown_at = shown_at + INTERVAL 1 SECOND WHERE chain_seq = 2", [("row", 2, "altered")]),
        ("UPDATE evidence SET sha256 = REPEAT('x', 32) WHERE chain_seq = 2",
         [("row", 2, "altered"), ("object", 2, "altered")]),
        ("UPDATE evidence SET role = 'masked_copy' WHERE chain_seq = 5", [("row", 5, "altered")]),
        ("DELETE FROM evidence WHERE chain_seq = 3", [("row", 3, "missing")]),
        ("DELETE FROM evidence WHERE chain_seq = 5", [("row", 5, "missing")]),
        ("UPDATE evidence SET row_hash = REPEAT('x', 32) WHERE chain_seq = 2",
         [("row", 2, "altered"), ("row", 3, "broken_link")]),
        ("UPDATE camera SET evidence_hash = REPEAT('x', 32) WHERE number = 1", [("row", 5, "broken_link")]),
    ],
    ids=["instant", "hash of the object", "role", "row gone", "last row gone", "hash of the row", "end of the chain"],
)  # fmt: skip
def test_a_change_in_the_database_is_found_and_named(world, key, verify, statement, expected):
    change(world, statement)
    code, found = verify()
    assert code == 1
    assert breaks(found) == expected


def test_an_exchanged_picture_and_a_removed_one_are_found(world, vault, key, verify):
    rows = world.rows("SELECT chain_seq, object_key FROM evidence WHERE role <> 'original' ORDER BY chain_seq")
    vault.client.put_object(Bucket=vault.name, Key=rows[0]["object_key"], Body=b"another")
    vault.client.delete_object(Bucket=vault.name, Key=rows[1]["object_key"])
    code, found = verify()
    assert code == 1
    assert breaks(found) == [("object", 2, "altered"), ("object", 3, "missing")]
    assert [line["key"] for line in found] == [rows[0]["object_key"], rows[1]["object_key"]]


def test_what_retention_deleted_is_lawfully_gone(world, vault, key, verify):
    settle(world, "dismissed")
    deletion = S3Deletion(vault.client, vault.name)
    assert expire_clips(Retention(SqlExpiring(world.database), deletion, StoppedClock(LATER))).deleted.total() == 1
    code, found = verify("--all")
    assert code == 0
    assert breaks(found) == [
        ("record", 1, "deleted"),
        *[("row", seq, "present") for seq in range(1, 6)],
        *[("object", seq, "deleted") for seq in range(1, 6)],
        ("tombstone", None, "deleted"),
    ]


def test_a_tombstone_that_the_audit_knows_nothing_of_is_found(vault, key, verify):
    """Somebody with the bucket deletes a clip and lays a tombstone; the records alone cannot tell."""
    S3Deletion(vault.client, vault.name).delete_all_versions([key])
    manifest = vault.client.get_object(Bucket=vault.name, Key=key.replace(".mp4", ".json"))["Body"].read()
    told = {"v": 1, "manifest": hashlib.sha256(manifest).hexdigest(),
            "deleted_at": "2026-11-23T00:00:00+00:00", "reason": "retention"}  # fmt: skip
    tombstone = key.replace(".mp4", ".tombstone")
    vault.client.put_object(Bucket=vault.name, Key=tombstone, Body=json.dumps(told).encode())
    code, found = verify()
    assert code == 1
    assert breaks(found) == [("object", 1, "missing"), ("tombstone", None, "unaudited")]
    assert found[1]["key"] == tombstone


def test_a_forged_deletion_mark_in_a_row_does_not_make_a_missing_object_lawful(world, vault, key, verify):
    S3Deletion(vault.client, vault.name).delete_all_versions([key])
    change(world, "UPDATE evidence SET deleted_at = %s", NOON)
    code, found = verify()
    assert code == 1
    assert ("object", 1, "missing") in breaks(found)


def test_in_words_it_says_where_the_break_is(world, key, verify):
    change(world, "DELETE FROM evidence WHERE chain_seq = 3")
    answer = CliRunner().invoke(cli, ["verify"])
    assert answer.exit_code == 1
    assert "camera 1 row 3" in answer.stdout
    assert "there is no row 3" in answer.stdout


def test_the_cloud_and_folders_are_not_verified_at_once(tmp_path):
    answer = CliRunner().invoke(cli, ["verify", "--cloud", str(tmp_path)])
    assert answer.exit_code == 2
    assert "leave out" in answer.output
