"""The queues between `watch` and `notify`: one a medium, each with a dead-letter queue."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config

from uriai.adapters.messaging.envelope import EnvelopeError, pack, unpack
from uriai.domain.telling import Medium
from uriai.service.ports.messaging import GivenUp, Message, MessageQueues
from uriai.settings import QueueUrls

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

LONGEST_VISIBILITY_S = 43_200


def sqs_client() -> SQSClient:
    """A client that gives up in time for the next round."""
    return boto3.client(
        "sqs", config=Config(connect_timeout=3, read_timeout=5, retries={"max_attempts": 3, "mode": "standard"})
    )


class SqsMessageQueues(MessageQueues):
    """Queues in SQS, by medium."""

    def __init__(self, client: SQSClient, urls: Mapping[Medium, QueueUrls]) -> None:
        self._client = client
        self._urls = urls

    def put(self, message: Message) -> None:
        """Queue it."""
        self._client.send_message(QueueUrl=self._urls[message.medium].queue, MessageBody=pack(message))

    def given_up(self) -> Sequence[GivenUp]:
        """At most ten of each medium's dead letters; what is no message of ours stays where it is, for people."""
        found = []
        for medium, urls in self._urls.items():
            answer = self._client.receive_message(
                QueueUrl=urls.dead_letters, MaxNumberOfMessages=10, VisibilityTimeout=300
            )
            for letter in answer.get("Messages", []):
                try:
                    message = unpack(letter["Body"])
                except EnvelopeError:
                    continue
                found.append(GivenUp(message.id, medium, letter["ReceiptHandle"]))
        return found

    def forget(self, one: GivenUp) -> None:
        """Take a dead letter out of its queue."""
        self._client.delete_message(QueueUrl=self._urls[one.medium].dead_letters, ReceiptHandle=one.handle)


def postpone(client: SQSClient, queue_arn: str, handle: str, seconds: float) -> None:
    """Have a message that is being worked on come again after so many seconds."""
    url = client.get_queue_url(QueueName=queue_arn.rpartition(":")[2])["QueueUrl"]
    client.change_message_visibility(
        QueueUrl=url, ReceiptHandle=handle, VisibilityTimeout=min(LONGEST_VISIBILITY_S, max(1, round(seconds)))
    )
