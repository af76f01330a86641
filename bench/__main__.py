"""All measurements, one after the other: `make bench`. Exit code 1 if one of them missed its limit."""

from __future__ import annotations

import subprocess
import sys

BENCHMARKS = (
    ("decoding against analysing", [sys.executable, "-m", "bench.decode_ratio", "--rounds", "3"]),
    ("what the cascade misses", [sys.executable, "-m", "bench.cascade"]),
    ("cold start and memory", [sys.executable, "-m", "bench.start"]),
    ("eight analyzers on one queue", [sys.executable, "-m", "bench.parallel_analyzers"]),
    ("the edge agent beside motion", [sys.executable, "-m", "bench.edge"]),
    ("the chatbot in a whole country", [sys.executable, "-m", "bench.country"]),
    ("a scripted day through the deployed stack", [sys.executable, "-m", "bench.day"]),
    ("real clips through the deployed stack", [sys.executable, "-m", "bench.replay_clips", "--count", "20"]),
)


def main() -> int:
    """Run each; a benchmark whose footage or cloud is not there says so and counts as not run (exit code 2)."""
    codes = []
    for name, command in BENCHMARKS:
        print(f"== {name}", flush=True)
        codes.append(subprocess.run(command, check=False).returncode)
    return 1 if 1 in codes else 0


if __name__ == "__main__":
    sys.exit(main())
