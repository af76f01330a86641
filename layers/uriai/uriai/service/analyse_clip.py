"""Analyses one clip that arrived: to its analysis, findings, incidents and evidence, or to the reason why not.

docs/failures.md has the table of inputs and outcomes.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from uriai.domain.analysis import Observations
from uriai.domain.centre import Camera
from uriai.domain.clip import ManifestStatus
from uriai.domain.finding import Finding
from uriai.domain.identity import AnalysisKey, evidence_id, evidence_key, finding_id
from uriai.domain.incident import Incident
from uriai.domain.manifest import LARGEST_MANIFEST, ManifestCheck, check_manifest, clip_span
from uriai.domain.rules import find_all
from uriai.domain.thresholds import Thresholds
from uriai.domain.ulid import Ulid
from uriai.domain.words import EvidenceRole, Verdict
from uriai.service.file_incident import file_incident
from uriai.service.file_unverified import file_unverified
from uriai.service.key_frame_caption import caption_of
from uriai.service.locate_clip import Arrival, Located, Unplaced, locate_clip
from uriai.service.ports.clips import ClipMissingError, ClipStore, ClipTooLargeError, FetchedClip, SignatureChecker
from uriai.service.ports.clock import Clock
from uriai.service.ports.repositories import (
    AnalysisState,
    ClipFacts,
    ClipRow,
    EvidenceRow,
    Failure,
    FindingRow,
    Repositories,
    Transactions,
)
from uriai.service.ports.vision import ClipAnalyser, NotAVideo, peak_s

JPEG = "image/jpeg"


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
    thresholds: Thresholds = field(default_factory=Thresholds)


@dataclass(frozen=True, slots=True)
class _Seen:
    """What was learned of a clip outside the database; ready to be filed in one transaction."""

    facts: ClipFacts
    span: tuple[datetime, datetime]
    observations: Observations
    verified: bool
    findings: tuple[tuple[FindingRow, tuple[EvidenceRow, ...]], ...]

    @property
    def verdict(self) -> Verdict:
        return max((row.verdict for row, _ in self.findings), key=lambda v: v.severity, default=Verdict.CLEAR)


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
    located, done = outside.transactions.run(lambda rows: _locate(rows, arrival, outside))
    if isinstance(located, Unplaced):
        return _fail(located.row, located.failure, outside)
    if done:
        return Outcome(State.ALREADY_DONE, located.row.id)
    try:
        with outside.clips.fetch(arrival.key) as clip:
            check = _verify(located, clip, outside)
            facts = _facts(clip, check)
            try:
                seen = _look(located, clip, check, facts, outside)
            except NotAVideo as error:
                unread = _Unread(
                    located, facts, clip_span(check, ulid=located.row.id, arrived_at=clip.arrived_at, duration_s=0.0)
                )
                return _fail(located.row, Failure(error.reason_code, error.message), outside, unread)
        return outside.transactions.run(lambda rows: _file(rows, located, seen, outside))
    except ClipMissingError as error:
        return _fail(located.row, Failure("object_missing", str(error)), outside)
    except ClipTooLargeError as error:
        return _fail(located.row, Failure("too_large", str(error)), outside)


def _locate(rows: Repositories, arrival: Arrival, outside: Outside) -> tuple[Located | Unplaced, bool]:
    """Whose clip it is, and whether these models have analysed it already."""
    located = locate_clip(rows, arrival, outside.clock.now())
    stored = rows.analyses.find(AnalysisKey(located.row.id, outside.analyser.model_set_hash))
    return located, stored is not None and stored.state is AnalysisState.DONE


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
    """Let the models look and the rules judge, and put each finding's key frames into the store.

    The objects go first and the rows after them: rows never name an object that is not there. What a crash leaves
    between the two is written again, under the same keys, by the next delivery.
    """
    observations = outside.analyser.observe(clip.path)
    started_at, ended_at = clip_span(
        check, ulid=located.row.id, arrived_at=clip.arrived_at, duration_s=observations.duration_s
    )
    analysis = AnalysisKey(located.row.id, outside.analyser.model_set_hash)
    findings = []
    for finding in find_all(observations, outside.thresholds):
        row = _finding_row(finding, analysis, located.camera, started_at)
        evidence = _evidence(
            located=located,
            clip=clip,
            finding=finding,
            row=row,
            observations=observations,
            started_at=started_at,
            verified=check.verified,
            outside=outside,
        )
        findings.append((row, evidence))
    return _Seen(
        facts=replace(facts, started_at=started_at, ended_at=ended_at),
        span=(started_at, ended_at),
        observations=observations,
        verified=check.verified,
        findings=tuple(findings),
    )


def _finding_row(finding: Finding, analysis: AnalysisKey, camera: Camera, started_at: datetime) -> FindingRow:
    start_ms, end_ms = round(finding.start_s * 1000), round(finding.end_s * 1000)
    return FindingRow(
        id=finding_id(analysis.id, finding.kind, start_ms, end_ms),
        analysis_id=analysis.id,
        camera_id=camera.id,
        kind=finding.kind,
        start_ms=start_ms,
        end_ms=end_ms,
        started_at=started_at + timedelta(milliseconds=start_ms),
        ended_at=started_at + timedelta(milliseconds=end_ms),
        confidence=finding.confidence,
        verdict=finding.verdict,
        thresholds=finding.thresholds,
        basis=finding.basis,
    )


def _evidence(
    *,
    located: Located,
    clip: FetchedClip,
    finding: Finding,
    row: FindingRow,
    observations: Observations,
    started_at: datetime,
    verified: bool,
    outside: Outside,
) -> tuple[EvidenceRow, ...]:
    """The original, and the strongest moment's frame in its four forms, which are put into the store."""
    caption = caption_of(finding, located, started_at, verified=verified)
    frames = outside.analyser.key_frames(clip.path, peak_s(finding), observations, caption)
    shown_at = started_at + timedelta(seconds=frames.t_s)
    original = EvidenceRow(
        id=evidence_id(row.id, EvidenceRole.ORIGINAL),
        finding_id=row.id,
        clip_id=located.row.id,
        role=EvidenceRole.ORIGINAL,
        object_key=located.row.object_key,
        sha256=clip.sha256,
        shown_at=row.started_at,
    )
    derived = []
    for role, jpeg in (
        (EvidenceRole.KEY_FRAME, frames.plain_jpeg),
        (EvidenceRole.KEY_FRAME_ANNOTATED, frames.annotated_jpeg),
        (EvidenceRole.KEY_FRAME_MASKED, frames.masked_jpeg),
        (EvidenceRole.KEY_FRAME_ANNOTATED_MASKED, frames.annotated_masked_jpeg),
    ):
        key = evidence_key(located.row.id, row.id, role.value.replace("_", "-") + ".jpg")
        outside.clips.put(key, jpeg, content_type=JPEG)
        derived.append(
            replace(
                original,
                id=evidence_id(row.id, role),
                role=role,
                object_key=key,
                sha256=hashlib.sha256(jpeg).digest(),
                shown_at=shown_at,
            )
        )
    return (original, *derived)


def _file(rows: Repositories, located: Located, seen: _Seen, outside: Outside) -> Outcome:
    """Write everything in one transaction.

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
    rows.clips.learn(located.row.id, seen.facts)
    rows.analyses.save_done(analysis, seen.observations, seen.verdict, now)
    incidents: dict[Ulid, Incident] = {}
    for finding, evidence in seen.findings:
        incident = file_incident(rows, located.gateway.centre, located.camera, finding, verified=seen.verified, now=now)
        if incident is not None:
            incidents[incident.id] = incident
        for row in evidence:
            rows.evidence.add(row, now)
    if not seen.verified:
        tamper = file_unverified(rows, located, seen.facts, seen.span, analysis=analysis, now=now)
        if tamper is not None:
            incidents[tamper.id] = tamper
    return Outcome(
        State.DONE,
        located.row.id,
        verdict=seen.verdict,
        manifest=seen.facts.manifest_status,
        findings=len(seen.findings),
        incidents=tuple(incidents.values()),
    )


def _fail(row: ClipRow, failure: Failure, outside: Outside, unread: _Unread | None = None) -> Outcome:
    """Write why there is no analysis; the object stays as it is. What fails verification is filed all the same."""

    def work(rows: Repositories) -> Outcome:
        analysis = AnalysisKey(row.id, outside.analyser.model_set_hash)
        now = outside.clock.now()
        if unread is not None:
            rows.gateways.lock_camera(unread.located.camera.id)
        rows.clips.lock(row.id)
        stored = rows.analyses.find(analysis)
        if stored is not None and stored.state is AnalysisState.DONE:
            # another delivery was faster, and saw what this one could not
            return Outcome(State.ALREADY_DONE, row.id)
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
