"""The product's closed vocabularies: kinds, verdicts, statuses, roles. Their values stand in SQL, logs and answers."""

from __future__ import annotations

from enum import StrEnum


class Kind(StrEnum):
    """What a finding is about."""

    PHYSICAL = "physical"
    EMOTIONAL = "emotional"
    NEGLECT = "neglect"
    TAMPER = "tamper"


class Verdict(StrEnum):
    """What the rules make of a finding, a clip or an incident."""

    CLEAR = "clear"
    REVIEW = "review"
    REPORT = "report"

    @property
    def severity(self) -> int:
        """0 for ``clear``, 1 for ``review``, 2 for ``report``: to take the worst of several."""
        return list(Verdict).index(self)


class Status(StrEnum):
    """Where an incident stands; ``tamper`` incidents use only OPEN and RESOLVED."""

    PENDING_REVIEW = "pending_review"
    REPORTED = "reported"
    DISMISSED = "dismissed"
    DISPATCHED = "dispatched"
    CLOSED = "closed"
    OPEN = "open"
    RESOLVED = "resolved"


class Role(StrEnum):
    """What a person is; it decides what they may ask."""

    DIRECTOR = "director"
    POLICY_OFFICER = "policy_officer"
    EXPERT = "expert"
    POLICE_LIAISON = "police_liaison"
    OPERATOR = "operator"


class EvidenceRole(StrEnum):
    """What an evidence object is."""

    ORIGINAL = "original"
    KEY_FRAME = "key_frame"
    KEY_FRAME_ANNOTATED = "key_frame_annotated"
    KEY_FRAME_MASKED = "key_frame_masked"
    KEY_FRAME_ANNOTATED_MASKED = "key_frame_annotated_masked"
    MASKED_COPY = "masked_copy"
