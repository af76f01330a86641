"""Augmentation and the emotion network. Needs models/requirements.txt."""

import argparse

import pytest

torch = pytest.importorskip("torch", reason="training needs models/requirements.txt")

from models.emotion import augment, train  # noqa: E402
from models.emotion.network import EmotionNet, ExportedEmotion, standardise  # noqa: E402


def faces(count, seed=0):
    return torch.randint(0, 256, (count, 1, 48, 48), generator=torch.Generator().manual_seed(seed)).float()


@pytest.mark.parametrize("side", [40, 48])
def test_augmented_faces_keep_their_range_and_get_the_size_asked_for(side):
    found = augment.augment(faces(16), torch.Generator().manual_seed(1), side)
    assert found.shape == (16, 1, side, side)
    assert 0 <= found.min() <= found.max() <= 255


def test_augmentation_follows_its_generator():
    first, again, other = (augment.augment(faces(4), torch.Generator().manual_seed(s)) for s in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_without_hiding_a_flat_face_stays_flat_but_for_sensor_noise():
    flat = torch.full((64, 1, 48, 48), 120.0)
    plain = augment.augment(flat, torch.Generator().manual_seed(3), hide=0)
    hidden = augment.augment(flat, torch.Generator().manual_seed(3), hide=1)
    assert plain.std((1, 2, 3)).max() < 10
    assert hidden.std((1, 2, 3)).min() > plain.std((1, 2, 3)).max() / 2


def test_mixed_targets_stay_distributions_and_lean_to_the_first_face():
    targets = torch.eye(7)[torch.arange(32) % 7]
    _, mixed = augment.mix(faces(32), targets, torch.Generator().manual_seed(4), chance=1.0)
    torch.testing.assert_close(mixed.sum(1), torch.ones(32))
    assert (mixed * targets).sum(1).min() >= 0.5


def test_light_and_contrast_drop_out():
    plain = faces(3)
    torch.testing.assert_close(standardise(plain), standardise(plain + 25), atol=1e-4, rtol=1e-4)


def test_the_exported_answer_is_tempered_and_the_same_for_a_mirrored_face():
    torch.manual_seed(0)
    network = EmotionNet().eval()
    with torch.inference_mode():
        sharp, flat = (ExportedEmotion(network, t).eval()(faces(4)) for t in (0.5, 5.0))
        mirrored = ExportedEmotion(network, 0.5).eval()(faces(4).flip(3))
    torch.testing.assert_close(sharp.sum(1), torch.ones(4))
    assert (sharp.max(1).values > flat.max(1).values).all()
    torch.testing.assert_close(sharp, mirrored, atol=1e-5, rtol=1e-4)


def test_the_rate_rises_falls_and_rises_once_more_a_little_for_the_refining_epochs():
    options = argparse.Namespace(epochs=20, refine=4)
    rates = [train._rate(epoch, options) for epoch in (0, 1, 10, 19.9, 20, 23.9)]
    assert rates[0] < rates[1] == pytest.approx(1.0)
    assert rates[1] > rates[2] > rates[3]
    assert rates[3] < rates[4] == pytest.approx(0.1)
    assert rates[5] < 0.001
