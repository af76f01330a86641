"""What an idle camera costs: the agent beside Debian's `motion`, both on the same RTSP stream over the same span.

CPU-seconds come from /proc, of the whole process; the machine may be busy otherwise. Uploads have nothing to do (no
clip, no coverage), so what is measured is watching.
"""

from __future__ import annotations

import shutil
import subprocess
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.edge.films import FPS, Coding, Script, write
from bench.edge.programs import cpu_s, rss_mb, run_agent, stop, wait_until_open
from playroom.rtsp import RtspServer

AGENT_LOG = "agent.log"
SIZE = (1920, 1080)
SEED = 1_000_503
WARM_S, GOAL, FLOOR = 45.0, (1.0, 15.0), (2.0, 8.0)
RSS_MB, RSS_PER_CAMERA_MB = 130, 25

STREAMS = {
    "quiet": (Script("idle-quiet", SEED, 30.0, SIZE, noise=0.5, steady=True), Coding("variable", 30, quality=20)),
    "2 Mbit/s": (Script("idle-noisy", SEED, 30.0, SIZE, noise=0.5, steady=True), Coding("variable", 30, quality=18.5)),
    "2 Mbit/s constant": (
        Script("idle-constant", SEED, 30.0, SIZE, noise=1.5, steady=True),
        Coding("constant", 30, 2_000_000),
    ),
}
"""A camera that takes its noise off, one that codes what is left of it, and one that fills its constant bit rate."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one program on one stream."""

    percent: float
    rss_mb: float


@dataclass(frozen=True, slots=True)
class Idle:
    """One stream's result; ``ratio``: motion's CPU-seconds over the agent's."""

    stream: str
    kbit_s: int
    span_s: float
    agent: Cost
    motion: Cost | None

    @property
    def ratio(self) -> float | None:
        return None if self.motion is None else self.motion.percent / self.agent.percent

    def as_json(self) -> dict[str, object]:
        return {**asdict(self), "ratio": self.ratio}


def measure(name: str, folder: Path, span_s: float) -> Idle:
    """Serve the stream ``name`` and let both programs watch it for ``span_s`` seconds after a warm-up."""
    script, coding = STREAMS[name]
    film = write(script, [coding], folder)[coding.name]
    work = folder / f"work-{script.name}"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    with RtspServer(film, loop=True) as camera:
        programs = {"agent": start_agent([camera.url], work)}
        if shutil.which("motion"):
            programs["motion"] = start_motion([camera.url], work)
        try:
            wait_until_open(programs["agent"], work / AGENT_LOG)
            time.sleep(WARM_S)
            before = {key: cpu_s(process.pid) for key, process in programs.items()}
            begun_s = time.monotonic()
            time.sleep(span_s)
            lasted_s = time.monotonic() - begun_s
            costs = {
                key: Cost((cpu_s(process.pid) - before[key]) / lasted_s * 100, rss_mb(process.pid))
                for key, process in programs.items()
            }
        finally:
            for process in programs.values():
                stop(process)
    kbit_s = round(film.stat().st_size * 8 / script.length_s / 1000)
    return Idle(name, kbit_s, round(lasted_s, 1), costs["agent"], costs.get("motion"))


def start_agent(urls: list[str], work: Path, motion: str = "") -> subprocess.Popen[bytes]:
    """`uriai-edge run` on these cameras, with a bucket that nothing is sent to."""
    cameras = "".join(f"  - {{number: {n}, source: '{url}'}}\n" for n, url in enumerate(urls, 1))
    config = work / "gateway.yaml"
    config.write_text(
        f"gateway: bench-1\nkey_file: {work}/device.key\ncameras:\n{cameras}"
        f"spool: {{dir: {work}/spool, min_free_bytes: 0}}\n"
        "upload: {bucket: bench-bucket, endpoint_url: 'http://127.0.0.1:9'}\n"
        f"coverage: {{enabled: false}}\n{motion}"
    )
    return run_agent(config, work / AGENT_LOG, "bench", "bench")


def start_motion(urls: list[str], work: Path) -> subprocess.Popen[bytes]:
    """Debian's `motion` with its defaults, but for size and rate, which it has to be told, and where it writes."""
    target = work / "motion"
    target.mkdir()
    general = ["daemon off", "log_level 5", f"log_file {work}/motion.log", "webcontrol_port 0", "stream_port 0"]
    for number, url in enumerate(urls, 1):
        own = [f"camera_id {number}", f"netcam_url {url}", f"width {SIZE[0]}", f"height {SIZE[1]}"]
        own += [f"framerate {FPS}", f"target_dir {target}", f"movie_filename {number}-%s"]
        file = work / f"motion-{number}.conf"
        file.write_text("\n".join(own) + "\n")
        general.append(f"camera {file}")
    main = work / "motion.conf"
    main.write_text("\n".join(general) + "\n")
    return subprocess.Popen(
        ["motion", "-n", "-c", main], stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL, start_new_session=True
    )
