"""Retention on a real MariaDB and a versioned S3: what goes, what never does, and every instant it may be killed at."""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from datetime import timedelta
from types import SimpleNamespace

import boto3
import pytest
from click.testing import CliRunner

from tests.integration.pipeline.handlers import FUNCTIONS, Context, function
from tests.unit.pipeline.fakes import DOUBTFUL, KEY, NOON, QUIET, VIOLENT, StoppedClock, script
from uriai.adapters.database.centres import set_retention
from uriai.adapters.database.connection import Database
from uriai.adapters.database.retention import CANDIDATES, CONDEMNED, SqlExpiring
from uriai.adapters.deletion import S3Deletion
from uriai.adapters.manifest import Ed25519SignatureChecker
from uriai.domain.chain import RecordStatus, verify_chain
from uriai.domain.retention import Expiry, Kept
from uriai.service.analyse_clip import State
from uriai.service.expire_clips import GIVE_UP_AFTER, Retention, expire_clips, would_expire
from uriai.service.locate_clip import Arrival, locate_clip
from uriai.service.ports.retention import DeletionRefusedError
from uriai_cli import status_rows
from uriai_cli.evidence import BucketEvidence
from uriai_cli.main import cli
from uriai_cloud import state

pytestmark = pytest.mark.integration

LATER = NOON + timedelta(days=60, minutes=1)


@pytest.fixture
def run(world, vault):
    def run(at=LATER, **options) -> Retention:
        expiring = options.pop("expiring", None) or SqlExpiring(world.database)
        deletion = options.pop("deletion", None) or S3Deletion(vault.client, vault.name)
        return Retention(expiring, deletion, StoppedClock(at), again=True, **options)

    return run


def chain(vault) -> list[RecordStatus]:
    """What `uriai verify` says of the bucket's records."""
    checker, source = Ed25519SignatureChecker(), BucketEvidence(vault.client, vault.name, None)
    records = [record for _, record in source.records()]
    verdicts = verify_chain(
        records,
        signed=lambda signature, data: checker.signed_by(bytes(KEY.verify_key), signature, data),
        attachment=source.attachment,
    )
    return [verdict.status for verdict in verdicts]


def settle(world, status: str, at=NOON) -> None:
    with world.database.transaction() as cursor:
        cursor.execute("UPDATE incident SET status = %s, updated_at = %s", (status, at))


def test_a_clear_clip_goes_with_every_version_and_leaves_manifest_tombstone_and_audit(world, vault, run):
    key = world.place(script(*QUIET))
    world.analyse(key)
    vault.publish(world.bucket)
    vault.publish(world.bucket)
    vault.client.delete_object(Bucket=vault.name, Key=key)
    assert len(vault.versions(key)) == 3, "two versions and a marker"
    tally = expire_clips(run())
    assert (tally.deleted, tally.failed, tally.finished) == ({Expiry.CLEAR: 1}, 0, True)
    assert vault.versions(key) == []
    stem = key.removesuffix(".mp4")
    assert vault.names() == {f"{stem}.json", f"{stem}.sig", f"{stem}.tombstone"}
    assert chain(vault) == [RecordStatus.DELETED]
    clip = world.row("SELECT deletion_at, deleted_at, deletion_reason, deletion_error, sha256 FROM clip")
    assert (clip["deleted_at"], clip["deletion_reason"], clip["deletion_error"]) == (LATER, "clear", None)
    assert clip["sha256"] is not None
    actions = [row["action"] for row in world.rows("SELECT action FROM audit ORDER BY audit_id")]
    assert actions == ["clip.deletion_decided", "clip.deleted"]
    assert expire_clips(run()).deleted == {}, "once"


def test_a_clip_stays_to_the_last_minute_of_its_centres_period(world, vault, run):
    world.analyse(world.place(script(*QUIET)))
    vault.publish(world.bucket)
    assert expire_clips(run(NOON + timedelta(days=60))).deleted == {}, "it arrived 15 s after it began"
    with world.database.transaction() as cursor:
        cursor.execute("UPDATE centre SET retention_days = 90")
    assert expire_clips(run(NOON + timedelta(days=89))).deleted == {}
    assert expire_clips(run(NOON + timedelta(days=90, minutes=1))).deleted == {Expiry.CLEAR: 1}


@pytest.mark.parametrize("days", [0, 59, 3651])
def test_no_centre_can_keep_clips_shorter_than_the_law_or_for_ever(world, days):
    with pytest.raises(Exception, match="centre_retention"), world.database.transaction() as cursor:
        cursor.execute("UPDATE centre SET retention_days = %s", (days,))


def test_what_models_saw_of_people_is_forgotten_with_the_clip(world, vault, run):
    world.analyse(world.place(script(*VIOLENT)))
    vault.publish(world.bucket)
    settle(world, "dismissed")
    assert world.row("SELECT observations FROM analysis")["observations"]
    assert expire_clips(run(LATER)).deleted == {Expiry.DISMISSED: 1}
    assert world.row("SELECT observations, verdict FROM analysis") == {"observations": None, "verdict": "report"}
    assert world.row("SELECT basis FROM finding")["basis"] == "{}"
    assert world.count("evidence", "deleted_at IS NULL") == 0
    assert [key for key in vault.names() if key.startswith("evidence/")] == []


@pytest.mark.parametrize("status", ["pending_review", "reported", "dispatched", "closed", "open"])
def test_evidence_of_an_open_or_reported_incident_never_goes(world, vault, run, status):
    key = world.place(script(*VIOLENT))
    world.analyse(key)
    vault.publish(world.bucket)
    settle(world, status)
    before = vault.names()
    tally = expire_clips(run(NOON + timedelta(days=5000)))
    assert (tally.deleted, tally.kept) == ({}, {Kept.INCIDENT: 1})
    assert vault.names() == before


@pytest.mark.parametrize("status", ["dismissed", "resolved"])
def test_what_was_settled_stays_for_60_days_after_that(world, vault, run, status):
    world.analyse(world.place(script(*DOUBTFUL)))
    vault.publish(world.bucket)
    settled_at = NOON + timedelta(days=100)
    settle(world, status, settled_at)
    tally = expire_clips(run(settled_at + timedelta(days=59)))
    assert (tally.deleted, tally.kept) == ({}, {Kept.SETTLED_LATELY: 1})
    assert expire_clips(run(settled_at + timedelta(days=60))).deleted == {Expiry.DISMISSED: 1}


def test_a_clip_of_one_dismissed_and_one_open_incident_stays(world, vault, run):
    world.analyse(world.place(script(*VIOLENT), signed=False))
    with world.database.transaction() as cursor:
        cursor.execute("UPDATE incident SET status = 'dismissed', updated_at = %s WHERE kind = 'physical'", (NOON,))
    assert world.count("incident", "status = 'open'") == 1
    vault.publish(world.bucket)
    assert expire_clips(run()).kept == {Kept.INCIDENT: 1}


def test_failed_unplaced_and_never_analysed_clips_are_told_apart(world, vault, run):
    world.analyse(world.place(b"no video", seq=1))
    world.analyse(world.place(script(*QUIET), seq=2, gateway="stranger"))
    waiting = world.place(script(*QUIET), seq=3)
    world.outside.transactions.run(lambda rows: locate_clip(rows, Arrival(waiting, NOON), NOON))
    world.bucket.place("clips/odd name.mp4", script(*QUIET))
    world.analyse("clips/odd name.mp4")
    vault.publish(world.bucket)
    tally = expire_clips(run())
    assert tally.deleted == {Expiry.FAILED: 1, Expiry.UNPLACED: 2}
    assert tally.kept == {Kept.NOT_ANALYSED: 1}
    assert {key for key in vault.names() if key.endswith(".mp4")} == {waiting}


def test_a_dry_run_tells_what_would_go_and_why_and_changes_nothing(world, vault, run):
    quiet = world.place(script(*QUIET), seq=1)
    world.analyse(quiet)
    world.analyse(world.place(script(*VIOLENT), seq=2, started_at=NOON + timedelta(minutes=5)))
    vault.publish(world.bucket)
    before = vault.names(), world.rows("SELECT * FROM clip ORDER BY clip_id"), world.count("audit")
    told = []
    tally = would_expire(SqlExpiring(world.database), StoppedClock(LATER + timedelta(minutes=6)), told.append)
    assert [(one.object_key, one.reason) for one in told] == [(quiet, Expiry.CLEAR)]
    assert (tally.deleted, tally.kept) == ({Expiry.CLEAR: 1}, {Kept.INCIDENT: 1})
    assert (vault.names(), world.rows("SELECT * FROM clip ORDER BY clip_id"), world.count("audit")) == before


def test_a_clip_under_legal_hold_stays_is_shown_and_tried_again_until_the_hold_is_lifted(world, vault, run):
    key = world.place(script(*QUIET))
    world.analyse(key)
    vault.publish(world.bucket)
    vault.client.put_object_legal_hold(Bucket=vault.name, Key=key, LegalHold={"Status": "ON"})
    told = []
    tally = expire_clips(run(tell=told.append))
    assert (tally.deleted, tally.failed) == ({}, 1)
    assert key in told[0].failure
    assert key in world.row("SELECT deletion_error FROM clip")["deletion_error"]
    assert world.count("audit", "action = 'clip.deletion_refused'") == 1
    assert status_rows.rows(world.database.connection())["deletions"] == {"refused": 1}
    assert vault.versions(key)
    vault.client.put_object_legal_hold(Bucket=vault.name, Key=key, LegalHold={"Status": "OFF"})
    assert expire_clips(run()).deleted == {Expiry.CLEAR: 1}
    assert world.row("SELECT deletion_error FROM clip")["deletion_error"] is None
    assert status_rows.rows(world.database.connection())["deletions"] == {}


class AwayDeletion(S3Deletion):
    """The store is away."""

    asked = 0

    def put_tombstone(self, key, data):
        AwayDeletion.asked += 1
        raise DeletionRefusedError("the store is away")


def test_a_store_that_refuses_everything_ends_the_run_early(world, vault, run):
    for seq in range(1, GIVE_UP_AFTER + 2):
        world.analyse(world.place(script(*QUIET), seq=seq, started_at=NOON + timedelta(seconds=seq)))
    vault.publish(world.bucket)
    tally = expire_clips(run(LATER + timedelta(hours=1), deletion=AwayDeletion(vault.client, vault.name)))
    assert (tally.failed, tally.finished, AwayDeletion.asked) == (GIVE_UP_AFTER, False, GIVE_UP_AFTER)
    assert expire_clips(run(LATER + timedelta(hours=1))).deleted == {Expiry.CLEAR: GIVE_UP_AFTER + 1}


def test_a_run_whose_time_is_up_goes_on_where_it_stopped(world, vault, run):
    for camera in (1, 2, 3):
        for part in range(3):
            seq = camera * 10 + part
            world.analyse(world.place(script(*QUIET), camera=camera, seq=seq, started_at=NOON + timedelta(seconds=seq)))
    vault.publish(world.bucket)
    total, runs = Counter(), 0
    while runs < 20:
        asked = iter(range(100))
        tally = expire_clips(run(LATER + timedelta(hours=1), stop=lambda asked=asked: next(asked) >= 2))
        total += tally.deleted
        runs += 1
        if tally.finished:
            break
    assert (total[Expiry.CLEAR], runs) == (9, 5)
    first = world.row("SELECT MIN(camera_id) AS camera FROM camera")["camera"]
    assert world.row("SELECT camera_id FROM retention_run")["camera_id"] == 0 < first


def test_a_second_run_of_the_day_has_nothing_to_do_and_two_at_once_are_one(world, vault, run, connect):
    expiring = SqlExpiring(world.database)
    assert expiring.begin(LATER, again=False) == 0
    beside = Database(connect)
    assert expire_clips(run(expiring=SqlExpiring(beside))) is None, "another run is on"
    expiring.end(LATER, finished=True)
    assert SqlExpiring(beside).begin(LATER + timedelta(hours=1), again=False) is None
    assert SqlExpiring(beside).begin(LATER + timedelta(days=1), again=False) == 0
    beside.close()


def test_nothing_new_rests_on_a_clip_whose_deletion_is_decided(world, vault):
    key = world.place(script(*VIOLENT), seq=2)

    class Meanwhile(type(world.outside.analyser)):
        def observe(self, path):
            seen = super().observe(path)
            with world.database.transaction() as cursor:
                cursor.execute("UPDATE clip SET deletion_at = %s, deletion_reason = 'clear'", (NOON,))
            return seen

    slow = world.beside(analyser=Meanwhile())
    outcome = slow.analyse(key)
    slow.database.close()
    assert (outcome.state, outcome.failure.code) == (State.FAILED, "object_missing")
    assert world.count("incident") == world.count("evidence") == 0


@pytest.fixture
def on_this_machine(world, vault, monkeypatch):
    """The command line beside this database and this bucket."""
    cloud = SimpleNamespace(connect=world.connect, client=lambda service: vault.client, clips_bucket=vault.name)
    monkeypatch.setattr(state, "load", lambda: cloud)
    return CliRunner()


def test_the_command_tells_deletes_and_tells_the_same_afterwards_in_json(world, vault, on_this_machine):
    key = world.place(script(*QUIET))
    world.analyse(key)
    vault.publish(world.bucket)
    answer = on_this_machine.invoke(cli, ["retention", "--dry-run", "--json"])
    assert answer.exit_code == 0, answer.output
    assert json.loads(answer.stdout)["deleted"] == {}, "NOON is not 60 days ago"
    with world.database.transaction() as cursor:
        cursor.execute("UPDATE clip SET received_at = '2020-01-01'")
    answer = on_this_machine.invoke(cli, ["retention", "--dry-run"])
    assert answer.stdout.split() == ["would", "go", "clear", "2020-01-01", key]
    assert "1 would go, 0 failed" in answer.stderr
    vault.client.put_object_legal_hold(Bucket=vault.name, Key=key, LegalHold={"Status": "ON"})
    answer = on_this_machine.invoke(cli, ["retention"])
    assert (answer.exit_code, answer.stdout.split()[0]) == (1, "FAILED")
    vault.client.put_object_legal_hold(Bucket=vault.name, Key=key, LegalHold={"Status": "OFF"})
    answer = on_this_machine.invoke(cli, ["retention", "--json"])
    assert answer.exit_code == 0, answer.output
    clip, numbers = (json.loads(line) for line in answer.stdout.splitlines())
    assert (clip["key"], clip["reason"], clip["failure"]) == (key, "clear", None)
    assert (numbers["deleted"], numbers["finished"], numbers["dry_run"]) == ({"clear": 1}, True, False)


def test_a_centres_period_is_set_within_the_laws_bounds_with_a_reason_and_audited(world, vault, on_this_machine):
    def set_to(*arguments):
        return on_this_machine.invoke(cli, ["centres", "retention", *arguments])

    done = set_to("샛별어린이집", "90", "--reason", "a case that goes on")
    assert (done.exit_code, done.stdout) == (0, "90 days for 샛별어린이집, 60 before\n")
    assert world.row("SELECT retention_days FROM centre")["retention_days"] == 90
    audit = world.row("SELECT actor, subject, detail FROM audit WHERE action = 'centre.retention_set'")
    assert (audit["actor"][:13], audit["subject"]) == ("command line:", f"centre:{world.centre_id}")
    assert json.loads(audit["detail"]) == {
        "centre": "샛별어린이집", "before": 60, "days": 90, "reason": "a case that goes on",
    }  # fmt: skip
    for arguments, code in (
        (("샛별어린이집", "59", "--reason", "x"), 2),
        (("샛별어린이집", "3651", "--reason", "x"), 2),
        (("샛별어린이집", "60"), 2),
        (("샛별어린이집", "60", "--reason", " "), 1),
        (("없는어린이집", "60", "--reason", "x"), 1),
    ):
        assert set_to(*arguments).exit_code == code, arguments
    assert world.count("audit", "action = 'centre.retention_set'") == 1
    listed = on_this_machine.invoke(cli, ["centres", "list", "--json"])
    assert json.loads(listed.stdout)["retention_days"] == 90
    with world.database.transaction() as cursor, pytest.raises(ValueError, match="59 days cannot be: give 60"):
        set_retention(cursor, world.centre_id, 59, "somebody", "x", NOON)


class NightContext(Context):
    """Has a quarter of an hour."""

    def get_remaining_time_in_millis(self) -> int:
        return 900_000


def test_the_function_deletes_what_has_expired(cloud, database):
    with database.transaction() as cursor:
        cursor.execute(
            "INSERT INTO clip (clip_id, object_key, received_at) VALUES (%s, %s, '2020-01-01')", (b"1" * 16, "x.mp4")
        )
        cursor.execute(
            "INSERT INTO analysis (analysis_id, clip_id, model_set, current_of, state, models, analysed_at) "
            "VALUES (%s, %s, %s, %s, 'failed', '{}', '2020-01-01')",
            (b"1" * 16, b"1" * 16, bytes(32), b"1" * 16),
        )
    boto3.client("s3").put_object(Bucket="clips", Key="x.mp4", Body=b"x")
    retention = function("retention")
    event = json.loads((FUNCTIONS.parent / "events" / "retention.json").read_text())
    answer = retention.handler(event, NightContext())
    assert answer == {
        "finished": True, "deleted": {"unplaced": 1}, "kept": {}, "pictures": {}, "pictures_kept": {}, "failed": 0,
        "links": 0,
    }  # fmt: skip
    assert "Contents" not in boto3.client("s3").list_objects_v2(Bucket="clips")
    assert retention.handler(event, NightContext()) == {"finished": True}, "done for this day"


class Dying:
    """Ends the process, as `kill -9` does, before its n-th step, which is after the one before."""

    def __init__(self, step: int) -> None:
        self.left = step

    def wrap(self, thing, *names: str) -> None:
        for name in names:
            setattr(thing, name, self._dying(getattr(thing, name)))

    def _dying(self, method):
        def dying(*args, **options):
            if self.left == 0:
                os._exit(9)
            self.left -= 1
            return method(*args, **options)

        return dying


def killed_at(step: int, world, vault) -> bool:
    """Run retention in a process of its own that dies at the step; whether it got that far."""
    child = os.fork()
    if child == 0:
        ended_well = False
        try:
            expiring = SqlExpiring(Database(world.connect))
            deletion = S3Deletion(vault.client, vault.name)
            dying = Dying(step)
            dying.wrap(expiring, "condemn", "finish")
            dying.wrap(deletion, "put_tombstone", "delete_all_versions", "delete_below")
            dying.wrap(vault.client, "delete_objects")
            expire_clips(Retention(expiring, deletion, StoppedClock(LATER), again=True))
            ended_well = True
        finally:
            os._exit(0 if ended_well else 1)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert code in (0, 9), "it did not fail in another way"
    return code == 9


def test_killed_at_any_step_nothing_is_unexplained_and_the_next_run_finishes_it(world, vault, run):
    """Between all steps: deciding, tombstone, each request that deletes, the rows."""
    step, prev = 0, "0" * 64
    while True:
        started_at = NOON + timedelta(seconds=step)
        data = script(*VIOLENT, salt=str(step))
        key = world.place(data, seq=step + 1, started_at=started_at, claims={"prev": prev})
        prev = hashlib.sha256(world.bucket.objects[key.replace(".mp4", ".json")].data).hexdigest()
        world.analyse(key)
        settle(world, "dismissed", NOON - timedelta(days=1))
        vault.publish(world.bucket)
        died = killed_at(step, world, vault)
        *earlier, this_one = chain(vault)
        assert set(earlier) <= {RecordStatus.DELETED}
        gone = not vault.versions(key)
        assert this_one is (RecordStatus.DELETED if gone else RecordStatus.PRESENT)
        decided = world.count("audit", "action = 'clip.deletion_decided'")
        assert decided == step + 1 or not gone, "nothing goes without its decision on file"
        tally = expire_clips(run())
        assert tally.failed == 0
        assert vault.versions(key) == []
        assert vault.versions(key.replace(".mp4", ".tombstone"))
        assert not [found for found in vault.names() if found.startswith("evidence/")]
        for action in ("clip.deletion_decided", "clip.deleted"):
            assert world.count("audit", f"action = '{action}'") == step + 1, f"{action} once each"
        world.bucket.objects.clear()
        if not died:
            break
        step += 1
    assert step == 10, "decide, tombstone, all versions of five objects, what else is below, rows"


def test_pages_are_read_by_an_index_and_not_by_looking_at_everything(world):
    with world.database.transaction() as cursor:
        cursor.execute("SELECT camera_id FROM camera ORDER BY camera_id")
        cameras = [row["camera_id"] for row in cursor.fetchall()]
        rows = [
            (number.to_bytes(16, "big"), "k", cameras[number % 4], NOON + timedelta(minutes=number),
             NOON if number % 3 else None, NOON if number % 3 and number % 50 else None)
            for number in range(6000)
        ]  # fmt: skip
        cursor.executemany(
            "INSERT INTO clip (clip_id, object_key, camera_id, received_at, deletion_at, deleted_at) "
            "VALUES (%s, %s, %s, %s, %s, %s)",
            rows,
        )
        cursor.execute("ANALYZE TABLE clip")
        cursor.fetchall()
        late = NOON + timedelta(days=1)
        cursor.execute(
            "EXPLAIN " + CANDIDATES.format(camera="c.camera_id = %s"), (cameras[0], late, NOON, NOON, b"", 200)
        )
        clip = next(row for row in cursor.fetchall() if row["table"] == "c")
        assert (clip["key"], clip["type"]) == ("clip_expiring", "range")
        assert int(clip["rows"]) < 1000
        cursor.execute("EXPLAIN " + CONDEMNED, (NOON, NOON, b"", 200))
        clip = cursor.fetchone()
        assert (clip["key"], clip["type"]) == ("clip_condemned", "range")
        assert int(clip["rows"]) < 400
