"""Measurements of the edge agent, all or some: `python -m bench.edge idle recall --out docs/edge-benchmarks.md`.

Exit code 1 if one of them missed its floor.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from bench.edge import idle, recall, sixteen

PARTS = ("idle", "sixteen", "recall")


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure the edge agent beside Debian's motion.")
    parser.add_argument("parts", nargs="*", choices=(*PARTS, []), default=[], help="default: all")
    parser.add_argument("--films", type=Path, help="folder that keeps the films (default: a temporary one)")
    parser.add_argument("--span", type=float, default=120.0, help="seconds over which idle CPU is counted")
    parser.add_argument("--count", type=int, default=8, help="films with movements")
    parser.add_argument("--movements", type=int, default=14, help="movements a film")
    parser.add_argument("--jobs", type=int, default=recall.workers(), help="films replayed at a time")
    parser.add_argument("--out", type=Path, help="write the page there too; parts that are not measured stay in it")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="edge-bench-") as temporary:
        folder = options.films or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        sections, good = [], True
        for part in options.parts or PARTS:
            text, fine = {"idle": _idle, "sixteen": _sixteen, "recall": _recall}[part](folder, options)
            text = f"{text}\n\nMeasured on {datetime.now(UTC):%Y-%m-%d %H:%M} UTC; load {os.getloadavg()[0]:.0f}."
            print(text, flush=True)
            sections.append(text)
            good &= fine
    if options.out is not None:
        options.out.write_text(_page(_with_earlier(sections, options.out)), encoding="utf-8")
    return 0 if good else 1


def _idle(folder: Path, options: argparse.Namespace) -> tuple[str, bool]:
    results = [idle.measure(name, folder, options.span) for name in idle.STREAMS]
    lines = [
        "## An idle camera",
        "",
        f"1080p15 H.264 by RTSP, a key frame every 2 s, CPU-seconds of the process over {options.span:.0f} s, after",
        f"{idle.WARM_S:.0f} s of warming up. Goal: {idle.GOAL[0]:g} % of a core, 1/{idle.GOAL[1]:g} of motion; floor:",
        f"{idle.FLOOR[0]:g} % and 1/{idle.FLOOR[1]:g}; memory at most {idle.RSS_MB + idle.RSS_PER_CAMERA_MB} MB",
        "with one camera.",
        "",
        "| stream | kbit/s | agent, % of a core | motion, % | motion / agent | agent, MB | motion, MB | verdict |",
        "|---|---|---|---|---|---|---|---|",
    ]
    good = True
    for one in results:
        motion, ratio = one.motion, one.ratio
        small = one.agent.rss_mb <= idle.RSS_MB + idle.RSS_PER_CAMERA_MB
        floor = one.agent.percent <= idle.FLOOR[0] and (ratio or idle.FLOOR[1]) >= idle.FLOOR[1] and small
        goal = floor and one.agent.percent <= idle.GOAL[0] and (ratio or idle.GOAL[1]) >= idle.GOAL[1]
        good &= floor
        cells = [one.stream, str(one.kbit_s), f"{one.agent.percent:.2f}"]
        cells += ["-", "-"] if motion is None or ratio is None else [f"{motion.percent:.2f}", f"{ratio:.1f}"]
        cells += [f"{one.agent.rss_mb:.0f}", "-" if motion is None else f"{motion.rss_mb:.0f}"]
        cells.append("goal" if goal else "floor" if floor else "missed")
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines), good


def _sixteen(folder: Path, _options: argparse.Namespace) -> tuple[str, bool]:
    one = sixteen.measure(folder)
    whole = sum(count == one.sent for count in one.arrived)
    limit = idle.RSS_MB + idle.RSS_PER_CAMERA_MB * one.cameras
    good = whole == one.cameras == one.saw_movement and one.peak_rss_mb <= limit
    text = (
        f"## {one.cameras} cameras\n\n1080p15 H.264 at {one.kbit_s} kbit/s each, by RTSP from this very machine;\n"
        f"somebody comes into all of them at the same second.\n\n"
        f"| what | found | wanted |\n|---|---|---|\n"
        f"| cameras whose {one.sent} packets all arrived | {whole} | {one.cameras} |\n"
        f"| cameras whose movement was seen | {one.saw_movement} | {one.cameras} |\n"
        f"| agent while nothing moves, % of a core | {one.idle_percent:.1f} | |\n"
        f"| agent over the whole film, % of a core | {one.percent:.1f} | |\n"
        f"| agent's largest memory, MB | {one.peak_rss_mb:.0f} | {limit} |\n\n"
        f"Verdict: {'met' if good else 'missed'}."
    )
    return text, good


def _recall(folder: Path, options: argparse.Namespace) -> tuple[str, bool]:
    made = recall.scripts(options.count, options.movements)
    recall.render(made, folder, recall.workers())
    lines = [
        "## Scripted movements, and what is none",
        "",
        f"{len(made)} rendered films, 640x360 at 15 pictures a second: adults and children cross a room at 0.3 to",
        "2.4 m/s for 1.2 to 8 s, by day, by infrared, and while a lamp is switched; half of the cameras with strong",
        "sensor noise, flickering lamps and clouds. In a third of the films nobody moves; in half of those come lamps,",
        "infrared, exposure, a swaying curtain, rain and a shaking camera. Goal: 99 % found, at",
        "most one false event an hour. motion has its defaults, but for `event_gap`, 5 s as the agent's",
        "post-roll, to tell its events apart.",
        "",
        "| program | stream | movements | found | % | events without a movement | hours | an hour |",
        "|---|---|---|---|---|---|---|---|",
    ]
    good = True
    for coding in recall.CODINGS:
        agent = recall.judge_agent(made, folder, coding, options.jobs)
        good &= agent.found >= 0.99 * agent.movements and agent.false <= agent.hours
        for one in (agent, recall.judge_motion(made, folder, coding)):
            if one is not None:
                lines.append(
                    f"| {one.program} | {one.coding} | {one.movements} | {one.found} | "
                    f"{one.found / max(1, one.movements) * 100:.1f} | {one.false} | {one.hours:.2f} | "
                    f"{one.false / one.hours:.2f} |"
                )
    return "\n".join([*lines, "", f"Verdict: {'met' if good else 'missed'}."]), good


def _with_earlier(sections: list[str], page: Path) -> list[str]:
    """``sections`` and those of an earlier page that were not measured anew, in the order of that page."""
    earlier = page.read_text(encoding="utf-8").split("\n## ")[1:] if page.is_file() else []
    anew = {text.splitlines()[0]: text for text in sections}
    titles = [f"## {text.splitlines()[0]}" for text in earlier]
    kept = [anew.pop(title, f"## {text.strip()}") for title, text in zip(titles, earlier, strict=True)]
    return [*kept, *anew.values()]


def _page(sections: list[str]) -> str:
    motion = subprocess.run(["motion", "-h"], capture_output=True, text=True, check=False).stdout.splitlines()
    peer = motion[0].split(",")[0].strip() if motion else "motion is not installed"
    head = (
        "# What the edge agent costs and finds\n\n"
        f"Written by `python -m bench.edge`; Python {platform.python_version()}, {platform.machine()}, "
        f"{os.cpu_count()} cores shared with other work: compare columns, not\nthe figures of two pages. "
        f"Peer: {peer}, with its defaults;\nit takes films at their own speed and drops pictures while the machine "
        "is busy, so the load is told with each part.\n\n"
    )
    return head + "\n\n".join(sections) + "\n"


if __name__ == "__main__":
    sys.exit(main())
