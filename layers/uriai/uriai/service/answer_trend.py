"""Answers about when incidents come about, and how far they can be relied on.

Reliability is counted from experts' decisions: of what they decided on, how much they confirmed, by kind, camera and
hour of the week. What was reported without a person says nothing about it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from datetime import datetime, time, timedelta
from typing import TypeVar

from uriai.domain.utterance.calendar import Range
from uriai.service import phrases
from uriai.service.answer_period import rests_on_what
from uriai.service.asked import Asked, ask_range, heading
from uriai.service.dialogue import Answer
from uriai.service.ports.chat import Moment

LONGEST_BAR = 12
DAYS_LISTED = 31
SLOTS_LISTED = 3
LEAST_DECIDED = 5
"""Fewer decisions on a camera or a slot are no proportion."""
LOOKED_BACK_DAYS = 90
"""How far experts' decisions are looked at where no period is named."""

_RELIABILITY = re.compile(
    r"정밀도|정확|신뢰|믿을\s*만|오탐|오경보|\bprecision\b|\breliab|\bfalse alarms?\b|\baccura", re.IGNORECASE
)
Key = TypeVar("Key", bound=Hashable)


def trend_of_period(asked: Asked) -> Answer:
    """How many a day and at which hours of the week; or, if that is asked, how reliable they are."""
    reliability = _RELIABILITY.search(asked.understanding.text) is not None
    span = asked.understanding.range
    if span is None and reliability:
        tomorrow = datetime.combine(asked.now.date() + timedelta(days=1), time(0), asked.now.tzinfo)
        first = datetime.combine(tomorrow.date() - timedelta(days=LOOKED_BACK_DAYS), time(0), asked.now.tzinfo)
        span = Range(first, tomorrow)
    if span is None:
        return ask_range(asked)
    moments = asked.chat.questions.moments(asked.person, asked.about(span))
    if moments is None:
        return asked.answer(heading(asked, span), asked.say("trend_too_wide"))
    return _reliability(asked, span, moments) if reliability else _trend(asked, span, moments)


def _trend(asked: Asked, span: Range, moments: Sequence[Moment]) -> Answer:
    total = sum(moment.count for moment in moments)
    if total == 0:
        return asked.answer(heading(asked, span), asked.say("found_none"), *rests_on_what(asked, span, found=False))
    slots = _counted(moments, lambda moment: _slot(asked, moment)).most_common(SLOTS_LISTED)
    return asked.answer(
        heading(asked, span),
        asked.say("trend_total", count=total),
        *_days(asked, span, moments),
        asked.say(
            "trend_slots", slots=", ".join(asked.say("slot_count", slot=slot, count=count) for slot, count in slots)
        ),
        *rests_on_what(asked, span, found=True),
    )


def _days(asked: Asked, span: Range, moments: Sequence[Moment]) -> list[str]:
    """A line a day with a bar; of a longer period only the days that had any, the strongest of them."""
    counts = _counted(moments, lambda moment: moment.at.astimezone(span.start.tzinfo).date())
    first, last = span.start.date(), (min(span.end, asked.now) - timedelta(microseconds=1)).date()
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    if len(days) > DAYS_LISTED:
        days = sorted(day for day, _ in counts.most_common(DAYS_LISTED))
    most = max(counts.values())
    return [
        asked.say(
            "trend_day",
            day=f"{day:%m-%d}",
            bar="█" * round(counts[day] / most * LONGEST_BAR) or ("▏" if counts[day] else "·"),
            count=counts[day],
        )
        for day in days
    ]


def _reliability(asked: Asked, span: Range, moments: Sequence[Moment]) -> Answer:
    decided = [moment for moment in moments if moment.confirmed is not None]
    if not decided:
        return asked.answer(heading(asked, span), asked.say("reliability_none"))
    slots = sorted(
        _shares(decided, lambda moment: _slot(asked, moment)), key=lambda one: (-one[1] / one[2], -one[2], one[0])
    )
    cameras = _shares(decided, lambda moment: asked.say("camera_filter", cameras=moment.camera))
    _, confirmed, count = _share("", decided)
    return asked.answer(
        heading(asked, span),
        asked.say("reliability", decided=count, confirmed=confirmed, percent=phrases.percent(confirmed / count)),
        *(
            _line(asked, *share)
            for share in _shares(decided, lambda moment: phrases.kind_name(asked.language, moment.kind))
        ),
        *(_line(asked, *share) for share in cameras if len(asked.chosen) == 1 and share[2] >= LEAST_DECIDED),
        asked.say("reliability_slots") if any(share[2] >= LEAST_DECIDED for share in slots) else "",
        *[_line(asked, *share) for share in slots if share[2] >= LEAST_DECIDED][:SLOTS_LISTED],
        asked.say("reliability_few", least=LEAST_DECIDED),
    )


def _slot(asked: Asked, moment: Moment) -> str:
    """The hour of the week on the clock that the question was read by: "화요일 14-15시"."""
    at = moment.at.astimezone(asked.now.tzinfo)
    return asked.say("slot", weekday=asked.say(f"weekday_{at.weekday()}"), hour=at.hour, until=at.hour + 1)


def _counted(moments: Sequence[Moment], key: Callable[[Moment], Key]) -> Counter[Key]:
    counts: Counter[Key] = Counter()
    for moment in moments:
        counts[key(moment)] += moment.count
    return counts


def _shares(moments: Sequence[Moment], key: Callable[[Moment], str]) -> list[tuple[str, int, int]]:
    """(what, confirmed, decided) of each, the most decided first."""
    groups: dict[str, list[Moment]] = {}
    for moment in moments:
        groups.setdefault(key(moment), []).append(moment)
    return sorted((_share(name, group) for name, group in groups.items()), key=lambda share: (-share[2], share[0]))


def _share(name: str, moments: Sequence[Moment]) -> tuple[str, int, int]:
    return name, sum(moment.count for moment in moments if moment.confirmed), sum(moment.count for moment in moments)


def _line(asked: Asked, name: str, confirmed: int, decided: int) -> str:
    percent = phrases.percent(confirmed / decided)
    return asked.say("reliability_line", name=name, confirmed=confirmed, decided=decided, percent=percent)
