"""A masked copy on the deployed cloud: asked for in the chat, made, sent as a link that opens once."""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
import urllib.error
import urllib.request
from typing import Any

import av
import pytest

from tests.e2e.conftest import eventually
from tests.e2e.gateway import PROGRAMS
from uriai.adapters.mask_jobs import pack
from uriai.domain.ulid import Ulid
from uriai_cloud.home import Home
from uriai_cloud.sample import KEY, ensure
from uriai_cloud.state import CloudState

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]
CENTRE, DIRECTOR, STRANGER = "예시 어린이집", "copy-director", "copy-stranger"


def uriai(*arguments: str) -> str:
    done = subprocess.run([PROGRAMS / "uriai", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def ask(person: str, text: str) -> dict[str, Any]:
    return dict(json.loads(uriai("ask", text, "--as", person, "--json")))


def row(cloud: CloudState, statement: str, *values: object) -> dict[str, Any] | None:
    with cloud.connect() as connection, connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchone()


@pytest.fixture(scope="module")
def number(cloud: CloudState, home: object) -> int:
    """The number of the incident that a rendered assault became."""
    ensure(Home.from_environment(), cloud)
    statement = """
        SELECT i.number FROM clip k JOIN analysis a ON a.current_of = k.clip_id
        JOIN finding f ON f.analysis_id = a.analysis_id JOIN incident_finding x ON x.finding_id = f.finding_id
        JOIN incident i ON i.incident_id = x.incident_id WHERE k.object_key = %s AND i.kind = 'physical'
    """
    eventually(lambda: row(cloud, statement, KEY) is not None, "the sample clip is an incident")
    found = row(cloud, statement, KEY)
    assert found is not None
    uriai("people", "add", DIRECTOR, "--role", "director", "--centre", CENTRE)
    uriai("channels", "add", "--person", DIRECTOR, "--medium", "email", "--address", "copy@example.org")
    uriai("centres", "add", "다른 어린이집", "--region", "예시도", "예시시")
    uriai("people", "add", STRANGER, "--role", "director", "--centre", "다른 어린이집")
    return int(found["number"])


def test_a_director_asks_and_gets_a_link_to_a_copy_that_plays_without_sound(cloud: CloudState, number: int) -> None:
    s3 = cloud.client("s3")
    original = s3.get_object(Bucket=cloud.clips_bucket, Key=KEY)["Body"].read()
    told = ask(DIRECTOR, f"{number}번 마스킹본 보내줘")
    assert told["intent"] == "masked_copy"
    assert "만들고 있습니다" in told["reply"]
    assert "링크를 보내 드리겠습니다" in told["reply"]
    eventually(
        lambda: (row(cloud, "SELECT state FROM masked_copy") or {}).get("state") in {"ready", "failed"},
        "the copy is made",
        300,
    )
    assert row(cloud, "SELECT state, reason FROM masked_copy") == {"state": "ready", "reason": None}
    sent: list[str] = []

    def mailed() -> bool:
        told = cloud.client("lambda").invoke(FunctionName=cloud.functions["watch"], Payload=b"{}")
        assert "FunctionError" not in told, told["Payload"].read()
        with urllib.request.urlopen(f"{cloud.endpoint_url}/_ministack/ses/messages") as answer:
            accounts = json.load(answer)["messages"].values()
        sent[:] = [json.dumps(mail) for mails in accounts for mail in mails if "copy@example.org" in mail["To"]]
        return any("/v1/evidence/" in mail for mail in sent)

    eventually(mailed, "the director was sent the link", 90)
    (mail,) = [mail for mail in sent if "/v1/evidence/" in mail]
    token, _, rest = mail.partition("/v1/evidence/")[2].partition("/")
    assert rest.startswith("open")
    link = f"{cloud.api_url}/v1/evidence/{token}/open"
    with urllib.request.urlopen(link) as page:
        assert b'<form method="post">' in page.read(), "a mail filter that looks ahead finds no more than this"
    _plays_without_sound(_pressed(link))
    with pytest.raises(urllib.error.HTTPError) as refused:
        _pressed(link)
    assert refused.value.code == 404
    assert s3.get_object(Bucket=cloud.clips_bucket, Key=KEY)["Body"].read() == original


def test_asking_again_gives_the_same_copy_at_once(cloud: CloudState, number: int) -> None:
    told = ask(DIRECTOR, f"send me a masked copy of {number}")
    (link,) = [word for word in told["reply"].split() if "/v1/evidence/" in word]
    copy = _pressed(link)
    _plays_without_sound(copy)
    found = row(cloud, "SELECT sha256, object_key FROM evidence WHERE role = 'masked_copy'")
    assert found is not None
    assert hashlib.sha256(copy).digest() == found["sha256"]
    report = cloud.client("s3").get_object(Bucket=cloud.clips_bucket, Key=found["object_key"].replace(".mp4", ".json"))[
        "Body"
    ]
    assert json.load(report)["copy"] == found["sha256"].hex()
    assert (row(cloud, "SELECT COUNT(*) AS n FROM evidence WHERE role = 'masked_copy'") or {})["n"] == 1


def test_a_stranger_is_told_the_same_of_it_as_of_one_that_there_is_not(number: int, cloud: CloudState) -> None:
    replies = [ask(STRANGER, f"send me a masked copy of {one}")["reply"] for one in (number, 987654)]
    assert replies[0].replace(str(number), "N") == replies[1].replace("987654", "N")
    assert "/v1/evidence/" not in replies[0]


def test_what_mask_gives_up_becomes_a_failed_row(cloud: CloudState, number: int) -> None:
    with cloud.connect() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT finding_id FROM masked_copy")
        finding = Ulid((cursor.fetchone() or {})["finding_id"])
        # as before its last attempt
        cursor.execute("UPDATE masked_copy SET state = 'waiting', reason = 'OSError: no room'")
    cloud.client("sqs").send_message(QueueUrl=cloud.mask_queue["dead_letters"], MessageBody=pack(finding))
    eventually(lambda: (row(cloud, "SELECT state FROM masked_copy") or {})["state"] == "failed", "the row failed", 60)
    found = row(cloud, "SELECT reason_code, reason FROM masked_copy")
    assert found == {
        "reason_code": "retries_exhausted", "reason": "the last attempt failed with OSError: no room"
    }  # fmt: skip


def _pressed(link: str) -> bytes:
    """What the button of a link's page leads to."""
    with urllib.request.urlopen(link, data=b"", timeout=60) as answer:
        return bytes(answer.read())


def _plays_without_sound(data: bytes) -> None:
    with av.open(io.BytesIO(data)) as container:
        assert container.format.name.startswith("mov,mp4")
        assert [stream.type for stream in container.streams] == ["video"]
        assert sum(1 for _ in container.decode(video=0)) > 80
