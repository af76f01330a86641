"""The probability of violence in windows of 2 s, from the model of role ``violence``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from uriai.adapters.vision.registry import Model, ModelRefused, Tensor
from uriai.adapters.vision.sampling import Cut
from uriai.adapters.vision.scaling import Image, shrink
from uriai.domain.analysis import DetectedBox, Window


class ViolenceDetector:
    """Looks at windows. The graph itself takes differences and calibrates; it wants RGB pixels 0..255.

    A graph takes a window at once (``frames``: 17 images), or half of one (9 images, the middle one in both halves) and
    the ``tokens`` it made of the half before: then what windows share is computed once.

    Parameters
    ----------
    model:
        Role ``violence``; the number and size of its images are read from its graph.
    """

    def __init__(self, model: Model) -> None:
        inputs = {tensor.name: tensor for tensor in model.inputs}
        images, height, width = _fixed(model, inputs["frames"], 1, 2, 3)
        self._model = model
        self._dtype: Any = np.dtype(inputs["frames"].dtype)
        self._size = (width, height)
        self._outputs = [tensor.name for tensor in model.outputs]
        self._halves: _Halves | None = None
        self.instants = images
        if "before" in inputs:
            self.instants = 2 * images - 1
            self._halves = _Halves(_fixed(model, inputs["before"], 1, 2))
        if self.instants < 3 or self.instants % 2 == 0:
            raise ModelRefused(f"model {model.reference.name}: {images} images a window; it has to be an odd number")

    calibrated = True

    def begin(self) -> None:
        """Nothing is kept from one clip to the next but a half window, which its very images tell apart."""

    def boxes(self) -> tuple[DetectedBox, ...]:
        """None: the model sees the window as a whole."""
        return ()

    def prepare(self, image: Image, t_s: float = 0.0) -> Image:
        """A BGR frame of any size as the RGB image the model wants, uint8 [H, W, 3]; the aspect ratio is given up."""
        small: Any = cv2.cvtColor(shrink(image, *self._size), cv2.COLOR_BGR2RGB)
        return np.asarray(small, np.uint8)

    def judge(self, cuts: Sequence[Cut[Image]]) -> list[Window]:
        """One window for each cut. One at a time: on one thread a batch saves nothing and costs its memory.

        Raises
        ------
        ModelRefused
            If the model's answer is no probability: a wrong model must not read as "nothing happened".
        """
        windows = []
        for cut in cuts:
            probability = self._whole(cut.images) if self._halves is None else self._by_halves(cut.images, self._halves)
            if not 0.0 <= probability <= 1.0:
                raise ModelRefused(
                    f"model {self._model.reference.name} answered {probability}, which is no probability"
                )
            windows.append(Window(cut.start_s, cut.end_s, probability))
        return windows

    def _whole(self, images: Sequence[Image]) -> float:
        return float(self._run(frames=self._stack(images))["probability"][0])

    def _by_halves(self, images: Sequence[Image], halves: _Halves) -> float:
        middle = self.instants // 2
        tokens = halves.known(images[: middle + 1])
        if tokens is None:
            tokens = self._run(frames=self._stack(images[: middle + 1]), before=halves.nothing)["tokens"]
        answer = self._run(frames=self._stack(images[middle:]), before=tokens)
        halves.keep(images[middle:], answer["tokens"])
        return float(answer["probability"][0])

    def _run(self, **feeds: Any) -> dict[str, Any]:
        return dict(zip(self._outputs, self._model.run(**feeds), strict=True))

    def _stack(self, images: Sequence[Image]) -> Any:
        return np.stack(images)[None].astype(self._dtype, copy=False)


class _Halves:
    """The tokens of the last half window, found again by its very images: the next window begins with them."""

    def __init__(self, token_shape: tuple[int, ...]) -> None:
        self.nothing: NDArray[np.float32] = np.zeros((1, *token_shape), np.float32)
        self._kept: tuple[tuple[Image, ...], Any] | None = None

    def known(self, images: Sequence[Image]) -> Any | None:
        if self._kept is None or len(self._kept[0]) != len(images):
            return None
        same = all(one is other for one, other in zip(self._kept[0], images, strict=True))
        return self._kept[1] if same else None

    def keep(self, images: Sequence[Image], tokens: Any) -> None:
        self._kept = (tuple(images), tokens)


def _fixed(model: Model, tensor: Tensor, *axes: int) -> tuple[int, ...]:
    sizes = tuple(tensor.shape[axis] for axis in axes)
    batch = tensor.shape[0]
    if not all(isinstance(size, int) for size in sizes) or (isinstance(batch, int) and batch != 1):
        raise ModelRefused(
            f"model {model.reference.name}: input {tensor.name!r} is {list(tensor.shape)}; the first size has to be "
            "free or 1, the others fixed"
        )
    return tuple(int(size) for size in sizes)
