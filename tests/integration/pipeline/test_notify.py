"""The handler of `notify` as Lambda calls it: S3, SQS, SES and secrets in process (moto), messengers over real HTTP."""

from __future__ import annotations

import io
import json
import logging
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import boto3
import pytest
from moto import mock_aws
from moto.core import DEFAULT_ACCOUNT_ID
from moto.sesv2.models import sesv2_backends
from moto.sqs.models import sqs_backends

from tests.integration.pipeline.handlers import FUNCTIONS, Context, function
from tests.unit.telling.fakes import a_message
from tests.unit.telling.platforms import SLACK_TOKEN, TELEGRAM_TOKEN, platforms
from uriai import bootstrap
from uriai.adapters.messaging.envelope import pack
from uriai.adapters.messaging.queues import SqsMessageQueues
from uriai.adapters.messaging.receipts import S3Receipts
from uriai.domain.telling import Medium
from uriai.domain.ulid import Ulid
from uriai.service.ports.messaging import Receipt, ReceiptChangedError, ReceiptState
from uriai.settings import NotifySettings, QueueUrls, SettingsError

REGION = "ap-northeast-2"
QUEUE = "uriai-notify-slack"
KEYS = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}


@pytest.fixture(scope="module")
def clients():
    """Making boto3's clients takes most of these tests' time: one of each."""
    with mock_aws():
        yield {
            name: boto3.client(name, region_name=REGION, **KEYS) for name in ("s3", "sqs", "secretsmanager", "sesv2")
        }


@pytest.fixture(scope="module")
def environment(clients):
    """The environment of `notify`, its bucket, its secret and messengers on this machine."""
    with platforms() as running, pytest.MonkeyPatch.context() as patch:
        for name, value in {
            "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": REGION,
            "RECEIPTS_BUCKET": "receipts", "MESSAGING_SECRET_ARN": "messaging", "EMAIL_FROM": "uriai@example.org",
            "POWERTOOLS_SERVICE_NAME": "notify", "POWERTOOLS_METRICS_NAMESPACE": "UriAI",
            "POWERTOOLS_TRACE_DISABLED": "1", "LOG_LEVEL": "INFO",
            # the cloud is on this machine, so messengers may be; boto3 is told to mind moto alone
            "AWS_ENDPOINT_URL": "http://127.0.0.1:1", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true",
        }.items():  # fmt: skip
            patch.setenv(name, value)
        patch.delenv("DATABASE_HOST", raising=False)
        clients["s3"].create_bucket(Bucket="receipts", CreateBucketConfiguration={"LocationConstraint": REGION})
        clients["secretsmanager"].create_secret(Name="messaging", SecretString=json.dumps(running.secret()))
        clients["sesv2"].create_email_identity(EmailIdentity="uriai@example.org")
        bootstrap.secrets.cache_clear()
        yield running
        bootstrap.secrets.cache_clear()


@pytest.fixture(scope="module")
def local(environment):
    """One container of `notify` for all tests, as in the cloud."""
    return function("notify")


@pytest.fixture
def aws(environment):
    """The messengers, who have heard nothing yet."""
    environment.calls.clear()
    environment.trouble.clear()
    return environment


@pytest.fixture
def new():
    """A message that nobody has sent."""
    return replace(a_message(), id=Ulid.new(datetime.now(UTC)))


@pytest.fixture
def url(clients, aws):
    """The queue, empty."""
    made = clients["sqs"].create_queue(QueueName=QUEUE, Attributes={"VisibilityTimeout": "180"})["QueueUrl"]
    yield made
    clients["sqs"].delete_queue(QueueUrl=made)


def delivered(clients, url, message, *, attempt=1):
    """The event with what stands first in the queue, as Lambda gives it."""
    clients["sqs"].send_message(QueueUrl=url, MessageBody=pack(message))
    (received,) = clients["sqs"].receive_message(QueueUrl=url)["Messages"]
    return {
        "Records": [
            {
                "messageId": received["MessageId"], "receiptHandle": received["ReceiptHandle"],
                "body": received["Body"], "attributes": {"ApproximateReceiveCount": str(attempt)},
                "messageAttributes": {}, "md5OfBody": "", "eventSource": "aws:sqs",
                "eventSourceARN": f"arn:aws:sqs:{REGION}:{DEFAULT_ACCOUNT_ID}:{QUEUE}", "awsRegion": REGION,
            }
        ]
    }  # fmt: skip


def test_a_message_delivered_twice_is_sent_once(clients, aws, local, url, new):
    for _ in range(2):
        assert local.handler(delivered(clients, url, new), Context()) == {"batchItemFailures": []}
    assert [call.fields["text"] for call in aws.calls] == ["[우리AI] 신고\n샛별어린이집 12번 사건"]
    receipt = json.loads(clients["s3"].get_object(Bucket="receipts", Key=f"receipts/{new.id}.json")["Body"].read())
    assert receipt["state"] == "sent"
    assert set(receipt) == {"state", "at", "reason"}, "neither text nor address"


@pytest.mark.parametrize(
    ("answer", "attempt", "waits_s"),
    [((500, {}, {}), 1, 15), ((500, {}, {}), 5, 240), ((429, {"Retry-After": "90"}, {}), 1, 90)],
)
def test_what_may_pass_stays_in_the_queue_for_as_long_as_it_should(
    clients, aws, local, url, new, answer, attempt, waits_s
):
    aws.trouble.append(answer)
    event = delivered(clients, url, new, attempt=attempt)
    answered = local.handler(event, Context())
    assert answered == {"batchItemFailures": [{"itemIdentifier": event["Records"][0]["messageId"]}]}
    (kept,) = sqs_backends[DEFAULT_ACCOUNT_ID][REGION].queues[QUEUE]._messages
    again = datetime.fromtimestamp(kept.visible_at / 1000, UTC) - datetime.now(UTC)
    assert timedelta(seconds=waits_s - 5) < again <= timedelta(seconds=waits_s + 1)


def test_a_refused_message_is_acknowledged(clients, aws, local, url, new):
    aws.trouble.append((200, {}, {"ok": False, "error": "channel_not_found"}))
    assert local.handler(delivered(clients, url, new), Context()) == {"batchItemFailures": []}


def test_e_mail_goes_through_ses(clients, local, url, new):
    message = replace(new, medium=Medium.EMAIL, address="officer@example.org")
    assert local.handler(delivered(clients, url, message), Context()) == {"batchItemFailures": []}
    (sent,) = sesv2_backends[DEFAULT_ACCOUNT_ID][REGION].core_backend.sent_messages
    assert sent.source == "uriai@example.org"
    assert sent.destinations["ToAddresses"] == ["officer@example.org"]
    assert (sent.subject, sent.body) == ("[우리AI] 신고", "샛별어린이집 12번 사건")


def test_in_the_cloud_a_messenger_on_this_machine_is_not_called(clients, aws, url, new, monkeypatch):
    """Its secret names one, which whoever can write the secret could use to have the token sent anywhere."""
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    answered = function("notify").handler(delivered(clients, url, new), Context())
    assert len(answered["batchItemFailures"]) == 1
    assert aws.calls == []


def test_no_log_line_holds_an_address_a_text_or_a_token(clients, aws, local, url, new, caplog):
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(local.logger.registered_formatter)
    local.logger.addHandler(handler)
    telegram = replace(new, id=Ulid.new(datetime.now(UTC)), medium=Medium.TELEGRAM)
    events = [delivered(clients, url, message) for message in (new, new, telegram)]
    broken = delivered(clients, url, new)
    broken["Records"][0]["body"] = "xx" + broken["Records"][0]["body"]
    caplog.set_level(logging.DEBUG)
    # boto's own DEBUG prints whole answers, secrets too; nothing of ours switches it on
    caplog.set_level(logging.INFO, "botocore")
    aws.trouble.append((500, {}, {"echo": "C012AB3CD"}))
    for event in events:
        local.handler(event, Context())
    assert len(aws.calls) == 3
    assert local.handler(broken, Context())["batchItemFailures"]
    log = stream.getvalue() + caplog.text
    assert "message settled" in log
    assert "not sent yet" in log
    assert "slack answered 500" in log
    for hidden in ("C012AB3CD", "샛별", "신고", SLACK_TOKEN, TELEGRAM_TOKEN):
        assert hidden not in log
        assert json.dumps(hidden).strip('"') not in log


def test_notify_starts_without_the_database_and_without_its_driver():
    probe = (
        f"import sys; sys.path.insert(0, {str(FUNCTIONS / 'notify')!r}); import app; "
        "print([name for name in sys.modules if name.startswith(('pymysql', 'uriai.adapters.database', 'numpy'))])"
    )
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_missing_variable_is_named():
    with pytest.raises(SettingsError, match=r"RECEIPTS_BUCKET, MESSAGING_SECRET_ARN is not set: .*template\.yaml"):
        NotifySettings.from_environment({})


def test_of_two_that_write_a_receipt_over_the_same_state_one_fails(clients, environment, new):
    receipts, now = S3Receipts(clients["s3"], "receipts"), datetime.now(UTC)
    first = receipts.write(new.id, Receipt(ReceiptState.SENDING, now), over=None)
    with pytest.raises(ReceiptChangedError):
        receipts.write(new.id, Receipt(ReceiptState.SENDING, now), over=None)
    receipts.write(new.id, Receipt(ReceiptState.TRYING, now, "slack answered 500"), over=first)
    with pytest.raises(ReceiptChangedError):
        receipts.write(new.id, Receipt(ReceiptState.SENT, now), over=first)
    found = receipts.find(new.id)
    assert (found.state, found.reason) == (ReceiptState.TRYING, "slack answered 500")
    assert receipts.find(Ulid.new(now)) is None


def test_the_queues_take_messages_and_give_up_what_lies_in_their_dead_letters(clients):
    sqs = clients["sqs"]
    made = {
        name: sqs.create_queue(QueueName=name)["QueueUrl"]
        for medium in Medium
        for name in (f"notify-{medium}", f"notify-{medium}-dead")
    }
    urls = {medium: QueueUrls(made[f"notify-{medium}"], made[f"notify-{medium}-dead"]) for medium in Medium}
    queues = SqsMessageQueues(sqs, urls)
    queues.put(a_message(Medium.KAKAO))
    (received,) = sqs.receive_message(QueueUrl=urls[Medium.KAKAO].queue)["Messages"]
    assert received["Body"] == pack(a_message(Medium.KAKAO))
    assert queues.given_up() == []
    sqs.send_message(QueueUrl=urls[Medium.KAKAO].dead_letters, MessageBody=received["Body"])
    sqs.send_message(QueueUrl=urls[Medium.SLACK].dead_letters, MessageBody="not one of ours")
    (letter,) = queues.given_up()
    assert (letter.message_id, letter.medium) == (a_message().id, Medium.KAKAO)
    queues.forget(letter)
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    left = sqs.get_queue_attributes(QueueUrl=urls[Medium.KAKAO].dead_letters, AttributeNames=names)["Attributes"]
    assert [int(left[name]) for name in names] == [0, 0]
