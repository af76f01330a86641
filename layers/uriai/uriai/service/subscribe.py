"""Asking in a chat for the day's summary every day, and stopping it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

from uriai.domain.person import Person, Platform
from uriai.domain.telling import next_at_minute
from uriai.domain.utterance.normalise import normalise
from uriai.domain.utterance.timetable import daily_minute
from uriai.service.dialogue import Answer
from uriai.service.ports.subscriptions import Subscription, Subscriptions
from uriai.service.texts import say

_OFFERED = ("subscribe_morning", "subscribe_evening")


def subscribe(
    answer: Answer, person: Person, chat: tuple[Platform, str, str], zone: ZoneInfo, now: datetime, kept: Subscriptions
) -> Answer:
    """Have the summary sent at the time that was named; ask for it where none was, or only half of one.

    Parameters
    ----------
    answer:
        What the engine made of the text.
    chat:
        The platform, its name for the person, and what links start with.
    zone:
        Of the person's centres.
    """
    language = answer.language
    minute = daily_minute(normalise(answer.understanding.text).lower())
    if not isinstance(minute, int):
        key = "subscribe_when" if minute is None else f"problem_{minute.value}"
        offers = tuple(say(language, offer) for offer in _OFFERED)
        return replace(answer, text=say(language, key), suggestions=offers)
    platform, user, base_url = chat
    due = next_at_minute(minute, now, zone)
    kept.put(person, Subscription(platform, user, minute, zone.key, base_url, due, language), now)
    clock = f"{minute // 60:02}:{minute % 60:02}"
    day = say(language, "subscribe_today" if minute >= 720 else "subscribe_yesterday")
    text = say(language, "subscribed", clock=clock, zone=due.astimezone(zone).tzname(), day=day)
    return replace(answer, text=text, suggestions=(say(language, "suggest_stop"),))


def unsubscribe(
    answer: Answer, person: Person, platform: Platform, user: str, now: datetime, kept: Subscriptions
) -> Answer:
    """Send it no more."""
    stopped = kept.stop(person, platform, user, now)
    text = say(answer.language, "unsubscribed" if stopped else "not_subscribed")
    return replace(answer, text=text, suggestions=(say(answer.language, "subscribe_morning"),))
