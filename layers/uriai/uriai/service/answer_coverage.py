"""What is told of coverage: which cameras recorded all of a range, and when the others did not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from uriai.domain.coverage import GRACE, Span, gaps
from uriai.domain.person import Language
from uriai.domain.utterance.calendar import Range
from uriai.service.ports.chat import CameraCoverage
from uriai.service.texts import clock_span, say

HOLES_LISTED = 3
"""Holes told one by one of one camera; there may be hundreds where a camera comes and goes."""


@dataclass(frozen=True, slots=True)
class CoverageTold:
    """``whole``: every camera recorded all of the range that can be known of; ``lines`` say so, or what is missing."""

    whole: bool
    lines: tuple[str, ...]


def tell_coverage(
    language: Language,
    cameras: Sequence[CameraCoverage] | None,
    asked: Range,
    now: datetime,
    *,
    named: bool,
    listed: int,
) -> CoverageTold:
    """Tell of a range what of it was recorded.

    The last minutes before ``now`` are left out, because their records may be under way. Silences of less than half a
    minute are none, as for `watch`.

    Parameters
    ----------
    cameras:
        What they recorded; None where there are too many to look at.
    named:
        Whether every line says which centre.
    listed:
        Cameras with holes told one by one.
    """
    looked_at = Span(asked.start, min(asked.end, now - GRACE))
    if looked_at.start >= looked_at.end:
        return CoverageTold(False, ())
    if cameras is None:
        return CoverageTold(False, (say(language, "coverage_too_wide"),))
    if not cameras:
        return CoverageTold(False, (say(language, "coverage_no_camera"),))
    holes = [(camera, gaps(camera.spans, looked_at)) for camera in cameras]
    dark = [(camera, found) for camera, found in holes if found]
    until = ""
    if looked_at.end < asked.end:
        until = say(language, "coverage_until", until=f"{looked_at.end.astimezone(asked.start.tzinfo):%H:%M}")
    if not dark:
        return CoverageTold(True, (_with(say(language, "coverage_all", total=len(cameras)), until),))
    if len(dark) == len(cameras) and all(found == (looked_at,) for _, found in dark):
        return CoverageTold(False, (say(language, "coverage_none", total=len(cameras)),))
    counted = say(language, "coverage_some", total=len(cameras), whole=len(cameras) - len(dark))
    return CoverageTold(
        False,
        (
            _with(counted, until),
            *(_camera(language, camera, found, looked_at, now, named=named) for camera, found in dark[:listed]),
            *([say(language, "coverage_more", count=len(dark) - listed)] if len(dark) > listed else ()),
        ),
    )


def _with(text: str, until: str) -> str:
    return f"{text} {until}" if until else text


def _camera(
    language: Language,
    camera: CameraCoverage,
    found: Sequence[Span],
    looked_at: Span,
    now: datetime,
    *,
    named: bool,
) -> str:
    """One camera's holes: "2번 카메라: 14:02-14:31 녹화 없음"."""
    place = say(language, "coverage_camera", camera=camera.camera)
    if named:
        place = f"{camera.centre.name} {place}"
    if found == (looked_at,):
        return say(language, "coverage_nothing", camera=place)
    zone = ZoneInfo(camera.centre.time_zone)
    last = looked_at.end - timedelta(microseconds=1)
    days = (last.astimezone(zone).date() - looked_at.start.astimezone(zone).date()).days
    spans = [
        clock_span(
            language,
            hole.start.astimezone(zone),
            hole.end.astimezone(zone),
            now,
            goes_on=hole.end == looked_at.end and now - looked_at.end <= GRACE,
            dated=days > 0,
        )
        for hole in found[:HOLES_LISTED]
    ]
    told = ", ".join(spans)
    if len(found) > HOLES_LISTED:
        told = say(language, "coverage_more_holes", spans=told, count=len(found) - HOLES_LISTED)
    return say(language, "coverage_dark", camera=place, spans=told)
