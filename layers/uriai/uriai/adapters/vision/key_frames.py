"""The picture of a finding: one frame of its clip, plain, annotated and masked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import cv2

from uriai.adapters.vision.faces import FaceDetector
from uriai.adapters.vision.masking import LOW_SCORE, mask
from uriai.adapters.vision.video import Clip, Image, Limits
from uriai.domain.analysis import Box, DetectedBox, Face, Observations, PersonBox
from uriai.domain.finding import Finding
from uriai.service.ports.vision import KeyFrames

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
_BAR_COLOUR = (32, 32, 32)
_TEXT_COLOUR = (255, 255, 255)


def make_key_frames(
    path: Path, t_s: float, finding: Finding, observations: Observations, *, detector: FaceDetector, limits: Limits
) -> KeyFrames:
    """See `ClipAnalyser.key_frames`."""
    at_s, frame, neighbours = _pick(path, min(max(t_s, 0.0), observations.duration_s), limits)
    boxes = [face.box for side in _SEARCH_PX for face in detector.find(frame, LOW_SCORE, long_side_px=side)]
    boxes += [face.box for neighbour in neighbours for face in detector.find(neighbour, LOW_SCORE)]
    boxes += [face.box for face in observations.faces if abs(face.t_s - at_s) <= _SEEN_S]
    caption = _caption(finding, at_s)
    masked = _at_most(mask(frame, boxes), _LONGEST_MASKED_PX)
    return KeyFrames(
        t_s=at_s,
        plain_jpeg=_jpeg(frame),
        annotated_jpeg=_jpeg(_captioned(_with_boxes(frame, observations, at_s), caption)),
        masked_jpeg=_jpeg(_captioned(masked, caption)),
    )


def _pick(path: Path, t_s: float, limits: Limits) -> tuple[float, Image, list[Image]]:
    """The frame nearest ``t_s``, its time, and one frame on either side of it."""
    first: Image | None = None
    best: tuple[float, Image] | None = None
    after: list[Image] = []
    with Clip(path, limits) as clip:
        for frame in clip.frames():
            if frame.t_s + frame.half_step_s < t_s - _NEIGHBOUR_S:
                continue
            if frame.t_s - frame.half_step_s <= t_s:
                first = frame.image() if first is None else first
                if best is None or abs(frame.t_s - t_s) < abs(best[0] - t_s):
                    best = (frame.t_s, frame.image())
            elif frame.t_s >= t_s + _NEIGHBOUR_S:
                after.append(frame.image())
                break
    if best is None or first is None:
        return _last(path, limits)
    return *best, [first, *after]


def _last(path: Path, limits: Limits) -> tuple[float, Image, list[Image]]:
    """The last frame, for a moment that lies beyond it because its frame is shown for long."""
    times: list[float] = []
    with Clip(path, limits) as clip:
        times.extend(frame.t_s for frame in clip.frames())
    return _pick(path, times[-1], limits)


def _caption(finding: Finding, at_s: float) -> str:
    """ASCII, because OpenCV's fonts hold no Korean."""
    return (
        f"Uri-AI suspicion: {finding.kind.value} {finding.confidence:.2f} ({finding.verdict.value})  "
        f"at {at_s:.1f} s of {finding.start_s:.1f}-{finding.end_s:.1f} s"
    )


def _with_boxes(image: Image, observations: Observations, at_s: float) -> Image:
    """A copy with the boxes of what was seen nearest that moment, faces with their strongest emotion."""
    drawn = image.copy()
    thickness = max(1, image.shape[0] // 360)
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
    corner, opposite = (int(box.x), int(box.y)), (int(box.x + box.w), int(box.y + box.h))
    cv2.rectangle(image, corner, opposite, _BOX_COLOUR, thickness)
    scale = max(0.35, image.shape[0] / 1400)
    cv2.putText(
        image, label, (corner[0], max(10, corner[1] - 4)), cv2.FONT_HERSHEY_SIMPLEX, scale, _BOX_COLOUR, thickness
    )


def _captioned(image: Image, text: str) -> Image:
    """The picture with a bar below it, so that the text covers nothing."""
    height, width = image.shape[:2]
    bar = max(18, height // 24)
    scale = bar / 32
    (wide, _), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, scale, 1)
    scale *= min(1.0, (width - 8) / max(wide, 1))
    result: Any = cv2.copyMakeBorder(image, 0, bar, 0, 0, cv2.BORDER_CONSTANT, value=_BAR_COLOUR)
    cv2.putText(result, text, (4, height + bar * 2 // 3), cv2.FONT_HERSHEY_SIMPLEX, scale, _TEXT_COLOUR, 1, cv2.LINE_AA)
    return result  # type: ignore[no-any-return]


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
