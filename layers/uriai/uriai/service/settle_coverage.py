"""Keeps what is known of a camera's coverage, and puts the holes between on file. Inside the caller's transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from uriai.domain.coverage import GRACE, JOINS, LEAST_HOLE, Claim, Span, gaps
from uriai.domain.ulid import Ulid
from uriai.service.ports.records import CameraWatch, Cause, Coverage, Hole


def count_claim(
    coverage: Coverage, camera_id: int, known: CameraWatch | None, claim: Claim, number: int, now: datetime
) -> CameraWatch:
    """Count what a verified claim says of one of its cameras; what is known of the camera now.

    The same claim again, or several in any order, leave the same spans and the same holes. ``known`` is what was known
    of the camera, None for one that no record has named yet.
    """
    watch = _expected(camera_id, known, claim)
    spans = claim.cameras[number]
    more = coverage.add(camera_id, spans)
    until = max([watch.covered_until, *(span.end for span in spans)])
    if _goes_on(watch, spans):
        watch = replace(watch, covered_until=until, settled_until=until)
    else:
        watch = replace(watch, covered_until=until)
        # a span that was missing may be older than everything that is on file; a silence changes nothing by itself
        changed = Span(spans[0].start, spans[-1].end) if more and spans else None
        if changed or watch.settled_until < watch.covered_until or watch != known:
            watch = settle(coverage, watch, now, changed=changed)
        coverage.explain(camera_id, claim.span, Cause.AGENT_DOWN if claim.down else Cause.CAMERA_SILENT)
    if watch != known:
        coverage.save(watch)
    return watch


def settle(
    coverage: Coverage,
    watch: CameraWatch,
    now: datetime,
    *,
    changed: Span | None = None,
    cause: Cause = Cause.NO_RECORDS,
) -> CameraWatch:
    """Bring the holes on file in line with what the camera recorded; what is known of it now.

    A silence that began less than `GRACE` ago is left for later: its record may be under way.

    Parameters
    ----------
    changed:
        What has just been added to the camera's spans, None where only time has passed.
    cause:
        Of holes that nobody knew of.
    """
    horizon = now - GRACE
    first = min(watch.settled_until, changed.start) if changed else watch.settled_until
    start = max(coverage.start_before(watch.camera_id, first) or watch.expected_from, watch.expected_from)
    following = None
    if changed and changed.end < watch.settled_until:
        # a late record: beyond the next span everything is as it was
        following = coverage.start_from(watch.camera_id, changed.end + JOINS)
    looked_at = Span(start, following or watch.covered_until)
    silences = gaps(coverage.spans(watch.camera_id, looked_at), looked_at)
    wanted = [gap for gap in silences if gap.start <= horizon]
    open_end = None
    if following is None and watch.covered_until <= horizon:
        open_end = max(now, watch.covered_until)
        wanted.append(Span(watch.covered_until, open_end))
        looked_at = Span(start, open_end)
    on_file = coverage.holes(watch.camera_id, looked_at)
    changes, rest = _lined_up(on_file, wanted, open_end, now)
    new = [Hole(Ulid.new(now), watch.camera_id, gap.start, _ended(gap, open_end), cause) for gap in rest]
    for hole in (*changes, *new):
        coverage.put(hole, now)
    if following is not None:
        return watch
    return replace(
        watch,
        settled_until=next((gap.start for gap in silences if gap.start > horizon), watch.covered_until),
        dark_since=watch.covered_until if open_end else None,
    )


def _expected(camera_id: int, known: CameraWatch | None, claim: Claim) -> CameraWatch:
    if known is None:
        return CameraWatch(camera_id, claim.span.start, claim.span.start, claim.span.start)
    if claim.span.start < known.expected_from and not claim.refused:
        return replace(known, expected_from=claim.span.start, settled_until=claim.span.start)
    return known


def _goes_on(watch: CameraWatch, spans: Sequence[Span]) -> bool:
    """Whether the claim continues the coverage without a hole, as nearly every one does: none has to be looked for."""
    return (
        len(spans) == 1
        and watch.dark_since is None
        and watch.settled_until >= watch.covered_until
        and watch.covered_until - JOINS <= spans[0].start < watch.covered_until + LEAST_HOLE
    )


def _lined_up(
    on_file: Sequence[Hole], wanted: Sequence[Span], open_end: datetime | None, now: datetime
) -> tuple[list[Hole], list[Span]]:
    """Changes of the holes on file so that they are the ones that are wanted, and what is wanted beyond them.

    A hole on file keeps its row as long as anything is left of it: what it shrinks to is the same hole, of which people
    have been told. A second part of it gets a row that says so; one of which nothing is left is filled.
    """
    changes, rest = [], list(wanted)
    for hole in on_file:
        whole = Span(hole.began_at, hole.ended_at or datetime.max.replace(tzinfo=UTC))
        parts = [gap for gap in rest if gap.overlaps(whole)]
        rest = [gap for gap in rest if gap not in parts]
        if not parts:
            changes.append(replace(hole, ended_at=hole.ended_at or hole.began_at, filled=True))
        for index, gap in enumerate(parts):
            part = replace(hole, began_at=gap.start, ended_at=_ended(gap, open_end))
            if index:
                part = replace(part, id=Ulid.new(now), split_from=hole.id)
            if part != hole:
                changes.append(part)
    return changes, rest


def _ended(gap: Span, open_end: datetime | None) -> datetime | None:
    """Where the hole ended; None where it reaches to the present."""
    return None if gap.end == open_end else gap.end
