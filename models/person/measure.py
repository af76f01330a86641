"""What the person detector finds: ``python -m models.person.measure`` measures anew and writes manifest and card.

The rendered playroom knows where everybody is; what is drawn is easier and stranger than what is filmed. Real footage
here has no boxes: on Debian's pedestrian video (opencv-doc, vtest.avi) the analyser's reduced picture is compared with
the full one, which says what the reduction loses and not what both miss.
"""

from __future__ import annotations

import statistics
from itertools import islice
from pathlib import Path
from typing import Any

import cv2

from models.common import boxes, deployed, remeasure
from playroom import Act, render_programme
from playroom.whereabouts import whereabouts
from uriai.adapters.vision.clothes import clothes
from uriai.adapters.vision.people import steady
from uriai.adapters.vision.tracker import PEOPLE, Tracker
from uriai.domain.analysis import Box

HERE = Path(__file__).parent
PEDESTRIANS = Path("/usr/share/doc/opencv-doc/examples/data/vtest.avi")
FIRST_SEED, SEEDS, SECONDS = 600_000, 8, 6
SIZE = (1280, 720)
HEIGHTS = ((0, 60), (60, 90), (90, 130), (130, 180), (180, 1000))
SCENES = ("walk", "play", "sit", "run")
MATCH = 0.5


def measured() -> dict[str, Any]:
    """Everything the card says of its finds."""
    return {"rendered": rendered(), "pedestrians": pedestrians()}


def rendered() -> dict[str, Any]:
    """Recall by height in a 1280x720 picture, precision, and switches of track, one look a second."""
    detector = deployed.people()
    hit = dict.fromkeys(HEIGHTS, 0)
    there = dict.fromkeys(HEIGHTS, 0)
    found_all = found_right = switches = followed = 0
    for number in range(SEEDS):
        acts = (Act(SCENES[number % len(SCENES)], float(SECONDS)),)
        seed = FIRST_SEED + number
        tracker, before = Tracker(habits=PEOPLE), dict[int, int]()
        last: tuple[Box, ...] = ()
        frames = zip(render_programme(seed, acts, 1, SIZE), whereabouts(seed, acts, 1, SIZE), strict=True)
        for second, (picture, truth) in enumerate(frames):
            inside = [t for t in truth if _share_inside(t.box) > 0.8]
            found = last = tuple(person.box for person in steady(detector.find(picture), last))
            plain = [(b.x, b.y, b.w, b.h) for b in found]
            matched = boxes.matches([t.box for t in inside], plain, MATCH)
            for index, one in enumerate(inside):
                bucket = next(b for b in HEIGHTS if b[0] <= one.box[3] < b[1])
                there[bucket] += 1
                hit[bucket] += index in matched
            found_all += len(found)
            found_right += len(boxes.matches([t.box for t in truth], plain, 0.3))
            tracks = tracker.update(float(second), found, [clothes(picture, box) for box in found])
            for index, other in matched.items():
                person, track = inside[index].person, tracks[other]
                if person in before:
                    followed += 1
                    switches += before[person] != track
                before[person] = track
    rows = [
        {"height in px of 720": f"{low}-{high}" if high < 1000 else f"from {low}", "people": there[low, high],
         "recall": hit[low, high] / there[low, high]}
        for low, high in HEIGHTS
        if there[low, high]
    ]  # fmt: skip
    return {
        "recall_by_height": rows,
        "recall": sum(hit.values()) / sum(there.values()),
        "precision": found_right / found_all,
        "pictures": SEEDS * SECONDS,
        "track_switches": switches,
        "track_steps": followed,
    }


def pedestrians() -> dict[str, Any]:
    """Agreement of the analyser's working size with the full one on real footage, by height; nothing without it."""
    if not PEDESTRIANS.exists():
        raise SystemExit(f"{PEDESTRIANS} is missing: apt-get install opencv-doc")
    detector = deployed.people()
    capture = cv2.VideoCapture(str(PEDESTRIANS))
    kept = counts = both = 0
    changes = []
    before: int | None = None
    last: tuple[Box, ...] = ()
    for picture in islice(_every(capture, 10), 60):
        full = [(p.box.x, p.box.y, p.box.w, p.box.h) for p in detector.find(picture, 0.5, long_side_px=1280)]
        last = tuple(person.box for person in steady(detector.find(picture), last))
        small = [(b.x, b.y, b.w, b.h) for b in last]
        both += len(boxes.matches(full, small, MATCH))
        counts += len(full)
        kept += len(small)
        if before is not None:
            changes.append(abs(len(small) - before))
        before = len(small)
    return {
        "found_at_full_size": counts,
        "of_these_at_working_size": both / counts,
        "found_at_working_size": kept,
        "mean_change_of_count_a_second": statistics.fmean(changes),
    }


def _every(capture: cv2.VideoCapture, step: int) -> Any:
    number = 0
    while True:
        ok, picture = capture.read()
        if not ok:
            return
        if number % step == 0:
            yield picture
        number += 1


def _share_inside(box: tuple[float, float, float, float]) -> float:
    width = min(box[0] + box[2], SIZE[0]) - max(box[0], 0)
    height = min(box[1] + box[3], SIZE[1]) - max(box[1], 0)
    return max(width, 0) * max(height, 0) / (box[2] * box[3])


def main() -> None:
    """Measure the committed file; nothing but the metrics changes."""
    remeasure.enter(HERE, measured())


if __name__ == "__main__":
    main()
