"""What counts as abuse: one module per kind, each a pure function ``find(observations, thresholds)``."""

from __future__ import annotations

from uriai.domain.analysis import Observations
from uriai.domain.finding import Finding
from uriai.domain.rules import physical
from uriai.domain.thresholds import Thresholds


def find_all(observations: Observations, thresholds: Thresholds) -> tuple[Finding, ...]:
    """The findings of every rule about one clip, ordered by start and kind."""
    findings = [*physical.find(observations, thresholds)]
    return tuple(sorted(findings, key=lambda finding: (finding.start_s, finding.kind)))
