"""What models saw as JSON, in the form that `uriai analyze --json` prints, and back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from uriai.domain.analysis import Box, DetectedBox, Face, Observations, PersonBox, Window


def written(observations: Observations) -> dict[str, object]:
    """Windows, faces and people, rounded, see `Observations.rounded`; what a box detector saw only if it did."""
    seen = observations.rounded()
    boxes = [
        {"t_s": found.t_s, "label": found.label, "confidence": found.confidence, "box": _box(found.box)}
        for found in seen.boxes
    ]
    return {
        "windows": [
            {"start_s": window.start_s, "end_s": window.end_s, "probability": window.probability}
            for window in seen.windows
        ],
        "faces": [
            {
                "t_s": face.t_s,
                "track": face.track,
                "box": _box(face.box),
                "emotions": dict(face.emotions),
                "adult": face.adult,
            }
            for face in seen.faces
        ],
        "people": [{"t_s": person.t_s, "track": person.track, "box": _box(person.box)} for person in seen.people],
        **({} if seen.calibrated else {"calibrated": False}),
        **({"boxes": boxes} if boxes else {}),
    }


def read(text: str, duration_s: float) -> Observations:
    """The observations that were `written`, without the models' names and their times."""
    seen: Mapping[str, Any] = json.loads(text)
    return Observations(
        duration_s=duration_s,
        windows=tuple(Window(w["start_s"], w["end_s"], w["probability"]) for w in seen["windows"]),
        faces=tuple(Face(f["t_s"], f["track"], Box(*f["box"]), f["emotions"], f["adult"]) for f in seen["faces"]),
        people=tuple(PersonBox(p["t_s"], p["track"], Box(*p["box"])) for p in seen["people"]),
        calibrated=seen.get("calibrated", True),
        boxes=tuple(DetectedBox(b["t_s"], b["label"], b["confidence"], Box(*b["box"])) for b in seen.get("boxes", ())),
    )


def _box(box: Box) -> list[float]:
    return [box.x, box.y, box.w, box.h]
