"""Evidence of reported incidents under Object Lock and legal hold, on a real MariaDB and a versioned S3."""

from __future__ import annotations

from datetime import timedelta

import pytest
from botocore.exceptions import ClientError

from tests.unit.cloud.test_template import RESOURCES
from tests.unit.pipeline.fakes import DOUBTFUL, NOON, VIOLENT, StoppedClock, script
from uriai.adapters.database.holds import DUE, SqlHolds
from uriai.adapters.deletion import S3Deletion
from uriai.adapters.locks import S3Locks
from uriai.domain.incident import Decision
from uriai.domain.retention import LEAST_DAYS
from uriai.domain.ulid import Ulid
from uriai.domain.words import EvidenceRole
from uriai.service.decide_review import Ruling, decide_review
from uriai.service.hold_evidence import GIVE_UP_AFTER, LOCKED_FOR, Holding, hold_evidence
from uriai.service.ports.repositories import EvidenceRow
from uriai.service.ports.retention import DeletionRefusedError
from uriai_cli import status_rows

pytestmark = pytest.mark.integration


@pytest.fixture
def hold(world, vault):
    def hold() -> Holding:
        return hold_evidence(SqlHolds(world.database), S3Locks(vault.client, vault.name), StoppedClock())

    return hold


def reported(world, vault, *, seq: int = 1, windows=VIOLENT) -> str:
    """A clip whose incident an expert has reported."""
    key = world.place(script(*windows), seq=seq, started_at=NOON + timedelta(minutes=5 * seq))
    outcome = world.analyse(key)
    (incident,) = outcome.incidents
    decide_review(
        Ruling(incident.number, Decision.REPORT, "struck", "test"), world.outside.transactions, StoppedClock()
    )
    vault.publish(world.bucket)
    return key


def on_hold(vault, key: str) -> bool:
    try:
        status = vault.client.get_object_legal_hold(Bucket=vault.name, Key=key)["LegalHold"]["Status"]
        retention = vault.client.get_object_retention(Bucket=vault.name, Key=key)["Retention"]
    except ClientError:
        return False
    assert retention["Mode"] == "GOVERNANCE"
    assert abs(retention["RetainUntilDate"] - (NOON + LOCKED_FOR)) < timedelta(seconds=1)
    return status == "ON"


def test_a_reported_incidents_clip_manifest_signature_and_pictures_are_held(world, vault, hold):
    key = reported(world, vault)
    assert hold() == Holding(1, ())
    assert {name for name in vault.names() if on_hold(vault, name)} == vault.names()
    assert len(vault.names()) == 7, "clip, manifest, signature, four pictures"
    with pytest.raises(ClientError):
        vault.client.delete_object(Bucket=vault.name, Key=key, VersionId=vault.versions(key)[0])
    assert world.row("SELECT held_at, hold_error FROM incident") == {"held_at": NOON, "hold_error": None}
    assert world.count("audit", "action = 'evidence.held'") == 1
    assert hold() == Holding(0, ()), "once"


@pytest.mark.parametrize("status", ["pending_review", "dismissed", "open", "resolved"])
def test_what_is_not_reported_is_not_held(world, vault, hold, status):
    world.analyse(world.place(script(*DOUBTFUL)))
    vault.publish(world.bucket)
    with world.database.transaction() as cursor:
        cursor.execute("UPDATE incident SET status = %s", (status,))
    assert hold() == Holding(0, ())
    assert not [name for name in vault.names() if on_hold(vault, name)]


@pytest.mark.parametrize("status", ["dispatched", "closed"])
def test_what_went_on_before_it_was_held_is_held_all_the_same(world, vault, hold, status):
    reported(world, vault)
    with world.database.transaction() as cursor:
        cursor.execute("UPDATE incident SET status = %s", (status,))
    assert hold().held == 1


def test_what_is_refused_is_visible_and_tried_again_and_keeps_nobody_else_waiting(world, vault, hold):
    lost = reported(world, vault, seq=1)
    reported(world, vault, seq=2)
    body = vault.client.get_object(Bucket=vault.name, Key=lost)["Body"].read()
    S3Deletion(vault.client, vault.name).delete_all_versions([lost])
    assert status_rows.rows(world.database.connection())["holds"] == {"pending": 2}
    assert hold() == Holding(1, (1,))
    assert status_rows.rows(world.database.connection())["holds"] == {"refused": 1}
    assert lost in world.row("SELECT hold_error FROM incident WHERE number = 1")["hold_error"]
    vault.client.put_object(Bucket=vault.name, Key=lost, Body=body)
    assert hold() == Holding(1, ())
    assert world.row("SELECT hold_error FROM incident WHERE number = 1")["hold_error"] is None
    assert status_rows.rows(world.database.connection())["holds"] == {}


def test_neither_a_store_that_refuses_everything_nor_lost_objects_keep_others_waiting_for_long(world, vault, hold):
    lost = [reported(world, vault, seq=seq, windows=DOUBTFUL) for seq in range(1, GIVE_UP_AFTER + 2)]
    reported(world, vault, seq=50)
    name, vault.name = vault.name, "no-such-bucket"
    assert len(hold().refused) == GIVE_UP_AFTER, "no more are asked for"
    vault.name = name
    S3Deletion(vault.client, vault.name).delete_all_versions(lost)
    for _ in range(40):
        hold()
        if world.count("incident", "held_at IS NOT NULL"):
            break
    assert world.row("SELECT number FROM incident WHERE held_at IS NOT NULL")["number"] == len(lost) + 1


def test_evidence_that_is_added_later_is_held_as_well(world, vault, hold):
    key = reported(world, vault)
    hold()
    finding, clip = (Ulid(world.row(f"SELECT {name} FROM {name[:-3]}")[name]) for name in ("finding_id", "clip_id"))
    copy = "evidence/masked-copy.mp4"
    vault.client.put_object(Bucket=vault.name, Key=copy, Body=b"masked")
    row = EvidenceRow(Ulid(b"m" * 16), finding, clip, EvidenceRole.MASKED_COPY, copy, bytes(32), NOON)
    world.outside.transactions.run(lambda rows: rows.evidence.add(row, NOON))
    assert hold() == Holding(1, ())
    assert on_hold(vault, copy)
    assert on_hold(vault, key)


def test_of_an_unverified_clip_what_there_is_is_held(world, vault, hold):
    key = world.place(script(*VIOLENT), signed=False)
    world.analyse(key)
    with world.database.transaction() as cursor:
        cursor.execute("UPDATE incident SET status = 'reported' WHERE kind = 'physical'")
    vault.publish(world.bucket)
    assert hold() == Holding(1, ())
    assert on_hold(vault, key)


def test_what_is_due_is_found_by_an_index(world):
    with world.database.transaction() as cursor:
        cursor.execute("SELECT centre_id, camera_id FROM camera LIMIT 1")
        place = cursor.fetchone()
        cursor.executemany(
            "INSERT INTO incident (incident_id, centre_id, camera_id, number, kind, verdict, status, started_at, "
            "ended_at, confidence, held_at, created_at, updated_at) "
            "VALUES (%s, %s, %s, %s, 'physical', 'report', 'reported', %s, %s, 0.9, %s, %s, %s)",
            [
                (number.to_bytes(16, "big"), place["centre_id"], place["camera_id"], number, NOON, NOON,
                 NOON if number % 100 else None, NOON, NOON)
                for number in range(1, 3000)
            ],
        )  # fmt: skip
        cursor.execute("ANALYZE TABLE incident")
        cursor.fetchall()
        cursor.execute("EXPLAIN " + DUE, (100,))
        plan = cursor.fetchone()
    assert plan["key"] == "incident_hold_due"
    assert int(plan["rows"]) < 100


def test_in_the_minute_before_it_is_held_not_even_who_may_delete_can_delete_what_was_reported(world, vault, hold):
    """The bucket as the template makes it. Whoever has the rights of `retention` tries, before and after the hold."""
    rule = RESOURCES["ClipsBucket"]["Properties"]["ObjectLockConfiguration"]
    vault.client.put_object_lock_configuration(Bucket=vault.name, ObjectLockConfiguration=rule)
    key = reported(world, vault)
    evidence = {key, *(name for name in vault.names() if name.startswith("evidence/"))}
    assert len(evidence) == 5
    for _ in range(2):
        for one in evidence:
            with pytest.raises(DeletionRefusedError):
                S3Deletion(vault.client, vault.name).delete_all_versions([one])
            assert vault.versions(one)
        hold()
    assert world.count("incident", "held_at IS NOT NULL") == 1


def test_the_buckets_own_lock_keeps_nothing_from_going_when_its_period_is_over():
    rule = RESOURCES["ClipsBucket"]["Properties"]["ObjectLockConfiguration"]["Rule"]["DefaultRetention"]
    assert rule["Mode"] == "GOVERNANCE", "compliance could not be undone where the law asks for deletion"
    assert 1 <= rule["Days"] < LEAST_DAYS
