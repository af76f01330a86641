"""``neglect``: suspected neglect, from one person apart from the group for long, with a distressed face.

It runs over contiguous clips, and says of each clip by itself what that clip shows of it: such a part depends on the
clips around it only in whether it is there and how certain it is, never in its span. So parts keep their ids in
whatever order clips arrive. docs/decisions has a page on it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from uriai.domain.analysis import Observations
from uriai.domain.finding import Finding
from uriai.domain.rules.apartness import UNSEEN_MS, Piece, joined_at_seam, pieces
from uriai.domain.rules.faces import DISTRESS, FaceLook, is_adult, look_at, milliseconds
from uriai.domain.thresholds import Thresholds, bounds
from uriai.domain.words import Kind, Verdict

REACH_S = bounds("neglect_least_s")[1]
"""A clip farther than this from a part, by whatever thresholds, has no say in it."""


@dataclass(frozen=True, slots=True)
class PlacedClip:
    """A clip of a camera: ``start_s`` counts from any moment that all clips share; the thresholds are those that were
    in force when it started.
    """

    start_s: float
    observations: Observations
    thresholds: Thresholds


@dataclass(frozen=True, slots=True)
class _Part:
    """A piece of a clip on the common clock, with the looks at a distressed face in it (``t_ms`` on that clock)."""

    clip: int
    track: int
    start_ms: int
    end_ms: int
    distressed: tuple[FaceLook, ...]


def find(clips: Sequence[PlacedClip]) -> tuple[tuple[Finding, ...], ...]:
    """The findings of each clip, in the order in which the clips are given; spans count from the clip's own start.

    Clips whose end and start are no more than 3 s apart are contiguous, and tracks are joined across such a seam by the
    overlap of their boxes only. A part of a clip is a finding where, with what is contiguous to it, somebody was apart
    for ``neglect_least_s`` and had a distressed face in the part or within that time of it. Each part is judged by its
    own clip's thresholds. Never more than a ``review``. Raising the probability of a distressed emotion never removes
    or weakens a finding.
    """
    found: list[list[Finding]] = [[] for _ in clips]
    for run in _runs(clips):
        for part in run:
            finding = _finding(part, run, clips[part.clip])
            if finding is not None:
                found[part.clip].append(finding)
    return tuple(_one_a_span(of_clip) for of_clip in found)


def matters(observations: Observations, thresholds: Thresholds) -> bool:
    """Whether the clip can change what neglect is found in it or in its neighbours: whether anybody is apart in it."""
    return bool(pieces(observations, thresholds))


def _one_a_span(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """By start; of two people who were apart from and to the same look, the one that is the more certain case."""
    best: dict[tuple[float, float], Finding] = {}
    for finding in sorted(findings, key=lambda f: (f.confidence, str(f.basis))):
        best[finding.start_s, finding.end_s] = finding
    return tuple(best[span] for span in sorted(best))


def _runs(clips: Sequence[PlacedClip]) -> list[list[_Part]]:
    """The parts that belong together, each run in order of time."""
    order = sorted(range(len(clips)), key=lambda i: (clips[i].start_s, clips[i].observations.duration_s))
    runs: list[list[_Part]] = []
    reaching: dict[int, dict[int, list[_Part]]] = {}
    for position, index in enumerate(order):
        clip = clips[index]
        continued: dict[int, list[_Part]] = {}
        for earlier in order[:position]:
            if abs(_gap_ms(clips[earlier], clip)) <= UNSEEN_MS:
                joined = joined_at_seam(clips[earlier].observations, clip.observations)
                for track, after in joined.items():
                    if track in reaching[earlier]:
                        continued.setdefault(after, reaching[earlier][track])
        reaching[index] = {}
        for piece in pieces(clip.observations, clip.thresholds):
            part = _part(index, piece, clip)
            run = continued.get(piece.track, []) if piece.open_before else []
            if run and part.start_ms - run[-1].end_ms <= UNSEEN_MS:
                run.append(part)
            else:
                run = [part]
                runs.append(run)
            if piece.open_after:
                reaching[index][piece.track] = run
    return runs


def _gap_ms(before: PlacedClip, after: PlacedClip) -> int:
    """From the end of one to the start of the other; below zero where they overlap."""
    return milliseconds(after.start_s) - milliseconds(before.start_s) - milliseconds(before.observations.duration_s)


def _part(index: int, piece: Piece, clip: PlacedClip) -> _Part:
    origin_ms = milliseconds(clip.start_s)
    looks = (
        look_at(face, DISTRESS) for face in clip.observations.faces if face.track == piece.track and not is_adult(face)
    )
    distressed = [
        FaceLook(origin_ms + look.t_ms, look.track, look.emotion, look.probability)
        for look in looks
        if piece.start_ms <= look.t_ms <= piece.end_ms and look.probability >= clip.thresholds.neglect_distress
    ]
    return _Part(
        index, piece.track, origin_ms + piece.start_ms, origin_ms + piece.end_ms,
        tuple(sorted(distressed, key=lambda look: (look.t_ms, look.emotion, look.probability))),
    )  # fmt: skip


def _finding(part: _Part, run: Sequence[_Part], clip: PlacedClip) -> Finding | None:
    least_ms = milliseconds(clip.thresholds.neglect_least_s)
    # what lies farther off has no say, so that a part is the same however long the run becomes
    from_ms, to_ms = part.start_ms - least_ms, part.end_ms + least_ms
    apart_from_ms, apart_to_ms = max(run[0].start_ms, from_ms), min(max(p.end_ms for p in run), to_ms)
    distressed = [look for other in run for look in other.distressed if from_ms <= look.t_ms <= to_ms]
    if apart_to_ms - apart_from_ms < least_ms or not distressed:
        return None
    origin_ms = milliseconds(clip.start_s)
    strongest = max(distressed, key=lambda look: (look.probability, -look.t_ms))
    own = max(part.distressed, key=lambda look: (look.probability, -look.t_ms), default=None)
    return Finding(
        kind=Kind.NEGLECT,
        start_s=(part.start_ms - origin_ms) / 1000,
        end_s=(part.end_ms - origin_ms) / 1000,
        confidence=strongest.probability,
        verdict=Verdict.REVIEW,
        thresholds=clip.thresholds.of(Kind.NEGLECT),
        basis={
            "peak_s": ((own.t_ms if own else (part.start_ms + part.end_ms) // 2) - origin_ms) / 1000,
            "track": part.track,
            "apart_from_s": (apart_from_ms - origin_ms) / 1000,
            "apart_to_s": (apart_to_ms - origin_ms) / 1000,
            "emotion": strongest.emotion,
            "distressed_s": (strongest.t_ms - origin_ms) / 1000,
            "distressed_looks": len(distressed),
        },
    )
