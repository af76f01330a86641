"""Running stored graphs on one thread, as the product does."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray


def session(model: bytes, threads: int = 1) -> onnxruntime.InferenceSession:
    """An onnxruntime session on the processor."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3  # the packaged CenterFace warns once for each of its 194 weights
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def milliseconds(model: bytes, feeds: Mapping[str, NDArray[Any]], repeats: int = 9) -> float:
    """Median processor time of one call on one thread, the first call left out; other programs' work does not count."""
    running = session(model)
    running.run(None, dict(feeds))
    taken = []
    for _ in range(repeats):
        began = time.process_time()
        running.run(None, dict(feeds))
        taken.append(1000 * (time.process_time() - began))
    return float(np.median(taken))
