"""The arithmetic between tokens and probability, and what the protocol promises. Needs models/requirements.txt."""

import dataclasses

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs models/requirements.txt")
pytest.importorskip("sklearn", reason="training needs models/requirements.txt")

from models.common import measure  # noqa: E402
from models.violence import data, evaluate, features, heads, network  # noqa: E402


def tokens(count, seed=0):
    generator = np.random.default_rng(seed)
    return generator.normal(0.5, 1, (count, 16, network.TOKEN)).astype(np.float16)


def corpus(clips=24, seed=0):
    """Clips whose class shows in some token values, three clips a group, two groups a fold; and a rendered domain."""
    generator = np.random.default_rng(seed)
    listed = [
        data.Clip(data.Path(f"{k}.mp4"), k % 2, (k // 3) % 4, f"g{k // 3}", other_dataset=False) for k in range(clips)
    ]
    plain = tokens(clips, seed)
    label = np.array([c.fight for c in listed])
    plain[:, :, :40] += (label * 1.5).astype(np.float16)[:, None, None]
    of = np.arange(clips)
    rendered = tokens(160, seed + 1)
    rendered_label = generator.integers(0, 2, 160)
    rendered[:, :, 100:200] += 4
    rendered[:, :, 200:240] += (rendered_label * 1.5).astype(np.float16)[:, None, None]
    return evaluate.Corpus(
        listed,
        {"plain": features.Windows(plain, of, label)},
        features.Summaries(heads.summaries(rendered), np.arange(160), rendered_label),
    )


def test_the_fit_in_the_span_of_the_windows_is_the_ridge_solution():
    from sklearn.linear_model import LogisticRegression

    generator = np.random.default_rng(0)
    summary = generator.normal(size=(60, 300)).astype(np.float32)
    label = generator.integers(0, 2, 60)
    fitted = heads.fit_linear(summary, label, np.ones(60), 0.01)
    standard = (summary - summary.mean(0)) / (summary.std(0) + 1e-4)
    direct = LogisticRegression(C=0.01, max_iter=1000, tol=1e-8).fit(standard, label)
    np.testing.assert_allclose(fitted(summary), direct.decision_function(standard), atol=2e-2)


def test_platt_finds_the_distortion_of_calibrated_scores():
    generator = np.random.default_rng(1)
    truth = generator.normal(0, 2, 40_000)
    label = (generator.random(40_000) < 1 / (1 + np.exp(-truth))).astype(np.int64)
    slope, offset = heads.fit_platt(truth * 3 + 1, label)
    assert slope == pytest.approx(1 / 3, rel=0.05)
    assert offset == pytest.approx(-1 / 3, abs=0.06)


def test_the_assembled_network_says_what_the_protocol_measured():
    made = corpus()
    protocol = evaluate.Protocol(made)
    trained = protocol.fit(np.ones(24, bool), seeds=[0])
    real, rendered = evaluate.Platt(1.3, -0.2), evaluate.Platt(0.7, 0.4)
    expected = protocol.scores(trained).log_odds(real, rendered)
    share = evaluate.RECURRENT_SHARE
    head = heads.assemble(
        (trained.linear, trained.rendered, trained.gate),
        trained.members,
        (trained.mean, trained.scale),
        (real.slope * (1 - share), real.slope * share, real.offset, rendered.slope, rendered.offset),
    )
    with torch.inference_mode():
        found = head(torch.from_numpy(made.views["plain"].tokens).float()).numpy()
    np.testing.assert_allclose(found, expected, atol=1e-3)


def test_out_of_fold_scores_of_a_fold_do_not_depend_on_its_labels():
    made = corpus()
    scores = evaluate.Protocol(made).out_of_fold([])
    held = np.array([clip.fold == 2 for clip in made.clips])
    turned = made.views["plain"].label.copy()
    turned[held] = 1 - turned[held]
    lying = evaluate.Corpus(
        [data.Clip(c.path, int(turned[i]), c.fold, c.group, c.other_dataset) for i, c in enumerate(made.clips)],
        {"plain": features.Windows(made.views["plain"].tokens, made.views["plain"].of, turned)},
        made.rendered,
    )
    again = evaluate.Protocol(lying).out_of_fold([])
    np.testing.assert_allclose(scores.real[held], again.real[held])
    assert np.abs(scores.real[~held] - again.real[~held]).max() > 0


def test_the_gate_tells_the_domains_apart_and_leaves_real_footage_to_its_expert():
    made = corpus()
    protocol = evaluate.Protocol(made)
    trained = protocol.fit(np.ones(24, bool), seeds=[])
    rendered = trained.of_summaries(made.rendered.summary)
    assert measure.sigmoid(protocol.scores(trained).gate).max() < 0.5 < measure.sigmoid(rendered.gate).min()


def test_poor_recordings_teach_the_gate_and_nobody_else():
    made = corpus()
    plain = made.views["plain"]
    night = plain.tokens.copy()
    night[:, :, 100:150] += 4  # half of what sets rendered windows apart
    with_night = dataclasses.replace(made, poor=(features.Windows(night, plain.of, plain.label),))
    learn = np.array([clip.fold != 2 for clip in made.clips])
    share = {}
    for name, one in (("day", made), ("night", with_night)):
        trained = evaluate.Protocol(one).fit(learn, seeds=[])
        share[name] = measure.sigmoid(trained.scores(night[~learn], heads.summaries(night[~learn])).gate)
        rendered = trained.of_summaries(made.rendered.summary)
        assert measure.sigmoid(rendered.gate).min() > 0.5
        share[f"{name}, experts"] = trained.linear(heads.summaries(plain.tokens))
    assert (share["night"] < share["day"]).all()
    assert share["night"].mean() < 0.5 < share["day"].mean()
    np.testing.assert_array_equal(share["day, experts"], share["night, experts"])


def test_a_clip_is_as_violent_as_its_worst_window():
    windows = features.Windows(tokens(4), np.array([0, 0, 1, 1]), np.array([1, 1, 0, 0]))
    np.testing.assert_array_equal(evaluate.by_clip(np.array([0.1, 0.7, 0.3, 0.2]), windows, 2), [0.7, 0.3])


def test_tokens_of_a_still_picture_do_not_depend_on_the_picture():
    from models.violence.backbone import MobileNetV2

    tokeniser = network.Tokeniser(MobileNetV2().eval()).eval()
    rooms = torch.randint(0, 256, (2, 1, 64, 64, 3), dtype=torch.uint8).repeat(1, 3, 1, 1, 1)
    with torch.inference_mode():
        found = tokeniser(rooms)
    assert found.shape == (2, 2, network.TOKEN)
    torch.testing.assert_close(found[0], found[1])


def test_movement_is_seen_where_it_happens():
    frames = torch.full((1, 2, 64, 64, 3), 100, dtype=torch.uint8)
    frames[0, 1, 40:60, 4:20] = 200
    moved = network.movement(network.differences(frames))[0, 0]
    assert moved.argmax() == 2  # lower left of the four cells
    assert moved[0].max() < 1e-5


def test_only_pictures_without_a_bright_spot_are_brightened_and_only_so_far():
    room = torch.zeros(1, 3, 64, 64, 3)
    room[:, :, 8:16, 8:16] = 100.0  # one cell of 8x8 is lit
    dim = room * 0.5
    covered = room * 0.05
    torch.testing.assert_close(network.brightening(room), torch.ones(1, 2))
    torch.testing.assert_close(network.brightening(dim), torch.full((1, 2), 200.0 / 50.0))
    torch.testing.assert_close(network.brightening(covered), torch.full((1, 2), 8.0))
    # of two pictures the brighter counts: a lamp that goes out is no reason
    torch.testing.assert_close(network.brightening(torch.cat([room[:, :1], dim[:, :1]], 1)), torch.ones(1, 1))


def test_movement_in_the_dark_is_as_strong_as_in_daylight():
    lit = torch.randint(0, 200, (1, 4, 64, 64, 3)).float()
    lit[:, :, :8, :8] = 200.0
    torch.testing.assert_close(network.differences(lit * 0.2), network.differences(lit), atol=1e-4, rtol=0)


def test_the_folded_backbone_computes_what_the_original_does_within_half_precision():
    from models.common import folding
    from models.violence import backbone

    torch.manual_seed(0)
    original = backbone.MobileNetV2()
    for module in original.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 1.5)
    original.eval()
    images = torch.randn(1, 3, 64, 64)
    with torch.inference_mode():
        before = original(images).mean((2, 3))
        after = folding.storable(original)(images).mean((2, 3))
    assert not any(isinstance(m, torch.nn.BatchNorm2d) for m in original.modules())
    torch.testing.assert_close(before, after, atol=2e-2, rtol=2e-2)
