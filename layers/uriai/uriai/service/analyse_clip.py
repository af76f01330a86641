"""Analyses one clip that arrived: to its analysis, findings, incidents and evidence, or to the reason why not.

docs/failures.md has the table of inputs and outcomes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from functools import partial

from uriai.domain.clip import ManifestStatus
from uriai.domain.finding import Finding
from uriai.domain.identity import AnalysisKey
from uriai.domain.incident import Incident
from uriai.domain.manifest import LARGEST_MANIFEST, ManifestCheck, check_manifest, clip_span
from uriai.domain.threshold_history import ThresholdEntry
from uriai.domain.ulid import Ulid
from uriai.domain.words import Verdict
from uriai.service.file_incident import file_incident
from uriai.service.file_unverified import file_unverified
from uriai.service.judge_clip import Judgement, NewClip, Surroundings, judge, look_around, still_so
from uriai.service.keep_evidence import PlayedClip, keep_evidence
from uriai.service.locate_clip import Arrival, Located, Unplaced, locate_clip
from uriai.service.ports.clips import ClipMissingError, ClipStore, ClipTooLargeError, FetchedClip, SignatureChecker
from uriai.service.ports.clock import Clock
from uriai.service.ports.repositories import (
    AnalysedClip,
    AnalysisState,
    ClipFacts,
    ClipRow,
    EvidenceRow,
    Failure,
    FindingRow,
    Repositories,
    Transactions,
)
from uriai.service.ports.vision import ClipAnalyser, NotAVideo

MOST_ROUNDS = 20
"""So often a clip is judged anew because one around it was analysed meanwhile, before its message is retried."""


class RestlessNeighboursError(Exception):
    """The clips around one kept being analysed while it was judged: worth another attempt later."""


class State(StrEnum):
    """How it ended."""

    DONE = "done"
    ALREADY_DONE = "already_done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one arrival. ``failure`` is there for FAILED only; ``incidents``: what its findings, and its
    failing verification, are part of.
    """

    state: State
    clip_id: Ulid
    verdict: Verdict | None = None
    manifest: ManifestStatus | None = None
    failure: Failure | None = None
    findings: int = 0
    incidents: tuple[Incident, ...] = ()


@dataclass(frozen=True, slots=True)
class Outside:
    """Everything outside that analysing a clip needs."""

    clips: ClipStore
    analyser: ClipAnalyser
    signatures: SignatureChecker
    transactions: Transactions
    clock: Clock


@dataclass(frozen=True, slots=True)
class _Seen:
    """What was learned of a clip outside the database; ``new`` is what the rules judge."""

    clip: PlayedClip
    facts: ClipFacts
    new: NewClip

    @property
    def span(self) -> tuple[datetime, datetime]:
        return self.new.started_at, self.new.ended_at


@dataclass(frozen=True, slots=True)
class _Filing:
    """A finding ready to be filed in one transaction. ``neighbour``: the clip it is about, where that is another one
    than the one analysed.
    """

    finding: FindingRow
    evidence: tuple[EvidenceRow, ...]
    verified: bool
    neighbour: Ulid | None = None


@dataclass(frozen=True, slots=True)
class _Unread:
    """What is known of a clip that cannot be looked at: its place, its facts, when it was recorded."""

    located: Located
    facts: ClipFacts
    span: tuple[datetime, datetime]


def analyse_clip(arrival: Arrival, outside: Outside) -> Outcome:
    """Analyse the clip, unless that is done already; file what it shows, or why it shows nothing.

    However often it is called for one clip, also at the same time, there is one analysis by this model set, one finding
    per kind and span, and one evidence row per finding and role.

    Raises
    ------
    Exception
        What may pass with time (database, store, models that do not load): call again with the same arrival.
    """
    located, history, done = outside.transactions.run(lambda rows: _locate(rows, arrival, outside))
    if isinstance(located, Unplaced):
        return _fail(located.row, located.failure, outside)
    if done:
        return Outcome(State.ALREADY_DONE, located.row.id)
    try:
        with outside.clips.fetch(arrival.key) as clip:
            check = _verify(located, clip, outside)
            facts = _facts(clip, check)
            try:
                return _judge_and_file(located, _look(located, clip, check, facts, outside), history, outside)
            except NotAVideo as error:
                unread = _Unread(
                    located, facts, clip_span(check, ulid=located.row.id, arrived_at=clip.arrived_at, duration_s=0.0)
                )
                return _fail(located.row, Failure(error.reason_code, error.message), outside, unread)
    except ClipMissingError as error:
        return _fail(located.row, Failure("object_missing", str(error)), outside)
    except ClipTooLargeError as error:
        return _fail(located.row, Failure("too_large", str(error)), outside)


def _locate(
    rows: Repositories, arrival: Arrival, outside: Outside
) -> tuple[Located | Unplaced, Sequence[ThresholdEntry], bool]:
    """Whose clip it is, what thresholds were set for its centre, and whether these models have analysed it already."""
    located = locate_clip(rows, arrival, outside.clock.now())
    stored = rows.analyses.find(AnalysisKey(located.row.id, outside.analyser.model_set_hash))
    history = rows.thresholds.entries(located.gateway.centre.id) if isinstance(located, Located) else ()
    return located, history, stored is not None and stored.state is AnalysisState.DONE


def _verify(located: Located, clip: FetchedClip, outside: Outside) -> ManifestCheck:
    """Compare the clip with what its gateway signed."""
    check = check_manifest(
        key=located.key,
        sha256=clip.sha256,
        size=clip.size,
        arrived_at=clip.arrived_at,
        manifest=outside.clips.read_small(located.key.manifest, limit=LARGEST_MANIFEST),
        signature=outside.clips.read_small(located.key.signature, limit=64),
        public_keys=located.gateway.keys_good_at(clip.arrived_at),
        signed_by=outside.signatures.signed_by,
    )
    if located.id_taken:
        reason = f"another object came first with the id {located.key.ulid}"
        return replace(check, status=ManifestStatus.MISMATCH, reason=reason)
    return check


def _facts(clip: FetchedClip, check: ManifestCheck) -> ClipFacts:
    """What is known before anybody has looked at the pictures."""
    manifest = check.manifest if check.verified else None
    return ClipFacts(
        sha256=clip.sha256,
        size=clip.size,
        manifest_status=check.status,
        manifest_reason=check.reason,
        seq=manifest.seq if manifest else None,
        started_at=manifest.started_at if manifest else None,
        ended_at=manifest.ended_at if manifest else None,
    )


def _look(located: Located, clip: FetchedClip, check: ManifestCheck, facts: ClipFacts, outside: Outside) -> _Seen:
    """Let the models look."""
    observations = outside.analyser.observe(clip.path)
    started_at, ended_at = clip_span(
        check, ulid=located.row.id, arrived_at=clip.arrived_at, duration_s=observations.duration_s
    )
    return _Seen(
        clip=PlayedClip(
            row=located.row,
            path=clip.path,
            sha256=clip.sha256,
            centre=located.gateway.centre,
            camera=located.camera,
            started_at=started_at,
            verified=check.verified,
            observations=observations,
        ),
        facts=replace(facts, started_at=started_at, ended_at=ended_at),
        new=NewClip(
            id=located.row.id,
            analysis_id=AnalysisKey(located.row.id, outside.analyser.model_set_hash).id,
            camera_id=located.camera.id,
            started_at=started_at,
            ended_at=ended_at,
            observations=observations.rounded(),
        ),
    )


def _judge_and_file(located: Located, seen: _Seen, history: Sequence[ThresholdEntry], outside: Outside) -> Outcome:
    """Let the rules judge, put key frames into the store, write the rows; again if a neighbour came in between.

    The objects go first and the rows after them: rows never name an object that is not there. What a crash leaves
    between the two is written again, under the same keys, by the next delivery.
    """
    for _ in range(MOST_ROUNDS):
        surroundings = look_around(seen.new, history, outside.transactions)
        filings = _prepare(located, seen, judge(seen.new, surroundings), outside)
        outcome = outside.transactions.run(partial(_file, located, seen, surroundings, filings, outside))
        if outcome is not None:
            return outcome
    raise RestlessNeighboursError(
        f"clips around {located.key.clip} were analysed while it was judged, {MOST_ROUNDS} times: deliver it again"
    )


def _prepare(located: Located, seen: _Seen, judgement: Judgement, outside: Outside) -> tuple[_Filing, ...]:
    """Put the key frames of every finding into the store that has none there."""
    own = [
        _Filing(row, keep_evidence(seen.clip, finding, row, outside.analyser, outside.clips), seen.clip.verified)
        for finding, row in judgement.own
    ]
    neighbours = [
        _Filing(row, _neighbours_evidence(located, other, finding, row, outside), other.verified, other.row.id)
        for other, finding, row in judgement.neighbours
    ]
    return (*own, *neighbours)


def _neighbours_evidence(
    located: Located, other: AnalysedClip, finding: Finding, row: FindingRow, outside: Outside
) -> tuple[EvidenceRow, ...]:
    """Evidence from a clip that was analysed before; none where there is some, or where the clip is gone."""
    if outside.transactions.run(lambda rows: rows.evidence.shows(row.id)):
        return ()
    try:
        with outside.clips.fetch(other.row.object_key) as clip:
            played = PlayedClip(
                row=other.row,
                path=clip.path,
                sha256=clip.sha256,
                centre=located.gateway.centre,
                camera=located.camera,
                started_at=other.started_at,
                verified=other.verified,
                observations=other.observations,
            )
            return keep_evidence(played, finding, row, outside.analyser, outside.clips)
    except (ClipMissingError, ClipTooLargeError, NotAVideo):
        # what was seen in it stands all the same; nothing is to be said against the clip that is analysed now
        return ()


def _file(
    located: Located,
    seen: _Seen,
    surroundings: Surroundings,
    filings: tuple[_Filing, ...],
    outside: Outside,
    rows: Repositories,
) -> Outcome | None:
    """Write everything in one transaction, or nothing and None where clips around it came or were analysed anew.

    Locks are taken in one order everywhere (camera, clip, incidents, centre), so that deliveries wait for each other
    instead of locking each other out.
    """
    now = outside.clock.now()
    analysis = AnalysisKey(located.row.id, outside.analyser.model_set_hash)
    rows.gateways.lock_camera(located.camera.id)
    kept = rows.clips.lock(located.row.id)
    stored = rows.analyses.find(analysis)
    if stored is not None and stored.state is AnalysisState.DONE:
        # another delivery of the same event was faster
        return Outcome(State.ALREADY_DONE, located.row.id)
    if not kept:
        raise ClipMissingError(f"{located.row.object_key} has expired and is being deleted")
    if not still_so(rows, seen.new, surroundings):
        return None
    neighbours = sorted({filing.neighbour for filing in filings if filing.neighbour}, key=lambda clip: clip.value)
    if not all(rows.clips.lock(clip) for clip in neighbours):
        # the deletion of one was decided since it was read: nothing new may rest on it
        return None
    own = [filing.finding for filing in filings if filing.neighbour is None]
    verdict = max((row.verdict for row in own), key=lambda v: v.severity, default=Verdict.CLEAR)
    rows.clips.learn(located.row.id, seen.facts)
    rows.analyses.save_done(analysis, seen.clip.observations, verdict, now)
    incidents: dict[Ulid, Incident] = {}
    for filing in filings:
        incident = file_incident(
            rows, located.gateway.centre, located.camera, filing.finding, verified=filing.verified, now=now
        )
        if incident is not None:
            incidents[incident.id] = incident
        if filing.neighbour and filing.finding.analysis_id is not None:
            rows.analyses.raise_verdict(filing.finding.analysis_id, filing.finding.verdict)
        for row in filing.evidence:
            rows.evidence.add(row, now)
    if not seen.clip.verified:
        tamper = file_unverified(rows, located, seen.facts, seen.span, analysis=analysis, now=now)
        if tamper is not None:
            incidents[tamper.id] = tamper
    return Outcome(
        State.DONE,
        located.row.id,
        verdict=verdict,
        manifest=seen.facts.manifest_status,
        findings=len(own),
        incidents=tuple(incidents.values()),
    )


def _fail(row: ClipRow, failure: Failure, outside: Outside, unread: _Unread | None = None) -> Outcome:
    """Write why there is no analysis; the object stays as it is. What fails verification is filed all the same."""

    def work(rows: Repositories) -> Outcome:
        analysis = AnalysisKey(row.id, outside.analyser.model_set_hash)
        now = outside.clock.now()
        if unread is not None:
            rows.gateways.lock_camera(unread.located.camera.id)
        kept = rows.clips.lock(row.id)
        stored = rows.analyses.find(analysis)
        if stored is not None and stored.state is AnalysisState.DONE:
            # another delivery was faster, and saw what this one could not
            return Outcome(State.ALREADY_DONE, row.id)
        if unread is not None and not kept:
            # its deletion is decided: an incident would rest on a clip that is about to go
            raise ClipMissingError(f"{row.object_key} has expired and is being deleted")
        if unread is not None:
            rows.clips.learn(row.id, unread.facts)
        rows.analyses.save_failed(analysis, outside.analyser.models, failure, now)
        if unread is None:
            return Outcome(State.FAILED, row.id, failure=failure)
        tamper = None
        if unread.facts.manifest_status is not ManifestStatus.VERIFIED:
            tamper = file_unverified(rows, unread.located, unread.facts, unread.span, analysis=analysis, now=now)
        return Outcome(
            State.FAILED,
            row.id,
            manifest=unread.facts.manifest_status,
            failure=failure,
            incidents=() if tamper is None else (tamper,),
        )

    return outside.transactions.run(work)
