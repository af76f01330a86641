"""Uploads arrive exactly once, in order, whatever the network does."""

from __future__ import annotations

import base64
import hashlib
import random
import sqlite3
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import boto3
import pytest
from botocore.exceptions import BotoCoreError
from moto import mock_aws
from nacl.signing import SigningKey

from uriai_edge.chain import NewRecord
from uriai_edge.config import Upload
from uriai_edge.evidence import RecordType
from uriai_edge.processes import end_children
from uriai_edge.register import SpoolReader, State
from uriai_edge.s3 import S3Store
from uriai_edge.spool import Spool
from uriai_edge.upload import Uploader
from uriai_edge.uploads import Uploads
from uriai_edge.verify import collect, verify

KEY = SigningKey(b"upload-test-key-upload-test-key-")


@pytest.fixture
def spool(tmp_path):
    with Spool(tmp_path / "spool", "gw", KEY) as one:
        yield one


def add_clip(spool, data=b"a clip's bytes", camera=1):
    recording = spool.open_clip(camera, datetime.now(UTC), time.monotonic(), {})
    recording.path.write_bytes(data)
    return spool.close_clip(recording, 2.0).read()


def uploader(spool, store, stop=None, **settings) -> Uploader:
    settings = Upload(
        bucket=store.bucket, endpoint_url=store.url, **{"backoff_max_s": 0.1, "read_timeout_s": 1.0} | settings
    )
    return Uploader(settings, spool, S3Store(settings), stop or threading.Event(), random.Random(1))


def states(spool) -> dict[str, int]:
    return {state.value: count for state, count in spool.counts().items() if count}


def test_manifest_then_signature_then_clip(spool, store):
    clip = add_clip(spool)
    assert uploader(spool, store).drain()
    assert store.puts() == [clip.stem + ".json", clip.stem + ".sig", clip.stem + ".mp4"]
    assert store.objects[clip.stem + ".mp4"] == b"a clip's bytes"
    assert states(spool) == {"uploaded": 1}


def test_the_newest_goes_first(spool, store):
    clips = [add_clip(spool, bytes([number]) * 10) for number in range(3)]
    uploader(spool, store).drain()
    assert [key for key in store.puts() if key.endswith(".mp4")] == [clip.stem + ".mp4" for clip in reversed(clips)]


def test_losses_and_recent_coverage_go_before_clips(spool, store):
    now = datetime.now(UTC)
    first = add_clip(spool)
    covered = spool.add_record(NewRecord(RecordType.COVERAGE, None, now, now, 1.0, {"cameras": []})).read()
    drop = spool.add_record(NewRecord(RecordType.DROP, 1, now, now, 1.0, {"reason": "write_failed", "clips": 1})).read()
    last = add_clip(spool, b"the newest")
    uploader(spool, store).drain()
    order = [key.removesuffix(".json") for key in store.puts() if key.endswith(".json")]
    assert order == [drop.stem, covered.stem, last.stem, first.stem]


def test_a_backlog_of_coverage_does_not_hold_a_clip_up(spool, store, monkeypatch):
    monkeypatch.setattr("uriai_edge.spool._RECENT_RECORDS", 10)
    now = datetime.now(UTC)
    for _ in range(15):
        spool.add_record(NewRecord(RecordType.COVERAGE, None, now, now, 1.0, {"cameras": []}))
    clip = add_clip(spool)
    stop = threading.Event()
    one = uploader(spool, store, stop)
    while clip.stem + ".mp4" not in store.objects:
        assert one._step()
    assert states(spool) == {"closed": 6, "uploaded": 10}


def test_a_clip_that_never_gets_through_lets_the_others_pass(spool, store):
    good, bad = add_clip(spool), add_clip(spool, b"x" * 100)
    for _ in range(5):
        store.faults.extend(["", "", "503"])
    one = uploader(spool, store)
    for _ in range(5):
        assert not one._step()
    assert one._step()
    assert good.stem + ".mp4" in store.objects and bad.stem + ".mp4" not in store.objects


@pytest.mark.parametrize("ahead_s", [3600, -3600])
def test_a_clock_that_is_an_hour_off_costs_one_request(spool, store, ahead_s):
    store.ahead_s = ahead_s
    clip = add_clip(spool)
    one = uploader(spool, store)
    assert one._step()
    assert [status for _, _, status in store.requests] == [403, 200, 200, 200]
    assert clip.stem + ".mp4" in store.objects
    assert one.clock_offset_s == pytest.approx(ahead_s, abs=5)


def test_a_clock_that_is_set_between_two_uploads_costs_nothing(spool, store, monkeypatch):
    from uriai_edge import s3

    class Wrong(datetime):
        off = timedelta()

        @classmethod
        def now(cls, tz=None):
            return datetime.now(tz) + cls.off

    monkeypatch.setattr(s3, "datetime", Wrong)
    one = uploader(spool, store)
    for off in (timedelta(), timedelta(hours=1), timedelta(hours=-1)):
        Wrong.off = off
        add_clip(spool)
        assert one._step()
    assert {status for _, _, status in store.requests} == {200}


def credential_process(folder: Path, monkeypatch, lasts_s: float) -> Path:
    """A profile whose credentials come from a program: KEY1, KEY2, … each good for ``lasts_s`` by this clock."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name, raising=False)
    calls = folder / "calls"
    calls.write_text("")
    program = folder / "credentials.py"
    program.write_text(
        "import json, datetime, pathlib\n"
        f"calls = pathlib.Path({str(calls)!r})\n"
        "calls.write_text(calls.read_text() + 'x')\n"
        f"until = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds={lasts_s})\n"
        "print(json.dumps({'Version': 1, 'AccessKeyId': f'KEY{len(calls.read_text())}', 'SecretAccessKey': 's',\n"
        "    'SessionToken': 't', 'Expiration': until.isoformat()}))\n"
    )
    (folder / "config").write_text(f"[profile gateway]\ncredential_process = {sys.executable} {program}\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(folder / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(folder / "none"))
    return calls


def test_credentials_of_a_program_are_fetched_anew_when_they_expire(spool, store, monkeypatch, tmp_path):
    credential_process(tmp_path, monkeypatch, lasts_s=3600)
    one = uploader(spool, store, profile="gateway")
    add_clip(spool)
    assert one._step()
    store.expired_keys.add("KEY1")
    add_clip(spool)
    assert one._step()
    assert store.access_keys == ["KEY1"] * 3 + ["KEY2"] * 3


def silent_credentials(folder: Path, monkeypatch) -> Path:
    """A profile whose program says nothing until the file that is returned is there."""
    credential_process(folder, monkeypatch, lasts_s=3600)
    speaks = folder / "speaks"
    program = folder / "credentials.py"
    wait = f"import os, time\nwhile not os.path.exists({str(speaks)!r}): time.sleep(0.05)\n"
    program.write_text(wait + program.read_text())
    return speaks


def test_an_attempt_that_no_deadline_ends_is_told(spool, store, monkeypatch, tmp_path):
    monkeypatch.setattr("uriai_edge.s3.GRACE_S", 0.5)
    speaks = silent_credentials(tmp_path, monkeypatch)
    add_clip(spool)
    one = uploader(spool, store, profile="gateway", connect_timeout_s=1)
    thread = threading.Thread(target=one._step)
    thread.start()
    assert not one.hangs
    until_s = time.monotonic() + 30
    while not one.hangs and time.monotonic() < until_s:
        time.sleep(0.05)
    assert one.hangs and thread.is_alive()
    speaks.touch()
    thread.join(30)
    assert not one.hangs and states(spool) == {"uploaded": 1}


@pytest.mark.parametrize("ahead_s", [-7200, 7200])
def test_credentials_that_expired_by_the_wrong_clock_only_are_used(spool, store, monkeypatch, tmp_path, ahead_s):
    """The gateway's clock is two hours ahead of S3's (or behind), and credentials are given for one hour."""
    calls = credential_process(tmp_path, monkeypatch, lasts_s=3600 + ahead_s)
    store.ahead_s = ahead_s
    add_clip(spool)
    one = uploader(spool, store, profile="gateway")
    assert one._step(), one.problem
    assert states(spool) == {"uploaded": 1} and len(calls.read_text()) <= 3


def test_a_deadline_that_passes_before_the_connection_is_open_ends_the_request_all_the_same(spool, store):
    class SlowStart(S3Store):
        def _make_client(self, *, signed: bool = True):
            time.sleep(3.5)
            return super()._make_client(signed=signed)

    clip = add_clip(spool)
    store.always = "drip"
    settings = Upload(bucket=store.bucket, endpoint_url=store.url, connect_timeout_s=1, read_timeout_s=1)
    slow = SlowStart(settings)
    begun_s = time.monotonic()
    with pytest.raises((BotoCoreError, OSError)):
        slow.put(clip.stem + ".json", b"x", 1, hashlib.sha256(b"x").digest(), "application/json")
    assert time.monotonic() - begun_s < 15


@pytest.mark.parametrize("fault", ["drip", "drip_read"])
def test_a_server_that_draws_a_request_out_is_left(spool, store, monkeypatch, fault):
    monkeypatch.setattr("uriai_edge.s3.SLOWEST_BYTES_PER_S", 10_000_000)
    add_clip(spool, b"x" * 2_000_000)
    store.faults.extend(["", "", fault])
    one = uploader(spool, store, connect_timeout_s=1.0, read_timeout_s=1.0)
    assert one._store.client is not None  # made now: it reads boto3's own files, which is of no interest here
    begun_s = time.monotonic()
    assert not one._step(), "an answer that is cut off behind 200 is no confirmation"
    assert time.monotonic() - begun_s < 8
    assert "S3 cannot be reached" in one.problem
    assert one.drain()
    assert states(spool) == {"uploaded": 1}


def test_the_uplink_is_used_no_faster_than_allowed(spool, store):
    add_clip(spool, b"x" * 300_000)
    one = uploader(spool, store, max_bytes_per_s=150_000)
    assert one._store.client is not None  # made now: it reads boto3's own files, which is of no interest here
    begun_s = time.monotonic()
    assert one.drain()
    assert 1.7 < time.monotonic() - begun_s < 6
    assert uploader(spool, store).counts.records == 0


def test_what_arrived_is_the_evidence(spool, store, tmp_path):
    for number in range(3):
        add_clip(spool, bytes([number]) * 100, camera=number + 1)
    now = datetime.now(UTC)
    spool.add_record(NewRecord(RecordType.COVERAGE, None, now, now, 1.0, {"cameras": []}))
    uploader(spool, store).drain()
    for key, data in store.objects.items():
        path = tmp_path / "copy" / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    (report,) = verify(collect([tmp_path / "copy"]), KEY.verify_key)
    assert len(report.verdicts) == 4 and report.first_break is None


@pytest.mark.parametrize("fault", ["503", "reset", "lost_answer", "hang"])
@pytest.mark.parametrize("at", [0, 1, 2])
def test_a_fault_at_any_object_costs_an_attempt_and_nothing_else(spool, store, fault, at):
    clip = add_clip(spool)
    store.faults.extend([*[""] * at, fault])
    assert uploader(spool, store).drain()
    assert set(store.objects) == {clip.stem + suffix for suffix in (".json", ".sig", ".mp4")}
    assert store.overwritten == []
    assert states(spool) == {"uploaded": 1}


def test_a_storm_of_faults_is_outlasted(spool, store):
    chance = random.Random(7)
    for number in range(8):
        add_clip(spool, bytes([number]) * 5000)
    store.faults.extend(chance.choices(["503", "reset", "lost_answer", ""], k=60))
    assert uploader(spool, store).drain()
    assert len(store.objects) == 24 and store.overwritten == []


def test_while_s3_is_away_the_spool_keeps_everything_and_says_why(spool, store):
    add_clip(spool)
    store.always = "503"
    stop = threading.Event()
    one = uploader(spool, store, stop)
    thread = threading.Thread(target=one.run)
    thread.start()
    deadline = time.monotonic() + 20
    while (one.problem is None or len(store.requests) < 3) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert one.problem == "S3 answers 503 SlowDown"
    assert SpoolReader(spool.folder).troubles() == [] or SpoolReader(spool.folder).troubles()[0][2] == one.problem
    store.always = None
    while spool.waiting() and time.monotonic() < deadline:
        time.sleep(0.02)
    stop.set()
    thread.join(5)
    assert states(spool) == {"uploaded": 1} and one.problem is None


class FullDisk:
    """A spool's checkpoint: after ``fine`` commits SQLite finds the disk full for ``full`` ones."""

    def __init__(self) -> None:
        self.fine = self.full = 0

    def __call__(self, name: str) -> None:
        if name != "before_commit":
            return
        if self.fine:
            self.fine -= 1
        elif self.full:
            self.full -= 1
            raise sqlite3.OperationalError("database or disk is full")


@pytest.fixture
def disk() -> FullDisk:
    return FullDisk()


@pytest.fixture
def spool_on(disk, tmp_path):
    with Spool(tmp_path / "spool", "gw", KEY, disk) as one:
        yield one


@pytest.mark.parametrize("fine", [0, 1], ids=["at the claim", "at the outcome"])
@pytest.mark.parametrize("full", [1, 3])
def test_a_disk_full_at_any_step_costs_an_attempt_and_nothing_else(spool_on, disk, store, fine, full):
    clip = add_clip(spool_on)
    disk.fine, disk.full = fine, full
    one = uploader(spool_on, store)
    assert one.drain()
    assert disk.full == 0, "the faults came"
    assert set(store.objects) == {clip.stem + suffix for suffix in (".json", ".sig", ".mp4")}
    assert store.overwritten == []
    assert states(spool_on) == {"uploaded": 1} and one.problem is None


def test_a_record_whose_outcome_was_not_noted_goes_back_in_line_before_the_next(spool_on, disk, store):
    first, second = add_clip(spool_on), add_clip(spool_on, b"another")
    disk.fine, disk.full = 1, 1
    one = uploader(spool_on, store)
    assert not one._step()
    assert states(spool_on) == {"closed": 1, "uploading": 1}
    disk.full = 1
    assert not one._step(), "not even released yet: nothing else is claimed"
    assert states(spool_on) == {"closed": 1, "uploading": 1}
    assert one.drain()
    assert {first.stem + ".mp4", second.stem + ".mp4"} <= set(store.objects)
    assert states(spool_on) == {"uploaded": 2}


def test_while_the_disk_is_full_the_upload_thread_lives_and_says_why(spool_on, disk, store):
    add_clip(spool_on)
    disk.full = 10**9
    stop = threading.Event()
    one = uploader(spool_on, store, stop)
    thread = threading.Thread(target=one.run)
    thread.start()
    deadline = time.monotonic() + 20
    while one._failures < 3 and time.monotonic() < deadline:
        time.sleep(0.02)
    assert thread.is_alive()
    assert "disk is full" in one.problem and str(spool_on.folder) in one.problem
    disk.full = 0
    while spool_on.waiting() and time.monotonic() < deadline:
        time.sleep(0.02)
    stop.set()
    thread.join(5)
    assert states(spool_on) == {"uploaded": 1} and one.problem is None


class FaultyStore(S3Store):
    """A store that fails in a way nobody foresaw, ``times`` times."""

    times = 2

    def __init__(self, settings: Upload, error: Exception) -> None:
        super().__init__(settings)
        self.error = error

    def put(self, *arguments, **more) -> None:
        self.times -= 1
        if self.times >= 0:
            raise self.error
        super().put(*arguments, **more)


@pytest.mark.parametrize("error", [ValueError, RuntimeError, KeyError, MemoryError])
def test_a_fault_of_the_program_costs_an_attempt_and_not_the_thread(spool, store, caplog, error):
    add_clip(spool)
    settings = Upload(bucket=store.bucket, endpoint_url=store.url, backoff_max_s=0.1)
    one = Uploader(settings, spool, FaultyStore(settings, error("a fault of this program")), threading.Event())
    assert not one._step()
    assert "a fault of this program" in one.problem and "fault while uploading" in caplog.text
    assert one.drain()
    assert states(spool) == {"uploaded": 1} and one.problem is None


def test_a_runtime_error_out_of_boto3_is_a_fault_and_not_expired_credentials(spool, store):
    add_clip(spool)
    one = uploader(spool, store)
    faults = iter([RuntimeError("a fault of that program")])

    def fail(**_: object) -> None:
        for fault in faults:
            raise fault

    one._store.client.meta.events.register("before-send.s3", fail)
    assert not one._step()
    assert "a fault of that program" in one.problem and "expired" not in one.problem
    assert one.drain()
    assert states(spool) == {"uploaded": 1}


def test_an_upload_thread_that_dies_does_not_leave_the_status_fine(spool, store):
    class BrokenChance(random.Random):
        def uniform(self, a: float, b: float) -> float:
            raise RuntimeError("a fault outside of every attempt")

    add_clip(spool)
    store.faults.append("503")
    settings = Upload(bucket=store.bucket, endpoint_url=store.url)
    one = Uploader(settings, spool, S3Store(settings), threading.Event(), BrokenChance())
    with pytest.raises(RuntimeError, match="a fault outside of every attempt"):
        one.run()
    assert "uploads have ended unexpectedly" in one.problem
    assert states(spool) == {"closed": 1}, "what was not uploaded is still in line"


def test_one_stores_interruption_leaves_anothers_request_alone(spool, store):
    add_clip(spool)
    one, other = (uploader(spool, store, read_timeout_s=30) for _ in range(2))
    other._store.ask_time()
    store.faults.append("hang")
    thread = threading.Thread(target=one._step)
    thread.start()
    while not store.requests or store.requests[-1][0] != "PUT":
        time.sleep(0.01)
    other.interrupt()
    thread.join(0.5)
    assert thread.is_alive()
    one.interrupt()
    thread.join(5)
    assert not thread.is_alive() and "S3 cannot be reached" in one.problem


def test_the_pauses_grow_with_full_jitter_up_to_their_limit(spool, store):
    one = uploader(spool, store, backoff_max_s=8.0)
    limits = []
    for failures in range(1, 9):
        one._failures = failures
        drawn = [one._pause_s() for _ in range(400)]
        assert min(drawn) < 0.1 * max(drawn)
        limits.append(max(drawn))
    assert limits == [pytest.approx(min(8.0, 2.0**n), rel=0.05) for n in range(8)]


def test_an_object_with_the_same_bytes_counts_as_uploaded(spool, store):
    clip = add_clip(spool)
    record = SpoolReader(spool.folder).records()[0]
    store.objects[clip.stem + ".json"] = record.manifest
    digest = hashlib.sha256(record.manifest).digest()
    store.checksums[clip.stem + ".json"] = base64.b64encode(digest).decode()
    assert uploader(spool, store).drain()
    assert store.overwritten == []


def test_an_object_with_other_bytes_is_never_overwritten_and_named(spool, store):
    clip, other = add_clip(spool), add_clip(spool, b"another")
    key = clip.stem + ".mp4"
    store.objects[key], store.checksums[key] = b"somebody else's", "b3RoZXI="
    assert not uploader(spool, store).drain()
    assert store.objects[key] == b"somebody else's"
    assert store.objects[other.stem + ".mp4"] == b"another"
    assert states(spool) == {"uploaded": 1, "failed": 1}
    ((seq, state, reason),) = SpoolReader(spool.folder).troubles()
    assert (seq, state) == (clip.seq, State.FAILED) and key in reason and "other bytes" in reason


@pytest.mark.parametrize(("there", "state"), [(b"a clip's bytes", "uploaded"), (b"somebody else's", "failed")])
def test_an_object_that_s3_keeps_no_checksum_of_is_read_and_compared(spool, store, there, state):
    key = add_clip(spool).stem + ".mp4"
    store.objects[key] = there
    uploader(spool, store).drain()
    assert states(spool) == {state: 1} and store.objects[key] == there and store.overwritten == []


def test_reading_an_object_that_is_drawn_out_is_given_up(spool, store, monkeypatch):
    monkeypatch.setattr("uriai_edge.s3.SLOWEST_BYTES_PER_S", 10_000)
    key = add_clip(spool).stem + ".mp4"
    store.objects[key], store.drip_reads = b"a clip's bytes", True
    one = uploader(spool, store, connect_timeout_s=1)
    begun_s = time.monotonic()
    assert not one._step()
    assert time.monotonic() - begun_s < 15 and "cannot be compared" in one.problem
    store.drip_reads = False
    assert one.drain()
    assert states(spool) == {"uploaded": 1}


def test_a_clip_altered_on_the_disk_is_refused_and_does_not_hold_up_others(spool, store):
    add_clip(spool)
    (spool.folder / "clips").rglob("*.mp4").__next__().write_bytes(b"A CLIP'S BYTES")
    good = add_clip(spool, b"good")
    assert not uploader(spool, store).drain()
    assert states(spool) == {"uploaded": 1, "failed": 1}
    assert good.stem + ".mp4" in store.objects
    assert "not the one that was signed" in SpoolReader(spool.folder).troubles()[0][2]


def test_a_clip_gone_from_the_disk_is_named(spool, store):
    add_clip(spool)
    next((spool.folder / "clips").rglob("*.mp4")).unlink()
    assert not uploader(spool, store).drain()
    assert "is gone" in SpoolReader(spool.folder).troubles()[0][2]


def test_without_credentials_it_waits_and_says_so(spool, store, monkeypatch, tmp_path):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    add_clip(spool)
    one = uploader(spool, store)
    assert not one._step()
    assert "no AWS credentials" in one.problem
    assert states(spool) == {"closed": 1}


def test_uploaded_clips_make_room_the_oldest_first_and_others_stay(spool, store):
    clips = [add_clip(spool, bytes([number]) * 1000) for number in range(3)]
    uploader(spool, store).drain()
    waiting = add_clip(spool, b"w" * 1000)
    assert spool.make_room(1000, max_bytes=3500, min_free_bytes=0)
    left = {file.stem for file in (spool.folder / "clips").rglob("*.mp4")}
    assert left == {clips[2].ulid, waiting.ulid}
    assert not spool.make_room(10_000, max_bytes=3500, min_free_bytes=0)
    assert {file.stem for file in (spool.folder / "clips").rglob("*.mp4")} == {waiting.ulid}
    assert not spool.make_room(0, max_bytes=10**9, min_free_bytes=10**18)


@mock_aws
def test_amazons_own_rules_as_moto_knows_them(spool, monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    client = boto3.client("s3", region_name="ap-northeast-2")
    settings = Upload(bucket="real-clips", backoff_max_s=0.1)
    clip = add_clip(spool)
    one = Uploader(settings, spool, S3Store(settings), threading.Event(), random.Random(1))
    assert not one._step()
    assert "no bucket real-clips" in one.problem
    client.create_bucket(Bucket="real-clips", CreateBucketConfiguration={"LocationConstraint": "ap-northeast-2"})
    assert one.drain()
    head = client.head_object(Bucket="real-clips", Key=clip.stem + ".mp4", ChecksumMode="ENABLED")
    assert head["ContentType"] == "video/mp4"
    stored = client.get_object(Bucket="real-clips", Key=clip.stem + ".mp4")["Body"].read()
    assert hashlib.sha256(stored).hexdigest() == clip.sha256
    # the same once more, as after a crash between S3's answer and the mark
    spool.mark(clip.seq, State.CLOSED)
    assert one.drain()
    assert states(spool) == {"uploaded": 1}


class BlockedStore(S3Store):
    """Its PUTs of clips wait, before or after S3 has them, until they are freed: nothing else ends that wait."""

    def __init__(self, settings: Upload, *, before: bool) -> None:
        super().__init__(settings)
        self.before, self.waits, self.freed = before, threading.Event(), threading.Event()

    def put(self, key: str, *rest) -> None:
        if key.endswith(".mp4") and self.before:
            self.waits.set()
            self.freed.wait(60)
        super().put(key, *rest)
        if key.endswith(".mp4"):
            self.waits.set()
            self.freed.wait(60)


@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize("freed_first", [True, False])
def test_an_upload_that_was_given_up_is_taken_over_and_notes_and_sends_nothing_afterwards(
    spool, store, before, freed_first
):
    clip = add_clip(spool)
    settings = Upload(bucket=store.bucket, endpoint_url=store.url, read_timeout_s=1.0)
    blocked = BlockedStore(settings, before=before)
    stop = threading.Event()
    old = Uploader(settings, spool, blocked, stop)
    thread = threading.Thread(target=old.run)
    thread.start()
    assert blocked.waits.wait(30)
    stop.set()
    assert old.give_up() and states(spool) == {"uploading": 1}
    if freed_first:
        blocked.freed.set()
        thread.join(30)
        assert not thread.is_alive() and states(spool) == {"uploading": 1}, "nothing is noted any more"
    new = Uploader(settings, spool, S3Store(settings), threading.Event(), after=old)
    assert new._step() and states(spool) == {"uploaded": 1}
    requests = len(store.requests)
    blocked.freed.set()
    thread.join(30)
    assert not thread.is_alive() and states(spool) == {"uploaded": 1}
    assert len(store.requests) == requests
    assert store.puts() == [clip.stem + end for end in (".json", ".sig", ".mp4")] and not store.overwritten


def test_an_attempt_that_hangs_between_two_requests_is_told(spool, store, monkeypatch):
    monkeypatch.setattr("uriai_edge.upload.STALL_S", 0.3)
    add_clip(spool)
    settings = Upload(bucket=store.bucket, endpoint_url=store.url)
    blocked = BlockedStore(settings, before=True)
    stop = threading.Event()
    one = Uploader(settings, spool, blocked, stop)
    thread = threading.Thread(target=one.run)
    thread.start()
    assert blocked.waits.wait(30)
    until_s = time.monotonic() + 10
    while not one.hangs:
        assert time.monotonic() < until_s
        time.sleep(0.02)
    blocked.freed.set()
    while states(spool) != {"uploaded": 1}:
        assert time.monotonic() < until_s
        time.sleep(0.02)
    time.sleep(0.4)
    assert not one.hangs, "who has nothing to do does not hang"
    stop.set()
    thread.join(10)


def test_the_programs_of_a_given_up_upload_end_with_their_own_children(tmp_path):
    script = f"sleep 600 & echo $! > {tmp_path}/pid.part; mv {tmp_path}/pid.part {tmp_path}/pid; wait"
    ended: list[bytes] = []
    thread = threading.Thread(
        target=lambda: ended.append(subprocess.run(["sh", "-c", script], stdout=subprocess.PIPE, check=False).stdout)
    )
    bystander = subprocess.Popen(["sleep", "600"])
    thread.start()
    while not (tmp_path / "pid").exists():
        time.sleep(0.02)
    assert thread.native_id is not None and end_children(thread.native_id) == 2
    thread.join(10)
    assert ended == [b""], "its pipe has no writer any more"
    assert bystander.poll() is None
    bystander.kill()
    bystander.wait()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_upload_threads_that_die_or_hang_are_replaced_with_growing_pauses_and_never_too_many(spool, store, monkeypatch):
    monkeypatch.setattr("uriai_edge.uploads.MOST_STUCK", 2)
    monkeypatch.setattr("uriai_edge.upload.STALL_S", 0.3)
    freed = threading.Event()
    fates = iter(["dies", "hangs", "hangs"])

    class FatefulStore(S3Store):
        def __init__(self, *rest) -> None:
            super().__init__(*rest)
            self.fate = next(fates, "works")

        def put(self, *rest) -> None:
            if self.fate == "dies":
                raise SystemExit  # a fault outside of every attempt
            if self.fate == "hangs":
                freed.wait(60)
            super().put(*rest)

    clip = add_clip(spool)
    settings = Upload(bucket=store.bucket, endpoint_url=store.url, backoff_max_s=0.1)
    uploads = Uploads(settings, spool, random.Random(1), FatefulStore)
    uploads.start()
    now_s, until_s = time.monotonic(), time.monotonic() + 60

    def tend_until(what) -> None:
        while not what():
            assert time.monotonic() < until_s
            uploads.tend(now_s)
            time.sleep(0.02)

    pauses, stuck = [], []
    for number in (1, 2, 3):
        tend_until(lambda number=number: uploads.counts.replaced == number)
        stuck.append(uploads.stuck)
        assert uploads.trouble and uploads.blocked_by == uploads.trouble
        pauses.append(uploads._resume_s - now_s)
        now_s = uploads._resume_s
    assert pauses == [pytest.approx(1.5, abs=0.5), pytest.approx(3, abs=1), pytest.approx(6, abs=2)]
    assert stuck == [0, 1, 2]
    now_s += 10_000
    for _ in range(10):
        uploads.tend(now_s)
    assert states(spool) == {"uploading": 1} and uploads._resume_s is not None, "two are stuck: there is no fourth"
    freed.set()
    tend_until(lambda: states(spool) == {"uploaded": 1} and uploads.trouble is None)
    assert uploads.stuck == 0 and uploads.counts.records == 1 and uploads.counts.replaced == 3
    uploads.end(10)
    assert not uploads._thread.is_alive()
    assert store.puts() == [clip.stem + end for end in (".json", ".sig", ".mp4")]
