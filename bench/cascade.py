"""What the cascade of `analyze` misses: the same clips looked at with it and without, in one run.

    python -m bench.cascade [--seconds 10] [--real 4] [--json]

Rendered scenes (people alone, in groups, fighting), and real clips where URIAI_DATA has some. Without the cascade
people and faces are looked for in every look. Two things are counted in what that finds, because rules rest on them:

- *emotion*: a second in which a readable face (20 px) shows an emotion of at least 0.6 that is not neutral or happy;
  it is kept where the cascade sees a face there that shows it within 3 s, the span of the rule ``emotional``;
- *apart*: a look in which somebody is apart from a group by the rule ``neglect``; it is kept where the cascade has the
  person there, apart, within 3 s, for which the rule lets somebody go unseen.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
for _folder in ("layers/uriai", "local"):
    sys.path.append(str(REPOSITORY / _folder))

from playroom.acts import Act  # noqa: E402
from playroom.render import render_programme  # noqa: E402
from playroom.video import encode  # noqa: E402
from uriai.adapters.vision.analyser import OnnxClipAnalyser  # noqa: E402
from uriai.adapters.vision.registry import LocalModels  # noqa: E402
from uriai.adapters.vision.tracker import iou  # noqa: E402
from uriai.domain.analysis import Box, Observations, PersonBox  # noqa: E402
from uriai.domain.rules.apartness import is_apart  # noqa: E402
from uriai.domain.thresholds import Thresholds  # noqa: E402

GOAL = 0.98
WITHIN_S = 3.0
_SHOWN, _SAME = 0.6, 0.2
_SAYS_NOTHING = {"neutral", "happy"}
_SCENES = (("sit", 7), ("walk", 19), ("hug", 23), ("assault", 4711))
_SIZE, _FPS = (1280, 720), 10
Seen = tuple[float, str, Box]
"""Time in seconds, what was seen, where."""


def main() -> int:
    """Exit codes: 0 at least 98 % kept, 1 less, 2 nothing to keep."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--seconds", type=int, default=10, help="of each rendered scene (default 10)")
    parser.add_argument("--real", type=int, default=4, help="number of real clips (default 4)")
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    models = LocalModels(REPOSITORY / "models")
    spared, thorough = OnnxClipAnalyser(models), OnnxClipAnalyser(models, cascade=False)
    total, kept, cost = {"emotion": 0, "apart": 0}, {"emotion": 0, "apart": 0}, [0.0, 0.0]
    with tempfile.TemporaryDirectory(prefix="cascade-") as folder:
        for name, path in _clips(Path(folder), chosen.seconds, chosen.real):
            began = time.process_time()
            with_it = spared.observe(path)
            between = time.process_time()
            without = thorough.observe(path)
            cost[0] += between - began
            cost[1] += time.process_time() - between
            counts = {
                "emotion": _kept(list(_emotions(without)), list(_emotions(with_it))),
                "apart": _kept(list(_apart(without)), list(_apart(with_it))),
            }
            for what, (found, of_all) in counts.items():
                total[what] += of_all
                kept[what] += found
            line = {"clip": name, **{what: f"{found} of {of_all}" for what, (found, of_all) in counts.items()}}
            print(json.dumps(line) if chosen.json else "  ".join(map(str, line.values())), flush=True)
    recall = {what: kept[what] / total[what] for what in total if total[what]}
    result = {"recall": recall, "counted": total, "cpu_s_with": round(cost[0], 2), "cpu_s_without": round(cost[1], 2)}
    print(json.dumps(result))
    if not recall:
        return 2
    return 0 if min(recall.values()) >= GOAL else 1


def _kept(of_all: list[Seen], seen: list[Seen]) -> tuple[int, int]:
    """How many of all have one of the same kind near in time and place, and how many there are."""
    found = sum(
        any(
            what == also and abs(t_s - at_s) <= WITHIN_S and (iou(box, other) >= _SAME or _near(box, other))
            for at_s, also, other in seen
        )
        for t_s, what, box in of_all
    )
    return found, len(of_all)


def _near(one: Box, other: Box) -> bool:
    """Within twice their size of each other: within the seconds that count somebody takes a step."""
    x, y = one.x + one.w / 2 - other.x - other.w / 2, one.y + one.h / 2 - other.y - other.h / 2
    return max(abs(x), abs(y)) <= 2 * max(one.w, one.h)


def _emotions(seen: Observations) -> Iterator[Seen]:
    told: set[tuple[int, int, str]] = set()
    for face in seen.faces:
        for name, probability in face.emotions.items():
            key = (int(face.t_s), face.track, name)
            if probability >= _SHOWN and name not in _SAYS_NOTHING and key not in told:
                told.add(key)
                yield face.t_s, name, face.box


def _apart(seen: Observations) -> Iterator[Seen]:
    looks: dict[float, list[PersonBox]] = {}
    for person in seen.people:
        looks.setdefault(person.t_s, []).append(person)
    for t_s, together in looks.items():
        for person in together:
            if is_apart(person, together, Thresholds().neglect_distance):
                yield t_s, "apart", person.box


def _clips(folder: Path, seconds: int, real: int) -> Iterator[tuple[str, Path]]:
    for scene, seed in _SCENES:
        path = folder / f"{scene}.mp4"
        encode(render_programme(seed, (Act(scene, float(seconds)),), _FPS, _SIZE), path, _FPS)
        yield f"rendered {scene}", path
    data = Path(os.environ.get("URIAI_DATA", REPOSITORY.parent / "shared" / "data")) / "violence" / "clips"
    sources = sorted(data.glob("*.mp4"))
    if not sources:
        print(f"no real clips in {data} (set URIAI_DATA)", file=sys.stderr)
    for number, path in enumerate(sources[:: max(1, len(sources) // max(real, 1))][:real]):
        yield f"real {number + 1}", path


if __name__ == "__main__":
    sys.exit(main())
