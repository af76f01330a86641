"""How far a centre's own decisions shift the violence model: ``python -m models.violence.recalibrate decisions.csv``.

The committed model is calibrated to a prior that its manifest states. A centre where violence is rarer sees too high
probabilities, all by the same amount of log odds. This finds that amount from incidents that experts have confirmed or
dismissed, and says which thresholds on the model's unchanged probability mean the manifest's thresholds after it.

``decisions.csv`` has the columns ``probability`` (the incident's, 0..1) and ``confirmed`` (1 or 0), one decided
incident a line. That only incidents above a threshold were decided does no harm: they were chosen by their probability
alone, and given that, the odds still shift by the same amount.
"""

from __future__ import annotations

import argparse
import csv
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
LEAST_DECISIONS = 30
"""Fewer decisions leave the shift too uncertain to act on; it is computed, with a warning."""
HIGHEST_THRESHOLD = 0.99
"""The product takes no threshold above: there a finding could never be made."""


class DecisionsError(ValueError):
    """The decisions are empty, of one kind only where both are needed, or unreadable; the message names the line."""


@dataclass(frozen=True)
class Shift:
    """What is added to log odds; ``error`` is its standard error, ``decided`` and ``confirmed`` count incidents."""

    log_odds: float
    error: float
    decided: int
    confirmed: int

    def apply(self, probability: float) -> float:
        """The re-calibrated probability of a probability strictly between 0 and 1."""
        return _sigmoid(_log_odds(probability) + self.log_odds)

    def threshold(self, wanted: float) -> float:
        """The limit on the model's own probability that stands for ``wanted`` after the shift, at most 0.99."""
        return min(_sigmoid(_log_odds(wanted) - self.log_odds), HIGHEST_THRESHOLD)


def shift(probabilities: Sequence[float], confirmed: Sequence[bool]) -> Shift:
    """The shift under which as many of the decided incidents are expected to be real as were confirmed.

    It solves ``sum(sigmoid(log_odds + shift)) = confirmed``, the maximum of the likelihood. One incident of even odds,
    half confirmed, is added: without it no incident confirmed would mean a shift without limit.

    Raises
    ------
    DecisionsError
        If there is no decision, the lists differ in length, or a probability is not strictly between 0 and 1.
    """
    if not probabilities:
        raise DecisionsError("no decided incident: the shift needs at least one, better thirty")
    if len(probabilities) != len(confirmed):
        raise DecisionsError(f"{len(probabilities)} probabilities but {len(confirmed)} decisions")
    for number, probability in enumerate(probabilities, start=1):
        if not 0.0 < probability < 1.0:
            raise DecisionsError(f"incident {number}: probability {probability} is not strictly between 0 and 1")
    odds = [_log_odds(probability) for probability in probabilities]
    target = sum(map(bool, confirmed)) + 0.5
    low, high = -60.0, 60.0
    for _ in range(100):
        middle = (low + high) / 2
        expected = sum(_sigmoid(one + middle) for one in odds) + _sigmoid(middle)
        low, high = (middle, high) if expected < target else (low, middle)
    found = (low + high) / 2
    chances = [_sigmoid(one + found) for one in [*odds, 0.0]]
    information = sum(chance * (1 - chance) for chance in chances)
    return Shift(found, 1 / math.sqrt(max(information, 1e-12)), len(odds), sum(map(bool, confirmed)))


def read_decisions(path: Path) -> tuple[list[float], list[bool]]:
    """The two columns of a decisions file. Raises ``DecisionsError`` with file and line for what cannot be read."""
    probabilities, confirmed = [], []
    with path.open(newline="", encoding="utf-8-sig") as file:
        reader = csv.DictReader(file)
        missing = {"probability", "confirmed"} - set(reader.fieldnames or [])
        if missing:
            raise DecisionsError(f"{path}: column {', '.join(sorted(missing))} is missing")
        for line, row in enumerate(reader, start=2):
            try:
                probabilities.append(float(row["probability"]))
            except (TypeError, ValueError):
                raise DecisionsError(f"{path}:{line}: probability {row['probability']!r} is not a number") from None
            if row["confirmed"] not in ("0", "1"):
                raise DecisionsError(f"{path}:{line}: confirmed {row['confirmed']!r}; allowed are 1 and 0")
            confirmed.append(row["confirmed"] == "1")
    return probabilities, confirmed


def report(found: Shift, thresholds: Mapping[str, float]) -> str:
    """The shift and the thresholds that follow from it, as text for an administrator."""
    lines = [
        f"{found.decided} decided incidents, {found.confirmed} confirmed: "
        f"log odds shift {found.log_odds:+.2f} (standard error {found.error:.2f})"
    ]
    for name in ("report", "review"):
        lines.append(
            f"physical_{name}: set {found.threshold(thresholds[name]):.3f}, "
            f"so that it means a probability of {thresholds[name]:.2f} at this centre"
        )
    if found.decided < LEAST_DECISIONS:
        lines.append(f"fewer than {LEAST_DECISIONS} decisions: collect more before changing a threshold")
    return "\n".join(lines)


def main() -> None:
    """Print the shift and the thresholds for a file of decisions."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("decisions", type=Path)
    parser.add_argument("--manifest", type=Path, default=HERE / "manifest.json")
    options = parser.parse_args()
    thresholds = json.loads(options.manifest.read_text(encoding="utf-8"))["thresholds"]
    try:
        found = shift(*read_decisions(options.decisions))
    except (DecisionsError, OSError) as error:
        parser.exit(2, f"{error}\n")
    print(report(found, thresholds))


def _log_odds(probability: float) -> float:
    return math.log(probability) - math.log1p(-probability)


def _sigmoid(odds: float) -> float:
    return 1 / (1 + math.exp(-odds)) if odds >= 0 else math.exp(odds) / (1 + math.exp(odds))


if __name__ == "__main__":
    main()
