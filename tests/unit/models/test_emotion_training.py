"""Augmentation, the emotion network, its first weights and its training. Needs models/requirements.txt."""

import argparse
import dataclasses
import json
import re

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs models/requirements.txt")

from torch.nn import functional as F  # noqa: E402, N812

from models.common import runtime  # noqa: E402
from models.common.folding import storable_in_bytes  # noqa: E402
from models.common.measure import softmax  # noqa: E402
from models.emotion import augment, backbone, export, train  # noqa: E402
from models.emotion.network import EmotionNet, ExportedEmotion, standardise, view  # noqa: E402
from tests.unit.models.test_emotion_data import make  # noqa: E402


def faces(count, seed=0):
    return torch.randint(0, 256, (count, 1, 48, 48), generator=torch.Generator().manual_seed(seed)).float()


def package_arrays(seed=0):
    """Arrays named, shaped and scaled like the package's."""
    generator = np.random.default_rng(seed)
    layers = {"conv32_down": (7, 3, 32)}
    for name, inputs, outputs, _ in backbone.BLOCKS:
        layers |= {f"{name}/conv1": (3, inputs, outputs), f"{name}/conv2": (3, outputs, outputs)}
    found = {}
    for name, (side, inputs, outputs) in layers.items():
        kernel = generator.normal(0, 0.1 / side / inputs**0.5, (side, side, inputs, outputs))
        found[f"{name}/conv/filters"] = kernel.astype(np.float32)
        found[f"{name}/scale/weights"] = generator.uniform(2, 6, outputs).astype(np.float32)
        found[f"{name}/scale/biases"] = generator.normal(0, 0.5, outputs).astype(np.float32)
    return found


@pytest.mark.parametrize("side", [48, 96])
def test_augmented_faces_keep_their_range_and_get_the_size_asked_for(side):
    found = augment.augment(faces(16), torch.Generator().manual_seed(1), side)
    assert found.shape == (16, 1, side, side)
    assert 0 <= found.min() <= found.max() <= 255


def test_augmentation_follows_its_generator():
    first, again, other = (augment.augment(faces(4), torch.Generator().manual_seed(s), 48) for s in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_without_hiding_a_flat_face_stays_flat_but_for_sensor_noise():
    flat = torch.full((64, 1, 48, 48), 120.0)
    plain = augment.augment(flat, torch.Generator().manual_seed(3), 48, hide=0)
    hidden = augment.augment(flat, torch.Generator().manual_seed(3), 48, hide=1)
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


def test_weights_of_a_byte_and_of_four_are_read_one_after_the_other():
    rule = {"dtype": "uint8", "scale": 0.5, "min": -1.0}
    weights = [
        {"name": "a", "shape": [2, 2], "quantization": rule},
        {"name": "b", "shape": [2]},
        {"name": "c", "shape": [1], "quantization": rule},
    ]
    content = bytes([0, 1, 2, 4]) + np.array([3.5, -2], "<f4").tobytes() + bytes([10])
    found = backbone.arrays(json.dumps([{"weights": weights}]).encode(), content)
    np.testing.assert_array_equal(found["a"], [[-1, -0.5], [0, 1]])
    np.testing.assert_array_equal(found["b"], [3.5, -2])
    np.testing.assert_array_equal(found["c"], [4])


def test_the_loaded_network_computes_what_the_originals_constants_compute():
    found = package_arrays()
    shown = view(faces(6))
    network = backbone.FaceResNet()
    backbone.load(network, found, shown)

    def original(name, x, stride=1, padding=1):
        kernel = torch.from_numpy(found[f"{name}/conv/filters"].transpose(3, 2, 0, 1).copy())
        x = F.conv2d(x, kernel, stride=stride, padding=padding)
        scale, shift = found[f"{name}/scale/weights"], found[f"{name}/scale/biases"]
        return x * torch.from_numpy(scale)[:, None, None] + torch.from_numpy(shift)[:, None, None]

    x = F.relu(original("conv32_down", shown.repeat(1, 3, 1, 1) * backbone.INPUT_DEVIATION, 2, 3))
    x = F.max_pool2d(x, 3, 2, ceil_mode=True)
    for name, inputs, outputs, halve in backbone.BLOCKS:
        inner = F.pad(x, (0, 1, 0, 1)) if halve else x
        inner = F.relu(original(f"{name}/conv1", inner, 2 if halve else 1, 0 if halve else 1))
        skip = F.avg_pool2d(x, 2) if halve else x
        skip = torch.cat([skip, torch.zeros(len(x), outputs - inputs, *skip.shape[2:])], 1)
        x = F.relu(original(f"{name}/conv2", inner) + skip)
    with torch.inference_mode():
        mapped = network.eval()(shown)
    assert mapped.shape == (6, backbone.CHANNELS, 3, 3)
    torch.testing.assert_close(mapped, x, atol=1e-3 * float(x.abs().max()), rtol=1e-3)


def test_the_exported_answer_is_tempered_and_the_same_for_a_mirrored_face():
    torch.manual_seed(0)
    network = EmotionNet().eval()
    with torch.inference_mode():
        sharp, flat = (ExportedEmotion(network, t).eval()(faces(4)) for t in (0.5, 5.0))
        mirrored = ExportedEmotion(network, 0.5).eval()(faces(4).flip(3))
    torch.testing.assert_close(sharp.sum(1), torch.ones(4))
    assert (sharp.max(1).values > flat.max(1).values).all()
    torch.testing.assert_close(sharp, mirrored, atol=1e-5, rtol=1e-4)


def test_the_graph_with_a_byte_a_weight_computes_what_the_rounded_network_does():
    torch.manual_seed(1)
    network = storable_in_bytes(EmotionNet().eval())
    stored = export.to_onnx(ExportedEmotion(network, 0.8).eval())
    shown = faces(5).numpy()
    said = runtime.session(stored).run(None, {"faces": shown})[0]
    expected = softmax(train.predict(network, shown[:, 0].astype(np.uint8)) / 0.8)
    np.testing.assert_allclose(said, expected, atol=1e-5)
    assert len(stored) < 1.05 * sum(p.numel() for p in network.parameters()) + 50_000


def test_one_face_costs_at_most_a_third_of_a_billion_multiplications():
    """Twice 150 million, face and mirror image: what a core does in 5 ms at 70 GFLOPS."""
    total = 0

    def count(layer, _, output):
        nonlocal total
        if isinstance(layer, torch.nn.Conv2d):
            total += output.numel() * layer.weight[0].numel()

    network = EmotionNet().eval()
    for module in network.modules():
        module.register_forward_hook(count)
    with torch.inference_mode():
        ExportedEmotion(network, 1.0)(faces(1))
    assert 1e8 < total < 333e6


def test_within_a_stage_the_rate_rises_for_an_epoch_and_then_falls_to_nothing():
    rates = [train.rate(epoch, 20) for epoch in (0, 0.5, 1, 10, 19.99)]
    assert rates[0] < rates[1] < rates[2] == pytest.approx(1.0)
    assert rates[2] > rates[3] > rates[4]
    assert rates[4] < 0.001


def test_every_epoch_belongs_to_one_stage():
    lengths = [stage.epochs for stage in train.STAGES]
    found = [train.at(epoch, train.STAGES) for epoch in range(sum(lengths))]
    assert [into for _, into in found] == [into for length in lengths for into in range(length)]
    assert export.epochs(sum(lengths)) == {stage.name: stage.epochs for stage in train.STAGES}
    assert export.epochs(lengths[0] + 1) == {"learn": lengths[0], "refine": 1, "settle": 0, "again": 0}
    with pytest.raises(ValueError, match="1 epochs"):
        train.at(sum(lengths), train.STAGES)


def test_faces_are_changed_less_at_a_lower_strength():
    plain = faces(64).clamp(60, 200)
    moved = [
        augment.augment(plain, torch.Generator().manual_seed(5), 48, hide=0, strength=strength) for strength in (0.2, 1)
    ]
    upright = augment.augment(plain, torch.Generator().manual_seed(5), 48, hide=0, strength=0)
    assert (moved[0] - upright).abs().mean() < (moved[1] - upright).abs().mean()


def test_an_interrupted_training_ends_where_an_unbroken_one_does(tmp_path, capsys):
    zipped = make(tmp_path / "fer.zip")
    stages = [dataclasses.replace(stage, epochs=1) for stage in train.STAGES]

    def run(name, until=None):
        options = argparse.Namespace(data=zipped, package=None, checkpoints=tmp_path / name)
        vars(options).update(batch=16, rate=0.01, seed=0, threads=1, until=until)
        train.train(options, package_arrays(), stages)
        return torch.load(tmp_path / name / "latest.pt", weights_only=True)

    unbroken = run("unbroken")
    assert run("broken", until=2)["opinion"].shape[1] == 7
    resumed = run("broken")
    assert unbroken["epoch"] == resumed["epoch"] == 3
    assert len(re.findall("hold_out_accuracy", capsys.readouterr().out)) == 2 * len(stages)
    for name, value in unbroken["average"].items():
        assert torch.equal(value, resumed["average"][name])
