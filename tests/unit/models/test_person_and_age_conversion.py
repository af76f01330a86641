"""The recipes of the person and the age model on graphs small enough to follow."""

import numpy as np
import pytest

from models.common import boxes, runtime

onnx = pytest.importorskip("onnx", reason="conversion needs models/requirements.txt")


def packaged_person():
    """Six convolutions over whole cells whose tensors bear the names that tf2onnx leaves."""
    from onnx import TensorProto, helper, numpy_helper

    from models.person import build

    generator = np.random.default_rng(0)
    nodes, outputs, weights = [], [], []
    names = [name for name in build.NAMES if name != "input_1:0"]
    for name in names:
        kind, stride = build.NAMES[name].split("_")
        channels, px = (build.CLASSES if kind == "scores" else 4 * build.BINS), int(stride)
        weight = (generator.normal(size=(channels, 3, px, px)) / px**2).astype(np.float16).astype(np.float32)
        weights.append(numpy_helper.from_array(weight, f"w{name}"))
        weights.append(numpy_helper.from_array(np.array([1, channels, -1], np.int64), f"s{name}"))
        nodes.append(helper.make_node("Conv", ["input_1:0", f"w{name}"], [f"c{name}"], strides=[px, px]))
        nodes.append(helper.make_node("Reshape", [f"c{name}", f"s{name}"], [f"r{name}"]))
        nodes.append(helper.make_node("Transpose", [f"r{name}"], [name], perm=[0, 2, 1]))
        outputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, None, channels]))
    side = build.PACKAGED_PX
    inputs = [helper.make_tensor_value_info("input_1:0", TensorProto.FLOAT, [1, 3, side, side])]
    graph = helper.make_graph(nodes, "small", inputs, outputs, weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString()


def test_the_person_model_gets_names_and_a_free_size_and_computes_the_same():
    from models.person import build

    packaged = packaged_person()
    converted = build.deployable(packaged)
    assert build.largest_difference(packaged, converted) <= build.TOLERANCE
    assert len(converted) < 0.6 * len(packaged)
    running = runtime.session(converted)
    answers = dict(
        zip(
            [o.name for o in running.get_outputs()],
            running.run(None, {"image": np.zeros((1, 3, 96, 160), np.float32)}),
            strict=True,
        )
    )
    assert answers["scores_8"].shape == (1, 12 * 20, build.CLASSES)
    assert answers["distances_32"].shape == (1, 3 * 5, 4 * build.BINS)


def test_the_comparison_of_person_models_would_notice_another_weight():
    from models.person import build

    packaged = packaged_person()
    changed = onnx.load_from_string(packaged)
    first = changed.graph.initializer[0]
    first.CopyFrom(onnx.numpy_helper.from_array(onnx.numpy_helper.to_array(first) * 1.5, first.name))
    assert build.largest_difference(packaged, build.deployable(changed.SerializeToString())) > build.TOLERANCE


def test_the_age_model_gets_its_name_and_computes_the_same():
    from onnx import TensorProto, helper, numpy_helper

    from models.age import build

    weight = np.random.default_rng(0).normal(size=(3 * 64 * 64, build.AGES)).astype(np.float32) / 100
    nodes = [
        helper.make_node("Flatten", ["images"], ["flat"]),
        helper.make_node("MatMul", ["flat", "w"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["probabilities"]),
    ]
    graph = helper.make_graph(
        nodes,
        "small",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, ["N", 3, 64, 64])],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["N", build.AGES])],
        [numpy_helper.from_array(weight, "w")],
    )
    original = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString()
    converted = build.convert(original)
    assert [i.name for i in runtime.session(converted).get_inputs()] == ["faces"]
    assert build.largest_difference(original, converted) <= build.TOLERANCE


def test_each_truth_and_each_find_is_matched_once_the_best_first():
    truth = [(0, 0, 10, 10), (20, 0, 10, 10)]
    found = [(1, 0, 10, 10), (0, 0, 10, 10), (90, 90, 5, 5)]
    assert boxes.matches(truth, found, 0.5) == {0: 1}
    assert boxes.iou((0, 0, 10, 10), (5, 0, 10, 10)) == pytest.approx(1 / 3)
    assert boxes.iou((0, 0, 10, 10), (30, 0, 10, 10)) == 0
