"""From an incident to the messengers of those who are to know, on the deployed cloud; the messengers are here too."""

from __future__ import annotations

import hashlib
import hmac
import json
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from tests.e2e.conftest import eventually
from tests.e2e.gateway import PROGRAMS, Gateway
from tests.unit.telling.platforms import Platforms, platforms
from uriai.adapters.database.centres import find_centre
from uriai.adapters.database.connection import Database
from uriai.adapters.database.people import SqlPeople
from uriai.adapters.database.transactions import SqlTransactions
from uriai.domain.centre import Centre
from uriai.domain.incident import Incident
from uriai.domain.person import Language
from uriai.domain.ulid import Ulid
from uriai.domain.words import Kind, Role, Status, Verdict
from uriai.service.enrol_person import enrol_person
from uriai.service.ports.chat import NewPerson
from uriai.service.ports.clock import SystemClock
from uriai.service.ports.repositories import Repositories
from uriai.service.tell import tell
from uriai_cloud.state import CloudState

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]


def uriai(*arguments: str) -> str:
    done = subprocess.run([PROGRAMS / "uriai", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def messengers(cloud: CloudState) -> Iterator[Platforms]:
    with platforms() as running:
        cloud.client("secretsmanager").put_secret_value(
            SecretId=cloud.messaging_secret_arn, SecretString=json.dumps(running.secret())
        )
        yield running


@pytest.fixture(scope="module")
def staff(gateway: Gateway) -> None:
    """A station, an officer, an expert and the director, each reached by another medium."""
    district = "서울특별시 강남구"
    uriai("stations", "add", "강남경찰서", "--region", district, "--phone", "02-000-0000")
    uriai("people", "add", "e2e-officer", "--role", "policy_officer", "--region", district)
    uriai("people", "add", "e2e-expert", "--role", "expert", "--region", district)
    uriai("people", "add", "e2e-director", "--role", "director", "--centre", gateway.centre)
    for owner, medium, address in (
        (("--station", "강남경찰서"), "telegram", "-100200300"),
        (("--person", "e2e-officer"), "slack", "C0OFFICER1"),
        (("--person", "e2e-expert"), "email", "expert@example.org"),
        (("--person", "e2e-director"), "kakao", "director-user-key"),
    ):
        uriai("channels", "add", *owner, "--medium", medium, "--address", address)


def open_incident(cloud: CloudState, gateway: Gateway) -> int:
    """An incident as `analyze` opens it, with verdict report under `confirm`; its number."""
    now = datetime.now(UTC)

    def work(rows: Repositories) -> int:
        camera = rows.gateways.camera(rows.gateways.find(gateway.name), 1, now)
        with cloud.connect() as connection, connection.cursor() as cursor:
            centre = Centre(find_centre(cursor, gateway.centre), gateway.centre, "Asia/Seoul", auto_report=False)
        incident = Incident(
            Ulid.new(now), centre.id, camera.id, rows.incidents.next_number(centre.id), Kind.PHYSICAL, Verdict.REPORT,
            Status.PENDING_REVIEW, now - timedelta(minutes=2), now - timedelta(minutes=1), 0.97,
        )  # fmt: skip
        rows.incidents.add(incident, now)
        tell(rows, centre, camera.number, incident, before=None, now=now)
        return incident.number

    database = Database(cloud.connect)
    try:
        return SqlTransactions(database).run(work)
    finally:
        database.close()


def watch(cloud: CloudState) -> dict[str, int]:
    """One of `watch`'s rounds, without waiting for its minute."""
    answer = cloud.client("lambda").invoke(FunctionName=cloud.functions["watch"], Payload=b"{}")
    assert "FunctionError" not in answer, answer["Payload"].read()
    return dict(json.loads(answer["Payload"].read()))


def outbox(gateway: Gateway, number: int) -> dict[tuple[str, str], str]:
    """State by occasion and recipient, of the centre's incident of that number: other centres have one, too."""
    rows = [json.loads(line) for line in uriai("outbox", "list", "--limit", "1000", "--json").splitlines()]
    return {
        (row["occasion"], row["recipient"]): row["state"]
        for row in rows
        if (row["centre"], row["number"]) == (gateway.centre, number)
    }


def mails(cloud: CloudState, address: str) -> list[dict[str, object]]:
    """What ministack's SES was given for an address."""
    with urllib.request.urlopen(f"{cloud.endpoint_url}/_ministack/ses/messages") as answer:
        accounts = json.load(answer)["messages"].values()
    return [mail for sent in accounts for mail in sent if address in mail["To"]]


def test_an_expert_is_paged_and_after_the_decision_each_is_told_once_in_korean(
    cloud: CloudState, gateway: Gateway, staff: None, messengers: Platforms
) -> None:
    number = open_incident(cloud, gateway)
    watch(cloud)
    eventually(lambda: len(mails(cloud, "expert@example.org")) == 1, "the expert has been paged", 60)
    uriai("review", "decide", str(number), "report", "--reason", "struck", "--centre", gateway.centre)
    messengers.trouble.append((503, {"Retry-After": "1"}, {}))
    watch(cloud)
    eventually(lambda: len(messengers.calls) == 4, "three messages were sent and one of them twice", 90)

    def settled() -> bool:
        watch(cloud)
        return set(outbox(gateway, number).values()) == {"delivered"}

    eventually(settled, "everything is delivered", 60, instead=lambda: outbox(gateway, number))
    assert set(outbox(gateway, number)) == {
        ("page", "e2e-expert"), ("reported", "강남경찰서"), ("reported", "e2e-officer"), ("reported", "e2e-director"),
    }  # fmt: skip
    texts = {call.path.rpartition("/")[2]: json.dumps(call.fields, ensure_ascii=False) for call in messengers.calls}
    assert set(texts) == {"chat.postMessage", "sendMessage", "talk"}
    for text in texts.values():
        assert f"{gateway.centre} {number}번 사건" in text
        assert "신체학대 의심" in text
    assert json.loads(uriai("outbox", "list", "--limit", "1", "--json"))["state"] == "delivered"
    with cloud.connect() as connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT r.status, s.name FROM police_report r JOIN incident i ON i.incident_id = r.incident_id "
            "JOIN police_station s ON s.police_station_id = r.police_station_id WHERE i.number = %s "
            "AND i.centre_id = (SELECT centre_id FROM centre WHERE name = %s)",
            (number, gateway.centre),
        )
        assert cursor.fetchall() == [{"status": "before_dispatch", "name": "강남경찰서"}]


def test_the_same_message_queued_again_is_not_sent_again(
    cloud: CloudState, gateway: Gateway, staff: None, messengers: Platforms
) -> None:
    number = open_incident(cloud, gateway)
    before = len(mails(cloud, "expert@example.org"))
    watch(cloud)
    eventually(lambda: len(mails(cloud, "expert@example.org")) == before + 1, "the expert has been paged", 60)
    with cloud.connect() as connection, connection.cursor() as cursor:
        # as after a crash between queueing and noting it
        cursor.execute(
            "UPDATE outbox o JOIN incident i ON i.incident_id = o.incident_id SET o.state = 'waiting' "
            "WHERE o.occasion = 'page' AND o.repetition = 0 AND i.number = %s",
            (number,),
        )
    assert watch(cloud)["queued"] >= 1
    queue = cloud.notify_queues["email"]["queue"]
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]

    def empty() -> bool:
        found = cloud.client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=names)["Attributes"]
        return sum(int(found[name]) for name in names) == 0

    eventually(empty, "the queue is empty", 60)
    time.sleep(1)
    assert len(mails(cloud, "expert@example.org")) == before + 1


def test_what_was_given_up_is_a_failed_row_and_can_be_tried_again(
    cloud: CloudState, gateway: Gateway, staff: None, messengers: Platforms
) -> None:
    number = open_incident(cloud, gateway)
    with cloud.connect() as connection, connection.cursor() as cursor:
        # queued, as far as the outbox knows; its message lies where notify's twentieth attempt leaves it
        message_id = Ulid.new(datetime.now(UTC))
        cursor.execute(
            "UPDATE outbox o JOIN incident i ON i.incident_id = o.incident_id "
            "SET o.state = 'queued', o.message_id = %s "
            "WHERE i.number = %s AND i.kind = 'physical' AND o.occasion = 'page'",
            (message_id.value, number),
        )
    body = {"v": 1, "id": str(message_id), "medium": "email", "address": "a@example.org", "subject": "s", "body": "b"}
    cloud.client("sqs").send_message(
        QueueUrl=cloud.notify_queues["email"]["dead_letters"], MessageBody=json.dumps(body)
    )

    def failed() -> bool:
        watch(cloud)
        return outbox(gateway, number)[("page", "e2e-expert")] == "failed"

    eventually(failed, "the row says that it failed", 30)
    (row,) = [json.loads(line) for line in uriai("outbox", "list", "--state", "failed", "--json").splitlines()
              if (json.loads(line)["centre"], json.loads(line)["number"]) == (gateway.centre, number)
              and json.loads(line)["occasion"] == "page"]  # fmt: skip
    assert row["reason"] == "given up after every attempt: no attempt left a word"
    uriai("outbox", "retry", row["id"])
    assert outbox(gateway, number)[("page", "e2e-expert")] in {"waiting", "queued", "delivered"}


def slack_event(cloud: CloudState, text: str, key: str) -> int:
    """Slack's delivery of a message to the app; the answer's status."""
    message = {"type": "message", "channel_type": "im", "user": "U0E2E", "text": text}
    body = json.dumps({"type": "event_callback", "team_id": "T1", "event_id": key, "event": message}).encode()
    at = str(int(time.time()))
    signature = hmac.new(cloud.slack_signing_secret.encode(), f"v0:{at}:".encode() + body, hashlib.sha256).hexdigest()
    headers = {
        "X-Slack-Signature": f"v0={signature}",
        "X-Slack-Request-Timestamp": at,
        "Content-Type": "application/json",
    }
    request = urllib.request.Request(f"{cloud.api_url}/webhooks/slack", body, headers)
    with urllib.request.urlopen(request, timeout=30) as answer:
        return int(answer.status)


def test_a_message_to_the_slack_app_is_answered_once_in_their_conversation(
    cloud: CloudState, gateway: Gateway, messengers: Platforms
) -> None:
    def calls() -> list[dict[str, object]]:
        return [call.fields for call in messengers.calls if call.fields.get("channel") == "U0E2E"]

    database = Database(cloud.connect)
    with cloud.connect() as connection, connection.cursor() as cursor:
        centre = find_centre(cursor, gateway.centre)
    name = f"슬랙원장 {datetime.now(UTC):%H%M%S%f}"
    given = enrol_person(
        NewPerson(name, Role.DIRECTOR, Language.KOREAN, (centre,)), SqlPeople(database), SystemClock(), "test"
    )
    database.close()
    assert [slack_event(cloud, given.code, f"Ev1-{name}") for _ in range(2)] == [200, 200]
    eventually(lambda: len(calls()) == 1, "the enrolment is confirmed in Slack", within_s=60)
    assert slack_event(cloud, "어제 무슨 일 있었어?", f"Ev2-{name}") == 200
    eventually(lambda: len(calls()) == 2, "the answer reaches Slack", within_s=60)
    assert len(calls()) == 2
    enrolled, answered = (str(fields["text"]) for fields in calls())
    assert enrolled.startswith(f"{name} 님, 등록되었습니다")
    assert answered.startswith(f"{gateway.centre}, ")
