"""Shifting the model to a centre's own prior from what its experts decided."""

import math
import random
import subprocess
import sys

import pytest

from models.violence import recalibrate


def decided(shift, count=4000, seed=0):
    """Incidents above 0.5 whose true odds lie ``shift`` from what the model says."""
    rng = random.Random(seed)
    probabilities = [rng.uniform(0.5, 0.99) for _ in range(count)]
    odds = [math.log(p / (1 - p)) + shift for p in probabilities]
    return probabilities, [rng.random() < 1 / (1 + math.exp(-o)) for o in odds]


@pytest.mark.parametrize("true", [-3.0, -1.0, 0.0, 0.7])
def test_the_shift_is_found_from_incidents_above_a_threshold_only(true):
    found = recalibrate.shift(*decided(true))
    assert abs(found.log_odds - true) < 3.5 * found.error
    assert found.error < 0.15


def test_a_centre_where_little_is_confirmed_gets_higher_thresholds_that_mean_the_same():
    found = recalibrate.shift([0.85, 0.92, 0.95, 0.88] * 10, [True, True, False, False] * 10)
    assert found.log_odds < 0
    raised = found.threshold(0.8)
    assert raised > 0.8
    assert found.apply(raised) == pytest.approx(0.8)


def test_nothing_confirmed_gives_a_limited_shift_and_no_threshold_the_product_would_refuse():
    found = recalibrate.shift([0.9] * 50, [False] * 50)
    assert -20 < found.log_odds < -4
    assert found.threshold(0.9) == recalibrate.HIGHEST_THRESHOLD


@pytest.mark.parametrize(
    ("probabilities", "confirmed", "said"),
    [
        ([], [], "no decided incident"),
        ([0.9], [True, False], "1 probabilities but 2"),
        ([0.9, 1.0], [1, 1], "incident 2"),
    ],
)
def test_decisions_that_mean_nothing_are_refused(probabilities, confirmed, said):
    with pytest.raises(recalibrate.DecisionsError, match=said):
        recalibrate.shift(probabilities, confirmed)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("probability\n0.9\n", "column confirmed is missing"),
        ("probability,confirmed\n0.9,1\nhigh,0\n", ":3: probability 'high' is not a number"),
        ("probability,confirmed\n0.9,yes\n", ":2: confirmed 'yes'; allowed are 1 and 0"),
    ],
)
def test_a_bad_line_is_named(tmp_path, text, said):
    path = tmp_path / "decisions.csv"
    path.write_text(text)
    with pytest.raises(recalibrate.DecisionsError, match=said):
        recalibrate.read_decisions(path)


def test_the_command_prints_the_thresholds_of_the_committed_manifest_and_warns_of_few_decisions(tmp_path):
    path = tmp_path / "decisions.csv"
    path.write_text("probability,confirmed\n0.95,1\n0.83,0\n0.91,0\n")
    command = [sys.executable, "-m", "models.violence.recalibrate", path]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "3 decided incidents, 1 confirmed" in done.stdout
    assert "physical_report: set 0." in done.stdout
    assert "collect more" in done.stdout
    path.write_text("probability,confirmed\n")
    refused = subprocess.run(command, capture_output=True, text=True, check=False)
    assert refused.returncode == 2
    assert "no decided incident" in refused.stderr
