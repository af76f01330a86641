"""Has the day's summary sent to those whose time has come: queued for `answer` as if they had asked. For `watch`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from zoneinfo import ZoneInfo

from uriai.domain.telling import next_at_minute
from uriai.service.ports.clock import Clock
from uriai.service.ports.later import Job, Later
from uriai.service.ports.subscriptions import Subscriptions
from uriai.service.texts import say

AT_ONCE = 500
"""Summaries queued in one round: what is more waits for the next minute's."""
WAITED_FOR = timedelta(hours=1)
"""A summary that is later than this is not sent any more."""
NOON = 720


@dataclass(frozen=True, slots=True)
class Digests:
    """What sending summaries needs of the outside."""

    subscriptions: Subscriptions
    later: Later
    clock: Clock


def send_digests(digests: Digests, stop: Callable[[], bool] = lambda: False) -> int:
    """Queue every summary that is due; how many.

    Before noon it is about yesterday, after it about today. A crash between the two steps queues it again under the
    same key, which `answer` answers once.
    """
    sent = 0
    for one in digests.subscriptions.due(digests.clock.now(), AT_ONCE):
        if stop():
            break
        text = say(one.language, "digest_yesterday" if one.minute < NOON else "digest_today")
        key = f"digest:{one.user}:{one.next_at.isoformat()}"
        address = one.user.rpartition("/")[2]
        digests.later.put(Job(one.platform, one.user, text, one.base_url, key, "", address, one.next_at + WAITED_FOR))
        now = max(digests.clock.now(), one.next_at + timedelta(minutes=1))
        digests.subscriptions.move(one, next_at_minute(one.minute, now, ZoneInfo(one.time_zone)))
        sent += 1
    return sent
