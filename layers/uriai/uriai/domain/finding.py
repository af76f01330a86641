"""One rule's conclusion about one clip, with the thresholds and the numbers it rests on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from uriai.domain.words import Kind, Verdict


@dataclass(frozen=True, slots=True)
class Finding:
    """A span of a clip in seconds from its start, with confidence 0..1 and the rules' verdict.

    ``thresholds`` and ``basis`` say why: the limits in force and the numbers compared with them.
    """

    kind: Kind
    start_s: float
    end_s: float
    confidence: float
    verdict: Verdict
    thresholds: Mapping[str, float] = field(default_factory=dict)
    basis: Mapping[str, object] = field(default_factory=dict)


def worst_verdict(findings: Iterable[Finding]) -> Verdict:
    """The most severe verdict, ``clear`` when there is no finding."""
    return max((finding.verdict for finding in findings), key=lambda verdict: verdict.severity, default=Verdict.CLEAR)
