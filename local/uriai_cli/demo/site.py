"""The centre of the demo: one camera, one gateway, and the people who ask. Entered once, found again afterwards."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from uriai.adapters.database.centres import NewCentre, add_camera, add_centre
from uriai.adapters.database.gateways import add_gateway
from uriai_cli.database import cloud_database
from uriai_cli.errors import CliError
from uriai_cloud.home import Home, write_json
from uriai_cloud.state import CloudState

CENTRE = NewCentre(
    name="샛별어린이집", province="경기도", district="수원시 영통구", neighbourhood="망포동", address="보기로 1"
)
GATEWAY = "demo-gateway"
CAMERA = 1
CLIPS = {"pre_roll_s": 3.0, "post_roll_s": 3.0, "max_clip_s": 12.0}
"""Shorter than the agent's defaults: a movement that goes on is sent in parts of 12 s, so that answers come sooner."""


@dataclass(frozen=True, slots=True)
class Site:
    """Where the demo happens: the agent's configuration file and the folder of its key and spool."""

    config: Path
    folder: Path


def agent_program() -> str:
    """The agent's command, in the virtual environment that this command runs in."""
    return str(Path(sys.executable).with_name("uriai-edge"))


def prepare(cloud: CloudState, home: Home, source: str) -> Site:
    """Write the agent's configuration for ``source``, make its key, and enter centre, gateway and camera.

    Raises
    ------
    CliError
        If the agent refuses its configuration; the message is the agent's own.
    """
    folder = home.path / "demo"
    folder.mkdir(mode=0o700, exist_ok=True)
    config = folder / "agent.yaml"
    # JSON is YAML; readable by its owner only, because a camera's address may hold a password
    write_json(config, _agent_config(cloud, folder, source))
    public_key = _enroll(config)
    now = datetime.now(UTC)
    with cloud_database() as database, database.transaction() as cursor:
        centre_id = add_centre(cursor, CENTRE, now)
        add_gateway(cursor, GATEWAY, centre_id, public_key, now)
        add_camera(cursor, GATEWAY, CAMERA, "놀이방 playroom", now)
    return Site(config, folder)


def _agent_config(cloud: CloudState, folder: Path, source: str) -> dict[str, Any]:
    return {
        "gateway": GATEWAY,
        "key_file": str(folder / "device.key"),
        "cameras": [{"number": CAMERA, "name": "playroom", "source": source}],
        "spool": {"dir": str(folder / "spool")},
        "upload": {"bucket": cloud.clips_bucket, "region": cloud.region, "endpoint_url": cloud.endpoint_url},
        "clips": CLIPS,
    }


def _enroll(config: Path) -> bytes:
    """Let the agent make its key if there is none; return the public half."""
    done = subprocess.run(
        [agent_program(), "enroll", "--config", str(config)], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise CliError(f"the agent refused its configuration: {done.stderr.strip() or done.stdout.strip()}")
    return bytes.fromhex(done.stdout.split()[-1])
