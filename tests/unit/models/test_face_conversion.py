"""The CenterFace recipe on a graph small enough to follow, and the geometry of the converted file."""

import numpy as np
import pytest

from models.common import runtime

onnx = pytest.importorskip("onnx", reason="conversion needs models/requirements.txt")


def packaged_like():
    """One convolution whose weight is listed as an input and whose tensors bear CenterFace's numbers."""
    from onnx import TensorProto, helper, numpy_helper

    generator = np.random.default_rng(0)
    nodes, outputs, weights = [], [], []
    for name, channels in (("537", 1), ("538", 2), ("539", 2), ("540", 10)):
        weight = (0.01 * generator.normal(size=(channels, 3, 4, 4))).astype(np.float32)
        weights.append(numpy_helper.from_array(weight, f"w{name}"))
        nodes.append(helper.make_node("Conv", ["input.1", f"w{name}"], [name], strides=[4, 4]))
        outputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, [10, channels, 8, 8]))
    inputs = [helper.make_tensor_value_info("input.1", TensorProto.FLOAT, [10, 3, 32, 32])]
    inputs += [helper.make_tensor_value_info(w.name, TensorProto.FLOAT, list(w.dims)) for w in weights]
    graph = helper.make_graph(nodes, "small", inputs, outputs, weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 9)], ir_version=4).SerializeToString()


def test_conversion_frees_the_size_names_the_tensors_and_takes_weights_off_the_inputs():
    from models.face import build

    converted, removed = build.convert(packaged_like())
    assert removed == 4
    running = runtime.session(converted)
    assert [i.name for i in running.get_inputs()] == ["image"]
    assert [o.name for o in running.get_outputs()] == ["heatmap", "scale", "offset", "landmarks"]
    answers = running.run(None, {"image": np.zeros((2, 3, 64, 96), np.float32)})
    assert [a.shape for a in answers] == [(2, c, 16, 24) for c in (1, 2, 2, 10)]


def test_conversion_changes_nothing_that_is_computed_and_the_comparison_would_notice():
    from models.face import build

    original = packaged_like()
    plain = build.original_with_free_size(original)
    converted, _ = build.convert(original)
    assert build.largest_difference(plain, converted, ((32, 64), (96, 32))) <= build.TOLERANCE
    changed = onnx.load_from_string(converted)
    first = changed.graph.initializer[0]
    first.CopyFrom(onnx.numpy_helper.from_array(onnx.numpy_helper.to_array(first) * 1.01, first.name))
    assert build.largest_difference(plain, changed.SerializeToString(), ((32, 64),)) > build.TOLERANCE


@pytest.mark.parametrize(("height", "width"), [(64, 96), (352, 640)])
def test_the_committed_detector_answers_on_a_grid_of_four_pixels(sessions, height, width):
    heat, scale, offset, marks = sessions["face"].run(None, {"image": np.zeros((1, 3, height, width), np.float32)})
    assert heat.shape == (1, 1, height // 4, width // 4)
    assert scale.shape == offset.shape == (1, 2, height // 4, width // 4)
    assert marks.shape == (1, 10, height // 4, width // 4)
    assert 0 <= heat.min() <= heat.max() < 0.35, "an empty picture holds no face"


def test_weights_stored_as_half_compute_the_same_within_their_rounding():
    from models.common import graph

    model = onnx.load_from_string(packaged_like())
    graph.drop_initializer_inputs(model)
    full = model.SerializeToString()
    graph.store_as_half(model, least=1)
    onnx.checker.check_model(model)
    image = np.random.default_rng(1).normal(size=(10, 3, 32, 32)).astype(np.float32)
    for wide, narrow in zip(
        *(runtime.session(m).run(None, {"input.1": image}) for m in (full, model.SerializeToString())), strict=True
    ):
        np.testing.assert_allclose(wide, narrow, atol=2e-2)
        assert np.abs(wide - narrow).max() > 0
