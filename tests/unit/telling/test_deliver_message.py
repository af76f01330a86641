"""One message, one sending, however often and by however many it is delivered."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.pipeline.fakes import StoppedClock
from tests.unit.telling.fakes import ReceiptsInMemory, ScriptedMessenger, a_message
from uriai.service.deliver_message import LEASE, LONGEST_WAIT_S, Post, deliver_message, wait_s
from uriai.service.ports.messaging import ReceiptState, RefusedError, TryAgainError

MESSAGE = a_message()
MAX_RECEIVES = 20


def office(*answers):
    messenger = ScriptedMessenger(*answers)
    return messenger, Post(lambda medium: messenger, ReceiptsInMemory(), StoppedClock())


def test_a_message_delivered_three_times_is_sent_once():
    messenger, post = office()
    states = [deliver_message(MESSAGE, post).state for _ in range(3)]
    assert states == [ReceiptState.SENT] * 3
    assert messenger.sent == [MESSAGE]


def test_a_refused_message_is_not_tried_again_and_says_why():
    messenger, post = office(RefusedError("slack: channel_not_found"))
    for _ in range(2):
        receipt = deliver_message(MESSAGE, post)
        assert (receipt.state, receipt.reason) == (ReceiptState.REFUSED, "slack: channel_not_found")
    assert messenger.sent == []


def test_what_failed_is_tried_again_and_its_receipt_says_what_happened():
    messenger, post = office(TryAgainError("slack answered 500"))
    with pytest.raises(TryAgainError):
        deliver_message(MESSAGE, post)
    assert post.receipts.find(MESSAGE.id).state is ReceiptState.TRYING
    assert post.receipts.find(MESSAGE.id).reason == "slack answered 500"
    assert deliver_message(MESSAGE, post).state is ReceiptState.SENT
    assert messenger.sent == [MESSAGE]


def test_while_one_is_sending_nobody_else_does_and_after_a_crash_somebody_does():
    class DiedError(Exception):
        pass

    messenger, post = office(DiedError())
    with pytest.raises(DiedError):
        deliver_message(MESSAGE, post)
    with pytest.raises(TryAgainError, match="another attempt"):
        deliver_message(MESSAGE, post)
    assert messenger.sent == []
    post.clock.instant += LEASE
    assert deliver_message(MESSAGE, post).state is ReceiptState.SENT


def test_eight_at_the_same_moment_send_once():
    start = threading.Barrier(8)

    class Together(ReceiptsInMemory):
        def __init__(self) -> None:
            super().__init__()
            self._lock = threading.Lock()

        def find(self, message_id):
            found = super().find(message_id)
            if found is None:
                # all of them have seen that there is no receipt before the first writes one
                start.wait(10)
            return found

        def write(self, message_id, receipt, *, over):
            with self._lock:
                return super().write(message_id, receipt, over=over)

    messenger = ScriptedMessenger()
    post = Post(lambda medium: messenger, Together(), StoppedClock())
    outcomes = []

    def run():
        try:
            outcomes.append(deliver_message(MESSAGE, post).state)
        except TryAgainError as error:
            outcomes.append(str(error))

    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(messenger.sent) == 1
    assert sorted(map(str, outcomes)) == ["another attempt began to send it"] * 7 + ["sent"]


@given(st.lists(st.sampled_from(["again", "die", "ok"]), max_size=12))
def test_whatever_happens_to_attempts_what_was_taken_is_never_sent_again(script):
    class DiedError(Exception):
        pass

    answers = [{"again": TryAgainError("x"), "die": DiedError(), "ok": None}[one] for one in script]
    messenger, post = office(*answers)
    for _ in range(len(script) + 1):
        try:
            deliver_message(MESSAGE, post)
        except (TryAgainError, DiedError):
            post.clock.instant += LEASE
    assert messenger.sent == [MESSAGE]


def test_a_channel_that_answers_500_for_an_hour_gets_its_message_after_that_hour():
    messenger, post = office()
    begun, down_until = post.clock.instant, post.clock.instant + timedelta(hours=1)
    for attempt in range(1, MAX_RECEIVES + 1):
        if post.clock.instant < down_until:
            messenger._answers.append(TryAgainError("slack answered 500"))
        try:
            receipt = deliver_message(MESSAGE, post)
            break
        except TryAgainError as error:
            post.clock.instant += timedelta(seconds=wait_s(attempt, error.after_s))
    assert receipt.state is ReceiptState.SENT
    assert down_until <= post.clock.instant <= down_until + timedelta(seconds=LONGEST_WAIT_S)
    assert messenger.sent == [MESSAGE]
    assert attempt < MAX_RECEIVES, begun


def test_all_attempts_together_outlast_two_hours():
    assert sum(wait_s(attempt, None) for attempt in range(1, MAX_RECEIVES)) > 2 * 3600


@pytest.mark.parametrize(
    ("attempt", "asked", "waits"),
    [
        (1, None, 15.0),
        (2, None, 30.0),
        (1, 40.0, 40.0),
        (1, 3.0, 15.0),
        (3, 5000.0, 600.0),
        (9, None, 600.0),
        (999, None, 600.0),
    ],
)
def test_a_platforms_wish_to_wait_is_respected_within_reason(attempt, asked, waits):
    assert wait_s(attempt, asked) == waits
