"""One clip's way from its object to its rows, on a real MariaDB: good clips, bad clips, clips nobody can vouch for."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from datetime import timedelta

import pytest
from nacl.signing import SigningKey

from tests.unit.pipeline.fakes import (
    DOUBTFUL,
    GATEWAY,
    KEY,
    NOON,
    QUIET,
    VIOLENT,
    ScriptedAnalyser,
    StoppedClock,
    script,
)
from uriai.adapters.database.centres import add_camera
from uriai.adapters.database.gateways import RevokedKeyError, add_gateway, revoke_gateway
from uriai.domain.clip import ManifestStatus
from uriai.domain.words import Verdict
from uriai.service.analyse_clip import State

pytestmark = pytest.mark.integration


def test_a_violent_clip_becomes_an_incident_with_its_evidence(world):
    outcome = world.analyse(world.place(script(*VIOLENT)))
    assert (outcome.state, outcome.verdict, outcome.manifest) == (State.DONE, Verdict.REPORT, ManifestStatus.VERIFIED)
    incident = world.row("SELECT * FROM incident")
    assert incident["number"] == 1
    assert incident["status"] == "pending_review"
    assert incident["verdict"] == "report"
    assert incident["unverified"] == 0
    assert NOON <= incident["started_at"] < incident["ended_at"] <= NOON + timedelta(seconds=10)
    evidence = {row["role"]: row for row in world.rows("SELECT * FROM evidence")}
    pictures = {
        "key_frame": b"plain ",
        "key_frame_annotated": b"annotated ",
        "key_frame_masked": b"masked ",
        "key_frame_annotated_masked": b"annotated and masked ",
    }
    assert set(evidence) == {"original", *pictures}
    for role, beginning in pictures.items():
        stored = world.bucket.objects[evidence[role]["object_key"]].data
        assert stored.startswith(beginning)
        assert hashlib.sha256(stored).digest() == evidence[role]["sha256"]
        assert evidence[role]["object_key"].endswith(f"/{role.replace('_', '-')}.jpg")
    caption = world.bucket.objects[evidence["key_frame"]["object_key"]].data.decode().splitlines()
    assert caption[1].startswith("의심: 신체학대 97%(신고 대상) · CCTV 1호기 · 2026-11-22 12:00:0")
    assert caption[2].startswith("Suspicion: physical abuse 97% (for a report) · CCTV 1 · 2026-11-22 12:00:0")


def test_an_incidents_times_are_the_clips_start_plus_the_findings_seconds(world):
    started_at = NOON + timedelta(microseconds=250_000)
    world.analyse(world.place(script((0.0, 2.0, 0.1), (2.0, 4.0, 0.95), (4.0, 6.0, 0.1)), started_at=started_at))
    finding, incident = world.row("SELECT * FROM finding"), world.row("SELECT * FROM incident")
    assert finding["start_ms"] == 2000
    assert incident["started_at"] == started_at + timedelta(milliseconds=finding["start_ms"])
    assert incident["ended_at"] == started_at + timedelta(milliseconds=finding["end_ms"])


def test_a_quiet_clip_is_analysed_and_is_nobodys_incident(world):
    outcome = world.analyse(world.place(script(*QUIET)))
    assert (outcome.state, outcome.verdict) == (State.DONE, Verdict.CLEAR)
    assert world.count("incident") == 0
    analysis = world.row("SELECT * FROM analysis")
    assert analysis["violence_probability"] == pytest.approx(0.2)
    assert json.loads(analysis["observations"])["windows"][1] == {"start_s": 2.0, "end_s": 4.0, "probability": 0.2}
    assert world.bucket.puts == []


@pytest.mark.parametrize(("data", "code"), [(b"", "zero_bytes"), (b"\x89PNG", "not_a_video")])
def test_a_file_that_is_no_video_is_a_failed_row_and_the_object_stays(world, data, code):
    key = world.place(data)
    outcome = world.analyse(key)
    assert outcome.state is State.FAILED
    row = world.row("SELECT a.*, c.sha256, c.manifest_status FROM analysis a JOIN clip c ON c.clip_id = a.clip_id")
    assert (row["state"], row["reason_code"]) == ("failed", code)
    assert row["current_of"] == row["clip_id"]
    assert row["manifest_status"] == "verified"
    assert row["sha256"] is not None
    assert world.bucket.objects[key].data == data


def test_a_clip_deleted_before_it_is_read_is_a_failed_row(world):
    key = world.place(script(*QUIET))
    del world.bucket.objects[key]
    assert world.analyse(key).failure.code == "object_missing"
    assert world.row("SELECT reason_code FROM analysis")["reason_code"] == "object_missing"


@pytest.mark.parametrize(
    "key",
    [
        "clips/saetbyeol-1/one/x.mp4",
        "clips/" + "x" * 1014 + ".mp4",
        "clips/가나.mp4",
        "clips/" + "가" * 338 + ".mp4",
        f"clips/{GATEWAY}/10000/2026-11-22/01KB2WXYZ0000000000000000A.mp4",
        f"clips/{GATEWAY}/65536/2026-11-22/01KB2WXYZ0000000000000000A.mp4",
    ],
    ids=["no camera", "longest", "Korean", "longest Korean", "camera of five digits", "camera beyond its column"],
)
def test_a_key_of_another_form_is_a_failed_row(world, key):
    world.bucket.place(key, script(*QUIET))
    assert world.analyse(key).failure.code == "bad_key"
    assert world.row("SELECT c.object_key FROM analysis a JOIN clip c ON c.clip_id = a.clip_id")["object_key"] == key


def test_an_unknown_gateways_clip_fails_and_is_done_once_the_gateway_is_added(world):
    key = world.place(script(*VIOLENT), gateway="stranger")
    assert world.analyse(key).failure.code == "unknown_gateway"
    assert world.count("incident") == 0
    with world.database.transaction() as cursor:
        add_gateway(cursor, "stranger", world.centre_id, bytes(KEY.verify_key), NOON)
    assert world.analyse(key).state is State.DONE
    assert world.row("SELECT state, reason_code FROM analysis") == {"state": "done", "reason_code": None}
    assert world.row("SELECT camera_id FROM clip")["camera_id"] is not None


def test_an_unknown_camera_of_a_known_gateway_is_analysed_and_marked(world):
    outcome = world.analyse(world.place(script(*VIOLENT), camera=9))
    assert (outcome.state, len(outcome.incidents)) == (State.DONE, 1)
    camera = world.row("SELECT registered FROM camera WHERE number = 9")
    assert camera["registered"] == 0
    with world.database.transaction() as cursor:
        add_camera(cursor, GATEWAY, 9, "복도", NOON)
    assert world.row("SELECT registered, name FROM camera WHERE number = 9") == {"registered": 1, "name": "복도"}


def spoil_manifest(world, key):
    world.bucket.place(key.replace(".mp4", ".json"), b"{}")


def spoil_signature(world, key):
    world.bucket.place(key.replace(".mp4", ".sig"), b"\x00" * 64)


def drop_signature(world, key):
    del world.bucket.objects[key.replace(".mp4", ".sig")]


def drop_manifest(world, key):
    del world.bucket.objects[key.replace(".mp4", ".json")]


def exchange_clip(world, key):
    world.bucket.place(key, script(*VIOLENT, salt="another"), world.bucket.objects[key].arrived_at)


@pytest.mark.parametrize(
    ("spoil", "status"),
    [
        (drop_manifest, "missing"),
        (spoil_manifest, "malformed"),
        (spoil_signature, "bad_signature"),
        (drop_signature, "bad_signature"),
        (exchange_clip, "mismatch"),
    ],
)
def test_what_nobody_vouches_for_is_analysed_flagged_and_never_reported_automatically(world, spoil, status):
    world.set_auto_report(True)
    key = world.place(script(*VIOLENT))
    spoil(world, key)
    outcome = world.analyse(key)
    assert (outcome.state, outcome.manifest.value) == (State.DONE, status)
    clip, incident = world.row("SELECT * FROM clip"), world.row("SELECT * FROM incident WHERE kind = 'physical'")
    assert clip["manifest_status"] == status
    assert clip["manifest_reason"]
    assert clip["started_at"] == NOON, "the ULID's own time, for there is no manifest to believe"
    assert (incident["status"], incident["unverified"]) == ("pending_review", 1)


def test_a_verified_report_is_reported_at_once_where_the_centre_wants_that(world):
    world.set_auto_report(True)
    world.analyse(world.place(script(*VIOLENT)))
    assert world.row("SELECT status FROM incident")["status"] == "reported"
    audit = world.rows("SELECT action, actor FROM audit ORDER BY audit_id")
    assert audit == [
        {"action": "incident.reported", "actor": "analyze"},
        {"action": "police_report.before_dispatch", "actor": "telling"},
    ]


@pytest.mark.parametrize(
    ("field", "value"),
    [("camera", 2), ("gateway", "another"), ("size", 5), ("ulid", "01KB2WXYZ0000000000000000A"), ("type", "tamper")],
)
def test_a_signed_manifest_of_something_else_is_a_mismatch(world, field, value):
    outcome = world.analyse(world.place(script(*QUIET), claims={field: value}))
    assert outcome.manifest is ManifestStatus.MISMATCH
    assert field in world.row("SELECT manifest_reason FROM clip")["manifest_reason"]


def test_a_signed_clock_ten_years_off_is_flagged_and_the_time_of_arrival_is_taken(world):
    off = NOON + timedelta(days=3650)
    arrived_at = NOON + timedelta(seconds=40)
    outcome = world.analyse(world.place(script(*VIOLENT), started_at=off, arrived_at=arrived_at))
    assert outcome.manifest is ManifestStatus.MISMATCH
    clip = world.row("SELECT started_at, ended_at FROM clip")
    assert clip == {"started_at": arrived_at - timedelta(seconds=10), "ended_at": arrived_at}


def test_a_key_of_somebody_else_and_a_revoked_key_are_told_apart(world):
    stranger = world.place(script(*QUIET), key=SigningKey(b"\x02" * 32), seq=1)
    assert world.analyse(stranger).manifest is ManifestStatus.BAD_SIGNATURE
    with world.database.transaction() as cursor:
        assert revoke_gateway(cursor, GATEWAY, None, NOON + timedelta(minutes=5)) == 1
    before = world.place(script(*QUIET), seq=2)
    after = world.place(script(*QUIET), seq=3, arrived_at=NOON + timedelta(minutes=6))
    assert world.analyse(before).manifest is ManifestStatus.VERIFIED, "it arrived before the key was revoked"
    assert world.analyse(after).manifest is ManifestStatus.UNKNOWN_KEY


def enter(world, public_key, at):
    with world.database.transaction() as cursor:
        add_gateway(cursor, GATEWAY, world.centre_id, public_key, at)


@pytest.mark.parametrize("of", ["the key", "the gateway"])
def test_a_revoked_key_is_never_good_again_so_what_was_sent_meanwhile_never_verifies(world, of):
    revoked_key, revoked_at = bytes(KEY.verify_key), NOON + timedelta(minutes=5)
    with world.database.transaction() as cursor:
        revoke_gateway(cursor, GATEWAY, revoked_key if of == "the key" else None, revoked_at)
    meanwhile = world.place(script(*QUIET), arrived_at=NOON + timedelta(minutes=6))
    with pytest.raises(RevokedKeyError, match="uriai-edge enroll"):
        enter(world, revoked_key, NOON + timedelta(minutes=10))
    new = SigningKey(b"\x03" * 32)
    enter(world, bytes(new.verify_key), NOON + timedelta(minutes=10))
    assert world.analyse(meanwhile).manifest is ManifestStatus.BAD_SIGNATURE, "of the keys in force none made it"
    later = world.place(script(*QUIET), seq=2, key=new, arrived_at=NOON + timedelta(minutes=11))
    assert world.analyse(later).manifest is ManifestStatus.VERIFIED


def test_a_gateway_added_again_with_a_key_in_force_changes_nothing(world):
    before = world.rows("SELECT * FROM gateway_key"), world.rows("SELECT * FROM gateway")
    enter(world, bytes(KEY.verify_key), NOON + timedelta(minutes=10))
    assert (world.rows("SELECT * FROM gateway_key"), world.rows("SELECT * FROM gateway")) == before


def test_a_second_object_with_a_first_ones_id_hides_neither(world):
    first = world.place(script(*VIOLENT), camera=1)
    second = world.place(script(*VIOLENT, salt="other"), camera=2)
    assert first.rsplit("/", 1)[1] == second.rsplit("/", 1)[1]
    assert world.analyse(first).manifest is ManifestStatus.VERIFIED
    outcome = world.analyse(second)
    assert (outcome.state, outcome.manifest) == (State.DONE, ManifestStatus.MISMATCH)
    assert world.analyse(second).state is State.ALREADY_DONE
    assert world.count("clip") == world.count("incident", "kind = 'physical'") == 2
    assert world.row("SELECT camera_id, kind FROM incident WHERE kind <> 'physical'") == {
        "camera_id": world.row("SELECT camera_id FROM camera WHERE number = 2")["camera_id"], "kind": "tamper"
    }  # fmt: skip


def test_a_failed_analysis_is_replaced_when_its_event_comes_again(world):
    key = world.place(script(*VIOLENT))
    kept = world.bucket.objects.pop(key)
    assert world.analyse(key).state is State.FAILED
    world.bucket.objects[key] = kept
    assert world.analyse(key).state is State.DONE
    assert world.row("SELECT state, reason_code, reason, verdict FROM analysis") == {
        "state": "done", "reason_code": None, "reason": None, "verdict": "report"
    }  # fmt: skip


def test_a_newer_model_set_becomes_current_and_the_older_analysis_stays(world):
    key = world.place(script(*DOUBTFUL))
    world.analyse(key)
    newer = world.beside(analyser=ScriptedAnalyser("2"))
    assert newer.analyse(key).state is State.DONE
    rows = world.rows("SELECT model_set, current_of FROM analysis")
    assert len(rows) == 2
    current = [row for row in rows if row["current_of"]]
    assert [row["model_set"] for row in current] == [newer.outside.analyser.model_set_hash]
    assert world.count("incident") == 1, "the same seconds seen by newer models are the same incident"


def test_a_newer_model_sets_failure_leaves_the_older_analysis_current(world):
    key = world.place(script(*DOUBTFUL))
    world.analyse(key)
    newer = world.beside(analyser=ScriptedAnalyser("2"))
    del world.bucket.objects[key]
    assert newer.analyse(key).state is State.FAILED
    assert world.row("SELECT state FROM analysis WHERE current_of IS NOT NULL")["state"] == "done"


def test_the_clock_is_the_ports(world):
    later = StoppedClock(NOON + timedelta(hours=5))
    replace(world, outside=replace(world.outside, clock=later)).analyse(world.place(script(*VIOLENT)))
    assert world.row("SELECT analysed_at FROM analysis")["analysed_at"] == later.instant
    assert world.row("SELECT created_at FROM incident")["created_at"] == later.instant
