"""What counts as abuse: one module per kind, each a pure function ``find``."""

from __future__ import annotations

from uriai.domain.analysis import Observations
from uriai.domain.finding import Finding
from uriai.domain.rules import emotional, neglect, physical
from uriai.domain.thresholds import Thresholds


def find_in_clip(observations: Observations, thresholds: Thresholds) -> tuple[Finding, ...]:
    """The findings of the rules that need no more than one clip, ordered by start and kind."""
    return _ordered(*physical.find(observations, thresholds), *emotional.find(observations, thresholds))


def find_all(observations: Observations, thresholds: Thresholds) -> tuple[Finding, ...]:
    """The findings of every rule about one clip by itself, ordered by start and kind.

    Whoever knows the clips before and after it asks `neglect.find` with all of them.
    """
    (neglected,) = neglect.find([neglect.PlacedClip(0.0, observations, thresholds)])
    return _ordered(*find_in_clip(observations, thresholds), *neglected)


def _ordered(*findings: Finding) -> tuple[Finding, ...]:
    return tuple(sorted(findings, key=lambda finding: (finding.start_s, finding.kind, finding.end_s)))
