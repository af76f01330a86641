"""Masked copies beside those of `deface`: leaked faces and CPU-seconds, on the same clips in one run.

    python -m bench.masking [--deface PROGRAM] [--seconds 4] [--real 2] [--json]

`deface` (1.5 on PyPI) is no dependency of this project: give the program of a virtual environment of its own.
Clips of 1280x720, 25 frames a second, made in a temporary folder; footage comes from URIAI_DATA:

- ``heads``: real heads with their surroundings, cut from frames in which the detector is sure of the face, that move,
  tilt and grow dim on another frame's blurred picture: where they are is known exactly;
- ``rendered``: the rendered playroom, whose heads' places are computed;
- ``real``: real clips. Truth is what the detector finds with at least 0.5 on every second frame enlarged to 1920 px,
  more than either program looks with; a face that it misses too is not counted.

Each program is started once before it is measured, so that its byte code is there. A face leaks in a frame when more
than a quarter of its detail is in the copy (`bench.leaks`).
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av

from bench.leaks import LEAKED, detail_left
from bench.masking_clips import Clip, made

REPOSITORY = Path(__file__).resolve().parents[1]
TENTH = 0.1
_OURS = (sys.executable, "-m", "uriai_cli.main", "mask")


@dataclass(slots=True)
class Tally:
    """One program on one clip."""

    frames: int = 0
    faces: int = 0
    leaked: int = 0
    cpu_s: float = 0.0


def main() -> int:
    """Exit codes: 0 fewer leaks in a tenth of the time, 1 not so, 2 usage or nothing to measure with."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--deface", type=Path, help="program `deface`; without it only our own copies are measured")
    parser.add_argument("--seconds", type=int, default=4, help="of each clip that is made (default 4)")
    parser.add_argument("--real", type=int, default=2, help="number of real clips (default 2)")
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    if chosen.deface is not None and not chosen.deface.is_file():
        parser.error(f"--deface {chosen.deface}: there is no such program")
    programs: dict[str, Callable[[Path, Path], list[str]]] = {"uriai mask": lambda *files: [*_OURS, *map(str, files)]}
    subprocess.run([*_OURS, "--help"], capture_output=True, check=True, env=_environment())
    if chosen.deface is not None:
        subprocess.run([chosen.deface, "--help"], capture_output=True, check=True, env=_environment())
        programs["deface"] = lambda source, target: [
            str(chosen.deface), str(source), "-o", str(target), "--replacewith", "mosaic", "--backend", "onnxrt"
        ]  # fmt: skip
    totals = {name: Tally() for name in programs}
    with tempfile.TemporaryDirectory(prefix="masking-") as folder:
        for clip in made(Path(folder), chosen.seconds, chosen.real):
            for name, command in programs.items():
                target = clip.path.with_name(f"{clip.path.stem}-{name.split()[0]}.mp4")
                tally = _measured(clip, target, command(clip.path, target))
                _add(totals[name], tally)
                print(_line(clip.name, name, tally, chosen.json), flush=True)
    for name, total in totals.items():
        print(_line("all", name, total, chosen.json))
    if chosen.deface is None:
        return 0
    ours, theirs = totals["uriai mask"], totals["deface"]
    share = ours.cpu_s / ours.frames / (theirs.cpu_s / theirs.frames)
    print(
        f"{ours.leaked} against {theirs.leaked} leaked faces, {share:.3f} of the CPU time a frame (goal {TENTH})",
        file=sys.stderr if chosen.json else sys.stdout,
    )
    return 0 if ours.leaked < theirs.leaked and share <= TENTH else 1


def _environment() -> dict[str, str]:
    paths = os.pathsep.join(str(REPOSITORY / part) for part in ("local", "layers/uriai"))
    # empty: byte code is written. Without it every start would be paid for anew, which is no program's own doing
    return os.environ | {"PYTHONPATH": paths, "PYTHONDONTWRITEBYTECODE": ""}


def _measured(clip: Clip, target: Path, command: Sequence[str]) -> Tally:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=_environment())
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode or not target.exists():
        raise SystemExit(f"{' '.join(command)} failed: {done.stderr[-500:]}")
    tally = Tally(cpu_s=after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    for number, (original, copy) in enumerate(zip(_frames(clip.path), _frames(target), strict=True)):
        tally.frames += 1
        for box in clip.truth.get(number, ()):
            tally.faces += 1
            tally.leaked += detail_left(original, copy, box) > LEAKED
    return tally


def _frames(path: Path) -> Iterator[Any]:
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            yield frame.to_ndarray(format="bgr24")


def _add(total: Tally, tally: Tally) -> None:
    total.frames += tally.frames
    total.faces += tally.faces
    total.leaked += tally.leaked
    total.cpu_s += tally.cpu_s


def _line(clip: str, program: str, tally: Tally, as_json: bool) -> str:
    if as_json:
        measured = {
            "frames": tally.frames,
            "faces": tally.faces,
            "leaked": tally.leaked,
            "cpu_s": round(tally.cpu_s, 2),
        }
        return json.dumps({"clip": clip, "program": program, **measured})
    share = 100 * tally.leaked / tally.faces if tally.faces else 0.0
    return (
        f"{clip:<10}{program:<12}{tally.leaked:>6} of {tally.faces:>5} faces leaked ({share:5.1f} %), "
        f"{tally.cpu_s / max(tally.frames, 1):.3f} CPU-s a frame of {tally.frames}"
    )


if __name__ == "__main__":
    sys.exit(main())
