"""``physical``: suspected physical abuse, from the calibrated probabilities of 2 s windows, with hysteresis."""

from __future__ import annotations

from collections.abc import Iterable

from uriai.domain.analysis import Observations, Window
from uriai.domain.finding import Finding
from uriai.domain.thresholds import Thresholds
from uriai.domain.words import Kind, Verdict

_TOUCHING_S = 1e-3
"""Windows whose ends differ by less are one after the other without a hole: rounding of times, no more."""


def find(observations: Observations, thresholds: Thresholds) -> tuple[Finding, ...]:
    """One finding for every run of touching windows above ``physical_exit`` that holds one above ``physical_review``
    and lasts for ``physical_least_s``, or for as long as the clip where that is shorter.

    A run counts in both directions of time, so the span also holds the seconds that led up to the strongest window.
    Where nobody has calibrated what the windows say (`Observations.calibrated`), a finding is a ``review`` however high
    they stand: a bare confidence of 0.95 is not 95 of 100. Raising any window's probability never removes, shortens or
    weakens a finding. Spans are as exact as windows are: about a second.
    """
    findings = []
    least_s = min(thresholds.physical_least_s, observations.duration_s) - _TOUCHING_S
    for run in _runs(observations.windows, thresholds.physical_exit):
        peak = max(run, key=lambda window: (window.probability, -window.start_s))
        lasts_s = max(window.end_s for window in run) - run[0].start_s
        if peak.probability > thresholds.physical_review and lasts_s >= least_s:
            findings.append(_finding(run, peak, thresholds, calibrated=observations.calibrated))
    return tuple(findings)


def _runs(windows: Iterable[Window], exit_above: float) -> list[list[Window]]:
    """Windows above the limit, in order of time, parted wherever the next one begins after the reach of those before
    it.
    """
    runs: list[list[Window]] = []
    reach_s = float("-inf")
    for window in sorted(windows, key=lambda window: (window.start_s, window.end_s)):
        if not window.probability > exit_above:
            continue
        if window.start_s <= reach_s + _TOUCHING_S:
            runs[-1].append(window)
            reach_s = max(reach_s, window.end_s)
        else:
            runs.append([window])
            reach_s = window.end_s
    return runs


def _finding(run: list[Window], peak: Window, thresholds: Thresholds, *, calibrated: bool) -> Finding:
    clear_case = calibrated and peak.probability > thresholds.physical_report
    # only where it is not as usual: a stored finding says why it is no report
    unusual: dict[str, object] = {} if calibrated else {"calibrated": False}
    return Finding(
        kind=Kind.PHYSICAL,
        start_s=run[0].start_s,
        end_s=max(window.end_s for window in run),
        confidence=peak.probability,
        verdict=Verdict.REPORT if clear_case else Verdict.REVIEW,
        thresholds=thresholds.of(Kind.PHYSICAL),
        basis={
            "peak_s": (peak.start_s + peak.end_s) / 2,
            "windows": [[window.start_s, window.end_s, window.probability] for window in run],
            **unusual,
        },
    )
