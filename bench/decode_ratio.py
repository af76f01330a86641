"""What `analyze` costs over merely decoding: CPU-seconds of both on the same clips, in one run.

    python bench/decode_ratio.py [--rounds 5] [--json]

Clips of 10 s, 1280x720, 25 frames a second, H.264, made in a temporary folder: a quiet one and a crowded one (people
who sit; a play-fight) of the rendered playroom, and, where real footage is at hand (URIAI_DATA), two real 720p clips
played to and fro: the first of them, and the one on whose 25th frame the most people and faces are found. Each has the
limit of its kind; memory and start have theirs. The yardstick is `ffmpeg -threads 1`, or PyAV with one thread where
there is no ffmpeg. Every measurement is a process of its own, the two kinds in turn; medians are given. `observe` is
what a warm function does for a clip; `start` is importing and opening the models, once a process.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

REPOSITORY = Path(__file__).resolve().parents[1]
SIZE, FPS, SECONDS = (1280, 720), 25, 10
LIMITS = {"quiet": 3.0, "crowded": 4.5}
"""Times decoding, by the kind of clip."""
MOST_MIB = 700
MOST_START_S = 2.5
SEED = 4711


def main() -> int:
    """Exit codes: 0 within the limits, 1 above one, 2 usage."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--models", type=Path, default=REPOSITORY / "models")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--page", action="store_true", help="write docs/measured/decode-ratio.md")
    parser.add_argument("--measure", choices=("observe", "decode"), help=argparse.SUPPRESS)
    parser.add_argument("--file", type=Path, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.measure:
        print(json.dumps(_observe(chosen.file, chosen.models) if chosen.measure == "observe" else _decode(chosen.file)))
        return 0
    with tempfile.TemporaryDirectory(prefix="decode-ratio-") as folder:
        results = [_measure(*clip, chosen) for clip in _clips(Path(folder), chosen.models)]
    for result in results:
        print(json.dumps(result) if chosen.json else _line(result))
    if chosen.page:
        _write_page(results, chosen.rounds)
    over = [fault for result in results for fault in _over(result)]
    for fault in over:
        print(fault, file=sys.stderr)
    return 1 if over else 0


def _write_page(results: Sequence[dict[str, Any]], rounds: int) -> None:
    from bench import page

    heads = ("clip", "decoding, CPU-s", "analysing, CPU-s", "ratio", "limit", "rounds", "peak, MiB", "start, CPU-s")
    rows = [
        (
            result["clip"], result["decode_cpu_s"], result["observe_cpu_s"], result["ratio"], LIMITS[result["kind"]],
            " ".join(map(str, result["ratios_of_rounds"])), result["peak_mib"], result["start_cpu_s"],
        )
        for result in results
    ]  # fmt: skip
    about = (
        f"{SECONDS} s of {SIZE[0]}x{SIZE[1]} at {FPS} frames a second, every measurement a process of its own, medians "
        f"of {rounds}. Decoding is {results[0]['yardstick']}. A real clip costs little to decode and as much to look "
        "at, so its ratio is the hardest."
    )
    where = [
        f"- {result['clip']}: " + ", ".join(f"{stage} {ms:.0f}" for stage, ms in result["timing_ms"].items())
        for result in results
    ]
    title, command = "What analysing costs over decoding", f"python -m bench.decode_ratio --rounds {rounds} --page"
    parts = [about, page.table(heads, rows), "Where it goes, in ms of the last round:", "\n".join(where)]
    page.write("decode-ratio", title, command, parts)


def _over(result: dict[str, Any]) -> list[str]:
    """What of a result is above its limit, as sentences."""
    limits = [("ratio", LIMITS[result["kind"]]), ("peak_mib", MOST_MIB), ("start_cpu_s", MOST_START_S)]
    return [
        f"{result['clip']}: {name} is {result[name]}, the limit is {limit}"
        for name, limit in limits
        if result[name] > limit
    ]


def _measure(kind: str, name: str, path: Path, chosen: argparse.Namespace) -> dict[str, Any]:
    observed, decoded = [], []
    for number in range(chosen.rounds):
        print(f"{name}: round {number + 1} of {chosen.rounds}", file=sys.stderr)
        decoded.append(_ffmpeg(path) if shutil.which("ffmpeg") else _child("decode", path, chosen.models)["cpu_s"])
        observed.append(_child("observe", path, chosen.models))
    decode_s = statistics.median(decoded)
    observe_s = statistics.median(entry["cpu_s"] for entry in observed)
    return {
        "clip": name,
        "kind": kind,
        "yardstick": "ffmpeg -threads 1" if shutil.which("ffmpeg") else "PyAV, one thread",
        "decode_cpu_s": round(decode_s, 3),
        "observe_cpu_s": round(observe_s, 3),
        "ratio": round(observe_s / decode_s, 2),
        "ratios_of_rounds": [round(o["cpu_s"] / d, 2) for o, d in zip(observed, decoded, strict=True)],
        "start_cpu_s": round(statistics.median(entry["start_cpu_s"] for entry in observed), 3),
        "peak_mib": max(entry["peak_mib"] for entry in observed),
        "windows": observed[0]["windows"],
        "faces": observed[0]["faces"],
        "timing_ms": observed[-1]["timing_ms"],
    }


def _line(result: dict[str, Any]) -> str:
    return (
        f"{result['clip']}: {result['ratio']:.2f} times decoding (limit {LIMITS[result['kind']]}): observe "
        f"{result['observe_cpu_s']:.2f} CPU-s, {result['yardstick']} {result['decode_cpu_s']:.2f} CPU-s; rounds "
        f"{' '.join(f'{ratio:.2f}' for ratio in result['ratios_of_rounds'])}; start {result['start_cpu_s']:.2f} CPU-s, "
        f"peak {result['peak_mib']} MiB, {result['windows']} windows, {result['faces']} faces, {result['timing_ms']}"
    )


def _child(kind: str, path: Path, models: Path) -> dict[str, Any]:
    command = [sys.executable, __file__, "--measure", kind, "--file", str(path), "--models", str(models)]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    measured: dict[str, Any] = json.loads(output)
    return measured


def _ffmpeg(path: Path) -> float:
    command = ["ffmpeg", "-v", "error", "-nostdin", "-threads", "1", "-i", str(path), "-f", "null", "-"]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _decode(path: Path) -> dict[str, Any]:
    import av

    started = time.process_time()
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.thread_count, stream.thread_type = 1, "NONE"
        frames = sum(1 for _ in container.decode(stream))
    return {"cpu_s": time.process_time() - started, "frames": frames}


def _observe(path: Path, models: Path) -> dict[str, Any]:
    sys.path.insert(0, str(REPOSITORY / "layers" / "uriai"))
    from uriai.adapters.vision.analyser import OnnxClipAnalyser

    analyser = OnnxClipAnalyser.from_folder(models)
    start_s = time.process_time()
    observations = analyser.observe(path)
    return {
        "start_cpu_s": start_s,
        "cpu_s": time.process_time() - start_s,
        "peak_mib": _peak_mib(),
        "windows": len(observations.windows),
        "faces": len(observations.faces),
        "timing_ms": dict(observations.timing_ms),
    }


def _peak_mib() -> int:
    """Of this process; getrusage would tell the largest of whoever started it as well."""
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) // 1024


def _clips(folder: Path, models: Path) -> list[tuple[str, str, Path]]:
    sys.path[:0] = [str(REPOSITORY / "local"), str(REPOSITORY / "layers" / "uriai")]
    from playroom.acts import Act
    from playroom.render import render_programme
    from playroom.video import encode

    midday, clips = datetime(2026, 1, 5, 12, tzinfo=UTC), []
    for kind, scene in (("quiet", "sit"), ("crowded", "playfight")):
        print(f"rendering a {kind} playroom of {SECONDS} s", file=sys.stderr)
        rendered = folder / f"{kind}.mp4"
        encode(render_programme(SEED, (Act(scene, float(SECONDS)),), FPS, SIZE, midday), rendered, FPS)
        clips.append((kind, f"rendered {kind}", rendered))
    data = Path(os.environ.get("URIAI_DATA", REPOSITORY.parent / "shared" / "data")) / "violence" / "clips"
    sources = list(filter(_is_720p, sorted(data.glob("*.mp4"))))
    if not sources:
        print(f"no real 720p footage in {data} (set URIAI_DATA)", file=sys.stderr)
        return clips
    print(f"looking for the most crowded of {len(sources)} real clips", file=sys.stderr)
    for name, source in (("real", sources[0]), ("most crowded real", _most_crowded(sources, models))):
        clips.append(("crowded", name, _to_and_fro(source, folder / f"{name.replace(' ', '-')}.mp4")))
    return clips


def _most_crowded(sources: Sequence[Path], models: Path) -> Path:
    """The clip on whose 25th frame the most people and faces are found."""
    import av

    from uriai.adapters.vision.faces import FaceDetector
    from uriai.adapters.vision.people import PersonDetector
    from uriai.adapters.vision.registry import LocalModels, open_model

    source = LocalModels(models)
    faces, people = FaceDetector(open_model(source, "face", 1)), PersonDetector(open_model(source, "person", 1))
    found: dict[Path, int] = {}
    for path in sources:
        with av.open(str(path)) as container:
            frames = [frame for frame, _ in zip(container.decode(video=0), range(25), strict=False)]
        image = np.asarray(frames[-1].to_ndarray(format="bgr24"), np.uint8)
        found[path] = len(faces.find(image)) + len(people.find(image))
    return max(found, key=lambda path: (found[path], path.name))


def _is_720p(path: Path) -> bool:
    import av

    with av.open(str(path)) as container:
        return (container.streams.video[0].width, container.streams.video[0].height) == SIZE


def _to_and_fro(source: Path, target: Path) -> Path:
    import av

    from playroom.video import encode

    with av.open(str(source)) as container:
        frames = [np.asarray(frame.to_ndarray(format="bgr24"), np.uint8) for frame in container.decode(video=0)]
    there_and_back = frames + frames[::-1]
    encode((there_and_back[number % len(there_and_back)] for number in range(FPS * SECONDS)), target, FPS)
    return target


if __name__ == "__main__":
    sys.exit(main())
