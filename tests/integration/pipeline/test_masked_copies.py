"""Masked copies on request: one job, one copy and one telling for each clip, whoever asks how often, whatever fails."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.integration.pipeline.at_once import at_once
from tests.integration.pipeline.handlers import Context, function, message
from tests.integration.pipeline.staff import person
from tests.integration.pipeline.test_retention import LATER, settle
from tests.unit.pipeline.fakes import DOUBTFUL, NOON, VIOLENT, StoppedClock, script
from tests.unit.telling.fakes import QueuesInMemory, ReceiptsInMemory
from uriai.adapters.database.centres import NewCentre, add_centre
from uriai.adapters.database.links import SqlLinks
from uriai.adapters.database.people import SqlPeople
from uriai.adapters.database.retention import SqlExpiring
from uriai.adapters.deletion import S3Deletion
from uriai.adapters.mask_jobs import S3CopyStore, SqsMaskQueue, pack, unpack
from uriai.domain.analysis import Box
from uriai.domain.ulid import Ulid
from uriai.domain.words import Role
from uriai.service.expire_clips import Retention, expire_clips
from uriai.service.make_masked_copy import CopyWorkshop, Made, give_up_masked_copy, make_masked_copy
from uriai.service.open_evidence import open_evidence
from uriai.service.ports.masked_copies import CopyState, CopyStore, MaskQueue
from uriai.service.ports.masking import ClipMasker, Doubt, DoubtfulFrame, MaskReport
from uriai.service.ports.messaging import Receipt, ReceiptState
from uriai.service.ports.vision import ClipFault, NotAVideo
from uriai.service.relay_outbox import Relay, relay_outbox
from uriai.service.request_masked_copy import QUEUED_ANEW, CopyDesk, request_masked_copies

pytestmark = pytest.mark.integration
URL = "https://chat.example/live"


@dataclass
class JobsInMemory(MaskQueue):
    """Keeps jobs; ``broken`` takes none."""

    jobs: list[Ulid] = field(default_factory=list)
    broken: bool = False

    def put(self, finding_id: Ulid) -> None:
        if self.broken:
            raise OSError("the queue does not answer")
        self.jobs.append(finding_id)


class ScriptedMasker(ClipMasker):
    """The copy says so and has the clip behind it; every copy differs, as those of an encoder may."""

    def __init__(self, *faults: Exception) -> None:
        self.faults = list(faults)
        self.made = 0

    def mask(self, source: Path, target: Path, except_track: int | None = None) -> MaskReport:
        if self.faults:
            raise self.faults.pop(0)
        self.made += 1
        target.write_bytes(b"masked %d " % self.made + source.read_bytes())
        doubtful = (DoubtfulFrame(7, 0.28, 1, Doubt.WEAK, Box(1, 2, 3, 4)),)
        return MaskReport(10.0, 1280, 720, (1, 0, 2), (), doubtful, sound_removed=True)


class CopiesInMemory(CopyStore):
    """Writes into the world's bucket, once."""

    def __init__(self, bucket) -> None:
        self.bucket = bucket

    def keep(self, key: str, path: Path, *, content_type: str) -> bytes:
        assert content_type == "video/mp4"
        if key not in self.bucket.objects:
            self.bucket.place(key, path.read_bytes())
        return hashlib.sha256(self.bucket.objects[key].data).digest()


@dataclass
class Office:
    """Chatbot and `mask` around one world."""

    world: object
    clock: StoppedClock
    queue: JobsInMemory
    masker: ScriptedMasker

    @property
    def workshop(self) -> CopyWorkshop:
        bucket, transactions = self.world.bucket, self.world.outside.transactions
        return CopyWorkshop(bucket, CopiesInMemory(bucket), self.masker, transactions, self.clock)

    def ask(self, name: str, incident: Ulid | None = None, world=None):
        world = world or self.world
        desk = CopyDesk(world.outside.transactions, lambda: self.queue)
        asking = SqlPeople(world.database).named(name)
        return request_masked_copies(asking, incident or self.incident(), URL, desk, self.clock)

    def incident(self) -> Ulid:
        return Ulid(self.world.rows("SELECT incident_id FROM incident ORDER BY number")[0]["incident_id"])

    def work(self) -> list[Made]:
        return [make_masked_copy(job, self.workshop) for job in self.queue.jobs]

    def states(self, requested) -> list[CopyState | None]:
        return [copy.state for copy in requested.copies]

    def told(self) -> list[tuple[str, str]]:
        rows = self.world.rows("SELECT occasion, recipient, body FROM outbox WHERE occasion LIKE '%%masked_copy'")
        return [(row["occasion"], row["body"]) for row in rows]


@pytest.fixture
def office(world) -> Office:
    person(world, "director", Role.DIRECTOR, centres=[world.centre_id])
    world.analyse(world.place(script(*VIOLENT)))
    return Office(world, StoppedClock(NOON), JobsInMemory(), ScriptedMasker())


def link_of(body: str) -> str:
    """The token of the link, which leads to the page with the button."""
    line = next(line for line in body.splitlines() if line.startswith(URL))
    assert line.endswith("/open")
    return line.removesuffix("/open").rpartition("/")[2]


def test_a_request_gives_one_copy_as_evidence_beside_its_report_and_a_link_that_opens_once(office, world):
    original = dict(world.bucket.objects)
    assert office.states(office.ask("director")) == [CopyState.WAITING]
    assert office.work() == [Made.READY]
    row = world.row("SELECT * FROM evidence WHERE role = 'masked_copy'")
    copy = world.bucket.objects[row["object_key"]].data
    assert hashlib.sha256(copy).digest() == row["sha256"]
    assert row["chain_seq"] == world.row("SELECT MAX(chain_seq) AS last FROM evidence")["last"]
    report = json.loads(world.bucket.objects[row["object_key"].replace(".mp4", ".json")].data)
    assert (report["covered"], report["sound_removed"]) == ([1, 0, 2], True)
    assert [one["frame"] for one in report["look_at"]] == [7]
    assert report["copy"] == hashlib.sha256(copy).hexdigest()
    assert {key: world.bucket.objects[key] for key in original} == original
    ((occasion, body),) = office.told()
    assert occasion == "masked_copy"
    links = SqlLinks(world.database)
    assert open_evidence(link_of(body), links, office.clock) == row["object_key"]
    assert open_evidence(link_of(body), links, office.clock) is None
    audit = {one["action"] for one in world.rows("SELECT action FROM audit WHERE action LIKE 'masked%%'")}
    assert audit == {"masked_copy.asked", "masked_copy.made"}


def test_a_message_that_comes_again_makes_no_second_copy_and_tells_nobody_again(office, world):
    office.ask("director")
    before = (office.work(), world.count("evidence"), office.told(), dict(world.bucket.objects))
    assert office.work() == [Made.SETTLED]
    assert (world.count("evidence"), office.told(), world.bucket.objects) == before[1:]
    assert office.masker.made == 1


def test_a_second_request_gives_the_ready_copy_instead_of_a_second_job(office):
    office.ask("director")
    office.ask("director")
    assert len(office.queue.jobs) == 1
    office.work()
    requested = office.ask("director")
    assert office.states(requested) == [CopyState.READY]
    assert requested.copies[0].evidence_id is not None
    assert len(office.queue.jobs) == 1
    assert len(office.told()) == 1


def test_everybody_who_asked_is_told_once_and_with_a_link_of_their_own(office, world):
    person(world, "operator", Role.OPERATOR)
    office.ask("director")
    office.ask("operator")
    office.work()
    links = [link_of(body) for _, body in office.told()]
    assert len(set(links)) == 2


def test_an_attempt_after_a_crash_takes_the_copy_that_lies_there(office, world):
    office.ask("director")
    (finding,) = office.queue.jobs
    office.work()
    with world.database.transaction() as cursor:
        cursor.execute("UPDATE camera SET evidence_seq = evidence_seq - 1, evidence_hash = (SELECT prev_hash FROM "
                       "evidence WHERE role = 'masked_copy') WHERE number = 1")  # fmt: skip
        cursor.execute("DELETE FROM evidence_link")
        cursor.execute("DELETE FROM evidence WHERE role = 'masked_copy'")
        cursor.execute("UPDATE masked_copy SET state = 'waiting'")
    key = next(key for key in world.bucket.objects if key.endswith("masked-copy.mp4"))
    lying = world.bucket.objects[key]
    assert make_masked_copy(finding, office.workshop) is Made.READY
    assert world.bucket.objects[key] == lying
    assert office.masker.made == 2, "the attempt made one of its own, which differs"
    assert (
        world.row("SELECT sha256 FROM evidence WHERE role = 'masked_copy'")["sha256"]
        == hashlib.sha256(lying.data).digest()
    )
    assert json.loads(world.bucket.objects[key.replace(".mp4", ".json")].data)["same"] is False


def test_eight_at_once_ask_for_one_job_and_make_one_copy(office, world):
    office.ask("director")
    (finding,) = office.queue.jobs
    incident = office.incident()
    at_once(world, lambda beside: office.ask("director", incident, world=beside))
    outcomes: list[Made] = []

    def make(beside) -> None:
        outcomes.append(make_masked_copy(finding, replace(office, world=beside, masker=ScriptedMasker()).workshop))

    at_once(world, make)
    assert sorted(outcomes) == [Made.READY, *[Made.SETTLED] * 7]
    assert office.queue.jobs == [finding]
    assert world.count("evidence", "role = 'masked_copy'") == 1
    assert len(office.told()) == 1


def test_an_incident_of_another_centre_is_the_same_as_none(office, world):
    with world.database.transaction() as cursor:
        other = add_centre(cursor, NewCentre("하늘어린이집", "경기도", "수원시", "영통동"), NOON)
    person(world, "stranger", Role.DIRECTOR, centres=[other])
    assert office.ask("stranger") == office.ask("stranger", Ulid.new(NOON))
    assert office.ask("stranger").copies == ()
    assert (office.queue.jobs, world.count("masked_copy"), world.count("audit", "action LIKE 'masked%%'")) == ([], 0, 0)


def test_a_withheld_incident_is_none_for_its_director_even_after_asking(office, world):
    office.ask("director")
    with world.database.transaction() as cursor:
        cursor.execute("UPDATE incident SET withhold_from_director = TRUE")
    assert office.ask("director").copies == ()
    office.work()
    ((_, body),) = office.told()
    assert open_evidence(link_of(body), SqlLinks(world.database), office.clock) is None


def test_who_asked_is_told_though_the_incident_became_part_of_another_meanwhile(office, world):
    world.analyse(world.place(script(*VIOLENT, salt="late"), started_at=NOON + timedelta(seconds=100), seq=2))
    office.ask("director", Ulid(world.row("SELECT incident_id FROM incident WHERE number = 2")["incident_id"]))
    office.work()
    world.analyse(world.place(script(*VIOLENT, salt="bridge"), started_at=NOON + timedelta(seconds=50), seq=3))
    assert world.count("incident", "number = 2 AND merged_into IS NOT NULL") == 1
    queues = QueuesInMemory()
    relay_outbox(Relay(world.outside.transactions, queues, ReceiptsInMemory(), office.clock))
    (message,) = [one for one in queues.put_messages if URL in one.body]
    assert open_evidence(link_of(message.body), SqlLinks(world.database), office.clock) is not None


@pytest.mark.parametrize(
    ("outcome", "state"), [(ReceiptState.SENT, "delivered"), (ReceiptState.REFUSED, "failed"), (None, "overtaken")]
)
def test_a_link_lies_in_the_outbox_only_as_long_as_it_may_yet_be_sent(office, world, outcome, state):
    office.ask("director")
    office.work()
    queues, receipts = QueuesInMemory(), ReceiptsInMemory()
    relay = Relay(world.outside.transactions, queues, receipts, office.clock)
    if outcome is None:
        with world.database.transaction() as cursor:
            cursor.execute("UPDATE incident SET withhold_from_director = TRUE")
    else:
        relay_outbox(relay)
        (message,) = [one for one in queues.put_messages if URL in one.body]
        assert link_of(office.told()[0][1]), "its queue may lose it"
        receipts.write(message.id, Receipt(outcome, NOON), over=None)
    relay_outbox(relay)
    row = world.row("SELECT state, subject, body FROM outbox WHERE occasion = 'masked_copy'")
    assert (row["state"], row["body"]) == (state, "")
    assert row["subject"]


def test_an_incident_of_several_clips_gives_a_copy_of_each_in_their_order(office, world):
    world.analyse(world.place(script(*VIOLENT, salt="next"), started_at=NOON + timedelta(seconds=30), seq=2))
    assert world.count("incident") == 1
    requested = office.ask("director")
    assert office.states(requested) == [CopyState.WAITING] * 2
    assert requested.copies[0].shown_at < requested.copies[1].shown_at
    assert office.work() == [Made.READY] * 2


@pytest.mark.parametrize(
    ("fault", "code"),
    [(NotAVideo(ClipFault.UNDECODABLE, "no frame can be read"), "undecodable"), (None, "object_missing")],
)
def test_what_can_never_be_copied_fails_visibly_is_told_and_is_not_tried_again(office, world, fault, code):
    office.ask("director")
    if fault is None:
        world.bucket.objects = {key: one for key, one in world.bucket.objects.items() if not key.endswith(".mp4")}
    else:
        office.masker.faults.append(fault)
    assert office.work() == [Made.FAILED]
    row = world.row("SELECT state, reason_code, reason FROM masked_copy")
    assert (row["state"], row["reason_code"]) == ("failed", code)
    assert row["reason"]
    assert [occasion for occasion, _ in office.told()] == ["no_masked_copy"]
    assert office.states(office.ask("director")) == [CopyState.FAILED]
    assert len(office.queue.jobs) == 1
    assert office.work() == [Made.SETTLED]


def test_a_clip_that_is_not_the_one_that_was_analysed_is_not_copied(office, world):
    office.ask("director")
    key = world.row("SELECT object_key FROM clip")["object_key"]
    world.bucket.place(key, b"another")
    assert office.work() == [Made.FAILED]
    assert world.row("SELECT reason_code FROM masked_copy")["reason_code"] == "altered"


def test_what_failed_every_time_is_a_row_and_asking_again_tries_again(office, world):
    office.ask("director")
    (finding,) = office.queue.jobs
    office.masker.faults.append(OSError("no room"))
    with pytest.raises(OSError, match="no room"):
        office.work()
    assert give_up_masked_copy(finding, world.outside.transactions, office.clock) is Made.FAILED
    assert world.row("SELECT reason_code FROM masked_copy")["reason_code"] == "retries_exhausted"
    assert office.states(office.ask("director")) == [CopyState.WAITING]
    assert office.queue.jobs == [finding] * 2
    office.clock.instant += timedelta(seconds=1)
    assert office.work() == [Made.READY, Made.SETTLED]
    assert [occasion for occasion, _ in office.told()] == ["no_masked_copy", "masked_copy"]


def test_what_the_queue_did_not_take_is_queued_when_it_is_asked_for_again(office):
    office.queue.broken = True
    with pytest.raises(OSError, match="does not answer"):
        office.ask("director")
    office.queue.broken = False
    office.ask("director")
    office.ask("director")
    assert len(office.queue.jobs) == 1
    office.clock.instant += QUEUED_ANEW + timedelta(seconds=1)
    office.ask("director")
    assert len(office.queue.jobs) == 2, "its message is lost"


def test_a_clip_whose_deletion_is_decided_gets_no_copy(office, world):
    office.ask("director")
    with world.database.transaction() as cursor:
        cursor.execute("UPDATE clip SET deletion_at = %s, deletion_reason = 'dismissed'", (NOON,))
    assert office.states(office.ask("director")) == [None]
    assert office.work() == [Made.FAILED]
    assert not [key for key in world.bucket.objects if "masked-copy" in key]
    assert world.row("SELECT reason_code FROM masked_copy")["reason_code"] == "clip_deleted"


def test_a_copy_goes_with_its_clip_report_and_all(world, vault):
    person(world, "director", Role.DIRECTOR, centres=[world.centre_id])
    world.analyse(world.place(script(*DOUBTFUL)))
    office = Office(world, StoppedClock(NOON), JobsInMemory(), ScriptedMasker())
    office.ask("director")
    office.work()
    vault.publish(world.bucket)
    settle(world, "dismissed")
    run = Retention(SqlExpiring(world.database), S3Deletion(vault.client, vault.name), StoppedClock(LATER), again=True)
    assert expire_clips(run).deleted.total() == 1
    left = vault.client.list_object_versions(Bucket=vault.name, Prefix="evidence/")
    assert left.get("Versions", []) == []
    assert world.row("SELECT deleted_at FROM evidence WHERE role = 'masked_copy'")["deleted_at"] == LATER
    assert office.states(office.ask("director")) == [None]


def test_the_bucket_takes_a_copy_once_and_says_what_lies_there(vault, tmp_path):
    store, path = S3CopyStore(vault.client, vault.name), tmp_path / "copy.mp4"
    key = "evidence/a/b/masked-copy.mp4"
    path.write_bytes(b"first")
    assert store.keep(key, path, content_type="video/mp4") == hashlib.sha256(b"first").digest()
    path.write_bytes(b"second")
    assert store.keep(key, path, content_type="video/mp4") == hashlib.sha256(b"first").digest()
    assert vault.client.get_object(Bucket=vault.name, Key=key)["Body"].read() == b"first"
    with pytest.raises(ClientError):
        S3CopyStore(vault.client, "no-such-bucket").keep(key, path, content_type="video/mp4")


def test_a_job_comes_through_the_queue_as_it_was(cloud):
    url = boto3.client("sqs").create_queue(QueueName="mask")["QueueUrl"]
    finding = Ulid.new(NOON)
    SqsMaskQueue(boto3.client("sqs"), url).put(finding)
    (received,) = boto3.client("sqs").receive_message(QueueUrl=url)["Messages"]
    assert unpack(received["Body"]) == finding


def test_a_dead_letter_about_a_copy_is_a_failed_copy_and_no_failed_clip(cloud, office, world):
    office.ask("director")
    (finding,) = office.queue.jobs
    answer = function("dead_letters").handler(message(body=pack(finding)), Context())
    assert answer == {"batchItemFailures": []}
    assert world.row("SELECT reason_code FROM masked_copy")["reason_code"] == "retries_exhausted"
    assert world.count("analysis", "state = 'failed'") == 0


def test_an_attempt_whose_models_do_not_load_is_delivered_again_and_leaves_its_error(cloud, office, world):
    office.ask("director")
    (finding,) = office.queue.jobs
    answer = function("mask").handler(message(body=pack(finding)), Context())
    assert answer == {"batchItemFailures": [{"itemIdentifier": "m1"}]}
    row = world.row("SELECT state, reason FROM masked_copy")
    assert row["state"] == "waiting"
    function("dead_letters").handler(message(body=pack(finding)), Context())
    assert row["reason"]
    assert row["reason"] in world.row("SELECT reason FROM masked_copy")["reason"]


@pytest.mark.parametrize("body", ['{"v": 2, "finding": "01KJP0Y9M0N0B0DYASKED00000"}', '{"v": 1}', "[]", "no job"])
def test_what_is_no_job_is_acknowledged(cloud, body):
    assert function("mask").handler(message(body=body), Context()) == {"batchItemFailures": []}
