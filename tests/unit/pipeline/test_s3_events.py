"""S3's notifications as they come from SQS."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from urllib.parse import quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uriai.adapters.s3_events import NotificationError, arrivals


def notification(key: str, name: str = "ObjectCreated:Put", at: str = "2026-11-22T03:00:00.000Z") -> str:
    return json.dumps({"Records": [{"eventName": name, "eventTime": at, "s3": {"object": {"key": key, "size": 5}}}]})


def test_a_created_object_is_an_arrival_at_the_stores_time():
    (arrival,) = arrivals(notification("clips/g/1/2026-11-22/01KB2WXYZ0000000000000000A.mp4"))
    assert arrival.key == "clips/g/1/2026-11-22/01KB2WXYZ0000000000000000A.mp4"
    assert arrival.at == datetime(2026, 11, 22, 3, tzinfo=UTC)


@given(st.text(min_size=1, max_size=60).filter(lambda text: text.isprintable()))
def test_a_key_comes_back_whatever_characters_it_has(key):
    assert arrivals(notification(quote_plus(key)))[0].key == key


def test_the_test_event_of_a_new_queue_and_deletions_tell_of_nothing():
    assert arrivals(json.dumps({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "b"})) == ()
    assert arrivals(notification("x", "ObjectRemoved:Delete")) == ()


def test_the_prefix_of_the_emulator_and_of_eventbridge_is_understood():
    assert len(arrivals(notification("x", "s3:ObjectCreated:CompleteMultipartUpload"))) == 1


@pytest.mark.parametrize(
    "body",
    [
        "",
        "x",
        "[]",
        "{}",
        '{"Records": 5}',
        notification("x", at="never"),
        '{"Records":[{"eventName":"ObjectCreated:Put"}]}',
    ],
)
def test_anything_else_is_refused(body):
    with pytest.raises(NotificationError):
        arrivals(body)
