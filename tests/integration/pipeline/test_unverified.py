"""What fails verification on arrival opens a tamper incident, on a real MariaDB."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from nacl.signing import SigningKey

from tests.integration.pipeline.test_analyse_clip import (
    drop_manifest,
    drop_signature,
    exchange_clip,
    spoil_manifest,
    spoil_signature,
)
from tests.unit.pipeline.fakes import GATEWAY, NOON, QUIET, VIOLENT, ScriptedAnalyser, script
from uriai.adapters.database.gateways import revoke_gateway
from uriai.domain.words import Kind, Verdict
from uriai.service.analyse_clip import State

pytestmark = pytest.mark.integration


def revoke_key(world, key):
    del key
    with world.database.transaction() as cursor:
        revoke_gateway(cursor, GATEWAY, None, NOON)


@pytest.mark.parametrize(
    ("spoil", "status"),
    [
        (drop_manifest, "missing"),
        (spoil_manifest, "malformed"),
        (spoil_signature, "bad_signature"),
        (drop_signature, "bad_signature"),
        (revoke_key, "unknown_key"),
        (exchange_clip, "mismatch"),
    ],
)
@pytest.mark.parametrize("windows", [QUIET, VIOLENT])
def test_each_way_to_fail_verification_opens_a_tamper_incident(world, spoil, status, windows):
    world.set_auto_report(True)
    key = world.place(script(*windows))
    spoil(world, key)
    world.analyse(key)
    incident = world.row("SELECT * FROM incident WHERE kind = 'tamper'")
    assert (incident["status"], incident["verdict"], incident["unverified"]) == ("open", "review", 1)
    finding = world.row("SELECT * FROM finding WHERE kind = 'tamper'")
    basis = json.loads(finding["basis"])
    assert basis["manifest_status"] == status
    assert basis["manifest_reason"]
    clip = world.row("SELECT * FROM clip")
    assert (finding["started_at"], finding["ended_at"]) == (clip["started_at"], clip["ended_at"])
    evidence = world.row("SELECT * FROM evidence WHERE finding_id = %s", (finding["finding_id"],))
    assert (evidence["role"], evidence["object_key"], evidence["sha256"]) == ("original", key, clip["sha256"])
    audit = world.row("SELECT * FROM audit WHERE action = 'incident.open'")
    assert json.loads(audit["detail"])["number"] == incident["number"]


def test_a_clip_signed_by_an_unknown_device_is_tampering(world):
    outcome = world.analyse(world.place(script(*QUIET), key=SigningKey(b"\x02" * 32)))
    assert [incident.kind for incident in outcome.incidents] == [Kind.TAMPER]
    assert outcome.verdict is Verdict.CLEAR, "what the models see is another matter"


def test_a_verified_clip_opens_none(world):
    world.analyse(world.place(script(*VIOLENT)))
    assert world.count("incident", "kind = 'tamper'") == 0


@pytest.mark.parametrize("data", [b"", b"\x89PNG"])
def test_what_is_no_video_and_not_signed_is_tampering_and_a_failed_row(world, data):
    key = world.place(data, signed=False)
    outcome = world.analyse(key)
    assert (outcome.state, len(outcome.incidents)) == (State.FAILED, 1)
    assert world.row("SELECT kind, status FROM incident") == {"kind": "tamper", "status": "open"}
    assert world.row("SELECT role, object_key FROM evidence") == {"role": "original", "object_key": key}
    assert world.analyse(key).incidents == (), "the same event again files nothing"
    assert world.count("finding") == world.count("incident") == 1


def test_clips_less_than_a_minute_apart_are_one_tamper_incident_and_later_ones_another(world):
    for seq, after_s in enumerate((0, 50, 100, 300), start=1):
        world.analyse(world.place(script(*QUIET), seq=seq, started_at=NOON + timedelta(seconds=after_s), signed=False))
    spans = world.rows("SELECT started_at, ended_at FROM incident ORDER BY started_at")
    assert [span["started_at"] for span in spans] == [NOON, NOON + timedelta(seconds=300)]
    assert spans[0]["ended_at"] == NOON + timedelta(seconds=110)


def test_each_camera_has_its_own(world):
    for camera in (1, 2):
        world.analyse(world.place(script(*QUIET), camera=camera, seq=camera, signed=False))
    assert world.count("incident") == 2


def test_newer_models_do_not_open_a_resolved_tamper_incident_again(world):
    key = world.place(script(*QUIET), signed=False)
    world.analyse(key)
    with world.database.transaction() as cursor:
        cursor.execute("UPDATE incident SET status = 'resolved'")
    newer = world.beside(analyser=ScriptedAnalyser("2"))
    assert newer.analyse(key).state is State.DONE
    assert world.row("SELECT status FROM incident")["status"] == "resolved"
    newer.database.close()
