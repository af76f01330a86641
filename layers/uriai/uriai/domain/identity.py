"""Ids that follow from what they name, so that the same work done twice writes the same rows and the same objects."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from uriai.domain.ulid import Ulid
from uriai.domain.words import EvidenceRole, Kind


def clip_id_of_key(object_key: str) -> Ulid:
    """For an object whose key holds no usable ULID: the first 16 bytes of SHA-256 of the key."""
    return Ulid(hashlib.sha256(object_key.encode()).digest()[:16])


def record_id(signature_key: str, sha256: bytes) -> Ulid:
    """One object with one content is one record; ``sha256`` is of the manifest's bytes, empty where there are none."""
    return _digest(b"record", signature_key.encode(), sha256)


@dataclass(frozen=True, slots=True)
class AnalysisKey:
    """One clip and one model set (the 32 bytes of its hash): there is one analysis of the two."""

    clip_id: Ulid
    model_set: bytes

    @property
    def id(self) -> Ulid:
        """The analysis's id."""
        return _digest(b"analysis", self.clip_id.value, self.model_set)


def finding_id(analysis: Ulid, kind: Kind, start_ms: int, end_ms: int) -> Ulid:
    """One analysis has at most one finding of a kind for a span."""
    return _digest(b"finding", analysis.value, kind.value.encode(), b"%d" % start_ms, b"%d" % end_ms)


def tamper_finding_id(camera_id: int, event: Ulid) -> Ulid:
    """One edge event of a camera has one finding; a gateway's event names are nobody else's."""
    return _digest(b"tamper", b"%d" % camera_id, event.value)


def evidence_id(finding: Ulid, role: EvidenceRole) -> Ulid:
    """One finding has at most one evidence object of a role."""
    return _digest(b"evidence", finding.value, role.value.encode())


def evidence_folder(clip_id: Ulid) -> str:
    """What the keys of all objects derived from a clip begin with."""
    return f"evidence/{clip_id}/"


def evidence_key(clip_id: Ulid, finding: Ulid, name: str) -> str:
    """Object key of a derived object: ``evidence/{clip}/{finding}/{name}``; no other finding ever overwrites it."""
    return f"{evidence_folder(clip_id)}{finding}/{name}"


def _digest(*parts: bytes) -> Ulid:
    # every part with its length before it: no two lists of parts run together
    text = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
    return Ulid(hashlib.sha256(text).digest()[:16])
