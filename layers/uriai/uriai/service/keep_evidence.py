"""Puts what shows a finding into the store: the strongest moment's frame, plain, annotated and masked."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from uriai.domain.analysis import Observations
from uriai.domain.centre import Camera, Centre
from uriai.domain.finding import Finding
from uriai.domain.identity import evidence_id, evidence_key
from uriai.domain.words import EvidenceRole
from uriai.service.key_frame_caption import caption_of
from uriai.service.ports.clips import ClipStore
from uriai.service.ports.repositories import ClipRow, EvidenceRow, FindingRow
from uriai.service.ports.vision import ClipAnalyser, peak_s

JPEG = "image/jpeg"


@dataclass(frozen=True, slots=True)
class PlayedClip:
    """A clip as it lies in a file, with what was seen in it. ``sha256`` 32 bytes, ``started_at`` aware."""

    row: ClipRow
    path: Path
    sha256: bytes
    centre: Centre
    camera: Camera
    started_at: datetime
    verified: bool
    observations: Observations


def keep_evidence(
    clip: PlayedClip, finding: Finding, row: FindingRow, analyser: ClipAnalyser, clips: ClipStore
) -> tuple[EvidenceRow, ...]:
    """The original, and the strongest moment's frame in its four forms, which are put into the store.

    Done again it writes the same bytes under the same keys.

    Raises
    ------
    NotAVideo
        If the file can never be played.
    """
    caption = caption_of(finding, clip.centre, clip.camera, clip.started_at, verified=clip.verified)
    frames = analyser.key_frames(clip.path, peak_s(finding), clip.observations, caption)
    original = EvidenceRow(
        id=evidence_id(row.id, EvidenceRole.ORIGINAL),
        finding_id=row.id,
        clip_id=clip.row.id,
        role=EvidenceRole.ORIGINAL,
        object_key=clip.row.object_key,
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
        key = evidence_key(clip.row.id, row.id, role.value.replace("_", "-") + ".jpg")
        clips.put(key, jpeg, content_type=JPEG)
        derived.append(
            replace(
                original,
                id=evidence_id(row.id, role),
                role=role,
                object_key=key,
                sha256=hashlib.sha256(jpeg).digest(),
                shown_at=clip.started_at + timedelta(seconds=frames.t_s),
            )
        )
    return (original, *derived)
