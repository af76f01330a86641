"""The answers of an exported YOLOv5, whichever way it was exported, as boxes with a class and a confidence.

- ``raw``: one output [1, N, 5 + classes] of centre x and y, width, height, objectness, class scores; the NMS is ours
- ``rows``: [K, 7] of batch index, x0, y0, x1, y1, class, score; or [K, 6] or [1, K, 6] of x0, y0, x1, y1, score, class
- ``lists``: ``boxes`` [K, 4] of x0, y0, x1, y1, ``scores`` [K], ``labels`` or ``classes`` [K]; a leading 1 is allowed
- ``tensors``: ``num_dets`` [1, 1], ``det_boxes`` [1, K, 4], ``det_scores`` [1, K], ``det_classes`` [1, K]

All in pixels of the model's input. The last three come from graphs that hold an NMS. A class that is told apart from
its fellows by a sigmoid each may share its box with another: from a raw answer, every class above the limit counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from uriai.adapters.vision.faces import suppress
from uriai.adapters.vision.manifests import ModelRefused

MOST_ROWS = 500_000
"""A YOLOv5 of 2,048 px gives 258,048 rows; what gives more is no YOLOv5."""
_MOST_CANDIDATES = 1000
_MOST_KEPT = 100
_TENSORS = ("num_dets", "det_boxes", "det_scores", "det_classes")
_ACCEPTED = "see docs/yolo-detector.md for the layouts that can be read"


@dataclass(frozen=True, slots=True)
class Detections:
    """Boxes float64 [K, 4] (left, top, right, bottom, in pixels of the model's input), scores float64 [K] 0..1, and
    class numbers int64 [K].
    """

    boxes: NDArray[np.float64]
    scores: NDArray[np.float64]
    classes: NDArray[np.int64]


class OutputReader:
    """Reads one model's answers.

    Parameters
    ----------
    name:
        How the model is called in messages.
    classes:
        How many classes it knows.
    layout:
        One of `uriai.adapters.vision.manifests.LAYOUTS`; ``auto`` tells it by names and shapes.
    least:
        Boxes of a lower confidence are left out.
    overlap:
        Of two boxes of one class whose intersection over union is larger, the weaker goes. Where the graph has an NMS
        of its own, that one decides.
    """

    def __init__(self, name: str, classes: int, layout: str, least: float, overlap: float) -> None:
        self._name, self._classes, self._layout = name, classes, layout
        self._least, self._overlap = least, overlap

    def read(self, outputs: Mapping[str, Any]) -> Detections:
        """What one picture's answer holds.

        Raises
        ------
        ModelRefused
            If no layout fits, or the answer holds what cannot be: no numbers, confidences beyond 0..1, classes that do
            not exist, boxes of another picture.
        """
        arrays = {name: np.asarray(value) for name, value in outputs.items()}
        if sum(array.size for array in arrays.values()) > MOST_ROWS * (5 + self._classes):
            raise self._refused(f"answered {_shapes(arrays)}, more than any YOLOv5 gives")
        if self._layout in ("auto", "tensors") and set(_TENSORS) <= set(arrays):
            return self._tensors(arrays)
        labels = next((name for name in ("labels", "classes") if name in arrays), "")
        if self._layout in ("auto", "lists") and labels and {"boxes", "scores"} <= set(arrays):
            return self._checked(
                arrays["boxes"].reshape(-1, 4), arrays["scores"].reshape(-1), arrays[labels].reshape(-1)
            )
        for array in arrays.values():
            found = self._table(array)
            if found is not None:
                return found
        raise self._refused(f"answered {_shapes(arrays)}, which is none of the layouts of {self._classes} classes")

    def _table(self, array: NDArray[Any]) -> Detections | None:
        """The answer in one table, None if this output is none."""
        if array.ndim == 3 and array.shape[0] != 1:
            return None
        columns = array.shape[-1] if array.ndim in (2, 3) else 0
        raw = array.ndim == 3 and columns == 5 + self._classes
        rows = columns == 6 or (columns == 7 and array.ndim == 2)
        if self._layout == "auto" and raw and rows:
            raise self._refused(
                f"answered {list(array.shape)}, which may be read in two ways: say in the manifest whether "
                "'detector.layout' is 'raw' or 'rows'"
            )
        if raw and self._layout in ("auto", "raw"):
            return self._raw(array[0])
        if (rows or (columns == 7 and self._layout == "rows")) and self._layout in ("auto", "rows"):
            return self._rows(array.reshape(-1, columns))
        return None

    def _raw(self, table: NDArray[Any]) -> Detections:
        values = self._numbers(table)
        confidence = values[:, 4:5] * values[:, 5:]
        self._check_scores(values[:, 4:])
        which, classes = np.nonzero(confidence >= self._least)
        scores = confidence[which, classes]
        strongest = np.argsort(-scores, kind="stable")[:_MOST_CANDIDATES]
        which, classes, scores = which[strongest], classes[strongest], scores[strongest]
        middle, half = values[which, :2], values[which, 2:4] / 2
        found = Detections(np.concatenate([middle - half, middle + half], axis=1), scores, classes.astype(np.int64))
        return self._suppressed(found)

    def _suppressed(self, found: Detections) -> Detections:
        """Class by class: people stand close together, and an assault is in the place of the people in it."""
        kept: list[int] = []
        for number in np.unique(found.classes):
            of_class = np.flatnonzero(found.classes == number)
            boxes, scores = found.boxes[of_class].astype(np.float32), found.scores[of_class].astype(np.float32)
            kept += [int(of_class[index]) for index in suppress(boxes, scores, self._overlap)]
        order = sorted(kept, key=lambda index: -found.scores[index])[:_MOST_KEPT]
        return Detections(found.boxes[order], found.scores[order], found.classes[order])

    def _rows(self, table: NDArray[Any]) -> Detections:
        if table.shape[1] == 6:
            return self._checked(table[:, :4], table[:, 4], table[:, 5])
        real = self._numbers(table)
        real = real[real[:, 6] > 0]  # rows that only fill the table up
        if np.any(real[:, 0] != 0):
            raise self._refused(f"answered boxes of picture {int(real[:, 0].max())}, it was shown one picture (0)")
        return self._checked(real[:, 1:5], real[:, 6], real[:, 5])

    def _tensors(self, arrays: Mapping[str, NDArray[Any]]) -> Detections:
        boxes = arrays["det_boxes"].reshape(-1, 4)
        count = int(self._numbers(arrays["num_dets"]).reshape(-1)[:1].sum())
        if not 0 <= count <= len(boxes):
            raise self._refused(f"says that it found {count} boxes, and gives {len(boxes)}")
        scores, classes = arrays["det_scores"].reshape(-1), arrays["det_classes"].reshape(-1)
        return self._checked(boxes[:count], scores[:count], classes[:count])

    def _checked(self, boxes: NDArray[Any], scores: NDArray[Any], classes: NDArray[Any]) -> Detections:
        """Boxes by their corners that an NMS of the graph has left."""
        if not len(boxes) == len(scores) == len(classes):
            raise self._refused(f"answered {len(boxes)} boxes, {len(scores)} scores and {len(classes)} classes")
        boxes, scores, classes = self._numbers(boxes), self._numbers(scores), self._numbers(classes)
        self._check_scores(scores)
        kept = scores >= self._least
        order = np.flatnonzero(kept)[np.argsort(-scores[kept], kind="stable")][:_MOST_KEPT]
        numbers = classes[order]
        if np.any((numbers < 0) | (numbers >= self._classes) | (numbers != np.round(numbers))):
            raise self._refused(
                f"answered class {float(numbers.max()):g}, there are {self._classes}, counted from 0: the manifest's "
                "'classes' or 'detector.layout' do not fit this export"
            )
        return Detections(boxes[order], scores[order], numbers.astype(np.int64))

    def _numbers(self, values: NDArray[Any]) -> NDArray[np.float64]:
        try:
            numbers = values.astype(np.float64)
        except (TypeError, ValueError) as error:
            raise self._refused(f"answered {values.dtype}, which are no numbers") from error
        if not np.isfinite(numbers).all():
            raise self._refused("answered values that are no finite numbers (NaN or infinity)")
        return numbers

    def _check_scores(self, scores: NDArray[np.float64]) -> None:
        # half precision rounds to slightly more than one
        if scores.size and (scores.min() < -1e-3 or scores.max() > 1 + 1e-3):
            beyond = scores.max() if scores.max() > 1 else scores.min()
            raise self._refused(
                f"answered a confidence of {float(beyond):.4g}, which is none (0..1): 'classes' or 'detector.layout' "
                "do not fit this export"
            )

    def _refused(self, what: str) -> ModelRefused:
        return ModelRefused(f"model {self._name} {what}; {_ACCEPTED}")


def _shapes(arrays: Mapping[str, NDArray[Any]]) -> str:
    return ", ".join(f"{name!r} {list(array.shape)}" for name, array in arrays.items()) or "nothing"
