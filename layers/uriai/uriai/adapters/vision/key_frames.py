"""The pictures of a finding: one frame of its clip, plain and annotated, each with and without a mask."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import cv2

from uriai.adapters.vision.faces import FaceDetector
from uriai.adapters.vision.lettering import with_caption, write_label
from uriai.adapters.vision.limits import Limits
from uriai.adapters.vision.masking import LOW_SCORE, mask
from uriai.adapters.vision.scaling import Image
from uriai.adapters.vision.video import Clip
from uriai.domain.analysis import Box, DetectedBox, Face, Observations, PersonBox
from uriai.service.ports.vision import Caption, KeyFrames

_NEIGHBOUR_S = 0.2
"""Frames this long before and after also say where faces are."""
_SEEN_S = 0.6
"""Faces the analysis saw within this time of the frame are covered too: it looks twice a second."""
_SEARCH_PX = (1280, 640)
"""The frame itself is searched at two sizes: small faces show on the larger one, large faces are surer on the smaller
one.
"""
_QUALITY = 88
_LONGEST_MASKED_PX = 1280
_BOX_COLOUR = (40, 200, 255)


def make_key_frames(
    path: Path,
    t_s: float,
    observations: Observations,
    caption: Caption,
    *,
    detector: FaceDetector,
    limits: Limits,
) -> KeyFrames:
    """See `ClipAnalyser.key_frames`."""
    at_s, frame, neighbours = _pick(path, min(max(t_s, 0.0), observations.duration_s), limits)
    boxes = [face.box for side in _SEARCH_PX for face in detector.find(frame, LOW_SCORE, long_side_px=side)]
    boxes += [face.box for neighbour in neighbours for face in detector.find(neighbour, LOW_SCORE)]
    boxes += [face.box for face in observations.faces if abs(face.t_s - at_s) <= _SEEN_S]
    masked = mask(frame, boxes)
    lines = caption(at_s)
    return KeyFrames(
        t_s=at_s,
        plain_jpeg=_jpeg(frame),
        annotated_jpeg=_jpeg(with_caption(_with_boxes(frame, observations, at_s), lines)),
        masked_jpeg=_jpeg(_at_most(masked, _LONGEST_MASKED_PX)),
        annotated_masked_jpeg=_jpeg(
            with_caption(_at_most(_with_boxes(masked, observations, at_s), _LONGEST_MASKED_PX), lines)
        ),
    )


def _pick(path: Path, t_s: float, limits: Limits) -> tuple[float, Image, list[Image]]:
    """The frame nearest ``t_s``, its time, and one frame on either side of it."""
    first: Image | None = None
    best: tuple[float, Image] | None = None
    after: list[Image] = []
    with Clip(path, limits) as clip:
        for frame in clip.frames():
            if frame.t_s < t_s - _NEIGHBOUR_S:
                continue
            if frame.t_s > t_s + _NEIGHBOUR_S:
                after.append(frame.image())
                break
            if best is None or abs(frame.t_s - t_s) < abs(best[0] - t_s):
                best = (frame.t_s, frame.image())
                first = best[1] if first is None else first
    if best is None or first is None:
        # one frame is shown for long, as in a clip of variable rate: the nearest lies further away
        return _pick(path, min(_times(path, limits), key=lambda time_s: abs(time_s - t_s)), limits)
    return *best, [first, *after]


def _times(path: Path, limits: Limits) -> list[float]:
    with Clip(path, limits) as clip:
        return [frame.t_s for frame in clip.frames()]


def _with_boxes(image: Image, observations: Observations, at_s: float) -> Image:
    """A copy with the boxes of what was seen nearest that moment, faces with their strongest emotion."""
    drawn = image.copy()
    thickness = max(2, image.shape[0] // 360)
    for face in _nearest(observations.faces, at_s):
        label = f"#{face.track}"
        if face.emotions:
            name, probability = max(face.emotions.items(), key=lambda item: item[1])
            label += f" {name} {probability:.2f}"
        _draw(drawn, face.box, label, thickness)
    for seen in _nearest(observations.boxes, at_s):
        _draw(drawn, seen.box, f"{seen.label} {seen.confidence:.2f}", thickness)
    for person in _nearest(observations.people, at_s):
        _draw(drawn, person.box, f"person {person.track}", thickness)
    return drawn


def _nearest(seen: Sequence[Any], at_s: float) -> Iterable[Any]:
    """Those seen at the instant nearest ``at_s``, if it is near."""
    items: Sequence[Face | PersonBox | DetectedBox] = seen
    nearest_s = min((item.t_s for item in items), key=lambda t_s: abs(t_s - at_s), default=None)
    if nearest_s is None or abs(nearest_s - at_s) > _SEEN_S:
        return []
    return [item for item in items if item.t_s == nearest_s]


def _draw(image: Image, box: Box, label: str, thickness: int) -> None:
    left, top = int(box.x), int(box.y)
    cv2.rectangle(image, (left, top), (int(box.x + box.w), int(box.y + box.h)), _BOX_COLOUR, thickness)
    write_label(image, label, left, top, _BOX_COLOUR)


def _at_most(image: Image, longest_px: int) -> Image:
    height, width = image.shape[:2]
    reduction = longest_px / max(height, width)
    if reduction >= 1:
        return image
    resized: Any = cv2.resize(
        image, (round(width * reduction), round(height * reduction)), interpolation=cv2.INTER_AREA
    )
    return resized  # type: ignore[no-any-return]


def _jpeg(image: Image) -> bytes:
    ok, encoded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    if not ok:
        raise RuntimeError(f"OpenCV could not write a JPEG of {image.shape[1]}x{image.shape[0]} px")
    return bytes(encoded.tobytes())
