"""Deletes clips whose period has passed, with what is known of the people in them, and pictures of tampering.

The order makes every crash repairable: the decision is written and audited, then the tombstone lies beside the
manifest, then the objects go, then the rows say so. Whatever was decided and not carried out is taken up again by the
next run.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from uriai.domain.clip import ClipKey
from uriai.domain.identity import evidence_folder
from uriai.domain.manifest import LARGEST_MANIFEST
from uriai.domain.retention import LEAST_DAYS, SETTLED_FOR, Expiry, Kept, judge
from uriai.domain.ulid import Ulid
from uriai.service.ports.clock import Clock
from uriai.service.ports.retention import (
    CameraPeriod,
    Candidate,
    Condemned,
    CondemnedPicture,
    Deletion,
    DeletionRefusedError,
    Expiring,
    ExpiringPictures,
    PictureCandidate,
)

PAGE = 200
GIVE_UP_AFTER = 20
"""Refusals in a row: then it is the store that fails, and not an object."""
_WHY = {
    Expiry.CLEAR: "retention period over, nothing found",
    Expiry.FAILED: "retention period over, not analysable",
    Expiry.DISMISSED: "retention period over, incident dismissed or resolved",
    Expiry.UNPLACED: "retention period over, of no known camera",
}


@dataclass(frozen=True, slots=True)
class Expired:
    """One clip or picture that went, or in a dry run would go, or could not go (``failure``).

    ``clip_id`` is None for the picture of a record of tampering.
    """

    clip_id: Ulid | None
    object_key: str
    reason: Expiry
    received_at: datetime | None = None
    failure: str = ""


@dataclass(slots=True)
class Tally:
    """What a run did with clips and with ``pictures`` of tampering. ``finished``: it saw all before it had to stop."""

    deleted: Counter[Expiry] = field(default_factory=Counter)
    kept: Counter[Kept] = field(default_factory=Counter)
    pictures: Counter[Expiry] = field(default_factory=Counter)
    pictures_kept: Counter[Kept] = field(default_factory=Counter)
    failed: int = 0
    links: int = 0
    finished: bool = False
    failed_in_row: int = 0

    def as_dict(self) -> dict[str, object]:
        """As JSON has it."""
        return {
            "finished": self.finished,
            "deleted": {reason.value: count for reason, count in self.deleted.items()},
            "kept": {reason.value: count for reason, count in self.kept.items()},
            "pictures": {reason.value: count for reason, count in self.pictures.items()},
            "pictures_kept": {reason.value: count for reason, count in self.pictures_kept.items()},
            "failed": self.failed,
            "links": self.links,
        }


@dataclass(frozen=True, slots=True)
class Retention:
    """What a run needs. ``tell`` hears of each clip; ``stop`` says when time is up, asked between two clips.

    ``again``: also where this day's run is finished.
    """

    expiring: Expiring
    deletion: Deletion
    clock: Clock
    tell: Callable[[Expired], None] = lambda expired: None
    stop: Callable[[], bool] = lambda: False
    again: bool = False


class _StopError(Exception):
    """The run ends before it has seen every camera."""


def would_expire(expiring: Expiring, clock: Clock, tell: Callable[[Expired], None]) -> Tally:
    """A dry run: tell what would go and why, and change nothing."""
    tally, now = Tally(), clock.now()
    for period in (*_cameras(expiring, 0), CameraPeriod(0, LEAST_DAYS)):
        for candidate in _candidates(expiring, period, now):
            verdict = _verdict(candidate, now)
            if isinstance(verdict, Kept):
                tally.kept[verdict] += 1
            else:
                tally.deleted[verdict] += 1
                tell(Expired(candidate.clip_id, candidate.object_key, verdict, candidate.received_at))
    for picture in _picture_candidates(expiring.pictures, now):
        verdict = _picture_verdict(picture, now)
        if isinstance(verdict, Kept):
            tally.pictures_kept[verdict] += 1
        else:
            tally.pictures[verdict] += 1
            tell(Expired(None, picture.key.picture, verdict, picture.received_at))
    tally.finished = True
    return tally


def expire_clips(run: Retention) -> Tally | None:
    """Delete what has expired, from where the last run had to stop; None if there is nothing to do now."""
    now = run.clock.now()
    start = run.expiring.begin(now, again=run.again)
    if start is None:
        return None
    tally = Tally()
    try:
        _take_up(run, tally)
        for period in _cameras(run.expiring, start):
            _expire_camera(run, period, tally)
            run.expiring.reached(period.camera_id)
        _expire_camera(run, CameraPeriod(0, LEAST_DAYS), tally)
        _expire_pictures(run, tally)
        tally.links = run.expiring.forget_links(now - SETTLED_FOR, 10_000)
        tally.finished = True
    except _StopError:
        pass
    finally:
        run.expiring.end(run.clock.now(), finished=tally.finished)
    return tally


def _take_up(run: Retention, tally: Tally) -> None:
    """What an earlier run decided and could not carry out."""
    after: Condemned | None = None
    while page := run.expiring.condemned(after, PAGE):
        for clip in page:
            _carry_out(run, clip, None, tally)
        after = page[-1]
    behind: CondemnedPicture | None = None
    while pictures := run.expiring.pictures.condemned(behind, PAGE):
        for picture in pictures:
            _carry_out_picture(run, picture, None, tally)
        behind = pictures[-1]


def _expire_camera(run: Retention, period: CameraPeriod, tally: Tally) -> None:
    now = run.clock.now()
    for candidate in _candidates(run.expiring, period, now):
        verdict = _verdict(candidate, now)
        if isinstance(verdict, Kept):
            tally.kept[verdict] += 1
            continue
        clip = run.expiring.condemn(candidate.clip_id, run.clock.now())
        if clip is not None:
            _carry_out(run, clip, candidate.received_at, tally)


def _expire_pictures(run: Retention, tally: Tally) -> None:
    now = run.clock.now()
    for candidate in _picture_candidates(run.expiring.pictures, now):
        verdict = _picture_verdict(candidate, now)
        if isinstance(verdict, Kept):
            tally.pictures_kept[verdict] += 1
            continue
        picture = run.expiring.pictures.condemn(candidate.record_id, run.clock.now())
        if picture is not None:
            _carry_out_picture(run, picture, candidate.received_at, tally)


def _carry_out(run: Retention, clip: Condemned, received_at: datetime | None, tally: Tally) -> None:
    """Tombstone, objects, rows, in this order."""

    def work() -> None:
        _bury(run.deletion, clip)
        run.deletion.delete_all_versions(clip.objects)
        # also what no row names: a crash before the commit, or an analysis that came too late, may have left it
        run.deletion.delete_below(evidence_folder(clip.clip_id))
        run.expiring.finish(clip, run.clock.now())
        tally.deleted[clip.reason] += 1

    def refused(reason: str) -> None:
        run.expiring.note_refusal(clip.clip_id, reason, run.clock.now())

    _attempt(run, work, refused, Expired(clip.clip_id, clip.object_key, clip.reason, received_at), tally)


def _carry_out_picture(run: Retention, picture: CondemnedPicture, received_at: datetime | None, tally: Tally) -> None:
    """The same order; a picture that never came has no tombstone, for it was not deleted."""

    def work() -> None:
        if run.deletion.exists(picture.key.picture):
            tombstone = _tombstone(picture.manifest.hex(), picture.decided_at, picture.reason)
            run.deletion.put_tombstone(picture.key.tombstone, tombstone)
            run.deletion.delete_all_versions([picture.key.picture])
        run.expiring.pictures.finish(picture, run.clock.now())
        tally.pictures[picture.reason] += 1

    def refused(reason: str) -> None:
        run.expiring.pictures.note_refusal(picture, reason, run.clock.now())

    _attempt(run, work, refused, Expired(None, picture.key.picture, picture.reason, received_at), tally)


def _attempt(
    run: Retention, work: Callable[[], None], refused: Callable[[str], None], expired: Expired, tally: Tally
) -> None:
    """Carry a decision out. What fails is noted and tried again by the next run."""
    if run.stop():
        raise _StopError
    try:
        work()
    except DeletionRefusedError as error:
        refused(str(error))
        expired = replace(expired, failure=str(error))
        tally.failed += 1
        tally.failed_in_row += 1
    else:
        tally.failed_in_row = 0
    run.tell(expired)
    if tally.failed_in_row == GIVE_UP_AFTER:
        raise _StopError


def _bury(deletion: Deletion, clip: Condemned) -> None:
    """Lay the tombstone beside the manifest; a clip without one has no record that could miss it."""
    try:
        key = ClipKey.parse(clip.object_key)
    except ValueError:
        return
    manifest = deletion.read_small(key.manifest, limit=LARGEST_MANIFEST)
    if manifest is None:
        return
    deletion.put_tombstone(
        key.tombstone, _tombstone(hashlib.sha256(manifest).hexdigest(), clip.decided_at, clip.reason)
    )


def _tombstone(manifest_sha256: str, decided_at: datetime, reason: Expiry) -> bytes:
    """What lies beside a manifest whose file was deleted; the same bytes however often it is made."""
    told = {
        "v": 1,
        "manifest": manifest_sha256,
        "deleted_at": decided_at.isoformat(timespec="microseconds"),
        "reason": _WHY[reason],
    }
    return json.dumps(told, separators=(",", ":")).encode()


def _cameras(expiring: Expiring, after: int) -> Iterator[CameraPeriod]:
    while page := expiring.cameras(after, PAGE):
        yield from page
        after = page[-1].camera_id


def _candidates(expiring: Expiring, period: CameraPeriod, now: datetime) -> Iterator[Candidate]:
    """Clips whose period has passed; camera 0 stands for no camera."""
    after: Candidate | None = None
    before = now - timedelta(days=period.days)
    while page := expiring.candidates(period.camera_id or None, before, after, PAGE):
        yield from page
        after = page[-1]


def _verdict(candidate: Candidate, now: datetime) -> Expiry | Kept:
    placed = candidate.camera_id is not None
    return judge(analysed=candidate.analysed, placed=placed, involved=candidate.involved, now=now)


def _picture_candidates(pictures: ExpiringPictures, now: datetime) -> Iterator[PictureCandidate]:
    after: PictureCandidate | None = None
    while page := pictures.candidates(now, after, PAGE):
        yield from page
        after = page[-1]


def _picture_verdict(picture: PictureCandidate, now: datetime) -> Expiry | Kept:
    return judge(analysed=True, placed=picture.placed, involved=picture.involved, now=now)
