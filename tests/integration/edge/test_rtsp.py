"""A real RTSP camera: its clip arrives, and after it went away and came back, the next one does too."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from playroom.rtsp import RtspServer, gstreamer_available
from tests.integration.edge.test_agent import REPOSITORY, configure, logs
from tests.unit.edge.scenes import FPS, encode, film, pictures_in, walking


def until(what, seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.1)


def tampering(store) -> list[dict]:
    """What the store's records of tampering say, in the order of their numbers."""
    keys = sorted(key for key in store.objects if key.startswith("records/") and key.endswith(".json"))
    manifests = [json.loads(store.objects[key]) for key in keys]
    return [manifest["detail"] for manifest in manifests if manifest["type"] == "tamper"]


@pytest.mark.parametrize("transport", ["tcp", "udp"])
def test_a_camera_that_reboots_is_opened_anew_and_loses_no_clip(tmp_path, store, transport):
    if not gstreamer_available():
        pytest.skip("no GStreamer RTSP server here; python3 -m playroom tells what to install")
    video = encode(tmp_path / "camera.mp4", film(20 * FPS, walking([(5, 7)]), noise=1, size=(320, 180)), gop=15)
    with RtspServer(video) as camera:
        port = int(camera.url.split(":")[2].split("/")[0])
        source = f"source: '{camera.url}', transport: {transport}, timeout_s: 3"
        config = configure(tmp_path, store, source)
        config.write_text(config.read_text() + "clips: {pre_roll_s: 2, post_roll_s: 2}\ntamper: {after_s: 5}\n")
        command = [sys.executable, "-m", "uriai_edge", "run", "--config", str(config)]
        environment = os.environ | {"PYTHONPATH": str(REPOSITORY / "edge_agent")}
        agent = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment)
        until(lambda: sum(key.endswith(".mp4") for key in store.objects) >= 1)
    # away for longer than the set time: that is a record with the last picture, and its end is another one
    until(lambda: any(key.endswith(".jpg") for key in store.objects))
    with RtspServer(video, port):
        until(lambda: len(tampering(store)) >= 2)
        until(lambda: sum(key.endswith(".mp4") for key in store.objects) >= 2)
    agent.send_signal(signal.SIGTERM)
    stderr = agent.communicate(timeout=30)[1]
    assert agent.returncode == 0, stderr
    began, ended = tampering(store)[:2]
    assert began["what"] == ended["what"] == "offline" and began["event"] == ended["event"]
    assert [began["state"], ended["state"]] == ["begins", "ends"]
    assert [line["event"] for line in logs(stderr)].count("source_opened") >= 2
    for file in (tmp_path / "spool" / "clips").rglob("*.mp4"):
        assert pictures_in(file) >= 4 * FPS
