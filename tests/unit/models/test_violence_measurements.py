"""How false incidents are counted, what recordings suffer, and what a graph costs. Needs models/requirements.txt."""

import numpy as np
import pytest

pytest.importorskip("scipy", reason="measuring needs models/requirements.txt")
onnx = pytest.importorskip("onnx", reason="measuring needs models/requirements.txt")

from models.common import flops  # noqa: E402
from models.violence import alarms, conditions, data, rendered  # noqa: E402


def test_findings_less_than_a_minute_apart_are_one_incident_and_the_graver_verdict_stands():
    probabilities = np.full(200, 0.1)
    probabilities[10], probabilities[50], probabilities[180] = 0.85, 0.95, 0.85
    found = alarms.incidents(probabilities)
    assert [(one.start_s, one.end_s, one.report) for one in found] == [(10, 52, True), (180, 182, False)]


def test_windows_below_the_review_threshold_are_no_incident():
    assert alarms.incidents(np.full(100, 0.79)) == []


@pytest.mark.parametrize(("count", "low", "high"), [(0, 0.0, 3.689), (1, 0.0253, 5.572), (10, 4.795, 18.39)])
def test_the_poisson_interval_is_the_tabled_one(count, low, high):
    assert alarms.poisson_interval(count) == (pytest.approx(low, abs=1e-3), pytest.approx(high, abs=6e-3))


def test_the_interval_of_a_share_is_the_tabled_one():
    assert alarms.share_interval(8, 10) == (pytest.approx(0.444, abs=1e-3), pytest.approx(0.975, abs=1e-3))
    assert alarms.share_interval(10, 10)[1] == 1.0


def test_a_tally_gives_rates_for_the_hours_it_saw():
    tally = alarms.Tally()
    loud = np.full(1800, 0.05)
    loud[100] = 0.95
    tally.add(loud, 1800)
    tally.add(np.full(1800, 0.05), 1800)
    row = tally.row("calm")
    assert (row["camera-hours"], row["`report`"], row["`review`"]) == (1.0, 1, 0)
    assert row["`report` an hour (95 %)"] == "1.00 (0.03 to 5.57)"


def test_seeds_of_training_checking_and_counting_do_not_meet():
    train = {p.seed for p in (*rendered.training(400, 400), *rendered.long_training(400, 4000))}
    check = {p.seed for p in rendered.CHECKING}
    count = {p.seed for p in (*alarms.calm_programmes(40), *alarms.assault_programmes(400))}
    assert not train & check
    assert not (train | check) & count
    assert max(train) < rendered.FIRST_CHECK_SEED <= min(count)


def test_a_calm_afternoon_has_its_length_and_no_assault_and_twenty_hours_are_twenty():
    programme = rendered.afternoon(5, 300.0)
    assert programme.duration_s == 300.0
    assert all(act.scene != "assault" for act in programme.acts)
    assert sum(p.duration_s for p in alarms.calm_programmes(20)) >= 20 * 3600


def test_an_assault_that_an_incident_overlaps_is_found():
    programme = rendered.outrage(3)
    spans = rendered.truth(programme.seed, programme.acts)
    middle = round((spans[0].start_s + spans[-1].end_s) / 2)
    quiet = np.full(int(programme.duration_s) - 1, 0.02)
    seen = quiet.copy()
    seen[middle - 1] = 0.93
    missed = quiet.copy()
    missed[0] = 0.93
    found = alarms.recall([programme] * 3, [seen, missed, quiet])
    assert found["found"] == pytest.approx(1 / 3)
    assert found["reported"] == pytest.approx(1 / 3)


def moving_square(frames=40, fps=20.0):
    pictures = []
    for k in range(frames):
        picture = np.full((120, 160, 3), 90, np.uint8)
        picture[40:80, 2 * k : 2 * k + 30] = (40, 120, 210)
        pictures.append(picture)
    return conditions.Recording(pictures, np.arange(frames) / fps)


@pytest.mark.parametrize("name", conditions.NAMES)
def test_a_condition_changes_the_windows_and_is_the_same_each_time(name):
    if name == "H.264 CRF 40":
        pytest.importorskip("av")
    recording = moving_square()
    plain = conditions.windows(recording, "as recorded", "a")[0]
    first, again = (conditions.windows(recording, name, "a")[0] for _ in range(2))
    assert first.shape == (data.FRAMES, data.SIDE_PX, data.SIDE_PX, 3)
    assert (first != plain).any()
    if name == "H.264 CRF 40":  # the encoder itself varies by a few grey levels in a few places
        assert np.abs(first.astype(int) - again).mean() < 0.2
    else:
        np.testing.assert_array_equal(first, again)


def test_conditions_do_what_their_names_say():
    recording = moving_square()
    picture, generator = recording.pictures[5], np.random.default_rng(0)
    assert conditions.low_light(picture, 0.0, generator).mean() < 0.3 * picture.mean()
    night = conditions.infrared(picture, 0.0, generator)
    assert (night[..., 0] == night[..., 2]).all()
    assert conditions.few_lines(picture, 0.0, generator).shape == (160, 213, 3)
    assert conditions.borders(picture, 0.0, generator)[:, :20].max() == 0
    assert conditions.tilt(picture, 0.0, generator)[0, 0].max() == 0
    slow = conditions.slow(recording)
    assert np.diff(slow.at_s) == pytest.approx(1 / conditions.SLOW_FPS, abs=0.051)
    assert len(slow.pictures) == 1 + round(recording.at_s[-1] * conditions.SLOW_FPS)


def test_operations_are_counted_from_the_sizes_a_graph_really_has():
    from onnx import TensorProto, helper, numpy_helper

    kernel = numpy_helper.from_array(np.ones((8, 3, 3, 3), np.int8), "kernel_bytes")
    scale = numpy_helper.from_array(np.ones((8, 1, 1, 1), np.float32), "kernel_scale")
    matrix = numpy_helper.from_array(np.ones((8, 5), np.float32), "matrix")
    graph = helper.make_graph(
        [
            helper.make_node("Cast", ["kernel_bytes"], ["kernel_wide"], to=TensorProto.FLOAT),
            helper.make_node("Mul", ["kernel_wide", "kernel_scale"], ["kernel"]),
            helper.make_node("Conv", ["x", "kernel"], ["maps"], strides=[2, 2], pads=[1, 1, 1, 1]),
            helper.make_node("ReduceMean", ["maps"], ["mean"], axes=[2, 3], keepdims=0),
            helper.make_node("MatMul", ["mean", "matrix"], ["y"]),
        ],
        "two products",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 3, "h", "w"])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 5])],
        [kernel, scale, matrix],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=9)
    found = flops.gflops(model.SerializeToString(), {"x": np.zeros((1, 3, 10, 12), np.float32)})
    assert found * 1e9 == pytest.approx(2 * (5 * 6 * 8 * 27 + 8 * 5))


def test_the_committed_graph_in_two_parts_says_what_it_says_whole(sessions):
    pytest.importorskip("torch", reason="bench.false_alarms shares code with training")
    from bench import false_alarms

    frames = np.random.default_rng(4).integers(60, 190, (25, 224, 224, 3), dtype=np.uint8)
    tokeniser, head = false_alarms.parts((false_alarms.HERE / "model.onnx").read_bytes())
    found = false_alarms.by_second(false_alarms.tokens_by("onnxruntime", tokeniser)(frames), false_alarms.head_of(head))
    whole = sessions["violence"]
    nothing = np.zeros((1, *whole.get_inputs()[1].shape[1:]), np.float32)
    expected = []
    for start in (0, 8):
        _, tokens = whole.run(None, {"frames": frames[None, start : start + 9], "before": nothing})
        expected.append(
            float(whole.run(None, {"frames": frames[None, start + 8 : start + 17], "before": tokens})[0][0])
        )
    np.testing.assert_allclose(found, expected, atol=2e-3)
