"""What a cold `analyze` takes under AWS's runtime emulator, on the deployed cloud."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.start import faults, measure
from playroom import render_clip
from playroom.video import encode
from tests.e2e.gateway import Gateway
from uriai_cloud.state import CloudState

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]


def test_a_cold_start_and_a_clip_of_720p_stay_within_time_and_memory(
    cloud: CloudState, home: Path, tmp_path: Path
) -> None:
    clip = tmp_path / "crowded.mp4"
    encode(render_clip(1_000_888, "playfight", 3.0, 15, (1280, 720)), clip, 15)
    gateway = Gateway.enrolled(cloud, home / "start-gateway", "start-gateway")
    start, whole = measure(cloud, gateway, clip, rounds=1)
    print(start, whole)
    assert faults([start, whole]) == []
    assert 0.2 < start.cpu_s < whole.cpu_s
    assert 100 < start.peak_mib < whole.peak_mib
