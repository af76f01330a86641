"""A disk that is really full, a small tmpfs: nothing is corrupted, every loss is reported, and then it goes on."""

from __future__ import annotations

import contextlib
import hashlib
import os
import random
import sqlite3
import subprocess
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from nacl.signing import SigningKey

from tests.integration.edge.test_spool_machine import fragmented
from tests.unit.edge.scenes import pictures_in
from uriai_edge.capture import Source
from uriai_edge.chain import NewRecord
from uriai_edge.clips import ClipStart
from uriai_edge.config import Camera, Upload
from uriai_edge.config import Spool as SpoolSettings
from uriai_edge.evidence import RecordType
from uriai_edge.recorder import SpoolSink
from uriai_edge.register import SpoolError, SpoolReader, State
from uriai_edge.room import RESERVE_BYTES
from uriai_edge.s3 import S3Store
from uriai_edge.spool import Spool
from uriai_edge.steps import Step
from uriai_edge.upload import Uploader
from uriai_edge.verify import Candidate, verify

KEY = SigningKey(b"disk-test-key-disk-test-key-disk")
DISK_BYTES = 6 * 1024 * 1024


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 6 MiB of its own."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "none", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("mounting a tmpfs needs root")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def verified(folder: Path) -> list[str]:
    """Types of the records of a spool whose chain verifies and whose clips play."""
    records = SpoolReader(folder).records()
    candidates = [
        Candidate(
            one.read().stem + ".json",
            one.manifest,
            one.signature,
            one.path.with_suffix("") if one.path else None,
            one.removed,
        )
        for one in records
    ]
    (report,) = verify(candidates, KEY.verify_key)
    assert report.first_break is None, report.first_break
    for one in records:
        if one.path is not None and not one.removed:
            assert pictures_in(one.path) >= 1
    return [one.read().type.value for one in records]


def fill(folder: Path) -> Path:
    """Somebody else takes everything that is left."""
    file = folder / "somebody-elses"
    with file.open("wb", buffering=0) as out:
        for size in (65536, 4096, 1):
            try:
                while True:
                    out.write(b"x" * size)
            except OSError:
                continue
    return file


def record_through_the_sink(spool: Spool, video: Path, settings: SpoolSettings) -> None:
    source = Source(Camera(number=1, source=str(video), pace="fast"), threading.Event())
    sink = SpoolSink(spool, settings, 1, source.template)
    clip = None
    for packet in source.packets():
        if clip is None:
            clip = sink.open_clip(ClipStart(f"01KB2WXYZ000000000{random.randrange(10**8):08d}", "e", 1, packet, 0.0))
        clip.write(packet)
    assert clip is not None
    clip.close(0.5)
    source.close()


def test_a_disk_that_somebody_else_fills_costs_reports_and_no_evidence(small_disk, short_video, store, monkeypatch):
    monkeypatch.setattr("uriai_edge.recorder.CLIP_RESERVE_BYTES", 2 * RESERVE_BYTES)
    settings = SpoolSettings(dir=small_disk / "spool", min_free_bytes=0)
    with Spool(settings.dir, "gw", KEY) as spool:
        record_through_the_sink(spool, short_video, settings)
        assert (settings.dir / "reserve").stat().st_size == RESERVE_BYTES
        blocker = fill(small_disk)
        assert spool.free_bytes() == 0
        for _ in range(3):
            record_through_the_sink(spool, short_video, settings)
        assert verified(settings.dir) == ["clip", "drop", "drop", "drop"], "the reserve paid for the reports"
    with Spool(settings.dir, "gw", KEY) as spool:  # a start on a full disk
        spool.recover()
        blocker.unlink()
        record_through_the_sink(spool, short_video, settings)
        upload = Upload(bucket=store.bucket, endpoint_url=store.url, backoff_max_s=0.1)
        assert Uploader(upload, spool, S3Store(upload), threading.Event()).drain()
        assert (settings.dir / "reserve").stat().st_size == RESERVE_BYTES, "it is kept for the next time"
    assert verified(settings.dir) == ["clip", "drop", "drop", "drop", "clip"]
    assert len([key for key in store.objects if key.endswith(".mp4")]) == 2


def test_a_disk_that_fills_in_the_middle_of_a_clip_keeps_what_it_took(small_disk, short_video):
    settings = SpoolSettings(dir=small_disk / "spool", min_free_bytes=0)
    with Spool(settings.dir, "gw", KEY) as spool:
        source = Source(Camera(number=1, source=str(short_video), pace="fast"), threading.Event())
        spool.make_room(0, 10**9, 0)
        sink = SpoolSink(spool, settings, 1, source.template)
        pytest.MonkeyPatch().setattr("uriai_edge.recorder.CLIP_RESERVE_BYTES", 0)
        clip, blocker = None, None
        for count, packet in enumerate(source.packets()):
            clip = clip or sink.open_clip(ClipStart("01KB2WXYZ00000000000000001", "e", 1, packet, 0.0))
            clip.write(packet)
            if count == 40:
                blocker = fill(small_disk)
        clip.close(0.5)
        blocker.unlink()
        spool.recover()
    assert sorted(verified(settings.dir)) == ["clip", "drop"]
    (record,) = [one for one in SpoolReader(settings.dir).records() if one.path]
    assert record.read().detail.get("broken_off") or record.read().detail.get("recovered")


def test_clips_that_wait_are_dropped_only_where_the_configuration_says_so(tmp_path, short_video, store):
    clip = fragmented(short_video, tmp_path)
    settings = SpoolSettings(dir=tmp_path / "spool", max_bytes=50_000_000, min_free_bytes=0)
    assert settings.when_full == "refuse"
    with Spool(settings.dir, "gw", KEY) as spool:
        ulids = []
        for _ in range(4):
            recording = spool.open_clip(1, datetime.now(UTC), time.monotonic(), {})
            recording.path.write_bytes(clip)
            ulids.append(spool.close_clip(recording, 4.0).read().ulid)
        budget = 2 * len(clip)
        assert not spool.make_room(0, budget, 0)
        assert len(list((settings.dir / "clips").rglob("*.mp4"))) == 4
        assert spool.make_room(0, budget, 0, drop_waiting=True)
        assert {file.stem for file in (settings.dir / "clips").rglob("*.mp4")} == set(ulids[2:])
        drops = [one.read() for one in SpoolReader(settings.dir).records() if one.read().type is RecordType.DROP]
        assert [(drop.detail["reason"], drop.detail["seqs"]) for drop in drops] == [
            ("disk_full", [1]),
            ("disk_full", [2]),
        ]
        upload = Upload(bucket=store.bucket, endpoint_url=store.url, backoff_max_s=0.1)
        assert Uploader(upload, spool, S3Store(upload), threading.Event()).drain()
    endings = [sorted(key[-4:] for key in store.objects if ulid in key) for ulid in ulids]
    assert endings == [[".sig", "json"]] * 2 + [[".mp4", ".sig", "json"]] * 2


def test_a_register_of_years_is_kept_short_and_still_verifies(tmp_path):
    now = datetime.now(UTC)
    with Spool(tmp_path / "spool", "gw", KEY) as spool:
        for _ in range(30):
            spool.add_record(NewRecord(RecordType.COVERAGE, None, now, now, 1.0, {"cameras": []}))
            spool.mark(spool.claim_next().seq, State.UPLOADED)
        waiting = spool.add_record(NewRecord(RecordType.COVERAGE, None, now, now, 1.0, {"cameras": []}))
        assert spool.prune(10) == 21
        assert spool.prune(10) == 0
        assert spool.prune(0) == 9, "what waits stays, and everything after it"
    reader = SpoolReader(tmp_path / "spool")
    assert [one.seq for one in reader.records()] == [waiting.seq]
    candidates = [Candidate(one.read().stem + ".json", one.manifest, one.signature, None) for one in reader.records()]
    assert verify(candidates, KEY.verify_key, after=reader.anchor())[0].first_break is None
    wrong = (reader.anchor()[0], "ab" * 32)
    assert verify(candidates, KEY.verify_key, after=wrong)[0].first_break.seq == waiting.seq
    with Spool(tmp_path / "spool", "gw", KEY) as spool:
        assert spool.add_record(NewRecord(RecordType.COVERAGE, None, now, now, 1.0, {"cameras": []})).seq == 32


def test_a_register_of_an_older_agent_is_taken_over_and_a_newer_one_is_refused(tmp_path, short_video, monkeypatch):
    clip = fragmented(short_video, tmp_path)
    with monkeypatch.context() as older:
        older.setattr("uriai_edge.chain.SCHEMA_VERSION", 1)
        old = Spool(tmp_path / "spool", "gw", KEY)
        recording = old.open_clip(1, datetime.now(UTC), time.monotonic(), {})
        recording.path.write_bytes(clip)
        with contextlib.suppress(sqlite3.OperationalError):  # the older program reads fewer columns
            old.close_clip(recording, 4.0)
        old.release(recording)
        old.close()
    with Spool(tmp_path / "spool", "gw", KEY) as spool:
        assert spool.recover().completed == 1
        assert spool.make_room(0, 0, 0, drop_waiting=True)
    assert verified(tmp_path / "spool") == ["clip", "drop"]
    with contextlib.closing(sqlite3.connect(tmp_path / "spool" / "spool.sqlite3")) as register:
        register.execute("PRAGMA user_version = 99")
    with pytest.raises(SpoolError, match="newer agent"):
        Spool(tmp_path / "spool", "gw", KEY)


def test_a_picture_of_tampering_is_never_dropped_and_one_without_a_record_is_put_aside(tmp_path, short_video):
    now = datetime.now(UTC)
    with Spool(tmp_path / "spool", "gw", KEY) as spool:
        known, stray = (tmp_path / "spool" / "pictures" / name for name in ("known.jpg", "stray.jpg"))
        known.parent.mkdir()
        for file in (known, stray):
            file.write_bytes(b"a picture")
        detail = {"what": "covered", "state": "begins"}
        sha256 = hashlib.sha256(b"a picture").hexdigest()
        spool.add_record(NewRecord(RecordType.TAMPER, 1, now, now, 1.0, detail, file=known, sha256=sha256, size=9))
        assert spool.recover().aside == 1
        assert (tmp_path / "spool" / "aside" / "stray.jpg").is_file() and known.is_file()
        assert not spool.make_room(0, 0, 0, drop_waiting=True)
        assert known.is_file()


@pytest.mark.parametrize("step", [Step.UPLOADED_REMOVED, Step.BEFORE_COMMIT])
def test_a_crash_while_room_is_made_leaves_no_record_that_misses_its_file(tmp_path, short_video, step):
    class DeathError(BaseException):
        pass

    armed = False

    def checkpoint(name: str) -> None:
        if armed and name == step:
            raise DeathError

    with Spool(tmp_path / "spool", "gw", KEY, checkpoint) as spool:
        recording = spool.open_clip(1, datetime.now(UTC), time.monotonic(), {})
        recording.path.write_bytes(fragmented(short_video, tmp_path))
        spool.close_clip(recording, 4.0)
        spool.mark(spool.claim_next().seq, State.UPLOADED)
        armed = True
        with pytest.raises(DeathError):
            spool.make_room(0, 0, 0)
    with Spool(tmp_path / "spool", "gw", KEY) as spool:
        spool.recover()
    assert verified(tmp_path / "spool") == ["clip"]
