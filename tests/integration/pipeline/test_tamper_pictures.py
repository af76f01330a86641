"""How long the pictures of tampering are kept, beside records that stay. On a real MariaDB and a versioned S3."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import timedelta
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from tests.integration.pipeline.test_records import Records, at, records
from tests.integration.pipeline.test_retention import chain
from tests.unit.pipeline.fakes import GATEWAY, NOON, StoppedClock
from uriai.adapters.database.picture_retention import CONDEMNED_PICTURES, PICTURES
from uriai.adapters.database.retention import SqlExpiring
from uriai.adapters.deletion import S3Deletion
from uriai.domain.chain import RecordStatus
from uriai.domain.retention import Expiry, Kept
from uriai.service.expire_clips import Retention, Tally, expire_clips, would_expire
from uriai.service.ports.retention import DeletionRefusedError
from uriai_cli import status_rows
from uriai_cli.main import cli
from uriai_cloud import state

pytestmark = pytest.mark.integration

__all__ = ["records"]
EVENT = "01KB2WXYZ0000000000000000E"
JPEG = b"a covered camera"
DAY = timedelta(days=1)


def sighted(records: Records, what: str, start: float, end: float, *, event: str = EVENT, camera: int = 2) -> str:
    """A record of tampering whose picture came; the picture's key."""
    claims = {"sha256": hashlib.sha256(JPEG).hexdigest(), "size": len(JPEG)}
    detail = {"what": "covered", "state": what, "event": event}
    arrival = records.teller.record("tamper", at(start), at(end), camera=camera, detail=detail, claims=claims)
    key = arrival.key.replace(".sig", ".jpg")
    records.world.bucket.place(key, JPEG)
    records.file(arrival)
    return key


@pytest.fixture
def run(records: Records, vault) -> Callable[..., Tally]:
    def run(when=NOON + 200 * DAY, deletion=None) -> Tally:
        deletion = deletion or S3Deletion(vault.client, vault.name)
        done = expire_clips(Retention(SqlExpiring(records.world.database), deletion, StoppedClock(when), again=True))
        assert done is not None
        return done

    return run


def resolved(records: Records, vault, gone_at: float = 90.0) -> tuple[str, str]:
    """An event that began and ended; its two pictures."""
    keys = sighted(records, "begins", 0, 30), sighted(records, "ends", 0, gone_at)
    vault.publish(records.world.bucket)
    assert records.world.row("SELECT status FROM incident")["status"] == "resolved"
    return keys


def test_pictures_of_what_is_over_go_with_every_version_and_leave_record_tombstone_and_audit(
    records: Records, vault, run
) -> None:
    keys = resolved(records, vault)
    vault.publish(records.world.bucket)
    before = vault.names()
    assert run().pictures == {Expiry.DISMISSED: 2}
    assert [vault.versions(key) for key in keys] == [[], []]
    assert vault.names() == before - set(keys) | {key.replace(".jpg", ".tombstone") for key in keys}
    assert chain(vault) == [RecordStatus.DELETED] * 2
    audit = records.world.rows("SELECT action, subject FROM audit WHERE action LIKE 'picture.%%' ORDER BY audit_id")
    assert [row["action"] for row in audit] == ["picture.deletion_decided", "picture.deleted"] * 2
    assert audit[0]["subject"] == f"record:{GATEWAY}/{keys[0].rpartition('/')[2].removesuffix('.jpg')}"
    assert records.world.count("record", "picture_deleted_at IS NULL") == 0
    assert run().pictures == {}, "once"


def test_the_pictures_of_an_open_incident_never_go(records: Records, vault, run) -> None:
    sighted(records, "begins", 0, 30)
    vault.publish(records.world.bucket)
    before = vault.names()
    tally = run(NOON + 5000 * DAY)
    assert (tally.pictures, tally.pictures_kept) == ({}, {Kept.INCIDENT: 1})
    assert vault.names() == before


def test_a_picture_stays_for_its_centres_period_and_60_days_after_its_incident_is_over(
    records: Records, vault, run
) -> None:
    resolved(records, vault)
    assert run(NOON + 60 * DAY).pictures == {}
    settled = NOON + 100 * DAY
    records.world.rows("UPDATE incident SET updated_at = %s", (settled,))
    assert run(settled + 59 * DAY).pictures_kept == {Kept.SETTLED_LATELY: 2}
    records.world.rows("UPDATE centre SET retention_days = 365")
    tally = run(NOON + 364 * DAY)
    assert (tally.pictures, tally.pictures_kept) == ({}, {}), "the centre keeps everything for a year"
    assert run(NOON + 366 * DAY).pictures == {Expiry.DISMISSED: 2}


def test_a_picture_that_never_came_gets_no_tombstone_that_would_say_it_was_deleted(
    records: Records, vault, run
) -> None:
    keys = resolved(records, vault)
    vault.client.delete_object(Bucket=vault.name, Key=keys[0])
    S3Deletion(vault.client, vault.name).delete_all_versions([keys[0]])
    assert run().pictures == {Expiry.DISMISSED: 2}
    assert chain(vault) == [RecordStatus.MISSING, RecordStatus.DELETED]


def test_of_a_record_from_before_events_were_written_down_an_open_incident_of_the_camera_keeps_the_picture(
    records: Records, vault, run
) -> None:
    sighted(records, "begins", 0, 30)
    sighted(records, "begins", 0, 30, event="01KB2WXYZ0000000000000000F", camera=3)
    vault.publish(records.world.bucket)
    records.world.rows("UPDATE record SET event_id = NULL")
    records.world.rows(
        "UPDATE incident SET status = 'resolved' WHERE camera_id = (SELECT camera_id FROM camera WHERE number = 3)"
    )
    tally = run()
    assert (tally.pictures, tally.pictures_kept) == ({Expiry.CLEAR: 1}, {Kept.INCIDENT: 1})


def test_what_the_store_refuses_is_shown_and_tried_again(records: Records, vault, run) -> None:
    keys = resolved(records, vault)
    vault.client.put_object_legal_hold(Bucket=vault.name, Key=keys[0], LegalHold={"Status": "ON"})
    tally = run()
    assert (tally.pictures, tally.failed) == ({Expiry.DISMISSED: 1}, 1)
    assert status_rows.rows(records.world.database.connection())["deletions"] == {"refused": 1}
    assert records.world.count("audit", "action = 'picture.deletion_refused'") == 1
    vault.client.put_object_legal_hold(Bucket=vault.name, Key=keys[0], LegalHold={"Status": "OFF"})
    assert run().pictures == {Expiry.DISMISSED: 1}
    assert status_rows.rows(records.world.database.connection())["deletions"] == {}


@pytest.mark.parametrize("step", ["put_tombstone", "delete_all_versions"])
def test_killed_between_two_steps_the_next_run_finishes_it_and_verify_never_says_missing(
    records: Records, vault, run, step: str
) -> None:
    resolved(records, vault)

    class Killed(S3Deletion):
        pass

    def die(self: S3Deletion, *arguments: object) -> None:
        getattr(S3Deletion, step)(self, *arguments)
        raise KeyboardInterrupt

    setattr(Killed, step, die)
    with pytest.raises(KeyboardInterrupt):
        run(deletion=Killed(vault.client, vault.name))
    assert RecordStatus.MISSING not in chain(vault)
    assert run().pictures == {Expiry.DISMISSED: 2}
    assert chain(vault) == [RecordStatus.DELETED] * 2


def test_a_dry_run_tells_of_pictures_and_changes_nothing(records: Records, vault) -> None:
    keys = resolved(records, vault)
    before = vault.names(), records.world.count("audit")
    told = []
    tally = would_expire(SqlExpiring(records.world.database), StoppedClock(NOON + 200 * DAY), told.append)
    assert [(one.clip_id, one.object_key, one.reason) for one in told] == [(None, k, Expiry.DISMISSED) for k in keys]
    assert (tally.pictures, vault.names(), records.world.count("audit")) == ({Expiry.DISMISSED: 2}, *before)


def test_the_cloud_side_of_verify_asks_the_audit_for_a_pictures_tombstone(
    records: Records, vault, run, monkeypatch
) -> None:
    resolved(records, vault)
    run()
    cloud = SimpleNamespace(connect=records.world.connect, client=lambda _: vault.client, clips_bucket=vault.name)
    monkeypatch.setattr(state, "load", lambda: cloud)
    answer = CliRunner().invoke(cli, ["verify", "--cloud", "--json"])
    assert answer.exit_code == 0, answer.output
    records.world.rows("DELETE FROM audit WHERE action = 'picture.deletion_decided'")
    answer = CliRunner().invoke(cli, ["verify", "--cloud", "--json"])
    assert (answer.exit_code, answer.stdout.count('"unaudited"')) == (1, 2)


def test_a_store_that_is_away_ends_the_run_early(records: Records, vault, run) -> None:
    resolved(records, vault)

    class Away(S3Deletion):
        def exists(self, key: str) -> bool:
            raise DeletionRefusedError("the store is away")

    assert run(deletion=Away(vault.client, vault.name)).failed == 2
    assert run().pictures == {Expiry.DISMISSED: 2}


def test_pages_of_pictures_are_read_by_an_index(records: Records) -> None:
    with records.world.database.transaction() as cursor:
        rows = [
            (n.to_bytes(16, "big"), GATEWAY, "tamper" if n % 50 == 0 else "coverage", NOON + timedelta(minutes=n),
             NOON if n % 100 == 0 else None, NOON if n % 200 == 0 else None)
            for n in range(6000)
        ]  # fmt: skip
        cursor.executemany(
            "INSERT INTO record (record_id, gateway_id, type, object_key, received_at, outcome, picture_deletion_at, "
            "picture_deleted_at) VALUES (%s, %s, %s, 'k', %s, 'present', %s, %s)",
            rows,
        )
        cursor.execute("ANALYZE TABLE record")
        cursor.fetchall()
        cursor.execute("EXPLAIN " + PICTURES, (NOON + DAY, NOON, NOON, b"", NOON + 61 * DAY, 200))
        record = next(row for row in cursor.fetchall() if row["table"] == "r")
        assert (record["key"], record["type"]) == ("record_picture_expiring", "range")
        assert int(record["rows"]) < 120
        cursor.execute("EXPLAIN " + CONDEMNED_PICTURES, (NOON, NOON, b"", 200))
        record = cursor.fetchone()
        assert (record["key"], record["type"]) == ("record_picture_condemned", "range")
        assert int(record["rows"]) < 120
