"""Does a running agent grow? Its memory, descriptors and threads, sampled for hours, and their slope with its interval.

    python -m bench.edge.soak --minutes 600 --out soak                     # an agent of its own, as described below
    python -m bench.edge.soak --minutes 600 --out soak --pid PID           # one that runs already
    python -m bench.edge.soak --read soak/samples.csv                      # the slopes of samples taken before

Its own agent watches two RTSP cameras of the rendered playroom, one with somebody in it every 20 s and one at rest, and
uploads to ministack. Its disk budget and its memory of old records are the smallest that it takes, so that clips are
removed and records forgotten while it is watched; ``/metrics`` is asked with every sample. Exit code 1: something
grows.
"""

from __future__ import annotations

import argparse
import csv
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import astuple, dataclass, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.edge.films import Coding, Script, movements_script, write
from bench.edge.programs import cpu_s, rss_mb, run_agent, stop
from playroom.rtsp import RtspServer
from uriai_cloud import ministack, ports
from uriai_cloud.home import Home
from uriai_cloud.state import client

BUCKET = "soak-clips"
QUIET = Script("soak-quiet", 1_000_503, 30.0, noise=0.5, steady=True)
BUSY = movements_script("soak-busy", 1_000_507, 6)
CODING = Coding("variable", 30)
LIMITS = {"rss_mb": 0.25, "descriptors": 0.5, "threads": 0.5}
"""What is called growth: the slope's interval lies above this much an hour; 0.25 MB are 180 MB a month."""
RESAMPLES = 2000
_BLOCKS = 12  # of time; one is resampled as a whole, because neighbouring samples resemble each other
_WIDTH, _HEIGHT, _LEFT = 900, 150, 90


class SoakError(Exception):
    """A soak that cannot be run, or ended before its time; the message says why."""


@dataclass(frozen=True, slots=True)
class Sample:
    """A process at one moment; ``at_s``: seconds since the first sample, ``cpu_s``: CPU-seconds used so far."""

    at_s: float
    rss_mb: float
    descriptors: int
    threads: int
    cpu_s: float


@dataclass(frozen=True, slots=True)
class Slope:
    """Growth an hour: the least-squares estimate and its 95 % interval."""

    an_hour: float
    low: float
    high: float


def take(pid: int, begun_s: float) -> Sample:
    """The process ``pid`` now.

    Raises
    ------
    SoakError
        If it has ended.
    """
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
        descriptors = len(list(Path(f"/proc/{pid}/fd").iterdir()))
        used_s, held_mb = cpu_s(pid), rss_mb(pid)
    except (FileNotFoundError, ProcessLookupError) as error:
        raise SoakError(f"process {pid} has ended") from error
    except PermissionError as error:
        raise SoakError(f"process {pid} is another user's: run this as that user, or as root") from error
    if held_mb == 0:  # ended, but not yet waited for
        raise SoakError(f"process {pid} has ended")
    threads = int(status.partition("Threads:")[2].split()[0])
    return Sample(round(time.monotonic() - begun_s, 2), round(held_mb, 3), descriptors, threads, round(used_s, 2))


def slope(at_s: NDArray[np.float64], values: NDArray[np.float64], seed: int = 1) -> Slope:
    """Growth of ``values`` an hour over the moments ``at_s``, both (N,), N >= 2 * _BLOCKS.

    The interval comes from a block bootstrap of the residuals: what a clip costs lasts for many samples, and the usual
    formula, which takes them for independent, would promise far too narrow an interval.
    """
    hours = at_s / 3600
    centred = hours - hours.mean()
    scale = float((centred**2).sum())
    an_hour = float((centred * values).sum()) / scale
    residuals = values - values.mean() - an_hour * centred
    chance = np.random.default_rng(seed)
    length = len(values) // _BLOCKS
    estimates = np.full(RESAMPLES, an_hour)
    for start in range(0, len(values), length):
        # what each block of residuals would add to the slope if it lay here
        adds = np.correlate(residuals, centred[start : start + length], "valid") / scale
        estimates += chance.choice(adds, RESAMPLES)
    low, high = np.percentile(estimates, [2.5, 97.5])
    return Slope(an_hour, float(low), float(high))


def judge(samples: Sequence[Sample], settle_s: float) -> dict[str, Slope]:
    """The slope of everything in LIMITS after the first ``settle_s`` seconds.

    Raises
    ------
    SoakError
        If too few samples are left to tell.
    """
    left = [sample for sample in samples if sample.at_s >= settle_s]
    if len(left) < 4 * _BLOCKS:
        raise SoakError(f"{len(left)} samples after the first {settle_s:.0f} s are too few: watch for longer")
    return _slopes(left)


def _slopes(samples: Sequence[Sample]) -> dict[str, Slope]:
    at_s = np.array([sample.at_s for sample in samples])
    return {name: slope(at_s, np.array([float(getattr(one, name)) for one in samples])) for name in LIMITS}


def report(samples: Sequence[Sample], settle_s: float) -> tuple[str, bool]:
    """The table for people, and whether nothing grows."""
    slopes = judge(samples, settle_s)
    left = [sample for sample in samples if sample.at_s >= settle_s]
    hours = (left[-1].at_s - left[0].at_s) / 3600
    lines = [
        f"{hours:.2f} hours after the first {settle_s / 60:.0f} minutes, {len(left)} samples, "
        f"{(left[-1].cpu_s - left[0].cpu_s) / (left[-1].at_s - left[0].at_s) * 100:.1f} % of a core",
        "",
        "| what | least | largest | slope an hour (95 % interval) | in the second half | verdict |",
        "|---|---|---|---|---|---|",
    ]
    late = _slopes(left[len(left) // 2 :])  # caches that fill slow down, a leak does not
    flat = True
    for name, one in slopes.items():
        values = [getattr(sample, name) for sample in left]
        grows = one.low > LIMITS[name]
        flat &= not grows
        told = " | ".join(f"{each.an_hour:+.3f} ({each.low:+.3f} to {each.high:+.3f})" for each in (one, late[name]))
        lines.append(f"| {name} | {min(values)} | {max(values)} | {told} | {'GROWS' if grows else 'flat'} |")
    return "\n".join(lines), flat


def plot(samples: Sequence[Sample]) -> str:
    """An SVG with a curve for everything in LIMITS over the hours."""
    end_s = max(samples[-1].at_s, 1.0)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{_HEIGHT * len(LIMITS) + 20}" '
        'font-family="sans-serif" font-size="11">'
    ]
    for row, name in enumerate(LIMITS):
        values = [float(getattr(sample, name)) for sample in samples]
        least, most = min(values), max(*values, min(values) + 1)
        top, high = row * _HEIGHT + 20, _HEIGHT - 40

        def y(value: float, top: int = top, high: int = high, least: float = least, most: float = most) -> float:
            return top + high - high * (value - least) / (most - least)

        points = " ".join(
            f"{_LEFT + (_WIDTH - _LEFT - 10) * sample.at_s / end_s:.1f},{y(value):.1f}"
            for sample, value in zip(samples, values, strict=True)
        )
        parts.append(f'<text x="{_LEFT}" y="{top - 6}">{name}</text>')
        parts += [f'<text x="{_LEFT - 6}" y="{y(v):.1f}" text-anchor="end">{v:g}</text>' for v in (least, most)]
        parts.append(f'<polyline points="{points}" fill="none" stroke="#147"/>')
    parts.append(
        f'<text x="{_WIDTH - 10}" y="{_HEIGHT * len(LIMITS) + 12}" text-anchor="end">{end_s / 3600:.2f} h</text></svg>'
    )
    return "\n".join(parts)


def add(sample: Sample, file: Path) -> None:
    """Append a sample to a CSV; what a soak that is ended early has taken is there."""
    new = not file.exists()
    with file.open("a", newline="", encoding="utf-8") as out:
        table = csv.writer(out)
        if new:
            table.writerow(field.name for field in fields(Sample))
        table.writerow(astuple(sample))


def read(file: Path) -> list[Sample]:
    """What `add` wrote.

    Raises
    ------
    SoakError
        If there is nothing of that kind in it.
    """
    try:
        with file.open(newline="", encoding="utf-8") as text:
            return [
                Sample(
                    float(row["at_s"]),
                    float(row["rss_mb"]),
                    int(row["descriptors"]),
                    int(row["threads"]),
                    float(row["cpu_s"]),
                )
                for row in csv.DictReader(text)
            ]
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise SoakError(f"{file}: holds no samples: {error!r}") from error


@contextmanager
def own_agent(folder: Path) -> Iterator[tuple[int, str]]:
    """An agent at work on two cameras and ministack; its process id, and where its metrics are."""
    with ExitStack() as ends:
        films = [write(script, [CODING], folder)[CODING.name] for script in (BUSY, QUIET)]
        cameras = [ends.enter_context(RtspServer(film, loop=True)) for film in films]
        home = Home(folder / "cloud")
        url = ministack.start(home, lambda line: print(line, file=sys.stderr))
        ends.callback(ministack.stop, home)
        place = {"LocationConstraint": ministack.REGION}
        client("s3", url).create_bucket(Bucket=BUCKET, CreateBucketConfiguration=place)
        port = ports.any_free("the metrics")
        config = folder / "gateway.yaml"
        lines = "".join(f"  - {{number: {n}, source: '{camera.url}'}}\n" for n, camera in enumerate(cameras, 1))
        config.write_text(
            f"gateway: soak-1\nkey_file: {folder}/device.key\ncameras:\n{lines}"
            f"spool: {{dir: {folder}/spool, max_bytes: 50000000, min_free_bytes: 0, keep_records: 1000}}\n"
            f"upload: {{bucket: {BUCKET}, endpoint_url: '{url}'}}\n"
            f"coverage: {{every_s: 5}}\nhealth: {{port: {port}}}\n",
            encoding="utf-8",
        )
        agent = run_agent(config, folder / "agent.log", ministack.ACCESS_KEY, ministack.SECRET_KEY)
        ends.callback(stop, agent)
        metrics = f"http://127.0.0.1:{port}/metrics"
        _wait_for(metrics, agent)
        yield agent.pid, metrics


def _wait_for(url: str, agent: subprocess.Popen[bytes], patience_s: float = 60.0) -> None:
    deadline_s = time.monotonic() + patience_s
    while agent.poll() is None and time.monotonic() < deadline_s:
        try:
            _ask(url)
        except OSError:
            time.sleep(0.5)
        else:
            return
    raise SoakError("the agent did not start: see agent.log")


def _ask(url: str) -> None:
    with urllib.request.urlopen(url, timeout=30) as answer:  # what a Prometheus does
        answer.read()


def watch(pid: int, metrics: str, span_s: float, every_s: float, file: Path) -> list[Sample]:
    """Sample the process for ``span_s`` seconds, each sample into ``file`` at once.

    Raises
    ------
    SoakError
        If the process ends before.
    """
    samples: list[Sample] = []
    file.unlink(missing_ok=True)
    begun_s = time.monotonic()
    while time.monotonic() - begun_s < span_s:
        if metrics:
            _ask(metrics)
        samples.append(take(pid, begun_s))
        add(samples[-1], file)
        time.sleep(max(0.0, begun_s + len(samples) * every_s - time.monotonic()))
    return samples


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--every", type=float, default=10.0, help="seconds between two samples")
    parser.add_argument("--settle", type=float, default=600.0, help="seconds at the beginning that do not count")
    parser.add_argument("--pid", type=int, help="an agent that runs already (default: one of its own)")
    parser.add_argument("--metrics", default="", metavar="URL", help="with --pid: its /metrics, asked with each sample")
    parser.add_argument("--out", type=Path, help="folder for samples.csv and soak.svg (default: a temporary one)")
    parser.add_argument("--read", type=Path, metavar="CSV", help="only tell the slopes of these samples")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started is ended
    try:
        with ExitStack() as ends:
            if options.read is not None:
                text, flat = report(read(options.read), options.settle)
                print(text)
                return 0 if flat else 1
            out = options.out or Path(ends.enter_context(tempfile.TemporaryDirectory(prefix="soak-")))
            out = out.absolute()
            out.mkdir(parents=True, exist_ok=True)
            pid, metrics = (options.pid, options.metrics) if options.pid else ends.enter_context(own_agent(out))
            samples = watch(pid, metrics, options.minutes * 60, options.every, out / "samples.csv")
            (out / "soak.svg").write_text(plot(samples), encoding="utf-8")
            text, flat = report(samples, options.settle)
            print(text)
            return 0 if flat else 1
    except (SoakError, OSError) as error:
        print(error, file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
