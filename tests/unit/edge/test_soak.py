"""The soak's judgement: growth is found in noise that lasts, and noise alone is not called growth."""

from __future__ import annotations

import os

import numpy as np
import pytest

from bench.edge.soak import LIMITS, Sample, SoakError, add, judge, plot, read, report, take


def samples(growth_mb_per_h: float, seed: int, hours: float = 2.0) -> list[Sample]:
    """A process whose memory goes up and down by a few megabytes for minutes at a time, and may grow."""
    chance = np.random.default_rng(seed)
    count = round(hours * 360)
    wave, noise = 0.0, []
    for step in chance.normal(0, 0.5, count):
        wave = 0.95 * wave + step
        noise.append(wave)
    return [
        Sample(10.0 * n, round(120 + growth_mb_per_h * n / 360 + noise[n], 3), 12 + n % 2, 10, 0.3 * n)
        for n in range(count)
    ]


def test_the_interval_holds_the_true_slope_about_as_often_as_it_says():
    slopes = [judge(samples(3.0, seed), 600)["rss_mb"] for seed in range(60)]
    held = sum(one.low <= 3.0 <= one.high for one in slopes)
    assert held >= 48
    assert np.mean([one.an_hour for one in slopes]) == pytest.approx(3.0, abs=0.3)
    assert max(one.high - one.low for one in slopes) < 6


def test_what_is_flat_is_called_flat_and_what_grows_is_told():
    verdicts = [report(samples(0.0, seed, hours=8.0), 600)[1] for seed in range(20)]
    assert all(verdicts)
    text, flat = report(samples(1.0, 1, hours=8.0), 600)
    assert not flat and text.count("GROWS") == 1 and "| rss_mb |" in text


def test_the_fewest_samples_that_can_be_judged_are_reported():
    fewest = samples(0.0, 1)[: 60 + 48]
    assert "48 samples" in report(fewest, 600)[0]
    with pytest.raises(SoakError, match="too few"):
        report(fewest[:-1], 600)


def test_samples_are_kept_and_read_and_drawn(tmp_path):
    taken = [take(os.getpid(), 0.0), *samples(0.0, 1)[1:]]
    assert taken[0].rss_mb > 1 and taken[0].descriptors > 2 and taken[0].threads >= 1
    for one in taken:
        add(one, tmp_path / "samples.csv")
    assert read(tmp_path / "samples.csv") == taken
    assert plot(taken).count("<polyline") == len(LIMITS)


def test_too_few_samples_and_a_process_that_has_ended_are_told(tmp_path):
    with pytest.raises(SoakError, match="too few"):
        judge(samples(0.0, 1)[:70], 600)
    with pytest.raises(SoakError, match="has ended"):
        take(2**22 + 1, 0.0)
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    with pytest.raises(SoakError, match="holds no samples"):
        read(tmp_path / "other.csv")
